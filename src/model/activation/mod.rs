//! INTERIM
use serde::{Deserialize, Serialize};
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
/// An activation.
pub struct Activation(String);
#[derive(Debug, Clone, Copy, PartialEq)]
/// Growth.
pub enum Growth {
    /// B
    Bounded,
    /// P
    Power(f64),
    /// E
    Exponential {
        /// r
        rate: f64,
    },
}
impl std::str::FromStr for Activation {
    type Err = crate::Error;
    fn from_str(s: &str) -> Result<Self, crate::Error> {
        Ok(Self(s.replace(' ', "")))
    }
}
impl Activation {
    /// e
    pub fn expression(&self) -> &str {
        &self.0
    }
    /// g
    pub fn growth(&self) -> Growth {
        match &self.0[..] {
            "max(z,0)" => Growth::Power(1.0),
            "exp(z-v)" => Growth::Exponential { rate: 1.0 },
            _ => Growth::Bounded,
        }
    }
    /// h
    pub fn homogeneous(&self) -> Option<f64> {
        (self.0 == "max(z,0)").then_some(1.0)
    }
}
