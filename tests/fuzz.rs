//! Everything that reads what others wrote, given random and damaged bytes: it may refuse, but
//! neither panic nor reserve memory that a length in the data asks for.
//!
//! `PROPTEST_CASES=100000 cargo test --release --test fuzz` looks longer.

// The allocator counts; the product has no unsafe code of this kind.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;
use std::sync::atomic::AtomicBool;

use nnqft_gpu::engine::{self, Engine, Queue, TrainQueue, cpu::CpuEngine};
use nnqft_gpu::model::{
    Activation, EnsembleSpec, Estimator, Inputs, Law, Learning, Net, TrainSpec, TrainingData,
    parse_count,
};
use nnqft_gpu::plan::{Plan, TrainPlan};
use nnqft_gpu::report::{read_moments, write_npz};
use nnqft_gpu::run::{
    EftDocument, EnsembleDocument, FalloffDocument, RgDocument, SymmetryDocument,
};
use nnqft_gpu::state::{Ensemble, Saved, State, TrainState, frame, merge};
use nnqft_gpu::theory::Vertex;
use proptest::prelude::*;
use proptest::sample::Index;
use serde::de::DeserializeOwned;

/// Remembers the largest allocation of each thread.
struct Counting;

thread_local! {
    static LARGEST: Cell<usize> = const { Cell::new(0) };
}

fn note(bytes: usize) {
    // A thread that is ending has no cell any more, and nothing to count.
    let _ = LARGEST.try_with(|largest| largest.set(largest.get().max(bytes)));
}

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        unsafe { System.alloc(layout) }
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }
    unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note(size);
        unsafe { System.realloc(old, layout, size) }
    }
    unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
        unsafe { System.dealloc(old, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Runs a reader on data of `size` bytes; returns what it said.
fn bounded<T>(size: usize, read: impl FnOnce() -> T) -> T {
    LARGEST.set(0);
    let result = read();
    // A parsed number or list takes some tens of bytes where the text has one or two; serde
    // reserves up to 1 MiB on a length's word.
    let bound = 64 * size + (1 << 21);
    let largest = LARGEST.get();
    assert!(
        largest <= bound,
        "{largest} bytes at once for {size} of data"
    );
    result
}

#[test]
fn the_bound_sees_an_allocation_from_a_length() {
    let length = std::hint::black_box(1usize << 24);
    let caught = std::panic::catch_unwind(|| bounded(16, || Vec::<u8>::with_capacity(length)));
    assert!(caught.is_err());
}

/// Damage to a valid file.
#[derive(Debug, Clone)]
enum Damage {
    Flip(Index, u8),
    Truncate(Index),
    /// A piece of the file over another place of it.
    Splice(Index, Index, usize),
    Insert(Index, Vec<u8>),
    /// A length that no file has, in 2, 4 or 8 bytes.
    Length(Index, usize, u64),
    /// The same as decimal text.
    Digits(Index, u64),
}

fn damage() -> impl Strategy<Value = Damage> {
    let index = any::<Index>;
    let length = || prop_oneof![any::<u64>(), Just(u64::MAX), Just(1 << 31), Just(1 << 40)];
    prop_oneof![
        (index(), any::<u8>()).prop_map(|(at, bits)| Damage::Flip(at, bits)),
        index().prop_map(Damage::Truncate),
        (index(), index(), 1usize..64).prop_map(|(from, to, n)| Damage::Splice(from, to, n)),
        (index(), prop::collection::vec(any::<u8>(), 1..32))
            .prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
        (index(), prop::sample::select(vec![2usize, 4, 8]), length())
            .prop_map(|(at, n, length)| Damage::Length(at, n, length)),
        (index(), length()).prop_map(|(at, length)| Damage::Digits(at, length)),
    ]
}

fn apply(bytes: &mut Vec<u8>, damage: &Damage) {
    if bytes.is_empty() {
        return;
    }
    let len = bytes.len();
    match damage {
        Damage::Flip(at, bits) => bytes[at.index(len)] ^= bits,
        Damage::Truncate(at) => bytes.truncate(at.index(len)),
        Damage::Splice(from, to, n) => {
            let (from, to) = (from.index(len), to.index(len));
            let n = (*n).min(len - from).min(len - to);
            bytes.copy_within(from..from + n, to);
        }
        Damage::Insert(at, new) => {
            let at = at.index(len);
            bytes.splice(at..at, new.iter().copied());
        }
        Damage::Length(at, n, length) => {
            let at = at.index(len);
            let n = (*n).min(len - at);
            bytes[at..at + n].copy_from_slice(&length.to_le_bytes()[..n]);
        }
        Damage::Digits(at, length) => {
            // Over the number that is there, if one is.
            let at = at.index(len);
            let digits = bytes[at..]
                .iter()
                .take_while(|b| b.is_ascii_digit())
                .count();
            bytes.splice(at..at + digits, length.to_string().bytes());
        }
    }
}

/// One of the valid files with some damage, or none of them.
fn bytes(valid: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let damaged = (
        prop::sample::select(valid),
        prop::collection::vec(damage(), 0..6),
    )
        .prop_map(|(mut bytes, all)| {
            all.iter().for_each(|damage| apply(&mut bytes, damage));
            bytes
        });
    prop_oneof![9 => damaged, 1 => prop::collection::vec(any::<u8>(), 0..512)]
}

/// Numbers, lists and names as options hold them, and what looks like them.
fn option_text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[-+]?[0-9]{0,20}([.][0-9]{0,6})?(e[-+]?[0-9]{1,4})?[kKMGB_]?",
        "([-0-9.e]{0,6}[,;]){0,8}[-0-9.e]{0,6}",
        prop::sample::select(vec![
            "nan",
            "inf",
            "-inf",
            "1e308",
            "1e-320",
            "18446744073709551616",
            "erf",
            "relu-d3",
            "connected",
            "auto",
            "2,4,6",
            "rademacher,laplace",
            "phase",
            "1,0.5",
            "\u{221e}",
            "\u{0660}",
        ])
        .prop_map(String::from),
        "[^\0@]{0,24}".prop_filter("files have their own test", |s| !s.starts_with('@')),
    ]
}

