//! The engines against each other, network by network, and against themselves under any
//! split of the work.

mod common;

use common::gpu;
use nnqft_gpu::engine::cpu::{CpuEngine, draw_networks};
use nnqft_gpu::engine::{self, BlockPlan, Engine, Form, Queue};
use nnqft_gpu::model::{EnsembleSpec, Estimator, Inputs, source_nets};
use nnqft_gpu::plan::Plan;
use nnqft_gpu::{tensor, theory};

fn spec(arch: &str, d_in: usize, width: u64) -> EnsembleSpec {
    EnsembleSpec {
        nets: 3001,
        experiments: 2,
        seed: 0xfeed_0000_0000_0007,
        ..EnsembleSpec::preset(arch, d_in)
            .unwrap()
            .with_width(width)
            .with_sigma_w(1.3)
            .with_sigma_b(0.6)
    }
    .validate()
    .unwrap()
}

/// The three ways to reduce a network: outputs, covariance, covariance of a tilted one.
fn variants(spec: EnsembleSpec) -> [EnsembleSpec; 3] {
    let connected = EnsembleSpec {
        estimator: Estimator::Connected,
        ..spec.clone()
    };
    // Any shifts are legitimate for any net; Gauss-net's would be chosen for it.
    let tilt = theory::tilt(&spec.clone().with_net_named("gauss").unwrap());
    let tilted = EnsembleSpec {
        tilt,
        ..connected.clone()
    };
    [spec, connected, tilted].map(|s| s.validate().unwrap())
}

#[test]
fn every_network_is_the_same_on_gpu_and_cpu() {
    let gpu = gpu();
    for arch in source_nets() {
        // Widths around the groups of 16 and the chunks of 4096 hidden units.
        for (d_in, width) in [
            (1, 1),
            (1, 2),
            (2, 5),
            (3, 16),
            (1, 31),
            (2, 100),
            (3, 1000),
            (1, 5003),
            (2, 8192),
        ] {
            for spec in variants(spec(arch, d_in, width)) {
                let plan = BlockPlan::new(&spec);
                // The first block, and the short last one of the second experiment.
                for number in [0, plan.blocks() - 1] {
                    let block = plan.block(number);
                    let count = if width > 1000 {
                        8
                    } else {
                        block.networks as usize
                    };
                    let got = gpu.draw_networks(&spec, number).unwrap();
                    assert_eq!(got.len(), block.networks as usize);
                    let want = draw_networks(&spec, block.experiment, block.first, count);
                    for (n, (got, want)) in got.iter().zip(&want).enumerate() {
                        // Outputs are of order sqrt(vb + vw) ~ 1.4, D of order 1.7 /
                        // sqrt(N): N terms, each good to a few 2^-24 of itself, in sums
                        // of 16 and 256. Terms of D are squares, in sums of 1024 quads.
                        let (unit, tolerance) = match spec.estimator == Estimator::Direct {
                            true => (1.4, 1e-5),
                            false => (1.7 / (width as f64).sqrt(), 4e-5),
                        };
                        let size = want.field.iter().fold(unit, |a: f64, f| a.max(f.abs()));
                        for (got, want) in got.field.iter().zip(&want.field) {
                            assert!(
                                (got - want).abs() < tolerance * size,
                                "{arch} d_in {d_in} width {width} {} network {n}: {got} {want}",
                                spec.estimator
                            );
                        }
                        // Exponents of up to 100, to a few 2^-24 of themselves.
                        let weights = (got.weight, want.weight);
                        assert!((weights.0 / weights.1 - 1.0).abs() < 5e-5, "{weights:?}");
                        assert_eq!(want.weight == 1.0, spec.tilt.is_none());
                    }
                }
            }
        }
    }
}

