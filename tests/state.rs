//! The state of a run: bytes and back, shards, merges, and everything that is no state.

mod common;

use common::gpu;
use nnqft_gpu::Error;
use nnqft_gpu::engine::cpu::CpuEngine;
use nnqft_gpu::engine::gpu::Fault;
use nnqft_gpu::engine::{self, BlockPlan, DeviceKind, Engine, Fleet, Queue, Work};
use nnqft_gpu::model::{EnsembleSpec, Estimator};
use nnqft_gpu::plan::{Plan, Rays};
use nnqft_gpu::state::{EnsembleState, State, frame, merge};
use nnqft_gpu::theory;
use proptest::prelude::*;

fn spec(arch: &str, width: u64) -> EnsembleSpec {
    EnsembleSpec {
        nets: 3001,
        experiments: 3,
        seed: 7,
        ..EnsembleSpec::preset(arch, 1)
            .unwrap()
            .with_width(width)
            .with_sigma_w(1.0 + 1.0 / 3.0)
    }
    .validate()
    .unwrap()
}

fn tilted(width: u64) -> EnsembleSpec {
    let direct = spec("gauss", width);
    EnsembleSpec {
        tilt: theory::tilt(&direct),
        estimator: Estimator::Connected,
        ..direct
    }
    .validate()
    .unwrap()
}

/// Draws the blocks of a state, but for the last `left` of each ensemble.
fn draw(mut state: State, engine: &mut dyn Engine, left: u64) -> State {
    for k in 0..state.ensembles.len() {
        let blocks = state.blocks(k);
        let e = &mut state.ensembles[k];
        let queue = Queue::resume(&e.spec, blocks.start..blocks.end - left, e.elements.clone());
        engine
            .accumulate(&Plan::new(e.spec.clone()).unwrap(), &queue)
            .unwrap();
        e.elements = queue.into_elements();
        e.seconds += 0.1;
    }
    state
}

fn part(specs: &[EnsembleSpec], shard: &str, engine: &mut dyn Engine) -> (String, State) {
    let shard = Some(shard).filter(|s| !s.is_empty());
    let start = State::new(
        specs.to_vec(),
        shard.map(|s| s.parse().unwrap()),
        engine.device(),
    );
    (format!("part {shard:?}"), draw(start, engine, 0))
}

/// The moments alone: devices and times may differ.
fn same_moments(a: &State, b: &State) -> bool {
    a.ensembles.len() == b.ensembles.len()
        && (a.ensembles.iter().zip(&b.ensembles)).all(|(a, b)| a.elements == b.elements)
}

fn example() -> State {
    let mut cpu = CpuEngine::new();
    let specs = vec![spec("relu", 20), spec("relu", 5)];
    let state = State::new(specs, Some("1/3".parse().unwrap()), cpu.device());
    draw(state, &mut cpu, 5)
}

#[test]
fn a_state_comes_back_bit_for_bit() {
    let state = example();
    let again = State::from_bytes(&state.to_bytes()).unwrap();
    assert_eq!(again, state);
    let tilts = vec![tilted(3), tilted(5)];
    let empty: State = State::new(tilts, None, CpuEngine::new().device());
    assert_eq!(State::from_bytes(&empty.to_bytes()).unwrap(), empty);
}

#[test]
fn a_file_s_sizes_are_those_of_the_engines() {
    // What the reader demands of a file is what a run makes, for every kind of spec.
    for d_out in 1..=3 {
        for orders in [vec![2], vec![2, 4], vec![4, 6], vec![2, 4, 6]] {
            for estimator in [Estimator::Direct, Estimator::Connected] {
                let mut spec = EnsembleSpec {
                    orders: orders.clone(),
                    estimator,
                    ..spec("relu", 2).with_d_out(d_out)
                };
                spec.inputs = EnsembleSpec::preset("relu", 2).unwrap().inputs;
                spec = spec.with_d_in(2);
                let spec = spec.validate().unwrap();
                let total = engine::run(&mut CpuEngine::new(), &spec, &|_| {}).unwrap();
                let values = total.total().unwrap().mean.len() as u64;
                assert_eq!(spec.values(), values, "{estimator} {orders:?} {d_out}");
                assert_eq!(
                    Rays::of(&spec).applied_to(&spec).fields(),
                    total.extremes()[0].field.len()
                );
            }
        }
    }
}