/// Expressions of an activation, and what looks like them.
fn expression_text() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        4 => prop::sample::select(vec![
            "z", "v", "pi", "e", "(", ")", ",", "+", "-", "*", "/", "^", "exp(", "log(", "log1p(",
            "sqrt(", "sin(", "cos(", "tanh(", "sigmoid(", "erf(", "abs(", "sign(", "step(", "min(",
            "max(", " ", "tanhh(", "z z",
        ])
        .prop_map(String::from),
        1 => "[0-9]{0,3}[.]?[0-9]{0,2}(e-?[0-9]{1,3})?",
        1 => "[^\0]{0,3}",
    ];
    prop::collection::vec(word, 0..24).prop_map(|words| words.concat())
}

fn cases(times: f64) -> ProptestConfig {
    // proptest's own number, PROPTEST_CASES or 256, times what the target can do in a second or two.
    let own = ProptestConfig::default();
    ProptestConfig {
        cases: (f64::from(own.cases) * times) as u32,
        // A failure prints its shortest input, which becomes a test of its own.
        failure_persistence: None,
        ..own
    }
}

proptest! {
    #![proptest_config(cases(10.0))]

    #[test]
    fn numbers_and_names(text in option_text()) {
        bounded(text.len(), || {
            let _ = parse_count(&text);
            let _ = EnsembleSpec::preset(&text, 1);
            let _ = text.parse::<Estimator>();
            let _ = text.parse::<Vertex>();
            let _ = text.parse::<Law>();
        });
        // A preset's name stands for more text than it has.
        if let Ok(inputs) = bounded(text.len(), || Inputs::parse(&text)) {
            prop_assert!(inputs.points().iter().flatten().all(|x| x.is_finite()));
            prop_assert!(inputs.points().iter().all(|x| x.len() == inputs.d_in()));
        }
    }
}

proptest! {
    #![proptest_config(cases(4.0))]

    /// What is taken is a real function that fits f32; what is refused is shown at its place.
    #[test]
    fn activations(text in expression_text()) {
        // Kinks are searched for on a grid of a size of its own.
        match bounded(text.len().max(1 << 12), || text.parse::<Activation>()) {
            Ok(activation) => {
                for z in [-6.0, -1.0, -1e-3, 0.0, 0.5, 2.0, 6.0] {
                    let value = activation.evaluate(z, 1.0);
                    prop_assert!((value as f32).is_finite(), "{activation} at {z}: {value}");
                }
                let again: Activation = activation.expression().parse().unwrap();
                prop_assert_eq!(&again, &activation);
                let net = Net::new(activation, 1);
                let json = serde_json::to_string(&net).unwrap();
                prop_assert_eq!(serde_json::from_str::<Net>(&json).unwrap(), net);
            }
            Err(error) => {
                let shown = error.to_string();
                let carets = shown.lines().last().expect("a sentence, the expression, carets");
                prop_assert!(carets.contains('^'), "{shown}");
            }
        }
    }
}

