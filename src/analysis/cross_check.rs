//! The GPU against the f64 CPU engine, stage by stage, on the same networks.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use serde::Serialize;

use super::{Correlator, LogFit, correlators};
use super::{Coupling, Interactions, SixPoint};
use crate::engine::cpu::{CpuEngine, draw_networks, networks::Networks, normals, words::Words};
use crate::engine::gpu::{Form, GpuEngine};
use crate::engine::{self, BlockPlan, Engine, GROUP, Layer, measurement};
use crate::model::{Architecture, EnsembleSpec, Estimator, Inputs};
use crate::tensor::{LANES, MomentPlan, MomentSums};
use crate::theory::{Vertex, kernel_matrix, tilt, vertex_integrals, vertex_nodes};
use crate::{Error, Result};

/// Half a unit in the last place of a number of order one in f32.
const EPSILON: f64 = 1.0 / 16_777_216.0;

/// A normal is r cos or r sin. In units of r epsilon: two roundings of the angle, three of
/// the series, three of r, whose logarithm can lose a factor of two between e ln 2 and its
/// series.
const NORMALS: f64 = 8.0 * EPSILON;
/// A pre-activation adds d_in + 2 products of normals up to 6.8 with their bound above, and
/// an exponential multiplies the error by its value: relative to max(1, |h|).
const HIDDEN: f64 = 8.0 * 6.8 * 4.0 * EPSILON;
/// A readout adds N terms of size 1 / sqrt(N), each with the error of a hidden value of
/// order one, which add like their square root, and sums of 16 and 256 roundings: relative
/// to the larger of rms and value.
const OUTPUTS: f64 = HIDDEN;
/// D adds squares of hidden values: twice their error, in sums of 1024 quads.
const COVARIANCE: f64 = 4.0 * HIDDEN;
/// An average of products of n fields: errors of single networks average out; what is left
/// is the bias of the stages above, a few epsilon per factor, and a sum of 1024 terms, 32
/// epsilon with random sign, over many blocks. Per factor, relative to the product of rms.
const MOMENTS: f64 = 16.0 * EPSILON;
/// What is left must be invisible beside the statistical error of so few networks.
const MOMENTS_IN_ERRORS: f64 = 2e-3;
/// A vertex integral: n roundings of the field, and a sum of 256 terms.
const VERTEX: f64 = 64.0 * EPSILON;
/// Fits must agree to this fraction of their errors.
const FITS: f64 = 1e-2;

/// The worst error of one stage.
#[derive(Debug, Clone, Serialize)]
pub struct Stage {
    /// Name.
    pub stage: &'static str,
    /// Worst error, in the unit that the tolerance has.
    pub max_abs: f64,
    /// What it is measured in.
    pub unit: &'static str,
    /// Where it occurred: architecture, network, element.
    pub at: String,
    /// Largest error that f32 explains.
    pub tolerance: f64,
    /// Whether it is within.
    pub pass: bool,
    /// Numbers compared.
    pub compared: u64,
    /// More about the errors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl Stage {
    /// The worse of two checks of one stage, the other with shaders that loop over buffers.
    fn join(&mut self, looped: Self) {
        self.compared += looped.compared;
        self.pass &= looped.pass;
        if looped.max_abs > self.max_abs {
            self.max_abs = looped.max_abs;
            self.at = format!("{}, looped", looped.at);
        }
    }
}

/// A fitted number from the tensors of both engines.
#[derive(Debug, Clone, Serialize)]
pub struct Fit {
    /// What was fitted.
    pub fit: String,
    /// From the GPU's tensors.
    pub gpu: f64,
    /// From the CPU's.
    pub cpu: f64,
    /// Statistical error of either.
    pub std_err: f64,
    /// Largest |gpu - cpu|: a hundredth of the error.
    pub tolerance: f64,
    /// Whether they agree.
    pub pass: bool,
}

/// All stages and fits.
#[derive(Debug, Clone, Serialize)]
pub struct CrossCheck {
    /// One entry per stage.
    pub stages: Vec<Stage>,
    /// One entry per fit.
    pub fits: Vec<Fit>,
    /// Whether all passed.
    pub pass: bool,
}

/// Collects the worst error of a stage.
struct Worst(Stage);

impl Worst {
    fn new(stage: &'static str, unit: &'static str, tolerance: f64) -> Self {
        Self(Stage {
            stage,
            max_abs: 0.0,
            unit,
            at: String::new(),
            tolerance,
            pass: true,
            compared: 0,
            detail: None,
        })
    }

