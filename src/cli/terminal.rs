//! A run writes to stderr through this module: progress, notes, what is compiled, and how it ends.

use std::io::IsTerminal;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use nnqft_gpu::model::EnsembleSpec;
use nnqft_gpu::run::Progress;
use nnqft_gpu::{Error, Sentence};

use super::flags;
use super::interrupt;
use super::progress::{Bar, target};

/// A compilation shorter than `SOON` is not worth a word.
const SOON: Duration = Duration::from_millis(300);
/// A compilation shorter than `LATER` is not worth a word where stderr is no terminal, and each
/// word a line.
const LATER: Duration = Duration::from_secs(5);

/// `Weigh` returns the work of so many networks of a spec, in the units of a bar.
type Weigh = Box<dyn Fn(&EnsembleSpec, u64) -> u64 + Send + Sync>;

/// `Terminal` is stderr as a run writes to it.
pub struct Terminal {
    shown: Mutex<Shown>,
    /// What an interrupted user can do, as the end of a sentence.
    hint: String,
}

#[derive(Default)]
struct Shown {
    /// Bar of the command's own, over several measurements.
    whole: Option<(ProgressBar, Weigh)>,
    /// Bar of the networks of this measurement.
    networks: Option<Bar>,
    compiling: Option<Compiling>,
    /// What a run is at that counts no networks.
    at: Option<ProgressBar>,
}

impl Terminal {
    /// Makes the terminal of a command; `hint` ends the sentence that an interrupted user gets.
    pub fn new(hint: impl Into<String>) -> Self {
        Self {
            shown: Mutex::default(),
            hint: hint.into(),
        }
    }

    /// Moves a bar of the command's own from now on, instead of one for each measurement.
    pub fn show(
        &self,
        bar: ProgressBar,
        weigh: impl Fn(&EnsembleSpec, u64) -> u64 + Send + Sync + 'static,
    ) {
        self.shown().whole = Some((bar, Box::new(weigh)));
    }

    /// Adds to what an interruption has cost what the user can do.
    pub fn hinted(&self, text: &str) -> String {
        format!("{text}{}", self.hint)
    }

    /// Takes all bars away, unless another thread is drawing one and may never come to an end.
    pub fn clear(&self) {
        let Ok(mut shown) = self.shown.try_lock() else {
            return;
        };
        let whole = shown.whole.take().map(|(bar, _)| bar);
        let networks = shown.networks.as_ref().map(|bar| bar.bar().clone());
        let at = shown.at.take();
        whole
            .into_iter()
            .chain(networks)
            .chain(at)
            .for_each(|bar| bar.finish_and_clear());
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(|e| e.into_inner())
    }
}

impl Shown {
    /// Returns the bar that is on the screen, if any: two would draw over each other.
    fn bar(&self) -> Option<&ProgressBar> {
        let networks = self.networks.as_ref().map(Bar::bar);
        let bar = networks.or(self.whole.as_ref().map(|(bar, _)| bar));
        let bar = bar.or(self.at.as_ref());
        bar.filter(|bar| !bar.is_finished())
    }
}

impl Progress for Terminal {
    fn begin(&self, networks: u64, done: u64) {
        let mut shown = self.shown();
        if shown.whole.is_none() {
            shown.networks = Some(Bar::new(networks, done));
        }
    }

    fn drawn(&self, spec: &EnsembleSpec, networks: u64) {
        let shown = self.shown();
        if let Some((bar, weigh)) = &shown.whole {
            bar.inc(weigh(spec, networks));
        }
        if let Some(bar) = &shown.networks {
            bar.inc(networks);
        }
    }

    fn end(&self) {
        let mut shown = self.shown();
        if let Some(bar) = shown.networks.take() {
            bar.finish();
        }
        if let Some(bar) = shown.at.take() {
            bar.finish_and_clear();
        }
    }

    fn at(&self, what: &str) {
        let mut shown = self.shown();
        let bar = shown.at.get_or_insert_with(|| {
            let bar = ProgressBar::with_draw_target(None, target());
            let style = ProgressStyle::with_template("{spinner} {wide_msg} {elapsed}");
            bar.set_style(style.expect("a valid template"));
            bar.enable_steady_tick(SOON);
            bar
        });
        bar.set_message(what.to_string());
    }

    fn compiling(&self, so_far: Duration) {
        let patience = match std::io::stderr().is_terminal() {
            true => SOON,
            false => LATER,
        };
        if so_far > patience {
            let mut shown = self.shown();
            let known = shown.bar().cloned();
            (shown
                .compiling
                .get_or_insert_with(|| Compiling::begin(known)))
            .bar
            .tick();
        }
    }

    fn compiled(&self) {
        if let Some(compiling) = self.shown().compiling.take() {
            compiling.end();
        }
    }

    fn note(&self, note: &Sentence) {
        let text = note.spelled(&flags::flag);
        match self.shown().bar() {
            Some(bar) => bar.suspend(|| note!("{text}")),
            None => note!("{text}"),
        }
    }

    /// Ends the program: an engine, or a driver that compiles, cannot be made to stop.
    fn overdue(&self, interrupted: &Error) {
        interrupt::end_now(&match interrupted {
            Error::Interrupted(text) => Error::Interrupted(self.hinted(text)).to_string(),
            other => flags::error(other),
        })
    }
}

/// `Compiling` is what is on the screen while shaders are compiled, which may take long.
struct Compiling {
    bar: ProgressBar,
    /// Style that the bar had before, if it is a bar over networks.
    before: Option<ProgressStyle>,
}

impl Compiling {
    fn begin(known: Option<ProgressBar>) -> Self {
        if !std::io::stderr().is_terminal() {
            note!("compiling shaders");
        }
        let before = known.as_ref().map(ProgressBar::style);
        let bar = known.unwrap_or_else(|| ProgressBar::with_draw_target(None, target()));
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
