//! Faults for tests of cross-checks: what a broken driver, shader or host would do.

/// A deliberate fault.
#[derive(Debug, Clone)]
pub enum Fault {
    /// Every shader text has `from` replaced by `to`.
    Shader {
        /// What is right.
        from: &'static str,
        /// What is wrong.
        to: &'static str,
    },
    /// Blocks 8 to 15 never reach the accumulator.
    LostBatch,
    /// Block 3 is added with twice its sums.
    CountedTwice,
    /// Sums that run over 10^6 terms in f32: near 10^6 its spacing is 1/16, and rounding
    /// to it at each of a block's terms adds up like their square root.
    SinglePrecision,
    /// The device is lost when block 64 is submitted.
    DeviceLost,
    /// Buffers above so many bytes find no memory.
    OutOfMemory(u64),
}

impl Fault {
    pub(super) fn edit(&self, wgsl: String) -> String {
        match self {
            Self::Shader { from, to } => wgsl.replace(from, to),
            _ => wgsl,
        }
    }

    pub(super) fn loses(&self, block: u64) -> bool {
        matches!(self, Self::LostBatch) && (8..16).contains(&block)
    }

    pub(super) fn loses_device(&self, first: u64) -> bool {
        matches!(self, Self::DeviceLost) && first >= 64
    }

    pub(super) fn refuses(&self, bytes: u64) -> bool {
        matches!(self, Self::OutOfMemory(largest) if bytes > *largest)
    }

    pub(super) fn sum(&self, block: u64, networks: u64, sum: f64) -> f64 {
        let spacing = (networks as f64).sqrt() / 16.0;
        match self {
            Self::CountedTwice if block == 3 => 2.0 * sum,
            Self::SinglePrecision => (sum / spacing).round() * spacing,
            _ => sum,
        }
    }
}
