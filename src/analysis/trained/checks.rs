//! What holds for trained networks exactly, at every width, is tested here.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::analysis::ChiSquared;
use crate::analysis::symmetry::forgive;
use crate::model::EnsembleSpec;
use crate::model::activation::Growth;
use crate::plan::TrainPlan;
use crate::tensor::{Accumulator, Training, Tuple};
use crate::theory::Exact;
use crate::{Error, Result};

/// `TrainCheck` is one identity, tested on the networks of one width.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TrainCheck {
    /// Width of the networks.
    pub width: u64,
    /// Number of steps after which they are tested.
    pub step: u64,
    /// Name of the test.
    pub name: Cow<'static, str>,
    /// chi^2 per component: 1 if the identity holds.
    pub value: f64,
    /// Standard deviation of `value` if the identity holds.
    pub std_err: f64,
    /// Whether the identity holds: a p-value of at least 1e-4.
    pub pass: bool,
    /// The chi^2 test behind the verdict.
    #[serde(flatten)]
    pub test: ChiSquared,
}

/// Makes a check of samples, `[sample][component]`, whose means vanish; `None` if nothing fluctuates.
fn check(
    name: &'static str,
    plan: &TrainPlan,
    stop: usize,
    samples: &[Vec<f64>],
    sizes: &[f64],
) -> Option<TrainCheck> {
    let test = ChiSquared::new(samples, sizes)?;
    Some(TrainCheck {
        width: plan.untrained().net.width(),
        step: plan.stops()[stop],
        name: name.into(),
        value: test.chi2 / test.components as f64,
        std_err: (2.0 / test.degrees_of_freedom).sqrt(),
        pass: test.pass(),
        test,
    })
}

/// Returns the means of every group of networks, `[group][element]`.
///
/// # Errors
/// [`Error::NotFinite`] if there are too few groups for a test.
fn samples(elements: &Accumulator) -> Result<Vec<Vec<f64>>> {
    let samples: Vec<Vec<f64>> = elements.experiments().into_iter().map(|s| s.mean).collect();
    match samples.len() < ChiSquared::MIN_SAMPLES {
        true => Err(Error::NotFinite(
            "a check on the networks that have not diverged".into(),
        )),
        false => Ok(samples),
    }
}

/// The size of every element: a product of the fields' untrained standard deviations.
fn sizes(plan: &TrainPlan) -> Vec<f64> {
    let size = |f: &usize| plan.kernel()[plan.fields()[*f].1][plan.fields()[*f].1].sqrt();
    let indices = plan.moments().indices().iter();
    indices
        .map(|index| index.iter().map(size).product())
        .collect()
}

fn pick<T: Copy>(all: &[T], kept: &[usize]) -> Vec<T> {
    kept.iter().map(|&e| all[e]).collect()
}

/// Tells whether products of four outputs are carried by networks that are hardly ever drawn. Activations that grow
/// as e^(r |z|) make them log-normal: hidden units about t = 4 r sqrt(Var z) standard deviations out carry them, within
/// two or so, of which one in e^(t^2 / 2 + 2 t) is there.
pub fn has_rare_networks(plan: &TrainPlan) -> bool {
    let spec = plan.untrained();
    let Growth::Exponential { rate } = spec.net.activation().growth() else {
        return false;
    };
    let variance = |x: &Vec<f64>| -> f64 {
        let form = spec.net.linear_form(x);
        form.iter().map(|x| x * x).sum()
    };
    let largest = (spec.inputs.points().iter().map(variance)).fold(0.0, f64::max);
    let t = 4.0 * rate * largest.sqrt();
    0.5 * t * t + 2.0 * t > (spec.networks() as f64 * spec.net.width() as f64).ln()
}

/// Tests that networks before the first step have their exact n-point functions: `untrained`.
///
/// # Errors
/// [`Error::NotFinite`].
pub fn untrained(plan: &TrainPlan, training: &Training) -> Result<Option<TrainCheck>> {
    if plan.untrained().net.depth() > 1 || has_rare_networks(plan) {
        // What is exact is that of one hidden layer, and averages that rare networks carry do not show it.
        return Ok(None);
    }
    let mut samples = samples(&training.stops[0].elements)?;
    let exact = Exact::with_kernel(
        &EnsembleSpec {
            orders: match plan.full_order() {
                4 => vec![2, 4],
                _ => vec![2],
            },
            ..plan.untrained().clone()
        },
        plan.kernel().to_vec().into(),
    );
    let d_out = plan.untrained().net.d_out();
    let known = |index: &Vec<usize>| -> Option<(f64, f64)> {
        if index.len() % 2 == 1 {
            return Some((0.0, 0.0));
        }
        if index.len() > 2 && plan.full_order() < index.len() {
            return None;
        }
        let points: Vec<usize> = index.iter().map(|&f| plan.fields()[f].1).collect();
        let outputs: Vec<usize> = index.iter().map(|&f| plan.fields()[f].0).collect();
        let tuple = match d_out {
            1 => Tuple::from(&points),
            _ => Tuple::new(&points, &outputs),
        };
        Some((exact.correlator(tuple), exact.error(tuple)))
    };
    let known: Vec<(usize, (f64, f64))> = (plan.moments().indices().iter().enumerate())
        .filter_map(|(e, index)| Some((e, known(index)?)))
        .collect();
    for sample in &mut samples {
        *sample = known
            .iter()
            .map(|&(e, (value, _))| sample[e] - value)
            .collect();
    }
    let errors: Vec<f64> = known.iter().map(|(_, (_, error))| *error).collect();
    forgive(&mut samples, &errors);
    let kept: Vec<usize> = known.iter().map(|(e, _)| *e).collect();
    Ok(check(
        "untrained",
        plan,
        0,
        &samples,
        &pick(&sizes(plan), &kept),
    ))
}

