//! A profile shapes work for an adapter. It follows from limits and the reported kind alone, never from a name or a
//! clock: what it says of sums enters their rounding, and an adapter has the same bits every day.

use serde::Serialize;

use super::setup::Setup;
use crate::engine::AdapterClass;
use crate::tensor::MomentPlan;

/// Number of networks from which on a software adapter earns back the time to compile longer
/// shaders.
const LONG_RUN: u64 = 1_000_000;
/// Least number of networks that a thread of the moment stage sums where several share a block: joining their sums
/// takes about as long as ten networks.
const STRAND: u64 = 64;
/// Subgroup and workgroup of software adapters that are there to be had everywhere, such as SwiftShader: its compiler
/// takes 3.6 s of one core to draw and sum in one shader, and 1.1 s to draw the remainders of 16 networks in a thread.
const TERSE_SUBGROUP: u32 = 4;
const TERSE_WORKGROUP: u32 = 256;
/// Buffers and workgroup memory of which a GPU of no reported kind has memory of its own.
const DISCRETE_BUFFER: u64 = 1 << 30;
const DISCRETE_WORKGROUP_MEMORY: u32 = 32 << 10;

/// `Profile` holds how the work of a run is shaped for an adapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Profile {
    /// Class of the adapter.
    pub class: AdapterClass,
    /// Number of threads worth keeping busy.
    pub threads: u64,
    /// Threads of a subgroup: those that go in step.
    pub subgroup: u32,
    /// Most threads of a workgroup.
    pub workgroup_threads: u32,
    /// Memory of a workgroup, bytes.
    pub workgroup_memory: u32,
    /// Size of the buffers of one batch, bytes. Memory stays flat whatever the number of networks.
    pub batch_bytes: u64,
    /// Most threads that share the networks of a block when moments are summed.
    pub strands: u64,
    /// Number of points that a thread of the stage `hidden` evaluates 16 units at, for each of which it draws them
    /// again. Neither this number nor the next changes what is added to what.
    pub tile_points: u64,
    /// Number of rows on either side of a thread of the stage `fields`.
    pub tile_rows: u64,
    /// Whether shaders are kept short at some cost of speed, for a compiler that is slow.
    pub is_terse: bool,
    /// Whether long runs draw and sum in one shader.
    pub fuses: bool,
    /// Largest number of sums that one thread keeps, in short runs.
    pub sums: usize,
    /// The same in long runs.
    pub long_sums: usize,
}

/// `Limits` holds what a profile is chosen by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Largest storage buffer that a shader sees, bytes.
    pub buffer: u64,
    pub workgroup_threads: u32,
    pub workgroup_memory: u32,
    pub subgroup: u32,
}

impl Limits {
    pub fn new(limits: &wgpu::Limits, subgroup: u32) -> Self {
        Self {
            buffer: (limits.max_storage_buffer_binding_size).min(limits.max_buffer_size),
            workgroup_threads: (limits.max_compute_invocations_per_workgroup)
                .min(limits.max_compute_workgroup_size_x),
            workgroup_memory: limits.max_compute_workgroup_storage_size,
            subgroup,
        }
    }

    /// Returns the class of an adapter of the reported kind.
    pub fn class(&self, kind: &str) -> AdapterClass {
        match kind {
            "software" => AdapterClass::Software,
            "discrete" => AdapterClass::Discrete,
            "integrated" => AdapterClass::Integrated,
            // What is passed on to a virtual machine, or says nothing of itself.
            _ if self.buffer >= DISCRETE_BUFFER
                && self.workgroup_memory >= DISCRETE_WORKGROUP_MEMORY =>
            {
                AdapterClass::Discrete
            }
            _ => AdapterClass::Integrated,
        }
    }
}

impl Profile {
    /// Shapes work for an adapter of a class with some limits.
    ///
    /// A GPU has at most 255 registers per thread, and many threads to keep busy. A processor spills to its
    /// first-level cache at no cost, but its compiler takes more than linear time: short pieces are a quarter of the
    /// wait, and several are compiled at a time. Each piece reads the fields again, so that long runs are better off
    /// with longer ones. In the looped stages twice the points take llvmpipe twice the time to compile (100 points x
    /// 50 inputs: 1.7 and 4 s of one core, 1.4 s at 8 points) for 6% more networks per second.
    pub(super) fn new(class: AdapterClass, limits: Limits) -> Self {
        let (threads, batch_bytes, strands) = match class {
            AdapterClass::Discrete => (1 << 18, 512 << 20, 16),
            AdapterClass::Integrated => (1 << 14, 128 << 20, 4),
            AdapterClass::Software => (1 << 16, 64 << 20, 1),
        };
        let is_software = class == AdapterClass::Software;
        let is_terse = is_software
            && limits.subgroup <= TERSE_SUBGROUP
            && limits.workgroup_threads <= TERSE_WORKGROUP;
        Self {
            class,
            threads,
            subgroup: limits.subgroup,
            workgroup_threads: limits.workgroup_threads,
            workgroup_memory: limits.workgroup_memory,
            batch_bytes: limits.buffer.min(batch_bytes),
            strands,
            tile_points: if is_software { 16 } else { 8 },
            tile_rows: if is_software { 8 } else { 4 },
            is_terse,
            fuses: is_software && !is_terse,
            sums: if is_software { 128 } else { 96 },
            long_sums: if is_software { 1024 } else { 96 },
        }
    }

