//! A wgpu device with the few operations that the engine needs, errors as values.

use std::collections::HashMap;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use rayon::prelude::*;

use super::wgsl::Text;
use crate::{Error, Result};

/// Longest wait for one batch. Batches are sized to a tenth of a second: past this the
/// device hangs.
const TIMEOUT: Duration = Duration::from_secs(300);

/// Longest wait for one shader to compile.
const COMPILE_TIMEOUT: Duration = Duration::from_secs(3600);
/// The size of any uniform, and more than the least of any other binding.
const WARM_BYTES: u64 = 64 << 10;
/// Time between looks at whether a compilation is still wanted.
const PATIENCE: Duration = Duration::from_millis(20);

/// Pipelines by their text.
type Pipelines = Arc<Mutex<HashMap<String, wgpu::ComputePipeline>>>;

#[derive(Clone)]
pub(super) struct Device {
    pub device: wgpu::Device,
    pub queue: wgpu::Queue,
    pub limits: wgpu::Limits,
    /// A deliberate fault, in tests of cross-checks.
    pub fault: Option<super::Fault>,
    /// First error that the driver reported outside a call of ours.
    reported: Arc<Mutex<Option<String>>>,
    /// What is compiled already.
    pipelines: Pipelines,
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
            pipelines: Pipelines::default(),
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

    fn pipelines(&self) -> MutexGuard<'_, HashMap<String, wgpu::ComputePipeline>> {
        self.pipelines.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// The pipeline of a text, compiled unless it is there.
    pub fn pipeline(&self, text: Text) -> Result<wgpu::ComputePipeline> {
        let wgsl = match &self.fault {
            Some(fault) => fault.edit(text.wgsl),
            None => text.wgsl,
        };
        let known = self.pipelines().get(&wgsl).cloned();
        if let Some(pipeline) = known {
            return Ok(pipeline);
        }
        let label = Some(text.label);
        let module = self
            .device
            .create_shader_module(wgpu::ShaderModuleDescriptor {
                label,
                source: wgpu::ShaderSource::Wgsl(wgsl.as_str().into()),
            });
        let pipeline = self
            .device
            .create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label,
                layout: None,
                module: &module,
                entry_point: Some("main"),
                compilation_options: Default::default(),
                cache: None,
            });
        self.check()?;
        self.pipelines().insert(wgsl, pipeline.clone());
        Ok(pipeline)
    }

    /// Compiles a text, and runs a workgroup of it on zeros: some drivers (Mesa's llvmpipe)
    /// generate code when a pipeline is used first.
    fn warm(&self, text: Text) -> Result<()> {
        let (label, bindings) = (text.label, text.wgsl.matches("@binding(").count());
        let pipeline = self.pipeline(text)?;
        let buffers: Vec<_> = (0..bindings).map(|_| self.parameters(WARM_BYTES)).collect();
        let group = self.bind(&pipeline, &buffers.iter().collect::<Vec<_>>());
        let mut encoder = self.device.create_command_encoder(&Default::default());
        super::dispatch(&mut encoder, &pipeline, &group, 1, 1);
        let submission = self.submit(encoder.finish());
        let waited = self.device.poll(wgpu::PollType::Wait {
            submission_index: Some(submission),
            timeout: Some(COMPILE_TIMEOUT),
        });
        self.check()?;
        match waited {
            Ok(_) => Ok(()),
            Err(e) => Err(Error::Device(format!("{label} does not compile: {e}"))),
        }
    }

    /// Compiles texts, and forgets all others, on threads of its own: no driver can be told to
    /// stop. Once `cancelled`, they go on alone, and the answer is `false`.
    pub fn compile(&self, texts: Vec<Text>, cancelled: &dyn Fn() -> bool) -> Result<bool> {
        if self.fault.is_none() {
            let wanted: Vec<&String> = texts.iter().map(|t| &t.wgsl).collect();
            let mut known = self.pipelines();
            known.retain(|wgsl, _| wanted.contains(&wgsl));
            if wanted.iter().all(|wgsl| known.contains_key(*wgsl)) {
                return Ok(true);
            }
        }
        let (tell, told) = channel();
        let device = self.clone();
        let compiler = std::thread::spawn(move || {
            // Drivers compile on the caller's thread: use them all.
            let all = texts.into_par_iter().map(|text| device.warm(text));
            // Nobody listens after a cancellation.
            let _ = tell.send(all.collect::<Result<()>>());
        });
        loop {
            match told.recv_timeout(PATIENCE) {
                Ok(result) => {
                    // It still holds the device, which must not outlive the program.
                    let _ = compiler.join();
                    return result.map(|()| true);
                }
                Err(RecvTimeoutError::Timeout) if cancelled() => return Ok(false),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Error::Device("the shader compiler failed".into()));
                }
            }
        }
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
