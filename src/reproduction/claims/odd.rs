//! Odd n-point functions are said to vanish.

use super::worst;
use crate::reproduction::source::{SourceNet, source};
use crate::reproduction::traced::{Traced, at};
use crate::reproduction::verdict::{Claim, Outcome, Section, Statement};
use crate::run::FalloffDocument;

/// The number of standard errors that the worst of thousands of elements may be off.
const SIGMAS: f64 = 5.5;

pub(super) fn claims(net: &'static SourceNet, document: &Traced<FalloffDocument>) -> Vec<Claim> {
    let (unconverged, converged): (Vec<_>, Vec<_>) = at!(document.(falloff).widths)
        .each()
        .flat_map(|width| at!(width.orders).each())
        .filter(|point| point.order % 2 == 1)
        .partition(|point| point.unconverged.is_some());
    let is_weak = unconverged.len() >= converged.len();
    let left_out = unconverged.len();
    let pull =
        worst((converged.iter()).filter_map(|p| at!(p.largest_pull).number("largest pull", None)));
    let holds = pull.as_ref().map(|p| p.value <= SIGMAS);
    vec![Claim {
        verdict: match is_weak && holds != Some(false) {
            true => Outcome::SourceUnconverged,
            false => Outcome::of(holds),
        },
        numbers: pull.into_iter().collect(),
        note: match (is_weak, left_out) {
            (true, n) => Some(format!(
                "They vanish exactly, f and −f being equally likely; but the error bars of {n} of the averages miss rare networks, so that the measurement is a weak test."
            )),
            (false, 0) => None,
            (false, n) => Some(format!("Left out: {n}.")),
        },
        ..Claim::new(
            Section::Odd,
            net,
            &source().references.odd,
            Statement::plain("Odd n-point functions vanish (n = 1, 3, 5)"),
            "every element at every width within 5.5 standard errors of zero (one false alarm in 10⁴ for the 3140 elements), n-point functions that have not converged left out; unconverged if those are half of all",
        )
    }]
}

#[cfg(test)]
mod tests {
    use super::super::sample::{self, net};
    use super::*;

    #[test]
    fn odd_functions_vanish_where_most_of_them_have_converged() {
        let of = |points: &[(f64, bool)]| {
            let points = points.iter().map(|(pull, is_converged)| {
                let mut point = sample::point(3);
                point.largest_pull = Some(*pull);
                point.unconverged = (!is_converged).then(|| "one network has it all".into());
                point
            });
            let mut even = sample::point(2);
            even.largest_pull = Some(9.0);
            let document = sample::falloff([points.chain([even]).collect()]);
            let claims = claims(net(), &Traced::document("falloff", &document));
            sample::assert_traced(&claims, &[("falloff", &document)]);
            claims[0].verdict
        };
        assert_eq!(of(&[(5.4, true)]), Outcome::Reproduced);
        assert_eq!(of(&[(5.6, true)]), Outcome::NotReproduced);
        // A heavy tail alone is left out; among its equals it leaves too little.
        let (good, bad) = ((1.0, true), (9.0, false));
        assert_eq!(of(&[good, good, bad]), Outcome::Reproduced);
        assert_eq!(of(&[good, bad]), Outcome::SourceUnconverged);
        assert_eq!(of(&[(5.6, true), bad]), Outcome::NotReproduced);
    }
}
