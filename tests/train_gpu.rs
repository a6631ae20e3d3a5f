//! Networks trained by the shaders are those that the f64 engine trains.

mod common;

use std::sync::atomic::AtomicBool;

use common::cli::{json, refused};
use common::gpu;
use nnqft_gpu::analysis::check_training;
use nnqft_gpu::engine::cpu::CpuEngine;
use nnqft_gpu::engine::gpu::{Fault, GpuEngine};
use nnqft_gpu::engine::{Engine, Fleet, Stages, TrainQueue};
use nnqft_gpu::model::{
    EnsembleSpec, Estimator, Inputs, Law, Learning, Net, TrainSpec, TrainingData,
};
use nnqft_gpu::plan::TrainPlan;
use nnqft_gpu::tensor::Training;

fn spec(net: Net, data: &str, inputs: &str, steps: &[u64]) -> TrainSpec {
    let data = TrainingData::parse(data).unwrap();
    let net = net.with_d_in(data.d_in()).with_sigma_b(0.5);
    let ensemble = EnsembleSpec {
        nets: 601,
        experiments: 1,
        seed: 0xfeed_0000_0000_0007,
        ..EnsembleSpec::of_net(net).unwrap()
    };
    let ensemble = ensemble.with_inputs(Inputs::parse(inputs).unwrap());
    TrainSpec::new(ensemble, data, steps.to_vec())
}

fn plan(spec: TrainSpec) -> TrainPlan {
    TrainPlan::new(spec).unwrap()
}

fn named(arch: &str, width: u64) -> Net {
    Net::named(arch, 1).unwrap().with_width(width)
}

fn train(engine: &mut dyn Engine, plan: &TrainPlan) -> Training {
    let stop = AtomicBool::new(false);
    let queue = TrainQueue::new(&plan.spec().ensemble, plan.stops().len(), &|_| {}, &stop);
    engine.train(plan, &queue, &|| false).unwrap();
    let (training, networks) = queue.into_training();
    assert_eq!(networks, plan.spec().ensemble.networks());
    training
}

/// Every average agrees to a small part of its statistical error.
fn agree(plan: &TrainPlan, got: &Training, want: &Training) {
    for (k, (got, want)) in got.stops.iter().zip(&want.stops).enumerate() {
        assert_eq!(got.diverged, want.diverged);
        let (got, want) = (
            got.elements.total().unwrap(),
            want.elements.total().unwrap(),
        );
        let errors = want.std_err().unwrap();
        for (e, index) in plan.moments().indices().iter().enumerate() {
            let difference = (got.mean[e] - want.mean[e]).abs();
            assert!(
                difference <= 5e-3 * errors[e],
                "{} {} step {} {index:?}: {} {} {}",
                plan.untrained().net,
                plan.spec().train,
                plan.stops()[k],
                got.mean[e],
                want.mean[e],
                errors[e]
            );
        }
    }
}

/// Trainings of every shape that the shaders have code for.
fn trainings() -> Vec<TrainSpec> {
    use Law::{Gaussian, Laplace, Phase, Rademacher, Uniform};
    let with_laws = |net: Net, law_w: [Law; 2], law_b: [Law; 2]| {
        let net = net.with_law_w(law_w.to_vec()).unwrap();
        net.with_law_b(law_b.to_vec()).unwrap()
    };
    let steps = [0, 1, 7];
    let eight = "-1=0.5;-0.8=0.3;-0.5=0;-0.1=-0.3;0.3=0;0.6=0.4;0.9=0.7;1.3=1";
    let mut all = vec![
        spec(
            named("tanh", 37),
            "-1=0.5;0.2=-0.3;0.8=1",
            "-0.4;1.5",
            &steps,
        ),
        spec(
            named("relu", 21),
            "0.5,1=1,0;-1,0.3=0.2,-0.5;1,1=0,1",
            "0.2,0.2;1,-1",
            &steps,
        ),
        spec(named("gelu", 40), eight, "0.1;2", &steps),
        spec(named("gauss", 16), "-0.1=1;0.05=0.3", "0.15", &steps),
        spec(
            named("erf", 5),
            "0.3=0.1,0.2,0.3,0.4,0.5,0.6,0.7,-1;1=1,0,0,0,0,0,0,0",
            "2",
            &steps,
        ),
        spec(
            with_laws(named("cos", 18), [Uniform, Laplace], [Phase, Rademacher]),
            "0.3=1;-1=0",
            "0.1;2",
            &steps,
        ),
        spec(
            with_laws(named("sin", 20), [Gaussian, Rademacher], [Laplace, Uniform]),
            "0.3,0,1=1,0,0.2;-1,1,1=0,1,-1",
            "1,1,1",
            &steps,
        ),
    ];
    let readout = |mut spec: TrainSpec| {
        spec.train = Learning::Readout;
        spec
    };
    all.extend([
        readout(spec(
            named("tanh", 37),
            "-1=0.5;0.2=-0.3;0.8=1",
            "-0.4;1.5",
            &steps,
        )),
        readout(spec(named("gelu", 9), eight, "0.1;2", &steps)),
        readout(spec(
            named("relu", 33),
            "0.5,1=1,0;-1,0.3=0.2,-0.5",
            "0.2,0.2",
            &steps,
        )),
    ]);
    all[3].ensemble = all[3].ensemble.clone().with_sigma_b(0.0);
    all
}

