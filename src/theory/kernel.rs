use std::f64::consts::PI;

use crate::model::{Architecture, EnsembleSpec};

/// GP kernel K(x, y) = E[f(x) f(y)] of a single-hidden-layer network, exact at every
/// width (arXiv:2008.08601, section 2; Williams 1997 for erf, Cho and Saul 2009 for ReLU).
///
/// `x` and `y` have d_in coordinates each; the unit is that of f squared.
///
/// ```
/// use nnqft_gpu::{model::Architecture, theory::kernel};
///
/// // ReLU without biases: K(x, x) = sigma_w^4 x.x / (2 d_in).
/// let k = kernel(Architecture::Relu, 1.0, 0.0, &[3.0], &[3.0]);
/// assert!((k - 4.5).abs() < 1e-12);
/// ```
pub fn kernel(arch: Architecture, sigma_w: f64, sigma_b: f64, x: &[f64], y: &[f64]) -> f64 {
    let (vw, vb) = (sigma_w * sigma_w, sigma_b * sigma_b);
    let d_in = x.len() as f64;
    // Covariance of the pre-activations.
    let s =
        |a: &[f64], b: &[f64]| vb + vw * a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>() / d_in;
    match arch {
        Architecture::Erf => {
            let norm = |a: &[f64]| (1.0 + 2.0 * s(a, a)).sqrt();
            let sine = 2.0 * s(x, y) / norm(x) / norm(y);
            vb + vw * (2.0 / PI) * sine.asin()
        }
        Architecture::Relu => {
            let (xx, xy, yy) = (s(x, x), s(x, y), s(y, y));
            // |x||y| sin t from the Gram determinant: acos alone loses half the digits
            // for nearly parallel points.
            let sine = gram_determinant(vb, vw / d_in, x, y).max(0.0).sqrt();
            let t = sine.atan2(xy);
            if xx == 0.0 || yy == 0.0 {
                return vb;
            }
            vb + vw / (2.0 * PI) * (sine + (PI - t) * xy)
        }
        Architecture::Gauss => {
            let distance: f64 = x.iter().zip(y).map(|(a, b)| (a - b) * (a - b)).sum();
            vb + vw * (-vw * distance / (2.0 * d_in)).exp()
        }
    }
}

/// s_xx s_yy - s_xy^2 as a sum of squares (Lagrange's identity over the coordinates and
/// the bias), free of cancellation.
fn gram_determinant(vb: f64, v: f64, x: &[f64], y: &[f64]) -> f64 {
    let mut sum = 0.0;
    for i in 0..x.len() {
        sum += v * vb * (x[i] - y[i]).powi(2);
        for j in 0..i {
            sum += v * v * (x[i] * y[j] - x[j] * y[i]).powi(2);
        }
    }
    sum
}

/// Kernel matrix over the ensemble's inputs, shape `[points][points]`, symmetric.
pub fn kernel_matrix(spec: &EnsembleSpec) -> Vec<Vec<f64>> {
    let points = spec.inputs.points();
    points
        .iter()
        .map(|x| {
            points
                .iter()
                .map(|y| kernel(spec.arch, spec.sigma_w, spec.sigma_b, x, y))
                .collect()
        })
        .collect()
}
