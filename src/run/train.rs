//! Networks are trained, and averages over them held against infinite width.

use std::time::Instant;

use super::document::{Curve, CurveStep, TrainDocument};
use super::{Head, Runner, Timing};
use crate::analysis::check_range;
use crate::analysis::trained::{
    TrainCheck, across, across_plan, direct, direct_plan, fits, has_rare_networks, opposite,
    trained_width, untrained, zero, zero_plan,
};
use crate::engine::cpu::CpuEngine;
use crate::engine::{DeviceKind, TrainQueue};
use crate::model::{EnsembleSpec, Estimator, TrainSpec, TrainingData, short};
use crate::plan::TrainPlan;
use crate::sentence::sentence;
use crate::tensor::Training;
use crate::{Error, Result};

/// Networks of each run that a check is made on.
const CHECKED: u64 = 2048;
/// Networks that blocks enough for a check have, in one experiment.
const FEWEST: u64 = 512;
/// Points of the curve of infinite width.
const CURVE: usize = 121;

/// Trains the networks of a sweep over widths, one spec each, and compares them with those of infinite width. Networks
/// that diverge are left out of the averages if `allow_diverged`.
///
/// # Errors
/// [`Error::Invalid`] for a spec that cannot be trained, without a width, and, unless it is allowed, where networks
/// diverge; [`Error::NotFinite`] where none is left; [`Error::Interrupted`].
///
/// ```
/// use nnqft_gpu::engine::cpu::CpuEngine;
/// use nnqft_gpu::model::{EnsembleSpec, Inputs, TrainSpec, TrainingData};
/// use nnqft_gpu::run::{Runner, train};
///
/// let ensemble = EnsembleSpec {
///     nets: 1000,
///     experiments: 1,
///     ..EnsembleSpec::preset("tanh", 1)?.with_inputs(Inputs::parse("0.5")?).with_width(10)
/// };
/// let spec = TrainSpec::new(ensemble, TrainingData::parse("-1=0.5;1=0")?, vec![0, 20]);
/// let document = train(&mut Runner::new(Box::new(CpuEngine::new())), &[spec], false)?;
/// let [before, after] = &document.widths[0].steps[..] else { unreachable!("two steps") };
/// assert!(after.loss < before.loss && document.checks.iter().all(|check| check.pass));
/// # Ok::<(), nnqft_gpu::Error>(())
/// ```
pub fn train(
    runner: &mut Runner,
    sweep: &[TrainSpec],
    allow_diverged: bool,
) -> Result<TrainDocument> {
    let Some(first) = sweep.first() else {
        return Err(Error::invalid("width", "''", "give at least one width"));
    };
    if first.ensemble.estimator == Estimator::Connected
        && runner.device().backend != DeviceKind::Cpu
    {
        runner.note("readouts are averaged given their hidden layers in f64, on the CPU");
        let mut runner = runner.beside(Box::new(CpuEngine::new()));
        return train(&mut runner, sweep, allow_diverged);
    }
    let first = TrainPlan::new(first.clone())?;
    check_range(&EnsembleSpec {
        // Errors of products of n take those of 2 n.
        orders: vec![2, 4],
        ..first.untrained().clone()
    })?;
    let plans = (sweep.iter())
        .map(|spec| first.at_widths(&spec.ensemble.net.hidden()))
        .collect::<Result<Vec<_>>>()?;
    let few = (plans.iter()).map(checked).collect::<Result<Vec<_>>>()?;
    let start = Instant::now();
    let main: u64 = plans
        .iter()
        .map(|plan| plan.spec().ensemble.networks())
        .sum();
    // So many runs have the checks of a width.
    let runs = match (first.untrained().estimator, first.untrained().net.depth()) {
        (Estimator::Direct, _) => 4,
        (Estimator::Connected, 1) => 2,
        (Estimator::Connected, _) => 0,
    };
    let checks: u64 = few
        .iter()
        .map(|plan| runs * plan.spec().ensemble.networks())
        .sum();
    let rounding = match runner.device().backend {
        DeviceKind::Cpu => 1e-13,
        DeviceKind::Gpu => 1e-6,
    };
    let (widths, checks) = runner.drawing(main + checks, |runner| {
        let (mut widths, mut checks) = (Vec::new(), Vec::new());
        for (plan, few) in plans.iter().zip(&few) {
            let training = draw(runner, plan)?;
            may_diverge(plan, &training, allow_diverged)?;
            widths.push(trained_width(plan, &training, rounding)?);
            checks.extend(untrained(plan, &training)?);
            checks.extend(check(runner, few)?);
        }
        Ok::<_, Error>((widths, checks))
    })?;
    let document = TrainDocument {
        head: Head::new(
            TrainDocument::COMMAND,
            first.spec().clone(),
            runner.device(),
            // Rates would mix widths and numbers of steps.
            Timing::theory(start.elapsed().as_secs_f64()),
            (),
        ),
        eigenvalues: first.tangent().eigenvalues(),
        largest_stable_rate: Some(first.tangent().largest_stable_rate()).filter(|r| r.is_finite()),
        fits: fits(&widths),
        widths,
        checks,
        notes: notes(&first),
        curve: curve(&first)?,
    };
    Ok(document)
}