    /// Shapes work for a GPU of these limits that is not at hand.
    #[cfg(feature = "test-hooks")]
    pub fn assumed(class: AdapterClass, buffer: u64, workgroup_memory: u32, subgroup: u32) -> Self {
        let limits = Limits {
            buffer,
            workgroup_threads: 1024,
            workgroup_memory,
            subgroup,
        };
        Self::new(class, limits)
    }

    /// Tells whether a run of a setup draws and sums in one shader.
    ///
    /// This is faster on a software adapter, but takes longer to compile, which short runs do not earn back; a GPU
    /// has not the registers.
    pub(super) fn is_fused(&self, setup: &Setup) -> bool {
        self.fuses && setup.networks >= LONG_RUN
    }

    /// Returns the number of sums that one thread of the moment stage keeps.
    pub(super) fn sums_per_thread(&self, setup: &Setup, plan: &MomentPlan) -> usize {
        match setup.networks < LONG_RUN {
            true => self.sums,
            false if plan.elements().len() <= self.long_sums => self.long_sums,
            // One long piece and a short one take longer than several of a middling length.
            false => self.long_sums.min(256),
        }
    }

    /// Returns the number of threads that share a block of so many networks, a power of two.
    pub(super) fn strands(&self, block: u64) -> u64 {
        let most = self.strands.min((block / STRAND).max(1));
        1 << most.ilog2()
    }

    /// Counts the blocks of so many networks that keep the threads busy for several turns.
    pub(super) fn busy_blocks(&self, size: u64) -> u64 {
        /// Batches of fewer turns wait for their last threads.
        const TURNS: u64 = 4;
        (TURNS * self.threads).div_ceil(size)
    }

    /// Counts the blocks of the first batch, which no clock has sized: they keep the threads busy, unless that is
    /// more than a slow device does in a tenth of a second.
    pub(super) fn first_batch(&self, setup: &Setup) -> u64 {
        /// Hidden units, of which an integrated GPU draws 10^9 a second.
        const UNITS: u64 = 1 << 25;
        let size = setup.block();
        (self.threads / size)
            .min(UNITS / (size * setup.units()))
            .max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::EnsembleSpec;
    use crate::plan::Plan;

    /// The least that WebGPU promises: a laptop's GPU of ten years ago, or a phone.
    const WEAKEST: Limits = Limits {
        buffer: 128 << 20,
        workgroup_threads: 64,
        workgroup_memory: 16 << 10,
        subgroup: 4,
    };
    const CARD: Limits = Limits {
        buffer: 4 << 30,
        workgroup_threads: 1024,
        workgroup_memory: 48 << 10,
        subgroup: 32,
    };

    #[test]
    fn the_class_is_what_is_reported_and_else_what_limits_show() {
        for limits in [WEAKEST, CARD] {
            for class in AdapterClass::ALL {
                assert_eq!(limits.class(&class.to_string()), class);
            }
        }
        for kind in ["virtual", "other"] {
            assert_eq!(CARD.class(kind), AdapterClass::Discrete);
            assert_eq!(WEAKEST.class(kind), AdapterClass::Integrated);
        }
    }

    #[test]
    fn batches_are_as_large_as_the_adapter_allows() {
        let bytes = |class, limits| Profile::new(class, limits).batch_bytes >> 20;
        assert_eq!(bytes(AdapterClass::Discrete, CARD), 512);
        assert_eq!(bytes(AdapterClass::Discrete, WEAKEST), 128);
        assert_eq!(bytes(AdapterClass::Integrated, CARD), 128);
        assert_eq!(bytes(AdapterClass::Software, CARD), 64);
    }

    #[test]
    fn threads_share_long_blocks_alone() {
        let profile = Profile::new(AdapterClass::Discrete, CARD);
        let strands = [1, 16, 64, 128, 512, 1024].map(|block| profile.strands(block));
        assert_eq!(strands, [1, 1, 1, 2, 8, 16]);
        let software = Profile::new(AdapterClass::Software, CARD);
        assert_eq!(software.strands(1024), 1);
    }

    #[test]
    fn the_first_batch_is_short_on_any_device() {
        for width in [1, 100, 5000, 1_000_000] {
            for nets in [100, 1_000_000] {
                let spec = EnsembleSpec {
                    nets,
                    ..EnsembleSpec::preset("relu", 1).unwrap().with_width(width)
                };
                let setup = Setup::new(Plan::new(spec).unwrap().drawn());
                for class in AdapterClass::ALL {
                    let blocks = Profile::new(class, CARD).first_batch(&setup);
                    let units = blocks * setup.block() * width;
                    // A thirtieth of a second at 10^9 units per second, or one block.
                    assert!(blocks == 1 || units <= 1 << 25, "{class} {width} {nets}");
                    assert!(blocks * setup.block() <= 1 << 18 || blocks == 1);
                }
            }
        }
    }

    #[test]
    fn slow_compilers_get_short_shaders() {
        let is_terse = |class, limits| Profile::new(class, limits).is_terse;
        assert!(is_terse(AdapterClass::Software, WEAKEST));
        assert!(!is_terse(AdapterClass::Software, CARD));
        assert!(!is_terse(AdapterClass::Integrated, WEAKEST));
    }
}
