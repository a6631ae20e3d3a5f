//! Trained networks, held against those of infinite width.

mod checks;
mod cumulants;
mod fits;
mod groups;

use serde::{Deserialize, Serialize};

pub use checks::{TrainCheck, across, direct, has_rare_networks, opposite, untrained, zero};
pub use fits::{Deviation, Series, TrainedFit, fits};

use self::cumulants::Cumulants;
use self::groups::{Estimates, Groups};
use crate::analysis::check_range;
use crate::model::{EnsembleSpec, TrainSpec, short};
use crate::plan::TrainPlan;
use crate::tensor::{Stop, Training, Tuples};
use crate::{Error, Result};

/// Refuses a training whose untrained networks have products beyond the range of f64.
///
/// # Errors
/// Those of [`check_range`].
pub fn check_trained_range(spec: &TrainSpec) -> Result<()> {
    check_range(&EnsembleSpec {
        // Errors of products of n take those of 2 n.
        orders: vec![2, 4],
        ..spec.untrained()?
    })
}

/// `TrainedWidth` is what becomes of the networks of one width.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TrainedWidth {
    /// Width N.
    pub width: u64,
    /// What the networks are like after some numbers of steps, in ascending order.
    pub steps: Vec<TrainedStep>,
}

/// `TrainedStep` is what networks are like after some steps: each list has an entry for every field f_a(x), output
/// after output, first the data and then the other points.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TrainedStep {
    /// Number of steps.
    pub step: u64,
    /// Networks that are averaged over.
    pub networks: u64,
    /// Networks that are not, since they have diverged.
    pub diverged: u64,
    /// Point of each field.
    pub points: Vec<Vec<f64>>,
    /// Output of each field, if there are several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outputs: Vec<usize>,
    /// Target of each field, at the data.
    pub targets: Vec<Option<f64>>,
    /// E f: what the networks have learnt.
    pub mean: Vec<f64>,
    /// Standard error of `mean`.
    pub std_err: Vec<f64>,
    /// E f less `infinite_mean`, from what each network differs by from its own linear model, f_0 + A_t (y - f_0), so
    /// that the chance of what was drawn enters no more than training changes it. `None` with `infinite_mean`, before
    /// the first step, and where networks have diverged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean_deviation: Option<Vec<f64>>,
    /// Standard error of `mean_deviation`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean_deviation_std_err: Option<Vec<f64>>,
    /// Var f.
    pub variance: Vec<f64>,
    /// Standard error of `variance`.
    pub variance_std_err: Vec<f64>,
    /// Excess kurtosis of f, the fourth cumulant over the square of the variance: 0 at infinite width. `None` where
    /// f does not vary.
    pub kurtosis: Vec<Option<f64>>,
    /// Standard error of `kurtosis`.
    pub kurtosis_std_err: Vec<Option<f64>>,
    /// E f at infinite width; `None` if the descent diverges beyond the range of f64.
    pub infinite_mean: Option<Vec<f64>>,
    /// Var f at infinite width.
    pub infinite_variance: Option<Vec<f64>>,
    /// Mean of the loss, 1/2 sum (f - y)^2 over the data.
    pub loss: f64,
    /// Standard error of `loss`.
    pub loss_std_err: f64,
    /// Mean of the loss at infinite width.
    pub infinite_loss: Option<f64>,
    /// The n-point functions of the orders asked for.
    pub correlators: Vec<TrainedCorrelator>,
    /// Averages with and without each group of networks.
    #[serde(skip)]
    deviations: Vec<Deviation>,
}

/// `TrainedCorrelator` is an n-point function of trained networks.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TrainedCorrelator {
    /// Order n.
    pub order: usize,
    /// Points of each unique element: the data, then the others.
    pub indices: Vec<Vec<usize>>,
    /// Outputs of each element, if there are several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outputs: Vec<Vec<usize>>,
    /// G^(n) = E f(x_1) .. f(x_n).
    pub mean: Vec<f64>,
    /// Standard error of `mean`.
    pub std_err: Vec<f64>,
    /// Connected part, the joint cumulant: 0 at infinite width for n above 2.
    pub connected: Vec<f64>,
    /// Standard error of `connected`.
    pub connected_std_err: Vec<f64>,
    /// G^(n) at infinite width; `None` if the descent diverges beyond the range of f64.
    pub infinite: Option<Vec<f64>>,
}

/// What is known of one stop at infinite width.
struct Known {
    /// `[output][point]`
    mean: Vec<Vec<f64>>,
    covariance: Vec<Vec<f64>>,
}

impl Known {
    fn of(plan: &TrainPlan, stop: usize) -> Option<Self> {
        let known = Self {
            mean: plan.means(stop).to_vec(),
            covariance: plan.covariance(stop),
        };
        let all = known.mean.iter().chain(&known.covariance).flatten();
        // Products of four are to be numbers.
        all.copied().all(|x| x.abs() < 1e70).then_some(known)
    }

