//! Supervised learning is said to be learning the 1-point function, which breaks a symmetry.

use super::SIGMAS;
use crate::analysis::ChiSquared;
use crate::analysis::trained::{TrainedFit, TrainedStep, TrainedWidth};
use crate::reproduction::source::{SourceNet, source};
use crate::reproduction::traced::{Number, Traced, at};
use crate::reproduction::verdict::{Claim, Outcome, Section, Statement};
use crate::run::TrainDocument;

/// The largest standard error of a slope that says something.
const KNOWN: f64 = 0.1;
/// What terms beyond 1/N may add to a slope of -1: a few units over the widths that it is of.
const BEYOND: f64 = 0.1;

pub(super) fn claims(net: &'static SourceNet, document: &Traced<TrainDocument>) -> Vec<Claim> {
    vec![
        functions(net, document),
        breaking(net, document),
        limit(net, document),
        interactions(net, document),
        identities(net, document),
    ]
}

/// Lists the numbers of steps before and after which the networks of a width are looked at.
fn ends<'a>(width: &Traced<'a, TrainedWidth>) -> Option<[Traced<'a, TrainedStep>; 2]> {
    let mut steps = at!(width.steps).each();
    let (before, after) = (steps.next()?, steps.next_back()?);
    (before.step == 0).then_some([before, after])
}

/// Takes the entry of a list with its error.
fn measured(list: Traced<Vec<f64>>, errors: &[f64], k: usize, name: &str) -> Option<Number> {
    let error = errors.get(k).copied()?;
    list.nth(k)?.number(name, Some(error))
}

fn error(number: &Number) -> f64 {
    number.std_err.unwrap_or(0.0)
}

/// The number's distance from zero in standard errors, with its sign.
fn pull(number: &Number) -> f64 {
    number.value / error(number).max(f64::MIN_POSITIVE)
}

fn functions(net: &'static SourceNet, document: &Traced<TrainDocument>) -> Claim {
    let widest = at!(document.widths).each().max_by_key(|width| width.width);
    let after = widest.as_ref().and_then(ends).map(|[_, after]| after);
    let of = |is_data: bool, name: &str| -> Vec<Number> {
        let Some(after) = &after else {
            return Vec::new();
        };
        let fields = (0..after.targets.len()).filter(|&k| after.targets[k].is_some() == is_data);
        let errors = &after.variance_std_err;
        fields
            .filter_map(|k| measured(at!(after.variance), errors, k, name))
            .collect()
    };
    let smallest = (of(false, "smallest variance elsewhere").into_iter())
        .min_by(|a, b| a.value.total_cmp(&b.value));
    let largest = (of(true, "largest variance at the data").into_iter())
        .max_by(|a, b| a.value.total_cmp(&b.value));
    let holds = (smallest.as_ref())
        .zip(largest.as_ref())
        .map(|(elsewhere, data)| {
            elsewhere.value - data.value > SIGMAS * error(elsewhere).hypot(error(data))
        });
    Claim {
        verdict: Outcome::of(holds),
        numbers: [smallest, largest].into_iter().flatten().collect(),
        ..Claim::new(
            Section::Learning,
            net,
            &source().references.functions,
            Statement::with(
                "Trained k times, a network becomes k different functions",
                "they agree at the data and differ elsewhere",
            ),
            "after training the variance of f at every other point is larger than at every data point, by 5 standard errors, at the largest width",
        )
    }
}

fn breaking(net: &'static SourceNet, document: &Traced<TrainDocument>) -> Claim {
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for [first, last] in at!(document.widths).each().filter_map(|width| ends(&width)) {
        let all = 0..first.mean.len();
        before.extend(all.filter_map(|k| {
            measured(
                at!(first.mean),
                &first.std_err,
                k,
                "furthest from zero before",
            )
        }));
        // Along the target.
        after.extend((0..last.mean.len()).filter_map(|k| {
            let target = last.targets[k].filter(|y| *y != 0.0)?;
            let name = "closest to zero at the data after";
            let mean = measured(at!(last.mean), &last.std_err, k, name)?;
            Some((target.signum() * pull(&mean), mean))
        }));
    }
    let furthest = (before.into_iter()).max_by(|a, b| pull(a).abs().total_cmp(&pull(b).abs()));
    let closest = after.into_iter().min_by(|a, b| a.0.total_cmp(&b.0));
    let holds = (furthest.as_ref())
        .zip(closest.as_ref())
        .map(|(before, (after, _))| pull(before).abs() <= SIGMAS && *after > SIGMAS);
    Claim {
        verdict: Outcome::of(holds),
        numbers: [furthest, closest.map(|(_, mean)| mean)]
            .into_iter()
            .flatten()
            .collect(),
        ..Claim::new(
            Section::Learning,
            net,
            &source().references.learning,
            Statement::with(
                "Supervised learning is learning the 1-point function",
                "it vanishes before, and the data break the symmetry f → −f",
            ),
            "at every width the mean of f is within 5 standard errors of zero at every point before training, and further than that, on the side of its target, at every data point after",
        )
    }
}

