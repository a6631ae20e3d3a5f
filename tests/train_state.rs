//! Training that is stopped, resumed, split and merged, and files that claim to be one.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use common::gpu;
use nnqft_gpu::Error;
use nnqft_gpu::engine::cpu::CpuEngine;
use nnqft_gpu::engine::{DeviceKind, Engine};
use nnqft_gpu::model::{EnsembleSpec, Estimator, Inputs, Learning, TrainSpec, TrainingData};
use nnqft_gpu::run::{Progress, Runner, TrainDocument, TrainRun, train};
use nnqft_gpu::state::{Ensemble, State, TrainState, frame, merge};
use serde_json::Value;

type Training = State<TrainState>;

fn spec(width: u64) -> TrainSpec {
    let ensemble = EnsembleSpec {
        nets: 600,
        experiments: 1,
        seed: 5,
        ..EnsembleSpec::preset("tanh", 1)
            .unwrap()
            .with_inputs(Inputs::parse("0.5").unwrap())
            .with_width(width)
    };
    let data = TrainingData::parse("-1=0.5;1=1").unwrap();
    TrainSpec::new(ensemble, data, vec![2, 5])
        .validate()
        .unwrap()
}

fn connected(width: u64) -> TrainSpec {
    let mut spec = spec(width);
    (spec.ensemble.estimator, spec.train) = (Estimator::Connected, Learning::Readout);
    spec.validate().unwrap()
}

fn cpu() -> Box<dyn Engine> {
    Box::new(CpuEngine::new())
}

/// The JSON of a result, without how long it took.
fn numbers(document: &TrainDocument) -> Value {
    let mut value = serde_json::to_value(document).unwrap();
    value.as_object_mut().unwrap().remove("timing").unwrap();
    value
}

fn whole(sweep: &[TrainSpec], engine: Box<dyn Engine>, allow_diverged: bool) -> Value {
    numbers(&train(&mut Runner::new(engine), sweep, allow_diverged).unwrap())
}

/// What a file brings back of a state.
fn saved(state: &Training) -> Training {
    let again = Training::from_bytes(&state.to_bytes()).unwrap();
    assert_eq!(again, *state);
    again
}

fn begin(sweep: &[TrainSpec], shard: Option<&str>, runner: &Runner) -> Training {
    let shard = shard.map(|s| s.parse().unwrap());
    State::new(sweep.to_vec(), shard, runner.device())
}

fn shard(sweep: &[TrainSpec], name: &str, engine: Box<dyn Engine>) -> (String, Training) {
    let mut runner = Runner::new(engine);
    let state = begin(sweep, Some(name), &runner);
    let mut run = TrainRun::begin(state, None, &mut runner).unwrap();
    run.train(&mut runner, true).unwrap();
    (format!("part {name}"), saved(run.state()))
}

/// Stops a run once so many networks are trained.
struct StopAfter {
    networks: AtomicU64,
    stop: Arc<AtomicBool>,
}

impl Progress for StopAfter {
    fn drawn(&self, _: &EnsembleSpec, networks: u64) {
        let left = self.networks.load(Ordering::Relaxed);
        let left = left.saturating_sub(networks);
        self.networks.store(left, Ordering::Relaxed);
        if left == 0 {
            self.stop.store(true, Ordering::Relaxed);
        }
    }
}

/// Trains until so many networks are done, and returns what a file would have then.
fn stopped(state: Training, networks: u64, engine: Box<dyn Engine>) -> Training {
    let stop = Arc::new(AtomicBool::new(false));
    let progress = StopAfter {
        networks: AtomicU64::new(networks),
        stop: stop.clone(),
    };
    let mut runner = Runner::new(engine).with_progress(Arc::new(progress));
    runner = runner.until(stop);
    let mut run = TrainRun::begin(state, None, &mut runner).unwrap();
    let error = run.train(&mut runner, false).unwrap_err();
    assert!(matches!(error, Error::Interrupted(_)), "{error}");
    saved(run.state())
}

