//! This module reads what the looped stages leave in their buffers, for cross-checks.

use super::super::device::Device;
use super::{Looped, Pass};
use crate::Result;
use crate::stream::GROUP;

impl Looped {
    /// Reads the fields, then the inverse weight if there is one, of every network of a block, in a
    /// run without elements.
    pub fn rows(&self, d: &Device, number: u64) -> Result<Vec<Vec<f64>>> {
        let stride = self.shape.field_stride() as usize;
        let fields = self.shape.fields as usize;
        let mut all = Vec::new();
        for pass in self.passes(&(number..number + 1)) {
            let values = self.after(d, &pass, &self.fields)?;
            if !self.completes(&pass) {
                continue;
            }
            all.extend(values.chunks(stride).take(pass.piece as usize).map(|row| {
                let ratio = (self.shape.shifts > 0).then(|| row[self.shape.ratio_at() as usize]);
                let row = row[..fields].iter().copied().chain(ratio);
                row.map(f64::from).collect()
            }));
        }
        all.drain(..self.before(number));
        Ok(all)
    }

    /// Reads h_j(x_p) of every network of a block, `[network][unit][point]`.
    pub fn hidden_values(&self, d: &Device, number: u64) -> Result<Vec<Vec<Vec<f64>>>> {
        let shape = &self.shape;
        let mut all = vec![Vec::new(); shape.places() as usize];
        for pass in self.passes(&(number..number + 1)) {
            let values = self.after(d, &pass, &self.hidden)?;
            let (remainder, stride) = (u64::from(pass.remainder) * shape.remainder, self.stride);
            for m in 0..u64::from(pass.piece) {
                // Where the values of a unit at the first point are, and at the next.
                let full = (0..16 * u64::from(pass.groups))
                    .map(|u| (4 * (u / 4 * shape.rows() * stride + m) + u % 4, 4 * stride));
                let remainder = (0..remainder).map(|u| {
                    (
                        (shape.remainder_row() + u * shape.rows()) * stride + m,
                        stride,
                    )
                });
                for (at, next) in full.chain(remainder) {
                    let unit = (0..shape.points).map(|p| values[(at + p * next) as usize].into());
                    all[(u64::from(pass.start) + m) as usize].push(unit.collect());
                }
            }
        }
        all.drain(..self.before(number));
        Ok(all)
    }

    /// Counts the places before the first network of a block.
    fn before(&self, number: u64) -> usize {
        (self.plan.block(number).first % GROUP) as usize
    }

    /// Reads a buffer after a pass.
    fn after(&self, d: &Device, pass: &Pass, buffer: &wgpu::Buffer) -> Result<Vec<f32>> {
        let bytes = buffer.size();
        let staging = d.staging(bytes);
        let mut encoder = d.device.create_command_encoder(&Default::default());
        self.encode(d, &mut encoder, pass, 0);
        encoder.copy_buffer_to_buffer(buffer, 0, &staging, 0, bytes);
        let submission = d.submit(encoder.finish());
        pollster::block_on(d.read(submission, &staging, bytes))
    }
}
