//! The n-point functions are said to fall off to those of the Gaussian process.

use super::{SIGMAS, worst};
use crate::reproduction::source::{SourceNet, source};
use crate::reproduction::traced::{Traced, at};
use crate::reproduction::verdict::{Claim, Outcome, Section, Statement};
use crate::run::FalloffDocument;

/// The largest standard error of a slope that says something.
const KNOWN: f64 = 0.2;

pub(super) fn claims(net: &'static SourceNet, document: &Traced<FalloffDocument>) -> Vec<Claim> {
    let slopes = [4, 6].into_iter().filter_map(|n| slope(net, document, n));
    [two_point(net, document)]
        .into_iter()
        .chain(slopes)
        .collect()
}

fn two_point(net: &'static SourceNet, document: &Traced<FalloffDocument>) -> Claim {
    let pulls = at!(document.(falloff).widths).each().filter_map(|width| {
        let point = at!(width.orders).find(|p| p.order == 2)?;
        at!(point.largest_pull).number("largest pull", None)
    });
    let pull = worst(pulls);
    Claim {
        verdict: Outcome::of(pull.as_ref().map(|p| p.value <= SIGMAS)),
        numbers: pull.into_iter().collect(),
        ..Claim::new(
            Section::Falloff,
            net,
            &source().references.falloff,
            Statement::plain("The 2-point function is the GP kernel at every width"),
            "every element at every width within 5 standard errors of the kernel",
        )
    }
}

fn slope(
    net: &'static SourceNet,
    document: &Traced<FalloffDocument>,
    order: usize,
) -> Option<Claim> {
    let fit = at!(document.(falloff).fits).find(|f| f.order == order)?;
    let slope = at!(fit.slope).number("slope", fit.std_err);
    let exact = at!(fit.exact_slope).number("exact slope at these widths", None);
    let connected = (at!(document.(falloff).connected_fits).find(|f| f.order == order))
        .and_then(|f| at!(f.slope).number("slope, connected estimator", f.std_err));
    let is_unconverged = !fit.unconverged.is_empty();
    let holds = (|| {
        let (slope, exact) = (slope.as_ref()?, exact.as_ref()?);
        let error = slope.std_err.filter(|&e| e < KNOWN)?;
        Some((slope.value - exact.value).abs() <= SIGMAS * error)
    })();
    let is_steeper = exact.as_ref().is_some_and(|e| e.value < -1.02);
    let note = match is_unconverged {
        true => Some(
            "The direct estimator has not converged at the widths that the slope comes from; the connected estimator's slope is the one to quote.",
        ),
        false => is_steeper.then_some(
            "The exact slope is steeper than −1 because m_6 has a term of order 1/N² as well.",
        ),
    };
    Some(Claim {
        verdict: match is_unconverged {
            true => Outcome::SourceUnconverged,
            false => Outcome::of(holds),
        },
        numbers: [slope, exact, connected].into_iter().flatten().collect(),
        note: note.map(str::to_string),
        ..Claim::new(
            Section::Falloff,
            net,
            &source().references.falloff,
            Statement::plain(format!(
                "m_{order} falls off as a power of N, 1/N as N grows"
            )),
            "the slope over the widths whose mean m_n differs from zero, known to 0.2, is within 5 standard errors of the slope of the exact m_n over the same widths",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::super::sample::{self, net};
    use super::*;
    use crate::analysis::FalloffFit;

    fn outcomes(document: &FalloffDocument) -> Vec<Outcome> {
        let claims = claims(net(), &Traced::document("falloff", document));
        sample::assert_traced(&claims, &[("falloff", document)]);
        claims.iter().map(|c| c.verdict).collect()
    }

    #[test]
    fn the_kernel_stands_within_five_errors_at_every_width() {
        let at = |pulls: [Option<f64>; 2]| {
            let widths = pulls.map(|pull| {
                let mut point = sample::point(2);
                point.largest_pull = pull;
                vec![sample::point(1), point]
            });
            outcomes(&sample::falloff(widths))
        };
        assert_eq!(at([Some(4.9), Some(2.0)]), [Outcome::Reproduced]);
        assert_eq!(at([Some(2.0), Some(5.1)]), [Outcome::NotReproduced]);
        assert_eq!(at([None, None]), [Outcome::Undecided]);
    }

    #[test]
    fn a_slope_stands_within_five_of_its_errors_of_the_exact_one() {
        let of = |slope, std_err, unconverged: &[u64]| {
            let mut document = sample::falloff([vec![sample::point(4)]]);
            document.falloff.fits = vec![FalloffFit {
                slope: Some(slope),
                std_err,
                exact_slope: Some(-1.0),
                unconverged: unconverged.into(),
                ..sample::fit(4)
            }];
            document.falloff.connected_fits = vec![sample::fit(4)];
            let outcomes = outcomes(&document);
            assert_eq!(outcomes.len(), 2);
            outcomes[1]
        };
        assert_eq!(of(-1.04, Some(0.01), &[]), Outcome::Reproduced);
        assert_eq!(of(-1.06, Some(0.01), &[]), Outcome::NotReproduced);
        assert_eq!(of(-1.06, Some(0.3), &[]), Outcome::Undecided);
        assert_eq!(of(-1.06, None, &[]), Outcome::Undecided);
        assert_eq!(of(-1.0, Some(0.01), &[2]), Outcome::SourceUnconverged);
    }
}
