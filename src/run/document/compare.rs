use serde::Serialize;

use super::{Head, Timing};
use crate::analysis::CrossCheck;
use crate::engine::DeviceInfo;
use crate::model::{Law, Net};

/// `CompareDocument` holds every stage and fit of the GPU against the f64 CPU engine.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct CompareDocument {
    /// Head with schema, version, spec, device and timing.
    #[serde(flatten)]
    pub head: Head<CompareSpec, ()>,
    /// Stages and fits, and whether all agree.
    #[serde(flatten)]
    pub check: CrossCheck,
}

/// `CompareSpec` says how much is compared.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CompareSpec {
    /// Net that is compared, at several d_in and widths; without one they are the source's.
    #[serde(flatten)]
    pub net: Option<ComparedNet>,
    /// Whether some twenty times as many networks are drawn.
    pub thorough: bool,
}

/// `ComparedNet` is a net without its dimensions.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ComparedNet {
    /// Name in the catalogue, if it has one.
    pub arch: Option<String>,
    /// Expression of the activation.
    pub activation: String,
    /// Standard deviation of the weights of every affine layer.
    pub sigma_w: Vec<f64>,
    /// Standard deviation of the biases of every affine layer.
    pub sigma_b: Vec<f64>,
    /// Law of the weights of every affine layer.
    pub law_w: Vec<Law>,
    /// Law of the biases of every affine layer.
    pub law_b: Vec<Law>,
}

impl CompareSpec {
    /// Describes the comparison of a net, or of the source's.
    pub fn new(net: Option<&Net>, thorough: bool) -> Self {
        let layers = |net: &Net| net.layers().to_vec().into_iter();
        let net = net.map(|net| ComparedNet {
            arch: net.name().map(Into::into),
            activation: net.activation().expression().into(),
            sigma_w: layers(net).map(|l| l.sigma_w).collect(),
            sigma_b: layers(net).map(|l| l.sigma_b).collect(),
            law_w: layers(net).map(|l| l.law_w).collect(),
            law_b: layers(net).map(|l| l.law_b).collect(),
        });
        Self { net, thorough }
    }
}

impl CompareDocument {
    /// Command that makes the document.
    pub const COMMAND: &'static str = "compare-cpu";

    /// Puts a comparison together; `device` is the GPU.
    pub fn new(spec: CompareSpec, device: DeviceInfo, timing: Timing, check: CrossCheck) -> Self {
        Self {
            head: Head::new(Self::COMMAND, spec, device, timing, ()),
            check,
        }
    }
}
