//! The quartic coupling is said to predict the 6-point function.

use super::couplings::{Couplings, is_unconverged, known, numbers};
use crate::reproduction::source::{SourceNet, source};
use crate::reproduction::traced::{Number, Traced, at};
use crate::reproduction::verdict::{Basis, Claim, Outcome, Section, Statement};
use crate::run::{EftDocument, EftPoint};

/// How far delta may be from 1.
const NEAR: f64 = 0.25;
/// How much delta may vary over the cutoffs, in units of itself.
const FLAT: f64 = 0.05;

pub(super) fn claims(net: &'static SourceNet, documents: &Couplings) -> Vec<Claim> {
    vec![prediction(net, documents), flatness(net, documents)]
}

fn delta(point: &Traced<EftPoint>) -> Option<Number> {
    let six = at!(point.six_point).known()?;
    at!(six.delta_mean).number("", six.delta_std_err)
}

fn prediction(net: &'static SourceNet, documents: &Couplings) -> Claim {
    let delta = numbers(documents, delta);
    let is_near = |n: &Number| (n.value - 1.0).abs() < NEAR;
    let is_unconverged = [4, 6].iter().any(|&n| is_unconverged(documents, n));
    let holds = delta.direct.as_ref().and_then(|d| {
        let to_limit = ((d.value - 1.0).abs() - NEAR).abs();
        (to_limit > 3.0 * d.std_err?).then(|| is_near(d))
    });
    let exact = delta.exact.as_ref().filter(|_| is_unconverged);
    Claim {
        verdict: match is_unconverged {
            true => Outcome::SourceUnconverged,
            false => Outcome::of(holds),
        },
        note: exact.map(|exact| match is_near(exact) {
            false => format!(
                "What the sampled networks show is not so: with the tail resolved δ = {:.4}, and the net at this width is not described by λ alone.",
                exact.value
            ),
            true => format!("Exactly, δ = {:.4}.", exact.value),
        }),
        numbers: known(delta),
        ..Claim::new(
            Section::Couplings,
            net,
            &source().references.prediction,
            Statement::with("λ alone predicts the 6-point function", "δ near 1"),
            "δ at Λ = 100, averaged over the elements, is within 0.25 of 1; undecided if the limit is within 3 standard errors",
        )
    }
}

/// Finds the smallest and the largest delta over the cutoffs.
fn ends(document: &Traced<EftDocument>) -> Option<[Number; 2]> {
    let deltas = || at!(document.cutoffs).each().filter_map(|p| delta(&p));
    let by_value = |a: &Number, b: &Number| a.value.total_cmp(&b.value);
    let (smallest, largest) = (deltas().min_by(by_value)?, deltas().max_by(by_value)?);
    Some([smallest.called("smallest δ"), largest.called("largest δ")])
}

fn flatness(net: &'static SourceNet, documents: &Couplings) -> Claim {
    let direct = &documents.direct;
    let is_whole = at!(direct.cutoffs).each().all(|p| delta(&p).is_some());
    let measured = ends(direct);
    let holds = (|| {
        let [a, b] = measured.as_ref().filter(|_| is_whole)?;
        let (range, limit) = (b.value - a.value, FLAT * b.value.abs());
        let error = 3.0 * a.std_err?.hypot(b.std_err?);
        (range < limit || range > limit + error).then_some(range < limit)
    })();
    let exact = ends(&documents.exact)
        .into_iter()
        .flatten()
        .map(|n| Number {
            name: format!("{}, exact", n.name),
            std_err: None,
            ..n
        });
    Claim {
        verdict: Outcome::of(holds),
        basis: Basis::ByConstruction,
        numbers: measured.into_iter().flatten().chain(exact).collect(),
        ..Claim::new(
            Section::Couplings,
            net,
            &source().references.flatness,
            Statement::with(
                "The prediction does not depend on the cutoff",
                "δ(Λ) is flat",
            ),
            "δ varies by less than 0.05 of itself over the 21 cutoffs; undecided if it varies by more, but within 3 standard errors, or is unmeasured at one",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{self, net};
    use super::*;
    use crate::reproduction::documents::ByOrigin;

    /// Judges deltas with their errors, at Λ = 100, 200, ..; the exact ones without.
    fn judge(direct: &[Option<(f64, f64)>], exact: f64, unconverged: &[usize]) -> Vec<Claim> {
        let document = |deltas: &[Option<(f64, f64)>]| {
            let points = (deltas.iter().zip(1..)).map(|(delta, k)| EftPoint {
                six_point: delta.map(|(mean, std_err)| sample::six_point(mean, std_err)),
                ..sample::eft_point(100.0 * f64::from(k))
            });
            sample::eft(points.collect())
        };
        let mut sampled = document(direct);
        sampled.head.source.unconverged = sample::unconverged(unconverged);
        let exact = document(&[Some((exact, 0.0))]);
        let claims = claims(
            net(),
            &ByOrigin {
                direct: Traced::document("direct", &sampled),
                connected: Traced::document("direct", &sampled),
                exact: Traced::document("exact", &exact),
            },
        );
        sample::assert_traced(&claims, &[("direct", &sampled), ("exact", &exact)]);
        claims
    }

    #[test]
    fn delta_is_near_one_if_its_error_tells() {
        let of = |delta, std_err, unconverged: &[usize]| {
            judge(&[Some((delta, std_err))], 1.0, unconverged)[0].verdict
        };
        assert_eq!(of(1.1, 0.01, &[]), Outcome::Reproduced);
        assert_eq!(of(1.3, 0.01, &[]), Outcome::NotReproduced);
        assert_eq!(of(0.7, 0.01, &[]), Outcome::NotReproduced);
        assert_eq!(of(1.3, 0.02, &[]), Outcome::Undecided);
        assert_eq!(judge(&[None], 1.0, &[])[0].verdict, Outcome::Undecided);
        for order in [4, 6] {
            assert_eq!(of(1.1, 0.01, &[order]), Outcome::SourceUnconverged);
        }
        assert_eq!(of(1.1, 0.01, &[2]), Outcome::Reproduced);
    }

    #[test]
    fn what_the_exact_delta_is_stands_beside_a_tail() {
        let note = |exact| judge(&[Some((1.0, 0.01))], exact, &[6])[0].note.clone();
        assert_eq!(note(0.9).unwrap(), "Exactly, δ = 0.9000.");
        assert!(note(6.0).unwrap().contains("is not so"));
        assert_eq!(judge(&[Some((1.0, 0.01))], 6.0, &[])[0].note, None);
    }

    #[test]
    fn delta_is_flat_within_a_twentieth() {
        let of = |deltas: &[Option<(f64, f64)>]| judge(deltas, 1.0, &[])[1].verdict;
        let at = |delta| Some((delta, 0.01));
        assert_eq!(of(&[at(1.0), at(1.04), at(1.02)]), Outcome::Reproduced);
        assert_eq!(of(&[at(1.2), at(1.0)]), Outcome::NotReproduced);
        assert_eq!(of(&[at(1.08), at(1.0)]), Outcome::Undecided);
        assert_eq!(of(&[at(1.0), None]), Outcome::Undecided);
        assert_eq!(of(&[]), Outcome::Undecided);
    }
}
