use crate::model::{EnsembleSpec, Growth, Tilt};
use crate::tensor::multisets;

/// The largest number of shifts of a mixture: each gets its share of the networks.
const MAX_SHIFTS: usize = 32;

/// Finds the mixture that a spec's orders need, `None` where the hidden layer has no tail worth the
/// price.
///
/// Bounded activations and powers have none. A product of n units that grow like exp(rate z) is
/// exp(t . g) with t = rate times the sum of (sigma_w x_i / sqrt(d_in), sigma_b) over its
/// points, with normals g: neurons near g = t carry it. Units that grow as z falls have the opposite
/// sign, and those that do on both sides either. The shifts cover these t for n = 2, 4, .. up to the
/// highest order, farthest first, until all are within one standard deviation. Of other laws than the
/// normal one there is no mixture.
///
/// ```
/// use nnqft_gpu::model::EnsembleSpec;
/// use nnqft_gpu::theory::tilt;
///
/// assert!(tilt(&EnsembleSpec::preset("relu", 1)?).is_none());
/// assert!(tilt(&EnsembleSpec::preset("gauss", 1)?).is_some());
/// # Ok::<(), nnqft_gpu::Error>(())
/// ```
pub fn tilt(spec: &EnsembleSpec) -> Option<Tilt> {
    if spec.net.first().sigma_w == 0.0 || !spec.net.has_gaussian_units() {
        return None;
    }
    let rates: Vec<f64> = (spec.net.activation().growth_of_sides().into_iter())
        .zip([1.0, -1.0])
        .filter_map(|(growth, side)| match growth {
            Growth::Exponential { rate } => Some(side * rate),
            Growth::Bounded | Growth::Power(_) => None,
        })
        .collect();
    if rates.is_empty() {
        return None;
    }
    let normals: Vec<Vec<f64>> = (spec.inputs.points().iter())
        .map(|x| spec.net.linear_form(x))
        .flat_map(|form| {
            let along = |rate: &f64| form.iter().map(|a| rate * a).collect();
            rates.iter().map(along).collect::<Vec<Vec<f64>>>()
        })
        .collect();
    let highest = spec.orders.iter().copied().max().unwrap_or(2);
    let targets: Vec<Vec<f64>> = (2..=highest)
        .step_by(2)
        .flat_map(|n| multisets(normals.len(), n))
        .map(|index| {
            (0..=spec.net.d_in())
                .map(|c| index.iter().map(|&i| normals[i][c]).sum())
                .collect()
        })
        .collect();
    let square =
        |a: &[f64], b: &[f64]| -> f64 { a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum() };
    let origin = vec![0.0; spec.net.d_in() + 1];
    let mut distance: Vec<f64> = targets.iter().map(|t| square(t, &origin)).collect();
    let mut shifts: Vec<Vec<f64>> = Vec::new();
    loop {
        let (farthest, &reach) = (distance.iter().enumerate())
            .max_by(|a, b| a.1.total_cmp(b.1))
            .expect("there is an order and a point");
        // Within two of the origin, plain sampling sees the tail soon enough.
        let near = if shifts.is_empty() { 4.0 } else { 1.0 };
        if reach <= near || shifts.len() == MAX_SHIFTS {
            let reach = reach.sqrt();
            return (!shifts.is_empty()).then_some(Tilt { shifts, reach });
        }
        let shift = targets[farthest].clone();
        for (d, t) in distance.iter_mut().zip(&targets) {
            *d = d.min(square(t, &shift));
        }
        shifts.push(shift);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Inputs;

    fn gauss() -> EnsembleSpec {
        EnsembleSpec::preset("gauss", 1).unwrap()
    }

    #[test]
    fn the_source_needs_biases_at_two_four_and_six() {
        let mixture = tilt(&gauss()).unwrap();
        let mut biases: Vec<f64> = mixture.shifts.iter().map(|t| t[1]).collect();
        biases.sort_by(f64::total_cmp);
        assert_eq!(biases, [2.0, 4.0, 6.0]);
        assert!(mixture.reach < 0.2);
        assert_eq!(mixture.probability(), 0.25);
    }

    #[test]
    fn large_inputs_tilt_the_weights_too() {
        let spec = EnsembleSpec {
            inputs: Inputs::new(vec![vec![-1.0], vec![1.0]]).unwrap(),
            ..gauss().with_sigma_b(0.0)
        };
        let mixture = tilt(&spec).unwrap();
        assert!(mixture.shifts.iter().any(|t| t[0] == 6.0));
        assert!(mixture.shifts.iter().any(|t| t[0] == -6.0));
        assert!(mixture.reach <= 1.0);
    }

    #[test]
    fn the_side_that_grows_is_tilted_to() {
        let biases = |text: &str| -> Vec<f64> {
            let spec = gauss();
            let net = spec.net.clone().with_activation(text.parse().unwrap());
            let shifts = tilt(&EnsembleSpec { net, ..spec }).unwrap().shifts;
            let mut biases: Vec<f64> = shifts.iter().map(|t| t[1]).collect();
            biases.sort_by(f64::total_cmp);
            biases
        };
        assert_eq!(biases("exp(-z)"), [-6.0, -4.0, -2.0]);
        assert_eq!(
            biases("exp(z) - exp(-z)"),
            [-6.0, -4.0, -2.0, 2.0, 4.0, 6.0]
        );
    }

    #[test]
    fn nothing_where_nothing_is_needed() {
        for arch in ["erf", "relu"] {
            assert_eq!(tilt(&EnsembleSpec::preset(arch, 1).unwrap()), None);
        }
        let small = gauss().with_sigma_b(0.1);
        assert_eq!(tilt(&small), None);
    }
}