/// Plans the run of fewer networks that checks are made on.
fn checked(plan: &TrainPlan) -> Result<TrainPlan> {
    let limit = |spec: &mut TrainSpec| {
        let ensemble = &mut spec.ensemble;
        ensemble.nets = ensemble.nets.min(CHECKED);
        let enough = CHECKED.div_ceil(ensemble.nets);
        let enough = if ensemble.nets >= FEWEST { 1 } else { enough };
        ensemble.experiments = ensemble.experiments.min(enough as u32);
    };
    plan.variant(limit, plan.fields().to_vec(), plan.full_order())
}

/// Trains the networks of the checks, and makes those that are not about untrained networks.
fn check(runner: &mut Runner, plan: &TrainPlan) -> Result<Vec<TrainCheck>> {
    if plan.untrained().estimator == Estimator::Connected {
        // The others hold network by network.
        let Some(other) = direct_plan(plan)? else {
            return Ok(Vec::new());
        };
        let [averaged, drawn] = [draw(runner, plan)?, draw(runner, &other)?];
        return Ok(direct(plan, &averaged, &drawn)?.into_iter().collect());
    }
    let minus = |y: &[f64]| y.iter().map(|y| -y).collect();
    let turn = |spec: &mut TrainSpec| spec.data = spec.data.clone().with_targets(minus);
    let turned = plan.variant(turn, plan.fields().to_vec(), plan.full_order())?;
    let (zeros, more) = (zero_plan(plan)?, across_plan(plan)?);
    let [plus, minus] = [draw(runner, plan)?, draw(runner, &turned)?];
    let all = [
        opposite(plan, &plus, &minus)?,
        zero(&zeros, &draw(runner, &zeros)?)?,
        across(&more, &draw(runner, &more)?)?,
    ];
    Ok(all.into_iter().flatten().collect())
}

/// Trains all networks of a plan.
fn draw(runner: &mut Runner, plan: &TrainPlan) -> Result<Training> {
    let spec = &plan.spec().ensemble;
    let (engine, progress, stop) = runner.parts();
    let tell = |networks| progress.drawn(spec, networks);
    let stopped = || stop.load(std::sync::atomic::Ordering::Relaxed);
    let queue = TrainQueue::new(spec, plan.stops().len(), &tell, stop);
    engine.train(plan, &queue, &stopped)?;
    let (training, networks) = queue.into_training();
    match networks == spec.networks() {
        true => Ok(training),
        false => Err(Error::Interrupted("this measurement is lost".into())),
    }
}

