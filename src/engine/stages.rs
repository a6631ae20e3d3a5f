//! This module opens the stages of an engine one by one, as cross-checks compare them.

use super::{Engine, Network};
use crate::Result;
use crate::model::{EnsembleSpec, Law};
use crate::plan::TrainPlan;
use crate::tensor::MomentPlan;

/// `Form` says how the work of a run is cut: an engine may choose between forms that give the same
/// numbers up to rounding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Form {
    /// The form in which one stage draws networks and sums their moments.
    Fused,
    /// The form in which one piece of straight-line code draws networks, and another sums their
    /// moments.
    Staged,
    /// The form in which loops over buffers draw networks and sum their moments.
    Looped,
}

/// `Descended` is a network that has taken one step of its training.
#[derive(Debug, Clone, PartialEq)]
pub struct Descended {
    /// Variates of the hidden units as they were drawn, `[unit][component]`.
    pub hidden: Vec<Vec<f64>>,
    /// Variates of the weights of the readout as they were drawn, `[output][unit]`.
    pub readout: Vec<Vec<f64>>,
    /// Variates of the biases of the readout as they were drawn, `[output]`.
    pub bias: Vec<f64>,
    /// Outputs before the step, `[point][output]`.
    pub before: Vec<f64>,
    /// Outputs after the step, `[point][output]`.
    pub after: Vec<f64>,
}

/// `Stages` is an engine whose stages can be looked at, each fed with what the same stage of
/// another engine is fed with. Blocks are numbered over all experiments.
pub trait Stages: Engine {
    /// Draws the words of `count` blocks of one stream of the generator, from block `first` on, and
    /// the variates of a law that they are turned into.
    ///
    /// # Errors
    /// [`crate::Error::Device`].
    fn draws(
        &self,
        seed: u64,
        stream: u64,
        first: u32,
        count: u32,
        law: Law,
    ) -> Result<(Vec<u32>, Vec<f64>)>;

    /// Computes h_j(x_p) of at most the first `networks` networks of a block,
    /// `[network][unit][point]`.
    ///
    /// # Errors
    /// Those of [`Engine::accumulate`].
    fn hidden_values(
        &self,
        spec: &EnsembleSpec,
        block: u64,
        networks: usize,
    ) -> Result<Vec<Vec<Vec<f64>>>>;

    /// Draws at most the first `networks` networks of a block, each with the fields and the weight
    /// that enter the moments.
    ///
    /// # Errors
    /// Those of [`Engine::accumulate`].
    fn draw_networks(
        &self,
        spec: &EnsembleSpec,
        block: u64,
        networks: usize,
    ) -> Result<Vec<Network>>;

    /// Computes weighted moments of fields over the nodes of a quadrature, `[node][field]`, by the
    /// stage that sums over networks.
    ///
    /// # Errors
    /// [`crate::Error::Device`].
    fn weighted_moments(
        &self,
        plan: &MomentPlan,
        nodes: &[Vec<f64>],
        weights: &[f64],
    ) -> Result<Vec<f64>>;

    /// Draws at most the first `networks` networks of a block, and takes one step of their training.
    ///
    /// # Errors
    /// Those of [`Engine::train`].
    fn descend(&self, plan: &TrainPlan, block: u64, networks: usize) -> Result<Vec<Descended>>;

    /// Tells whether the engine ever takes a form by itself.
    fn has(&self, _form: Form) -> bool {
        false
    }

    /// Returns the form that the engine is held to; `None` if it chooses.
    fn form(&self) -> Option<Form> {
        None
    }

    /// Holds the engine to a form, or lets it choose again. For an engine of one form this does
    /// nothing.
    fn set_form(&mut self, _form: Option<Form>) {}
}
