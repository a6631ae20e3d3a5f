//! This module checks whether the numbers of an ensemble are numbers of f64, before anything is
//! drawn.

use crate::model::{EnsembleSpec, Growth, Law, Layer};
use crate::sentence::sentence;
use crate::theory::{self, Divergence};
use crate::{Error, Result, Sentence};

/// The number of decades that n-point functions may span on either side of 1: their variances, the
/// squares, and products with numbers of order one stay normal numbers of f64.
const DECADES: f64 = 140.0;

/// Refuses what does not exist, and what leaves the range of f64, above or below: squares of the standard deviations and
/// of the inputs, n-point functions, of the GP, connected or exact at finite width, and their
/// variances. What vanishes identically is in range: sigma = 0, and points at which every network
/// is zero.
///
/// # Errors
/// [`Error::Invalid`] with the option that is at fault.
///
/// ```
/// use nnqft_gpu::analysis::check_range;
/// use nnqft_gpu::model::EnsembleSpec;
///
/// let spec = EnsembleSpec::preset("relu", 1)?;
/// assert!(check_range(&spec).is_ok());
/// assert!(check_range(&spec.with_sigma_w(1e-200)).is_err());
/// # Ok::<(), nnqft_gpu::Error>(())
/// ```
pub fn check_range(spec: &EnsembleSpec) -> Result<()> {
    check_existence(spec)?;
    let layers = spec.net.layers().iter();
    for (name, sigma) in layers.flat_map(|l| [("sigma_w", l.sigma_w), ("sigma_b", l.sigma_b)]) {
        if sigma != 0.0 && !(sigma * sigma).is_normal() {
            let reason = "its square leaves the range of f64; rescale, or give 0";
            return Err(Error::invalid(name, format!("{sigma:?}"), reason));
        }
    }
    let sizes = (spec.inputs.points().iter())
        .map(|x| Size::new(spec, x))
        .collect::<Result<Vec<_>>>()?;
    for &order in &spec.orders {
        for size in &sizes {
            let half = order as f64 / 2.0;
            // The interactions carry powers of 1 / N.
            let suppression = (half - 1.0).max(0.0) * (spec.net.width() as f64).log10();
            let smallest = half * size.weights.min(size.kernel) - suppression;
            for exponent in [half * size.kernel, smallest] {
                if exponent.is_finite() && exponent.abs() > DECADES {
                    return Err(size.refuse(spec, order, exponent));
                }
            }
        }
    }
    check_tails(spec)
}

/// Refuses n-point functions that do not exist, because a law's density falls too slowly.
fn check_existence(spec: &EnsembleSpec) -> Result<()> {
    let growth = spec.net.activation().growth();
    if let (true, Growth::Exponential { .. }) = (spec.net.depth() > 1, growth) {
        return Err(Error::invalid(
            "depth",
            spec.net.depth(),
            format!(
                "the pre-activations of a second hidden layer have log-normal variances, and n-point functions of {} do not exist there; use one hidden layer",
                spec.net.activation()
            ),
        ));
    }
    let Some(Divergence {
        of_bias,
        order,
        excess,
    }) = theory::divergence(spec)
    else {
        return Ok(());
    };
    let (name, sigma) = match of_bias {
        true => ("law_b", "sigma_b"),
        false => ("law_w", "sigma_w"),
    };
    let orders = match order > 2 {
        true => sentence!(", lower `orders`"),
        false => "".into(),
    };
    Err(Error::invalid(
        name,
        Law::Laplace,
        sentence!(
            "the {}-point function does not exist: {} factors that grow like {} outgrow the density of this law; give a {} of the hidden layer that is smaller by more than a factor of {}{}, or use another law",
            order.to_string(),
            order.to_string(),
            spec.net.activation().expression(),
            Sentence::parameter(sigma),
            format!("{excess:.3}"),
            orders
        ),
    ))
}

/// Refuses nets with several hidden layers, for what is known of one alone.
///
/// # Errors
/// [`Error::Invalid`].
pub fn check_one_hidden_layer(spec: &EnsembleSpec) -> Result<()> {
    match spec.net.depth() {
        1 => Ok(()),
        depth => Err(Error::invalid(
            "depth",
            depth,
            "this is known of nets with one hidden layer",
        )),
    }
}

