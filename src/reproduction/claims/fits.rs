//! A constant is said to describe the coupling as well as a function does.

use crate::reproduction::documents::Fits;
use crate::reproduction::source::{SourceNet, source};
use crate::reproduction::traced::{Number, Traced, at};
use crate::reproduction::verdict::{Claim, Outcome, Section, Statement};
use crate::run::EftDocument;

/// The largest mean absolute error of a good description, in percent.
const GOOD: f64 = 1.0;

pub(super) fn claim(net: &'static SourceNet, fits: &Fits) -> Claim {
    let error = |document: &Traced<EftDocument>, name: &str| -> Option<Number> {
        let constant = at!(document.fits).nth(0)?;
        // Percent: of a hundred.
        Some(at!(constant.test.mape).number(name, None)?.of_size(100.0))
    };
    let coefficient = |document: &Traced<EftDocument>, name: &str| -> Option<Number> {
        let constant = at!(document.fits).nth(0)?;
        let coefficients = at!(constant.coefficients).known()?;
        coefficients.nth(0)?.number(name, None)
    };
    let exact = error(&fits.exact, "test MAPE %, exact moments");
    let holds = exact.as_ref().map(|e| e.value < GOOD);
    let numbers = [
        exact,
        error(&fits.connected, "test MAPE %, sampled"),
        coefficient(&fits.exact, "ℓ₀, exact moments"),
        coefficient(&fits.connected, "ℓ₀, sampled"),
    ];
    let is_degenerate = (fits.exact.fits.iter()).any(|f| f.terms.len() == 3 && f.rank == 1);
    Claim {
        verdict: Outcome::of(holds),
        numbers: numbers.into_iter().flatten().collect(),
        note: is_degenerate.then(|| "The three terms are proportional on these inputs (rank 1): only a combination of the coefficients is measured.".into()),
        ..Claim::new(
            Section::Fits,
            net,
            &source().references.fits,
            Statement::plain("With weight vertices a constant ℓ₀ alone describes the 4-point function at other inputs"),
            "mean absolute percentage error on the test inputs below 1%, from exact moments",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{self, net};
    use super::*;
    use crate::analysis::MODELS;

    #[test]
    fn exact_moments_decide_whether_a_constant_describes_the_four_point_function() {
        let document = |mape, ranks: [usize; 3]| {
            let mut document = sample::eft(Vec::new());
            let fits = MODELS.iter().zip(ranks);
            document.fits = fits
                .map(|(terms, rank)| sample::function_fit(terms, rank, mape))
                .collect();
            document
        };
        let of = |exact: Option<f64>, ranks| {
            let (exact, sampled) = (document(exact, ranks), document(Some(0.1), ranks));
            let claim = claim(
                net(),
                &Fits {
                    exact: Traced::document("exact", &exact),
                    connected: Traced::document("connected", &sampled),
                },
            );
            let all = [("exact", &exact), ("connected", &sampled)];
            sample::assert_traced(std::slice::from_ref(&claim), &all);
            (claim.verdict, claim.note.is_some())
        };
        assert_eq!(of(Some(0.9), [1, 2, 3]), (Outcome::Reproduced, false));
        assert_eq!(of(Some(1.1), [1, 2, 3]), (Outcome::NotReproduced, false));
        assert_eq!(of(None, [1, 2, 3]), (Outcome::Undecided, false));
        assert_eq!(of(Some(0.9), [1, 1, 1]), (Outcome::Reproduced, true));
    }
}