    fn add(&mut self, error: f64, at: impl FnOnce() -> String) {
        let stage = &mut self.0;
        stage.compared += 1;
        // NaN is an error of any size.
        if error.is_nan() || error > stage.max_abs {
            stage.max_abs = if error.is_nan() { f64::INFINITY } else { error };
            stage.at = at();
        }
        stage.pass = stage.max_abs <= stage.tolerance;
    }
}

/// The ensembles of a cross-check: all nets, d_in 1 to 3, narrow and wide, the source's
/// inputs and random ones.
fn ensembles(thorough: bool) -> Vec<EnsembleSpec> {
    let mut draws = ChaCha8Rng::seed_from_u64(1);
    let mut all = Vec::new();
    for arch in Architecture::ALL {
        let nets = if thorough { 100_000 } else { 4096 };
        for (d_in, width) in [(1, 5), (2, 37), (3, 1000)] {
            let preset = EnsembleSpec::preset(arch, d_in).expect("the source has d_in 1 to 3");
            all.push(EnsembleSpec {
                width,
                nets: if width > 100 { nets / 8 } else { nets },
                experiments: 2,
                ..preset
            });
        }
        let mut uniform = || f64::from(draws.next_u32()) / 2_147_483_648.0 - 1.0;
        let points = (0..4).map(|_| vec![uniform(), uniform()]).collect();
        all.push(EnsembleSpec {
            inputs: Inputs::new(points).expect("finite points"),
            d_in: 2,
            width: 20,
            nets,
            experiments: 2,
            sigma_w: 1.3,
            sigma_b: 0.6,
            seed: 0x0123_4567_89ab_cdef,
            ..all[all.len() - 1].clone()
        });
        // Several outputs: full groups and a short one.
        all.push(EnsembleSpec {
            inputs: Inputs::new(vec![vec![0.4], vec![1.1]]).expect("finite points"),
            d_in: 1,
            d_out: 3,
            width: 37,
            nets,
            experiments: 2,
            ..EnsembleSpec::preset(arch, 1).expect("the source has d_in 1")
        });
    }
    all
}

fn label(spec: &EnsembleSpec) -> String {
    let outputs = match spec.d_out {
        1 => String::new(),
        d => format!(" d_out {d}"),
    };
    format!("{} d_in {}{outputs} N {}", spec.arch, spec.d_in, spec.width)
}

/// Compares every stage and both fits. `thorough` draws more networks.
///
/// # Errors
/// [`crate::Error::Device`] if the adapter fails.
pub fn cross_check(gpu: &mut GpuEngine, thorough: bool) -> Result<CrossCheck> {
    let mut stages = check_stages(gpu, &ensembles(thorough), thorough)?;
    for (stage, looped) in stages.iter_mut().zip(check_looped(gpu)?) {
        stage.join(looped);
    }
    let fits = fits(gpu, thorough)?;
    let pass = stages.iter().all(|s| s.pass) && fits.iter().all(|f| f.pass);
    Ok(CrossCheck { stages, fits, pass })
}

/// Compares every stage of the shaders that loop over buffers, which ensembles of many points
/// take: several outputs, and importance sampling.
fn check_looped(gpu: &mut GpuEngine) -> Result<Vec<Stage>> {
    let mut few = ensembles(false);
    few.retain(|spec| match spec.arch {
        Architecture::Erf => spec.d_out > 1,
        Architecture::Relu => false,
        Architecture::Gauss => spec.width == 20,
    });
    let before = gpu.form();
    gpu.set_form(Some(Form::Looped));
    let stages = check_stages(gpu, &few, false);
    gpu.set_form(before);
    stages
}

