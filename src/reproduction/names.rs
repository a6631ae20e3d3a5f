//! Documents have names that tell net and measurement.

use super::source::SourceNet;

/// An origin is where the moments come from that a coupling is measured on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    Direct,
    Connected,
    Exact,
}

impl Origin {
    pub const ALL: [Self; 3] = [Self::Direct, Self::Connected, Self::Exact];

    pub fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Connected => "connected",
            Self::Exact => "exact",
        }
    }
}

/// Each of a net's documents has a name.
impl SourceNet {
    pub fn falloff_name(&self) -> String {
        format!("falloff-{}", self.name())
    }

    pub fn width_name(&self, width: u64) -> String {
        format!("falloff-{}-n{width}", self.name())
    }

    pub fn couplings_name(&self, d_in: usize, origin: Origin) -> String {
        format!("eft-{}-d{d_in}-{}", self.name(), origin.name())
    }

    pub fn flow_name(&self, d_in: usize, origin: Origin) -> String {
        format!("rg-{}-d{d_in}-{}", self.name(), origin.name())
    }

    pub fn weight_flow_name(&self, d_in: usize) -> String {
        format!("rg-{}-d{d_in}-weight", self.name())
    }

    pub fn fixed_points_name(&self) -> String {
        format!("rg-{}-fixed-points", self.name())
    }

    pub fn symmetry_name(&self) -> String {
        format!("symmetry-{}", self.name())
    }

    pub fn training_name(&self) -> String {
        format!("train-{}", self.name())
    }

    pub fn fit_name(&self, origin: Origin) -> String {
        format!("fit-{}-{}", self.name(), origin.name())
    }
}
