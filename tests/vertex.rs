//! Vertex integrals against the source's numbers, scaling laws, symmetries and an
//! independent quadrature.

use nnqft_gpu::model::{EnsembleSpec, Inputs, source_nets};
use nnqft_gpu::tensor::multisets;
use nnqft_gpu::theory::{Vertex, kernel, vertex_integrals};
use proptest::prelude::*;

const CUTOFFS: [f64; 21] = [
    7.0, 10.0, 15.0, 20.0, 30.0, 40.0, 50.0, 70.0, 100.0, 200.0, 500.0, 1e3, 2e3, 5e3, 7e3, 1e4,
    2e4, 4e4, 6e4, 8e4, 1e5,
];

fn preset(arch: &str, d_in: usize) -> EnsembleSpec {
    EnsembleSpec::preset(arch, d_in).unwrap()
}

/// d log int / d log L for every 4-tuple, at every cutoff.
fn slopes(spec: &EnsembleSpec, vertex: Vertex) -> Vec<Vec<f64>> {
    let all = vertex_integrals(spec, vertex, &CUTOFFS).unwrap();
    (all.iter())
        .map(|v| {
            (multisets(spec.inputs.len(), 4).iter())
                .map(|i| v.derivative(i) / v.integral(i))
                .collect()
        })
        .collect()
}

#[test]
fn relu_scales_exactly() {
    for d_in in 1..=3 {
        let want = d_in as f64 + 4.0;
        let spec = preset("relu", d_in);
        for slope in slopes(&spec, Vertex::Full).concat() {
            assert!((slope - want).abs() < 1e-7, "d_in {d_in}: {slope}");
        }
        let all = vertex_integrals(&spec, Vertex::Full, &CUTOFFS).unwrap();
        for index in multisets(spec.inputs.len(), 4) {
            let unit = all[0].integral(&index) / 7f64.powf(want);
            for v in &all {
                let ratio = v.integral(&index) / (unit * v.cutoff.powf(want));
                assert!(
                    (ratio - 1.0).abs() < 1e-12,
                    "d_in {d_in} L {}: {ratio}",
                    v.cutoff
                );
            }
        }
    }
}

#[test]
fn the_other_nets_approach_their_slopes() {
    for d_in in 1..=3 {
        for (arch, vertex, want) in [
            ("erf", Vertex::Full, d_in as f64),
            ("gauss", Vertex::Full, d_in as f64),
            ("gauss", Vertex::Weight, 0.0),
        ] {
            let slopes = slopes(&preset(arch, d_in), vertex);
            let far = |at: usize| {
                let worst = slopes[at].iter().map(|s| (s - want).abs());
                worst.fold(0.0, f64::max)
            };
            assert!(far(20) < 1e-3, "{arch} d_in {d_in}: {}", far(20));
            assert!(far(20) <= far(8) && far(8) <= far(0), "{arch} d_in {d_in}");
        }
    }
}

#[test]
fn derivatives_are_differences() {
    for arch in ["erf", "relu"] {
        for d_in in 1..=2 {
            let mut spec = preset(arch, d_in);
            spec = spec.with_sigma_b(0.7);
            let step: f64 = 1e-4;
            let at = [30.0 * (-step).exp(), 30.0, 30.0 * step.exp()];
            let [low, middle, high] = vertex_integrals(&spec, Vertex::Full, &at)
                .unwrap()
                .try_into()
                .unwrap();
            for index in multisets(spec.inputs.len(), 4) {
                let difference = (high.integral(&index) - low.integral(&index)) / (2.0 * step);
                let ratio = difference / middle.derivative(&index);
                assert!((ratio - 1.0).abs() < 1e-5, "{arch} {index:?} {ratio}");
            }
        }
    }
}

/// Nested double-exponential quadrature of a product of kernels, panels ending at the kinks.
fn independent(spec: &EnsembleSpec, index: &[usize], cutoff: f64, square: bool) -> f64 {
    let points = spec.inputs.points();
    let product = |y: &[f64]| -> f64 {
        let weight = if square {
            y.iter().map(|y| y * y).sum()
        } else {
            1.0
        };
        let k = |&i: &usize| kernel(&spec.net, &points[i], y);
        weight * index.iter().map(k).product::<f64>()
    };
    let panels = |axis: usize, integrand: &dyn Fn(f64) -> f64, tolerance: f64| -> f64 {
        let mut ends = vec![-cutoff, 0.0, cutoff];
        for x in points {
            ends.extend([x[axis], -x[axis]].iter().filter(|x| x.abs() < cutoff));
        }
        ends.sort_by(f64::total_cmp);
        // In parts: on a whole panel it sometimes stops at 1e-7 and says 1e-13.
        let parts = if spec.net.d_in() == 1 { 8 } else { 1 };
        (ends.windows(2))
            .filter(|w| w[1] - w[0] > 1e-9)
            .flat_map(|w| {
                let at = move |k: usize| w[0] + (w[1] - w[0]) * k as f64 / parts as f64;
                (0..parts).map(move |k| (at(k), at(k + 1)))
            })
            .map(|(a, b)| quadrature::integrate(integrand, a, b, tolerance).integral)
            .sum()
    };
    match spec.net.d_in() {
        1 => panels(0, &|y| product(&[y]), 1e-13),
        _ => panels(0, &|y0| panels(1, &|y1| product(&[y0, y1]), 1e-9), 1e-9),
    }
}

fn random(arch: &str, d_in: usize, x: &[f64], sigma_w: f64, sigma_b: f64) -> EnsembleSpec {
    EnsembleSpec {
        inputs: Inputs::new(x.chunks(d_in).map(<[f64]>::to_vec).collect()).unwrap(),
        ..preset(arch, 1)
            .with_d_in(d_in)
            .with_sigma_w(sigma_w)
            .with_sigma_b(sigma_b)
    }
    .validate()
    .unwrap()
}

