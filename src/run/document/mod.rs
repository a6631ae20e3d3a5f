//! Every document starts with the same head, which is here.

#[cfg(feature = "gpu")]
mod bench;
mod compare;
mod cutoff;
mod depth;
#[cfg(feature = "gpu")]
mod devices;
mod eft;
mod ensemble;
mod falloff;
mod rg;
mod sample;
mod symmetry;
mod theory;
mod train;
mod unmeasured;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::analysis::Unconverged;
use crate::engine::DeviceInfo;
use crate::model::EnsembleSpec;
#[cfg(feature = "gpu")]
pub use bench::{BenchAdapter, BenchDocument, BenchJob};
pub use compare::{CompareDocument, CompareSpec, ComparedNet};
pub use depth::DepthDocument;
#[cfg(feature = "gpu")]
pub use devices::DevicesDocument;
pub use eft::{EftDocument, EftPoint, ExactEft};
pub use ensemble::{EnsembleDocument, Partial};
pub use falloff::FalloffDocument;
pub use rg::RgDocument;
pub use sample::SampleDocument;
pub use symmetry::{CouplingRow, SymmetryDocument};
pub use theory::{LayerOfNet, LayersOfNet, TheoryDocument};
pub use train::{Curve, CurveStep, TrainDocument};

/// The version of the program, written to every document.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Returns the name of the schema of a command's documents, with its version.
pub(crate) fn schema(command: &str) -> String {
    format!("nnqft.{command}/2")
}

/// Timing is the speed of a run: sampling and accumulation, without process start and compilation
/// of shaders.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Timing {
    /// Time of sampling and accumulation, in seconds.
    pub wall_s: f64,
    /// Time that shaders were compiled before, in seconds, if they were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compile_s: Option<f64>,
    /// Networks per second, if any were drawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub networks_per_s: Option<f64>,
    /// Hidden units per second, if any networks were drawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub neurons_per_s: Option<f64>,
}

impl Timing {
    /// Returns the rates of a spec's networks drawn in `wall_s` seconds.
    pub fn new(spec: &EnsembleSpec, wall_s: f64) -> Self {
        Self::of(spec.networks(), spec.net.units(), wall_s)
    }

    /// Returns the rates of so many networks of a width, drawn in `wall_s` seconds.
    pub fn of(networks: u64, width: u64, wall_s: f64) -> Self {
        let networks_per_s = networks as f64 / wall_s.max(1e-9);
        Self {
            wall_s,
            compile_s: None,
            networks_per_s: Some(networks_per_s),
            neurons_per_s: Some(networks_per_s * width as f64),
        }
    }

    /// Adds the seconds that shaders were compiled before the run; too short a time counts as none.
    pub fn after(self, compile_s: f64) -> Self {
        Self {
            compile_s: (compile_s > 1e-3).then_some(compile_s),
            ..self
        }
    }

    /// Returns the timing of a calculation that draws no networks.
    pub fn theory(wall_s: f64) -> Self {
        Self {
            wall_s,
            compile_s: None,
            networks_per_s: None,
            neurons_per_s: None,
        }
    }
}

/// `Head` starts every document.
///
/// `S` is what was asked. `M` is [`Source`] where the result rests on moments, and nothing where
/// it is the moments themselves.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Head<S = EnsembleSpec, M = Source> {
    /// Name and version of the schema.
    pub schema: Cow<'static, str>,
    version: Cow<'static, str>,
    /// Command that makes the document.
    pub command: Cow<'static, str>,
    /// Spec that was asked for; of an ensemble with exact moments nothing of the sampling is used.
    pub spec: S,
    /// Device that computed the document.
    pub device: DeviceInfo,
    /// Time that the computation took.
    pub timing: Timing,
    /// Where the moments come from.
    #[serde(flatten)]
    pub source: M,
}

impl<S, M> Head<S, M> {
    /// Puts the parts of a head together.
    pub fn new(
        command: &'static str,
        spec: S,
        device: DeviceInfo,
        timing: Timing,
        source: M,
    ) -> Self {
        Self {
            schema: schema(command).into(),
            version: VERSION.into(),
            command: command.into(),
            spec,
            device,
            timing,
            source,
        }
    }
}

impl<S: PartialEq, M> Head<S, M> {
    /// Tells whether this version of the program computed the document for this spec.
    pub fn is_of(&self, spec: &S) -> bool {
        self.version == VERSION && self.schema == schema(&self.command) && self.spec == *spec
    }
}

/// `Origin` says how moments were come by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Origin {
    /// Moments from theory, at the width of the ensemble.
    Exact,
    /// Moments from networks.
    Sampled,
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Exact => "exact",
            Self::Sampled => "sampled",
        })
    }
}

/// `Source` says where the moments of an effective field theory come from.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Source {
    /// Origin of the moments: theory or networks.
    pub moments: Origin,
    /// Sampled moments that have not converged; empty if all have.
    pub unconverged: Vec<Unconverged>,
}