/// Compares every stage on the given ensembles (direct estimator).
///
/// # Errors
/// Those of [`cross_check`].
pub fn check_stages(
    gpu: &mut GpuEngine,
    ensembles: &[EnsembleSpec],
    thorough: bool,
) -> Result<Vec<Stage>> {
    let mut stages = draws(gpu, thorough)?;
    let mut hidden = Worst::new("hidden values", "max(1, |h|)", HIDDEN);
    let mut outputs = Worst::new("network outputs", "rms", OUTPUTS);
    let mut covariance = Worst::new("covariance D", "rms", COVARIANCE);
    let relative = "product of rms, per factor";
    let mut moments = Worst::new("n-point tensors", relative, MOMENTS);
    let mut in_errors = Worst::new(
        "n-point tensors, errors",
        "standard errors",
        MOMENTS_IN_ERRORS,
    );
    let mut connected = Worst::new("connected tensors", "standard errors", MOMENTS_IN_ERRORS);
    let mut vertices = Worst::new("vertex integrals", "int |k..k|", VERTEX);
    let mut in_one = Vec::new();
    for spec in ensembles {
        check_hidden(gpu, spec, &mut hidden)?;
        check_networks(gpu, spec, &mut outputs)?;
        check_moments(gpu, spec, Some(&mut moments), &mut in_errors)?;
        // Once for each net, with full groups of hidden units and units left over.
        let mixed = spec.width > GROUP && !spec.width.is_multiple_of(GROUP);
        if mixed && gpu.adapter().is_software() && !in_one.contains(&spec.arch) {
            in_one.push(spec.arch);
            check_in_one(gpu, spec, &mut moments, &mut in_errors)?;
        }
        let spec = EnsembleSpec {
            estimator: Estimator::Connected,
            tilt: tilt(spec),
            ..spec.clone()
        };
        check_networks(gpu, &spec, &mut covariance)?;
        if spec.width < 100 {
            check_moments(gpu, &spec, None, &mut connected)?;
        }
        check_vertex(gpu, &spec, &mut vertices)?;
    }
    let worst = [
        hidden, outputs, covariance, moments, in_errors, connected, vertices,
    ];
    stages.extend(worst.into_iter().map(|w| w.0));
    Ok(stages)
}

fn draws(gpu: &GpuEngine, thorough: bool) -> Result<Vec<Stage>> {
    let count = if thorough { 1_000_000 } else { 50_000 };
    let mut words = Worst::new("words", "differing words", 0.0);
    let mut values = Worst::new("normals", "radius of the pair", NORMALS);
    let mut histogram = [0u64; 4];
    for (seed, stream, first) in [
        (0, Layer::Hidden.stream(0), 0),
        (u64::MAX, Layer::Output.stream(9), u32::MAX - 10_000),
        (0x0123_4567_89ab_cdef, Layer::Tilt.stream(77), 77),
    ] {
        let (got, got_normals) = gpu.draws(seed, stream, first, count)?;
        let mut want = vec![0; got.len()];
        Words::new(seed, stream, first.into()).fill(&mut want);
        for (k, (a, b)) in got.iter().zip(&want).enumerate() {
            words.add(f64::from(u8::from(a != b)), || {
                format!("seed {seed}, word {k}")
            });
        }
        let mut want_normals = vec![0.0; want.len()];
        normals::normals(&want, &mut want_normals);
        for (k, (&got, &want)) in got_normals.iter().zip(&want_normals).enumerate() {
            // Normals u and u ^ 8 of a block share their radius.
            let radius = want.hypot(want_normals[k ^ (GROUP as usize / 2)]);
            values.add((f64::from(got) - want).abs() / radius, || {
                format!("seed {seed}, draw {k}")
            });
            let ulps = (i64::from(got.to_bits()) - i64::from((want as f32).to_bits())).abs();
            histogram[match ulps {
                0 => 0,
                1 => 1,
                2..=8 => 2,
                _ => 3,
            }] += 1;
        }
    }
    let total = histogram.iter().sum::<u64>() as f64;
    let percent = histogram.map(|n| 100.0 * n as f64 / total);
    values.0.detail = Some(format!(
        "{:.1}% exact, {:.1}% 1 ulp, {:.1}% 2 to 8 ulp, {:.1}% more (near zero)",
        percent[0], percent[1], percent[2], percent[3]
    ));
    Ok(vec![words.0, values.0])
}

/// The first block and the last, short one.
fn blocks(spec: &EnsembleSpec) -> [u64; 2] {
    [0, BlockPlan::new(spec).blocks() - 1]
}

/// Networks of a block that are compared one by one.
const NETWORKS: usize = 16;

fn check_hidden(gpu: &GpuEngine, spec: &EnsembleSpec, worst: &mut Worst) -> Result<()> {
    for number in blocks(spec) {
        let block = BlockPlan::new(spec).block(number);
        let got = gpu.hidden_values(spec, number)?;
        let mut cpu = Networks::new(spec);
        for (n, got) in got.iter().take(NETWORKS).enumerate() {
            let want = cpu.hidden_values(block.experiment, block.first + n as u64);
            for (j, (got, want)) in got.iter().zip(want).enumerate() {
                for (p, (got, want)) in got.iter().zip(&want).enumerate() {
                    worst.add((got - want).abs() / want.abs().max(1.0), || {
                        format!("{}, network {n}, unit {j}, point {p}", label(spec))
                    });
                }
            }
        }
    }
    Ok(())
}

