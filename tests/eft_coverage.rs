//! Whether the errors of couplings, delta and slopes cover, over 100 seeds each.

use nnqft_gpu::analysis::{
    self, Coupling, Interactions, Naturalness, Samples, SixPoint, correlators, output_couplings,
    three_sigma,
};
use nnqft_gpu::engine::{self, cpu::CpuEngine};
use nnqft_gpu::model::{Architecture, EnsembleSpec, Estimator, Inputs};
use nnqft_gpu::theory::{Exact, Vertex, VertexIntegrals, loop_integrals, vertex_integrals};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

const SEEDS: u64 = 100;

fn at(spec: &EnsembleSpec, cutoff: f64) -> VertexIntegrals {
    vertex_integrals(spec, Vertex::Full, &[cutoff])
        .unwrap()
        .remove(0)
}

/// Pulls against exact values: how many are beyond three errors, and the median of their sizes.
#[derive(Debug)]
struct Pulls(Vec<f64>);

impl Pulls {
    fn add(&mut self, value: Option<f64>, std_err: Option<f64>, exact: f64) {
        if let (Some(value), Some(error)) = (value, std_err) {
            self.0.push(((value - exact) / error).abs());
        }
    }

    fn beyond_three(&self) -> usize {
        self.0.iter().filter(|p| !(**p <= 3.0)).count()
    }

    fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted[sorted.len() / 2]
    }
}

/// A law of experiments: exact dG^(4) and dG^(6), and normal noise of which a part is common to
/// all elements of both.
struct Law {
    spec: EnsembleSpec,
    exact: Interactions,
    /// Relative noise of an experiment.
    noise: f64,
    /// Its common part.
    common: f64,
    /// What the exact values are multiplied by.
    signal: f64,
    experiments: usize,
}

impl Law {
    fn new(arch: Architecture, noise: f64) -> Self {
        let spec = EnsembleSpec {
            inputs: Inputs::new(vec![vec![0.3], vec![1.0]]).unwrap(),
            width: 10,
            ..EnsembleSpec::preset(arch, 1).unwrap()
        };
        Self {
            exact: Interactions::exact(&spec, &Exact::new(&spec)),
            spec,
            noise,
            common: 0.8,
            signal: 1.0,
            experiments: 10,
        }
    }

    fn draw(&self, seed: u64) -> Interactions {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut uniform = || (f64::from(rng.next_u32()) + 0.5) / 2f64.powi(32);
        let mut normal =
            || (-2.0 * uniform().ln()).sqrt() * (std::f64::consts::TAU * uniform()).cos();
        let exact = [
            &self.exact.four.mean,
            &self.exact.six.as_ref().unwrap().mean,
        ];
        let mut experiments: [Vec<Vec<f64>>; 2] = Default::default();
        for _ in 0..self.experiments {
            let shared = normal();
            for (k, exact) in exact.iter().enumerate() {
                let mut noisy = |d: &f64| {
                    let own = (1.0 - self.common * self.common).sqrt() * normal();
                    d * (self.signal + self.noise * (self.common * shared + own))
                };
                experiments[k].push(exact.iter().map(&mut noisy).collect());
            }
        }
        let [four, six] = experiments.map(|experiments| {
            let n = experiments.len() as f64;
            let mean = (0..experiments[0].len())
                .map(|e| experiments.iter().map(|x| x[e]).sum::<f64>() / n)
                .collect();
            Samples {
                mean,
                std_err: Vec::new(),
                experiments,
            }
        });
        Interactions {
            four,
            six: Some(six),
            connected_six: None,
        }
    }
}

fn ensemble(arch: Architecture, estimator: Estimator, width: u64, nets: u64) -> EnsembleSpec {
    let inputs = match arch {
        Architecture::Relu => [0.4, 1.0],
        _ => [-0.6, 1.0],
    };
    EnsembleSpec {
        inputs: Inputs::new(inputs.map(|x| vec![x]).to_vec()).unwrap(),
        orders: vec![4, 6],
        estimator,
        width,
        nets,
        ..EnsembleSpec::preset(arch, 1).unwrap()
    }
    .validate()
    .unwrap()
}

fn drawn(spec: &EnsembleSpec, seed: u64) -> Interactions {
    let spec = EnsembleSpec {
        seed,
        ..spec.clone()
    };
    let moments = engine::run(&mut CpuEngine::new(), &spec, &|_| {}).unwrap();
    Interactions::measured(&correlators(&spec, &moments).unwrap()).unwrap()
}

