//! Draws of networks: those that ensembles average, in files that NumPy reads.

mod common;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use common::cli::{json, refused, run};
use nnqft_gpu::analysis::correlators;
use nnqft_gpu::engine::cpu::{CpuEngine, draw_networks};
use nnqft_gpu::engine::{self, BlockPlan, Draws, Engine, Form};
use nnqft_gpu::model::{EnsembleSpec, Inputs, Net};
use nnqft_gpu::plan::{Passes, SamplePlan};
use nnqft_gpu::run::{Chunk, Runner, Sample};

/// Reads a .npy file by its published layout: type, shape and values.
fn read(path: &Path) -> (String, Vec<usize>, Vec<f64>) {
    let bytes = fs::read(path).unwrap();
    assert_eq!(&bytes[..8], b"\x93NUMPY\x01\x00");
    let start = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    assert_eq!((start % 64, bytes[start - 1]), (0, b'\n'));
    let header = std::str::from_utf8(&bytes[10..start]).unwrap();
    let after = |key: &str| header.split_once(key).unwrap().1;
    assert!(after("'fortran_order': ").starts_with("False,"), "{header}");
    let descr = after("'descr': '").split_once('\'').unwrap().0.to_string();
    let shape = after("'shape': (").split_once(')').unwrap().0;
    let shape: Vec<usize> = shape.split(", ").map(|n| n.parse().unwrap()).collect();
    let values: Vec<f64> = match &descr[..] {
        "<f4" => (bytes[start..].as_chunks().0.iter())
            .map(|&b| f32::from_le_bytes(b).into())
            .collect(),
        "<f8" => (bytes[start..].as_chunks().0.iter())
            .map(|&b| f64::from_le_bytes(b))
            .collect(),
        other => panic!("{other}"),
    };
    assert_eq!(values.len(), shape.iter().product::<usize>());
    (descr, shape, values)
}

/// Draws a sample into memory, `[network][point][output]`.
fn array(engine: impl Engine + 'static, sample: &Sample) -> Vec<f64> {
    let [networks, points, outputs] = sample.shape();
    let row = (points * outputs) as usize;
    let array = Mutex::new(vec![f64::NAN; networks as usize * row]);
    let sink = |chunk: Chunk| {
        let values: Vec<f64> = match chunk.draws {
            Draws::F32(all) => all.into_iter().map(f64::from).collect(),
            Draws::F64(all) => all,
        };
        let at = chunk.first as usize * row;
        array.lock().unwrap()[at..at + values.len()].copy_from_slice(&values);
        Ok(())
    };
    (sample.draw(&mut Runner::new(Box::new(engine)), &sink)).unwrap();
    array.into_inner().unwrap()
}

/// Specs of every kind: activations with and without code of their own, rays, a progression, units that fill no group and blocks that are short,
/// several outputs, inputs of two dimensions, chunks of units, few networks.
fn specs() -> Vec<EnsembleSpec> {
    let spec = |arch: &str, d_in, width, d_out, nets, experiments| EnsembleSpec {
        nets,
        experiments,
        orders: vec![1, 2, 3, 4],
        seed: 7,
        ..EnsembleSpec::preset(arch, d_in)
            .unwrap()
            .with_width(width)
            .with_d_out(d_out)
    };
    let relu = spec("relu", 1, 20, 2, 700, 3);
    vec![
        relu.clone(),
        relu.clone()
            .with_inputs(Inputs::parse("1;-0.5;0;2;-3").unwrap()),
        relu.with_sigma_b(0.3),
        spec("erf", 2, 37, 1, 1100, 2),
        spec("gauss", 1, 16, 3, 500, 2),
        spec("gauss", 3, 5, 1, 7, 4),
        spec("erf", 1, 4200, 1, 40, 2),
        spec("erf", 1, 1, 1, 3, 5),
        spec("tanh", 2, 18, 2, 300, 2),
        EnsembleSpec {
            net: Net::new("z*exp(-z^2)".parse().unwrap(), 1).with_width(33),
            ..spec("erf", 1, 33, 1, 300, 2)
        },
    ]
}

