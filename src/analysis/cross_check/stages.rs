//! The stages of an engine are compared with those of the f64 CPU engine.

use super::bounds::{Averages, EPSILON, Hidden, VARIATE};
use super::ensembles::label;
use super::stage::{Stage, Worst};
use crate::engine::cpu::CpuEngine;
use crate::engine::{self, BlockPlan, Form, Stages};
use crate::model::{EnsembleSpec, Estimator, Law, Net};
use crate::plan::Plan;
use crate::stream::{GROUP, Part};
use crate::tensor::MomentPlan;
use crate::theory::{Vertex, field_size, kernel_matrix, tilt, vertex_nodes};
use crate::{Error, Result};

/// Hidden values, outputs and covariances have a bound each, of which no error exceeds this share.
pub(super) const BOUND: f64 = 1.0;
/// An average of products of n fields: errors of single networks average out; what is left
/// is the bias of the stages before, a few epsilon per factor, and a sum of 1024 terms, 32
/// epsilon with random sign, over many blocks. Per factor, relative to the product of rms.
const MOMENTS: f64 = 16.0 * EPSILON;
/// What is left must be invisible beside the statistical error of so few networks.
pub(super) const MOMENTS_IN_ERRORS: f64 = 2e-3;
/// Units next to a jump of the activation change products of fields like more noise of the
/// networks; so many standard deviations of it are no surprise.
pub(super) const DEVIATIONS: f64 = 5.0;
/// A vertex integral has n roundings of the field, and a sum of 256 terms.
const VERTEX: f64 = 64.0 * EPSILON;

/// Compares every stage on the given ensembles (direct estimator), and the variates of their laws.
///
/// # Errors
/// Those of [`cross_check`](super::cross_check).
pub fn check_stages(
    engine: &mut dyn Stages,
    ensembles: &[EnsembleSpec],
    thorough: bool,
) -> Result<Vec<Stage>> {
    check(engine, ensembles, thorough, &|_| {})
}

/// Does the same; `told` hears which ensemble is next.
pub(super) fn check(
    engine: &mut dyn Stages,
    ensembles: &[EnsembleSpec],
    thorough: bool,
    told: &dyn Fn(&str),
) -> Result<Vec<Stage>> {
    told("words and variates");
    let mut stages = draws(engine, &laws(ensembles), thorough)?;
    let mut hidden = Worst::new("hidden values", "bound", BOUND);
    let mut outputs = Worst::new("network outputs", "bound", BOUND);
    let mut covariance = Worst::new("covariance D", "bound", BOUND);
    let relative = "product of rms, per factor";
    let mut moments = Worst::new("n-point tensors", relative, MOMENTS);
    let mut in_errors = Worst::new(
        "n-point tensors, errors",
        "standard errors",
        MOMENTS_IN_ERRORS,
    );
    let mut connected = Worst::new("connected tensors", "standard errors", MOMENTS_IN_ERRORS);
    let mut vertices = Worst::new("vertex integrals", "int |k..k|", VERTEX);
    let mut fused: Vec<&Net> = Vec::new();
    for spec in ensembles {
        told(&label(spec));
        check_hidden(engine, spec, &mut hidden)?;
        check_networks(engine, spec, &mut outputs)?;
        check_moments(engine, spec, Some(&mut moments), &mut in_errors)?;
        // Once for each net, with full groups of hidden units and units left over.
        let mixed = spec.net.width() > GROUP && !spec.net.width().is_multiple_of(GROUP);
        if mixed && engine.has(Form::Fused) && !fused.iter().any(|net| is_like(net, &spec.net)) {
            fused.push(&spec.net);
            check_fused(engine, spec, &mut moments, &mut in_errors)?;
        }
        check_vertex(engine, spec, &mut vertices)?;
        if spec.net.depth() > 1 && !spec.net.has_gaussian_readout() {
            // The shaders integrate the readout of a deep net out where it is normal.
            continue;
        }
        let spec = EnsembleSpec {
            estimator: Estimator::Connected,
            tilt: tilt(spec),
            ..spec.clone()
        };
        check_networks(engine, &spec, &mut covariance)?;
        if spec.net.width() < 100 {
            check_moments(engine, &spec, None, &mut connected)?;
        }
    }
    let worst = [
        hidden, outputs, covariance, moments, in_errors, connected, vertices,
    ];
    stages.extend(worst.into_iter().map(|w| w.0));
    Ok(stages)
}

/// Tells whether two nets have the same activation and laws.
fn is_like(a: &Net, b: &Net) -> bool {
    let laws = |net: &Net| {
        net.layers()
            .iter()
            .map(|l| (l.law_w, l.law_b))
            .collect::<Vec<_>>()
    };
    a.activation() == b.activation() && laws(a) == laws(b)
}

