use std::ops::Range;

use super::{Ensemble, Part, State};
use crate::engine::DeviceInfo;
use crate::sentence::sentence;
use crate::{Error, Result, Sentence};

/// Joins the states of several parts of one run; each part has a name for messages. The result has
/// the bits of a single run on the same kind of device.
///
/// # Errors
/// [`Error::Mismatch`] if two parts are not of one run (names the field and both values) or
/// hold the same networks.
///
/// # Panics
/// Panics without parts.
pub fn merge<E: Ensemble>(parts: Vec<(String, State<E>)>) -> Result<State<E>> {
    let mut parts = parts.into_iter();
    let (first, mut whole) = parts.next().expect("there is something to merge");
    whole.shard = None;
    let mut devices = vec![whole.device.clone()];
    let mut merged = vec![Held::new(first, &whole)];
    for (name, state) in parts {
        let first = &merged[0].name;
        if let Some(d) = whole.difference(&state) {
            return Err(Error::Mismatch(sentence!(
                "{}: {} in {}, {} in {}; only parts of one run can be merged",
                Sentence::parameter(d.field),
                d.ours,
                first.as_str(),
                d.theirs,
                name
            )));
        }
        let held = Held::new(name, &state);
        for other in &merged {
            if let Some((k, networks)) = held.overlap(other) {
                return Err(Error::Mismatch(Sentence::from(format!(
                    "{} and {} hold the same networks (width {}, {networks}): leave one out",
                    other.name,
                    held.name,
                    whole.ensembles[k].networks().net.width(),
                ))));
            }
        }
        merged.push(held);
        devices.push(state.device);
        for (to, from) in whole.ensembles.iter_mut().zip(state.ensembles) {
            to.join(from);
        }
    }
    whole.device = DeviceInfo::joined(&devices).expect("there is a first");
    Ok(whole)
}

/// `Held` says what one state holds.
struct Held {
    name: String,
    /// Parts of each ensemble.
    ensembles: Vec<Vec<Part>>,
}

impl Held {
    fn new<E: Ensemble>(name: String, state: &State<E>) -> Self {
        Self {
            name,
            ensembles: state.ensembles.iter().map(E::parts).collect(),
        }
    }

    /// Returns the first networks that both states hold, in words, and their ensemble.
    fn overlap(&self, other: &Self) -> Option<(usize, String)> {
        let ensembles = self.ensembles.iter().zip(&other.ensembles).enumerate();
        for (k, (ours, theirs)) in ensembles {
            for (ours, theirs) in ours.iter().zip(theirs) {
                let pairs =
                    (ours.covered.iter()).flat_map(|a| theirs.covered.iter().map(move |b| (a, b)));
                let mut both = pairs.map(|(a, b)| a.start.max(b.start)..a.end.min(b.end));
                if let Some(range) = both.find(|both: &Range<u64>| !both.is_empty()) {
                    return Some((k, ours.describe(range).join("; ")));
                }
            }
        }
        None
    }
}
