use super::*;
use crate::engine::cpu::networks::Networks;
use crate::engine::cpu::networks::written_out::Network;
use crate::model::{EnsembleSpec, Estimator, Inputs, Law};
use crate::plan::{Passes, SamplePlan};

/// Makes a spec of a deep net at `points` points on a line.
fn spec(activation: &str, hidden: &[u64], d_out: usize, points: usize) -> EnsembleSpec {
    let line = (0..points).map(|p| vec![1.7 * p as f64 - 2.3]).collect();
    let spec = EnsembleSpec::preset("erf", 1).unwrap();
    let net = spec.net.with_activation(activation.parse().unwrap());
    let net = (net.with_hidden(hidden).unwrap().with_d_out(d_out)).with_sigma_b(0.7);
    let count = net.layers().len();
    let sigma_w = (0..count).map(|l| 1.4 - 0.1 * l as f64).collect::<Vec<_>>();
    EnsembleSpec {
        net: net.with_each_sigma_w(sigma_w).unwrap(),
        inputs: Inputs::new(line).unwrap(),
        seed: 5,
        ..spec
    }
}

/// Gives the layers above the first laws of their own.
fn with_laws(spec: EnsembleSpec, law_w: Law, law_b: Law) -> EnsembleSpec {
    let inner = vec![law_w; spec.net.depth()];
    let biases = vec![law_b; spec.net.depth()];
    let first = |rest: Vec<Law>| [vec![Law::Gaussian], rest].concat();
    let net = (spec.net.with_law_w(first(inner)))
        .and_then(|net| net.with_law_b(first(biases)))
        .unwrap();
    EnsembleSpec { net, ..spec }
}

#[test]
fn deep_networks_are_those_written_out() {
    let specs = [
        spec("tanh(z)", &[5, 19], 1, 3),
        spec("erf(z)", &[16, 33, 7], 18, 2),
        // More points than units of the layer below.
        spec("log(1+exp(z))", &[2, 40], 2, 4),
        spec("z*exp(-z^2)+v", &[3, 20, 4], 1, 2),
        spec("tanh(z)", &[1, 20], 1, 2).with_sigma_b(0.0),
        spec("exp(z-v)", &[21, 5], 3, 2).with_sigma_w(0.5),
        with_laws(
            spec("sin(z)", &[17, 35], 2, 2),
            Law::Rademacher,
            Law::Laplace,
        ),
        with_laws(spec("sin(z)", &[6, 35, 4], 2, 3), Law::Gaussian, Law::Phase),
        with_laws(
            spec("tanh(z)", &[20, 5], 17, 2),
            Law::Uniform,
            Law::Gaussian,
        ),
    ];
    let mut ways = std::collections::BTreeSet::new();
    for spec in specs {
        let plan = SamplePlan::new(spec).unwrap();
        let (drawn, spec) = (plan.drawn(), plan.spec());
        let points = spec.inputs.points();
        let mut networks = Networks::new(drawn);
        let mut fields = vec![[0.0; TILE]; networks.fields()];
        for (experiment, number) in [(0, 0), (1, 33)] {
            let network = Network {
                spec,
                experiment,
                number,
            };
            let first = (0..spec.net.first().width)
                .map(|j| points.iter().map(|x| network.value(j, x)).collect());
            let (mut values, mut outputs) = (first.collect::<Vec<Vec<f64>>>(), Vec::new());
            let mut below = values.clone();
            for (k, inner) in drawn.inner().iter().enumerate() {
                ways.insert((matches!(inner.by, By::Weights(_)), inner.bias != 0.0));
                let z = network.above(inner, &below);
                if k + 1 == spec.net.depth() {
                    outputs = z;
                    break;
                }
                let activation = spec.net.activation().tape();
                let of = |z: &Vec<f64>| -> Vec<f64> {
                    let all = z.iter().zip(&inner.variances);
                    all.map(|(z, v)| activation.evaluate(*z, *v)).collect()
                };
                below = z.iter().map(of).collect();
                values.extend(below.clone());
            }
            networks.draw(experiment, number / 16, &mut fields);
            let lane = number as usize % 16;
            for (a, output) in outputs.iter().enumerate() {
                for (p, want) in output.iter().enumerate() {
                    let got = fields[a * points.len() + p][lane];
                    assert!(
                        (got - want).abs() < 1e-9,
                        "{} {a} {p}: {got} {want}",
                        spec.net
                    );
                }
            }
            let got = networks.hidden_values(experiment, number);
            assert_eq!(got.len(), values.len());
            for (got, want) in got.iter().flatten().zip(values.iter().flatten()) {
                assert!(
                    (got - want).abs() < 1e-9 * want.abs().max(1.0),
                    "{}",
                    spec.net
                );
            }
        }
    }
    // By covariance and by weights, with a bias of its own or without.
    assert_eq!(ways.len(), 4);
}

