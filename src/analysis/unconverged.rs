use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::Correlator;

/// `Unconverged` is an n-point function whose averages have not converged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Unconverged {
    /// The claim that rests on the function, if that is less than the whole result: couplings, a
    /// slope.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<Cow<'static, str>>,
    /// Order of the n-point function.
    pub order: usize,
    /// Why the averages have not converged, and what to do, in a sentence.
    pub reason: String,
}

impl Unconverged {
    /// Lists the n-point functions that have not converged.
    pub fn of(correlators: &[Correlator]) -> Vec<Self> {
        correlators
            .iter()
            .filter_map(Correlator::unconverged)
            .collect()
    }

    /// Names the claim that rests on the function.
    pub fn under(self, claim: &'static str) -> Self {
        Self {
            claim: Some(claim.into()),
            ..self
        }
    }
}

impl Correlator {
    /// Returns why this n-point function is not to be relied on, if it is not.
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