fn check_networks(gpu: &GpuEngine, spec: &EnsembleSpec, worst: &mut Worst) -> Result<()> {
    let kernel = kernel_matrix(spec);
    let rms = |p: usize| kernel[p][p].sqrt();
    let sizes: Vec<f64> = match spec.estimator {
        Estimator::Direct => (0..kernel.len() * spec.d_out)
            .map(|f| rms(f % kernel.len()))
            .collect(),
        Estimator::Connected => (crate::tensor::multisets(kernel.len(), 2).iter())
            .map(|i| rms(i[0]) * rms(i[1]) / (spec.width as f64).sqrt())
            .collect(),
    };
    for number in blocks(spec) {
        let block = BlockPlan::new(spec).block(number);
        let got = gpu.draw_networks(spec, number)?;
        let want = draw_networks(spec, block.experiment, block.first, NETWORKS.min(got.len()));
        for (n, (got, want)) in got.iter().zip(&want).enumerate() {
            // A network is as good as its largest field: they share all hidden units.
            let largest = (want.field.iter().zip(&sizes))
                .map(|(f, s)| (f / s).abs())
                .fold(1.0, f64::max);
            for (e, (got, want)) in got.field.iter().zip(&want.field).enumerate() {
                worst.add((got - want).abs() / (largest * sizes[e]), || {
                    format!("{}, network {n}, element {e}", label(spec))
                });
            }
        }
    }
    Ok(())
}

/// Long runs on a software adapter draw and sum in one shader: the same statements in another
/// frame, which few elements show as well as many, and compile in a fraction of the time.
fn check_in_one(
    gpu: &mut GpuEngine,
    spec: &EnsembleSpec,
    relative: &mut Worst,
    in_errors: &mut Worst,
) -> Result<()> {
    let spec = EnsembleSpec {
        orders: vec![2],
        ..spec.clone()
    };
    let before = gpu.form();
    gpu.set_form(before.or(Some(Form::Fused)));
    let checked = check_moments(gpu, &spec, Some(relative), in_errors);
    gpu.set_form(before);
    checked
}

fn check_moments(
    gpu: &mut GpuEngine,
    spec: &EnsembleSpec,
    relative: Option<&mut Worst>,
    in_errors: &mut Worst,
) -> Result<()> {
    let got = engine::run(gpu, spec, &|_| {})?.total()?;
    let want = engine::run(&mut CpuEngine::new(), spec, &|_| {})?.total()?;
    let errors = want.std_err().unwrap_or_default();
    let plan = measurement(spec);
    let kernel = kernel_matrix(spec);
    let tuples = plan.tuples();
    let at = |e: usize| match (tuples.points.get(e), tuples.outputs.get(e)) {
        (Some(index), None) => format!("{}, element {index:?}", label(spec)),
        (Some(index), Some(outputs)) => {
            format!("{}, element {index:?} of outputs {outputs:?}", label(spec))
        }
        _ => format!("{}, connected 6-point element {e}", label(spec)),
    };
    let elements = plan.means().start;
    let pairs = got.mean.iter().zip(&want.mean).take(elements);
    for (e, ((got, want), error)) in pairs.zip(&errors).enumerate() {
        in_errors.add((got - want).abs() / error, || at(e));
    }
    if let Some(relative) = relative {
        for (e, index) in tuples.points.iter().enumerate() {
            // What the average of the product's size is, from the errors of the average.
            let rms: f64 = index.iter().map(|&i| kernel[i][i].sqrt()).product();
            let size = rms.max(errors[e]).max(want.mean[e].abs());
            let error = (got.mean[e] - want.mean[e]).abs() / size;
            relative.add(error / index.len() as f64, || at(e));
        }
    }
    Ok(())
}