proptest! {
    #![proptest_config(cases(0.5))]

    /// The whole command line, without a run: `slurm` checks what `ensemble` takes.
    #[test]
    fn command_lines(
        options in prop::collection::vec((
            prop::sample::select(vec![
                "--arch", "--width", "--d-in", "--d-out", "--sigma-w", "--sigma-b", "--inputs",
                "--orders", "--nets", "--experiments", "--estimator", "--seed",
                "--shards", "--retries", "--sbatch", "--activation", "--law-w", "--law-b",
            ]),
            prop_oneof![2 => option_text(), 1 => expression_text()],
        ), 0..4)
    ) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nnqft-gpu"));
        command.args(["slurm", "--shards=2"]);
        for (option, text) in &options {
            if *option != "--shards" {
                command.arg(format!("{option}={text}"));
            }
        }
        let output = command.output().unwrap();
        let message = String::from_utf8_lossy(&output.stderr);
        prop_assert!(matches!(output.status.code(), Some(0 | 2)), "{message}");
    }
}

/// Arrays in each type and order, one in an archive, and text of several flavours.
fn input_files() -> Vec<Vec<u8>> {
    fn npy(version: u8, descr: &str, order: &str, shape: &str, data: &[u8]) -> Vec<u8> {
        let mut header =
            format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}");
        while (header.len() + 13) % 64 != 0 {
            header.push(' ');
        }
        header.push('\n');
        let mut file = b"\x93NUMPY".to_vec();
        file.extend([version, 0]);
        match version {
            1 => file.extend((header.len() as u16).to_le_bytes()),
            _ => file.extend((header.len() as u32).to_le_bytes()),
        }
        file.extend(header.bytes());
        file.extend(data);
        file
    }
    let f64s: Vec<u8> = (1..=6)
        .flat_map(|i| (f64::from(i) / 3.0).to_le_bytes())
        .collect();
    let f32s: Vec<u8> = (1..=6u8).flat_map(|i| f32::from(i).to_le_bytes()).collect();
    let i64s: Vec<u8> = (1..=6i64).flat_map(i64::to_le_bytes).collect();
    let archive = {
        use std::io::Write;
        let stored = zip::write::SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Stored);
        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        zip.start_file("points.npy", stored).unwrap();
        zip.write_all(&npy(1, "<f4", "True", "(3, 2)", &f32s))
            .unwrap();
        zip.finish().unwrap().into_inner()
    };
    vec![
        npy(1, "<f2", "False", "(3, 2)", &f32s[..12]),
        npy(1, "|b1", "False", "(2, 2)", &[0, 1, 1, 0]),
        npy(1, ">u2", "True", "(2, 3)", &f32s[..12]),
        npy(1, "|i1", "False", "()", &[7]),
        archive,
        b"\xef\xbb\xbfsep=;\r\nx;\"y\";\r\n0,5;1;\r\n".to_vec(),
        b"x y\n 1.5D0\t -2 % note\n\n3 4 # more\n".to_vec(),
        b"x;y;\r\n0.5;1;\r\n\"2\";3;\r\n;;\r\n".to_vec(),
        b"a\tb\r1\t2\r3\t4".to_vec(),
        npy(1, "<f8", "False", "(6,)", &f64s),
        npy(1, "<f8", "True", "(3, 2)", &f64s),
        npy(2, "<f4", "False", "(2, 3)", &f32s),
        npy(3, "<i8", "False", "(6, 1)", &i64s),
        b"# points\n0.5, 1\n-1,2e-3\n".to_vec(),
        b"1\n2\n3\n".to_vec(),
        b"\"1\",\"2\"\r\n3,4\r\n".to_vec(),
    ]
}

