use serde::{Serialize, Serializer};

use super::{Head, Timing};
use crate::analysis::Prediction;
use crate::engine::{Engine, cpu::CpuEngine};
use crate::model::EnsembleSpec;
use crate::theory::{Critical, LayerTheory, Layers, critical};
use crate::{Error, Result};

/// `TheoryDocument` holds kernel, GP and exact values.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct TheoryDocument {
    /// Head with schema, version, spec (of which the sampling is not used), device and timing.
    #[serde(flatten)]
    pub head: Head<EnsembleSpec, ()>,
    /// Kernel K(x_i, x_j) at the points, shape `[points][points]`.
    pub kernel: Vec<Vec<f64>>,
    /// The n-point functions, one per order.
    pub correlators: Vec<Prediction>,
    /// Theory layer by layer, if asked for.
    #[serde(flatten)]
    pub layers: Option<LayersOfNet>,
}

/// `LayersOfNet` is what theory has behind each hidden layer, and the activation's critical point.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct LayersOfNet {
    /// The layers, from the inputs to the outputs.
    pub layers: Vec<LayerOfNet>,
    /// Critical point, or why there is none.
    #[serde(serialize_with = "or_null")]
    pub critical: std::result::Result<Critical, String>,
}

/// `LayerOfNet` is what theory has of the covariance C behind a hidden layer.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct LayerOfNet {
    /// Number of the hidden layer, from 1.
    pub layer: usize,
    /// Kernel at infinite width, `[points][points]`.
    pub kernel: Vec<Vec<f64>>,
    /// Pairs of points of what follows.
    pub pairs: Vec<[usize; 2]>,
    /// Mean of C less the kernel, to first order in 1/n, `[pair]`.
    pub mean_correction: Vec<f64>,
    /// Covariance of C, to first order in 1/n, `[pair][pair]`.
    pub covariance: Vec<Vec<f64>>,
    /// What a small change of a pre-activation's variance is multiplied by in the layer, `[point]`.
    pub chi_par: Vec<f64>,
    /// What a small change of a pre-activation's direction is multiplied by, `[point]`; null where
    /// the activation jumps.
    pub chi_perp: Vec<f64>,
    /// Relative numerical error of mean correction and covariance.
    pub error: f64,
}

fn or_null<S: Serializer>(
    critical: &std::result::Result<Critical, String>,
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    critical.as_ref().ok().serialize(serializer)
}

impl LayersOfNet {
    /// Calculates the layers of a spec's net at its points.
    ///
    /// # Errors
    /// Those of [`Layers::new`].
    pub fn new(spec: &EnsembleSpec) -> Result<Self> {
        let layers = Layers::new(&spec.net, spec.inputs.points(), 4)?;
        let of = |(l, layer): (usize, &LayerTheory)| LayerOfNet {
            layer: l + 1,
            kernel: layer.kernel.clone(),
            pairs: layers.pairs().to_vec(),
            mean_correction: layer.mean_correction.clone(),
            covariance: layer.covariance.clone(),
            chi_par: layer.chi_par.clone(),
            chi_perp: layer.chi_perp.clone(),
            error: layer.error,
        };
        Ok(Self {
            layers: layers.layers().iter().enumerate().map(of).collect(),
            critical: critical(spec.net.activation()).map_err(|error| match error {
                Error::Invalid { reason, .. } => reason.to_string(),
                other => other.to_string(),
            }),
        })
    }
}

impl TheoryDocument {
    /// Command that makes the document.
    pub const COMMAND: &'static str = "theory";

    /// Puts a spec's theory together.
    pub fn new(
        spec: EnsembleSpec,
        wall_s: f64,
        kernel: Vec<Vec<f64>>,
        correlators: Vec<Prediction>,
    ) -> Self {
        Self {
            kernel,
            head: Head::new(
                Self::COMMAND,
                spec,
                CpuEngine::new().device(),
                Timing::theory(wall_s),
                (),
            ),
            correlators,
            layers: None,
        }
    }

    /// Adds theory layer by layer.
    pub fn with_layers(mut self, layers: LayersOfNet) -> Self {
        self.layers = Some(layers);
        self
    }
}