/// Holds averages of products of draws against the means of an ensemble; they differ by at most
/// `tolerance` in units of the largest product of fields' sizes.
fn averages_are_means(
    spec: &EnsembleSpec,
    draws: &[f64],
    elements: &nnqft_gpu::tensor::Accumulator,
    tolerance: f64,
) {
    let (points, d_out) = (spec.inputs.len(), spec.net.d_out());
    let networks = draws.len() / (points * d_out);
    assert_eq!(networks as u64, spec.networks());
    for c in correlators(spec, elements).unwrap() {
        for (e, mean) in c.mean.iter().enumerate() {
            let output = |k: usize| c.outputs.get(e).map_or(0, |o| o[k]);
            let places: Vec<usize> = (c.indices[e].iter().enumerate())
                .map(|(k, p)| p * d_out + output(k))
                .collect();
            let product = |network: &[f64]| places.iter().map(|&i| network[i]).product::<f64>();
            let products = draws.chunks_exact(points * d_out).map(product);
            let average = products.clone().sum::<f64>() / networks as f64;
            let size = products.map(f64::abs).sum::<f64>() / networks as f64;
            assert!(
                (average - mean).abs() <= tolerance * size,
                "{} order {} element {e}: {average} {mean}",
                spec.net.title(),
                c.order
            );
        }
    }
}

#[test]
fn averages_of_draws_are_the_means_of_the_ensemble() {
    for spec in specs() {
        let draws = array(CpuEngine::new(), &Sample::new(spec.clone(), None).unwrap());
        let elements = engine::run(&mut CpuEngine::new(), &spec, &|_| {}).unwrap();
        // Sums of some thousand terms in f64, in another order.
        averages_are_means(&spec, &draws, &elements, 1e-12);
    }
}

#[test]
fn averages_of_draws_on_the_gpu_are_the_means_of_the_ensemble() {
    for form in [Form::Staged, Form::Looped] {
        for spec in specs() {
            let mut gpu = common::gpu();
            gpu.set_form(Some(form));
            let elements = engine::run(&mut gpu, &spec, &|_| {}).unwrap();
            let draws = array(gpu, &Sample::new(spec.clone(), None).unwrap());
            // Sums of up to 1024 terms in f32, in blocks; draws themselves are rounded.
            averages_are_means(&spec, &draws, &elements, 3e-6);
        }
    }
}

#[test]
fn draws_on_the_gpu_are_those_on_the_cpu() {
    for form in [Form::Staged, Form::Looped] {
        for spec in specs() {
            let sample = Sample::new(spec.clone(), None).unwrap();
            let cpu = array(CpuEngine::new(), &sample);
            for batch in [None, Some(1), Some(3)] {
                let mut gpu = common::gpu();
                gpu.set_form(Some(form));
                if let Some(blocks) = batch {
                    gpu = gpu.with_batch_blocks(blocks);
                }
                let size = (cpu.iter().map(|f| f * f).sum::<f64>() / cpu.len() as f64).sqrt();
                // The tolerance of `compare-cpu` for outputs, per rms of one point; values are up
                // to some ten of them.
                for (i, (a, b)) in cpu.iter().zip(array(gpu, &sample)).enumerate() {
                    let error = (a - b).abs() / (a.abs() + size);
                    assert!(error < 2e-5, "{form:?} {} {i}: {a} {b}", spec.net.title());
                }
            }
        }
    }
}

#[test]
fn networks_come_in_the_order_of_their_numbers() {
    for spec in specs() {
        let draws = array(CpuEngine::new(), &Sample::new(spec.clone(), None).unwrap());
        let (points, d_out) = (spec.inputs.len(), spec.net.d_out());
        let networks = (0..spec.experiments)
            .flat_map(|experiment| draw_networks(&spec, experiment, 0, spec.nets as usize));
        for (drawn, network) in draws.chunks_exact(points * d_out).zip(networks) {
            for (i, value) in drawn.iter().enumerate() {
                let want = network.field[i % d_out * points + i / d_out];
                let size = network.field.iter().fold(0.0f64, |m, f| m.max(f.abs()));
                assert!((value - want).abs() <= 1e-13 * size, "{value} {want}");
            }
        }
    }
}