#[test]
fn trained_networks_are_those_of_the_reference() {
    let mut gpu = gpu();
    for spec in trainings() {
        let plan = plan(spec);
        agree(
            &plan,
            &train(&mut gpu, &plan),
            &train(&mut CpuEngine::new(), &plan),
        );
    }
}

#[test]
fn parameters_are_those_of_the_same_random_stream() {
    let gpu = gpu();
    for mut spec in trainings() {
        (spec.ensemble.experiments, spec.ensemble.nets) = (2, 300);
        let plan = plan(spec);
        // In the second experiment, and not at the start of a tile.
        let block = nnqft_gpu::engine::BlockPlan::new(&plan.spec().ensemble).blocks() - 1;
        let [got, want] = [&gpu as &dyn Stages, &CpuEngine::new()]
            .map(|engine| engine.descend(&plan, block, 20).unwrap());
        assert_eq!(got.len(), want.len());
        let has_bias = plan.untrained().net.readout().sigma_b != 0.0;
        for (got, want) in got.iter().zip(&want) {
            let [a, b] = [got, want].map(|network| {
                let all = network.hidden.iter().chain(&network.readout).flatten();
                let bias = network.bias.iter().filter(|_| has_bias);
                all.chain(bias).copied().collect::<Vec<f64>>()
            });
            assert_eq!(a.len(), b.len());
            for (a, b) in a.iter().zip(&b) {
                assert!((a - b).abs() < 5e-6, "{}: {a} {b}", plan.untrained().net);
            }
            for (a, b) in got.after.iter().zip(&want.after) {
                assert!((a - b).abs() < 1e-4, "{}: {a} {b}", plan.untrained().net);
            }
        }
    }
}

/// The training whose numbers were computed independently: tanh, rate 0.1, three data points.
#[test]
fn networks_of_finite_width_learn_what_others_have_measured() {
    let mut gpu = gpu();
    for (width, nets, mean, errors) in [
        (
            20,
            6000,
            [0.43853, -0.13976, 0.87237, 0.0870, 0.40357, 1.2510],
            [0.00022, 0.00059, 0.00046, 0.0015, 0.00038, 0.0014],
        ),
        (
            100,
            2000,
            [0.45364, -0.17387, 0.90200, 0.0558, 0.38908, 1.3585],
            [0.00017, 0.00045, 0.00036, 0.0022, 0.00061, 0.0021],
        ),
    ] {
        let data = "-1=0.5;0.2=-0.3;0.8=1";
        let mut spec = spec(named("tanh", width), data, "-0.4;0.5;1.5", &[100]);
        spec.ensemble = spec.ensemble.with_sigma_w(1.5);
        (spec.rate, spec.ensemble.nets) = (Some(0.1), nets);
        let plan = plan(spec);
        let training = train(&mut gpu, &plan);
        let total = training.stops[1].elements.total().unwrap();
        let (own, centre) = (total.std_err().unwrap(), plan.centre(1));
        for (e, index) in plan.moments().indices().iter().enumerate() {
            let [p] = index[..] else { continue };
            let pull = (total.mean[e] + centre[p] - mean[p]) / own[e].hypot(errors[p]);
            assert!(pull.abs() < 4.5, "{width} {p}: {pull}");
            assert!(own[e] < 6.0 * errors[p], "{width} {p}: {}", own[e]);
        }
    }
}

