use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::Correlator;

/// An n-point function whose averages have not converged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unconverged {
    /// What rests on it, if that is less than the whole result: couplings, a slope.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<Cow<'static, str>>,
    /// Order of the n-point function.
    pub order: usize,
    /// Why, and what to do, in a sentence.
    pub reason: String,
}

impl Unconverged {
    /// The n-point functions that have not converged.
    pub fn of(correlators: &[Correlator]) -> Vec<Self> {
        correlators
            .iter()
            .filter_map(Correlator::unconverged)
            .collect()
    }

    /// The same as what a claim rests on.
    pub fn under(self, claim: &'static str) -> Self {
        Self {
            claim: Some(claim.into()),
            ..self
        }
    }
}

impl Correlator {
    /// Why this n-point function is not to be relied on, if it is not.
    pub fn unconverged(&self) -> Option<Unconverged> {
        Some(Unconverged {
            claim: None,
            order: self.order,
            reason: self.reason.clone()?,
        })
    }
}

impl std::fmt::Display for Unconverged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(claim) = &self.claim {
            write!(f, "{claim}, ")?;
        }
        write!(f, "{}-point function: {}", self.order, self.reason)
    }
}
