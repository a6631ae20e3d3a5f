//! This module has deliberate faults, with which tests prove that cross-checks notice what a broken
//! driver, shader or host would do. Only the feature `test-hooks` has them.

use std::cell::Cell;

use super::template::Text;

/// `Pretence` is what adapters are made to look like.
#[derive(Debug, Clone, Copy)]
pub struct Pretence {
    /// Kind that software adapters report.
    pub kind: &'static str,
    /// Whether devices open.
    pub opens: bool,
}

thread_local! {
    static PRETENCE: Cell<Option<Pretence>> = const { Cell::new(None) };
}

/// Makes the adapters that this thread finds from now on look like something else, or like themselves.
pub fn pretend(pretence: Option<Pretence>) {
    PRETENCE.set(pretence);
}

pub(super) fn pretence() -> Option<Pretence> {
    PRETENCE.get()
}

/// A fault is a mistake that the engine makes on purpose.
#[derive(Debug, Clone)]
pub enum Fault {
    /// A stage that computes a wrong value.
    Shader {
        /// The stage: the name of its file in `shaders/`, or `quadrature`.
        stage: &'static str,
        /// The name that the value is assigned to.
        value: &'static str,
        /// The expression that is assigned; in it, `right` is the right one.
        wrong: &'static str,
    },
    /// The sums of blocks 8 to 15 stay zero.
    LostBatch,
    /// Block 3 is added with twice its sums.
    CountedTwice,
    /// Sums run over 10^6 terms in f32: near 10^6 its spacing is 1/16, and rounding
    /// to it at each of a block's terms adds up like their square root.
    SinglePrecision,
    /// The device is lost when block 64 is submitted, and does not open again.
    DeviceLost,
    /// The device is lost when block 64 is submitted, and works once it was opened again.
    DeviceLostOnce,
    /// Buffers above so many bytes find no memory.
    OutOfMemory(u64),
}

impl Fault {
    /// Returns a text with the fault, if the text is of the fault's stage.
    pub(super) fn edit(&self, text: &Text) -> String {
        match self {
            Self::Shader { stage, .. } if *stage == text.stage => {
                (text.wgsl.lines().map(|line| self.edit_line(line) + "\n")).collect()
            }
            _ => text.wgsl.clone(),
        }
    }

    /// Edits a line that assigns to the value, or adds to it, so that it has the wrong expression.
    fn edit_line(&self, line: &str) -> String {
        let Self::Shader { value, wrong, .. } = self else {
            return line.into();
        };
        let [name, operator, right] = [" = ", " += "]
            .iter()
            .find_map(|operator| {
                let (name, right) = line.split_once(operator)?;
                Some([name, *operator, right.strip_suffix(';')?])
            })
            .unwrap_or_default();
        match name.split_whitespace().last() == Some(value) {
            true => {
                let wrong = wrong.replace("right", &format!("({right})"));
                format!("{name}{operator}{wrong};")
            }
            false => line.into(),
        }
    }

    pub(super) fn loses_device(&self, first: u64) -> bool {
        matches!(self, Self::DeviceLost | Self::DeviceLostOnce) && first >= 64
    }

    /// Returns the fault of a device that was opened again.
    pub(super) fn again(&self) -> Option<Self> {
        match self {
            Self::DeviceLostOnce => None,
            other => Some(other.clone()),
        }
    }

    pub(super) fn refuses(&self, bytes: u64) -> bool {
        matches!(self, Self::OutOfMemory(largest) if bytes > *largest)
    }

    /// Returns a sum over the networks of a block as the host reads it.
    pub(super) fn sum(&self, block: u64, networks: u64, sum: f64) -> f64 {
        let spacing = (networks as f64).sqrt() / 16.0;
        match self {
            Self::LostBatch if (8..16).contains(&block) => 0.0,
            Self::CountedTwice if block == 3 => 2.0 * sum,
            Self::SinglePrecision => (sum / spacing).round() * spacing,
            _ => sum,
        }
    }
}