#[test]
fn batches_rounds_and_several_adapters_give_the_same_bits() {
    let mut spec = trainings().remove(0);
    (spec.ensemble.nets, spec.ensemble.experiments) = (700, 2);
    for learning in [Learning::All, Learning::Readout] {
        spec.train = learning;
        let plan = plan(spec.clone());
        let whole = train(&mut gpu(), &plan);
        assert_eq!(
            train(&mut gpu().with_batch_blocks(1), &plan),
            whole,
            "{learning}"
        );
        assert_eq!(
            train(&mut gpu().with_batch_blocks(1000), &plan),
            whole,
            "{learning}"
        );
        // The parameters of 16 networks, and not of 48.
        let few = gpu()
            .with_largest_buffer(3 * 64 * 3 * 38 - 1)
            .with_batch_blocks(7);
        let mut few = few;
        assert_eq!(train(&mut few, &plan), whole, "{learning}");
        let two: Vec<Box<dyn Engine + Send>> = vec![Box::new(gpu()), Box::new(gpu())];
        let mut two = Fleet::new(two, |device, error| panic!("{device:?} {error}"));
        assert_eq!(train(&mut two, &plan), whole, "{learning}");
    }
}

#[test]
fn a_device_that_works_again_trains_the_rest() {
    let mut spec = spec(named("relu", 3), "-1=0.5;0.2=-0.3", "0.4", &[0, 2]);
    spec.ensemble.nets = 100_000;
    let plan = plan(spec);
    let mut engine = gpu()
        .with_fault(Fault::DeviceLostOnce)
        .with_batch_blocks(16);
    let again = train(&mut engine, &plan);
    assert_eq!(again, train(&mut gpu(), &plan));
    // It is the same engine, and has other work.
    assert_eq!(again, train(&mut engine, &plan));
}

#[test]
fn rounding_has_no_kurtosis() {
    let arguments = "train --arch relu --width 20 --data -1=0.5;0.8=1 --inputs 0.5 --rate 0.4 --steps 2000 --nets 600 --train readout --backend gpu --json -q";
    let arguments: Vec<&str> = arguments.split(' ').collect();
    let document = json(&arguments);
    let step = &document["widths"][0]["steps"][0];
    // The data are learnt to the precision of f32.
    assert!(step["kurtosis"][0].is_null(), "{step}");
}

#[test]
fn a_training_that_is_cancelled_gives_its_blocks_back() {
    let mut spec = trainings().remove(0);
    spec.steps = vec![100_000_000];
    let plan = plan(spec);
    let stop = AtomicBool::new(false);
    let queue = TrainQueue::new(&plan.spec().ensemble, plan.stops().len(), &|_| {}, &stop);
    let start = std::time::Instant::now();
    let late = || start.elapsed().as_secs() >= 3;
    gpu().train(&plan, &queue, &late).unwrap();
    assert_eq!(queue.into_training().1, 0);
    assert!(start.elapsed().as_secs() < 20);
}

#[test]
fn networks_that_diverge_are_recognised_and_left_out() {
    let mut spec = spec(named("linear", 2), "1=1", "0.5", &[0, 200]);
    (spec.rate, spec.ensemble.nets) = (Some(0.7), 2000);
    spec.ensemble = spec.ensemble.with_sigma_w(1.0).with_sigma_b(0.0);
    for learning in [Learning::All, Learning::Readout] {
        spec.train = learning;
        let plan = plan(spec.clone());
        let [got, want] = [
            train(&mut gpu(), &plan),
            train(&mut CpuEngine::new(), &plan),
        ];
        let [got, want] = [&got.stops[1], &want.stops[1]];
        assert!(want.diverged > 20, "{learning}: {}", want.diverged);
        assert!(
            got.diverged.abs_diff(want.diverged) <= 1,
            "{learning}: {} {}",
            got.diverged,
            want.diverged
        );
        let total = got.elements.total().unwrap();
        assert_eq!(total.networks as u64 + got.diverged, 2000);
        assert!(total.mean.iter().all(|mean| mean.is_finite()));
    }
}

