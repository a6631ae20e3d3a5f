//! A coupling that is zero within its error was not measured.

use super::Head;
use crate::model::{Estimator, short};

/// Names the cutoffs without a measured coupling; `None` if there are none.
pub fn places(cutoffs: impl Iterator<Item = (f64, bool)>) -> Option<String> {
    let all: Vec<(f64, bool)> = cutoffs.collect();
    let missing: Vec<f64> = all.iter().filter(|c| !c.1).map(|c| c.0).collect();
    match (&missing[..], all.len()) {
        ([], _) => None,
        ([one], _) => Some(format!("cutoff {}", short(*one))),
        (some, all) => Some(format!("{} of {all} cutoffs", some.len())),
    }
}

/// Says in a sentence that couplings were not measured, and what would measure them.
pub fn sentence(head: &Head, at: &str) -> String {
    let spec = &head.spec;
    let mut ways = vec!["more networks"];
    if spec.experiments < 10 {
        ways.push("10 experiments");
    }
    if spec.estimator == Estimator::Direct {
        ways.push("the connected estimator");
    }
    let ways = ways.join(" or ");
    format!(
        "lambda is unmeasured at {at}: it is zero within its error and nothing follows from it; take {ways}"
    )
}