#[test]
fn fast_paths_change_roundings_only() {
    for spec in specs() {
        let of = |passes| {
            let plan = SamplePlan::with_passes(spec.clone(), passes).unwrap();
            array(CpuEngine::new(), &Sample::of(plan, None).unwrap())
        };
        let (fast, slow) = (of(Passes::ALL), of(Passes::NONE));
        let size = slow.iter().fold(0.0f64, |m, f| m.max(f.abs()));
        for (a, b) in fast.iter().zip(&slow) {
            assert!((a - b).abs() <= 1e-13 * size, "{a} {b}");
        }
    }
}

#[test]
fn many_points_are_drawn_in_pieces() {
    let inputs = (0..3000).map(|p| vec![p as f64 / 3000.0]).collect();
    let spec = EnsembleSpec {
        nets: 300,
        experiments: 2,
        ..EnsembleSpec::preset("erf", 1)
            .unwrap()
            .with_width(7)
            .with_inputs(Inputs::new(inputs).unwrap())
    };
    // Averages of this many points would take more memory than a run may.
    assert!(spec.clone().validate().is_err());
    let sample = Sample::new(spec, None).unwrap();
    assert_eq!(BlockPlan::of_outputs(sample.spec()).size, 16);
    let cpu = array(CpuEngine::new(), &sample);
    let gpu = array(common::gpu(), &sample);
    let size = cpu.iter().fold(0.0f64, |m, f| m.max(f.abs()));
    for (a, b) in cpu.iter().zip(&gpu) {
        assert!((a - b).abs() < 1e-5 * size, "{a} {b}");
    }
}

#[test]
fn the_file_holds_what_the_library_draws_on_either_backend() {
    let folder = tempfile::tempdir().unwrap();
    let options = "--arch relu --width 20 --d-out 2 --nets 500 --experiments 3 --seed 5";
    let spec = EnsembleSpec {
        nets: 500,
        experiments: 3,
        seed: 5,
        ..EnsembleSpec::preset("relu", 1)
            .unwrap()
            .with_width(20)
            .with_d_out(2)
    };
    let sample = Sample::new(spec, None).unwrap();
    for (backend, descr, dtype, want) in [
        ("cpu", "<f8", "float64", array(CpuEngine::new(), &sample)),
        ("gpu", "<f4", "float32", array(common::gpu(), &sample)),
    ] {
        let path = folder.path().join(format!("{backend}.npy"));
        let out = path.to_str().unwrap();
        let mut line: Vec<&str> = options.split(' ').collect();
        line.extend(["--backend", backend, "--out", out, "--json"]);
        let document = json(&[&["sample"], &line[..]].concat());
        assert_eq!(document["schema"], "nnqft.sample/2");
        assert_eq!(document["path"], out);
        assert_eq!(document["shape"], serde_json::json!([1500, 6, 2]));
        assert_eq!(document["dtype"], dtype);
        assert_eq!(document["spec"]["seed"], 5);
        assert_eq!(document["spec"]["orders"], serde_json::json!([]));
        assert_eq!(document["device"]["backend"], backend);
        assert!(document["timing"]["networks_per_s"].as_f64().unwrap() > 0.0);
        let (kind, shape, values) = read(&path);
        assert_eq!((&kind[..], &shape[..]), (descr, &[1500, 6, 2][..]));
        assert_eq!(values, want);
    }
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);
}

#[test]
fn shards_one_after_the_other_are_the_sample() {
    let folder = tempfile::tempdir().unwrap();
    let draw = |name: &str, more: &[&str]| {
        let path = folder.path().join(name);
        let line = "sample --arch erf --width 3 --nets 1000 --experiments 3 --backend cpu --out";
        let line: Vec<&str> = line.split(' ').chain([path.to_str().unwrap()]).collect();
        let output = run(&[&line, more].concat());
        assert!(output.status.success());
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("float64, [network][point][output]"), "{text}");
        read(&path).2
    };
    let whole = draw("whole.npy", &[]);
    let parts = ["0/4", "1/4", "2/4", "3/4"];
    let parts = parts.map(|i| draw(&format!("{}.npy", &i[..1]), &["--shard", i]));
    assert!(parts.iter().all(|part| part.len() < whole.len() / 3));
    assert!(parts.concat() == whole);
}