/// Finds the deviation of something from infinite width after the first or the last steps.
fn fit<'a>(
    document: &Traced<'a, TrainDocument>,
    of: &str,
    is_last: bool,
) -> Option<Traced<'a, TrainedFit>> {
    let mut fits = at!(document.fits).each().filter(|fit| fit.of == of);
    if is_last {
        fits.next_back()
    } else {
        fits.next()
    }
}

fn limit(net: &'static SourceNet, document: &Traced<TrainDocument>) -> Claim {
    let fit = fit(document, "mean", true);
    let series = fit.as_ref().and_then(|fit| at!(fit.series).known());
    let slope = fit.as_ref().and_then(|fit| {
        let name = "slope between the two largest widths";
        at!(fit.last_slope).number(name, fit.last_std_err)
    });
    let first = series.as_ref().and_then(|series| {
        measured(
            at!(series.coefficients),
            &series.std_err,
            0,
            "coefficient of 1/N",
        )
    });
    let p_value = (series.as_ref())
        .and_then(|series| at!(series.p_value).number("p-value of the series", None));
    let holds = (|| {
        let (slope, first, p_value) = (slope.as_ref()?, first.as_ref()?, p_value.as_ref()?);
        let error = slope.std_err.filter(|&e| e < KNOWN)?;
        let is_series = p_value.value >= ChiSquared::MIN_P;
        let is_first = (slope.value + 1.0).abs() <= BEYOND + SIGMAS * error;
        // A term that is not seen is none that the rest falls with.
        (pull(first) > SIGMAS).then_some(is_series && is_first)
    })();
    Claim {
        verdict: Outcome::of(holds),
        numbers: [slope, first, p_value].into_iter().flatten().collect(),
        ..Claim::new(
            Section::Learning,
            net,
            "",
            Statement::with(
                "The 1-point function that is learnt tends to that of infinite width",
                "its distance falls as 1/N",
            ),
            "the distance of the means from the linear model of the tangent kernel is a/N + b/N² + c/N³ without a constant (χ² with a p-value of 10⁻⁴ or more), a above zero by 5 standard errors, and its slope between the two largest widths, known to 0.1, is −1 within 5 standard errors and 0.1 for the terms beyond 1/N",
        )
    }
}

fn interactions(net: &'static SourceNet, document: &Traced<TrainDocument>) -> Claim {
    let [before, after] = [false, true].map(|is_last| fit(document, "kurtosis", is_last));
    let at_smallest = |fit: &Option<Traced<TrainedFit>>, name: &str| {
        let fit = fit.as_ref()?;
        measured(at!(fit.deviation), &fit.deviation_std_err, 0, name)
    };
    let [first, last] = [
        at_smallest(
            &before,
            "length of the excess kurtosis at the smallest width, along that of another, before",
        ),
        at_smallest(&after, "after"),
    ];
    let slope = (after.as_ref())
        .and_then(|fit| at!(fit.slope).number("its slope against the width", fit.std_err));
    let holds = (|| {
        let (first, last, slope) = (first.as_ref()?, last.as_ref()?, slope.as_ref()?);
        let rise = last.value - first.value;
        let is_seen = rise.abs() > SIGMAS * error(first).hypot(error(last));
        let is_slope = pull(slope).abs() > SIGMAS;
        (is_seen && is_slope).then_some(rise > 0.0 && slope.value < 0.0)
    })();
    Claim {
        verdict: Outcome::of(holds),
        numbers: [first, last, slope].into_iter().flatten().collect(),
        ..Claim::new(
            Section::Learning,
            net,
            "",
            Statement::with(
                "Learning adds interactions at finite width",
                "connected 4-point functions grow, and fall again with the width",
            ),
            "the length of the excess kurtosis over all points is larger after training than before at the smallest width, and falls with the width, both by 5 standard errors",
        )
    }
}