/// Accumulates in pieces of the given lengths, last piece first, and merges.
fn in_pieces(engine: &mut dyn Engine, spec: &EnsembleSpec, piece: u64) -> Vec<f64> {
    let blocks = BlockPlan::new(spec).blocks();
    let mut all = nnqft_gpu::tensor::Accumulator::new();
    for part in (0..blocks.div_ceil(piece)).rev() {
        let first = part * piece;
        let range = first..(first + piece).min(blocks);
        let queue = Queue::resume(spec, range, Default::default());
        engine
            .accumulate(&Plan::new(spec.clone()).unwrap(), &queue)
            .unwrap();
        all.merge(queue.into_elements());
    }
    assert_eq!(all.networks(), spec.nets * u64::from(spec.experiments));
    let total = all.total().unwrap();
    [total.mean.clone(), total.std_err().unwrap()].concat()
}

#[test]
fn gpu_bits_do_not_depend_on_the_split() {
    let [_, connected, tilted] = variants(spec("gauss", 1, 37));
    for spec in [spec("erf", 1, 2), spec("relu", 1, 5000), connected, tilted] {
        // One engine, which compiles once.
        let mut engine = gpu();
        let whole = in_pieces(&mut engine, &spec, 1_000_000);
        assert_eq!(whole, in_pieces(&mut engine, &spec, 5));
        for batch in [1, 3, 50] {
            engine = engine.with_batch_blocks(batch);
            assert_eq!(
                whole,
                in_pieces(&mut engine, &spec, 1_000_000),
                "batch {batch}"
            );
        }
    }
}

#[test]
fn drawing_and_summing_in_one_shader_changes_roundings_only() {
    let few = EnsembleSpec {
        // Blocks of 7 networks, which start anywhere among the 16 of a tail.
        nets: 7,
        experiments: 40,
        ..spec("erf", 1, 5)
    };
    let outputs = spec("relu", 1, 3).with_d_out(2);
    // Full groups alone, tails alone, both; neither bias nor tail.
    let mut specs = vec![few, outputs];
    specs.extend(variants(spec("gauss", 1, 37)));
    specs.push(spec("relu", 3, 32).with_sigma_b(0.0));
    for spec in specs {
        let spec = EnsembleSpec {
            orders: match spec.estimator == Estimator::Direct {
                true => vec![1, 2],
                false => vec![2],
            },
            ..spec
        };
        let run = |form, batch| {
            let mut gpu = gpu().with_batch_blocks(batch);
            gpu.set_form(Some(form));
            engine::run(&mut gpu, &spec, &|_| {}).unwrap()
        };
        let (staged, fused) = (run(Form::Staged, 50), run(Form::Fused, 50));
        let (want, got) = (staged.total().unwrap(), fused.total().unwrap());
        let errors = want.std_err().unwrap();
        for (e, error) in errors.iter().enumerate() {
            // Terms are the same; f32 adds them in another order.
            let difference = (got.mean[e] - want.mean[e]).abs();
            assert!(difference <= 1e-3 * error, "{spec:?}, element {e}");
        }
        let heaviest = |run: &tensor::Accumulator| -> Vec<_> {
            let all = run.extremes().iter();
            all.map(|x| (x.experiment, x.network)).take(3).collect()
        };
        assert_eq!(heaviest(&staged), heaviest(&fused), "{spec:?}");
        assert_eq!(
            got.mean,
            run(Form::Fused, 3).total().unwrap().mean,
            "{spec:?}"
        );
    }
}

#[test]
fn cpu_bits_do_not_depend_on_the_split_or_the_threads() {
    let spec = spec("erf", 2, 20);
    let whole = in_pieces(&mut CpuEngine::new(), &spec, 1_000_000);
    assert_eq!(whole, in_pieces(&mut CpuEngine::new(), &spec, 7));
    for threads in [1, 3] {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        let again = pool.install(|| in_pieces(&mut CpuEngine::new(), &spec, 1_000_000));
        assert_eq!(whole, again, "{threads} threads");
    }
}

