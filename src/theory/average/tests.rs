//! Averages of any activation against closed forms, identities and other people's numbers.

use super::exponential::Exponentials;
use super::general::{moments, sizes};
use super::rule::Neuron;
use super::*;
use crate::model::{Activation, Inputs};

fn act(text: &str) -> Activation {
    text.parse().unwrap()
}

/// Forms of points with sigma_w = sigma_b = 1.
fn forms_of(points: &[&[f64]]) -> Vec<Vec<f64>> {
    (points.iter())
        .map(|x| {
            let scale = 1.0 / (x.len() as f64).sqrt();
            x.iter().map(|x| scale * x).chain([1.0]).collect()
        })
        .collect()
}

fn line() -> Vec<Vec<f64>> {
    forms_of(&[&[-1.0], &[-0.6], &[-0.2], &[0.2], &[0.6], &[1.0]])
}

fn plane() -> Vec<Vec<f64>> {
    forms_of(&[&[-1.0, 0.3], &[0.8, -0.2], &[0.1, 0.9], &[1.0, 1.0]])
}

fn space() -> Vec<Vec<f64>> {
    forms_of(&[
        &[-1.0, 0.3, 0.4],
        &[0.8, -0.2, -0.7],
        &[0.1, 0.9, 0.2],
        &[1.0, 1.0, 0.1],
    ])
}

/// Whether two sets agree within their errors, and whether the errors of the first are below a
/// part of the sizes.
fn agree(what: &str, order: usize, points: usize, got: &[Moment], want: &[Moment], bound: f64) {
    let sizes = sizes(points, order, want);
    assert_eq!(got.len(), want.len());
    for ((got, want), size) in got.iter().zip(want).zip(sizes) {
        let distance = (got.value - want.value).abs();
        assert!(
            distance <= got.error + want.error,
            "{what} {order}: {got:?} {want:?}"
        );
        assert!(
            got.error <= bound * size,
            "{what} {order}: {got:?} {size:e}"
        );
    }
}

#[test]
fn builtins_have_the_same_moments_by_the_general_rules() {
    for (arch, d_in, bound) in [
        ("erf", 1, 1e-12),
        ("erf", 2, 1e-10),
        ("relu", 1, 1e-12),
        ("relu", 2, 1e-8),
        ("gauss", 1, 1e-12),
    ] {
        let spec = EnsembleSpec::preset(arch, d_in).unwrap().with_sigma_b(0.7);
        let (forms, points) = (forms(&spec.net, spec.inputs.points()), spec.inputs.len());
        for order in [4, 6] {
            let known = neuron_moments(&spec, &[order]);
            let want: Vec<Moment> = multisets(points, order)
                .into_iter()
                .map(|index| known.of(index))
                .collect();
            let got = moments(spec.net.activation(), &forms, order);
            agree(arch, order, points, &got, &want, bound);
        }
    }
}

#[test]
fn nearly_parallel_points_with_kinks() {
    let points = [[0.5], [0.5001], [-0.3]].map(|x| x.to_vec()).to_vec();
    let spec = EnsembleSpec {
        inputs: Inputs::new(points).unwrap(),
        ..EnsembleSpec::preset("relu", 1).unwrap().with_sigma_b(0.7)
    };
    let want = relu(&forms(&spec.net, spec.inputs.points()), &multisets(3, 4));
    let got = moments(
        spec.net.activation(),
        &forms(&spec.net, spec.inputs.points()),
        4,
    );
    agree("relu", 4, 3, &got, &want, 1e-11);
    // P(both positive) of normals at a small angle.
    let angle: f64 = 1e-5;
    let pair = [vec![1.0, 0.0], vec![-angle.cos(), angle.sin()]];
    let got = moments(&act("step(z)"), &pair, 2)[1];
    assert!(
        (got.value - angle / std::f64::consts::TAU).abs() < 1e-14,
        "{got:?}"
    );
}

#[test]
fn quadrature_agrees_with_the_closed_forms_of_exponentials() {
    for text in [
        "sin(z)",
        "cos(2*z-1)",
        "z",
        "exp(z-v)",
        "z*exp(-0.3*z)+v",
        "sin(z)^2",
    ] {
        let activation = act(text);
        let sum = Exponentials::of(activation.tape()).unwrap();
        for (forms, bound) in [(line(), 1e-11), (plane(), 1e-9)] {
            for order in [2, 4, 6] {
                let want = sum.moments(&forms, &multisets(forms.len(), order)).unwrap();
                let neuron = Neuron::new(&activation, &forms, order);
                let got = smooth::moments(&neuron);
                agree(text, order, forms.len(), &got, &want, bound);
            }
        }
    }
}

