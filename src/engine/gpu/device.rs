//! This module wraps a wgpu device in the few operations that the engine needs, with errors as
//! values.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use futures::channel::oneshot;
use rayon::prelude::*;

use super::Batch;
use super::template::Text;
use super::waiter::Waiter;
use crate::{Error, Result};

/// The longest wait for one shader to compile.
const COMPILE_TIMEOUT: Duration = Duration::from_secs(3600);
/// The size of any uniform, and more than the least of any other binding.
const WARM_BYTES: u64 = 64 << 10;
/// Time between looks at whether a compilation is still wanted.
const PATIENCE: Duration = Duration::from_millis(20);

/// `Compiled` holds pipelines by their text.
type Compiled = Arc<Mutex<HashMap<String, wgpu::ComputePipeline>>>;

#[derive(Clone)]
pub(super) struct Device {
    pub device: wgpu::Device,
    pub queue: wgpu::Queue,
    pub limits: wgpu::Limits,
    /// A deliberate fault, in tests of cross-checks.
    #[cfg(feature = "test-hooks")]
    pub fault: Option<super::Fault>,
    waiter: Arc<Waiter>,
    lost: Arc<AtomicBool>,
    /// The first error that the driver reported outside a call of this module.
    reported: Arc<Mutex<Option<String>>>,
    /// Pipelines that are compiled already.
    pipelines: Compiled,
}

impl Device {
    pub fn new(adapter: &wgpu::Adapter) -> Result<Self> {
        #[cfg(feature = "test-hooks")]
        if super::fault::pretence().is_some_and(|pretence| !pretence.opens) {
            return Err(Error::Device("the adapter gives no device".into()));
        }
        let limits = adapter.limits();
        let (device, queue) = pollster::block_on(adapter.request_device(&wgpu::DeviceDescriptor {
            label: Some("nnqft-gpu"),
            // Clocks of the device's own, where it has them.
            required_features: adapter.features() & wgpu::Features::TIMESTAMP_QUERY,
            required_limits: limits.clone(),
            ..Default::default()
        }))
        .map_err(|e| Error::Device(format!("the adapter gives no device: {e}")))?;
        let reported = Arc::new(Mutex::new(None));
        let lost = Arc::new(AtomicBool::new(false));
        let (uncaptured, reported_lost, is_lost) =
            (reported.clone(), reported.clone(), lost.clone());
        let record = |reported: &Mutex<Option<String>>, what: String| {
            let mut fault = reported.lock().unwrap_or_else(|e| e.into_inner());
            fault.get_or_insert(what);
        };
        device.on_uncaptured_error(Arc::new(move |e: wgpu::Error| {
            record(&uncaptured, e.to_string());
        }));
        device.set_device_lost_callback(move |reason, message| {
            // Dropping the engine destroys its device, too, but nobody asks after that.
            is_lost.store(true, Ordering::Relaxed);
            record(
                &reported_lost,
                format!("device lost ({reason:?}) {message}"),
            );
        });
        Ok(Self {
            waiter: Arc::new(Waiter::new(device.clone())),
            device,
            queue,
            limits,
            #[cfg(feature = "test-hooks")]
            fault: None,
            lost,
            reported,
            pipelines: Compiled::default(),
        })
    }