    /// G^(n), by the sum over all ways to take fields by themselves or in pairs.
    fn correlator(&self, fields: &[(usize, usize)]) -> f64 {
        let Some((&(a, p), rest)) = fields.split_first() else {
            return 1.0;
        };
        let alone = self.mean[a][p] * self.correlator(rest);
        (0..rest.len()).fold(alone, |sum, k| {
            let (b, q) = rest[k];
            if b != a {
                return sum;
            }
            let mut others = rest.to_vec();
            others.remove(k);
            sum + self.covariance[p][q] * self.correlator(&others)
        })
    }
}

/// Computes what has become of the networks of a plan at each of the steps asked for. Outputs were rounded to less than
/// `rounding` of what they are before training: where they vary by no more they have no kurtosis.
///
/// # Errors
/// [`Error::NotFinite`] where no networks are left to average over.
pub fn trained_width(plan: &TrainPlan, training: &Training, rounding: f64) -> Result<TrainedWidth> {
    let asked = |step: &u64| plan.spec().steps.contains(step);
    let stops = plan.stops().iter().zip(&training.stops).enumerate();
    let steps = stops
        .filter(|(_, (step, _))| asked(step))
        .map(|(k, (_, stop))| trained_step(plan, k, [&training.stops[0], stop], rounding));
    Ok(TrainedWidth {
        width: plan.untrained().net.width(),
        steps: steps.collect::<Result<_>>()?,
    })
}

/// Estimates E f less its value at infinite width by that of f - f_0 - A_t (y - f_0), whose mean is the same, as that of
/// f_0 vanishes; `None` where networks have diverged.
fn controlled(
    plan: &TrainPlan,
    k: usize,
    first: &Stop,
    groups: Groups,
    cumulants: &Cumulants,
    infinite: &[f64],
) -> Result<Option<Estimates>> {
    let joined = match Groups::of(&first.elements)? {
        Some(first) => groups.with(&first),
        None => None,
    };
    let Some(joined) = joined else {
        return Ok(None);
    };
    let before = Cumulants::new(plan.moments(), plan.centre(0));
    let (response, data) = (plan.response(k), plan.spec().data.len());
    let place = |(a, p): (usize, usize)| plan.fields().iter().position(|f| *f == (a, p));
    // The data of every field's own output.
    let learnt: Option<Vec<Vec<usize>>> = (plan.fields().iter())
        .map(|&(a, _)| (0..data).map(|mu| place((a, mu))).collect())
        .collect();
    let learnt = learnt.expect("fields at all points");
    let statistics = |moments: &[f64]| -> Vec<f64> {
        let (now, then) = moments.split_at(moments.len() / 2);
        let [[now, ..], [then, ..]] = [cumulants.of_fields(now), before.of_fields(then)];
        (plan.fields().iter().enumerate())
            .map(|(f, &(_, p))| {
                let moved: f64 = (response[p].iter().zip(&learnt[f]))
                    .map(|(a, &mu)| a * then[mu])
                    .sum();
                now[f] - infinite[f] - then[f] + moved
            })
            .collect()
    };
    Ok(Some(joined.estimate(statistics)))
}

