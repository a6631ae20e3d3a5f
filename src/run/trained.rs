//! The result of a training follows from its state alone.

use super::document::{Curve, CurveStep, Partial};
use super::{Head, Timing, TrainDocument};
use crate::analysis::trained::{
    TrainCheck, across, direct, fits, has_rare_networks, opposite, trained_width, untrained, zero,
};
use crate::engine::{DeviceKind, Trained};
use crate::model::{Role, TrainingData, short};
use crate::plan::TrainPlan;
use crate::sentence::sentence;
use crate::state::{Ensemble, State, TrainState};
use crate::tensor::Training;
use crate::{Error, Result};

/// Points of the curve of infinite width.
const CURVE: usize = 121;

impl TrainDocument {
    /// Makes the result of a run, as far as it has come: of the widths that have error bars by now.
    ///
    /// # Errors
    /// [`Error::Invalid`] where networks have diverged, unless it is allowed; [`Error::NotFinite`] where none is left, and
    /// for a run that has [no result](Self::is_there) yet.
    pub fn new(state: &State<TrainState>, allow_diverged: bool) -> Result<Self> {
        Self::of_plans(&Self::plans(state)?, state, allow_diverged)
    }

    /// Tells whether a run has come so far that there is a result: errors come from groups of networks, of which it
    /// takes two.
    pub fn is_there(state: &State<TrainState>) -> bool {
        state.is_complete() || (0..state.ensembles.len()).any(|k| has_errors(state, k))
    }

    /// Plans the training of every width.
    pub(super) fn plans(state: &State<TrainState>) -> Result<Vec<TrainPlan>> {
        let specs = state.specs();
        let Some(first) = specs.first() else {
            return Err(Error::invalid("width", "''", "give at least one width"));
        };
        let plan = TrainPlan::new(first.clone())?;
        (specs.iter())
            .map(|spec| {
                // What no width changes is calculated once.
                let hidden = spec.ensemble.net.hidden();
                let net = first.ensemble.net.clone().with_hidden(&hidden);
                let is_like_first = net.is_ok_and(|net| {
                    let mut like = first.clone();
                    like.ensemble.net = net;
                    like == *spec
                });
                match is_like_first {
                    true => plan.at_widths(&hidden),
                    false => TrainPlan::new(spec.clone()),
                }
            })
            .collect()
    }

    /// Makes the result of a run, given its plans.
    pub(super) fn of_plans(
        plans: &[TrainPlan],
        state: &State<TrainState>,
        allow_diverged: bool,
    ) -> Result<Self> {
        let is_complete = state.is_complete();
        let rounding = match state.device.backend {
            DeviceKind::Cpu => 1e-13,
            DeviceKind::Gpu => 1e-6,
        };
        let (mut widths, mut checks) = (Vec::new(), Vec::new());
        for (k, plan) in plans.iter().enumerate() {
            let trained = &state.ensembles[k].trained;
            let measured = trained[0].training();
            may_diverge(plan, measured, allow_diverged)?;
            if !is_complete && !has_errors(state, k) {
                continue;
            }
            widths.push(trained_width(plan, measured, rounding)?);
            if is_complete {
                checks.extend(untrained(plan, measured)?);
                checks.extend(check(plan, trained)?);
            }
        }
        let first = &plans[0];
        if widths.is_empty() {
            let what = "an average over the networks that are there";
            return Err(Error::NotFinite(what.into()));
        }
        Ok(Self {
            head: Head::new(
                Self::COMMAND,
                first.spec().clone(),
                state.device.clone(),
                // Rates would mix widths and numbers of steps.
                Timing::theory(state.ensembles.iter().map(Ensemble::seconds).sum()),
                (),
            ),
            partial: (!is_complete).then(|| partial(state)),
            eigenvalues: first.tangent().eigenvalues(),
            largest_stable_rate: Some(first.tangent().largest_stable_rate())
                .filter(|r| r.is_finite()),
            fits: fits(&widths),
            widths,
            checks,
            notes: notes(first),
            curve: curve(first)?,
        })
    }
}

/// Tells whether there are two groups of networks of width `k` at every stop.
fn has_errors(state: &State<TrainState>, k: usize) -> bool {
    let mut stops = state.ensembles[k].trained[0].training().stops.iter();
    stops.all(|stop| {
        let mut groups = stop.elements.subtrees().map(|(group, ..)| group);
        let first = groups.next();
        first.is_some() && groups.any(|group| Some(group) != first)
    })
}

/// Says how many of the networks that are asked for are there.
fn partial(state: &State<TrainState>) -> Partial {
    let measured = state.ensembles.iter().map(|e| e.parts().swap_remove(0));
    let (mut networks, mut of) = (0, 0);
    for part in measured {
        of += part.plan.networks(0..part.plan.blocks());
        let covered = part.covered.into_iter();
        networks += covered.map(|range| part.plan.networks(range)).sum::<u64>();
    }
    Partial {
        networks,
        of,
        shard: state.shard.map(|s| s.to_string()),
    }
}

/// Makes the checks that are not about untrained networks.
fn check(plan: &TrainPlan, trained: &[Trained]) -> Result<Vec<TrainCheck>> {
    let cohorts = plan.cohorts()?;
    let find = |role: Role| {
        let at = cohorts.iter().position(|(of, _)| *of == role)?;
        Some((&cohorts[at].1, trained[at].training()))
    };
    let Some((few, checked)) = find(Role::Checked) else {
        return Ok(Vec::new());
    };
    let all = [
        find(Role::Opposite).map(|(_, minus)| opposite(few, checked, minus)),
        find(Role::Zero).map(|(plan, zeros)| zero(plan, zeros)),
        find(Role::Across).map(|(plan, more)| across(plan, more)),
        find(Role::Direct).map(|(_, drawn)| direct(few, checked, drawn)),
    ];
    let all = all.into_iter().flatten().collect::<Result<Vec<_>>>()?;
    Ok(all.into_iter().flatten().collect())
}

/// Refuses networks that have diverged, unless they are allowed.
pub(super) fn may_diverge(plan: &TrainPlan, training: &Training, allowed: bool) -> Result<()> {
    let mut ends = plan.stops().iter().zip(&training.stops);
    let Some((step, stop)) = ends.rfind(|(_, stop)| stop.diverged > 0) else {
        return Ok(());
    };
    if allowed {
        return Ok(());
    }
    // Fewer than those of the spec in a part of a run.
    let all = stop.elements.networks() + stop.diverged;
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