fn check_vertex(gpu: &GpuEngine, spec: &EnsembleSpec, worst: &mut Worst) -> Result<()> {
    let (mut nodes, mut weights) = vertex_nodes(spec, Vertex::Full, 10.0)?;
    let points = spec.inputs.len();
    // In units of the largest values, as everywhere in f32.
    for p in 0..points {
        let largest = nodes.iter().map(|k| k[p].abs()).fold(0.0, f64::max);
        nodes.iter_mut().for_each(|k| k[p] /= largest);
    }
    let largest = weights.iter().copied().fold(0.0, f64::max);
    weights.iter_mut().for_each(|w| *w /= largest);
    let plan = MomentPlan::new(points, &[4]);
    let got = gpu.weighted_moments(&plan, &nodes, &weights)?;
    let sums = |sign: &dyn Fn(f64) -> f64| -> Vec<f64> {
        let mut sums = MomentSums::new(&plan);
        for (node, weight) in nodes.iter().zip(&weights) {
            let first = |x: f64| std::array::from_fn(|l| if l == 0 { x } else { 0.0 });
            let field: Vec<[f64; LANES]> = node.iter().map(|&k| first(sign(k))).collect();
            sums.add_weighted(&field, &first(*weight));
        }
        sums.take()
    };
    let (want, size) = (sums(&|k| k), sums(&f64::abs));
    for (e, index) in plan.indices().iter().enumerate() {
        if size[e] > 0.0 {
            worst.add((got[e] - want[e]).abs() / size[e], || {
                format!("{}, element {index:?}", label(spec))
            });
        }
    }
    Ok(())
}

/// Slope of log |m_4| against log N, and coupling and delta, from either engine's tensors.
fn fits(gpu: &mut GpuEngine, thorough: bool) -> Result<Vec<Fit>> {
    let nets = if thorough { 200_000 } else { 20_000 };
    let mut all = Vec::new();
    let mut push = |fit: String, gpu: f64, cpu: f64, std_err: f64| {
        let tolerance = FITS * std_err;
        all.push(Fit {
            fit,
            gpu,
            cpu,
            std_err,
            tolerance,
            pass: (gpu - cpu).abs() <= tolerance,
        });
    };
    for arch in [Architecture::Relu, Architecture::Erf] {
        let at = |width: u64| EnsembleSpec {
            width,
            nets,
            experiments: 5,
            // What the slope of a weak interaction needs.
            estimator: match arch {
                Architecture::Relu => Estimator::Direct,
                _ => Estimator::Connected,
            },
            orders: vec![4],
            ..EnsembleSpec::preset(arch, 1).expect("the source's inputs")
        };
        let slope = |engine: &mut dyn Engine| -> Result<LogFit> {
            let points = [2, 3, 5, 10].map(|width| {
                let c = measure(engine, &at(width))?;
                let mean = c[0].deviation_mean.zip(c[0].deviation_mean_std_err);
                Ok(mean.map(|(m, error)| (width as f64, m, error)))
            });
            let points: Vec<_> = points.into_iter().collect::<Result<_>>()?;
            let points: Vec<_> = points.into_iter().flatten().collect();
            let fit = LogFit::new(&points);
            fit.ok_or_else(|| Error::NotFinite("the falloff's slope".into()))
        };
        let (on_gpu, on_cpu) = (slope(gpu)?, slope(&mut CpuEngine::new())?);
        push(
            format!("{arch} falloff slope of m_4"),
            on_gpu.slope,
            on_cpu.slope,
            on_cpu.std_err,
        );

        let spec = EnsembleSpec {
            orders: vec![4, 6],
            ..at(arch.eft_width())
        };
        let vertex = vertex_integrals(&spec, Vertex::Full, &[100.0])?.remove(0);
        let fit = |engine: &mut dyn Engine| -> Result<Option<(Coupling, SixPoint)>> {
            let moments = Interactions::measured(&measure(engine, &spec)?);
            Ok(moments.and_then(|m| {
                let coupling = Coupling::measure(spec.inputs.len(), &m.four, &vertex)?;
                Some((coupling, SixPoint::predict(&spec, &m, &vertex)?))
            }))
        };
        if let (Some(g), Some(c)) = (fit(gpu)?, fit(&mut CpuEngine::new())?) {
            let error = |e: Option<f64>| e.unwrap_or(0.0);
            push(
                format!("{arch} coupling at L = 100"),
                g.0.mean,
                c.0.mean,
                error(c.0.std_err),
            );
            // Without a measured coupling there is no delta, and the check fails.
            let delta = |d: Option<f64>| d.unwrap_or(f64::NAN);
            push(
                format!("{arch} delta at L = 100"),
                delta(g.1.delta_mean),
                delta(c.1.delta_mean),
                error(c.1.delta_std_err),
            );
        }
    }
    Ok(all)
}

fn measure(engine: &mut dyn Engine, spec: &EnsembleSpec) -> Result<Vec<Correlator>> {
    correlators(spec, &engine::run(engine, spec, &|_| {})?)
}