/// Refuses networks that have diverged, unless they are allowed.
fn may_diverge(plan: &TrainPlan, training: &Training, allowed: bool) -> Result<()> {
    let mut ends = plan.stops().iter().zip(&training.stops);
    let Some((step, stop)) = ends.rfind(|(_, stop)| stop.diverged > 0) else {
        return Ok(());
    };
    if allowed {
        return Ok(());
    }
    let all = plan.spec().ensemble.networks();
    let (rate, stable) = (plan.rate(), plan.tangent().largest_stable_rate());
    let advice = match rate < stable {
        true => "a lower one fits the narrow networks",
        false => "use less",
    };
    let given = match plan.spec().rate {
        Some(_) => short(rate),
        None => format!("{}, by default,", short(rate)),
    };
    Err(Error::invalid(
        "rate",
        given,
        sentence!(
            "{} of {} networks of width {} have diverged after {} steps; the largest stable rate at infinite width is {}: {}, or add `allow_diverged` for averages over the others",
            stop.diverged.to_string(),
            all.to_string(),
            plan.untrained().net.width().to_string(),
            step.to_string(),
            short(stable),
            advice,
        ),
    ))
}

/// Says what a reader of the result has to know of the data and of the rate.
fn notes(plan: &TrainPlan) -> Vec<String> {
    let mut all = Vec::new();
    let (data, tangent): (&TrainingData, _) = (&plan.spec().data, plan.tangent());
    let repeated = data.repeated();
    for places in &repeated {
        let numbers: Vec<String> = places.iter().map(|k| (k + 1).to_string()).collect();
        let targets = places.iter().map(|&k| &data.targets()[k]);
        let differ = targets.clone().any(|y| *y != data.targets()[places[0]]);
        let learnt = if differ {
            ": networks learn the mean of their targets"
        } else {
            ""
        };
        all.push(format!(
            "data points {} are one point{learnt}",
            numbers.join(", ")
        ));
    }
    if has_rare_networks(plan) {
        all.push(
            "the activation grows exponentially, and rare networks carry variances and kurtosis: unless they were drawn, neither the values nor their errors show them"
                .into(),
        );
    }
    if tangent.is_singular() {
        let why = if repeated.is_empty() {
            ": some targets cannot be learnt"
        } else {
            ""
        };
        all.push(format!("the tangent kernel at the data is singular{why}"));
    }
    if plan.rate() >= tangent.largest_stable_rate() {
        all.push(format!(
            "rate {}: networks of infinite width diverge above {}",
            short(plan.rate()),
            short(tangent.largest_stable_rate())
        ));
    }
    all
}

/// Computes mean and variance at infinite width between and beyond the points, for d_in = 1.
fn curve(plan: &TrainPlan) -> Result<Option<Curve>> {
    if plan.untrained().net.d_in() != 1 {
        return Ok(None);
    }
    let points = plan.untrained().inputs.points().iter().map(|x| x[0]);
    let (low, high) = (
        points.clone().fold(f64::INFINITY, f64::min),
        points.fold(f64::NEG_INFINITY, f64::max),
    );
    let margin = match high - low {
        0.0 => 1.0,
        length => 0.05 * length,
    };
    let at = |k: usize| low - margin + (high - low + 2.0 * margin) * k as f64 / (CURVE - 1) as f64;
    let x: Vec<f64> = (0..CURVE).map(at).collect();
    let places = plan
        .tangent()
        .at(&x.iter().map(|x| vec![*x]).collect::<Vec<_>>())?;
    let spec = plan.spec();
    let steps = spec.steps.iter().filter_map(|&step| {
        let after = plan.tangent().after(step, plan.rate());
        let of = |a: usize| {
            let targets: Vec<f64> = spec.data.targets().iter().map(|y| y[a]).collect();
            places.mean(&after, &targets)
        };
        let mean: Vec<Vec<f64>> = (0..spec.data.d_out()).map(of).collect();
        let variance = places.variance(&after);
        let is_finite = mean
            .iter()
            .flatten()
            .chain(&variance)
            .all(|x| x.is_finite());
        is_finite.then_some(CurveStep {
            step,
            mean,
            variance,
        })
    });
    Ok(Some(Curve {
        steps: steps.collect(),
        x,
    }))
}