/// Lists the laws of the ensembles' parameters.
fn laws(ensembles: &[EnsembleSpec]) -> Vec<Law> {
    let layers = || ensembles.iter().flat_map(|spec| spec.net.layers());
    let is_drawn = |law: &Law| layers().any(|l| l.law_w == *law || l.law_b == *law);
    Law::ALL.into_iter().filter(is_drawn).collect()
}

fn draws(engine: &dyn Stages, laws: &[Law], thorough: bool) -> Result<Vec<Stage>> {
    let count = if thorough { 1_000_000 } else { 50_000 };
    let mut words = Worst::new("words", "differing words", 0.0);
    let mut variates = Worst::new("variates", "size", VARIATE);
    let mut histogram = [0u64; 4];
    let places = [
        (0, Part::Hidden.stream(0), 0),
        (u64::MAX, Part::Output.stream(9), u32::MAX - 10_000),
        (0x0123_4567_89ab_cdef, Part::Tilt.stream(77), 77),
    ];
    let all = laws
        .iter()
        .flat_map(|law| places.map(|place| (*law, place)));
    for (law, (seed, stream, first)) in all {
        let (got, got_variates) = engine.draws(seed, stream, first, count, law)?;
        let (want, want_variates) = CpuEngine::new().draws(seed, stream, first, count, law)?;
        for (k, (a, b)) in got.iter().zip(&want).enumerate() {
            words.add(f64::from(u8::from(a != b)), || {
                format!("seed {seed}, word {k}")
            });
        }
        for (k, (&got, &want)) in got_variates.iter().zip(&want_variates).enumerate() {
            let size = match law {
                // Normals u and u ^ 8 of a block share their radius.
                Law::Gaussian => want.hypot(want_variates[k ^ (GROUP as usize / 2)]),
                Law::Uniform | Law::Phase | Law::Rademacher | Law::Laplace => want.abs(),
            };
            variates.add((got - want).abs() / size, || {
                format!("{law}, seed {seed}, draw {k}")
            });
            let bits = |x: f64| i64::from((x as f32).to_bits());
            let ulps = (bits(got) - bits(want)).abs();
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
    variates.0.detail = Some(format!(
        "{:.1}% exact, {:.1}% 1 ulp, {:.1}% 2 to 8 ulp, {:.1}% more (near zero)",
        percent[0], percent[1], percent[2], percent[3]
    ));
    Ok(vec![words.0, variates.0])
}

/// Returns the first block and the last, short one.
fn blocks(spec: &EnsembleSpec) -> [u64; 2] {
    [0, BlockPlan::new(spec).blocks() - 1]
}

/// The number of networks of a block that are compared one by one.
const NETWORKS: usize = 16;

fn check_hidden(engine: &dyn Stages, spec: &EnsembleSpec, worst: &mut Worst) -> Result<()> {
    for block in blocks(spec) {
        let got = engine.hidden_values(spec, block, NETWORKS)?;
        let want = Hidden::new(spec, block, NETWORKS)?;
        for (n, got) in got.iter().enumerate() {
            let want = want.beside(n, got);
            let (want, errors) = (&want.values, &want.errors);
            for (j, (got, (want, errors))) in got.iter().zip(want.iter().zip(errors)).enumerate() {
                for (p, (got, (want, error))) in got.iter().zip(want.iter().zip(errors)).enumerate()
                {
                    worst.add_share(got - want, *error, || {
                        format!("{}, network {n}, unit {j}, point {p}", label(spec))
                    });
                }
            }
        }
    }
    Ok(())
}

fn check_networks(engine: &dyn Stages, spec: &EnsembleSpec, worst: &mut Worst) -> Result<()> {
    for block in blocks(spec) {
        let got = engine.draw_networks(spec, block, NETWORKS)?;
        let want = CpuEngine::new().draw_networks(spec, block, NETWORKS)?;
        let hidden = Hidden::new(spec, block, NETWORKS)?;
        for (n, (got, want)) in got.iter().zip(&want).enumerate() {
            let errors = hidden.fields(n, &want.field);
            for (f, (got, want)) in got.field.iter().zip(&want.field).enumerate() {
                worst.add_share(got - want, errors[f], || {
                    format!("{}, network {n}, field {f}", label(spec))
                });
            }
        }
    }
    Ok(())
}

/// Compares the one shader that draws and sums long runs on a software adapter: the same statements
/// in another frame, which few elements show as well as many, and compile in a fraction of the
/// time.
fn check_fused(
    engine: &mut dyn Stages,
    spec: &EnsembleSpec,
    relative: &mut Worst,
    in_errors: &mut Worst,
) -> Result<()> {
    let spec = EnsembleSpec {
        orders: vec![2],
        ..spec.clone()
    };
    let before = engine.form();
    engine.set_form(before.or(Some(Form::Fused)));
    let checked = check_moments(engine, &spec, Some(relative), in_errors);
    engine.set_form(before);
    checked
}

fn check_moments(
    engine: &mut dyn Stages,
    spec: &EnsembleSpec,
    relative: Option<&mut Worst>,
    in_errors: &mut Worst,
) -> Result<()> {
    let got = engine::run(engine, spec, &|_| {})?.total()?;
    let want = engine::run(&mut CpuEngine::new(), spec, &|_| {})?.total()?;
    let errors = want.std_err().unwrap_or_default();
    let plan = Plan::new(spec.clone())?;
    let plan = plan.measurement();
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
    let averages = Averages::new(spec)?;
    // Of a product of n fields, in its standard deviations.
    let order = spec.orders.iter().copied().max().unwrap_or_default() as f64;
    let jumps = DEVIATIONS * order * averages.single;
    // What the rounding of fields explains in means that hardly fluctuate, if at all.
    let unit = match spec.estimator {
        Estimator::Direct => 1.0,
        Estimator::Connected => (spec.net.width() as f64).sqrt().recip(),
    };
    let floors: Vec<f64> = (tuples.iter())
        .map(|tuple| {
            let order = tuple.order() as i32;
            VARIATE
                * f64::from(order)
                * field_size(&kernel, tuple)
                * unit.powi((order - 2).max(0) / 2)
        })
        .collect();
    // The connected 6-point elements come after all others.
    let last = floors.iter().copied().fold(0.0, f64::max);
    let pairs = got.mean.iter().zip(&want.mean).take(elements);
    for (e, ((got, want), error)) in pairs.zip(&errors).enumerate() {
        let floor = floors.get(e).copied().unwrap_or(last);
        let allowed = (1.0 + jumps / MOMENTS_IN_ERRORS) * error + floor / MOMENTS_IN_ERRORS;
        in_errors.add_share(got - want, allowed, || at(e));
    }
    if let Some(relative) = relative {
        for (e, tuple) in tuples.iter().enumerate() {
            // What the average of the product's size is, from the errors of the average.
            let rms = field_size(&kernel, tuple);
            let size = rms.max(errors[e]).max(want.mean[e].abs());
            let of_jumps = jumps * errors[e] / size;
            let allowed = 1.0 + (averages.bias + of_jumps) / MOMENTS;
            let error = (got.mean[e] - want.mean[e]) / tuple.order() as f64;
            relative.add_share(error, allowed * size, || at(e));
        }
    }
    Ok(())
}

fn check_vertex(engine: &dyn Stages, spec: &EnsembleSpec, worst: &mut Worst) -> Result<()> {
    // Integrals over kernels of deep nets, and of other laws than normal ones, take long, and are sums as
    // those of other nets.
    if spec.net.depth() > 1 || !spec.net.has_gaussian_units() {
        return Ok(());
    }
    let (mut nodes, mut weights) = match vertex_nodes(spec, Vertex::Full, 10.0) {
        Ok(quadrature) => quadrature,
        // There are kernels that do not exist over a box, and boxes of more than three dimensions.
        Err(Error::Invalid { .. }) => return Ok(()),
        Err(other) => return Err(other),
    };
    let points = spec.inputs.len();
    // In units of the largest values, as everywhere in f32.
    for p in 0..points {
        let largest = nodes.iter().map(|k| k[p].abs()).fold(0.0, f64::max);
        nodes.iter_mut().for_each(|k| k[p] /= largest);
    }
    let largest = weights.iter().copied().fold(0.0, f64::max);
    weights.iter_mut().for_each(|w| *w /= largest);
    let plan = MomentPlan::new(points, &[4]);
    let got = engine.weighted_moments(&plan, &nodes, &weights)?;
    let want = CpuEngine::new().weighted_moments(&plan, &nodes, &weights)?;
    (nodes.iter_mut().flatten()).for_each(|k| *k = k.abs());
    let size = CpuEngine::new().weighted_moments(&plan, &nodes, &weights)?;
    for (e, index) in plan.indices().iter().enumerate() {
        if size[e] > 0.0 {
            worst.add((got[e] - want[e]).abs() / size[e], || {
                format!("{}, element {index:?}", label(spec))
            });
        }
    }
    Ok(())
}