fn trained_step(
    plan: &TrainPlan,
    k: usize,
    [first, stop]: [&Stop; 2],
    rounding: f64,
) -> Result<TrainedStep> {
    let step = plan.stops()[k];
    let Some(groups) = Groups::of(&stop.elements)? else {
        let reason = format!(
            "all {} networks of width {} have diverged after {step} steps; use less",
            stop.diverged,
            plan.untrained().net.width()
        );
        return Err(Error::invalid("rate", short(plan.rate()), reason));
    };
    let (fields, data) = (plan.fields(), &plan.spec().data);
    let d_out = plan.untrained().net.d_out();
    let points = plan.untrained().inputs.points();
    let targets: Vec<Option<f64>> = (fields.iter())
        .map(|&(a, p)| data.targets().get(p).map(|y| y[a]))
        .collect();
    let cumulants = Cumulants::new(plan.moments(), plan.centre(k));
    let count = fields.len();
    let orders = &plan.spec().ensemble.orders;
    let ranges: Vec<_> = (plan.moments().orders().iter())
        .filter(|(n, _)| orders.contains(n))
        .cloned()
        .collect();
    let unit: Vec<f64> = fields.iter().map(|&(_, p)| plan.kernel()[p][p]).collect();
    // Means, variances, kurtosis, the loss, and every n-point function with its connected part.
    let statistics = |moments: &[f64]| -> Vec<f64> {
        let [mean, variance, fourth] = cumulants.of_fields(moments);
        let kurtosis = (fourth.iter().zip(&variance).zip(&unit)).map(|((k, v), unit)| {
            if *v > rounding * rounding * unit {
                k / (v * v)
            } else {
                f64::NAN
            }
        });
        let errors = mean.iter().zip(&variance).zip(&targets);
        let loss: f64 = errors
            .filter_map(|((m, v), y)| Some(0.5 * (v + (m - (*y)?).powi(2))))
            .sum();
        let mut all: Vec<f64> = mean.iter().chain(&variance).copied().collect();
        all.extend(kurtosis);
        all.push(loss);
        for (_, range) in &ranges {
            all.extend(range.clone().map(|e| cumulants.full(moments, e)));
            all.extend(range.clone().map(|e| cumulants.connected(moments, e)));
        }
        all
    };
    let all = groups.estimate(statistics);
    let part = |from: usize, len: usize| -> (Vec<f64>, Vec<f64>) {
        (
            all.values[from..from + len].to_vec(),
            all.errors(from..from + len),
        )
    };
    let ((mean, std_err), (variance, variance_std_err)) = (part(0, count), part(count, count));
    let (kurtosis, kurtosis_std_err) = part(2 * count, count);
    let (loss, loss_std_err) = part(3 * count, 1);
    let finite = |all: Vec<f64>| {
        all.into_iter()
            .map(|x| Some(x).filter(|x| x.is_finite()))
            .collect()
    };
    let known = Known::of(plan, k);
    let mut from = 3 * count + 1;
    let correlators = ranges.iter().map(|(order, range)| {
        let (mean, std_err) = part(from, range.len());
        let (connected, connected_std_err) = part(from + range.len(), range.len());
        from += 2 * range.len();
        let tuples = Tuples::all(points.len(), d_out, *order);
        let of = |e: usize| -> f64 {
            let index = plan.moments().indices()[e].iter().map(|&f| fields[f]);
            let index: Vec<(usize, usize)> = index.collect();
            known
                .as_ref()
                .map_or(f64::NAN, |known| known.correlator(&index))
        };
        TrainedCorrelator {
            order: *order,
            infinite: known.is_some().then(|| range.clone().map(of).collect()),
            indices: tuples.points,
            outputs: tuples.outputs,
            mean,
            std_err,
            connected,
            connected_std_err,
        }
    });
    let correlators = correlators.collect();
    let of_fields = |of: &dyn Fn(&Known, usize, usize) -> f64| -> Option<Vec<f64>> {
        let known = known.as_ref()?;
        Some(fields.iter().map(|&(a, p)| of(known, a, p)).collect())
    };
    let infinite_mean = of_fields(&|known, a, p| known.mean[a][p]);
    let infinite_variance = of_fields(&|known, _, p| known.covariance[p][p]);
    let losses = infinite_mean
        .iter()
        .flatten()
        .zip(infinite_variance.iter().flatten())
        .zip(&targets);
    let infinite_loss = losses
        .filter_map(|((m, v), y)| Some(0.5 * (v + (m - (*y)?).powi(2))))
        .sum::<f64>();
    let controlled = match &infinite_mean {
        Some(infinite) if k > 0 => controlled(plan, k, first, groups, &cumulants, infinite)?,
        _ => None,
    };
    let zeros = vec![0.0; count];
    let deviations = match (&infinite_mean, &infinite_variance) {
        (Some(mean), Some(variance)) => vec![
            Deviation::new(
                "mean",
                controlled.clone().unwrap_or_else(|| all.part(0..count)),
                if controlled.is_some() { &zeros } else { mean },
                &unit.iter().map(|k| k.sqrt()).collect::<Vec<_>>(),
            ),
            Deviation::new("variance", all.part(count..2 * count), variance, &unit),
            Deviation::new(
                "kurtosis",
                all.part(2 * count..3 * count),
                &zeros,
                &vec![1.0; count],
            ),
        ],
        _ => Vec::new(),
    };
    Ok(TrainedStep {
        step,
        networks: stop.elements.networks(),
        diverged: stop.diverged,
        points: fields.iter().map(|&(_, p)| points[p].clone()).collect(),
        outputs: match d_out {
            1 => Vec::new(),
            _ => fields.iter().map(|&(a, _)| a).collect(),
        },
        targets,
        mean,
        std_err,
        mean_deviation_std_err: controlled.as_ref().map(|c| c.errors(0..count)),
        mean_deviation: controlled.map(|c| c.values),
        variance,
        variance_std_err,
        kurtosis: finite(kurtosis),
        kurtosis_std_err: finite(kurtosis_std_err),
        infinite_loss: known.is_some().then_some(infinite_loss),
        infinite_mean,
        infinite_variance,
        loss: loss[0],
        loss_std_err: loss_std_err[0],
        correlators,
        deviations,
    })
}
