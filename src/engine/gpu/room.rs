//! This module sizes the buffers of a run: the largest batch, and what it is made of.

use super::networks::chunks;
use super::pipelines::Texts;
use super::setup::Setup;
use super::{GpuEngine, moments};
use crate::sentence::sentence;
use crate::stream::GROUP;
use crate::tensor::MomentPlan;
use crate::{Error, Result};

/// Size of fields that are read back of a batch, in bytes: the host has several copies of them.
const READ_BYTES: u64 = 64 << 20;
/// Size of the sums of a batch, in bytes: 6000 blocks of the source's nets, which keep a card busy. A run waits for the
/// driver to make memory ready that the card copies to, however short it is.
const SUM_BYTES: u64 = 16 << 20;
/// Least number of batches of a run that has networks for several: the host works on one beside the device.
const BATCHES: u64 = 4;

/// `Room` holds the sizes of a run's buffers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// The largest number of blocks in a batch.
    pub capacity: u64,
    /// The largest size of a buffer, bytes.
    pub bytes: u64,
    /// Bytes of a block between the stages, and of its sums.
    pub block_bytes: u64,
    pub sum_bytes: u64,
    /// Bytes of the least that a batch may hold.
    pub least: u64,
    /// Whether a batch is less than a block: then it has one, in several passes.
    is_partial: bool,
}

impl Room {
    /// Finds room for the networks of a setup and the moments of a plan.
    ///
    /// # Errors
    /// [`Error::Invalid`] if no block fits a buffer.
    pub fn new(
        engine: &GpuEngine,
        setup: &Setup,
        moments: &MomentPlan,
        texts: &Texts,
    ) -> Result<Self> {
        let (limits, plan) = (&engine.device.limits, setup.plan);
        let largest = (limits.max_storage_buffer_binding_size).min(limits.max_buffer_size);
        // Fields that are left in their buffer are read back.
        let batch_bytes = match moments.elements().is_empty() {
            true => engine.profile.batch_bytes.min(READ_BYTES),
            false => engine.profile.batch_bytes,
        };
        let sum_bytes = moments::sum_quads(moments) as u64 * 16;
        let (block_bytes, least) = match texts {
            // Nothing between the stages, and no binding of size zero.
            Texts::Fused(_) => (16, 16),
            Texts::Staged(..) => {
                let bytes = plan.size * chunks(setup) * setup.row_quads() as u64 * 16;
                (bytes, bytes)
            }
            Texts::Looped(shape, _) => {
                let network = shape.hidden_bytes().max(shape.field_bytes());
                let piece = shape.piece(largest.min(batch_bytes));
                (network * piece, network * GROUP)
            }
        };
        let bytes = largest.min(batch_bytes.max(block_bytes));
        let workgroups = u64::from(limits.max_compute_workgroups_per_dimension);
        let is_partial = matches!(texts, Texts::Looped(shape, _) if shape.piece(largest.min(batch_bytes)) < shape.places());
        let capacity = (bytes / block_bytes)
            .min(bytes.min(SUM_BYTES.max(sum_bytes)) / sum_bytes)
            .min(workgroups.saturating_mul(texts.blocks_together()))
            // Threads have 32 bits.
            .min(u64::from(u32::MAX) / plan.size)
            .min((plan.blocks() / BATCHES).max(engine.profile.busy_blocks(plan.size)))
            .min(plan.blocks())
            .min(engine.batch_blocks.unwrap_or(u64::MAX))
            .min(if is_partial { 1 } else { u64::MAX });
        if capacity == 0 || plan.blocks() > u64::from(u32::MAX) {
            return Err(Error::invalid(
                "inputs",
                format!("with {} points at width {}", setup.points, setup.width),
                sentence!(
                    "one block of networks needs {} bytes, a buffer of {} holds {}; use fewer points or `backend` cpu",
                    least.max(sum_bytes).to_string(),
                    engine.summary.name.as_str(),
                    bytes.to_string(),
                ),
            ));
        }
        Ok(Self {
            capacity,
            bytes,
            block_bytes,
            sum_bytes,
            least,
            is_partial,
        })
    }

    /// Makes do with half of it, if that is enough for something.
    pub fn halve(&mut self) -> bool {
        match self.capacity > 1 {
            true => self.capacity /= 2,
            false if self.is_partial && self.bytes > self.least => self.bytes /= 2,
            false => return false,
        }
        true
    }
}