#[test]
fn a_resumed_run_and_merged_shards_have_the_bits_of_a_single_run() {
    let direct = [spec("erf", 20), spec("erf", 5)];
    let connected = [tilted(5), tilted(6)];
    let (mut cpu, mut gpu) = (CpuEngine::new(), gpu());
    for (engine, specs, counts) in [
        (&mut cpu as &mut dyn Engine, &direct, &[2, 5][..]),
        (&mut CpuEngine::new(), &connected, &[5]),
        (&mut gpu, &direct, &[3]),
        (&mut common::gpu(), &connected, &[3]),
    ] {
        let (_, whole) = part(specs, "", engine);
        let half = draw(
            State::new(specs.to_vec(), None, engine.device()),
            engine,
            31,
        );
        let half = State::from_bytes(&half.to_bytes()).unwrap();
        assert!(!half.missing(0).is_empty());
        assert!(same_moments(&draw(half, engine, 0), &whole));
        for &count in counts {
            let mut parts: Vec<_> = (0..count)
                .map(|i| part(specs, &format!("{i}/{count}"), engine))
                .collect();
            parts.rotate_left(1);
            let networks: u64 = parts.iter().map(|(_, s)| s.networks().1).sum();
            assert_eq!(networks, whole.networks().0);
            let merged = merge(parts).unwrap();
            assert!(same_moments(&merged, &whole), "{count} shards");
            assert!(merged.missing(0).is_empty() && merged.missing(1).is_empty());
            assert_eq!(merged.device, whole.device);
        }
    }
}

#[test]
fn parts_of_different_runs_are_not_merged() {
    let relu = [spec("relu", 20), spec("relu", 5)];
    let mut cpu = CpuEngine::new();
    let first = part(&relu, "0/2", &mut cpu);
    let second = part(&relu, "1/2", &mut cpu);
    let refused = |other: State, words: &[&str]| {
        let message = match merge(vec![first.clone(), ("other".into(), other)]) {
            Err(Error::Mismatch(message)) => message,
            other => panic!("{other:?}"),
        };
        for word in words {
            assert!(message.to_string().contains(word), "no {word} in {message}");
        }
    };
    let edited = |edit: fn(&mut State)| {
        let mut other = second.1.clone();
        edit(&mut other);
        other
    };
    refused(
        edited(|s| s.ensembles[1].spec.seed = 8),
        &["seed", "7 in part", "8 in other"],
    );
    refused(
        edited(|s| s.ensembles[0].spec.nets = 10),
        &["nets", "3001", "10"],
    );
    refused(
        edited(|s| {
            let spec = &mut s.ensembles[0].spec;
            *spec = spec.clone().with_sigma_w(1.0);
        }),
        &["sigma_w", "1.3333333333333333"],
    );
    refused(
        edited(|s| {
            s.ensembles[0].spec.tilt = tilted(5).tilt;
        }),
        &["tilt", "none in part"],
    );
    refused(
        edited(|s| {
            s.ensembles.pop();
        }),
        &["width", "20,5", "20 in other"],
    );
    refused(
        edited(|s| s.device.backend = DeviceKind::Gpu),
        &["backend", "cpu", "gpu"],
    );
    // A shard run twice, or shards of two splits.
    refused(first.1.clone(), &["the same networks", "width 20"]);
    refused(
        part(&relu, "1/3", &mut cpu).1,
        &["the same networks", "experiment 1"],
    );
    assert!(merge(vec![first.clone(), second.clone()]).is_ok());
}

#[test]
fn what_is_missing_is_known() {
    let specs = [spec("relu", 20)];
    let mut cpu = CpuEngine::new();
    let parts = vec![part(&specs, "0/3", &mut cpu), part(&specs, "2/3", &mut cpu)];
    let merged = merge(parts).unwrap();
    let n = BlockPlan::new(&specs[0]).per_experiment;
    assert_eq!(merged.missing(0), vec![n..2 * n; 1]);
    assert_eq!(merged.networks(), (2 * 3001, 3 * 3001));
}

/// The reason that some bytes are refused with.
fn reason(bytes: &[u8]) -> String {
    match State::<EnsembleState>::from_bytes(bytes) {
        Ok(_) => panic!("it was read"),
        Err(reason) => reason,
    }
}

fn line_end(bytes: &[u8]) -> usize {
    bytes.iter().position(|&b| b == b'\n').unwrap() + 1
}

