use std::ops::Range;

use super::State;
use crate::engine::{BlockPlan, DeviceInfo};
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
pub fn merge(parts: Vec<(String, State)>) -> Result<State> {
    let mut parts = parts.into_iter();
    let (first, mut whole) = parts.next().expect("there is something to merge");
    whole.shard = None;
    let mut devices = vec![whole.device.clone()];
    let mut merged = vec![Part::new(first, &whole)];
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
        let part = Part::new(name, &state);
        for other in &merged {
            if let Some((k, both)) = part.overlap(other) {
                let spec = &whole.ensembles[k].spec;
                return Err(Error::Mismatch(Sentence::from(format!(
                    "{} and {} hold the same networks (width {}, {}): leave one out",
                    other.name,
                    part.name,
                    spec.net.width(),
                    BlockPlan::new(spec).describe(both).join("; ")
                ))));
            }
        }
        merged.push(part);
        devices.push(state.device);
        for (to, from) in whole.ensembles.iter_mut().zip(state.ensembles) {
            to.seconds += from.seconds;
            to.elements.merge(from.elements);
        }
    }
    whole.device = DeviceInfo::joined(&devices).expect("there is a first");
    Ok(whole)
}

/// `Part` says what one state holds.
struct Part {
    name: String,
    /// Blocks of each ensemble that the state holds, in ascending order.
    covered: Vec<Vec<Range<u64>>>,
}

impl Part {
    fn new(name: String, state: &State) -> Self {
        let covered = (state.ensembles.iter())
            .map(|e| BlockPlan::new(&e.spec).covered(&e.elements))
            .collect();
        Self { name, covered }
    }

    /// Returns the first blocks that both parts hold, and their ensemble.
    fn overlap(&self, other: &Self) -> Option<(usize, Range<u64>)> {
        let ensembles = self.covered.iter().zip(&other.covered).enumerate();
        ensembles
            .flat_map(|(k, (a, b))| {
                let pairs = a.iter().flat_map(move |x| b.iter().map(move |y| (x, y)));
                pairs.map(move |(x, y)| (k, x.start.max(y.start)..x.end.min(y.end)))
            })
            .find(|(_, both)| !both.is_empty())
    }
}
