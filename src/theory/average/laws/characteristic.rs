//! E[x^m exp(t x)] of a variate x of unit variance, t complex: derivatives of its characteristic
//! function.

use std::sync::OnceLock;

use super::super::super::cubature::legendre;
use super::super::exponential::C;
use crate::model::Law;

/// Where |t| sqrt 3 exceeds this, the recursion of the uniform law loses no digits, and below it
/// Gauss-Legendre's rule with [`NODES`] nodes is good to rounding.
const LARGE: f64 = 30.0;
const NODES: usize = 64;

/// E[exp(t x)] = `value` exp(`exponent`), and `bound` |exp(`exponent`)| bounds its modulus: what
/// rounding errors are small against. Apart, neither leaves the range of f64.
pub struct Function {
    pub value: C,
    pub bound: f64,
    pub exponent: C,
}

/// E[exp(t x)].
pub fn function(law: Law, t: C) -> Function {
    // Functions that are even: the half plane with Re t >= 0 is enough.
    let t = if t.re < 0.0 { -t } else { t };
    match law {
        Law::Gaussian => Function {
            value: C::from(1.0),
            bound: 1.0,
            exponent: 0.5 * t * t,
        },
        Law::Rademacher => {
            let [ahead, back] = [(C::i() * t.im).exp(), (-C::i() * t.im - 2.0 * t.re).exp()];
            Function {
                value: 0.5 * (ahead + back),
                bound: 0.5 * (1.0 + (-2.0 * t.re).exp()),
                exponent: t.re.into(),
            }
        }
        Law::Laplace => Function {
            value: 1.0 / (1.0 - 0.5 * t * t),
            bound: 1.0 / (1.0 - 0.5 * t.re * t.re),
            exponent: C::ZERO,
        },
        Law::Uniform | Law::Phase => {
            let z = 3f64.sqrt() * t;
            if z.norm() < 1.0 {
                let part = |z: C| {
                    if z == C::ZERO {
                        C::from(1.0)
                    } else {
                        z.sinh() / z
                    }
                };
                return Function {
                    value: part(z),
                    bound: part(z.re.into()).re,
                    exponent: C::ZERO,
                };
            }
            let [ahead, back] = [(C::i() * z.im).exp(), (-C::i() * z.im - 2.0 * z.re).exp()];
            Function {
                value: 0.5 * (ahead - back) / z,
                bound: match z.re > 0.0 {
                    true => -(-2.0 * z.re).exp_m1() / (2.0 * z.re),
                    false => 1.0,
                },
                exponent: z.re.into(),
            }
        }
    }
}

/// E[x^m exp(t x)] of m = 0 to `highest`. Those of a Laplace law exist for |Re t| < sqrt 2.
pub fn moments(law: Law, t: C, highest: usize) -> Vec<C> {
    match law {
        Law::Gaussian => {
            let base = (0.5 * t * t).exp();
            let mut all = vec![base, t * base];
            for m in 1..highest {
                all.push(t * all[m] + m as f64 * all[m - 1]);
            }
            all.truncate(highest + 1);
            all
        }
        Law::Rademacher => (0..=highest)
            .map(|m| if m % 2 == 0 { t.cosh() } else { t.sinh() })
            .collect(),
        Law::Laplace => {
            // Both halves of the line: m! c^m / (1 -+ c t)^(m + 1) / 2 with c = 1 / sqrt 2.
            let c = std::f64::consts::FRAC_1_SQRT_2;
            let [right, left] = [1.0, -1.0].map(|sign| 1.0 / (1.0 - sign * c * t));
            let (mut of_right, mut of_left) = (0.5 * right, 0.5 * left);
            (0..=highest)
                .map(|m| {
                    let sum = of_right + of_left;
                    let factor = (m + 1) as f64 * c;
                    of_right *= factor * right;
                    of_left *= -factor * left;
                    sum
                })
                .collect()
        }
        Law::Uniform | Law::Phase => uniform(t, highest),
    }
}

fn uniform(t: C, highest: usize) -> Vec<C> {
    let end = 3f64.sqrt();
    let z = end * t;
    if highest > 0 && z.norm() <= LARGE {
        static RULE: OnceLock<Vec<(f64, f64)>> = OnceLock::new();
        let mut all = vec![C::ZERO; highest + 1];
        for (x, w) in RULE.get_or_init(|| legendre(NODES)) {
            let mut term = 0.5 * w * (z * *x).exp();
            for moment in &mut all {
                *moment += term;
                term *= end * x;
            }
        }
        return all;
    }
    let Function {
        value, exponent, ..
    } = function(Law::Uniform, t);
    let mut all = vec![value * exponent.exp()];
    for m in 1..=highest {
        let ends = if m % 2 == 0 { z.sinh() } else { z.cosh() };
        all.push((end.powi(m as i32 - 1) * ends - m as f64 * all[m - 1]) / t);
    }
    all
}