    /// Tells whether the device is lost: a driver was reset, or a card was taken away.
    pub fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }

    /// Returns the error reported since the start, if any.
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

    /// Makes the uniform of a batch.
    pub fn batch(&self) -> wgpu::Buffer {
        use wgpu::BufferUsages as U;
        self.buffer("batch", size_of::<Batch>() as u64, U::UNIFORM | U::COPY_DST)
    }

    /// Makes a buffer of constants, few or many.
    pub fn parameters(&self, bytes: u64) -> wgpu::Buffer {
        use wgpu::BufferUsages as U;
        self.buffer("parameters", bytes, U::UNIFORM | U::STORAGE | U::COPY_DST)
    }

    /// Makes a storage buffer, or `None` if there is no memory for it.
    pub fn try_storage(&self, label: &str, bytes: u64) -> Option<wgpu::Buffer> {
        #[cfg(feature = "test-hooks")]
        if (self.fault.as_ref()).is_some_and(|fault| fault.refuses(bytes)) {
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

    /// Returns the pipeline of a text, compiled unless that was done before.
    pub fn pipeline(&self, text: &Text) -> Result<wgpu::ComputePipeline> {
        let known = self.pipelines().get(&text.wgsl).cloned();
        if let Some(pipeline) = known {
            return Ok(pipeline);
        }
        let wgsl = text.wgsl.as_str();
        #[cfg(feature = "test-hooks")]
        let edited = self.fault.as_ref().map(|fault| fault.edit(text));
        #[cfg(feature = "test-hooks")]
        let wgsl = edited.as_deref().unwrap_or(wgsl);
        let label = Some(text.stage);
        let module = self
            .device
            .create_shader_module(wgpu::ShaderModuleDescriptor {
                label,
                source: wgpu::ShaderSource::Wgsl(wgsl.into()),
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
        self.pipelines().insert(text.wgsl.clone(), pipeline.clone());
        Ok(pipeline)
    }

    /// Compiles a text, and runs a workgroup of it on zeros: some drivers (Mesa's llvmpipe)
    /// generate code when a pipeline is used first.
    fn warm(&self, text: &Text) -> Result<()> {
        let bindings = text.wgsl.matches("@binding(").count();
        let pipeline = self.pipeline(text)?;
        let buffers: Vec<_> = (0..bindings).map(|_| self.parameters(WARM_BYTES)).collect();
        let group = self.bind(&pipeline, &buffers.iter().collect::<Vec<_>>());
        let mut encoder = self.device.create_command_encoder(&Default::default());
        super::dispatch(&mut encoder, &pipeline, &group, [1, 1, 1]);
        let submission = self.submit(encoder.finish());
        let waited = self.device.poll(wgpu::PollType::Wait {
            submission_index: Some(submission),
            timeout: Some(COMPILE_TIMEOUT),
        });
        self.check()?;
        match waited {
            Ok(_) => Ok(()),
            Err(e) => Err(Error::Device(format!(
                "{} does not compile: {e}",
                text.stage
            ))),
        }
    }

    /// Compiles texts, and forgets all others, on threads of its own: no driver can be told to
    /// stop. Once `cancelled`, they go on alone, and the answer is `false`.
    pub fn compile(&self, texts: Vec<&Text>, cancelled: &dyn Fn() -> bool) -> Result<bool> {
        {
            let wanted: Vec<&String> = texts.iter().map(|text| &text.wgsl).collect();
            let mut known = self.pipelines();
            known.retain(|wgsl, _| wanted.contains(&wgsl));
            if wanted.iter().all(|wgsl| known.contains_key(*wgsl)) {
                return Ok(true);
            }
        }
        let texts: Vec<Text> = texts.into_iter().cloned().collect();
        let (tell, told) = channel();
        let device = self.clone();
        let compiler = std::thread::spawn(move || {
            // Drivers compile on the caller's thread: use them all.
            let all = texts.par_iter().map(|text| device.warm(text));
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

    pub fn submit(&self, commands: wgpu::CommandBuffer) -> wgpu::SubmissionIndex {
        self.queue.submit([commands])
    }

    /// Waits until a submission is done, and returns when it was.
    ///
    /// # Errors
    /// [`Error::Device`] if it fails or takes too long.
    pub async fn wait(&self, submission: wgpu::SubmissionIndex) -> Result<Instant> {
        let done = self.waiter.done(submission).await;
        self.check()?;
        match done {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(e)) => Err(Error::Device(format!("no answer: {e}"))),
            Err(_) => Err(Error::Device("it failed before".into())),
        }
    }

    /// Hands the first `bytes` of the staging buffer that a submission fills to `take`, where they are, once it is done;
    /// returns when it was, and what `take` made of them.
    ///
    /// # Errors
    /// [`Error::Device`] if it fails or takes too long.
    pub async fn read_with<T: bytemuck::Pod, R>(
        &self,
        submission: wgpu::SubmissionIndex,
        staging: &wgpu::Buffer,
        bytes: u64,
        take: impl FnOnce(&[T]) -> R,
    ) -> Result<(Instant, R)> {
        let (tell, mapped) = oneshot::channel();
        staging.map_async(wgpu::MapMode::Read, 0..bytes, move |result| {
            // Nobody listens any more if another batch failed.
            let _ = tell.send(result);
        });
        let done = self.wait(submission).await?;
        let unmapped = |e: &dyn std::fmt::Display| Error::Device(format!("mapping failed: {e}"));
        (mapped.await.map_err(|e| unmapped(&e))?).map_err(|e| unmapped(&e))?;
        let taken = {
            let view = (staging.get_mapped_range(0..bytes)).map_err(|e| unmapped(&e))?;
            take(bytemuck::cast_slice(&view))
        };
        staging.unmap();
        Ok((done, taken))
    }

    /// Reads the first `bytes` of the staging buffer that a submission fills, once it is done.
    ///
    /// # Errors
    /// [`Error::Device`] if it fails or takes too long.
    pub async fn read<T: bytemuck::Pod>(
        &self,
        submission: wgpu::SubmissionIndex,
        staging: &wgpu::Buffer,
        bytes: u64,
    ) -> Result<Vec<T>> {
        let read = self.read_with(submission, staging, bytes, <[T]>::to_vec);
        read.await.map(|(_, values)| values)
    }
}