#[test]
fn the_undamaged_files_are_read() {
    let folder = tempfile::tempdir().unwrap();
    for (i, bytes) in input_files().into_iter().enumerate() {
        let path = folder.path().join("points");
        fs::write(&path, bytes).unwrap();
        let inputs = Inputs::parse(&format!("@{}", path.display()));
        // One of them has decimal commas.
        match inputs {
            Ok(_) => assert_ne!(i, 5),
            Err(e) => assert!(i == 5 && e.to_string().contains("decimal"), "file {i}: {e}"),
        }
    }
}

/// Found by the test below: npyz reserved what the header's length says.
#[test]
fn a_header_of_four_gigabytes_is_refused() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut bytes = input_files().swap_remove(2);
    bytes[8..12].fill(0xff);
    fs::write(file.path(), &bytes).unwrap();
    let text = format!("@{}", file.path().display());
    let message = bounded(bytes.len(), || Inputs::parse(&text)).unwrap_err();
    assert!(
        message.to_string().contains("not a readable .npy"),
        "{message}"
    );
}

/// Found by reading: a document's points did not pass the gate of the command line.
#[test]
fn points_of_a_document_are_checked() {
    for bad in ["[]", "[[]]", "[[1], [1, 2]]", "[[1e999]]"] {
        assert!(serde_json::from_str::<Inputs>(bad).is_err(), "{bad}");
    }
    let inputs = Inputs::parse("1,2;3,4").unwrap();
    let json = serde_json::to_string(&inputs).unwrap();
    assert_eq!(json, "[[1.0,2.0],[3.0,4.0]]");
    assert_eq!(serde_json::from_str::<Inputs>(&json).unwrap(), inputs);
}

proptest! {
    #![proptest_config(cases(6.0))]

    #[test]
    fn files_of_points(bytes in bytes(input_files())) {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), &bytes).unwrap();
        let text = format!("@{}", file.path().display());
        if let Ok(inputs) = bounded(bytes.len(), || Inputs::parse(&text)) {
            prop_assert!(inputs.points().iter().flatten().all(|x| x.is_finite()));
            prop_assert!(inputs.points().iter().all(|x| x.len() == inputs.d_in()));
        }
    }
}

#[test]
#[cfg(unix)]
fn a_file_without_an_end_is_refused() {
    let message = Inputs::parse("@/dev/zero").unwrap_err().to_string();
    assert!(message.contains("larger than"), "{message}");
}

/// What `ensemble --out` leaves: ensemble.json and moments.npz.
static RUN: LazyLock<[Vec<u8>; 2]> = LazyLock::new(|| {
    let mut spec = EnsembleSpec::preset("relu", 1).unwrap();
    spec = spec.with_width(3);
    (spec.nets, spec.experiments) = (64, 2);
    (spec.orders, spec.inputs) = (vec![2, 4], Inputs::parse("1;2").unwrap());
    let spec = spec.validate().unwrap();
    let mut cpu = CpuEngine::new();
    let mut state: State = State::new(vec![spec.clone()], None, cpu.device());
    state.ensembles[0].elements = engine::run(&mut cpu, &spec, &|_| {}).unwrap();
    let document = EnsembleDocument::new(&state, 0).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("moments.npz");
    write_npz(&path, &document).unwrap();
    [
        serde_json::to_vec(&document).unwrap(),
        fs::read(&path).unwrap(),
    ]
});

fn write_run(folder: &Path, [json, npz]: [&[u8]; 2]) {
    fs::write(folder.join("ensemble.json"), json).unwrap();
    fs::write(folder.join("moments.npz"), npz).unwrap();
}

#[test]
fn the_undamaged_run_is_read() {
    let folder = tempfile::tempdir().unwrap();
    write_run(folder.path(), [&RUN[0], &RUN[1]]);
    let (spec, ..) = read_moments(folder.path()).unwrap();
    assert_eq!(spec.nets, 64);
}

