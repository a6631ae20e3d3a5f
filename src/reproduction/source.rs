//! The source has a citation, places of its results, and expectations of each net.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::Result;
use crate::analysis::Naturalness;
use crate::model::{CatalogueEntry, EnsembleSpec};

/// `DIMENSIONS` lists the input dimensions of the source.
pub(super) const DIMENSIONS: [usize; 3] = [1, 2, 3];

/// `SOURCE` holds what the source says, from `assets/source.toml`, read when it is first asked for.
static SOURCE: LazyLock<Source> = LazyLock::new(|| {
    toml::from_str(include_str!("../../assets/source.toml")).expect("assets/source.toml is valid")
});

/// Returns what the source says.
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

/// A citation names the source.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Citation {
    pub authors: String,
    pub title: String,
    pub journal: String,
    pub arxiv: String,
    pub talk: String,
}

/// `References` are the places of the results that the source states of all nets alike.
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
    pub functions: String,
    pub learning: String,
}

/// `SourceNet` is what the source says of one of its nets.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SourceNet {
    pub arch: String,
    /// Where the source shows its running coupling.
    pub flow: String,
    /// Whether the net's flow is also followed with weight vertices.
    pub weight_flow: bool,
    /// Ends of the flow at which the dimensionless coupling is said to stop running.
    pub fixed_points: Vec<End>,
    pub coupling: ExpectedCoupling,
    pub training: Option<Training>,
    pub work: Work,
}

/// `End` is one of the two ends of a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum End {
    Uv,
    Ir,
}

/// `ExpectedCoupling` is what the source says that the coupling is over 4-tuples, and why.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExpectedCoupling {
    pub expected: Naturalness,
    pub statement: String,
    pub reason: Option<String>,
}

/// `Training` is what networks of a net learn here.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Training {
    pub data: String,
    /// Points at which the networks are looked at beside the data.
    pub inputs: String,
    pub rate: f64,
    pub steps: Vec<u64>,
    pub widths: Vec<u64>,
}

/// `Work` is the time that two cores, or a GPU in their place, need for a hidden unit, in
/// nanoseconds.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Work {
    pub cpu: f64,
    pub gpu: f64,
}

impl SourceNet {
    /// Returns the net's name in file names.
    pub fn name(&self) -> &str {
        &self.arch
    }

    /// Returns what the catalogue knows of the net.
    pub fn entry(&self) -> &'static CatalogueEntry {
        CatalogueEntry::find(&self.arch).expect("assets/source.toml names nets of the catalogue")
    }

    /// Returns the net's name in prose.
    pub fn title(&self) -> &'static str {
        &self.entry().title
    }

    /// Returns the width at which the source measures the net's couplings.
    pub fn eft_width(&self) -> u64 {
        self.entry().eft_width
    }

    /// Returns the source's ensemble at an input dimension.
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
