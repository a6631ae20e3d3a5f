use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Head, Timing};
use crate::Result;
use crate::analysis::{Correlator, correlators_beside};
use crate::model::EnsembleSpec;
use crate::plan::Plan;
use crate::state::State;
use crate::theory::Values;

/// `EnsembleDocument` is one run of `ensemble`.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct EnsembleDocument {
    /// Head with schema, version, spec, device and timing.
    #[serde(flatten)]
    pub head: Head<EnsembleSpec, ()>,
    /// The part of the ensemble that is there, if that is not all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partial: Option<Partial>,
    /// The n-point functions, one per order.
    pub correlators: Vec<Correlator>,
    /// The GP kernel at the points, shape `[points][points]`.
    #[serde(skip)]
    pub kernel: Arc<Vec<Vec<f64>>>,
}

/// `Partial` says which part of the networks is there.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Partial {
    /// Number of networks drawn.
    pub networks: u64,
    /// Number of networks of the whole run.
    pub of: u64,
    /// Shard of the run, as `i/n`, if the part is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<String>,
}

impl EnsembleDocument {
    /// Command that makes the document.
    pub const COMMAND: &'static str = "ensemble";

    /// Makes the result of ensemble `k` of a run, as far as it has come.
    ///
    /// # Errors
    /// Those of [`crate::analysis::correlators`].
    pub fn new(state: &State, k: usize) -> Result<Self> {
        let plan = Plan::new(state.ensembles[k].spec.clone())?;
        Self::beside(&plan.values(), &plan, state, k)
    }

    /// Makes the result of ensemble `k` with its plan, and values of theory that are known already, as
    /// [`correlators_beside`] does.
    ///
    /// # Errors
    /// Those of [`crate::analysis::correlators`].
    pub fn beside(values: &Values, plan: &Plan, state: &State, k: usize) -> Result<Self> {
        let ensemble = &state.ensembles[k];
        let spec = &ensemble.spec;
        let networks = ensemble.elements.networks();
        let of = spec.networks();
        let timing = Timing::of(networks, spec.net.units(), ensemble.seconds);
        Ok(Self {
            head: Head::new(
                Self::COMMAND,
                spec.clone(),
                state.device.clone(),
                timing.after(ensemble.compile_seconds),
                (),
            ),
            partial: (networks != of).then(|| Partial {
                networks,
                of,
                shard: state.shard.map(|s| s.to_string()),
            }),
            correlators: correlators_beside(values, plan, &ensemble.elements)?,
            kernel: plan.kernel().clone(),
        })
    }
}