fn any_net() -> impl Strategy<Value = &'static str> {
    prop::sample::select(source_nets().collect::<Vec<_>>())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn one_dimension_agrees_with_an_independent_quadrature(
        arch in any_net(),
        x in prop::collection::vec(-1.5..1.5f64, 2),
        sigma_w in 0.4..2.0f64,
        sigma_b in prop_oneof![Just(0.0), 0.05..1.2f64],
        cutoff in 0.5..40.0f64,
    ) {
        let spec = random(arch, 1, &x, sigma_w, sigma_b);
        let v = &vertex_integrals(&spec, Vertex::Full, &[cutoff]).unwrap()[0];
        for index in [vec![0, 0], vec![0, 0, 1, 1], vec![0, 1, 1, 1], vec![0, 0, 0, 1, 1, 1]] {
            let (got, want) = (v.integral(&index), independent(&spec, &index, cutoff, false));
            prop_assert!((got - want).abs() <= 1e-8 * v.size(&index), "{arch} {got} {want}");
            prop_assert!(v.error(&index) <= 1e-8 * v.size(&index));
        }
        let (got, want) = (v.quadratic(&[0, 0, 1, 1]), independent(&spec, &[0, 0, 1, 1], cutoff, true));
        prop_assert!((got - want).abs() <= 1e-8 * cutoff * cutoff * v.size(&[0, 0, 1, 1]));
    }

    #[test]
    fn symmetries(
        arch in any_net(),
        d_in in 1usize..=3,
        x in prop::collection::vec(-1.5..1.5f64, 6),
        sigma_b in 0.0..1.0f64,
        factor in 0.5..2.0f64,
    ) {
        let points = &x[..2 * d_in];
        let of = |arch, x: &[f64], sigma_b| {
            vertex_integrals(&random(arch, d_in, x, 1.1, sigma_b), Vertex::Full, &[9.0])
                .unwrap()
                .remove(0)
        };
        let v = of(arch, points, sigma_b);
        let swapped = of(arch, &[&points[d_in..], &points[..d_in]].concat(), sigma_b);
        let mirrored: Vec<f64> = points.iter().map(|x| -x).collect();
        let mirrored = of(arch, &mirrored, sigma_b);
        let index = [0, 0, 0, 1];
        let bound = if d_in < 3 { 1e-9 } else { 1e-6 } * v.size(&index);
        // The labels of the points do not matter, nor does y -> -y.
        prop_assert!((v.integral(&index) - swapped.integral(&[0, 1, 1, 1])).abs() < bound);
        prop_assert!((v.integral(&index) - mirrored.integral(&index)).abs() < bound);
        // ReLU-net without bias is homogeneous in each input.
        let scaled: Vec<f64> = points.iter().map(|x| factor * x).collect();
        let (one, other) = (of("relu", points, 0.0), of("relu", &scaled, 0.0));
        let want = factor.powi(4) * one.integral(&index);
        prop_assert!((other.integral(&index) - want).abs() < 1e-6 * other.size(&index));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]

    #[test]
    fn two_dimensions_agree_with_an_independent_quadrature(
        arch in any_net(),
        x in prop::collection::vec(-1.5..1.5f64, 4),
        sigma_b in prop_oneof![Just(0.0), 0.2..1.0f64],
        cutoff in 0.5..8.0f64,
    ) {
        let spec = random(arch, 2, &x, 1.3, sigma_b);
        let v = &vertex_integrals(&spec, Vertex::Full, &[cutoff]).unwrap()[0];
        let (got, want) = (v.integral(&[0, 0, 1, 1]), independent(&spec, &[0, 0, 1, 1], cutoff, false));
        prop_assert!((got - want).abs() < 1e-6 * v.size(&[0, 0, 1, 1]), "{arch} {got} {want}");
    }
}

#[test]
fn bad_cutoffs_say_why() {
    let message = |arch, d_in, vertex, cutoff| {
        let mut spec = preset(arch, 1);
        if d_in > 1 {
            spec = spec.with_d_in(d_in);
            spec.inputs = Inputs::new(vec![vec![0.5; d_in]]).unwrap();
        }
        let result = vertex_integrals(&spec, vertex, &[7.0, cutoff]);
        result.map(|_| ()).unwrap_err().to_string()
    };
    let infinity = f64::INFINITY;
    for (arch, d_in, vertex, cutoff, part) in [
        ("erf", 1, Vertex::Full, 0.0, "positive"),
        ("gauss", 1, Vertex::Weight, -1.0, "positive"),
        ("relu", 1, Vertex::Full, f64::NAN, "positive"),
        ("relu", 1, Vertex::Full, infinity, "grows like |y|"),
        ("erf", 1, Vertex::Weight, infinity, "does not fall off"),
        ("gauss", 1, Vertex::Full, infinity, "`vertex` weight"),
        ("erf", 4, Vertex::Full, 10.0, "d_in 1, 2 and 3"),
    ] {
        let text = message(arch, d_in, vertex, cutoff);
        assert!(text.contains(part), "{text}");
    }
    let gauss = preset("gauss", 1);
    let v = &vertex_integrals(&gauss, Vertex::Weight, &[infinity]).unwrap()[0];
    // A single Gaussian: sqrt(pi / 2) e^(-spread / 2), four lines of width one.
    let want = (std::f64::consts::PI / 2.0).sqrt();
    assert!((v.integral(&[2, 2, 2, 2]) / want - 1.0).abs() < 1e-12);
    assert_eq!(v.derivative(&[2, 2, 2, 2]), 0.0);
}
