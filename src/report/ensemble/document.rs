use serde::Serialize;

use crate::Result;
use crate::analysis::{Correlator, correlators_beside};
use crate::model::EnsembleSpec;
use crate::report::{Head, Timing};
use crate::state::State;
use crate::theory::Exact;

/// The schema of `ensemble.json` has this name.
pub(super) const SCHEMA: &str = "nnqft.ensemble/1";

/// `nnqft.ensemble/1` is one run of `ensemble`.
#[derive(Debug, Clone, Serialize)]
pub struct EnsembleDocument {
    /// The head holds schema, version, spec, device and timing.
    #[serde(flatten)]
    pub head: Head<EnsembleSpec, ()>,
    /// The part says what there is of the ensemble, if that is not all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partial: Option<Partial>,
    /// There is one n-point function per order.
    pub correlators: Vec<Correlator>,
}

/// A result may be that of a part of its ensemble.
#[derive(Debug, Clone, Serialize)]
pub struct Partial {
    /// So many networks are drawn.
    pub networks: u64,
    /// The whole ensemble has so many networks.
    pub of: u64,
    /// The shard, if the part is one, is written as `i/n`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shard: Option<String>,
}

impl EnsembleDocument {
    /// The document is the result of ensemble `k` of a run, as far as it has come.
    ///
    /// # Errors
    /// Those of [`crate::analysis::correlators`].
    pub fn new(state: &State, k: usize) -> Result<Self> {
        Self::beside(&Exact::new(&state.ensembles[k].spec), state, k)
    }

    /// The document is that of [`new`](Self::new); the exact values are known already.
    ///
    /// # Errors
    /// Those of [`crate::analysis::correlators`].
    pub fn beside(exact: &Exact, state: &State, k: usize) -> Result<Self> {
        let ensemble = &state.ensembles[k];
        let spec = &ensemble.spec;
        let networks = ensemble.moments.networks();
        let of = spec.nets * u64::from(spec.experiments);
        let timing = Timing::of(networks, spec.width, ensemble.seconds);
        Ok(Self {
            head: Head::new(
                SCHEMA,
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
            correlators: correlators_beside(exact, spec, &ensemble.moments)?,
        })
    }
}
