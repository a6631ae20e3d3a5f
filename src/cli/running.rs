//! The library runs here under the eyes of a terminal: progress, notes, signals.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use nnqft_gpu::engine::Engine;
use nnqft_gpu::run::{Progress, Runner};
use nnqft_gpu::{Error, Result};
use signal_hook::consts::{SIGINT, SIGTERM};

use super::terminal::Terminal;

/// `Running` is a runner that Ctrl-C and SIGTERM stop; a second signal ends the program at once.
pub struct Running<E: Engine + ?Sized = dyn Engine> {
    pub runner: Runner<E>,
    pub terminal: Arc<Terminal>,
    stop: Arc<AtomicBool>,
}

impl<E: Engine + ?Sized> Running<E> {
    /// Opens an engine, then listens to signals.
    pub fn begin(
        terminal: Terminal,
        open: impl FnOnce(&Arc<dyn Progress>) -> Result<Box<E>>,
    ) -> anyhow::Result<Self> {
        let terminal = Arc::new(terminal);
        let progress: Arc<dyn Progress> = terminal.clone();
        let engine = open(&progress)?;
        let stop = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            // In this order: the first signal sets the flag, a second one finds it set.
            signal_hook::flag::register_conditional_shutdown(signal, 130, stop.clone())
                .and_then(|_| signal_hook::flag::register(signal, stop.clone()))
                .context("listening to signals")?;
        }
        let runner = Runner::on(engine);
        Ok(Self {
            runner: runner.with_progress(progress).until(stop.clone()),
            terminal,
            stop,
        })
    }

    /// Does all work that takes long; a signal ends it within a second or two.
    pub fn measure<T>(
        mut self,
        work: impl FnOnce(&mut Runner<E>) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let done = self.runner.watch(work);
        self.last();
        done.map_err(|e| self.explain(e))
    }

    /// Adds to an error what the user can do, if the error is an interruption.
    pub fn explain(&self, error: anyhow::Error) -> anyhow::Error {
        match error.downcast_ref::<Error>() {
            Some(Error::Interrupted(text)) => self.terminal.with_hint(text).into(),
            _ => error,
        }
    }

    /// Makes the next signal end the program at once: there is nothing left to save.
    pub fn last(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}
