//! Second moments of any activation against closed forms and other rules.

use super::plane::{Pair, moment};
use super::second::SecondMoments;
use super::*;

fn act(text: &str) -> Activation {
    text.parse().unwrap()
}

/// Forms of two pre-activations with these standard deviations, at an angle.
fn forms(x: f64, y: f64, angle: f64) -> [Vec<f64>; 2] {
    [vec![x, 0.0], vec![y * angle.cos(), y * angle.sin()]]
}

const ANGLES: [f64; 7] = [1e-3, 0.1, 0.6, 1.3, 2.0, 2.9, 3.13];

#[test]
fn closed_forms_agree_with_series_and_quadrature() {
    for text in [
        "step(z)",
        "abs(z)",
        "max(z,0.01*z)",
        "z*(1+erf(z/sqrt(2)))/2",
        "erf(z)",
        "1+z-0.3*erf(2*z)",
        "sin(z)",
        "cos(z)+z",
        "exp(z-v)",
        "z^3-z",
    ] {
        let second = SecondMoments::new(&act(text));
        for (x, y) in [(1e-3, 0.2), (0.3, 0.3), (1.0, 1.4), (2.0, 0.1), (0.7, 4.0)] {
            for angle in ANGLES {
                let [a, b] = forms(x, y, angle).map(|form| second.point(form));
                let closed = second.of(&a, &b);
                let [numeric, fine] = [
                    second.numeric(&a, &b),
                    moment(
                        &act(text),
                        Pair {
                            x,
                            y,
                            cosine: angle.cos(),
                            sine: angle.sin(),
                        },
                    ),
                ];
                let size = (second.of(&a, &a).value * second.of(&b, &b).value).sqrt();
                for other in [numeric, fine] {
                    let distance = (closed.value - other.value).abs();
                    assert!(
                        distance <= closed.error + other.error,
                        "{text} {x} {y} {angle}: {closed:?} {other:?}"
                    );
                    assert!(
                        other.error < 2e-12 * size,
                        "{text} {x} {y} {angle}: {other:?} {size:e}"
                    );
                }
            }
        }
    }
}

#[test]
fn slopes_of_second_moments_are_those_of_derivatives() {
    // Price: d/ds_xy E[h h] = E[h' h'], and the derivative of softplus is sigmoid.
    let [softplus, sigmoid] =
        ["softplus(z)", "sigmoid(z)"].map(|text| SecondMoments::new(&act(text)));
    for (x, y, angle) in [(1.0, 1.0, 1.0), (1.3, 0.4, 2.0), (0.8, 30.0, 0.7)] {
        let of = |second: &SecondMoments, angle: f64| {
            let [a, b] = forms(x, y, angle).map(|form| second.point(form));
            second.of(&a, &b).value
        };
        // Richardson's difference in the angle, of which s_xy = x y cos(angle).
        let h = 2e-3;
        let step = |h: f64| (of(&softplus, angle + h) - of(&softplus, angle - h)) / (2.0 * h);
        let slope = (4.0 * step(h) - step(2.0 * h)) / 3.0;
        let want = -x * y * angle.sin() * of(&sigmoid, angle);
        assert!((slope / want - 1.0).abs() < 1e-8, "{slope} {want}");
    }
}

#[test]
fn activations_without_a_closed_form_at_all_scales() {
    // Peaks that are narrower than the rounding of z have large errors, and say so.
    for (text, farthest) in [
        ("tanh(z)", 1e30),
        ("softplus(z)", 1e30),
        ("z*sigmoid(z)", 1e30),
        ("max(min(z,1),-1)", 1e30),
        ("1/(1+z^2)", 1e5),
        ("z*exp(-z^2)", 1e5),
    ] {
        let second = SecondMoments::new(&act(text));
        for (x, y) in [
            (1e-6, 1.0),
            (1.0, 1.2),
            (1.1, 40.0),
            (0.9, 1e5),
            (1.0, 1e30),
        ]
        .into_iter()
        .filter(|&(_, y)| y <= farthest)
        {
            for angle in ANGLES {
                let [a, b] = forms(x, y, angle).map(|form| second.point(form));
                let [one, other] = [second.of(&a, &b), second.once(&a, &b)];
                let distance = (one.value - other.value).abs();
                assert!(
                    distance <= one.error + other.error,
                    "{text} {x} {y} {angle}: {one:?} {other:?}"
                );
                let size = (second.of(&a, &a).value * second.of(&b, &b).value).sqrt();
                assert!(
                    one.error < 1e-11 * size,
                    "{text} {x} {y} {angle}: {one:?} {size:e}"
                );
            }
        }
    }
}

#[test]
fn a_point_that_does_not_vary() {
    for text in ["sigmoid(z)", "step(z)", "cos(z)", "softplus(z)"] {
        let second = SecondMoments::new(&act(text));
        let (a, b) = (second.point(vec![0.0]), second.point(vec![1.3]));
        let at_zero = act(text).evaluate(0.0, 0.0);
        let all = [second.of(&a, &b), second.once(&a, &b)];
        let mean = second.of(
            &second.point(vec![1e-12, 0.0]),
            &second.point(vec![0.0, 1.3]),
        );
        let want = if text == "step(z)" { 0.0 } else { mean.value };
        for one in all {
            assert!(
                (one.value - want).abs() < 1e-9,
                "{text} {one:?} {want} {at_zero}"
            );
        }
    }
}
