//! How far from the machine's limit: `cargo bench --bench limits`.
//!
//! Counts the operations of a run, stage by stage as the code has them, measures its rate (that
//! of 3 x 10^6 further networks, without what it takes to start) and, in the same minute, the
//! machine's peak of multiplications and additions, and prints the fraction reached. Every
//! addition, multiplication, comparison, selection, conversion and bit operation counts as one, a
//! fused multiply-add as two, a division or a root as one: neither memory nor the slowness of
//! divisions, conversions and integers is allowed for.

use std::time::Instant;

use nnqft_gpu::engine::cpu::CpuEngine;
use nnqft_gpu::engine::gpu::GpuEngine;
use nnqft_gpu::engine::{self, DeviceKind, Engine};
use nnqft_gpu::model::{Builtin, EnsembleSpec, source_nets};
use nnqft_gpu::plan::{Parameters, Plan, Progression, Rays};
use rayon::prelude::*;

/// One ChaCha8 word: 4 double rounds of 8 quarter rounds of 12 operations, and 16 additions,
/// for 16 words.
const WORD: f64 = (4.0 * 8.0 * 12.0 + 16.0) / 16.0;
/// One normal: half a logarithm, root, sine and cosine, and two products.
const NORMAL: f64 = (27.0 + 1.0 + 32.0 + 2.0) / 2.0;
/// The same by the shaders' shorter series.
const NORMAL_F32: f64 = (26.0 + 1.0 + 28.0 + 2.0) / 2.0;

/// Operations of the activation: of the shaders, and of the f64 engine's longer series.
fn activation(builtin: Builtin, gpu: bool) -> f64 {
    match (builtin, gpu) {
        (Builtin::Relu, _) => 1.0,
        (Builtin::Erf, true) => 2.0 + 2.0 + 7.0 + 9.0 + 2.0,
        (Builtin::Erf, false) => 2.0 + 1.0 + 50.0 + 2.0,
        (Builtin::ExpNormalised, true) => 15.0,
        (Builtin::ExpNormalised, false) => 2.0 + 2.0 + 1.0 + 4.0 + 22.0 + 2.0 + 2.0,
        (other, _) => panic!("count the operations of {other:?}"),
    }
}

struct Operations {
    words: f64,
    normals: f64,
    hidden: f64,
    moments: f64,
}

/// Operations of one network of the direct estimator with one output.
fn operations(spec: &EnsembleSpec, gpu: bool) -> Operations {
    let (n, points, d_in) = (
        spec.net.width() as f64,
        Rays::of(spec).points.len() as f64,
        spec.net.d_in() as f64,
    );
    let biased = f64::from(u8::from(spec.net.first().sigma_b != 0.0));
    let numbers = n * (d_in + biased + 1.0) + biased;
    let builtin = (spec.net.builtin()).expect("the nets of the source have code of their own");
    let gauss = builtin == Builtin::ExpNormalised;
    let linear = 2.0 * d_in - 1.0 + biased + f64::from(u8::from(gauss));
    let act = activation(builtin, gpu);
    let unit = match gauss && Progression::of(&Parameters::new(spec)).is_some() {
        true => 2.0 * (linear + act) + 2.0 * (points - 1.0),
        false => points * (linear + act),
    };
    let compiled = Plan::new(spec.clone()).unwrap();
    let measurement = compiled.measurement();
    let plan = measurement.moments();
    let elements = plan.elements().len() as f64;
    Operations {
        words: numbers * WORD,
        normals: numbers * if gpu { NORMAL_F32 } else { NORMAL },
        hidden: n * (biased + unit + 2.0 * points),
        moments: plan.products().len() as f64 + 2.0 * elements,
    }
}

#[multiversion::multiversion(targets(
    "x86_64+avx512f+avx512dq+avx512vl+avx2+fma",
    "x86_64+avx2+fma",
    "aarch64+neon"
))]
fn chains<const LANES: usize>(seed: f64, steps: u32) -> f64 {
    let mut x: [f64; LANES] = std::array::from_fn(|l| seed + l as f64 * 1e-3);
    let fused = cfg!(target_arch = "aarch64")
        || multiversion::target::target_cfg_f!(target_feature = "fma");
    for _ in 0..steps {
        for x in &mut x {
            *x = if fused {
                x.mul_add(0.999, 0.001)
            } else {
                *x * 0.999 + 0.001
            };
        }
    }
    x.iter().sum()
}

