//! The connected estimator, exact values and verdicts of convergence.

mod common;

use common::gpu;
use nnqft_gpu::analysis::{Agreement, Correlator, Reference, correlators};
use nnqft_gpu::engine::cpu::CpuEngine;
use nnqft_gpu::engine::{self, Engine};
use nnqft_gpu::model::{EnsembleSpec, Estimator, Inputs, source_nets};
use nnqft_gpu::report::{elements_table, ensemble_table};
use nnqft_gpu::run::EnsembleDocument;
use nnqft_gpu::state::State;
use nnqft_gpu::tensor::{Accumulator, Extreme, MeanOfD, Measurement};
use nnqft_gpu::theory::{self, Exact, gp_correlator, kernel_matrix};
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn spec(arch: &str) -> EnsembleSpec {
    EnsembleSpec::preset(arch, 1).unwrap()
}

fn connected(arch: &str, width: u64, nets: u64) -> EnsembleSpec {
    let mut spec = EnsembleSpec {
        estimator: Estimator::Connected,
        nets,
        ..spec(arch).with_width(width)
    };
    spec.tilt = theory::tilt(&spec);
    spec.validate().unwrap()
}

fn measure(engine: &mut dyn Engine, spec: &EnsembleSpec) -> Vec<Correlator> {
    correlators(spec, &engine::run(engine, spec, &|_| {}).unwrap()).unwrap()
}

/// Position of an element.
fn element(c: &Correlator, index: &[usize]) -> usize {
    c.indices.iter().position(|i| i == index).unwrap()
}