#[test]
fn the_engines_measure_the_same_tensors() {
    for arch in source_nets() {
        for mut spec in variants(spec(arch, 2, 10)) {
            if spec.estimator == Estimator::Direct {
                spec.orders = vec![1, 2, 3, 4, 5, 6];
            }
            let spec = spec.validate().unwrap();
            let run = |engine: &mut dyn Engine| engine::run(engine, &spec, &|_| {}).unwrap();
            let (cpu, gpu) = (run(&mut CpuEngine::new()), run(&mut gpu()));
            let (c, g) = (cpu.total().unwrap(), gpu.total().unwrap());
            for ((cpu, gpu), error) in c.mean.iter().zip(&g.mean).zip(c.std_err().unwrap()) {
                // Rounding must be invisible beside the statistical error of 6000 networks.
                assert!(
                    (cpu - gpu).abs() < 1e-3 * error,
                    "{arch}: {cpu} {gpu} +- {error}"
                );
            }
            same_extremes(cpu.extremes(), gpu.extremes());
        }
    }
}

/// Both engines find the same heaviest networks, but for ties to rounding.
fn same_extremes(cpu: &[tensor::Extreme], gpu: &[tensor::Extreme]) {
    assert_eq!(cpu.len(), gpu.len());
    for (c, g) in cpu.iter().zip(gpu) {
        assert!((c.score / g.score - 1.0).abs() < 1e-4);
        if (c.experiment, c.network) == (g.experiment, g.network) {
            assert!((c.weight / g.weight - 1.0).abs() < 1e-4);
            for (a, b) in c.field.iter().zip(&g.field) {
                assert!((a - b).abs() < 1e-4 * c.score.sqrt(), "{a} {b}");
            }
        }
    }
    let same = cpu
        .iter()
        .zip(gpu)
        .filter(|(c, g)| c.network == g.network)
        .count();
    assert!(same * 10 > cpu.len() * 9, "{same} of {}", cpu.len());
}

#[test]
fn many_elements_are_cut_into_several_pipelines() {
    let inputs = (1..=8).map(|i| vec![0.1 * f64::from(i)]).collect();
    let spec = EnsembleSpec {
        inputs: Inputs::new(inputs).unwrap(),
        orders: vec![1, 2, 5, 6],
        nets: 500,
        ..spec("relu", 1, 3)
    }
    .validate()
    .unwrap();
    assert!(spec.elements() > 1024);
    let total = |engine: &mut dyn Engine| {
        engine::run(engine, &spec, &|_| {})
            .unwrap()
            .total()
            .unwrap()
    };
    let (cpu, gpu) = (total(&mut CpuEngine::new()), total(&mut gpu()));
    for ((cpu, gpu), error) in cpu.mean.iter().zip(&gpu.mean).zip(cpu.std_err().unwrap()) {
        assert!((cpu - gpu).abs() < 1e-3 * error, "{cpu} {gpu} +- {error}");
    }
}

#[test]
fn the_unit_of_the_field_does_not_matter_to_f32() {
    // f^6 is 10^-120 or 10^120 here, far outside f32: the GPU works with f / scale.
    for unit in [1e-10, 1e10] {
        let spec = |unit: f64| EnsembleSpec {
            inputs: Inputs::new(vec![vec![0.5], vec![-1.0]]).unwrap(),
            ..spec("relu", 1, 10).with_sigma_w(unit).with_sigma_b(0.0)
        };
        // ReLU-net without bias is homogeneous: f scales with sigma_w^2.
        let mean = |unit| {
            let spec = spec(unit).validate().unwrap();
            engine::run(&mut gpu(), &spec, &|_| {})
                .unwrap()
                .total()
                .unwrap()
                .mean
        };
        let indices = Plan::new(spec(1.0))
            .unwrap()
            .measurement()
            .tuples()
            .points
            .clone();
        for ((scaled, plain), index) in mean(unit).iter().zip(mean(1.0)).zip(indices) {
            let ratio = scaled / unit.powi(2 * index.len() as i32) / plain;
            assert!((ratio - 1.0).abs() < 1e-4, "{index:?} {ratio}");
        }
    }
}