fn identities(net: &'static SourceNet, document: &Traced<TrainDocument>) -> Claim {
    let smallest = at!(document.checks)
        .each()
        .filter_map(|check| at!(check.(test).p_value).number("smallest p-value", None))
        .min_by(|a, b| a.value.total_cmp(&b.value));
    let holds = smallest
        .as_ref()
        .map(|_| document.checks.iter().all(|check| check.pass));
    Claim {
        verdict: Outcome::of(holds),
        numbers: smallest.into_iter().collect(),
        ..Claim::new(
            Section::Learning,
            net,
            "",
            Statement::with(
                "What is exact at every width holds for trained networks",
                "y → −y, y = 0, outputs across the targets, and the values before",
            ),
            "every test at every width has a p-value of 10⁻⁴ or more",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{self, net};
    use super::*;

    /// Judges a sample that is changed; returns the verdict of one claim.
    fn judge(k: usize, change: impl FnOnce(&mut TrainDocument)) -> Outcome {
        let mut document = sample::training();
        change(&mut document);
        let claims = claims(net(), &Traced::document("train", &document));
        sample::assert_traced(&claims, &[("train", &document)]);
        claims[k].verdict
    }

    #[test]
    fn functions_differ_where_there_are_no_data() {
        let of = |data: f64, elsewhere: f64| {
            judge(0, |document| {
                let after = document.widths.iter_mut().max_by_key(|w| w.width).unwrap();
                let after = after.steps.last_mut().unwrap();
                after.variance = vec![0.1, data, elsewhere, 3.0];
                after.variance_std_err = vec![0.1; 4];
            })
        };
        // Their difference has an error of 0.14.
        assert_eq!(of(0.2, 1.0), Outcome::Reproduced);
        assert_eq!(of(0.2, 0.8), Outcome::NotReproduced);
        let none = judge(0, |document| document.widths.clear());
        assert_eq!(none, Outcome::Undecided);
    }

    #[test]
    fn means_vanish_before_and_follow_their_targets_after() {
        let of = |before: f64, after: [f64; 2]| {
            judge(1, |document| {
                for width in &mut document.widths {
                    let [first, last] = &mut width.steps[..] else {
                        unreachable!("two steps")
                    };
                    first.mean = vec![0.0, 0.3, before, 0.0];
                    (first.std_err, last.std_err) = (vec![0.1; 4], vec![0.1; 4]);
                    // Targets are 0.5 and -0.3; elsewhere there are none.
                    last.mean = vec![after[0], after[1], 0.0, 0.0];
                }
            })
        };
        assert_eq!(of(-0.49, [0.51, -0.51]), Outcome::Reproduced);
        assert_eq!(of(-0.51, [0.51, -0.51]), Outcome::NotReproduced);
        assert_eq!(of(0.0, [0.51, -0.49]), Outcome::NotReproduced);
        assert_eq!(of(0.0, [0.51, 0.51]), Outcome::NotReproduced);
    }

    #[test]
    fn a_distance_falls_as_a_series_in_one_over_the_width() {
        let of = |slope: f64, error: f64, first: f64, p_value: f64| {
            judge(2, |document| {
                let fit = document.fits.iter_mut().rfind(|fit| fit.of == "mean");
                let fit = fit.unwrap();
                (fit.last_slope, fit.last_std_err) = (Some(slope), Some(error));
                let series = fit.series.as_mut().unwrap();
                (series.coefficients[0], series.std_err[0]) = (first, 1.0);
                series.p_value = p_value;
            })
        };
        assert_eq!(of(-0.86, 0.01, 6.0, 0.5), Outcome::Reproduced);
        assert_eq!(of(-1.14, 0.01, 6.0, 2e-4), Outcome::Reproduced);
        assert_eq!(of(-0.84, 0.01, 6.0, 0.5), Outcome::NotReproduced);
        assert_eq!(of(-1.0, 0.01, 6.0, 5e-5), Outcome::NotReproduced);
        assert_eq!(of(-1.0, 0.01, 4.0, 0.5), Outcome::Undecided);
        assert_eq!(of(-1.0, 0.11, 6.0, 0.5), Outcome::Undecided);
        let alone = judge(2, |document| document.fits.clear());
        assert_eq!(alone, Outcome::Undecided);
    }

    #[test]
    fn a_kurtosis_grows_with_learning_and_falls_with_the_width() {
        let of = |before: f64, after: f64, slope: f64| {
            judge(3, |document| {
                let fits = document.fits.iter_mut().filter(|fit| fit.of == "kurtosis");
                for (fit, size) in fits.zip([before, after]) {
                    (fit.deviation[0], fit.deviation_std_err[0]) = (size, 0.1);
                    (fit.slope, fit.std_err) = (Some(slope), Some(0.1));
                }
            })
        };
        assert_eq!(of(0.1, 0.9, -0.8), Outcome::Reproduced);
        assert_eq!(of(0.1, 0.7, -0.8), Outcome::Undecided);
        assert_eq!(of(0.9, 0.1, -0.8), Outcome::NotReproduced);
        assert_eq!(of(0.1, 0.9, 0.8), Outcome::NotReproduced);
        assert_eq!(of(0.1, 0.9, -0.4), Outcome::Undecided);
    }

    #[test]
    fn one_identity_that_fails_is_enough() {
        assert_eq!(judge(4, |_| ()), Outcome::Reproduced);
        let failed = judge(4, |document| document.checks[1].pass = false);
        assert_eq!(failed, Outcome::NotReproduced);
        let none = judge(4, |document| document.checks.clear());
        assert_eq!(none, Outcome::Undecided);
    }
}