fn finished(state: Training, engine: Box<dyn Engine>) -> Value {
    let mut runner = Runner::new(engine);
    let mut run = TrainRun::begin(state, None, &mut runner).unwrap();
    run.train(&mut runner, false).unwrap();
    numbers(&run.document(false).unwrap())
}

#[test]
fn a_training_that_is_stopped_again_and_again_has_the_bits_of_one_that_is_not() {
    for sweep in [vec![spec(6), spec(9)], vec![connected(6), connected(9)]] {
        let want = whole(&sweep, cpu(), false);
        let mut state = begin(&sweep, None, &Runner::new(cpu()));
        let all = state.networks().1;
        let (mut last, mut times) = (0, 0);
        // Within the networks that are asked for, within those of the checks, and within the second width.
        while state.networks().0 + 500 < all {
            state = stopped(state, 250, cpu());
            let done = state.networks().0;
            assert!(done >= last + 250 && done < all, "{last} {done} {all}");
            (last, times) = (done, times + 1);
        }
        assert!(times > 3, "{times}");
        assert!(!state.is_complete());
        assert_eq!(finished(saved(&state), cpu()), want);
    }
}

#[test]
fn merged_shards_have_the_bits_of_one_run_and_its_checks() {
    for (sweep, checks) in [(vec![spec(6), spec(9)], 2 * 4), (vec![connected(6)], 2)] {
        let want = whole(&sweep, cpu(), false);
        assert_eq!(want["checks"].as_array().unwrap().len(), checks);
        for count in [2, 5, 32] {
            let name = |i: u64| format!("{i}/{count}");
            let mut parts: Vec<_> = (0..count).map(|i| shard(&sweep, &name(i), cpu())).collect();
            let networks: u64 = parts.iter().map(|(_, state)| state.networks().1).sum();
            let one = begin(&sweep, None, &Runner::new(cpu()));
            assert_eq!(networks, one.networks().1);
            parts.rotate_left(1);
            let merged = merge(parts).unwrap();
            assert!(merged.is_complete() && merged.lacks().is_empty());
            let document = TrainDocument::new(&merged, false).unwrap();
            assert_eq!(numbers(&document), want, "{count} shards");
        }
    }
}

#[test]
fn a_gpu_trains_the_same_bits_in_parts() {
    let sweep = [spec(10)];
    let engine = || -> Box<dyn Engine> { Box::new(gpu()) };
    let want = whole(&sweep, engine(), false);
    assert_eq!(want["device"]["backend"], "gpu");
    let small: Box<dyn Engine> = Box::new(gpu().with_batch_blocks(3));
    let half = stopped(begin(&sweep, None, &Runner::new(engine())), 700, small);
    assert!(half.networks().0 >= 700);
    assert_eq!(finished(half, engine()), want);
    let parts = ["1/2", "0/2"].map(|name| shard(&sweep, name, engine()));
    let merged = merge(parts.into()).unwrap();
    assert_eq!(numbers(&TrainDocument::new(&merged, false).unwrap()), want);
}

#[test]
fn a_part_has_a_result_without_checks() {
    let sweep = [spec(6)];
    let (_, part) = shard(&sweep, "1/2", cpu());
    assert!(TrainDocument::is_there(&part));
    let document = TrainDocument::new(&part, false).unwrap();
    let partial = document.partial.as_ref().unwrap();
    assert_eq!((partial.of, partial.shard.as_deref()), (600, Some("1/2")));
    assert_eq!(document.widths[0].steps[0].networks, partial.networks);
    assert!(partial.networks < 310 && document.checks.is_empty());
    assert!(nnqft_gpu::report::train_table(&document, 200).contains("PARTIAL: shard 1/2: "));
    // The whole has errors that are smaller by a root of two, in about.
    let whole = train(&mut Runner::new(cpu()), &sweep, false).unwrap();
    assert!(whole.partial.is_none());
    let ratio = document.widths[0].steps[0].std_err[0] / whole.widths[0].steps[0].std_err[0];
    assert!((1.0..2.0).contains(&ratio), "{ratio}");
    // One group of networks has no errors.
    let (_, tiny) = shard(&sweep, "7/37", cpu());
    assert!(!TrainDocument::is_there(&tiny));
    assert!(TrainDocument::new(&tiny, false).is_err());
}

