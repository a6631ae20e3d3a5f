//! Several outputs are said to rotate into each other, and to weaken the coupling.

use crate::reproduction::source::{SourceNet, source};
use crate::reproduction::traced::{Number, Traced, at};
use crate::reproduction::verdict::{Claim, Outcome, Section, Statement};
use crate::run::SymmetryDocument;

/// The loop over tree from which on the expansion in the coupling is at its limit.
const LARGE_LOOP: f64 = 0.5;

pub(super) fn claims(net: &'static SourceNet, document: &Traced<SymmetryDocument>) -> Vec<Claim> {
    vec![rotations(net, document), falls(net, document)]
}

fn rotations(net: &'static SourceNet, document: &Traced<SymmetryDocument>) -> Claim {
    let smallest = at!(document.checks)
        .each()
        .filter_map(|check| at!(check.(test).p_value).number("smallest p-value", None))
        .min_by(|a, b| a.value.total_cmp(&b.value));
    let passes = || document.checks.iter().map(|check| check.pass);
    Claim {
        verdict: match passes().any(|pass| pass == Some(false)) {
            true => Outcome::NotReproduced,
            false if passes().any(|pass| pass.is_none()) || document.checks.is_empty() => {
                Outcome::Undecided
            }
            false => Outcome::Reproduced,
        },
        numbers: smallest.into_iter().collect(),
        note: (document.notes.first())
            .map(|first| format!("Heavy tails make some tests weak: {first}.")),
        ..Claim::new(
            Section::Symmetry,
            net,
            &source().references.symmetry,
            Statement::plain("Ensembles with d_out outputs are SO(d_out) symmetric"),
            "every test of exact values, unpaired outputs, rotations and placements at d_out 1, 2, 4, 8 has a p-value of 10⁻⁴ or more; undecided if one that has not is of an ensemble that has not converged",
        )
    }
}

fn falls(net: &'static SourceNet, document: &Traced<SymmetryDocument>) -> Claim {
    let measured: Vec<Option<Number>> = at!(document.couplings as d_out)
        .each()
        .map(|row| {
            let name = format!("λ at d_out = {}", row.coupling.d_out);
            let std_err = row.coupling.lambda_one_loop_std_err;
            at!(row.(coupling).lambda_one_loop).number(name, std_err)
        })
        .collect();
    let all: Option<Vec<&Number>> = measured.iter().map(Option::as_ref).collect();
    let falls = (all.filter(|all| all.len() > 1))
        .map(|all| all.windows(2).all(|w| w[1].value.abs() < w[0].value.abs()));
    let share = at!(document.couplings as d_out)
        .each()
        .next_back()
        .and_then(|row| at!(row.(coupling).loop_over_tree).number("loop over tree", None));
    let ends = [measured.first(), measured.last()]
        .into_iter()
        .flatten()
        .cloned();
    Claim {
        verdict: Outcome::of(falls),
        note: (share.as_ref())
            .filter(|share| share.value > LARGE_LOOP)
            .map(|_| "The one-loop term is not small beside the tree's at Λ = 100: the expansion in λ is at its limit here.".into()),
        numbers: ends.chain([share]).flatten().collect(),
        ..Claim::new(
            Section::Symmetry,
            net,
            &source().references.symmetry,
            Statement::with(
                "More outputs, smaller coupling",
                "|λ| at one loop falls as d_out grows",
            ),
            "|λ| falls from each of d_out 1, 2, 4, 8 to the next",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{self, net};
    use super::*;

    fn judge(document: &SymmetryDocument) -> Vec<Claim> {
        let claims = claims(net(), &Traced::document("symmetry", document));
        sample::assert_traced(&claims, &[("symmetry", document)]);
        claims
    }

    #[test]
    fn one_failed_test_breaks_a_symmetry() {
        let of = |passes: &[Option<bool>]| judge(&sample::symmetry(passes, &[]))[0].verdict;
        assert_eq!(of(&[Some(true), Some(true)]), Outcome::Reproduced);
        assert_eq!(of(&[Some(true), None]), Outcome::Undecided);
        assert_eq!(of(&[None, Some(false)]), Outcome::NotReproduced);
        assert_eq!(of(&[]), Outcome::Undecided);
    }

    #[test]
    fn the_coupling_falls_at_every_step() {
        let of = |couplings: &[Option<f64>]| judge(&sample::symmetry(&[], couplings))[1].verdict;
        let [a, b, c] = [Some(-3.0), Some(-2.0), Some(-1.0)];
        assert_eq!(of(&[a, b, c]), Outcome::Reproduced);
        assert_eq!(of(&[a, c, b]), Outcome::NotReproduced);
        assert_eq!(of(&[a, None, c]), Outcome::Undecided);
        assert_eq!(of(&[]), Outcome::Undecided);
    }

    #[test]
    fn a_large_loop_is_said() {
        let note = |share| {
            let mut document = sample::symmetry(&[], &[Some(2.0), Some(1.0)]);
            document.couplings[1].coupling.loop_over_tree = Some(share);
            judge(&document)[1].note.clone()
        };
        assert_eq!(note(0.4), None);
        assert!(note(0.6).unwrap().contains("at its limit"));
    }
}