/// f64 operations per second of all cores: the best of several numbers of chains, as too few
/// wait for each other and too many do not fit the registers.
fn cpu_peak() -> f64 {
    [
        chains::<32>,
        chains::<40>,
        chains::<48>,
        chains::<64>,
        chains::<128>,
    ]
    .into_iter()
    .zip([32, 40, 48, 64, 128])
    .map(|(chains, lanes)| rate(chains, lanes))
    .fold(0.0, f64::max)
}

fn rate(chains: fn(f64, u32) -> f64, lanes: u64) -> f64 {
    let (jobs, steps) = (8 * rayon::current_num_threads() as u64, 500_000);
    let best = (0..5).map(|_| {
        let start = Instant::now();
        let sum: f64 = (0..jobs)
            .into_par_iter()
            .map(|j| chains(j as f64, steps))
            .sum();
        assert!(sum.is_finite());
        (jobs * u64::from(steps) * lanes * 2) as f64 / start.elapsed().as_secs_f64()
    });
    best.fold(0.0, f64::max)
}

fn report(engine: &mut dyn Engine, peak: f64) {
    let gpu = engine.device().backend == DeviceKind::Gpu;
    println!(
        "\n{} ({}): peak {:.1} G operations/s",
        engine.device().adapter,
        engine.device().backend,
        peak / 1e9
    );
    println!("                       operations per network                    of peak");
    println!("            words    normals   hidden   moments   networks/s");
    for width in [2, 100] {
        for arch in source_nets() {
            let spec = |nets| {
                let preset = EnsembleSpec::preset(arch, 1).unwrap();
                let spec = EnsembleSpec {
                    nets,
                    ..preset.with_width(width)
                };
                spec.validate().unwrap()
            };
            let (short, long) = (spec(100_000), spec(400_000));
            let networks = (long.nets - short.nets) as f64 * f64::from(long.experiments);
            let rate = networks / (run(engine, &long) - run(engine, &short));
            let o = operations(&long, gpu);
            let all = o.words + o.normals + o.hidden + o.moments;
            println!(
                "{:5} N={width:<3} {:8.0} {:9.0} {:8.0} {:9.0} {rate:12.3e} {:6.1} %",
                arch.to_string(),
                o.words,
                o.normals,
                o.hidden,
                o.moments,
                100.0 * rate * all / peak,
            );
        }
    }
}

/// Seconds of a run whose shaders are in the driver's cache.
fn run(engine: &mut dyn Engine, spec: &EnsembleSpec) -> f64 {
    engine::run(engine, spec, &|_| {}).unwrap();
    let start = Instant::now();
    engine::run(engine, spec, &|_| {}).unwrap();
    start.elapsed().as_secs_f64()
}

fn seconds(engine: &mut dyn Engine, width: u64, nets: u64, experiments: u32) -> f64 {
    let spec = EnsembleSpec {
        nets,
        experiments,
        ..EnsembleSpec::preset("relu", 1).unwrap().with_width(width)
    }
    .validate()
    .unwrap();
    run(engine, &spec)
}

/// Cost per hidden unit from 10^4 to 10^9 of them, and of few wide networks.
fn scaling(engine: &mut dyn Engine) {
    println!("\nnetworks x width      seconds   ns per hidden unit (relu)");
    for (nets, width) in [
        (100, 100),
        (1_000, 100),
        (10_000, 100),
        (100_000, 100),
        (1_000_000, 100),
        (10_000_000, 100),
        (1_000, 1_000_000),
        (100_000, 10_000),
    ] {
        let took = seconds(engine, width, nets, 1);
        let units = (nets * width) as f64;
        println!(
            "{nets:9} x {width:<8} {took:9.4} {:12.2}",
            took / units * 1e9
        );
    }
}

fn main() {
    let mut cpu = CpuEngine::new();
    report(&mut cpu, cpu_peak());
    scaling(&mut cpu);
    match GpuEngine::new(None) {
        Ok(mut engine) => {
            // A multiplication and an addition are two operations.
            let peak = 2.0 * engine.peak().expect("an adapter").multiply_adds_per_s;
            report(&mut engine, peak);
            scaling(&mut engine);
            println!("\nblocks per batch    seconds (10 x 10^5 ReLU-nets, N = 100)");
            for blocks in [8, 32, 128, 512] {
                let mut engine = GpuEngine::new(None).unwrap().with_batch_blocks(blocks);
                println!(
                    "{blocks:16} {:10.3}",
                    seconds(&mut engine, 100, 100_000, 10)
                );
            }
        }
        Err(error) => println!("\nno GPU: {error}"),
    }
}