#[test]
fn what_cannot_be_written_is_refused_before_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    let path = |name: &str| format!("{dir}/{name}");
    let taken = path("taken.npy");
    fs::write(&taken, b"precious").unwrap();
    let few = ["--nets", "20", "--experiments", "1", "--backend", "cpu"];
    let sample = |out: &str, more: &[&str], parts: &[&str]| {
        refused(
            &[&["sample", "--out", out], &few[..4], more].concat(),
            parts,
        );
    };
    let cpu = &few[4..];
    sample("-", cpu, &["--out -", "no pipe"]);
    sample(dir, cpu, &["--out", "folder"]);
    sample("/dev/null", cpu, &["--out /dev/null", "this is none"]);
    sample(&path("draws.txt"), cpu, &["ends in .npy"]);
    sample(&path("none/draws.npy"), cpu, &["cannot be written"]);
    sample(&taken, cpu, &["the file exists", "--force"]);
    let free = path("draws.npy");
    let connected = [cpu, &["--estimator", "connected"]].concat();
    sample(&free, &connected, &["--estimator connected", "direct"]);
    sample(
        &free,
        &[cpu, &["--tilt", "auto"]].concat(),
        &["--tilt auto"],
    );
    sample(
        &free,
        &[cpu, &["--width", "2,3"]].concat(),
        &["--width 2,3"],
    );
    sample(
        &free,
        &[cpu, &["--shard", "0/9"]].concat(),
        &["at most 2 shards"],
    );
    // 4e9 x 1e6 networks x 6 points x 8 bytes, and the header.
    let huge = [
        "sample",
        "--out",
        &free,
        "--nets",
        "4e9",
        "--experiments",
        "1e6",
    ];
    let parts = [
        "192000000000000192 bytes",
        "the disk has room for",
        "--shard",
    ];
    refused(&[&huge[..], cpu].concat(), &parts);
    assert_eq!(fs::read(&taken).unwrap(), b"precious");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    let forced = run(&[&["sample", "--force", "--out", &taken], &few[..]].concat());
    assert!(forced.status.success());
    assert_eq!(read(taken.as_ref()).1, [20, 6, 1]);
}

#[cfg(unix)]
#[test]
fn an_interrupted_sample_leaves_a_shorter_file() {
    let folder = tempfile::tempdir().unwrap();
    for (backend, signal) in [("cpu", "INT"), ("gpu", "TERM")] {
        let path = folder.path().join(format!("{backend}.npy"));
        let part = path.with_extension("npy.part");
        let line = ["--arch", "erf", "--nets", "1e8", "--experiments", "1"];
        let child = Command::new(env!("CARGO_BIN_EXE_nnqft-gpu"))
            .args(["sample", "--backend", backend, "--out"])
            .arg(&path)
            .args(line)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let begin = Instant::now();
        while fs::metadata(&part).map_or(0, |m| m.len()) < 1 << 20 {
            assert!(begin.elapsed() < Duration::from_secs(60), "{backend}");
            std::thread::sleep(Duration::from_millis(5));
        }
        let kill = format!("kill -{signal} {}", child.id());
        assert!(
            Command::new("sh")
                .args(["-c", &kill])
                .status()
                .unwrap()
                .success()
        );
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130), "{backend}");
        assert!(output.stdout.is_empty() && !part.exists());
        let message = String::from_utf8(output.stderr).unwrap();
        let (_, shape, values) = read(&path);
        assert!(shape[0] > 10_000 && shape[0] < 100_000_000, "{shape:?}");
        let place = path.display();
        let sentence = format!(
            "interrupted: {} of 100000000 networks are in {place}\n",
            shape[0]
        );
        assert_eq!(message, sentence);
        // A gap would be zeros.
        assert!(values.iter().all(|f| *f != 0.0));
    }
}
