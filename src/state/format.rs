//! A state is saved as bytes.
//!
//! ```text
//! nnqft-gpu state 5, <bytes> bytes, crc32 <checksum>\n   of everything that follows
//! {"version":..,"command":..,"device":..,"shard":..,"ensembles":[{"spec":..,"seconds":..},..]}\n
//! <elements of each ensemble, postcard>
//! ```
//!
//! The first two lines are text, so that `head -2 FILE` tells what a file is.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{Ensemble, Shard, State};
use crate::engine::DeviceInfo;
use crate::model::Difference;

/// The text that a state file starts with.
const MAGIC: &str = "nnqft-gpu state ";
/// The number of this format. A change of any of its three parts is a new one.
const FORMAT: u64 = 5;
/// The version of the program: results of two versions are not mixed.
const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The length of the longest first line, which has three numbers.
const FIRST_LINE: usize = 100;

/// `Start` is what every header has, whatever wrote it.
#[derive(Deserialize)]
struct Start {
    version: String,
}

/// `Kind` says which command made a run.
#[derive(Deserialize)]
struct Kind {
    command: String,
}

#[derive(Serialize, Deserialize)]
struct Header<'a, S: Clone> {
    version: Cow<'a, str>,
    command: Cow<'a, str>,
    device: Cow<'a, DeviceInfo>,
    shard: Option<Shard>,
    ensembles: Vec<HeaderEnsemble<'a, S>>,
}

#[derive(Serialize, Deserialize)]
struct HeaderEnsemble<'a, S: Clone> {
    // JSON: the spec leaves out what it does not use, which postcard cannot.
    spec: Cow<'a, S>,
    seconds: f64,
}

impl<E: Ensemble> State<E> {
    /// Returns the contents of a state file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let header = Header {
            version: VERSION.into(),
            command: E::COMMAND.into(),
            device: Cow::Borrowed(&self.device),
            shard: self.shard,
            ensembles: (self.ensembles.iter())
                .map(|e| HeaderEnsemble {
                    spec: Cow::Borrowed(e.spec()),
                    seconds: e.seconds(),
                })
                .collect(),
        };
        let mut payload = serde_json::to_vec(&header).expect("plain data with string keys");
        payload.push(b'\n');
        let elements: Vec<&E::Elements> = self.ensembles.iter().map(E::elements).collect();
        let payload = postcard::to_extend(&elements, payload).expect("plain data");
        frame(&payload)
    }

    /// Reads a state from the contents of its file. Every length and every number is checked before
    /// it is believed, so that any bytes at all are either this run or an error.
    ///
    /// # Errors
    /// One sentence that says whether the bytes are not ours, newer, older, truncated, damaged, of
    /// another version, of another command.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        let (header, elements) = parts(bytes)?;
        let command = kind(header)?;
        if command != E::COMMAND {
            return Err(format!(
                "it holds a run of {}, not of {}",
                command.escape_default(),
                E::COMMAND
            ));
        }
        let header: Header<E::Spec> =
            serde_json::from_slice(header).map_err(|e| damaged(&format!("header: {e}")))?;
        let (elements, rest): (Vec<E::Elements>, _) =
            postcard::take_from_bytes(elements).map_err(|e| damaged(&format!("elements: {e}")))?;
        if !rest.is_empty() || elements.len() != header.ensembles.len() || elements.is_empty() {
            return Err(damaged("its elements are not those of its header"));
        }
        let ensembles = (header.ensembles.into_iter().zip(elements))
            .map(|(e, elements)| {
                if !(e.seconds.is_finite() && e.seconds >= 0.0) {
                    return Err(damaged("its time is none"));
                }
                E::claimed(e.spec.into_owned(), e.seconds, elements).map_err(|e| damaged(&e))
            })
            .collect::<Result<Vec<E>, String>>()?;
        let specs: Vec<E::Spec> = ensembles.iter().map(|e| e.spec().clone()).collect();
        for spec in &specs[1..] {
            let differences = E::differences(&specs[..1], std::slice::from_ref(spec));
            // The shift that a width is drawn with is its own.
            let of_widths = |d: &&Difference| !["width", "tilt"].contains(&d.field);
            if let Some(d) = differences.iter().find(of_widths) {
                return Err(damaged(&format!("its widths differ in {}", d.field)));
            }
        }
        Ok(Self {
            device: header.device.into_owned(),
            shard: header.shard,
            ensembles,
        })
    }
}

/// Returns the command that made the run of a file.
pub(super) fn command(bytes: &[u8]) -> Result<String, String> {
    let (header, _) = parts(bytes)?;
    kind(header)
}

fn damaged(what: &str) -> String {
    format!("it is damaged: {what}")
}

fn kind(header: &[u8]) -> Result<String, String> {
    let kind: Kind =
        serde_json::from_slice(header).map_err(|e| damaged(&format!("header: {e}")))?;
    Ok(kind.command)
}

/// Splits what a file of this version holds into header and elements.
fn parts(bytes: &[u8]) -> Result<(&[u8], &[u8]), String> {
    let payload = unframe(bytes)?;
    let end = (payload.iter().position(|&b| b == b'\n'))
        .ok_or_else(|| damaged("its header has no end"))?;
    let header = &payload[..end];
    // The version first: another one may have another header.
    let start: Start =
        serde_json::from_slice(header).map_err(|e| damaged(&format!("header: {e}")))?;
    match start.version == VERSION {
        true => Ok((header, &payload[end + 1..])),
        false => Err(format!(
            "version {} wrote it, this is {VERSION}: results of two versions are not mixed; \
             use that version, or start again",
            start.version.escape_default()
        )),
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
