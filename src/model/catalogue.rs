//! The catalogue lists the networks known by name, with the settings that the source measures them
//! at.

use std::sync::LazyLock;

use serde::Deserialize;

use super::{Law, PerLayer};
use crate::{Error, Result};

/// A catalogue entry holds what the catalogue knows of a net: one table of `assets/nets.toml`.
///
/// ```
/// use nnqft_gpu::model::CatalogueEntry;
///
/// let relu = CatalogueEntry::find("ReLU-net")?;
/// assert_eq!((relu.name.as_str(), relu.eft_width), ("relu", 20));
/// assert!(CatalogueEntry::find("rleu").unwrap_err().to_string().contains("relu"));
/// # Ok::<(), nnqft_gpu::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CatalogueEntry {
    /// Name on the command line and in JSON.
    pub name: String,
    /// Name in prose.
    pub title: String,
    /// Expression of the activation.
    pub activation: String,
    /// Standard deviation of the weights, before 1/sqrt(fan-in); with two, of the hidden layer and
    /// the readout.
    #[serde(default = "one")]
    pub sigma_w: PerLayer<f64>,
    /// Standard deviation of the biases but phases.
    #[serde(default = "one")]
    pub sigma_b: PerLayer<f64>,
    /// Law of the weights.
    #[serde(default = "gaussian")]
    pub law_w: PerLayer<Law>,
    /// Law of the biases.
    #[serde(default = "gaussian")]
    pub law_b: PerLayer<Law>,
    /// Width at which couplings are measured and 6-point functions predicted.
    #[serde(default = "twenty")]
    pub eft_width: u64,
    /// Setting of the fits of a coupling function.
    #[serde(default)]
    pub fit: FitSetting,
    /// Whether the net is one of the nets of arXiv:2008.08601.
    #[serde(default)]
    pub is_of_source: bool,
}

/// `FitSetting` says where a coupling function is fitted (arXiv:2008.08601v2).
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct FitSetting {
    /// Name of the test inputs; the train inputs are these over sqrt(2).
    pub inputs: String,
    /// Hidden width.
    pub width: u64,
    /// Cutoff of the vertices, possibly infinite.
    pub cutoff: f64,
}

impl Default for FitSetting {
    /// Takes the setting of Erf-net with more units.
    fn default() -> Self {
        Self {
            inputs: "erf-fit".into(),
            width: twenty(),
            cutoff: 100.0,
        }
    }
}

fn one() -> PerLayer<f64> {
    1.0.into()
}

fn gaussian() -> PerLayer<Law> {
    Law::Gaussian.into()
}

fn twenty() -> u64 {
    20
}

static ENTRIES: LazyLock<Vec<CatalogueEntry>> = LazyLock::new(|| {
    #[derive(Deserialize)]
    struct File {
        net: Vec<CatalogueEntry>,
    }
    let file: File = toml::from_str(include_str!("../../assets/nets.toml"))
        .expect("assets/nets.toml is part of the build and tested");
    file.net
});

impl CatalogueEntry {
    /// Lists all entries, in the order of the file.
    pub fn all() -> &'static [Self] {
        &ENTRIES
    }

    /// Lists the nets of the source, in its order.
    pub fn of_source() -> impl Iterator<Item = &'static Self> + Clone {
        Self::all().iter().filter(|entry| entry.is_of_source)
    }

    /// Finds the entry of a name or title, in any case.
    ///
    /// # Errors
    /// [`Error::Invalid`] that lists the names there are.
    pub fn find(name: &str) -> Result<&'static Self> {
        let is = |other: &str| other.eq_ignore_ascii_case(name);
        (Self::all().iter())
            .find(|entry| is(&entry.name) || is(&entry.title))
            .ok_or_else(|| {
                let names: Vec<&str> = Self::all().iter().map(|e| e.name.as_str()).collect();
                let (last, others) = names.split_last().expect("the catalogue is not empty");
                Error::invalid("arch", name, format!("use {} or {last}", others.join(", ")))
            })
    }
}

/// Lists the names of the nets of the source, in its order.
pub fn source_nets() -> impl Iterator<Item = &'static str> + Clone {
    CatalogueEntry::of_source().map(|entry| entry.name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Inputs, Net};

    #[test]
    fn every_entry_is_a_net_with_inputs_to_fit_on() {
        for entry in CatalogueEntry::all() {
            let net = Net::named(&entry.name, 1).unwrap();
            assert_eq!(net.name(), Some(entry.name.as_str()));
            assert_eq!(net.title(), entry.title);
            assert!(Inputs::parse(&entry.fit.inputs).is_ok());
            assert!(entry.fit.cutoff > 0.0 && entry.eft_width > 0);
        }
    }

    #[test]
    fn the_source_has_three_nets() {
        assert_eq!(source_nets().collect::<Vec<_>>(), ["erf", "relu", "gauss"]);
    }
}
