use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::Result;
use crate::analysis::{
    Correlator, Coupling, CrossCheck, Falloff, Flow, FunctionFit, OutputCoupling, Prediction,
    SixPoint, SymmetryCheck, Unconverged, correlators_beside,
};
use crate::engine::{DeviceInfo, Engine};
use crate::model::EnsembleSpec;
use crate::state::State;
use crate::theory::{Exact, Vertex, kernel_matrix};

/// Version of the program, written to every document.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Speed of a run; sampling and accumulation, without process start and compilation of shaders.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Timing {
    /// Seconds.
    pub wall_s: f64,
    /// Seconds that shaders were compiled before, if they were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compile_s: Option<f64>,
    /// Networks per second, if any were drawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub networks_per_s: Option<f64>,
    /// Hidden units per second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub neurons_per_s: Option<f64>,
}

impl Timing {
    /// Rates of a spec's networks drawn in `wall_s` seconds.
    pub fn new(spec: &EnsembleSpec, wall_s: f64) -> Self {
        Self::of(spec.networks(), spec.width, wall_s)
    }

    /// Rates of so many networks of a width.
    pub fn of(networks: u64, width: u64, wall_s: f64) -> Self {
        let networks_per_s = networks as f64 / wall_s.max(1e-9);
        Self {
            wall_s,
            compile_s: None,
            networks_per_s: Some(networks_per_s),
            neurons_per_s: Some(networks_per_s * width as f64),
        }
    }

    /// After shaders were compiled for so many seconds; what is shorter was none.
    pub fn after(self, compile_s: f64) -> Self {
        Self {
            compile_s: (compile_s > 1e-3).then_some(compile_s),
            ..self
        }
    }

    /// A calculation that draws no networks.
    pub fn theory(wall_s: f64) -> Self {
        Self {
            wall_s,
            compile_s: None,
            networks_per_s: None,
            neurons_per_s: None,
        }
    }
}

/// `nnqft.ensemble/1`: one run of `ensemble`.
#[derive(Debug, Clone, Serialize)]
pub struct EnsembleDocument {
    schema: &'static str,
    version: &'static str,
    /// What was drawn.
    pub spec: EnsembleSpec,
    /// What drew it.
    pub device: DeviceInfo,
    /// How fast.
    pub timing: Timing,
    /// What there is of it, if that is not all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partial: Option<Partial>,
    /// The n-point functions, one per order.
    pub correlators: Vec<Correlator>,
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
        Self::beside(&Exact::new(&state.ensembles[k].spec), state, k)
    }

    /// The same with exact values that are known already, [`correlators_beside`].
    ///
    /// # Errors
    /// Those of [`crate::analysis::correlators`].
    pub fn beside(exact: &Exact, state: &State, k: usize) -> Result<Self> {
        let ensemble = &state.ensembles[k];
        let spec = &ensemble.spec;
        let networks = ensemble.moments.networks();
        let of = spec.networks();
        Ok(Self {
            schema: "nnqft.ensemble/1",
            version: VERSION,
            spec: spec.clone(),
            device: state.device.clone(),
            timing: Timing::of(networks, spec.width, ensemble.seconds)
                .after(ensemble.compile_seconds),
            partial: (networks != of).then(|| Partial {
                networks,
                of,
                shard: state.shard.map(|s| s.to_string()),
            }),
            correlators: correlators_beside(exact, spec, &ensemble.moments)?,
        })
    }
}

/// `nnqft.theory/1`: kernel, GP and exact values.
#[derive(Debug, Clone, Serialize)]
pub struct TheoryDocument {
    schema: &'static str,
    version: &'static str,
    /// The networks and points; of the sampling fields nothing is used.
    pub spec: EnsembleSpec,
    /// The processor.
    pub device: DeviceInfo,
    /// How long it took.
    pub timing: Timing,
    /// K(x_i, x_j), shape `[points][points]`.
    pub kernel: Vec<Vec<f64>>,
    /// The n-point functions, one per order.
    pub correlators: Vec<Prediction>,
}

impl TheoryDocument {
    /// Puts a spec's theory together.
    pub fn new(spec: EnsembleSpec, wall_s: f64, correlators: Vec<Prediction>) -> Self {
        Self {
            schema: "nnqft.theory/1",
            version: VERSION,
            kernel: kernel_matrix(&spec),
            device: crate::engine::cpu::CpuEngine::new().device(),
            timing: Timing::theory(wall_s),
            spec,
            correlators,
        }
    }
}

/// Where the moments of an effective field theory come from.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Source {
    /// `exact` or `sampled`.
    pub moments: Cow<'static, str>,
    /// Sampled moments that have not converged; empty if all have.
    pub unconverged: Vec<Unconverged>,
}

impl Source {
    /// Exact moments.
    pub fn exact() -> Self {
        Self {
            moments: "exact".into(),
            unconverged: Vec::new(),
        }
    }

    /// Moments of networks, those listed not converged.
    pub fn sampled(unconverged: Vec<Unconverged>) -> Self {
        Self {
            moments: "sampled".into(),
            unconverged,
        }
    }
}

