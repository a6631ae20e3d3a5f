//! A state is saved as bytes.
//!
//! ```text
//! nnqft-gpu state 4, <bytes> bytes, crc32 <checksum>\n   of everything that follows
//! {"version":..,"device":..,"shard":..,"ensembles":[{"spec":..,"seconds":..},..]}\n
//! <accumulators, postcard>
//! ```
//!
//! The first two lines are text, so that `head -2 FILE` tells what a file is.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{EnsembleState, Shard, State};
use crate::engine::{BlockPlan, DeviceInfo};
use crate::model::EnsembleSpec;
use crate::plan::Rays;
use crate::tensor::{Accumulator, Extremes};

/// The text that a state file starts with.
const MAGIC: &str = "nnqft-gpu state ";
/// The number of this format. A change of any of its three parts is a new one.
const FORMAT: u64 = 4;
/// The version of the program: results of two versions are not mixed.
const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The length of the longest first line, which has three numbers.
const FIRST_LINE: usize = 100;

#[derive(Serialize, Deserialize)]
struct Header<'a> {
    version: Cow<'a, str>,
    device: Cow<'a, DeviceInfo>,
    shard: Option<Shard>,
    ensembles: Vec<HeaderEnsemble<'a>>,
}

#[derive(Serialize, Deserialize)]
struct HeaderEnsemble<'a> {
    // JSON: the spec leaves out what it does not use, which postcard cannot.
    spec: Cow<'a, EnsembleSpec>,
    seconds: f64,
}

impl State {
    /// Returns the contents of a state file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let header = Header {
            version: VERSION.into(),
            device: Cow::Borrowed(&self.device),
            shard: self.shard,
            ensembles: (self.ensembles.iter())
                .map(|e| HeaderEnsemble {
                    spec: Cow::Borrowed(&e.spec),
                    seconds: e.seconds,
                })
                .collect(),
        };
        let mut payload = serde_json::to_vec(&header).expect("plain data with string keys");
        payload.push(b'\n');
        let elements: Vec<&Accumulator> = self.ensembles.iter().map(|e| &e.elements).collect();
        let payload = postcard::to_extend(&elements, payload).expect("plain data");
        frame(&payload)
    }

    /// Reads a state from the contents of its file. Every length and every number is checked before
    /// it is believed, so that any bytes at all are either this run or an error.
    ///
    /// # Errors
    /// One sentence that says whether the bytes are not ours, newer, older, truncated, damaged, of
    /// another version.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        let payload = unframe(bytes)?;
        let damaged = |what: &str| format!("it is damaged: {what}");
        let end = (payload.iter().position(|&b| b == b'\n'))
            .ok_or_else(|| damaged("its header has no end"))?;
        // The version first: another one may have another header.
        #[derive(Deserialize)]
        struct Of {
            version: String,
        }
        let of: Of = serde_json::from_slice(&payload[..end])
            .map_err(|e| damaged(&format!("header: {e}")))?;
        if of.version != VERSION {
            return Err(format!(
                "version {} wrote it, this is {VERSION}: results of two versions are not mixed; \
                 use that version, or start again",
                of.version.escape_default()
            ));
        }
        let header: Header = serde_json::from_slice(&payload[..end])
            .map_err(|e| damaged(&format!("header: {e}")))?;
        let (elements, rest): (Vec<Accumulator>, _) =
            postcard::take_from_bytes(&payload[end + 1..])
                .map_err(|e| damaged(&format!("elements: {e}")))?;
        if !rest.is_empty() || elements.len() != header.ensembles.len() || elements.is_empty() {
            return Err(damaged("its elements are not those of its header"));
        }
        let ensembles = (header.ensembles.into_iter().zip(elements))
            .map(|(e, elements)| {
                let spec = (e.spec.into_owned().validate())
                    .map_err(|e| damaged(&format!("its spec is none: {e}")))?;
                if !(e.seconds.is_finite() && e.seconds >= 0.0) {
                    return Err(damaged("its time is none"));
                }
                check(&spec, &elements).map_err(damaged)?;
                Ok(EnsembleState {
                    spec,
                    seconds: e.seconds,
                    compile_seconds: 0.0,
                    elements,
                })
            })
            .collect::<Result<_, String>>()?;
        Ok(Self {
            device: header.device.into_owned(),
            shard: header.shard,
            ensembles,
        })
    }
}

