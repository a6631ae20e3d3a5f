//! The stages of an engine are compared with those of the f64 CPU engine.

use super::ensembles::label;
use super::stage::{Stage, Worst};
use crate::Result;
use crate::engine::cpu::CpuEngine;
use crate::engine::{self, BlockPlan, Form, Stages};
use crate::model::{EnsembleSpec, Estimator};
use crate::plan::Plan;
use crate::stream::{GROUP, Part};
use crate::tensor::MomentPlan;
use crate::theory::{Vertex, field_size, kernel_matrix, tilt, vertex_nodes};

/// `EPSILON` is half a unit in the last place of a number of order one in f32.
const EPSILON: f64 = 1.0 / 16_777_216.0;

/// `NORMALS` bounds the error of a normal, which is r cos or r sin. In units of r epsilon: two
/// roundings of the angle, three of the series, three of r, whose logarithm can lose a factor of
/// two between e ln 2 and its series.
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
/// A vertex integral has n roundings of the field, and a sum of 256 terms.
const VERTEX: f64 = 64.0 * EPSILON;
/// Compares every stage on the given ensembles (direct estimator).
///
/// # Errors
/// Those of [`cross_check`](super::cross_check).
pub fn check_stages(
    engine: &mut dyn Stages,
    ensembles: &[EnsembleSpec],
    thorough: bool,
) -> Result<Vec<Stage>> {
    let mut stages = draws(engine, thorough)?;
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
    let mut fused = Vec::new();
    for spec in ensembles {
        check_hidden(engine, spec, &mut hidden)?;
        check_networks(engine, spec, &mut outputs)?;
        check_moments(engine, spec, Some(&mut moments), &mut in_errors)?;
        // Once for each net, with full groups of hidden units and units left over.
        let mixed = spec.net.width() > GROUP && !spec.net.width().is_multiple_of(GROUP);
        if mixed && engine.has(Form::Fused) && !fused.contains(spec.net.activation()) {
            fused.push(spec.net.activation().clone());
            check_fused(engine, spec, &mut moments, &mut in_errors)?;
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
        check_vertex(engine, &spec, &mut vertices)?;
    }
    let worst = [
        hidden, outputs, covariance, moments, in_errors, connected, vertices,
    ];
    stages.extend(worst.into_iter().map(|w| w.0));
    Ok(stages)
}

fn draws(engine: &dyn Stages, thorough: bool) -> Result<Vec<Stage>> {
    let count = if thorough { 1_000_000 } else { 50_000 };
    let mut words = Worst::new("words", "differing words", 0.0);
    let mut values = Worst::new("normals", "radius of the pair", NORMALS);
    let mut histogram = [0u64; 4];
    for (seed, stream, first) in [
        (0, Part::Hidden.stream(0), 0),
        (u64::MAX, Part::Output.stream(9), u32::MAX - 10_000),
        (0x0123_4567_89ab_cdef, Part::Tilt.stream(77), 77),
    ] {
        let (got, got_normals) = engine.draws(seed, stream, first, count)?;
        let (want, want_normals) = CpuEngine::new().draws(seed, stream, first, count)?;
        for (k, (a, b)) in got.iter().zip(&want).enumerate() {
            words.add(f64::from(u8::from(a != b)), || {
                format!("seed {seed}, word {k}")
            });
        }
        for (k, (&got, &want)) in got_normals.iter().zip(&want_normals).enumerate() {
            // Normals u and u ^ 8 of a block share their radius.
            let radius = want.hypot(want_normals[k ^ (GROUP as usize / 2)]);
            values.add((got - want).abs() / radius, || {
                format!("seed {seed}, draw {k}")
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
    values.0.detail = Some(format!(
        "{:.1}% exact, {:.1}% 1 ulp, {:.1}% 2 to 8 ulp, {:.1}% more (near zero)",
        percent[0], percent[1], percent[2], percent[3]
    ));
    Ok(vec![words.0, values.0])
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
        let want = CpuEngine::new().hidden_values(spec, block, NETWORKS)?;
        for (n, (got, want)) in got.iter().zip(&want).enumerate() {
            for (j, (got, want)) in got.iter().zip(want).enumerate() {
                for (p, (got, want)) in got.iter().zip(want).enumerate() {
                    worst.add((got - want).abs() / want.abs().max(1.0), || {
                        format!("{}, network {n}, unit {j}, point {p}", label(spec))
                    });
                }
            }
        }
    }
    Ok(())
}

fn check_networks(engine: &dyn Stages, spec: &EnsembleSpec, worst: &mut Worst) -> Result<()> {
    let kernel = kernel_matrix(spec);
    let rms = |p: usize| kernel[p][p].sqrt();
    let sizes: Vec<f64> = match spec.estimator {
        Estimator::Direct => (0..kernel.len() * spec.net.d_out())
            .map(|f| rms(f % kernel.len()))
            .collect(),
        Estimator::Connected => (crate::tensor::multisets(kernel.len(), 2).iter())
            .map(|i| rms(i[0]) * rms(i[1]) / (spec.net.width() as f64).sqrt())
            .collect(),
    };
    for block in blocks(spec) {
        let got = engine.draw_networks(spec, block, NETWORKS)?;
        let want = CpuEngine::new().draw_networks(spec, block, NETWORKS)?;
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
    let pairs = got.mean.iter().zip(&want.mean).take(elements);
    for (e, ((got, want), error)) in pairs.zip(&errors).enumerate() {
        in_errors.add((got - want).abs() / error, || at(e));
    }
    if let Some(relative) = relative {
        for (e, tuple) in tuples.iter().enumerate() {
            // What the average of the product's size is, from the errors of the average.
            let rms = field_size(&kernel, tuple);
            let size = rms.max(errors[e]).max(want.mean[e].abs());
            let error = (got.mean[e] - want.mean[e]).abs() / size;
            relative.add(error / tuple.order() as f64, || at(e));
        }
    }
    Ok(())
}

fn check_vertex(engine: &dyn Stages, spec: &EnsembleSpec, worst: &mut Worst) -> Result<()> {
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
