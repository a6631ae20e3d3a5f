//! Readouts in training, averaged given their hidden layers.

mod common;

use std::time::Instant;

use common::cli::{json, numbers, refused};
use nalgebra::{DMatrix, DVector};
use nnqft_gpu::analysis::trained::TrainedStep;
use nnqft_gpu::engine::BlockPlan;
use nnqft_gpu::engine::cpu::{CpuEngine, draw_networks};
use nnqft_gpu::model::{EnsembleSpec, Estimator, Inputs, Learning, Role, TrainSpec, TrainingData};
use nnqft_gpu::run::{Runner, TrainDocument, train};
use nnqft_gpu::theory::kernel_matrix;

const RATE: f64 = 0.1;

fn spec(width: u64, nets: u64, data: &str, steps: &[u64]) -> TrainSpec {
    let ensemble = EnsembleSpec {
        nets,
        experiments: 1,
        ..EnsembleSpec::preset("tanh", 1).unwrap()
    };
    let ensemble = (ensemble.with_inputs(Inputs::parse("-0.4;0.5;1.5").unwrap()))
        .with_sigma_w(1.5)
        .with_sigma_b(0.5)
        .with_width(width);
    let data = TrainingData::parse(data).unwrap();
    let mut spec = TrainSpec::new(ensemble, data, steps.to_vec());
    (spec.rate, spec.train) = (Some(RATE), Learning::Readout);
    spec
}

fn connected(spec: &TrainSpec) -> TrainSpec {
    let mut spec = spec.clone();
    spec.ensemble.estimator = Estimator::Connected;
    spec
}

fn trained(sweep: &[TrainSpec]) -> TrainDocument {
    train(&mut Runner::new(Box::new(CpuEngine::new())), sweep, false).unwrap()
}

/// Averages over networks, from linear models that descend step by step.
struct Averages {
    /// E f, `[output][point]`.
    mean: Vec<DVector<f64>>,
    /// E f_a f_b, `[a][b]`.
    second: Vec<Vec<DMatrix<f64>>>,
    /// E f^4 at every point, of the first output.
    fourth: DVector<f64>,
}

/// Draws the covariances of all networks of a spec, and lets each descend.
fn step_by_step(spec: &TrainSpec, steps: usize) -> Averages {
    let untrained = EnsembleSpec {
        orders: vec![2],
        estimator: Estimator::Connected,
        ..spec.untrained().unwrap()
    };
    let kernel = kernel_matrix(&untrained);
    let (points, data, d_out) = (kernel.len(), spec.data.len(), spec.data.d_out());
    let nets = spec.ensemble.nets as usize;
    let zeros = || DMatrix::<f64>::zeros(points, points);
    let mut all = Averages {
        mean: vec![DVector::zeros(points); d_out],
        second: vec![vec![zeros(); d_out]; d_out],
        fourth: DVector::zeros(points),
    };
    for network in draw_networks(&untrained, 0, 0, nets) {
        let mut fields = network.field.iter();
        let mut c = zeros();
        for p in 0..points {
            for q in p..points {
                c[(p, q)] = kernel[p][q] + fields.next().unwrap();
                c[(q, p)] = c[(p, q)];
            }
        }
        // f -> f - eta C(., X) (f(X) - y): a linear map of what was drawn, and a mean for every output.
        let push = RATE * c.columns(0, data);
        let mut map = DMatrix::<f64>::identity(points, points);
        let mut means = vec![DVector::<f64>::zeros(points); d_out];
        for _ in 0..steps {
            for (a, mean) in means.iter_mut().enumerate() {
                let y = DVector::from_iterator(data, spec.data.targets().iter().map(|y| y[a]));
                *mean -= &push * (mean.rows(0, data) - y);
            }
            let change = &push * map.rows(0, data);
            map -= change;
        }
        let covariance = &map * &c * map.transpose();
        let share = 1.0 / nets as f64;
        for a in 0..d_out {
            all.mean[a] += share * &means[a];
            for b in 0..d_out {
                all.second[a][b] += share * &means[a] * means[b].transpose();
            }
            all.second[a][a] += share * &covariance;
        }
        for p in 0..points {
            let (m, v) = (means[0][p], covariance[(p, p)]);
            all.fourth[p] += share * (m.powi(4) + 6.0 * m * m * v + 3.0 * v * v);
        }
    }
    all
}