/// Computes the mean of f(p)^2 f(q)^2 over networks, and its error.
fn squares(spec: &EnsembleSpec, passes: Passes, tiles: u64) -> (f64, f64) {
    let plan = SamplePlan::with_passes(spec.clone(), passes).unwrap();
    let mut networks = Networks::new(plan.drawn());
    let mut fields = vec![[0.0; TILE]; networks.fields()];
    let (mut sum, mut square) = (0.0, 0.0);
    for tile in 0..tiles {
        networks.draw(0, tile, &mut fields);
        for (a, b) in fields[0].iter().zip(&fields[1]) {
            let x = (a * b).powi(2);
            (sum, square) = (sum + x, square + x * x);
        }
    }
    let n = 16.0 * tiles as f64;
    let mean: f64 = sum / n;
    (mean, ((square / n - mean * mean) / n).sqrt())
}

#[test]
fn layers_by_covariance_have_the_distribution_of_those_by_weights() {
    for spec in [
        spec("tanh(z)", &[4, 3, 5], 1, 2),
        with_laws(
            spec("sin(z)", &[3, 2], 1, 2),
            Law::Gaussian,
            Law::Rademacher,
        ),
    ] {
        let (fast, slow) = (
            squares(&spec, Passes::ALL, 20_000),
            squares(&spec, Passes::NONE, 20_000),
        );
        let error = fast.1.hypot(slow.1);
        assert!((fast.0 - slow.0).abs() < 4.0 * error, "{fast:?} {slow:?}");
        assert!(error < 0.03 * fast.0, "{fast:?}");
    }
}

#[test]
fn repeated_points_and_rays_have_zero_pivots() {
    let spec = EnsembleSpec {
        inputs: Inputs::new(vec![vec![0.5], vec![0.5], vec![1.0], vec![-1.0]]).unwrap(),
        ..spec("max(z,0)", &[9, 20], 1, 1).with_sigma_b(0.0)
    };
    let passes = Passes {
        rays: false,
        ..Passes::ALL
    };
    let plan = SamplePlan::with_passes(spec, passes).unwrap();
    let mut networks = Networks::new(plan.drawn());
    let mut fields = vec![[0.0; TILE]; 4];
    networks.draw(0, 0, &mut fields);
    let [a, b, c, d] = &fields[..] else {
        unreachable!("four points")
    };
    for ((a, b), (c, d)) in a.iter().zip(b).zip(c.iter().zip(d)) {
        assert_eq!(a, b);
        assert!((2.0 * a - c).abs() < 1e-14);
        assert!(d.is_finite() && d != a);
    }
}

#[test]
fn covariances_are_sums_over_the_last_hidden_layer() {
    let spec = EnsembleSpec {
        estimator: Estimator::Connected,
        nets: 100,
        ..spec("tanh(z)", &[12, 21], 3, 3)
    };
    let plan = crate::plan::Plan::new(spec).unwrap();
    let mut networks = Networks::new(plan.drawn());
    let mut fields = vec![[0.0; TILE]; networks.fields()];
    networks.draw(1, 2, &mut fields);
    let readout = plan.spec().net.readout();
    let scale = readout.sigma_w * readout.sigma_w / 21.0;
    let hidden = networks.hidden_values(1, 2 * 16 + 7);
    let mut pair = 0;
    for p in 0..3 {
        for q in p..3 {
            let sum: f64 = hidden[12..].iter().map(|h| h[p] * h[q]).sum();
            let want = scale * sum + 0.49 - plan.kernel()[p][q];
            assert!((fields[pair][7] - want).abs() < 1e-12, "{p} {q}");
            pair += 1;
        }
    }
}
