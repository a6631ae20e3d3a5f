//! A wgpu device with the few operations that the engine needs, errors as values.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::{Error, Result};

/// Longest wait for one batch. Batches are sized to a tenth of a second: past this the
/// device hangs.
const TIMEOUT: Duration = Duration::from_secs(300);

pub(super) struct Device {
    pub device: wgpu::Device,
    pub queue: wgpu::Queue,
    pub limits: wgpu::Limits,
    /// A deliberate fault, in tests of cross-checks.
    pub fault: Option<super::Fault>,
    /// First error that the driver reported outside a call of ours.
    reported: Arc<Mutex<Option<String>>>,
}

impl Device {
    pub fn new(adapter: &wgpu::Adapter) -> Result<Self> {
        let limits = adapter.limits();
        let (device, queue) = pollster::block_on(adapter.request_device(&wgpu::DeviceDescriptor {
            label: Some("nnqft-gpu"),
            required_limits: limits.clone(),
            ..Default::default()
        }))
        .map_err(|e| Error::Device(format!("the adapter gives no device: {e}")))?;
        let reported = Arc::new(Mutex::new(None));
        let (uncaptured, lost) = (reported.clone(), reported.clone());
        let record = |reported: &Mutex<Option<String>>, what: String| {
            let mut fault = reported.lock().unwrap_or_else(|e| e.into_inner());
            fault.get_or_insert(what);
        };
        device.on_uncaptured_error(Arc::new(move |e: wgpu::Error| {
            record(&uncaptured, e.to_string());
        }));
        device.set_device_lost_callback(move |reason, message| {
            // Dropping the engine destroys its device, too, but nobody asks after that.
            record(&lost, format!("device lost ({reason:?}) {message}"));
        });
        Ok(Self {
            device,
            queue,
            limits,
            fault: None,
            reported,
        })
    }

    /// The error reported since the start, if any.
    pub fn check(&self) -> Result<()> {
        match &*self.reported.lock().unwrap_or_else(|e| e.into_inner()) {
            Some(what) => Err(Error::Device(what.clone())),
            None => Ok(()),
        }
    }

    pub fn buffer(&self, label: &str, bytes: u64, usage: wgpu::BufferUsages) -> wgpu::Buffer {
        self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some(label),
            size: bytes.next_multiple_of(16),
            usage,
            mapped_at_creation: false,
        })
    }

    pub fn storage(&self, label: &str, bytes: u64) -> wgpu::Buffer {
        use wgpu::BufferUsages as U;
        self.buffer(label, bytes, U::STORAGE | U::COPY_SRC | U::COPY_DST)
    }

    /// A buffer of constants, few or many.
    pub fn parameters(&self, bytes: u64) -> wgpu::Buffer {
        use wgpu::BufferUsages as U;
        self.buffer("parameters", bytes, U::UNIFORM | U::STORAGE | U::COPY_DST)
    }

    /// A storage buffer, or `None` if there is no memory for it.
    pub fn try_storage(&self, label: &str, bytes: u64) -> Option<wgpu::Buffer> {
        if self.fault.as_ref().is_some_and(|f| f.refuses(bytes)) {
            return None;
        }
        let scope = self.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let buffer = self.storage(label, bytes);
        match pollster::block_on(scope.pop()) {
            None => Some(buffer),
            Some(_) => None,
        }
    }

    pub fn staging(&self, bytes: u64) -> wgpu::Buffer {
        use wgpu::BufferUsages as U;
        self.buffer("staging", bytes, U::MAP_READ | U::COPY_DST)
    }

    pub fn pipeline(&self, label: &str, wgsl: String) -> Result<wgpu::ComputePipeline> {
        let wgsl = match &self.fault {
            Some(fault) => fault.edit(wgsl),
            None => wgsl,
        };
        let module = self
            .device
            .create_shader_module(wgpu::ShaderModuleDescriptor {
                label: Some(label),
                source: wgpu::ShaderSource::Wgsl(wgsl.into()),
            });
        let pipeline = self
            .device
            .create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: Some(label),
                layout: None,
                module: &module,
                entry_point: Some("main"),
                compilation_options: Default::default(),
                cache: None,
            });
        self.check()?;
        Ok(pipeline)
    }

    pub fn bind(
        &self,
        pipeline: &wgpu::ComputePipeline,
        buffers: &[&wgpu::Buffer],
    ) -> wgpu::BindGroup {
        let entries: Vec<_> = buffers
            .iter()
            .enumerate()
            .map(|(i, b)| wgpu::BindGroupEntry {
                binding: i as u32,
                resource: b.as_entire_binding(),
            })
            .collect();
        self.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: None,
            layout: &pipeline.get_bind_group_layout(0),
            entries: &entries,
        })
    }

    /// Starts mapping a staging buffer; [`Device::read`] finishes it.
    pub fn submit(&self, commands: wgpu::CommandBuffer) -> wgpu::SubmissionIndex {
        self.queue.submit([commands])
    }

    /// Waits for a submission and reads the first `bytes` of the staging buffer it filled.
    pub fn read<T: bytemuck::Pod>(
        &self,
        submission: wgpu::SubmissionIndex,
        staging: &wgpu::Buffer,
        bytes: u64,
    ) -> Result<Vec<T>> {
        let (tell, told) = std::sync::mpsc::channel();
        staging.map_async(wgpu::MapMode::Read, 0..bytes, move |r| {
            // The receiver lives until the wait below is over.
            let _ = tell.send(r);
        });
        let waited = self.device.poll(wgpu::PollType::Wait {
            submission_index: Some(submission),
            timeout: Some(TIMEOUT),
        });
        if let Err(e) = waited {
            // A device that was lost before its first submission has not said so yet.
            let _ = self.device.poll(wgpu::PollType::Poll);
            self.check()?;
            return Err(Error::Device(format!("no answer: {e}")));
        }
        // Mapping may complete one poll after the work.
        while let Err(std::sync::mpsc::TryRecvError::Empty) = told.try_recv().map(|r| {
            if let Err(e) = r {
                self.reported
                    .lock()
                    .unwrap_or_else(|e| e.into_inner())
                    .get_or_insert(format!("mapping failed: {e}"));
            }
        }) {
            self.device
                .poll(wgpu::PollType::Poll)
                .map_err(|e| Error::Device(e.to_string()))?;
        }
        self.check()?;
        let values = {
            let view = staging
                .get_mapped_range(0..bytes)
                .map_err(|e| Error::Device(format!("mapping failed: {e}")))?;
            bytemuck::pod_collect_to_vec(&view)
        };
        staging.unmap();
        Ok(values)
    }
}
