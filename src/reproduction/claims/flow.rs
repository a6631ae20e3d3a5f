//! The coupling is said to run as theory predicts.

use crate::reproduction::documents::ByOrigin;
use crate::reproduction::source::SourceNet;
use crate::reproduction::traced::{Traced, at};
use crate::reproduction::verdict::{Basis, Claim, Outcome, Section, Statement};
use crate::run::RgDocument;

/// How far a slope may be from theory's.
const NEAR: f64 = 0.01;
/// The smallest coefficient of determination of a straight line.
const STRAIGHT: f64 = 0.99;

pub(super) fn claim(
    net: &'static SourceNet,
    d_in: usize,
    documents: &ByOrigin<Traced<RgDocument>>,
) -> Claim {
    let is_measured = documents.direct.flow.fit.is_some();
    let document = match is_measured {
        true => &documents.direct,
        false => &documents.connected,
    };
    let flow = at!(document.(flow));
    let end = at!(flow.asymptotic_slope)
        .number("slope at the largest cutoff", flow.asymptotic_slope_std_err);
    let theory = at!(flow.theory_slope).number("theory", None);
    let line = at!(flow.fit).known();
    let fit = (line.as_ref())
        .and_then(|line| at!(line.slope).number("fit over all cutoffs", line.std_err));
    let r2 = line.and_then(|line| at!(line.r2).number("R²", None));
    let holds = (|| {
        let (end, theory, r2) = (end.as_ref()?, theory.as_ref()?, r2.as_ref()?);
        let off = (end.value - theory.value).abs();
        let decided = (off - NEAR).abs() > 3.0 * end.std_err?;
        decided.then_some(off <= NEAR && r2.value >= STRAIGHT)
    })();
    let note = match is_measured {
        false => Some("From the direct estimator's networks λ is zero within its error: the numbers are those of the connected estimator."),
        true => (!document.head.source.unconverged.is_empty()).then_some("The sampled 4-point function has not converged, which moves the whole line but not its slope: one dG⁽⁴⁾ is matched at every cutoff."),
    };
    Claim {
        verdict: Outcome::of(holds),
        basis: Basis::ByConstruction,
        numbers: [end, theory, fit, r2].into_iter().flatten().collect(),
        note: note.map(str::to_string),
        ..Claim::new(
            Section::Flow,
            net,
            &net.flow,
            Statement::plain(format!(
                "log |λ| falls linearly with log Λ, with the slope of theory, at d_in = {d_in}"
            )),
            "the slope at the largest cutoff is within 0.01 of theory's, and R² ≥ 0.99 over all 21; undecided if the limit is within 3 standard errors, or λ unmeasured",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{self, net};
    use super::*;

    /// Judges what the direct and the connected estimator have measured.
    fn judge(direct: &RgDocument, connected: &RgDocument) -> Claim {
        let documents = ByOrigin {
            direct: Traced::document("direct", direct),
            connected: Traced::document("connected", connected),
            exact: Traced::document("connected", connected),
        };
        let claim = claim(net(), 1, &documents);
        let all = [("direct", direct), ("connected", connected)];
        sample::assert_traced(std::slice::from_ref(&claim), &all);
        claim
    }

    #[test]
    fn a_slope_stands_within_a_hundredth_of_theory() {
        let of = |slope, std_err, r2| {
            let document = sample::flow((slope, std_err), Some(r2));
            judge(&document, &document).verdict
        };
        assert_eq!(of(-1.005, Some(0.001), 1.0), Outcome::Reproduced);
        assert_eq!(of(-1.02, Some(0.001), 1.0), Outcome::NotReproduced);
        assert_eq!(of(-1.005, Some(0.001), 0.98), Outcome::NotReproduced);
        assert_eq!(of(-1.02, Some(0.01), 1.0), Outcome::Undecided);
        assert_eq!(of(-1.005, None, 1.0), Outcome::Undecided);
    }

    #[test]
    fn the_connected_estimator_speaks_where_the_direct_one_sees_nothing() {
        let seen = sample::flow((-1.0, Some(0.001)), Some(1.0));
        let unseen = sample::flow((-1.5, None), None);
        let claim = judge(&unseen, &seen);
        assert_eq!(claim.verdict, Outcome::Reproduced);
        assert!(claim.note.unwrap().contains("connected"));
        assert_eq!(judge(&unseen, &unseen).verdict, Outcome::Undecided);
        // The slope is that of one sample at every cutoff, converged or not.
        let mut heavy = seen.clone();
        heavy.head.source.unconverged = sample::unconverged(&[4]);
        let claim = judge(&heavy, &seen);
        assert_eq!(claim.verdict, Outcome::Reproduced);
        assert!(claim.note.unwrap().contains("not its slope"));
    }
}