#[test]
fn the_connected_estimator_is_unbiased_and_its_errors_cover() {
    for arch in source_nets() {
        let mut pulls: Vec<Vec<f64>> = vec![Vec::new(); 3];
        for seed in 0..200 {
            let spec = EnsembleSpec {
                seed,
                experiments: 4,
                ..connected(arch, 20, 1000)
            };
            let measured = measure(&mut CpuEngine::new(), &spec);
            let (four, six) = (&measured[1], &measured[2]);
            pulls[0].push(four.pull_of(element(four, &[0, 1, 2, 3])).unwrap());
            let e = element(six, &[0, 1, 2, 3, 4, 5]);
            pulls[1].push(six.pull_of(e).unwrap());
            let c = six.connected.as_ref().unwrap();
            let (exact, error) = (c.exact.as_ref().unwrap(), c.std_err.as_ref().unwrap());
            pulls[2].push((c.mean[e] - exact[e]) / error[e]);
        }
        for (what, pulls) in ["dG4", "dG6", "connected 6"].iter().zip(&pulls) {
            let n = pulls.len() as f64;
            let mean = pulls.iter().sum::<f64>() / n;
            let spread = (pulls.iter().map(|p| (p - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
            let worst = pulls.iter().fold(0.0, |a: f64, p| a.max(p.abs()));
            // 1800 pulls from 128 blocks each: one set of seeds in five has one beyond 4, one in
            // 300 has one beyond 5.
            assert!(worst < 5.0, "{arch} {what}: {worst}");
            // 4.7% of them beyond 2, and four standard errors of their number.
            let beyond = pulls.iter().filter(|p| p.abs() > 2.0).count();
            assert!(beyond <= 21, "{arch} {what}: {beyond} beyond 2");
            // Standard errors of mean and spread of 200 normal pulls, times 4.
            assert!(mean.abs() < 4.0 / n.sqrt(), "{arch} {what}: mean {mean}");
            assert!(
                (spread - 1.0).abs() < 4.0 / (2.0 * n).sqrt(),
                "{arch} {what}: spread {spread}"
            );
        }
    }
}

#[test]
fn it_is_worth_a_million_times_more_networks() {
    let direct = EnsembleSpec {
        nets: 100_000,
        experiments: 1,
        orders: vec![4],
        ..spec("erf")
    };
    let connected = EnsembleSpec {
        estimator: Estimator::Connected,
        nets: 20_000,
        ..direct.clone()
    };
    // Variance of one network's contribution to the element.
    let variance = |spec: &EnsembleSpec| {
        let c = &measure(&mut CpuEngine::new(), spec)[0];
        c.std_err[element(c, &[0, 1, 2, 3])].powi(2) * spec.nets as f64
    };
    let ratio = variance(&direct) / variance(&connected);
    // 1.4e7 by an independent measurement; block means give it to 10%.
    assert!((1.0e7..2.0e7).contains(&ratio), "{ratio:e}");
}

#[test]
fn importance_sampling_cures_gauss_net() {
    let spec = EnsembleSpec {
        nets: 100_000,
        ..connected("gauss", 100, 100_000)
    };
    for engine in [&mut CpuEngine::new() as &mut dyn Engine, &mut gpu()] {
        for c in &measure(engine, &spec)[1..] {
            for e in 0..c.mean.len() {
                let (delta, exact) = (c.delta[e], c.reference.exact().unwrap().delta[e]);
                assert!((delta / exact - 1.0).abs() < 0.01, "{:?}", c.indices[e]);
                assert!(c.pull_of(e).unwrap().abs() < 4.0);
                assert!(c.std_err[e] < 0.003 * exact.abs());
                assert!(c.converged[e], "{:?}", c.reason);
            }
        }
    }
}

#[test]
fn tilting_does_not_bias_nets_that_need_none() {
    // Any mixture gives the same expectation: shifts in weights and bias, d_in = 2.
    let gauss = EnsembleSpec::preset("gauss", 2).unwrap();
    let mut mixture = theory::tilt(&gauss).unwrap();
    mixture.shifts = vec![vec![0.5, -0.3, 0.4], vec![0.0, 1.0, -0.7]];
    for arch in ["erf", "relu"] {
        let spec = EnsembleSpec {
            estimator: Estimator::Connected,
            tilt: Some(mixture.clone()),
            nets: 50_000,
            ..EnsembleSpec::preset(arch, 2)
                .unwrap()
                .with_width(5)
                .with_sigma_b(0.8)
        };
        for c in measure(&mut CpuEngine::new(), &spec.validate().unwrap()) {
            for pull in c.pulls().flatten() {
                assert!(pull.abs() < 4.5, "{arch} {} {pull}", c.order);
            }
        }
    }
}

#[test]
fn what_has_not_converged_is_marked() {
    let gauss = EnsembleSpec {
        experiments: 1,
        ..spec("gauss").with_width(2)
    };
    let six = &measure(&mut CpuEngine::new(), &gauss)[2];
    assert!(six.converged.iter().all(|c| !c));
    let reason = six.reason.as_ref().unwrap();
    assert!(
        reason.contains("462 of 462") && reason.contains("importance sampling"),
        "{reason}"
    );
    let relu = spec("relu").with_width(20);
    for c in measure(&mut CpuEngine::new(), &relu) {
        assert_eq!(c.reason, None);
        assert!(c.converged.iter().all(|&c| c));
    }
}

#[test]
fn the_tail_is_seen_without_the_exact_value() {
    let gauss = EnsembleSpec {
        experiments: 1,
        orders: vec![6],
        ..spec("gauss").with_width(2)
    };
    let c = &measure(&mut CpuEngine::new(), &gauss)[0];
    // f^6 ~ e^(6 b): an index of 6 / b at the b ~ 4.5 that a million networks reach.
    let k = c.tail_index[0].unwrap();
    assert!((0.85..1.6).contains(&k), "{k}");
    assert!(c.largest_share[0] > 0.1);
}

fn at(arch: &str, sigma_b: f64, width: u64, points: &[&[f64]]) -> EnsembleSpec {
    EnsembleSpec {
        inputs: Inputs::new(points.iter().map(|p| p.to_vec()).collect()).unwrap(),
        ..spec(arch)
            .with_width(width)
            .with_d_in(points[0].len())
            .with_sigma_b(sigma_b)
    }
    .validate()
    .unwrap()
}

#[test]
fn exact_values_of_one_point() {
    // ReLU without bias: h = a max(0, g), so that E[h^n] = a^n (n - 1)!! / 2.
    let (a, n) = (0.7, 20.0);
    let exact = Exact::new(&at("relu", 0.0, 20, &[&[a]]));
    let four = 3.0 / n * a.powi(4) * (1.5 - 0.25);
    assert!((exact.deviation(&[0; 4]) / four - 1.0).abs() < 1e-12);
    let cumulant: f64 = 7.5 - 3.0 * 1.5 * 0.5 + 2.0 * 0.125;
    let six = 15.0 * a.powi(6) * (3.0 * 0.5 * 1.25 / n + cumulant / (n * n));
    assert!((exact.deviation(&[0; 6]) / six - 1.0).abs() < 1e-12);
    let connected = 15.0 * a.powi(6) * cumulant / (n * n);
    assert!((exact.connected_six(&[0; 6]) / connected - 1.0).abs() < 1e-12);

    // erf: Simpson's rule in one dimension. The pre-activation has variance 1 + x^2.
    let x: f64 = 1.7;
    let exact = Exact::new(&at("erf", 1.0, 5, &[&[x]]));
    let sigma = (1.0 + x * x).sqrt();
    let moment = |n: i32| -> f64 {
        let h = 0.001;
        (-9000..=9000)
            .map(|k| {
                let (g, weight) = (f64::from(k) * h, if k % 2 == 0 { 2.0 } else { 4.0 });
                weight * h / 3.0 * libm::erf(sigma * g).powi(n) * (-g * g / 2.0).exp()
            })
            .sum::<f64>()
            / (2.0 * std::f64::consts::PI).sqrt()
    };
    let four = 3.0 / 5.0 * (moment(4) - moment(2).powi(2));
    assert!((exact.deviation(&[0; 4]) / four - 1.0).abs() < 1e-10);
}

#[test]
fn coincident_and_antipodal_points() {
    for arch in source_nets() {
        for bias in [0.0, 1.0] {
            let two = Exact::new(&at(arch, bias, 3, &[&[0.4, 1.0], &[-0.7, 0.2]]));
            let doubled = Exact::new(&at(
                arch,
                bias,
                3,
                &[&[0.4, 1.0], &[-0.7, 0.2], &[0.4, 1.0]],
            ));
            for (index, same) in [
                (vec![0, 0, 0, 1], vec![0, 0, 2, 1]),
                (vec![0, 0, 0, 0, 1, 1], vec![0, 2, 0, 2, 1, 1]),
            ] {
                let (a, b) = (two.deviation(&index), doubled.deviation(&same));
                assert!(
                    (a / b - 1.0).abs() < 1e-7,
                    "{arch} {bias} {index:?}: {a} {b}"
                );
            }
        }
    }
    // Without bias, erf is odd and ReLU's two halves never meet.
    let erf = Exact::new(&at("erf", 0.0, 4, &[&[0.9], &[-0.9]]));
    let (even, odd) = (erf.deviation(&[0; 4]), erf.deviation(&[0, 0, 0, 1]));
    assert!((even + odd).abs() < 1e-12 * even);
    let relu = Exact::new(&at("relu", 0.0, 4, &[&[0.9], &[-0.9]]));
    // M(0011) = 0 and M(01) = 0: what is left is -M(00) M(11).
    let want = -(0.9f64.powi(4) / 4.0) / 4.0;
    assert!((relu.deviation(&[0, 0, 1, 1]) / want - 1.0).abs() < 1e-12);
}

#[test]
fn three_and_more_dimensions_reach_their_accuracy() {
    for arch in ["erf", "relu"] {
        let spec = EnsembleSpec::preset(arch, 3).unwrap().with_sigma_b(1.0);
        let exact = Exact::new(&spec);
        for index in [vec![0, 1, 2, 3], vec![0, 0, 0, 0], vec![0, 0, 1, 2, 2, 3]] {
            let (value, error) = (exact.deviation(&index), exact.error(&index));
            assert!(
                error < 1e-5 * value.abs(),
                "{arch} {index:?} {value} +- {error}"
            );
            assert!(
                error < 1e-6 * exact.correlator(&index).abs(),
                "{arch} {index:?} +- {error}"
            );
        }
    }
    // Five points in five dimensions, one of them twice as long: the estimate covers what a
    // rotation of all inputs, which must change nothing, does to the lattice.
    let points: Vec<Vec<f64>> = (0..5)
        .map(|i| (0..5).map(|c| if i == c { 1.0 } else { 0.3 }).collect())
        .collect();
    let (cos, sin) = (0.8, 0.6);
    let turned: Vec<Vec<f64>> = points
        .iter()
        .map(|x| {
            let mut y = x.clone();
            (y[0], y[3]) = (cos * x[0] - sin * x[3], sin * x[0] + cos * x[3]);
            (y[1], y[4]) = (sin * x[1] + cos * x[4], cos * x[1] - sin * x[4]);
            y
        })
        .collect();
    for arch in ["erf", "relu"] {
        let of = |points: &[Vec<f64>]| {
            let points: Vec<&[f64]> = points.iter().map(|p| &p[..]).collect();
            Exact::new(&at(arch, 1.0, 10, &points))
        };
        let (a, b) = (of(&points), of(&turned));
        for index in [vec![0, 1, 2, 3], vec![0, 0, 1, 1, 4, 4]] {
            let (x, y) = (a.deviation(&index), b.deviation(&index));
            let error = a.error(&index) + b.error(&index);
            assert!((x - y).abs() < 2.0 * error, "{arch}: {x} {y} +- {error}");
            assert!(error < 1e-2 * x.abs(), "{arch}: {x} +- {error}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn exact_values_tend_to_the_gp(
        arch in prop::sample::select(source_nets().collect::<Vec<_>>()),
        sigma_w in 0.3..2.0f64,
        sigma_b in 0.0..1.2f64,
        x in -1.5..1.5f64,
        y in -1.5..1.5f64,
        width in 1u64..1000,
    ) {
        let mut spec = at(arch, sigma_b, width, &[&[x], &[y]]);
        spec = spec.with_sigma_w(sigma_w);
        let exact = Exact::new(&spec);
        let kernel = kernel_matrix(&spec);
        let wide = exact.at_width(width * 1_000_000);
        for index in [vec![0, 0, 1, 1], vec![0, 1, 1, 1]] {
            // N (G4 - GP) does not depend on N.
            let scaled = [&exact, &wide].map(|e| e.deviation(&index));
            prop_assert!((scaled[0] - 1e6 * scaled[1]).abs() <= 1e-12 * scaled[0].abs());
            // Another way to the same width.
            let again = Exact::new(&spec.clone().with_width(width * 1_000_000));
            prop_assert_eq!(again.deviation(&index), scaled[1]);
            let (full, gp) = (exact.correlator(&index), gp_correlator(&kernel, &index));
            prop_assert!((full - gp - scaled[0]).abs() <= 1e-12 * (full.abs() + gp.abs()));
        }
        // G6 - GP = a / N + b / N^2, with b the connected part.
        let six = [0, 0, 0, 1, 1, 1];
        let rest = |e: &Exact| e.deviation(&six) - e.connected_six(&six);
        let (narrow, broad) = (rest(&exact), 1e6 * rest(&wide));
        prop_assert!((narrow - broad).abs() <= 1e-9 * narrow.abs().max(exact.deviation(&six).abs()));
    }
}

/// Standard normal numbers, two of each two words.
struct Normals(ChaCha8Rng, Option<f64>);

impl Normals {
    fn draw(&mut self) -> f64 {
        if let Some(normal) = self.1.take() {
            return normal;
        }
        let mut uniform = || (f64::from(self.0.next_u32()) + 0.5) / 4_294_967_296.0;
        let (radius, angle) = (
            (-2.0 * uniform().ln()).sqrt(),
            std::f64::consts::TAU * uniform(),
        );
        self.1 = Some(radius * angle.sin());
        radius * angle.cos()
    }
}

/// Two hidden layers of tanh, written out: weights, biases, pre-activations.
struct TwoLayers {
    sigma_w: f64,
    sigma_b: f64,
    width: usize,
    points: [f64; 2],
}

impl TwoLayers {
    /// The outputs of a network at both points, and their covariances given its hidden layers.
    fn draw(&self, n: &mut Normals) -> ([f64; 2], [f64; 3]) {
        let per_unit = self.sigma_w / (self.width as f64).sqrt();
        let first: Vec<[f64; 2]> = (0..self.width)
            .map(|_| {
                let (w, b) = (self.sigma_w * n.draw(), self.sigma_b * n.draw());
                self.points.map(|x| (w * x + b).tanh())
            })
            .collect();
        let layer = |n: &mut Normals, below: &[[f64; 2]]| {
            let mut z = [self.sigma_b * n.draw(); 2];
            for h in below {
                let w = per_unit * n.draw();
                (0..2).for_each(|p| z[p] += w * h[p]);
            }
            z
        };
        let second: Vec<[f64; 2]> = (0..self.width)
            .map(|_| layer(n, &first).map(f64::tanh))
            .collect();
        let c = [(0, 0), (0, 1), (1, 1)].map(|(p, q)| {
            let sum: f64 = second.iter().map(|h| h[p] * h[q]).sum();
            self.sigma_b.powi(2) + per_unit.powi(2) * sum
        });
        (layer(n, &second), c)
    }

    /// The kernel at infinite width, by the trapezoidal rule.
    fn kernel(&self) -> [f64; 3] {
        let (vw, vb) = (self.sigma_w.powi(2), self.sigma_b.powi(2));
        let [x, y] = self.points;
        let mut k = [x * x, x * y, y * y].map(|xy| vb + vw * xy);
        for _ in 0..2 {
            let (a, b) = (k[0].sqrt(), k[1] / k[0].sqrt());
            let c = (k[2] - b * b).sqrt();
            let (mut sums, mut total) = ([0.0; 3], 0.0);
            for (i, j) in (-80..=80).flat_map(|i| (-80..=80).map(move |j| (i, j))) {
                let (g, h) = (0.1 * f64::from(i), 0.1 * f64::from(j));
                let weight = (-(g * g + h * h) / 2.0).exp();
                let (s, t) = ((a * g).tanh(), (b * g + c * h).tanh());
                total += weight;
                [s * s, s * t, t * t]
                    .iter()
                    .zip(&mut sums)
                    .for_each(|(x, s)| *s += weight * x);
            }
            k = sums.map(|s| vb + vw * s / total);
        }
        k
    }
}

#[test]
fn a_mean_of_d_that_is_not_zero_is_measured() {
    let net = TwoLayers {
        sigma_w: 2.0,
        sigma_b: 0.2,
        width: 4,
        points: [0.6, -1.1],
    };
    let k = net.kernel();
    let kernel = [vec![k[0], k[1]], vec![k[1], k[2]]];
    let [plan, without] = [MeanOfD::Measured, MeanOfD::Zero]
        .map(|mean| Measurement::connected(&kernel, 1, &[2, 4, 6], mean));
    let direct = Measurement::direct(2, 1, &[2, 4, 6]);
    let mut normals = Normals(ChaCha8Rng::seed_from_u64(1), None);
    let mut runs = [(); 3].map(|()| Accumulator::new());
    let (blocks, nets) = (200, 5000u32);
    for block in 0..blocks {
        let mut sums = [&plan, &without, &direct].map(|plan| vec![0.0; plan.means().end]);
        for _ in 0..nets {
            let (f, c) = net.draw(&mut normals);
            let d = [c[0] - k[0], c[1] - k[1], c[2] - k[2]];
            for (sum, (plan, field)) in (sums.iter_mut()).zip([
                (&plan, d.to_vec()),
                (&without, d.to_vec()),
                (&direct, f.to_vec()),
            ]) {
                let (experiment, weight) = (0, 1.0);
                let network = Extreme {
                    score: 0.0,
                    experiment,
                    network: 0,
                    weight,
                    field,
                };
                let added = plan.contributions(&network);
                sum.iter_mut()
                    .zip(added)
                    .for_each(|(s, x)| *s += x / f64::from(nets));
            }
        }
        for (run, means) in runs.iter_mut().zip(sums) {
            // Blocks as experiments, so that some may be left out.
            run.add_block(block, 0, nets.into(), means);
        }
    }
    let [total, wrong, of_f] = runs.each_ref().map(|run| run.total().unwrap());
    let errors = of_f.std_err().unwrap();
    let mut largest = 0.0f64;
    for (e, tuple) in plan.tuples().iter().enumerate() {
        let delta = of_f.mean[e] - gp_correlator(&kernel, tuple);
        // Less than the direct estimator's error: the networks are the same.
        assert!(
            (total.mean[e] - delta).abs() < 4.0 * errors[e],
            "{:?}",
            tuple.points()
        );
        largest = largest.max((wrong.mean[e] - delta).abs() / errors[e]);
    }
    // Without the terms in the mean they do not agree.
    assert!(largest > 6.0, "{largest}");

    // Cumulants of f at the first point from its moments, whose elements are 0, 3 and 8.
    let cumulants = |m: &[f64]| {
        let (two, four, six) = (m[0], m[3], m[8]);
        [
            four - 3.0 * two * two,
            six - 15.0 * four * two + 30.0 * two.powi(3),
        ]
    };
    let all = cumulants(&of_f.mean);
    let parts: Vec<[f64; 2]> = runs[2]
        .experiments()
        .iter()
        .map(|b| cumulants(&b.mean))
        .collect();
    for (i, n) in [4, 6].into_iter().enumerate() {
        let got = plan
            .connected_function(n, &total.mean, total.networks)
            .unwrap()[0];
        let mean = parts.iter().map(|p| p[i]).sum::<f64>() / f64::from(blocks);
        let squares: f64 = parts.iter().map(|p| (p[i] - mean).powi(2)).sum();
        let error = (squares / f64::from(blocks * (blocks - 1))).sqrt();
        assert!(
            (got - all[i]).abs() < 4.0 * error,
            "{n}: {got} {} {error}",
            all[i]
        );
        // The direct estimator does not see the sixth cumulant with so few networks.
        assert!(n == 6 || got.abs() > 5.0 * error, "{n}: nothing was tested");
    }
}

#[test]
fn tables_show_a_pull_beside_exact_values_only() {
    let spec = EnsembleSpec {
        nets: 1000,
        orders: vec![4],
        ..spec("erf")
    };
    let mut cpu = CpuEngine::new();
    let mut state: State = State::new(vec![spec.clone()], None, cpu.device());
    state.ensembles[0].elements = engine::run(&mut cpu, &spec, &|_| {}).unwrap();
    let exact = EnsembleDocument::new(&state, 0).unwrap();
    let with = |reference: Reference, verdict| {
        let mut document = exact.clone();
        let four = &mut document.correlators[0];
        (four.pull, four.deviation_mean_pull) = (None, None);
        (four.reference, four.first_order_verdict) = (reference, verdict);
        document
    };
    let known = exact.correlators[0].reference.exact().unwrap().clone();
    let first_order = with(Reference::FirstOrder(known), Some(Agreement::AsPredicted));
    let none = with(Reference::None, None);
    for (document, title, pull, note) in [
        (&exact, "exact m_n", true, false),
        (&first_order, "first order m_n", false, true),
        (&none, "exact m_n", false, false),
    ] {
        for text in [
            ensemble_table(document, usize::MAX),
            elements_table(document),
        ] {
            assert!(text.contains(title), "{text}");
            // A pull has a sign of its own, and one digit after the point.
            let pulls = text.split_whitespace().filter(|cell| {
                cell.starts_with(['+', '-']) && cell.split('.').nth(1).is_some_and(|d| d.len() == 1)
            });
            assert_eq!(pulls.count() > 0, pull, "{text}");
        }
        let text = ensemble_table(document, usize::MAX);
        assert_eq!(
            text.contains("n = 4: as predicted at first order"),
            note,
            "{text}"
        );
        let row = elements_table(document);
        let row = row
            .lines()
            .find(|line| line.starts_with("0,0,0,0"))
            .unwrap();
        assert_eq!(
            row.matches("n/a").count(),
            if pull {
                0
            } else if note {
                1
            } else {
                3
            }
        );
    }
}