#[test]
fn networks_that_diverge_are_counted_in_every_part() {
    let data = TrainingData::parse("1=1").unwrap();
    let ensemble = EnsembleSpec {
        nets: 2000,
        experiments: 1,
        ..EnsembleSpec::preset("linear", 1).unwrap()
    };
    let ensemble = (ensemble.with_inputs(Inputs::parse("0.5").unwrap()))
        .with_sigma_w(1.0)
        .with_sigma_b(0.0)
        .with_width(2);
    let mut spec = TrainSpec::new(ensemble, data, vec![0, 200]);
    spec.rate = Some(0.7);
    let sweep = [spec.validate().unwrap()];
    let want = whole(&sweep, cpu(), true);
    assert!(want["widths"][0]["steps"][1]["diverged"].as_u64().unwrap() > 50);
    let names = ["0/3", "1/3", "2/3"];
    let merged = merge(names.map(|name| shard(&sweep, name, cpu())).into()).unwrap();
    let merged = saved(&merged);
    assert_eq!(numbers(&TrainDocument::new(&merged, true).unwrap()), want);
    let refused = TrainDocument::new(&merged, false).unwrap_err().to_string();
    assert!(
        refused.contains("85 of 2000 networks of width 2"),
        "{refused}"
    );
    // A part tells of its own networks, and is not lost.
    let mut runner = Runner::new(cpu());
    let state = begin(&sweep, Some("0/2"), &runner);
    let mut run = TrainRun::begin(state, None, &mut runner).unwrap();
    let refused = run.train(&mut runner, false).unwrap_err().to_string();
    assert!(refused.contains(" of 992 networks"), "{refused}");
    assert_eq!(run.state().networks().0, 992);
    run.train(&mut runner, true).unwrap();
    assert!(run.document(true).unwrap().partial.is_some());
}

#[test]
fn parts_of_different_trainings_are_not_merged() {
    let (first, second) = (spec(6), shard(&[spec(6)], "1/2", cpu()));
    let first = shard(&[first], "0/2", cpu());
    let refused = |other: Training, words: &[&str]| {
        let message = match merge(vec![first.clone(), ("other".into(), other)]) {
            Err(Error::Mismatch(message)) => message.to_string(),
            other => panic!("{other:?}"),
        };
        for word in words {
            assert!(message.contains(word), "no {word} in {message}");
        }
    };
    let changed = |change: fn(&mut TrainSpec)| {
        let mut spec = spec(6);
        change(&mut spec);
        shard(&[spec.validate().unwrap()], "1/2", cpu()).1
    };
    refused(
        changed(|s| s.data = TrainingData::parse("-1=0.5;1=2").unwrap()),
        &["data", "-1=0.5;1=1 in part 0/2", "-1=0.5;1=2 in other"],
    );
    refused(
        changed(|s| s.rate = Some(0.25)),
        &["rate", "the default", "0.25"],
    );
    refused(changed(|s| s.steps = vec![2, 6]), &["steps", "2,5", "2,6"]);
    refused(
        changed(|s| s.train = Learning::Readout),
        &["train", "all", "readout"],
    );
    refused(changed(|s| s.ensemble.seed = 8), &["seed", "5 in", "8 in"]);
    let mut other = second.1.clone();
    other.device.backend = DeviceKind::Gpu;
    refused(other, &["backend", "cpu", "gpu"]);
    refused(first.1.clone(), &["the same networks", "width 6"]);
    refused(
        shard(&[spec(6)], "1/3", cpu()).1,
        &["the same networks", "experiment 0"],
    );
    // What is missing is told, that of the checks by its name.
    let half = merge(vec![first.clone()]).unwrap();
    let lacks = half.lacks();
    assert_eq!(lacks.len(), 5, "{lacks:?}");
    assert!(lacks[0].starts_with("width 6, experiment 0, networks "));
    assert!(lacks[4].starts_with("width 6, for the check across, experiment 0"));
    assert!(merge(vec![first.clone(), second]).unwrap().is_complete());
}

