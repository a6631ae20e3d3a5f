//! Every class of adapters gets the same numbers, whatever the shape of its work: on the adapter at hand, which is
//! taken for one of each.

mod common;

use std::sync::Mutex;

use common::cli::{json, refused};
use common::gpu;
use nnqft_gpu::analysis::check_stages;
use nnqft_gpu::engine::cpu::CpuEngine;
use nnqft_gpu::engine::gpu::{Fault, GpuEngine};
use nnqft_gpu::engine::{self, AdapterClass, Engine, Fleet, Form};
use nnqft_gpu::model::{EnsembleSpec, Estimator, Inputs};
use nnqft_gpu::tensor::Accumulator;
use nnqft_gpu::theory;

fn of(class: AdapterClass) -> GpuEngine {
    gpu().with_class(class)
}

/// Blocks of 256 networks, which a card sums in four threads each, and a short one of 200.
fn spec(arch: &str, width: u64) -> EnsembleSpec {
    EnsembleSpec {
        nets: 8192 + 200,
        experiments: 2,
        orders: vec![1, 2, 4],
        ..EnsembleSpec::preset(arch, 2)
            .unwrap()
            .with_width(width)
            .with_sigma_b(0.6)
    }
}

/// Outputs, covariances, covariances with weights, chunks of a wide network, one point.
fn specs() -> [EnsembleSpec; 4] {
    let connected = EnsembleSpec {
        estimator: Estimator::Connected,
        orders: vec![2, 4],
        ..spec("gauss", 21)
    };
    let tilted = EnsembleSpec {
        tilt: theory::tilt(&connected),
        ..connected.clone()
    };
    assert!(tilted.tilt.is_some());
    let wide = EnsembleSpec {
        inputs: Inputs::new(vec![vec![0.3, -0.4]]).unwrap(),
        nets: 2000,
        ..spec("relu", 5003)
    };
    let all = [spec("erf", 37), connected, tilted, wide];
    all.map(|spec| spec.validate().unwrap())
}

fn run(engine: &mut dyn Engine, spec: &EnsembleSpec) -> Accumulator {
    engine::run(engine, spec, &|_| {}).unwrap()
}

/// Asserts that elements differ by what rounding explains, which is invisible beside their errors.
fn same_but_for_rounding(got: &Accumulator, want: &Accumulator, what: &str) {
    let (got, want) = (got.total().unwrap(), want.total().unwrap());
    for (e, error) in want.std_err().unwrap().iter().enumerate() {
        let difference = (got.mean[e] - want.mean[e]).abs();
        assert!(difference <= 1e-3 * error, "{what}, element {e}");
    }
}

#[test]
fn every_class_draws_the_same_networks_and_the_same_tensors() {
    for spec in specs() {
        let cpu = run(&mut CpuEngine::new(), &spec);
        let software = of(AdapterClass::Software);
        let networks = software.draw_networks(&spec, 1).unwrap();
        let want = run(&mut of(AdapterClass::Software), &spec);
        for class in AdapterClass::ALL {
            let what = format!("{class} {spec:?}");
            let mut gpu = of(class);
            assert_eq!(gpu.draw_networks(&spec, 1).unwrap(), networks, "{what}");
            let got = run(&mut gpu, &spec);
            same_but_for_rounding(&got, &cpu, &what);
            // The heaviest of a block is found, whichever thread has it.
            assert_eq!(got.extremes(), want.extremes(), "{what}");
        }
    }
}

#[test]
fn threads_that_share_a_block_add_up_to_other_roundings() {
    let spec = &specs()[0];
    let mean = |class| run(&mut of(class), spec).total().unwrap().mean.clone();
    // They are there: the sums of the other tests are no one thread's.
    assert_ne!(mean(AdapterClass::Discrete), mean(AdapterClass::Software));
}