#[test]
fn what_is_no_state_is_refused_with_the_reason() {
    let bytes = example().to_bytes();
    let text = |from: &str, to: &str| {
        let at = bytes.windows(from.len()).position(|w| w == from.as_bytes());
        let at = at.unwrap_or_else(|| panic!("no {from}"));
        [&bytes[..at], to.as_bytes(), &bytes[at + from.len()..]].concat()
    };
    assert!(reason(b"").contains("empty"));
    assert!(reason(b"{\"schema\":\"nnqft.ensemble/2\"}").contains("no state file"));
    assert!(reason(&[0xff; 300]).contains("no state file"));
    assert!(reason(&text("state 5,", "state 6,")).contains("newer"));
    assert!(reason(&text("state 5,", "state 99999999999999999999,")).contains("damaged"));
    assert!(reason(&text("state 5,", "state 0,")).contains("older"));
    assert!(reason(&text("state 5,", "state x,")).contains("damaged"));
    assert!(reason(&text("crc32 ", "crc64 ")).contains("damaged"));
    assert!(reason(&[&bytes[..], b"\n"].concat()).contains("instead of"));
    for length in (1..bytes.len()).step_by(1 + bytes.len() / 500) {
        assert!(reason(&bytes[..length]).contains("truncated"), "{length}");
    }
    // A torn write: the right length, but a stretch of it never reached the disk.
    for start in (line_end(&bytes)..bytes.len()).step_by(1 + bytes.len() / 50) {
        let mut torn = bytes.clone();
        let end = (start + 512).min(torn.len());
        torn[start..end].iter_mut().for_each(|b| *b = !*b);
        assert!(reason(&torn).contains("checksum"), "{start}");
    }
}

/// The payload with a piece of text replaced, and a checksum that fits.
fn forged(state: &State, from: &str, to: &str) -> Vec<u8> {
    let bytes = state.to_bytes();
    let payload = &bytes[line_end(&bytes)..];
    let at = payload
        .windows(from.len())
        .position(|w| w == from.as_bytes());
    let at = at.unwrap_or_else(|| panic!("no {from}"));
    frame(&[&payload[..at], to.as_bytes(), &payload[at + from.len()..]].concat())
}

#[test]
fn a_fitting_checksum_is_not_believed() {
    let state = example();
    assert_eq!(
        State::from_bytes(&forged(&state, "\"seconds\":0.1", "\"seconds\":0.1")).unwrap(),
        state
    );
    let version = format!("\"version\":\"{}\"", env!("CARGO_PKG_VERSION"));
    for other in ["0.0.9", "9.0.0"] {
        let message = reason(&forged(
            &state,
            &version,
            &format!("\"version\":\"{other}\""),
        ));
        assert!(
            message.contains(other) && message.contains(env!("CARGO_PKG_VERSION")),
            "{message}"
        );
    }
    for (from, to, why) in [
        ("\"hidden\":[20]", "\"hidden\":[0]", "width"),
        ("\"orders\":[2,4,6]", "\"orders\":[2,4]", "elements are not"),
        ("\"nets\":3001", "\"nets\":6001", "counts of networks"),
        ("\"nets\":3001", "\"nets\":30", "has not"),
        ("\"experiments\":3", "\"experiments\":1", "has not"),
        ("\"seconds\":0.1", "\"seconds\":-1", "time"),
        ("\"seconds\":0.1", "\"seconds\":1e999", "header"),
        ("\"1/3\"", "\"3/3\"", "shard"),
        ("\"inputs\":[[", "\"inputs\":[],\"i\":[[", "inputs"),
        ("\"arch\":\"relu\"", "\"arch\":\"tanh\"", "header"),
        ("max(z,0)", "tanh(z)", "header"),
    ] {
        let message = reason(&forged(&state, from, to));
        assert!(message.contains(why), "{to}: {message}");
    }
    let mut others = [spec("relu", 20), spec("erf", 20), spec("relu", 5)];
    others[2].orders = vec![2];
    let device = CpuEngine::new().device();
    for (other, why) in [(1, "differ in arch"), (2, "differ in orders")] {
        let both = vec![others[0].clone(), others[other].clone()];
        let message = reason(&State::<EnsembleState>::new(both, None, device.clone()).to_bytes());
        assert!(message.contains(why), "{message}");
    }
}