fn correlator(step: &TrainedStep, order: usize, points: &[usize], outputs: &[usize]) -> f64 {
    let all = step.correlators.iter().find(|c| c.order == order).unwrap();
    let fits = |e: &usize| {
        all.indices[*e] == points && (all.outputs.is_empty() || all.outputs[*e] == outputs)
    };
    all.mean[(0..all.mean.len()).find(fits).unwrap()]
}

#[test]
fn networks_of_any_depth_have_the_averages_of_their_linear_models() {
    let mut deep = connected(&spec(7, 600, "-1=0.5,0;0.2=-0.3,1", &[0, 30]));
    deep.ensemble.net = deep.ensemble.net.with_hidden(&[7, 4, 9]).unwrap();
    deep.ensemble.orders = vec![1, 2];
    let mut free = connected(&spec(5, 700, "-1=0.5;0.2=-0.3;0.8=1", &[0, 30]));
    free.ensemble.orders = vec![1, 2, 4];
    for spec in [deep, free] {
        let document = trained(std::slice::from_ref(&spec));
        let (points, outputs) = (spec.points().len(), spec.data.d_out());
        for (step, steps) in document.widths[0].steps.iter().zip([0, 30]) {
            let want = step_by_step(&spec, steps);
            let near = |got: f64, want: f64, what: &str| {
                assert!((got - want).abs() < 1e-10, "{what} {steps}: {got} {want}");
            };
            for a in 0..outputs {
                for p in 0..points {
                    near(step.mean[a * points + p], want.mean[a][p], "mean");
                    for b in a..outputs {
                        for q in (if a == b { p } else { 0 })..points {
                            let got = correlator(step, 2, &[p, q], &[a, b]);
                            near(got, want.second[a][b][(p, q)], "2-point function");
                        }
                    }
                }
            }
            if spec.ensemble.orders.contains(&4) {
                for p in 0..points {
                    let got = correlator(step, 4, &[p; 4], &[0; 4]);
                    near(got, want.fourth[p], "4-point function");
                }
            }
        }
    }
}

#[test]
fn readouts_that_are_drawn_agree_and_scatter_more() {
    let spec = spec(40, 8000, "-1=0.5;0.2=-0.3;0.8=1", &[0, 100]);
    let [direct, averaged] = [spec.clone(), connected(&spec)].map(|spec| trained(&[spec]));
    let [direct, averaged] = [&direct, &averaged].map(|d| &d.widths[0].steps);
    let mut worst = 0.0f64;
    for (direct, averaged) in direct.iter().zip(averaged) {
        for p in 0..6 {
            for (name, a, b) in [
                (
                    "mean",
                    (direct.mean[p], direct.std_err[p]),
                    (averaged.mean[p], averaged.std_err[p]),
                ),
                (
                    "variance",
                    (direct.variance[p], direct.variance_std_err[p]),
                    (averaged.variance[p], averaged.variance_std_err[p]),
                ),
            ] {
                worst = worst.max((a.0 - b.0).abs() / a.1.hypot(b.1));
                assert!(b.1 < 0.75 * a.1, "{name} {p}: {a:?} {b:?}");
            }
        }
        for (a, b) in direct.correlators.iter().zip(&averaged.correlators) {
            for e in 0..a.mean.len() {
                let error = a.connected_std_err[e].hypot(b.connected_std_err[e]);
                worst = worst.max((a.connected[e] - b.connected[e]).abs() / error);
            }
        }
    }
    // Some 300 numbers, most of them of the same networks.
    assert!(worst < 4.5, "{worst}");
    // Before the first step nothing but the readout decides on the mean.
    assert!(averaged[0].mean.iter().all(|mean| *mean == 0.0));
}

#[test]
fn deviations_of_deep_networks_fall_with_the_width() {
    let sweep = [16, 32, 64, 128].map(|width| {
        let mut spec = connected(&spec(width, 4000, "-1=0.5;0.2=-0.3;0.8=1", &[0, 100]));
        spec.ensemble.net = spec.ensemble.net.with_hidden(&[20, 20]).unwrap();
        spec.ensemble.net = spec.ensemble.net.with_width(width);
        spec.ensemble.orders = vec![1, 2];
        spec
    });
    let document = trained(&sweep);
    assert!(document.checks.is_empty());
    for of in ["mean", "variance"] {
        let fit = (document.fits.iter())
            .find(|fit| fit.step == 100 && fit.of == of)
            .unwrap();
        let series = fit.series.as_ref().unwrap();
        assert!(series.p_value > 1e-4, "{fit:?}");
        assert!(series.coefficients[0] > 5.0 * series.std_err[0], "{fit:?}");
        let (slope, error) = (fit.last_slope.unwrap(), fit.last_std_err.unwrap());
        assert!(
            (slope + 1.0).abs() < 0.1 + 4.0 * error,
            "{of}: {slope} {error}"
        );
    }
}