proptest! {
    #![proptest_config(cases(3.0))]

    #[test]
    fn runs_read_back_from_json(json in bytes(vec![RUN[0].clone()])) {
        let folder = tempfile::tempdir().unwrap();
        write_run(folder.path(), [&json, &RUN[1]]);
        let size = json.len() + RUN[1].len();
        let _ = bounded(size, || read_moments(folder.path()));
    }

    #[test]
    fn runs_read_back_from_arrays(npz in bytes(vec![RUN[1].clone()])) {
        let folder = tempfile::tempdir().unwrap();
        write_run(folder.path(), [&RUN[0], &npz]);
        let size = RUN[0].len() + npz.len();
        if let Ok((_, interactions, _)) = bounded(size, || read_moments(folder.path())) {
            prop_assert!(interactions.four.mean.iter().all(|x| x.is_finite()));
        }
    }

    /// Any spec that passes the gate can be counted and described.
    #[test]
    fn specs_read_from_json(json in bytes(vec![spec_json()])) {
        let spec = bounded(json.len(), || serde_json::from_slice::<EnsembleSpec>(&json));
        if let Some(spec) = spec.ok().and_then(|spec| spec.validate().ok()) {
            prop_assert!(spec.elements() > 0);
            prop_assert_eq!(spec.inputs.d_in(), spec.net.d_in());
        }
    }
}

fn spec_json() -> Vec<u8> {
    let document: serde_json::Value = serde_json::from_slice(&RUN[0]).unwrap();
    serde_json::to_vec(&document["spec"]).unwrap()
}

/// A document of each command whose results `reproduce` reads back.
fn documents() -> Vec<Vec<u8>> {
    let commands: [&[&str]; 4] = [
        &[
            "falloff", "--width", "2,3", "--nets", "64", "--inputs", "1;2", "--orders", "2,4",
        ],
        &[
            "eft",
            "--arch",
            "gauss",
            "--vertex",
            "weight",
            "--moments",
            "exact",
            "--cutoffs",
            "5,inf",
            "--inputs",
            "1;2",
        ],
        &[
            "rg",
            "--arch",
            "relu",
            "--moments",
            "exact",
            "--cutoffs",
            "5,10",
            "--inputs",
            "1;2",
        ],
        &[
            "symmetry", "--arch", "relu", "--d-out", "1,2", "--nets", "64", "--inputs", "1;2",
        ],
    ];
    (commands.iter())
        .map(|arguments| {
            let output = Command::new(env!("CARGO_BIN_EXE_nnqft-gpu"))
                .args(*arguments)
                .arg("--json")
                .args(match arguments[0] {
                    "falloff" | "symmetry" => &["--backend", "cpu"][..],
                    _ => &[],
                })
                .output()
                .unwrap();
            let message = String::from_utf8_lossy(&output.stderr);
            assert!(!output.stdout.is_empty(), "{arguments:?}: {message}");
            output.stdout
        })
        .collect()
}

static DOCUMENTS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(documents);

/// Reads a document; one that was accepted can be written again.
fn read_document<T: DeserializeOwned + serde::Serialize>(bytes: &[u8]) -> bool {
    let read = bounded(bytes.len(), || serde_json::from_slice::<T>(bytes));
    read.map(|document| serde_json::to_string(&document).unwrap())
        .is_ok()
}

#[test]
fn the_undamaged_documents_are_read() {
    assert!(read_document::<FalloffDocument>(&DOCUMENTS[0]));
    assert!(read_document::<EftDocument>(&DOCUMENTS[1]));
    assert!(read_document::<RgDocument>(&DOCUMENTS[2]));
    assert!(read_document::<SymmetryDocument>(&DOCUMENTS[3]));
}

proptest! {
    #![proptest_config(cases(3.0))]

    #[test]
    fn documents_read_back(json in bytes(DOCUMENTS.clone())) {
        read_document::<FalloffDocument>(&json);
        read_document::<EftDocument>(&json);
        read_document::<RgDocument>(&json);
        read_document::<SymmetryDocument>(&json);
    }
}

/// State files: a whole run, one that has not begun, and one that has come half of the way.
fn states() -> Vec<Vec<u8>> {
    let mut spec = EnsembleSpec::preset("relu", 1).unwrap();
    spec = spec.with_width(3);
    (spec.nets, spec.experiments) = (640, 2);
    (spec.orders, spec.inputs) = (vec![2], Inputs::parse("1;2").unwrap());
    let spec = spec.validate().unwrap();
    let mut cpu = CpuEngine::new();
    let state: State = State::new(vec![spec.clone()], None, cpu.device());
    let all = state.blocks(0);
    [all.start..all.start, all.start..all.end / 2, all]
        .map(|blocks| {
            let queue = Queue::resume(&spec, blocks, Default::default());
            cpu.accumulate(&Plan::new(spec.clone()).unwrap(), &queue)
                .unwrap();
            let mut state = state.clone();
            state.ensembles[0].elements = queue.into_elements();
            state.to_bytes()
        })
        .to_vec()
}