/// Refuses ensembles whose networks are Gaussian at every width: nothing that measures an
/// interaction has anything to measure.
///
/// # Errors
/// [`Error::Invalid`] with the option that makes them so.
pub fn check_interacting(spec: &EnsembleSpec) -> Result<()> {
    if spec.net.readout().sigma_w == 0.0 {
        let reason = "every network is its output bias, which is Gaussian: there is no interaction to measure";
        return Err(Error::invalid("sigma_w", 0, reason));
    }
    let all_zero = spec.inputs.points().iter().flatten().all(|&x| x == 0.0);
    if all_zero && spec.net.first().sigma_b == 0.0 {
        let reason = "without biases hidden units are constants there and networks Gaussian: there is no interaction to measure";
        return Err(Error::invalid("inputs", "at the origin only", reason));
    }
    Ok(())
}

/// `Size` holds the decimal logarithms of what a point's fields are made of, right to a factor of a
/// few; minus infinity for what vanishes identically.
struct Size {
    /// Logarithm of |x|.
    input: f64,
    /// Logarithm of K(x, x).
    kernel: f64,
    /// Logarithm of K(x, x) - sigma_b^2.
    weights: f64,
}

impl Size {
    fn new(spec: &EnsembleSpec, x: &[f64]) -> Result<Self> {
        let square: f64 = x.iter().map(|x| x * x).sum();
        let largest = x.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
        if largest != 0.0 && !square.is_normal() {
            let point: Vec<String> = x.iter().map(|x| format!("{x:?}")).collect();
            let reason = "the square of this point leaves the range of f64; rescale, or give 0";
            return Err(Error::invalid("inputs", point.join(","), reason));
        }
        let decades = |layer: Layer| (2.0 * layer.sigma_w.log10(), 2.0 * layer.sigma_b.log10());
        let (first, above) = spec.net.layers().split_at(1);
        let (weight, bias) = decades(first[0]);
        let input = square.log10() / 2.0;
        // Of a pre-activation's variance, and of h^2.
        let hidden = bias.max(weight + 2.0 * input - (spec.net.d_in() as f64).log10());
        let mut size = Self {
            input,
            kernel: hidden,
            weights: hidden,
        };
        for layer in above {
            let (weight, bias) = decades(*layer);
            size.weights = weight + theory::second_moment_decades(&spec.net, size.kernel);
            size.kernel = bias.max(size.weights);
        }
        Ok(size)
    }

    fn refuse(&self, spec: &EnsembleSpec, order: usize, exponent: f64) -> Error {
        let farthest = |log: f64| if log.is_finite() { log.abs() } else { 0.0 };
        let Layer {
            sigma_w: w,
            sigma_b: b,
            ..
        } = spec.net.readout();
        let culprits = [
            ("sigma_w", w, w.log10()),
            ("sigma_b", b, b.log10()),
            ("inputs", 10f64.powf(self.input), self.input),
        ];
        let (name, value, _) = (culprits.into_iter())
            .reduce(|a, b| if farthest(b.2) > farthest(a.2) { b } else { a })
            .expect("there are three");
        let value = match name {
            "inputs" => format!("with |x| = {value:.1e}"),
            _ => format!("{value:?}"),
        };
        let way_out = match exponent < 0.0 && self.weights < self.kernel {
            true => sentence!("rescale, lower `orders`, or give `sigma_w` 0"),
            false => sentence!("rescale or lower `orders`"),
        };
        Error::invalid(
            name,
            value,
            sentence!(
                "a part of the {}-point function is {} and its variance leaves the range of f64; {}",
                order.to_string(),
                magnitude(exponent),
                way_out
            ),
        )
    }
}

/// Says in words how large a number of this decimal exponent is.
fn magnitude(exponent: f64) -> String {
    match exponent.is_finite() {
        true => format!("of order 1e{exponent:.0}"),
        false if exponent > 0.0 => "beyond any number".into(),
        false => "smaller than any number".into(),
    }
}