#[test]
fn the_number_of_steps_costs_nothing() {
    let of = |steps: &[u64]| {
        let spec = connected(&spec(20, 2000, "-1=0.5;0.2=-0.3;0.8=1", steps));
        let untrained = spec.untrained().unwrap();
        assert!(BlockPlan::new(&untrained).blocks() > 20);
        let start = Instant::now();
        // The check trains step by step, and a deep network has none.
        let mut spec = spec;
        spec.ensemble.net = spec.ensemble.net.with_hidden(&[20, 20]).unwrap();
        let document = trained(&[spec]);
        (start.elapsed(), document)
    };
    let (time, document) = of(&[0, 100_000_000]);
    assert!(time.as_secs() < 60, "{time:?}");
    let last = &document.widths[0].steps[1];
    // All that can be learnt is learnt.
    assert!(last.loss.abs() < 1e-6, "{}", last.loss);
    assert!(last.variance[..3].iter().all(|v| v.abs() < 1e-6));
    assert!(last.variance[4] > 1e-6);
    // What is left at the data is rounding, and has no shape.
    assert!(last.kurtosis[..3].iter().all(Option::is_none));
    assert!(last.kurtosis[4].is_some());
}

#[test]
fn checks_hold_one_network_against_the_other_estimator() {
    let arguments = "train --arch erf --width 9 --nets 2000 --data 1=2,0;-1=0.1,1 --inputs 0.5 --rate 0.1 --steps 0,5,40 --train readout --estimator connected --json -q";
    let document = json(&arguments.split(' ').collect::<Vec<_>>());
    assert_eq!(document["spec"]["estimator"], "connected");
    let checks = document["checks"].as_array().unwrap();
    let names: Vec<&str> = checks.iter().map(|c| c["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["untrained", "direct"]);
    assert!(checks.iter().all(|c| c["pass"] == true), "{checks:?}");
    let after = &document["widths"][0]["steps"][2];
    assert!(numbers(&after["std_err"]).iter().all(|e| *e > 0.0));
}

#[test]
fn a_check_sees_readouts_that_learn_something_else() {
    use nnqft_gpu::analysis::trained::direct;
    use nnqft_gpu::engine::{Engine, TrainQueue};
    use nnqft_gpu::plan::TrainPlan;
    use std::sync::atomic::AtomicBool;

    let stop = AtomicBool::new(false);
    let draw = |plan: &TrainPlan| {
        let queue = TrainQueue::new(&plan.spec().ensemble, plan.stops().len(), &|_| {}, &stop);
        CpuEngine::new().train(plan, &queue, &|| false).unwrap();
        queue.into_training().0
    };
    let plan = |spec: &TrainSpec| TrainPlan::new(spec.clone()).unwrap();
    let right = connected(&spec(10, 2048, "-1=0.5;0.2=-0.3", &[20]));
    let cohorts = plan(&right).cohorts().unwrap();
    let (role, other) = &cohorts[2];
    assert_eq!(*role, Role::Direct);
    let averaged = draw(&plan(&right));
    assert!(
        direct(&plan(&right), &averaged, &draw(other))
            .unwrap()
            .unwrap()
            .pass
    );
    let mut longer = right.clone();
    longer.steps = vec![60];
    let longer = draw(&plan(&longer));
    assert!(
        !direct(&plan(&right), &longer, &draw(other))
            .unwrap()
            .unwrap()
            .pass
    );
}

#[test]
fn a_rate_that_is_too_large_is_told() {
    let arguments = "train --arch tanh --width 8 --nets 600 --data -1=0.5;0.2=-0.3 --rate 3 --steps 400 --train readout --estimator connected";
    let arguments: Vec<&str> = arguments.split(' ').collect();
    refused(&arguments, &["--rate 3: ", "have diverged after 400 steps"]);
}