/// `nnqft.eft/1`: couplings and the 6-point prediction.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EftDocument {
    /// Schema, version, spec, device, timing, moments.
    #[serde(flatten)]
    pub head: Head,
    /// Propagator of the vertices.
    pub vertex: Vertex,
    /// One entry per cutoff, in the order given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cutoffs: Vec<EftPoint>,
    /// Fits of lambda as a function.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fits: Vec<FunctionFit>,
    /// Moments at the inputs that fits were trained on, if they have not converged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub train_unconverged: Vec<Unconverged>,
}

/// What starts every document of the effective field theory.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Head {
    schema: Cow<'static, str>,
    version: Cow<'static, str>,
    /// The ensemble; with exact moments nothing of its sampling is used.
    pub spec: EnsembleSpec,
    /// What computed it.
    pub device: DeviceInfo,
    /// How long it took.
    pub timing: Timing,
    /// Where the moments come from.
    #[serde(flatten)]
    pub source: Source,
}

impl Head {
    /// Whether this version of the program computed it for this spec.
    pub fn is_of(&self, spec: &EnsembleSpec) -> bool {
        self.version == VERSION && self.spec == *spec
    }

    /// Puts the parts together.
    pub fn new(
        schema: &'static str,
        spec: EnsembleSpec,
        device: DeviceInfo,
        timing: Timing,
        source: Source,
    ) -> Self {
        Self {
            schema: schema.into(),
            version: VERSION.into(),
            spec,
            device,
            timing,
            source,
        }
    }
}

/// The effective field theory at one cutoff.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EftPoint {
    /// L; the string `inf` if infinite.
    #[serde(with = "cutoff")]
    pub cutoff: f64,
    /// Measured coupling; `None` if every vertex integral vanishes.
    pub lambda: Option<Coupling>,
    /// The 6-point function against its prediction.
    pub six_point: Option<SixPoint>,
}

/// A cutoff in JSON: a number, or the string `inf`.
mod cutoff {
    use serde::{Deserialize, Deserializer, Serializer};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Cutoff {
        Finite(f64),
        Infinite(String),
    }

    pub fn serialize<S: Serializer>(cutoff: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        match cutoff.is_infinite() {
            true => serializer.serialize_str("inf"),
            false => serializer.serialize_f64(*cutoff),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        match Cutoff::deserialize(deserializer)? {
            Cutoff::Finite(cutoff) => Ok(cutoff),
            Cutoff::Infinite(text) if text == "inf" => Ok(f64::INFINITY),
            Cutoff::Infinite(text) => Err(serde::de::Error::custom(format!("cutoff '{text}'"))),
        }
    }
}

/// `nnqft.rg/1`: the flow of the coupling.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RgDocument {
    /// Schema, version, spec, device, timing, moments.
    #[serde(flatten)]
    pub head: Head,
    /// Propagator of the vertices.
    pub vertex: Vertex,
    /// Points, fit, slopes, fixed points.
    #[serde(flatten)]
    pub flow: Flow,
}

/// `nnqft.symmetry/1`: SO(d_out).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SymmetryDocument {
    /// Schema, version, spec of the couplings, device, timing, moments.
    #[serde(flatten)]
    pub head: Head,
    /// Propagator of the vertices.
    pub vertex: Vertex,
    /// L; the string `inf` if infinite.
    #[serde(with = "cutoff")]
    pub cutoff: f64,
    /// The coupling at each number of outputs, in the order given.
    #[serde(rename = "d_out")]
    pub couplings: Vec<CouplingRow>,
    /// The symmetries, ensemble after ensemble.
    pub checks: Vec<SymmetryCheck>,
    /// The ensembles that they were tested on.
    pub ensembles: Vec<EnsembleSpec>,
    /// Where heavy tails make a test weak: its error bars are what rare networks left of them.
    pub notes: Vec<String>,
}

/// The coupling at one number of outputs beside its exact value.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CouplingRow {
    /// Measured.
    #[serde(flatten)]
    pub coupling: OutputCoupling,
    /// The same from exact moments.
    pub lambda_tree_exact: f64,
    /// The same from exact moments.
    pub lambda_one_loop_exact: Option<f64>,
}

/// `nnqft.falloff/1`: a width sweep.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FalloffDocument {
    /// Schema, version, spec at the first width, device, timing, moments.
    #[serde(flatten)]
    pub head: Head,
    /// The ensemble of the second curve at the first width, if it was drawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connected_spec: Option<EnsembleSpec>,
    /// Widths and fits.
    #[serde(flatten)]
    pub falloff: Falloff,
}

/// `nnqft.compare-cpu/1`: the GPU against the CPU.
#[derive(Debug, Clone, Serialize)]
pub struct CompareDocument {
    schema: &'static str,
    version: &'static str,
    /// What was compared.
    pub spec: CompareSpec,
    /// The GPU.
    pub device: DeviceInfo,
    /// How long it took.
    pub timing: Timing,
    /// Stages and fits.
    #[serde(flatten)]
    pub check: CrossCheck,
}

/// How much is compared.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct CompareSpec {
    /// Some twenty times as many networks.
    pub thorough: bool,
}

impl CompareDocument {
    /// Puts the parts together.
    pub fn new(thorough: bool, device: DeviceInfo, timing: Timing, check: CrossCheck) -> Self {
        Self {
            schema: "nnqft.compare-cpu/1",
            version: VERSION,
            spec: CompareSpec { thorough },
            device,
            timing,
            check,
        }
    }
}