#[test]
fn bits_of_a_card_depend_on_no_split_and_on_no_limit() {
    let [plain, _, tilted, wide] = specs();
    for spec in [plain, tilted, wide] {
        let card = || of(AdapterClass::Discrete);
        let whole = run(&mut card(), &spec);
        for batch in [1, 3, 50] {
            let mut gpu = card().with_batch_blocks(batch);
            assert_eq!(whole, run(&mut gpu, &spec), "{batch} {spec:?}");
        }
        let mut weak = card().with_small_workgroups(64, 4 << 10);
        assert_eq!(whole, run(&mut weak, &spec), "{spec:?}");
    }
}

#[test]
fn two_adapters_of_different_classes_share_a_run() {
    let [plain, _, tilted, _] = specs();
    for spec in [plain, tilted] {
        let small = |class| Box::new(of(class).with_batch_blocks(2));
        let engines: Vec<Box<dyn Engine + Send>> =
            vec![small(AdapterClass::Discrete), small(AdapterClass::Software)];
        let mut fleet = Fleet::new(engines, |_, error| panic!("{error}"));
        let got = run(&mut fleet, &spec);
        assert_eq!(fleet.engines(), 2);
        assert_eq!(got.networks(), spec.networks());
        let want = run(&mut of(AdapterClass::Software), &spec);
        same_but_for_rounding(&got, &want, &format!("{spec:?}"));
        assert_eq!(got.extremes(), want.extremes());
    }
}

#[test]
fn wrong_sums_are_noticed_in_every_class() {
    let spec = EnsembleSpec {
        orders: vec![2, 4],
        ..spec("erf", 21)
    };
    let wrong = |value, wrong| Fault::Shader {
        stage: "reduce",
        value,
        wrong,
    };
    let cases = AdapterClass::ALL.map(|class| (class, wrong("s_1", "1.01 * right")));
    let join = [
        // One of the threads that share a block is left out, and one counts for another.
        (AdapterClass::Discrete, wrong("part_1", "0.99 * right")),
        (AdapterClass::Integrated, wrong("n", "right + 1u")),
    ];
    for (class, fault) in cases.into_iter().chain(join) {
        let mut gpu = of(class).with_fault(fault.clone());
        gpu.set_form(Some(Form::Staged));
        let stages = check_stages(&mut gpu, std::slice::from_ref(&spec), false).unwrap();
        let red: Vec<&str> = (stages.iter().filter(|s| !s.pass))
            .map(|s| s.stage)
            .collect();
        assert!(
            red.contains(&"n-point tensors"),
            "{class} {fault:?} {red:?}"
        );
        assert!(!red.contains(&"network outputs"), "{class} {fault:?}");
    }
}

#[test]
fn the_class_can_be_given() {
    let arguments = [
        "--arch",
        "relu",
        "--nets",
        "3e4",
        "--backend",
        "gpu",
        "--json",
    ];
    let value = |class: &str| {
        let all = [&["ensemble", "--profile", class], &arguments[..]].concat();
        json(&all)["correlators"].clone()
    };
    assert_ne!(value("discrete"), value("software"));
    let own = json(&[&["ensemble"], &arguments[..]].concat());
    // The tests run on a software adapter.
    assert_eq!(own["correlators"], value("software"));
    refused(
        &["ensemble", "--profile", "quick"],
        &["profile", "use discrete, integrated or software"],
    );
}

#[test]
fn a_short_run_is_cut_so_that_the_host_works_beside_the_card() {
    let spec = EnsembleSpec {
        nets: 1 << 22,
        experiments: 1,
        orders: vec![2],
        ..spec("relu", 2)
    };
    let (batches, total) = (Mutex::new(Vec::new()), spec.networks());
    let told = |networks| batches.lock().unwrap().push(networks);
    engine::run(&mut of(AdapterClass::Discrete), &spec, &told).unwrap();
    let batches = batches.into_inner().unwrap();
    assert_eq!(batches.iter().sum::<u64>(), total);
    // The first keeps 2^18 threads busy, and none is more than a quarter.
    assert_eq!(batches[0], 1 << 18, "{batches:?}");
    assert!(batches.iter().all(|b| *b <= total / 4), "{batches:?}");
}