/// Returns the first line before a payload, and the payload.
pub fn frame(payload: &[u8]) -> Vec<u8> {
    let checksum = crc32fast::hash(payload);
    let mut bytes = format!(
        "{MAGIC}{FORMAT}, {} bytes, crc32 {checksum:08x}\n",
        payload.len()
    )
    .into_bytes();
    bytes.extend_from_slice(payload);
    bytes
}

/// Returns what follows the first line, if it is whole.
fn unframe(bytes: &[u8]) -> Result<&[u8], String> {
    if bytes.is_empty() {
        return Err("the file is empty".into());
    }
    let Some(rest) = bytes.strip_prefix(MAGIC.as_bytes()) else {
        return Err(match MAGIC.as_bytes().starts_with(bytes) {
            true => "it is truncated within its first line".into(),
            false => "this is no state file of nnqft-gpu (a checkpoint is one)".into(),
        });
    };
    let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    let format = std::str::from_utf8(&rest[..digits]).unwrap_or_default();
    // Before the end of the line is looked for: other formats may have other lines.
    match format.parse::<u64>() {
        Ok(FORMAT) => {}
        Ok(n) if n < FORMAT => {
            return Err(format!(
                "an older version wrote it (format {n}, this one reads {FORMAT}): use that \
                 version, or start again"
            ));
        }
        Ok(n) => {
            return Err(format!(
                "a newer version wrote it (format {n}, this one reads {FORMAT}): use that version"
            ));
        }
        Err(_) => return Err("it is damaged: its first line has no format".into()),
    }
    let Some(end) = rest.iter().take(FIRST_LINE).position(|&b| b == b'\n') else {
        return Err("it is truncated within its first line".into());
    };
    let line = std::str::from_utf8(&rest[digits..end]).ok();
    let numbers = line.and_then(|line| {
        let (bytes, checksum) = line.strip_prefix(", ")?.split_once(" bytes, crc32 ")?;
        Some((
            bytes.parse::<u64>().ok()?,
            u32::from_str_radix(checksum, 16).ok()?,
        ))
    });
    let Some((expected, checksum)) = numbers else {
        return Err("it is damaged: its first line cannot be read".into());
    };
    let payload = &rest[end + 1..];
    let found = payload.len() as u64;
    if found < expected {
        return Err(format!("it is truncated: {found} of {expected} bytes"));
    }
    if found > expected {
        return Err(format!(
            "it is damaged: {found} bytes instead of {expected}"
        ));
    }
    match crc32fast::hash(payload) == checksum {
        true => Ok(payload),
        false => Err("it is damaged: its checksum does not fit".into()),
    }
}

/// Checks whether these elements can be those of blocks of this spec.
fn check(spec: &EnsembleSpec, elements: &Accumulator) -> Result<(), &'static str> {
    let plan = BlockPlan::new(spec);
    let (values, fields) = (
        spec.values() as usize,
        Rays::of(spec).applied_to(spec).fields(),
    );
    let mut last = (0, 0);
    for (experiment, blocks, statistics) in elements.subtrees() {
        let span = blocks.end - blocks.start;
        let is_subtree = span.is_power_of_two() && blocks.start.is_multiple_of(span);
        let is_next = experiment > last.0 || blocks.start >= last.1;
        if experiment >= spec.experiments || blocks.end > plan.per_experiment {
            return Err("it holds networks that the run has not");
        }
        if !is_subtree || !is_next {
            return Err("its blocks overlap");
        }
        let first = u64::from(experiment) * plan.per_experiment;
        let networks = plan.networks(first + blocks.start..first + blocks.end);
        if statistics.blocks != span || statistics.networks != networks as f64 {
            return Err("its counts of networks are wrong");
        }
        if !statistics.is_sound(values) {
            return Err("its elements are not those of its spec");
        }
        last = (experiment, blocks.end);
    }
    let extremes = elements.extremes();
    let fits = extremes.iter().all(|e| {
        e.experiment < spec.experiments
            && e.network < spec.nets
            && e.field.len() == fields
            && e.is_finite()
    });
    match fits && Extremes::is_sorted(extremes) {
        true => Ok(()),
        false => Err("its heaviest networks are not those of its spec"),
    }
}
