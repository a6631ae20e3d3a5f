//! This module sorts adapters into the classes that work is shaped for.

use std::str::FromStr;

use serde::Serialize;

use crate::{Error, Result};

/// An adapter class says what kind of hardware work is shaped for, as far as limits and the reported kind tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum AdapterClass {
    /// A card with memory of its own, which holds hundreds of thousands of threads.
    Discrete,
    /// A GPU that shares the processor's memory, and holds tens of thousands of threads.
    Integrated,
    /// A processor posing as a GPU.
    Software,
}

impl AdapterClass {
    /// Every class, the one with most threads first.
    pub const ALL: [Self; 3] = [Self::Discrete, Self::Integrated, Self::Software];
}

impl std::fmt::Display for AdapterClass {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Discrete => "discrete",
            Self::Integrated => "integrated",
            Self::Software => "software",
        })
    }
}

impl FromStr for AdapterClass {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let known = |class: &Self| class.to_string() == text;
        Self::ALL.into_iter().find(known).ok_or_else(|| {
            let reason = "use discrete, integrated or software";
            Error::invalid("profile", format!("'{text}'"), reason)
        })
    }
}