/// State files of trainings: a whole one with a check, and one of many that has come half of the way of the first.
fn trainings() -> Vec<Vec<u8>> {
    let ensemble = EnsembleSpec {
        nets: 512,
        experiments: 1,
        ..EnsembleSpec::preset("tanh", 1)
            .unwrap()
            .with_width(2)
            .with_inputs(Inputs::parse("0.5").unwrap())
    };
    let data = TrainingData::parse("-1=0.5").unwrap();
    let mut spec = TrainSpec::new(ensemble, data, vec![1]);
    spec.ensemble.orders = vec![1];
    let direct = spec.clone();
    (spec.ensemble.estimator, spec.train) = (Estimator::Connected, Learning::Readout);
    let mut cpu = CpuEngine::new();
    let mut train = |spec: TrainSpec, cohorts: usize, left: u64| {
        let spec = spec.validate().unwrap();
        let mut state = State::<TrainState>::new(vec![spec.clone()], None, cpu.device());
        let plans = TrainPlan::new(spec).unwrap().cohorts().unwrap();
        for (c, (_, plan)) in plans.iter().take(cohorts).enumerate() {
            let all = state.blocks(0, c);
            let stop = AtomicBool::new(false);
            let queue = TrainQueue::resume(
                &plan.spec().ensemble,
                all.start..all.end - left,
                state.ensembles[0].trained[c].clone(),
                &|_| {},
                &stop,
            );
            cpu.train(plan, &queue, &|| false).unwrap();
            state.ensembles[0].trained[c] = queue.trained();
        }
        state.to_bytes()
    };
    vec![train(spec, 3, 0), train(direct, 1, 17)]
}

static STATES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| [states(), trainings()].concat());

/// What is accepted is a run that can be looked at, saved and merged.
fn read_state(bytes: &[u8]) -> bool {
    match bounded(bytes.len(), || Saved::from_bytes(bytes)) {
        Ok(Saved::Ensemble(state)) => {
            let ensembles = 0..state.ensembles.len();
            let missing = ensembles.map(|k| state.missing(k).len()).sum::<usize>();
            look_at(state, missing);
            true
        }
        Ok(Saved::Train(state)) => {
            let of = |(k, c): (usize, usize)| {
                let trained = &state.ensembles[k].trained[c];
                trained.missing(state.blocks(k, c)).len()
            };
            let cohorts = |k: usize| state.ensembles[k].trained.len();
            let all = (0..state.ensembles.len()).flat_map(|k| (0..cohorts(k)).map(move |c| (k, c)));
            let missing = all.map(of).sum::<usize>();
            look_at(state, missing);
            true
        }
        Ok(other) => panic!("{other:?}"),
        Err(_) => false,
    }
}

fn look_at<E: Ensemble>(state: State<E>, missing: usize) {
    let (done, all) = state.networks();
    assert!(
        done <= all
            && (missing == 0) == (done == all)
            && state.lacks().is_empty() == (missing == 0),
        "{done} of {all}, {missing}"
    );
    // NaN is not itself, but its bytes are.
    let bytes = state.to_bytes();
    let again = State::<E>::from_bytes(&bytes).unwrap();
    assert_eq!(again.to_bytes(), bytes);
    let _ = merge(vec![("a".into(), state.clone()), ("b".into(), state)]);
}

#[test]
fn the_undamaged_states_are_read() {
    assert!(STATES.iter().all(|bytes| read_state(bytes)));
}

/// Without the first line, which has the checksum.
fn payloads() -> Vec<Vec<u8>> {
    (STATES.iter())
        .map(|bytes| {
            let line = bytes.iter().position(|&b| b == b'\n').unwrap();
            bytes[line + 1..].to_vec()
        })
        .collect()
}

proptest! {
    #![proptest_config(cases(3.0))]

    #[test]
    fn state_files(bytes in bytes(STATES.clone())) {
        read_state(&bytes);
    }

    /// Damage that the checksum does not see, as of a hand that mends it.
    #[test]
    fn state_files_with_a_right_checksum(payload in bytes(payloads())) {
        read_state(&frame(&payload));
    }
}