#[test]
fn rank_one_rules_agree_where_there_is_something_else() {
    for (text, bound) in [("sin(z)", 1e-4), ("erf(z)", 1e-4), ("max(z,0)", 1e-2)] {
        let activation = act(text);
        let forms = space();
        for order in [4, 6] {
            let neuron = Neuron::new(&activation, &forms, order);
            let got = rank_one::moments(&neuron);
            let want = match text {
                "max(z,0)" => relu(&forms, &multisets(4, order)),
                _ => moments(&activation, &forms, order),
            };
            agree(text, order, 4, &got, &want, bound);
        }
    }
}

#[test]
fn sigmoids_are_made_of_hyperbolic_tangents() {
    // sigmoid(z) = (1 + tanh(z / 2)) / 2, and odd products of tanh have no average.
    let forms = line();
    let sigmoid = moments(&act("sigmoid(z)"), &forms, 4);
    let tanh = [2, 4].map(|order| moments(&act("tanh(z/2)"), &forms, order));
    for (index, got) in multisets(6, 4).iter().zip(sigmoid) {
        let of = |positions: &[usize]| {
            let part: Vec<usize> = positions.iter().map(|&k| index[k]).collect();
            let at = multisets(6, part.len()).binary_search(&part).unwrap();
            tanh[part.len() / 2 - 1][at].value
        };
        let pairs = [[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]];
        let two: f64 = pairs.iter().map(|pair| of(pair)).sum();
        let want = (1.0 + two + of(&[0, 1, 2, 3])) / 16.0;
        assert!((got.value - want).abs() < 1e-12, "{got:?} {want}");
        assert!(got.error < 1e-11);
    }
}

#[test]
fn mirrored_points_and_points_that_do_not_vary() {
    let mut forms = forms_of(&[&[0.7], &[-0.4]]);
    forms.push(forms[0].iter().map(|x| -x).collect());
    forms.push(vec![0.0, 0.0]);
    for (text, sign) in [
        ("tanh(z)", -1.0),
        ("max(min(z,1),-1)", -1.0),
        ("1/(1+z^2)", 1.0),
        ("abs(z-1)+abs(z+1)", 1.0),
    ] {
        let all = moments(&act(text), &forms, 4);
        let of = |index: [usize; 4]| all[multisets(4, 4).binary_search(&index.to_vec()).unwrap()];
        let size = of([0; 4]).value;
        assert!(
            (of([0, 0, 0, 2]).value - sign * size).abs() < 1e-11 * size,
            "{text}"
        );
        assert!((of([2; 4]).value - size).abs() < 1e-11 * size, "{text}");
        let at_zero = act(text).evaluate(0.0, 0.0);
        let two = moments(&act(text), &forms, 2)[1].value;
        assert!(
            (of([0, 1, 3, 3]).value - at_zero * at_zero * two).abs() < 1e-11,
            "{text}"
        );
    }
}

#[test]
fn clamped_lines_by_hand() {
    // E[min(max(z, -1), 1)^4] of a standard normal: 2 Q(1) + int_-1^1 z^4 phi.
    let all = moments(&act("max(min(z,1),-1)"), &[vec![1.0]], 4);
    let erfc = libm::erfc(std::f64::consts::FRAC_1_SQRT_2);
    let density = (-0.5f64).exp() / std::f64::consts::TAU.sqrt();
    let want = erfc + 3.0 * (1.0 - erfc) - 8.0 * density;
    assert!((all[0].value - want).abs() < 1e-14, "{all:?} {want}");
    assert!(all[0].error < 1e-13);
}

/// Units that saturate within less than a step of the longest rule.
#[test]
fn errors_hold_where_units_are_nearly_steps() {
    let tanh = act("tanh(z)");
    let density = (2.0 * std::f64::consts::PI).sqrt().recip();
    // 1 - tanh^4 and 1 - tanh^2 have the integrals 8/3 and 2, over which the density hardly changes.
    let square = moments(&tanh, &[vec![1.0]], 2)[0].value;
    for size in [1e3, 1e4] {
        let got = moments(&tanh, &[vec![size, 1.0], vec![0.0, 1.0]], 4);
        let fourth = 1.0 - density * 8.0 / 3.0 / size.hypot(1.0);
        let mixed = square * (1.0 - 2.0 * density / size);
        for (moment, want) in [(got[0], fourth), (got[2], mixed)] {
            let distance = (moment.value - want).abs();
            assert!(
                distance <= moment.error + size.powi(-2) && moment.error < 5e-3,
                "{size:e}: {moment:?} {want}"
            );
        }
    }
    for size in [1e5, 1e6, 1e9] {
        let got = moments(&tanh, &[vec![size]], 4)[0];
        let want = 1.0 - density * 8.0 / 3.0 / size;
        assert!(
            (got.value - want).abs() <= got.error + 1e-14 && got.error < 1e-5,
            "{size:e}: {got:?} {want}"
        );
    }
}
