//! The library runs here under the eyes of a terminal: progress and notes.

use std::sync::Arc;

use nnqft_gpu::Result;
use nnqft_gpu::engine::Engine;
use nnqft_gpu::run::{Progress, Runner};

use super::interrupt;
use super::terminal::Terminal;

/// `Running` is a runner that a terminal hears of, and that signals stop.
pub struct Running<E: Engine + ?Sized = dyn Engine> {
    pub runner: Runner<E>,
    pub terminal: Arc<Terminal>,
}

impl<E: Engine + ?Sized> Running<E> {
    /// Opens an engine. What is interrupted from now on is lost, and the terminal's hint says what
    /// is not.
    pub fn begin(
        terminal: Terminal,
        open: impl FnOnce(&Arc<dyn Progress>) -> Result<Box<E>>,
    ) -> anyhow::Result<Self> {
        let terminal = Arc::new(terminal);
        let progress: Arc<dyn Progress> = terminal.clone();
        let engine = open(&progress)?;
        interrupt::would_cost(terminal.hinted("this measurement is lost"));
        let screen = terminal.clone();
        interrupt::on_end(move || screen.clear());
        let runner = Runner::on(engine).with_progress(progress);
        Ok(Self {
            runner: runner.until(interrupt::stop().clone()),
            terminal,
        })
    }
}
