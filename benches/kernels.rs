//! Stages of the f64 engine, one by one: `cargo bench --bench kernels`.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use nnqft_gpu::engine::BlockPlan;
use nnqft_gpu::engine::cpu::moments::Blocks;
use nnqft_gpu::engine::cpu::networks::{Networks, TILE};
use nnqft_gpu::model::activation::Tape;
use nnqft_gpu::model::{EnsembleSpec, Estimator, source_nets};
use nnqft_gpu::plan::Plan;
use nnqft_gpu::stream::Words;
use nnqft_gpu::stream::normals;
use nnqft_gpu::tensor::{MomentPlan, MomentSums, ROW};

fn spec(arch: &str, width: u64, estimator: Estimator) -> EnsembleSpec {
    EnsembleSpec {
        estimator,
        nets: 1 << 20,
        ..EnsembleSpec::preset(arch, 1).unwrap().with_width(width)
    }
    .validate()
    .unwrap()
}

fn draws(c: &mut Criterion) {
    let mut words = [0; 4096];
    let mut numbers = [0.0; 4096];
    let mut group = c.benchmark_group("draws");
    group.throughput(Throughput::Elements(4096));
    group.bench_function("words", |b| {
        let mut stream = Words::new(1, 2, 3);
        b.iter(|| stream.fill(black_box(&mut words)));
    });
    group.bench_function("normals", |b| {
        b.iter(|| normals(black_box(&words), &mut numbers));
    });
    group.finish();
}

fn networks(c: &mut Criterion) {
    let mut group = c.benchmark_group("networks");
    group.throughput(Throughput::Elements(TILE as u64));
    for estimator in [Estimator::Direct, Estimator::Connected] {
        for arch in source_nets() {
            for width in [2, 96, 100] {
                let mut networks =
                    Networks::new(Plan::new(spec(arch, width, estimator)).unwrap().drawn());
                let mut fields = vec![[0.0; TILE]; networks.fields()];
                let mut tile = 0;
                group.bench_function(format!("{estimator} {arch} N={width}"), |b| {
                    b.iter(|| {
                        tile += 1;
                        networks.draw(0, tile, black_box(&mut fields))
                    });
                });
            }
        }
    }
    group.finish();
}

/// Hidden units of Erf-net, and with the operations of a tape in the place of erf.
fn activations(c: &mut Criterion) {
    let mut group = c.benchmark_group("activations");
    let width = 96;
    group.throughput(Throughput::Elements(width * TILE as u64));
    let plan = Plan::new(spec("erf", width, Estimator::Direct)).unwrap();
    let tapes = [
        "erf(z)",
        "tanh(z)",
        "sin(z)",
        "z*(1+erf(z/sqrt(2)))/2",
        "z*sigmoid(z)",
        "softplus(z)",
        "max(z,0)+0.01*min(z,0)",
        "abs(z)^1.7",
        "z",
    ];
    let of_tape = |text: &&'static str| {
        let tape = Tape::compile(&text.parse().unwrap()).unwrap();
        let networks = Networks::with_tape(plan.drawn(), &tape);
        (format!("tape {text}"), networks)
    };
    let written = ("erf".to_string(), Networks::new(plan.drawn()));
    for (name, mut networks) in std::iter::once(written).chain(tapes.iter().map(of_tape)) {
        let mut fields = vec![[0.0; TILE]; networks.fields()];
        let mut tile = 0;
        group.bench_function(name, |b| {
            b.iter(|| {
                tile += 1;
                networks.draw(0, tile, black_box(&mut fields))
            });
        });
    }
    group.finish();
}

fn moments(c: &mut Criterion) {
    let mut group = c.benchmark_group("moments");
    group.throughput(Throughput::Elements(ROW as u64));
    for (name, points, orders) in [
        ("direct, 6 points, orders 2,4,6", 6, &[2, 4, 6][..]),
        ("connected, 6 points, orders 1,2,3", 21, &[1, 2, 3]),
    ] {
        let plan = MomentPlan::new(points, orders);
        let fields = vec![[0.7; ROW]; points];
        let mut sums = MomentSums::new(&plan);
        group.bench_function(name, |b| b.iter(|| sums.add(black_box(&fields))));
    }
    let spec = spec("relu", 2, Estimator::Direct);
    let block = BlockPlan::new(&spec).block(0);
    let plan = Plan::new(spec).unwrap();
    let mut blocks = Blocks::new(plan.measurement().moments(), Networks::new(plan.drawn()));
    group.throughput(Throughput::Elements(block.networks));
    group.bench_function("a whole block, relu N=2", |b| {
        b.iter(|| blocks.means(&block));
    });
    group.finish();
}

criterion_group!(benches, draws, networks, activations, moments);
criterion_main!(benches);