/// Refuses nets that grow like exp(rate z - v) and whose moments are finite in theory only. They
/// are log-normal: sigma_w^n E[h^n] is largest at the input farthest out, and there sigma_w^n times
/// the exponential of (rate^2 n^2 / 2 - n) (sigma_w^2 |x|^2 / d_in + sigma_b^2). Of other laws than the
/// normal one E[exp(n rate z)] is a bound.
fn check_tails(spec: &EnsembleSpec) -> Result<()> {
    let Growth::Exponential { rate } = spec.net.activation().growth() else {
        return Ok(());
    };
    let Layer {
        sigma_w, sigma_b, ..
    } = spec.net.first();
    let squares = (spec.inputs.points().iter()).map(|x| x.iter().map(|x| x * x).sum::<f64>());
    let farthest = squares.fold(0.0, f64::max);
    let unit = sigma_w.powi(2) * farthest / spec.net.d_in() as f64 + sigma_b.powi(2);
    for &order in spec.orders.iter().filter(|&n| n % 2 == 0) {
        let n = order as f64;
        let moment = match spec.net.has_gaussian_units() {
            true => (rate * rate * n * n / 2.0 - n) * unit / std::f64::consts::LN_10,
            false => (spec.inputs.points().iter())
                .map(|x| theory::product_decades(&spec.net, x, n * rate))
                .fold(0.0, f64::max),
        };
        let exponent = moment + n * spec.net.readout().sigma_w.log10();
        if exponent > DECADES {
            return Err(Error::invalid(
                "inputs",
                format!(
                    "reaching |x| = {:?}, with sigma_w = {:?}, sigma_b = {:?}",
                    farthest.sqrt(),
                    sigma_w,
                    sigma_b
                ),
                sentence!(
                    "the exact {}-point function of {} is {} and its variance leaves the range of f64; rescale or lower `orders`",
                    order.to_string(),
                    spec.net.title(),
                    magnitude(exponent)
                ),
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Inputs;

    fn refusal(arch: &str, sigmas: [f64; 2], inputs: &str, width: u64) -> Option<String> {
        let inputs = Inputs::parse(inputs).unwrap();
        let spec = EnsembleSpec::preset(arch, 1)
            .unwrap()
            .with_width(width)
            .with_inputs(inputs)
            .with_sigma_w(sigmas[0])
            .with_sigma_b(sigmas[1]);
        check_range(&spec.validate().unwrap())
            .err()
            .map(|e| e.to_string())
    }

    #[test]
    fn what_leaves_the_range_names_its_option() {
        for (arch, sigmas, inputs, width, option) in [
            ("relu", [1e-200, 0.0], "1", 100, "sigma_w 1e-200"),
            ("relu", [1e-200, 1.0], "1", 100, "sigma_w 1e-200"),
            ("relu", [1e-60, 1.0], "1", 100, "sigma_w 1e-60"),
            ("relu", [1e90, 0.0], "1", 100, "sigma_w 1e90"),
            ("relu", [1.0, 1e-200], "1", 100, "sigma_b 1e-200"),
            ("relu", [1.0, 1e60], "1", 100, "sigma_b 1e60"),
            (
                "relu",
                [1.0, 0.0],
                "1;1e-60",
                100,
                "inputs with |x| = 1.0e-60",
            ),
            (
                "relu",
                [1.0, 0.0],
                "1;1e60",
                100,
                "inputs with |x| = 1.0e60",
            ),
            ("relu", [1e80, 0.0], "1e-160", 100, "inputs 1e-160"),
            ("erf", [1.0, 1.0], "1e-320;1", 100, "inputs 1e-320"),
            ("erf", [1.0, 1.0], "1e200", 100, "inputs 1e200"),
            ("erf", [1.0, 0.0], "1e-50", 100, "inputs with |x| = 1.0e-50"),
            ("gauss", [1e-50, 0.0], "1", 100, "sigma_w 1e-50"),
            ("gauss", [1.0, 0.0], "20", 100, "inputs"),
            // Of order 1 / N^2.
            ("relu", [1.0, 0.0], "1e-22", 100_000_000, "inputs"),
        ] {
            let message = refusal(arch, sigmas, inputs, width).expect(option);
            assert!(message.starts_with(option), "{option}: {message}");
        }
    }

    #[test]
    fn what_vanishes_identically_is_in_range() {
        for (arch, sigmas, inputs) in [
            ("erf", [0.0, 1.0], "1;2"),
            ("relu", [1.0, 0.0], "0;1"),
            ("erf", [1.0, 0.0], "0"),
            ("relu", [1.0, 0.0], "1e-200,1"),
            ("relu", [1.0, 0.0], "1e-22;1e22"),
            ("erf", [1.0, 1e-3], "1e8;-1e8;0"),
            ("gauss", [1e-3, 1.0], "1"),
        ] {
            assert_eq!(refusal(arch, sigmas, inputs, 100), None, "{inputs}");
        }
    }

    #[test]
    fn gaussian_networks_have_nothing_to_measure() {
        let spec = EnsembleSpec::preset("erf", 1).unwrap();
        assert!(check_interacting(&spec).is_ok());
        let no_weights = spec.clone().with_sigma_w(0.0);
        assert!(check_interacting(&no_weights).is_err());
        let origin = EnsembleSpec {
            inputs: Inputs::parse("0;0").unwrap(),
            ..spec.with_sigma_b(0.0)
        };
        assert!(check_interacting(&origin).is_err());
        let biased = origin.with_sigma_b(1.0);
        assert!(check_interacting(&biased).is_ok());
    }
}