impl Source {
    /// Makes the source of moments from theory.
    pub fn exact() -> Self {
        Self {
            moments: Origin::Exact,
            unconverged: Vec::new(),
        }
    }

    /// Makes the source of moments from networks, those listed not converged.
    pub fn sampled(unconverged: Vec<Unconverged>) -> Self {
        Self {
            moments: Origin::Sampled,
            unconverged,
        }
    }

    /// Tells whether networks were drawn, so that results have statistical errors.
    pub fn is_sampled(&self) -> bool {
        self.moments == Origin::Sampled
    }
}

#[cfg(all(test, feature = "report"))]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::analysis::CrossCheck;
    use crate::report::by_hand;
    use crate::report::outcome::Outcome;
    use crate::run::{CompareDocument, EftDocument};

    /// Lists the keys of a document in the order of its text.
    fn keys(document: &impl Serialize) -> Vec<String> {
        let text = serde_json::to_string(document).unwrap();
        let Ok(Value::Object(fields)) = serde_json::from_str(&text) else {
            panic!("{text}");
        };
        let place = |key: &String| text.find(&format!("\"{key}\":")).unwrap();
        let mut keys: Vec<String> = fields.keys().cloned().collect();
        keys.sort_by_key(place);
        keys
    }

    #[test]
    fn every_document_starts_with_its_head() {
        let start = ["schema", "version", "command", "spec", "device", "timing"];
        let ensemble = by_hand::ensemble(vec![by_hand::correlator(4)]);
        assert_eq!(keys(&ensemble), [&start[..], &["correlators"]].concat());
        let flow = keys(&by_hand::rg(&[]));
        assert_eq!(flow[..6], start);
        assert_eq!(flow[6..9], ["moments", "unconverged", "vertex"]);
        let head = by_hand::rg(&[]).head;
        assert_eq!((&*head.schema, &*head.command), ("nnqft.rg/2", "rg"));
        let check = CrossCheck {
            stages: Vec::new(),
            fits: Vec::new(),
            pass: true,
        };
        let device = by_hand::device();
        let compare = CompareDocument::new(
            CompareSpec::new(None, true),
            device,
            Timing::theory(1.0),
            check,
        );
        assert_eq!(
            keys(&compare),
            [&start[..], &["stages", "fits", "pass"]].concat()
        );
        let text = serde_json::to_string(&compare).unwrap();
        assert!(text.contains(r#""spec":{"thorough":true}"#), "{text}");
    }

    #[test]
    fn a_document_is_of_its_spec_and_of_this_version() {
        let document = by_hand::eft(vec![(100.0, None)]);
        let text = serde_json::to_string(&document).unwrap();
        let read = |text: &str| serde_json::from_str::<EftDocument>(text).unwrap().head;
        assert!(read(&text).is_of(&document.head.spec));
        assert!(!read(&text).is_of(&by_hand::spec(&[6])));
        let old = text.replace(VERSION, "0.0.0");
        assert!(!read(&old).is_of(&document.head.spec));
    }

    #[test]
    fn documents_are_read_as_they_were_written() {
        let lambda = Some(by_hand::coupling(-1.0 / 3.0));
        let document = by_hand::eft(vec![(f64::INFINITY, lambda), (0.1, None)]);
        let text = serde_json::to_string(&document).unwrap();
        assert!(
            text.contains(r#"{"cutoff":"inf","lambda":{"mean":-0.333"#),
            "{text}"
        );
        assert!(
            text.contains(r#""moments":"sampled","unconverged":[]"#),
            "{text}"
        );
        let again: EftDocument = serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json::to_string(&again).unwrap(), text);
        for wrong in [r#""cutoff":"-inf""#, r#""cutoff":null"#] {
            let text = text.replace(r#""cutoff":"inf""#, wrong);
            assert!(
                serde_json::from_str::<EftDocument>(&text).is_err(),
                "{text}"
            );
        }
    }

    #[cfg(feature = "gpu")]
    #[test]
    fn adapters_are_listed_with_the_choice() {
        let adapter = crate::engine::gpu::AdapterSummary {
            name: "llvmpipe".into(),
            driver: "Mesa".into(),
            api: "Vulkan".into(),
            kind: "software",
            max_buffer: 128 << 20,
            max_workgroups: 65535,
            workgroup_memory: 32 << 10,
            shader_f64: true,
        };
        let document = crate::run::DevicesDocument::new(vec![adapter], "cpu".into());
        let fields = ["schema", "version", "command", "adapters", "auto"];
        assert_eq!(keys(&document), fields);
        let table = document.table(usize::MAX);
        let mut lines = table.lines().rev();
        assert_eq!(lines.next(), Some("auto takes cpu"));
        let row: Vec<&str> = lines.next().unwrap().split_whitespace().collect();
        let cells = [
            "llvmpipe", "software", "Vulkan", "Mesa", "128", "65535", "32",
        ];
        assert_eq!(row, cells);
    }
}
