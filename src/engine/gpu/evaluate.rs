//! An activation alone on an adapter, for tests of its accuracy.

use serde::Serialize;

use super::activation::{Code, literal};
use super::template::{Text, render};
use super::{GpuEngine, SAMPLE_THREADS, dispatch};
use crate::Result;
use crate::model::activation::Tape;

/// The text of `evaluate.wgsl`.
pub fn text(tape: &Tape, variance: f64) -> Text {
    #[derive(Serialize)]
    struct Evaluate {
        threads: u64,
        activation: Code,
        variance: String,
    }
    let evaluate = Evaluate {
        threads: SAMPLE_THREADS,
        activation: Code::tape(tape),
        variance: literal(variance),
    };
    render("evaluate", &evaluate)
}

impl GpuEngine {
    /// The values of a tape at each of `arguments`, where their variance is `variance`, as shaders
    /// compute them.
    ///
    /// # Errors
    /// [`crate::Error::Device`].
    pub fn evaluate(&self, tape: &Tape, arguments: &[f32], variance: f64) -> Result<Vec<f32>> {
        let d = &self.device;
        let pipeline = d.pipeline(&text(tape, variance))?;
        let bytes = size_of_val(arguments) as u64;
        let buffers = [d.storage("arguments", bytes), d.storage("values", bytes)];
        let staging = d.staging(bytes);
        (d.queue).write_buffer(&buffers[0], 0, bytemuck::cast_slice(arguments));
        let group = d.bind(&pipeline, &[&buffers[0], &buffers[1]]);
        let mut encoder = d.device.create_command_encoder(&Default::default());
        let threads = arguments.len().div_ceil(4) as u64;
        let workgroups = threads.div_ceil(SAMPLE_THREADS) as u32;
        dispatch(&mut encoder, &pipeline, &group, [workgroups, 1, 1]);
        encoder.copy_buffer_to_buffer(&buffers[1], 0, &staging, 0, bytes);
        let submission = d.submit(encoder.finish());
        pollster::block_on(d.read(submission, &staging, bytes))
    }
}