#[test]
fn what_a_file_claims_is_not_believed() {
    let state = shard(&[spec(6)], "0/2", cpu()).1;
    let reason = |bytes: &[u8]| Training::from_bytes(bytes).unwrap_err();
    let with = |change: &dyn Fn(&mut TrainState)| {
        let mut other = state.clone();
        change(&mut other.ensembles[0]);
        reason(&other.to_bytes())
    };
    let of = |spec: TrainSpec| {
        shard(&[spec], "0/2", cpu())
            .1
            .ensembles
            .swap_remove(0)
            .trained
    };
    // Elements of other trainings, of other cohorts, of fewer cohorts.
    let mut longer = spec(6);
    longer.steps.push(7);
    let longer = of(longer.validate().unwrap());
    let message = with(&|e| e.trained.clone_from(&longer));
    assert!(
        message.contains("elements are not those of its spec"),
        "{message}"
    );
    let message = with(&|e| e.trained.swap(3, 4));
    assert!(
        message.contains("elements are not those of its spec"),
        "{message}"
    );
    let message = with(&|e| _ = e.trained.pop());
    assert!(
        message.contains("elements are not those of its header"),
        "{message}"
    );
    let mut more = spec(6);
    more.ensemble.nets = 3000;
    let more = of(more.validate().unwrap());
    let message = with(&|e| e.trained.clone_from(&more));
    assert!(message.contains("damaged"), "{message}");
    let mut other = spec(9);
    other.steps.push(7);
    let both = vec![spec(6), other.validate().unwrap()];
    let message = reason(&Training::new(both, None, state.device.clone()).to_bytes());
    assert!(message.contains("differ in steps"), "{message}");
    // Headers that say something else.
    let bytes = state.to_bytes();
    let start = bytes.iter().position(|&b| b == b'\n').unwrap() + 1;
    let text = |from: &str, to: &str| {
        let payload = &bytes[start..];
        let at = payload
            .windows(from.len())
            .position(|w| w == from.as_bytes());
        let at = at.unwrap_or_else(|| panic!("no {from}"));
        frame(&[&payload[..at], to.as_bytes(), &payload[at + from.len()..]].concat())
    };
    for (from, to, why) in [
        ("\"steps\":[2,5]", "\"steps\":[0,2,5]", None),
        ("\"steps\":[2,5]", "\"steps\":[2]", Some("elements are not")),
        ("\"steps\":[2,5]", "\"steps\":[]", Some("steps")),
        ("\"nets\":600", "\"nets\":64000", Some("damaged")),
        ("\"nets\":600", "\"nets\":6", Some("nets")),
        ("\"rate\":null", "\"rate\":-1", Some("rate")),
        (
            "\"targets\":[[0.5],[1.0]]",
            "\"targets\":[[0.5]]",
            Some("header"),
        ),
        (
            "\"targets\":[[0.5],[1.0]]",
            "\"targets\":[[0.5,1],[1,2]]",
            Some("d_out"),
        ),
        (
            "\"orders\":[1,2,4]",
            "\"orders\":[1,2]",
            Some("elements are not"),
        ),
        (
            "\"command\":\"train\"",
            "\"command\":\"ensemble\"",
            Some("ensemble"),
        ),
        (
            "\"command\":\"train\"",
            "\"command\":\"paint\"",
            Some("paint"),
        ),
    ] {
        match (Training::from_bytes(&text(from, to)), why) {
            (Err(message), Some(why)) => assert!(message.contains(why), "{to}: {message}"),
            // The same stops.
            (Ok(_), None) => {}
            (other, _) => panic!("{to}: {other:?}"),
        }
    }
    let ensemble: State = State::new(vec![spec(6).ensemble], None, state.device.clone());
    let message = reason(&ensemble.to_bytes());
    assert!(
        message.contains("a run of ensemble, not of train"),
        "{message}"
    );
    assert_eq!(<TrainState as Ensemble>::COMMAND, "train");
}