/// Tests that readouts averaged given the hidden layers have the n-point functions of the same networks, drawn with their
/// readouts and trained step by step: `direct`. `other` is that training, of the cohort
/// [`Direct`](crate::model::Role::Direct).
///
/// # Errors
/// [`Error::NotFinite`].
pub fn direct(
    plan: &TrainPlan,
    training: &Training,
    other: &Training,
) -> Result<Option<TrainCheck>> {
    let stop = plan.stops().len() - 1;
    if [training, other].iter().any(|t| t.stops[stop].diverged > 0) {
        // Others have diverged.
        return Ok(None);
    }
    let [a, b] = [training, other].map(|training| samples(&training.stops[stop].elements));
    let apart = a?.into_iter().zip(b?);
    let apart: Vec<Vec<f64>> = apart
        .map(|(a, b)| a.iter().zip(&b).map(|(a, b)| a - b).collect())
        .collect();
    Ok(check("direct", plan, stop, &apart, &sizes(plan)))
}

/// Tests that the opposite targets make the opposite networks: odd functions change their sign and even ones stay,
/// `opposite`. `minus` is the training of a plan to the opposite targets, of the same networks.
///
/// # Errors
/// [`Error::NotFinite`].
pub fn opposite(plan: &TrainPlan, plus: &Training, minus: &Training) -> Result<Option<TrainCheck>> {
    let stop = plan.stops().len() - 1;
    let [a, b] = [plus, minus].map(|training| samples(&training.stops[stop].elements));
    let sign = |index: &Vec<usize>| if index.len() % 2 == 1 { 1.0 } else { -1.0 };
    let signs: Vec<f64> = plan.moments().indices().iter().map(sign).collect();
    // Centres have opposite signs, too.
    let joined = a?.into_iter().zip(b?).map(|(a, b)| -> Vec<f64> {
        a.iter()
            .zip(&b)
            .zip(&signs)
            .map(|((a, b), sign)| a + sign * b)
            .collect()
    });
    let joined: Vec<Vec<f64>> = joined.collect();
    Ok(check("opposite", plan, stop, &joined, &sizes(plan)))
}

/// Tests that odd functions of networks that learn zero vanish: `zero`.
///
/// # Errors
/// [`Error::NotFinite`].
pub fn zero(plan: &TrainPlan, training: &Training) -> Result<Option<TrainCheck>> {
    let stop = plan.stops().len() - 1;
    let indices = plan.moments().indices();
    let odd: Vec<usize> = (0..indices.len())
        .filter(|&e| indices[e].len() % 2 == 1)
        .collect();
    let samples: Vec<Vec<f64>> = (samples(&training.stops[stop].elements)?.iter())
        .map(|s| pick(s, &odd))
        .collect();
    Ok(check(
        "zero",
        plan,
        stop,
        &samples,
        &pick(&sizes(plan), &odd),
    ))
}

/// Tests, on networks of the cohort [`Across`](crate::model::Role::Across), that outputs across the targets have no direction: what has one of them an
/// odd number of times vanishes, the two may be swapped, and, with a readout of normal weights, rotated into each
/// other: `across`.
///
/// # Errors
/// [`Error::NotFinite`].
pub fn across(plan: &TrainPlan, training: &Training) -> Result<Option<TrainCheck>> {
    let stop = plan.stops().len() - 1;
    let indices = plan.moments().indices();
    let places: BTreeMap<&[usize], usize> = (indices.iter().enumerate())
        .map(|(e, index)| (&index[..], e))
        .collect();
    let find = |mut index: Vec<usize>| -> usize {
        index.sort_unstable();
        places[&index[..]]
    };
    // Fields are (output, point) of three outputs and two points; the first output is that with targets.
    let count = |index: &[usize], output: usize| index.iter().filter(|&&f| f / 2 == output).count();
    // Sums of elements that vanish.
    let mut rules: Vec<Vec<(usize, f64)>> = Vec::new();
    for (e, index) in indices.iter().enumerate() {
        let counts = [1, 2].map(|output| count(index, output));
        if counts.iter().any(|n| n % 2 == 1) {
            rules.push(vec![(e, 1.0)]);
            continue;
        }
        let swapped = |&f: &usize| match f / 2 {
            1 => f + 2,
            2 => f - 2,
            _ => f,
        };
        let other = find(index.iter().map(swapped).collect());
        if other > e {
            rules.push(vec![(e, 1.0), (other, -1.0)]);
        }
        if counts == [4, 0] && plan.untrained().net.has_gaussian_readout() {
            let placed = [[0, 0, 2, 2], [0, 2, 0, 2], [0, 2, 2, 0]].map(|moved| {
                let moved = index.iter().zip(moved).map(|(f, by)| f + by);
                (find(moved.collect()), 1.0)
            });
            rules.push(placed.into_iter().chain([(e, -1.0)]).collect());
        }
    }
    let apply = |values: &[f64]| -> Vec<f64> {
        let rule = |rule: &Vec<(usize, f64)>| rule.iter().map(|(e, c)| c * values[*e]).sum();
        rules.iter().map(rule).collect()
    };
    let samples: Vec<Vec<f64>> = (samples(&training.stops[stop].elements)?.iter())
        .map(|s| apply(s))
        .collect();
    let all = sizes(plan);
    let sizes: Vec<f64> = rules.iter().map(|rule| all[rule[0].0]).collect();
    Ok(check("across", plan, stop, &samples, &sizes))
}
