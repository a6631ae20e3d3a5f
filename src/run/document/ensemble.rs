use std::sync::Arc;

use serde::Serialize;

use super::{Head, Timing};
use crate::Result;
use crate::analysis::{Correlator, correlators_beside};
use crate::model::EnsembleSpec;
use crate::plan::Plan;
use crate::state::State;
use crate::theory::Exact;

/// What `ensemble.json` calls itself.
pub const ENSEMBLE_SCHEMA: &str = "nnqft.ensemble/1";

/// `nnqft.ensemble/1`: one run of `ensemble`.
#[derive(Debug, Clone, Serialize)]
pub struct EnsembleDocument {
    /// Schema, version, spec, device, timing.
    #[serde(flatten)]
    pub head: Head<EnsembleSpec, ()>,
    /// What there is of it, if that is not all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partial: Option<Partial>,
    /// The n-point functions, one per order.
    pub correlators: Vec<Correlator>,
    /// The GP kernel at the points, shape `[points][points]`.
    #[serde(skip)]
    pub kernel: Arc<Vec<Vec<f64>>>,
}

/// A part of an ensemble.
#[derive(Debug, Clone, Serialize)]
pub struct Partial {
    /// Networks drawn.
    pub networks: u64,
    /// Networks of the whole ensemble.
    pub of: u64,
    /// The shard, if it is one, as `i/n`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shard: Option<String>,
}

impl EnsembleDocument {
    /// The result of ensemble `k` of a run, as far as it has come.
    ///
    /// # Errors
    /// Those of [`crate::analysis::correlators`].
    pub fn new(state: &State, k: usize) -> Result<Self> {
        let plan = Plan::new(state.ensembles[k].spec.clone())?;
        Self::beside(&plan.exact(), &plan, state, k)
    }

    /// The same with the plan of that ensemble, and exact values that are known already, [`correlators_beside`].
    ///
    /// # Errors
    /// Those of [`crate::analysis::correlators`].
    pub fn beside(exact: &Exact, plan: &Plan, state: &State, k: usize) -> Result<Self> {
        let ensemble = &state.ensembles[k];
        let spec = &ensemble.spec;
        let networks = ensemble.elements.networks();
        let of = spec.networks();
        let timing = Timing::of(networks, spec.net.width(), ensemble.seconds);
        Ok(Self {
            head: Head::new(
                ENSEMBLE_SCHEMA,
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
            correlators: correlators_beside(exact, plan, &ensemble.elements)?,
            kernel: plan.kernel().clone(),
        })
    }
}
