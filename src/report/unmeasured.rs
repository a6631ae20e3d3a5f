//! What is said of a coupling that is zero within its error.

use super::{EftDocument, Head, RgDocument, SymmetryDocument};
use crate::model::{Estimator, short};

impl EftDocument {
    /// The sentence on couplings that were not measured, if there are any.
    pub fn unmeasured(&self) -> Option<String> {
        let fits = self.fits.iter().any(|f| !f.measured);
        let cutoffs =
            (self.cutoffs.iter()).filter_map(|p| Some((p.cutoff, p.lambda.as_ref()?.measured)));
        let at = match fits {
            true => Some("the inputs of the fit".into()),
            false => places(cutoffs),
        };
        at.map(|at| sentence(&self.head, &at))
    }
}

impl RgDocument {
    /// The sentence on couplings that were not measured, if there are any.
    pub fn unmeasured(&self) -> Option<String> {
        let points = self.flow.points.iter();
        let at = places(points.filter_map(|p| p.lambda_mean.map(|_| (p.cutoff, p.measured))))?;
        Some(sentence(&self.head, &at))
    }
}

impl SymmetryDocument {
    /// The sentence on couplings that were not measured, if there are any.
    pub fn unmeasured(&self) -> Option<String> {
        let rows = self.couplings.iter();
        let at = places(rows.map(|r| (self.cutoff, r.coupling.measured)).take(1))?;
        Some(sentence(&self.head, &at))
    }
}

/// The cutoffs without a measured coupling, in words; `None` if there are none.
fn places(cutoffs: impl Iterator<Item = (f64, bool)>) -> Option<String> {
    let all: Vec<(f64, bool)> = cutoffs.collect();
    let missing: Vec<f64> = all.iter().filter(|c| !c.1).map(|c| c.0).collect();
    match (&missing[..], all.len()) {
        ([], _) => None,
        ([one], _) => Some(format!("cutoff {}", short(*one))),
        (some, all) => Some(format!("{} of {all} cutoffs", some.len())),
    }
}

fn sentence(head: &Head, at: &str) -> String {
    let spec = &head.spec;
    let mut ways = vec!["`nets` (more networks)"];
    if spec.experiments < 10 {
        ways.push("`experiments` 10");
    }
    if spec.estimator == Estimator::Direct {
        ways.push("`estimator` connected");
    }
    let ways = ways.join(" or ");
    format!(
        "lambda is unmeasured at {at}: it is zero within its error and nothing follows from it; give {ways}"
    )
}
