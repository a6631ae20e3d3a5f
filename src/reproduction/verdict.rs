//! A claim has a verdict, a criterion and the numbers that decide.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use super::source::SourceNet;
use super::traced::Number;

/// An outcome says that a result of the source stands, or does not, or that nothing can be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// The criterion is met.
    Reproduced,
    /// The criterion is not met.
    NotReproduced,
    /// The source's measurement, repeated here, rests on averages that have not converged.
    SourceUnconverged,
    /// There are too few networks to tell.
    Undecided,
}

impl Outcome {
    /// Makes the outcome of a criterion that holds, does not, or cannot be decided.
    pub(super) fn of(holds: Option<bool>) -> Self {
        match holds {
            Some(true) => Self::Reproduced,
            Some(false) => Self::NotReproduced,
            None => Self::Undecided,
        }
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Reproduced => "reproduced",
            Self::NotReproduced => "not reproduced",
            Self::SourceUnconverged => "source's measurement unconverged",
            Self::Undecided => "undecided at this scale",
        })
    }
}

/// A basis is what a verdict rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Basis {
    /// Networks, or exact values, which could have come out otherwise.
    Measured,
    /// Integrals alone: whatever 4-point function is measured, the result follows from the formula that makes the
    /// coupling of it.
    ByConstruction,
}

impl Basis {
    /// Both, in the order in which they are counted.
    pub const ALL: [Self; 2] = [Self::Measured, Self::ByConstruction];
}

impl std::fmt::Display for Basis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Measured => "measured",
            Self::ByConstruction => "by construction",
        })
    }
}

/// Counts the outcomes of claims on one basis.
pub(super) fn tally(claims: &[Claim], basis: Basis) -> BTreeMap<Outcome, usize> {
    let mut counts = BTreeMap::new();
    for claim in claims.iter().filter(|claim| claim.basis == basis) {
        *counts.entry(claim.verdict).or_default() += 1;
    }
    counts
}

/// A section is a part of the page of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Section {
    /// The ensembles drawn.
    Experiments,
    /// m_n against the width.
    Falloff,
    /// Odd n-point functions.
    Odd,
    /// Couplings and the 6-point prediction.
    Couplings,
    /// Running couplings.
    Flow,
    /// Fixed points of the flow.
    Fixed,
    /// SO(d_out).
    Symmetry,
    /// The coupling as a function.
    Fits,
    /// Exact values.
    Exact,
    /// The connected estimator.
    Estimator,
    /// Heavy tails.
    Tail,
    /// The documents behind the page.
    Documents,
}

/// A statement is a result in one sentence, and what follows its colon: the reason, or the result
/// in symbols.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Result in one sentence, without a full stop.
    pub result: String,
    /// What follows the colon, if anything does.
    pub detail: Option<String>,
}

impl Statement {
    /// Makes a statement of a result that needs no more words.
    pub(super) fn plain(result: impl Into<String>) -> Self {
        Self {
            result: result.into(),
            detail: None,
        }
    }

    /// Makes a statement of a result and what follows its colon.
    pub(super) fn with(result: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            result: result.into(),
            detail: Some(detail.into()),
        }
    }

    /// Writes the statement up to its colon, for narrow tables.
    pub fn short(&self) -> String {
        match self.detail {
            Some(_) => self.result.clone(),
            None => self.to_string(),
        }
    }
}

impl std::fmt::Display for Statement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.detail {
            Some(detail) => write!(f, "{}: {detail}.", self.result),
            None => write!(f, "{}.", self.result),
        }
    }
}

impl Serialize for Statement {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A claim is a result with its verdict.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Claim {
    /// Section of the report that shows the claim.
    pub section: Section,
    /// The net, as `Erf-net`.
    pub net: &'static str,
    /// Where the source states the result; empty beyond the source.
    pub source: &'static str,
    /// Result as a statement.
    pub statement: Statement,
    /// Criterion that decides.
    pub criterion: &'static str,
    /// Outcome of the criterion.
    pub verdict: Outcome,
    /// Basis of the outcome.
    pub basis: Basis,
    /// Numbers that the outcome follows from.
    pub numbers: Vec<Number>,
    /// Note on what else must be said, if anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Claim {
    /// Makes a claim on a net, undecided until numbers come.
    pub(super) fn new(
        section: Section,
        net: &'static SourceNet,
        source: &'static str,
        statement: Statement,
        criterion: &'static str,
    ) -> Self {
        Self {
            section,
            net: net.title(),
            source,
            statement,
            criterion,
            verdict: Outcome::Undecided,
            basis: Basis::Measured,
            numbers: Vec::new(),
            note: None,
        }
    }

    /// Says the outcome, and that it holds by construction if it does.
    pub(super) fn verdict_in_words(&self) -> String {
        match self.basis {
            Basis::Measured => self.verdict.to_string(),
            Basis::ByConstruction => format!("{}, {}", self.verdict, self.basis),
        }
    }
}