/// Bounds of |E[x^m exp(t x)]|, which their rounding errors are small against.
pub fn sizes(law: Law, t: C, highest: usize) -> Vec<f64> {
    if law.is_gaussian() {
        // (|t| + x)^m has no negative moment.
        let moved = moments(law, t.norm().into(), highest);
        let factor = (0.5 * (t * t).re).exp() / (0.5 * t.norm_sqr()).exp();
        return moved.iter().map(|m| factor * m.re).collect();
    }
    let even = moments(law, t.re.abs().into(), highest + 1);
    (0..=highest)
        .map(|m| match m % 2 {
            0 => even[m].re,
            // Cauchy and Schwarz.
            _ => (even[m - 1].re * even[m + 1].re).sqrt(),
        })
        .collect()
}

/// The relative rounding error of E[x^m exp(t x)] in units of the last place, from that of t.
pub fn rounding(law: Law, t: C, highest: usize) -> f64 {
    let size = t.norm();
    match law {
        Law::Gaussian => size * size + size,
        Law::Rademacher => size,
        Law::Uniform | Law::Phase => 3f64.sqrt() * size,
        Law::Laplace => (highest + 1) as f64 * size / (2f64.sqrt() - t.re.abs()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_those_of_the_densities() {
        // Trapezoidal rules, whose ends and kinks are nodes; errors fall like the step squared and
        // are taken off by Richardson.
        let density = |law: Law, x: f64| match law {
            Law::Gaussian => (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt(),
            Law::Uniform => 0.5 / 3f64.sqrt(),
            Law::Laplace => (-(2f64.sqrt()) * x.abs()).exp() / 2f64.sqrt(),
            Law::Rademacher | Law::Phase => unreachable!(),
        };
        for (law, end) in [
            (Law::Gaussian, 12.0),
            (Law::Uniform, 3f64.sqrt()),
            (Law::Laplace, 60.0),
        ] {
            for t in [
                C::ZERO,
                C::new(0.6, 0.0),
                C::new(0.0, 2.3),
                C::new(-0.3, 9.0),
            ] {
                let rule = |panels: i32, m: usize| -> C {
                    let step = 2.0 * end / f64::from(panels);
                    (0..=panels)
                        .map(|k| {
                            let x = -end + step * f64::from(k);
                            let half = if k == 0 || k == panels { 0.5 } else { 1.0 };
                            half * step * density(law, x) * x.powi(m as i32) * (t * x).exp()
                        })
                        .sum()
                };
                let (got, sizes) = (moments(law, t, 6), sizes(law, t, 6));
                let first = function(law, t);
                let value = first.value * first.exponent.exp();
                assert!((got[0] - value).norm() < 1e-14 * sizes[0], "{law} {t}");
                let bound = first.bound * first.exponent.re.exp();
                assert!((bound / sizes[0] - 1.0).abs() < 1e-14, "{law} {t}");
                for m in 0..=6 {
                    let (fine, coarse) = (rule(80_000, m), rule(40_000, m));
                    let want = fine + (fine - coarse) / 3.0;
                    let scale = sizes[m].max(1e-3);
                    assert!(
                        (got[m] - want).norm() < 1e-10 * scale,
                        "{law} {t} {m}: {} {want}",
                        got[m]
                    );
                    assert!(got[m].norm() <= scale * (1.0 + 1e-12), "{law} {t} {m}");
                }
            }
        }
    }

    #[test]
    fn the_two_ways_of_the_uniform_law_agree() {
        for t in [C::new(0.0, 17.31), C::new(17.31, 0.0), C::new(12.0, -12.48)] {
            let below = uniform(t * (1.0 - 1e-9), 10);
            let above = uniform(t * (1.0 + 1e-3), 10);
            let moved = uniform(t * (1.0 + 1e-3 - 2e-9), 10);
            assert!((3f64.sqrt() * t).norm() < LARGE && (3f64.sqrt() * t * 1.001).norm() > LARGE);
            for m in 0..9 {
                // By Taylor: the derivative of a moment is the next one.
                let next = &below;
                let step = 1e-3 * t;
                let taylor = next[m] + step * next[m + 1] + 0.5 * step * step * next[m + 2];
                let bound = (step.norm() * 3f64.sqrt()).powi(3) / 6.0;
                let size = sizes(Law::Uniform, t, m)[m];
                assert!((above[m] - taylor).norm() < 1.1 * bound * size, "{t} {m}");
                assert!((above[m] - moved[m]).norm() < 1e-6 * size);
            }
        }
    }

    #[test]
    fn signs_are_hyperbolic_functions() {
        let t = C::new(0.3, -1.1);
        let of = |m: i32| 0.5 * (t.exp() + (-1f64).powi(m) * (-t).exp());
        for (m, got) in moments(Law::Rademacher, t, 4).into_iter().enumerate() {
            assert!((got - of(m as i32)).norm() < 1e-15);
        }
        let first = function(Law::Rademacher, -t);
        assert!((first.value * first.exponent.exp() - of(0)).norm() < 1e-15);
    }

    #[test]
    fn large_exponents_stay_apart() {
        for law in [Law::Gaussian, Law::Rademacher, Law::Uniform] {
            let far = function(law, C::from(1e5));
            assert!(far.value.re > 1e-6 && far.value.re <= 1.0 && far.bound <= 1.0);
            assert!(far.exponent.re > 9e4);
        }
    }
}