#[test]
fn lengths_are_not_believed() {
    let state: State = State::new(vec![tilted(3)], None, CpuEngine::new().device());
    let bytes = state.to_bytes();
    let payload = &bytes[line_end(&bytes)..];
    let header = line_end(payload);
    // 2^63 accumulators, nodes, numbers in a node: none of it is there.
    let huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
    let node = [&[1, 1, 0, 0, 1][..], &[0; 8], &[1]].concat();
    for start in [&[][..], &[1], &node] {
        let message = reason(&frame(
            &[&payload[..header], start, &huge, &[0; 64]].concat(),
        ));
        assert!(message.contains("damaged"), "{message}");
    }
    // Nothing at all, or more than the header says.
    for body in [&[0][..], &[2, 0, 0, 0, 0], &[1, 0, 0, 7]] {
        assert!(reason(&frame(&[&payload[..header], body].concat())).contains("header"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever happens to a file, it is refused or it is a run that can go on.
    #[test]
    fn no_bytes_panic(
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
        keep_all in any::<bool>(),
        fix in any::<bool>(),
    ) {
        static BYTES: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
        let bytes = BYTES.get_or_init(|| example().to_bytes());
        let start = if fix { line_end(bytes) } else { 0 };
        let mut changed = bytes[start..].to_vec();
        for (at, value) in edits {
            let at = at.index(changed.len());
            changed[at] = value;
        }
        if !keep_all {
            changed.truncate(cut.index(changed.len()));
        }
        if fix {
            changed = frame(&changed);
        }
        if let Ok(state) = State::<EnsembleState>::from_bytes(&changed) {
            for k in 0..state.ensembles.len() {
                let spec = &state.ensembles[k].spec;
                let queue = Queue::resume(spec, state.blocks(k), state.ensembles[k].elements.clone());
                prop_assert_eq!(queue.into_elements(), state.ensembles[k].elements.clone());
            }
        }
    }
}

#[test]
fn a_device_lost_before_its_first_batch_says_so() {
    let spec = EnsembleSpec {
        nets: 200_000,
        ..spec("relu", 20)
    };
    let queue = Queue::new(&spec);
    // The fault strikes from block 64 on.
    assert_eq!(queue.take(64), Some(0..64));
    let mut engine = gpu().with_fault(Fault::DeviceLost);
    let error = engine
        .accumulate(&Plan::new(spec.clone()).unwrap(), &queue)
        .unwrap_err()
        .to_string();
    assert!(error.contains("device lost"), "{error}");
}

#[test]
fn adapters_share_a_run_and_survive_each_other() {
    let spec = EnsembleSpec {
        nets: 200_000,
        ..spec("erf", 20)
    };
    let whole = engine::run(&mut gpu(), &spec, &|_| {}).unwrap();
    let two = |fault: Option<Fault>| {
        let sound = gpu().with_batch_blocks(16);
        let other = gpu().with_batch_blocks(8);
        let other = match fault {
            Some(fault) => other.with_fault(fault),
            None => other,
        };
        let lost = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let list = lost.clone();
        let fleet = Fleet::new(
            vec![Box::new(sound), Box::new(other)],
            move |device, error| {
                let mut list = list.lock().unwrap();
                list.push(format!("{}: {error}", device.adapter));
            },
        );
        (fleet, lost)
    };
    let (mut fleet, lost) = two(None);
    assert!(fleet.device().adapter.starts_with("2 x "));
    assert_eq!(engine::run(&mut fleet, &spec, &|_| {}).unwrap(), whole);
    assert_eq!((fleet.engines(), lost.lock().unwrap().len()), (2, 0));

    let (mut fleet, lost) = two(Some(Fault::DeviceLost));
    assert_eq!(engine::run(&mut fleet, &spec, &|_| {}).unwrap(), whole);
    assert_eq!(fleet.engines(), 1);
    let lost = lost.lock().unwrap().join("\n");
    assert!(lost.contains("device lost"), "{lost}");
    // The next ensemble runs on what is left.
    assert_eq!(engine::run(&mut fleet, &spec, &|_| {}).unwrap(), whole);

    let (mut fleet, _) = two(Some(Fault::OutOfMemory(100)));
    assert_eq!(engine::run(&mut fleet, &spec, &|_| {}).unwrap(), whole);
    assert_eq!(fleet.engines(), 1);
}

#[test]
fn what_a_lost_device_had_finished_is_kept() {
    let spec = EnsembleSpec {
        nets: 100_000,
        ..spec("relu", 20)
    };
    let whole = engine::run(&mut gpu(), &spec, &|_| {}).unwrap();
    let queue = Queue::new(&spec);
    let mut failing = gpu().with_fault(Fault::DeviceLost).with_batch_blocks(16);
    failing
        .accumulate(&Plan::new(spec.clone()).unwrap(), &queue)
        .unwrap_err();
    let kept = queue.into_elements();
    assert!(kept.networks() > 0 && kept.networks() < whole.networks());
    let blocks = 0..BlockPlan::new(&spec).blocks();
    let queue = Queue::resume(&spec, blocks, kept);
    gpu()
        .accumulate(&Plan::new(spec.clone()).unwrap(), &queue)
        .unwrap();
    assert_eq!(queue.into_elements(), whole);
}