#[test]
fn explore_synthetic() {
    for arch in [Architecture::Erf, Architecture::Relu] {
        for experiments in [10, 3] {
            for (signal, noise, common) in [
                (1.0, 0.1, 0.8),
                (1.0, 0.3, 0.8),
                (1.0, 0.3, 0.0),
                (1.0, 0.8, 0.8),
                (1.0, 0.8, 0.0),
                (0.0, 1.0, 0.8),
                (0.0, 1.0, 0.0),
                (1.0, 0.02, 0.95),
            ] {
                let mut law = Law::new(arch, noise);
                (law.signal, law.common, law.experiments) = (signal, common, experiments);
                let v = at(&law.spec, 100.0);
                let exact = SixPoint::predict(&law.spec, &law.exact, &v).unwrap();
                let exact_lambda = Coupling::measure(2, &law.exact.four, &v).unwrap();
                let (mut delta, mut ratio, mut gp, mut l) =
                    (Pulls(vec![]), Pulls(vec![]), Pulls(vec![]), Pulls(vec![]));
                let (mut measured, mut outside, mut intervals) = (0, 0, 0);
                let mut verdicts = [0; 3];
                for seed in 0..SEEDS {
                    let drawn = law.draw(seed);
                    let six = SixPoint::predict(&law.spec, &drawn, &v).unwrap();
                    let lambda = Coupling::measure(2, &drawn.four, &v).unwrap();
                    l.add(
                        Some(lambda.mean),
                        lambda.std_err,
                        signal * exact_lambda.mean,
                    );
                    verdicts[lambda.verdict as usize] += 1;
                    measured += usize::from(lambda.measured);
                    delta.add(six.delta_mean, six.delta_std_err, exact.delta_mean.unwrap());
                    ratio.add(six.ratio_mean, six.ratio_std_err, exact.ratio_mean.unwrap());
                    gp.add(
                        six.gp_ratio_mean,
                        six.gp_ratio_std_err,
                        exact.gp_ratio_mean.unwrap(),
                    );
                    if let Some([a, b]) = six.delta_interval {
                        intervals += 1;
                        let d = exact.delta_mean.unwrap();
                        outside += usize::from(d < a || d > b);
                    }
                }
                let show = |p: &Pulls| {
                    if p.0.is_empty() {
                        "none".into()
                    } else {
                        format!(
                            "{}>3 of {} med {:.2}",
                            p.beyond_three(),
                            p.0.len(),
                            p.median()
                        )
                    }
                };
                println!(
                    "{arch} E {experiments} signal {signal} noise {noise} common {common}: measured {measured}, lambda {}, delta {}, ratio {}, gp {}; interval misses {outside}/{intervals}; verdicts {verdicts:?} exact {:?} rel spread {:.2}",
                    show(&l),
                    show(&delta),
                    show(&ratio),
                    show(&gp),
                    exact_lambda.verdict,
                    exact_lambda.std / exact_lambda.mean.abs()
                );
            }
        }
    }
}

#[test]
fn explore_real() {
    for (arch, estimator, width, nets) in [
        (Architecture::Erf, Estimator::Connected, 5, 1000),
        (Architecture::Erf, Estimator::Connected, 5, 200),
        (Architecture::Relu, Estimator::Connected, 20, 1000),
        (Architecture::Relu, Estimator::Direct, 4, 3000),
        (Architecture::Relu, Estimator::Direct, 20, 10000),
        (Architecture::Erf, Estimator::Direct, 2, 10000),
        (Architecture::Erf, Estimator::Direct, 5, 1000),
    ] {
        let start = std::time::Instant::now();
        let spec = ensemble(arch, estimator, width, nets);
        let exact = Interactions::exact(&spec, &Exact::new(&spec));
        let v = at(&spec, 100.0);
        let loops = loop_integrals(&spec, Vertex::Full, 100.0).unwrap();
        let cutoffs = [7.0, 30.0, 100.0];
        let truth = SixPoint::predict(&spec, &exact, &v).unwrap();
        let lambda = Coupling::measure(2, &exact.four, &v).unwrap();
        let flow = analysis::flow(&spec, Vertex::Full, &cutoffs, &exact.four).unwrap();
        let out = output_couplings(2, &exact.four, &v, &loops, &[4])
            .unwrap()
            .remove(0);
        let names = [
            "lambda",
            "delta",
            "ratio",
            "gp",
            "slope",
            "fit",
            "one loop",
            "loop/tree",
        ];
        let mut pulls: Vec<Pulls> = names.iter().map(|_| Pulls(vec![])).collect();
        let mut verdicts = [0; 3];
        let mut reached = [0; 3];
        let mut measured = 0;
        for seed in 0..SEEDS {
            let d = drawn(&spec, seed);
            let l = Coupling::measure(2, &d.four, &v).unwrap();
            let six = SixPoint::predict(&spec, &d, &v).unwrap();
            let f = analysis::flow(&spec, Vertex::Full, &cutoffs, &d.four).unwrap();
            let o = output_couplings(2, &d.four, &v, &loops, &[4])
                .unwrap()
                .remove(0);
            measured += usize::from(l.measured);
            verdicts[l.verdict as usize] += 1;
            reached[f.uv.reached.map_or(2, usize::from)] += 1;
            pulls[0].add(Some(l.mean), l.std_err, lambda.mean);
            pulls[1].add(six.delta_mean, six.delta_std_err, truth.delta_mean.unwrap());
            pulls[2].add(six.ratio_mean, six.ratio_std_err, truth.ratio_mean.unwrap());
            pulls[3].add(
                six.gp_ratio_mean,
                six.gp_ratio_std_err,
                truth.gp_ratio_mean.unwrap(),
            );
            pulls[4].add(
                f.points[1].slope,
                f.points[1].slope_std_err,
                flow.points[1].slope.unwrap(),
            );
            if let Some(fit) = f.fit {
                pulls[5].add(
                    Some(fit.slope),
                    fit.std_err,
                    flow.fit.as_ref().unwrap().slope,
                );
            }
            if let Some(x) = out.lambda_one_loop {
                pulls[6].add(o.lambda_one_loop, o.lambda_one_loop_std_err, x);
            }
            if let Some(x) = out.loop_over_tree {
                pulls[7].add(o.loop_over_tree, o.loop_over_tree_std_err, x);
            }
        }
        println!(
            "{arch} {estimator} N {width} nets {nets}: measured {measured} verdicts (C F U) {verdicts:?} exact {:?}; uv reached (no yes ?) {reached:?} exact {:?}  {:.1}s",
            lambda.verdict,
            flow.uv.reached,
            start.elapsed().as_secs_f64()
        );
        for (n, p) in names.iter().zip(&pulls) {
            if !p.0.is_empty() {
                println!(
                    "   {n}: {}>3 of {} med {:.2}",
                    p.beyond_three(),
                    p.0.len(),
                    p.median()
                );
            }
        }
    }
}
