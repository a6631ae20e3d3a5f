//! The source has a citation, places of its results, and expectations of each net.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::Result;
use crate::analysis::Naturalness;
use crate::model::{CatalogueEntry, EnsembleSpec};

/// The file `assets/source.toml`, read when it is first asked for, holds what the source says.
static SOURCE: LazyLock<Source> = LazyLock::new(|| {
    toml::from_str(include_str!("../../assets/source.toml")).expect("assets/source.toml is valid")
});

/// Tells what the source says.
pub(super) fn source() -> &'static Source {
    &SOURCE
}

/// The source is the paper that is reproduced, with what it says of its nets.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Source {
    pub citation: Citation,
    pub references: References,
    #[serde(rename = "net")]
    pub nets: Vec<SourceNet>,
}

/// The source is cited by these.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Citation {
    pub authors: String,
    pub title: String,
    pub journal: String,
    pub arxiv: String,
    pub talk: String,
}

/// These are the places of the results that the source states of all nets alike.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct References {
    pub falloff: String,
    pub odd: String,
    pub sign: String,
    pub naturalness: String,
    pub prediction: String,
    pub flatness: String,
    pub fixed_points: String,
    pub symmetry: String,
    pub fits: String,
}

/// The source says this of one of its nets.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SourceNet {
    pub arch: String,
    /// Where the source shows its running coupling.
    pub flow: String,
    /// Whether its flow is also followed with weight vertices.
    pub weight_flow: bool,
    /// Ends of the flow at which the dimensionless coupling is said to stop running.
    pub fixed_points: Vec<End>,
    pub coupling: ExpectedCoupling,
    pub work: Work,
}

/// The flow has two ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum End {
    Uv,
    Ir,
}

/// The source says what the coupling is over 4-tuples, in these words, and why.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExpectedCoupling {
    pub expected: Naturalness,
    pub statement: String,
    pub reason: Option<String>,
}

/// Two cores, or a GPU in their place, need so many nanoseconds for a hidden unit.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Work {
    pub cpu: f64,
    pub gpu: f64,
}

impl SourceNet {
    /// Its name in file names.
    pub fn name(&self) -> &str {
        &self.arch
    }

    /// What the catalogue knows of it.
    pub fn entry(&self) -> &'static CatalogueEntry {
        CatalogueEntry::find(&self.arch).expect("assets/source.toml names nets of the catalogue")
    }

    /// Its name in prose.
    pub fn title(&self) -> &'static str {
        &self.entry().title
    }

    /// Width at which the source measures its couplings.
    pub fn eft_width(&self) -> u64 {
        self.entry().eft_width
    }

    /// The source's ensemble at an input dimension.
    pub fn preset(&self, d_in: usize) -> Result<EnsembleSpec> {
        EnsembleSpec::preset(&self.arch, d_in)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::source_nets;

    #[test]
    fn the_source_has_its_nets_in_their_order() {
        let names = source().nets.iter().map(SourceNet::name);
        assert!(names.eq(source_nets()));
        for net in &source().nets {
            assert_ne!(net.coupling.expected, Naturalness::Undecided);
            assert!(net.fixed_points.contains(&End::Uv));
        }
    }
}
