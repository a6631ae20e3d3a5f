//! This module has a thread that waits for a device, so that everything else can await it.

use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use futures::channel::oneshot;

/// The longest wait for one batch. Batches are sized to a tenth of a second: past this the device
/// hangs. Without a limit the wait itself may hang (on Mesa's llvmpipe).
const TIMEOUT: Duration = Duration::from_secs(300);

/// An answer says when a submission was done, or what went wrong.
type Answer = Result<Instant, wgpu::PollError>;

/// A waiter waits for submissions in their order, in the device's own poll: what the device calls
/// back, it calls from there.
pub struct Waiter {
    jobs: Option<Sender<(wgpu::SubmissionIndex, oneshot::Sender<Answer>)>>,
    thread: Option<JoinHandle<()>>,
}

impl Waiter {
    pub fn new(device: wgpu::Device) -> Self {
        let (jobs, list) = channel::<(wgpu::SubmissionIndex, oneshot::Sender<Answer>)>();
        let wait = move || {
            for (submission, answer) in list {
                let waited = device.poll(wgpu::PollType::Wait {
                    submission_index: Some(submission),
                    timeout: Some(TIMEOUT),
                });
                let failed = waited.is_err();
                if failed {
                    // A device that was lost before its first submission has not said so yet.
                    let _ = device.poll(wgpu::PollType::Poll);
                }
                // Nobody listens any more if another batch failed.
                let _ = answer.send(waited.map(|_| Instant::now()));
                if failed {
                    return;
                }
            }
        };
        Self {
            jobs: Some(jobs),
            thread: Some(std::thread::spawn(wait)),
        }
    }

    /// Tells when a submission is done; the answer is cancelled if an earlier submission failed.
    pub fn done(&self, submission: wgpu::SubmissionIndex) -> oneshot::Receiver<Answer> {
        let (answer, told) = oneshot::channel();
        if let Some(jobs) = &self.jobs {
            // Without a thread the answer is dropped, which says so.
            let _ = jobs.send((submission, answer));
        }
        told
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        // The thread ends with the last job. It holds the device, which must not outlive the
        // program.
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