#[test]
fn sixty_four_points_are_learnt_on_the_gpu_as_on_the_cpu() {
    let point = |p: usize| {
        let x = |c: usize| ((7 * p + 3 * p * p + 5 * c + 1) % 67) as f64 / 33.5 - 1.0;
        format!("{},{},{}={}", x(0), x(1), x(2), x(p % 3))
    };
    let data: Vec<String> = (0..64).map(point).collect();
    for learning in [Learning::All, Learning::Readout] {
        let mut spec = spec(named("relu", 19), &data.join(";"), "0.5,0.5,0.5", &[3]);
        (spec.train, spec.ensemble.nets, spec.ensemble.orders) = (learning, 520, vec![1]);
        let plan = plan(spec);
        agree(
            &plan,
            &train(&mut gpu(), &plan),
            &train(&mut CpuEngine::new(), &plan),
        );
    }
}

#[test]
fn what_shaders_cannot_train_is_told_with_the_way_out() {
    let x = vec!["0.1"; 20].join(",");
    let data = format!("{x}=1");
    let inputs = vec!["0.2"; 20].join(",");
    refused(
        &[
            "train",
            "--data",
            &data,
            "--inputs",
            &inputs,
            "--backend",
            "gpu",
            "--nets",
            "600",
        ],
        &["--d-in 20", "16 inputs", "--backend cpu"],
    );
    let wide = ["train", "--data", "1=1", "--width", "3e6", "--nets", "600"];
    refused(
        &[&wide[..], &["--backend", "gpu", "--steps", "1"]].concat(),
        &["--width 3000000", "--backend cpu"],
    );
}

#[test]
fn the_program_trains_on_the_gpu() {
    let arguments = "train --arch tanh --width 20 --sigma-w 1.5 --sigma-b 0.5 --data -1=0.5;0.8=1 --inputs 0.5 --rate 0.1 --steps 0,20 --nets 600 --json -q";
    let arguments: Vec<&str> = arguments.split(' ').collect();
    for more in [["--backend", "gpu"], ["--adapter", "all"]] {
        let document = json(&[&arguments[..], &more[..]].concat());
        assert_eq!(document["device"]["backend"], "gpu");
        let checks = document["checks"].as_array().unwrap();
        assert!(
            checks.len() == 4 && checks.iter().all(|c| c["pass"] == true),
            "{checks:?}"
        );
    }
}

#[test]
fn readouts_given_their_hidden_layers_are_averaged_in_f64() {
    let arguments = "train --arch tanh --width 20 --data -1=0.5;0.8=1 --inputs 0.5 --rate 0.1 --steps 0,20 --nets 600 --json -q --train readout --estimator connected --backend gpu";
    let document = json(&arguments.split(' ').collect::<Vec<_>>());
    assert_eq!(document["device"]["backend"], "cpu");
    // An engine that is asked by itself says so.
    let mut spec = spec(named("tanh", 20), "-1=0.5", "0.5", &[20]);
    spec.train = Learning::Readout;
    spec.ensemble.estimator = Estimator::Connected;
    let plan = plan(spec);
    let stop = AtomicBool::new(false);
    let queue = TrainQueue::new(&plan.spec().ensemble, plan.stops().len(), &|_| {}, &stop);
    let error = gpu().train(&plan, &queue, &|| false).unwrap_err();
    assert!(error.to_string().contains("`backend` cpu"), "{error}");
}

/// The stages of training that a fault turns red.
fn red(stage: &'static str, value: &'static str, wrong: &'static str) -> Vec<&'static str> {
    let mut gpu: GpuEngine = gpu().with_fault(Fault::Shader {
        stage,
        value,
        wrong,
    });
    let net = named("tanh", 37).with_sigma_b(0.4);
    let stages = check_training(&mut gpu, Some(&net)).unwrap();
    stages.iter().filter(|s| !s.pass).map(|s| s.stage).collect()
}

#[test]
fn wrong_gradients_redden_the_step() {
    let both = ["training step", "trained moments"];
    assert_eq!(red("step", "back", "1.001 * right"), both);
    assert_eq!(red("step", "scale", "1.001 * right"), both);
    assert_eq!(red("covariance", "bias", "0.0"), both);
    assert!(red("advance", "c", "1.0001 * right").contains(&"training step"));
    assert!(red("outputs", "b1", "0.0 * right").contains(&"training step"));
}

#[test]
fn other_networks_redden_the_moments_alone() {
    let wrong = "chacha8(work.seed, vec2u(tile.x, 9u), advance(at, 0u))";
    assert_eq!(red("draw_rest", "words", wrong), ["trained moments"]);
}
