//! Compilation of shaders, which may take long: shown, timed and interruptible.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use nnqft_gpu::Result;
use nnqft_gpu::engine::Engine;
use nnqft_gpu::model::EnsembleSpec;
use nnqft_gpu::plan::Plan;

/// What is compiled sooner is not worth a word.
const SOON: Duration = Duration::from_millis(300);
/// The same where stderr is no terminal, and each word a line.
const LATER: Duration = Duration::from_secs(5);

/// The bar that is on the screen, if any: two would draw over each other.
static BAR: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// Compilations are shown in the place of this bar from now on.
pub fn in_place_of(bar: &ProgressBar) {
    *BAR.lock().unwrap_or_else(|e| e.into_inner()) = Some(bar.clone());
}

/// Readies an engine for a spec, or not if `stop` is set; returns the seconds that it took.
pub fn prepare(engine: &mut dyn Engine, spec: &EnsembleSpec, stop: &AtomicBool) -> Result<f64> {
    let start = Instant::now();
    let shown = OnceLock::new();
    let patience = if std::io::stderr().is_terminal() {
        SOON
    } else {
        LATER
    };
    let stopped = || {
        if start.elapsed() > patience {
            shown.get_or_init(Shown::begin).bar.tick();
        }
        stop.load(Ordering::Relaxed)
    };
    let done = engine.prepare(&Plan::new(spec.clone())?, &stopped);
    if let Some(shown) = shown.into_inner() {
        shown.end();
    }
    done.map(|()| start.elapsed().as_secs_f64())
}

/// What is on the screen meanwhile.
struct Shown {
    bar: ProgressBar,
    /// What it was before, if it is a bar over networks.
    before: Option<ProgressStyle>,
}

impl Shown {
    fn begin() -> Self {
        if !std::io::stderr().is_terminal() {
            eprintln!("compiling shaders");
        }
        let known = BAR.lock().unwrap_or_else(|e| e.into_inner()).clone();
        let known = known.filter(|bar| !bar.is_finished());
        let before = known.as_ref().map(ProgressBar::style);
        let bar = known.unwrap_or_else(|| {
            ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10))
        });
        let style = ProgressStyle::with_template("{spinner} compiling shaders, {elapsed}");
        bar.set_style(style.expect("a valid template"));
        Self { bar, before }
    }

    fn end(self) {
        match self.before {
            Some(style) => {
                self.bar.set_style(style);
                self.bar.reset_eta();
            }
            None => self.bar.finish_and_clear(),
        }
    }
}
