use super::Parameters;
use crate::model::EnsembleSpec;

/// A progression is points x_p = x_0 + p step: exp(z - v) takes two exponentials per hidden unit,
/// whatever the number of points, as h(x_p) = h(x_(p-1)) e^(n . step) x `factors[p]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Progression {
    /// The step sigma_w / sqrt(d_in) (x_1 - x_0), shape `[d_in]`.
    pub step: Vec<f64>,
    /// Ratios of the normalisation from one point to the next, shape `[points]`; the first is 1.
    pub factors: Vec<f64>,
}

impl Progression {
    /// Returns the points as a progression, if they are one.
    pub fn of(parameters: &Parameters) -> Option<Self> {
        let weights = &parameters.weights;
        let (first, last) = (weights.first()?, weights.last()?);
        let intervals = weights.len() - 1;
        if intervals < 2 {
            return None;
        }
        let step: Vec<f64> = (first.iter().zip(last))
            .map(|(a, b)| (b - a) / intervals as f64)
            .collect();
        let size = (weights.iter().flatten()).fold(0.0, |m: f64, x| m.max(x.abs()));
        let is_even = weights.iter().enumerate().all(|(p, x)| {
            let there = first.iter().zip(&step).map(|(a, s)| a + p as f64 * s);
            (x.iter().zip(there)).all(|(x, there)| (x - there).abs() <= 4.0 * f64::EPSILON * size)
        });
        let factors = std::iter::once(1.0)
            .chain(parameters.offset.windows(2).map(|o| (o[0] - o[1]).exp()))
            .collect();
        is_even.then_some(Self { step, factors })
    }
}

/// Bounds |z| of a hidden unit at each point: what can be drawn of a variate ends, and shifts add to
/// it.
pub(super) fn reach(spec: &EnsembleSpec, parameters: &Parameters) -> Vec<f64> {
    let p = parameters;
    let variate = |c: usize| {
        let law = match c < spec.net.d_in() {
            true => p.laws.weights,
            false => p.laws.bias,
        };
        let shifts = spec.tilt.iter().flat_map(|t| &t.shifts);
        law.reach() + shifts.fold(0.0f64, |most, t| most.max(t[c].abs()))
    };
    (p.weights.iter().zip(&p.offset))
        .map(|(x, offset)| {
            let linear: f64 = (x.iter().enumerate())
                .map(|(c, x)| x.abs() * variate(c))
                .sum();
            linear + p.bias * variate(spec.net.d_in()) + offset.abs()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Inputs;

    fn at(points: &str) -> Parameters {
        let inputs = Inputs::parse(points).unwrap();
        let gauss = EnsembleSpec::preset("gauss", 1).unwrap();
        Parameters::new(&gauss.with_inputs(inputs).with_sigma_w(1.3))
    }

    #[test]
    fn a_progression_gives_every_point() {
        for points in ["-0.01;-0.006;-0.002;0.002", "1,-2;0.5,-1;0,0", "3;3;3"] {
            let p = at(points);
            let progression = Progression::of(&p).unwrap();
            let normals = [0.7, -1.9];
            let h = |k: usize| {
                let linear = p.weights[k].iter().zip(normals).map(|(x, n)| x * n);
                (linear.sum::<f64>() - p.offset[k]).exp()
            };
            let along = progression.step.iter().zip(normals).map(|(x, n)| x * n);
            let ratio = along.sum::<f64>().exp();
            let mut value = h(0);
            for k in 1..p.weights.len() {
                value *= ratio * progression.factors[k];
                assert!((value / h(k) - 1.0).abs() < 1e-13, "{points} {k}");
            }
        }
    }

    #[test]
    fn other_points_are_no_progression() {
        for points in ["0;0.1", "0;0.1;0.200000001", "0,0;1,1;2,2.5", "0;1;3;2"] {
            assert_eq!(Progression::of(&at(points)), None, "{points}");
        }
    }
}
