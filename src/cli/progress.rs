//! Progress on stderr: a bar on a terminal, a line now and then elsewhere.

use std::fmt::Write;
use std::io::IsTerminal;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use nnqft_gpu::Error;
use nnqft_gpu::model::EnsembleSpec;
use nnqft_gpu::run::Progress;

/// Time between lines. Runs shorter than that have none.
const INTERVAL: Duration = Duration::from_secs(20);
/// What is compiled sooner is not worth a word.
const SOON: Duration = Duration::from_millis(300);
/// The same where stderr is no terminal, and each word a line.
const LATER: Duration = Duration::from_secs(5);

/// Work that a network of a spec is, in the units of a bar.
type Weigh = Box<dyn Fn(&EnsembleSpec, u64) -> u64 + Send + Sync>;

/// Stderr as a run writes to it.
pub struct Terminal {
    shown: Mutex<Shown>,
    /// What an interrupted user can do, as the end of a sentence.
    hint: String,
}

#[derive(Default)]
struct Shown {
    /// A bar of the command's own, over several measurements.
    whole: Option<(ProgressBar, Weigh)>,
    /// The bar of this measurement.
    networks: Option<Bar>,
    compiling: Option<Compiling>,
}

impl Terminal {
    /// Progress of a command; `hint` ends the sentence that an interrupted user gets.
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

    /// An interruption with what the user can do.
    pub fn with_hint(&self, text: &str) -> Error {
        Error::Interrupted(format!("{text}{}", self.hint))
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(|e| e.into_inner())
    }
}

impl Shown {
    /// The bar that is on the screen, if any: two would draw over each other.
    fn bar(&self) -> Option<&ProgressBar> {
        let networks = self.networks.as_ref().map(|n| &n.bar);
        let bar = networks.or(self.whole.as_ref().map(|(bar, _)| bar));
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
        if let Some(bar) = self.shown().networks.take() {
            bar.finish();
        }
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

    fn note(&self, text: &str) {
        match self.shown().bar() {
            Some(bar) => bar.suspend(|| eprintln!("{text}")),
            None => eprintln!("{text}"),
        }
    }

    /// Ends the program: an engine, or a driver that compiles, cannot be made to stop.
    fn overdue(&self, interrupted: &Error) {
        self.end();
        match interrupted {
            Error::Interrupted(text) => eprintln!("{}", self.with_hint(text)),
            other => eprintln!("{other}"),
        }
        signal_hook::low_level::exit(130)
    }
}

/// What is on the screen while shaders are compiled, which may take long.
struct Compiling {
    bar: ProgressBar,
    /// What it was before, if it is a bar over networks.
    before: Option<ProgressStyle>,
}

impl Compiling {
    fn begin(known: Option<ProgressBar>) -> Self {
        if !std::io::stderr().is_terminal() {
            eprintln!("compiling shaders");
        }
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

/// How far the networks of a run have come, with rate and remaining time.
struct Bar {
    bar: ProgressBar,
    /// Where stderr is no terminal.
    lines: Option<Mutex<Lines>>,
}

impl Bar {
    /// Of `networks` in all, `done` are there already.
    fn new(networks: u64, done: u64) -> Self {
        let target = ProgressDrawTarget::stderr_with_hz(10);
        let bar = ProgressBar::with_draw_target(Some(networks), target).with_position(done);
        bar.set_style(
            ProgressStyle::with_template(
                "{wide_bar} {human_pos}/{human_len} networks, {rate}/s, {eta} left",
            )
            .expect("a valid template")
            .with_key("rate", |state: &ProgressState, to: &mut dyn Write| {
                let _ = write!(to, "{:.2e}", state.per_sec());
            }),
        );
        bar.reset_eta();
        let lines = || Mutex::new(Lines::new(networks, done, Instant::now()));
        Self {
            // indicatif hides the bar itself when stderr is no terminal.
            lines: bar.is_hidden().then(lines),
            bar,
        }
    }

    /// So many more.
    fn inc(&self, networks: u64) {
        self.bar.inc(networks);
        if let Some(lines) = &self.lines {
            let mut lines = lines.lock().unwrap_or_else(|e| e.into_inner());
            if let Some(line) = lines.add(networks, Instant::now()) {
                eprintln!("{line}");
            }
        }
    }

    /// Takes the bar away.
    fn finish(&self) {
        self.bar.finish_and_clear();
        if let Some(lines) = &self.lines {
            let lines = lines.lock().unwrap_or_else(|e| e.into_inner());
            if let Some(line) = lines.last_line(Instant::now()) {
                eprintln!("{line}");
            }
        }
    }
}

/// What is said, and when.
struct Lines {
    all: u64,
    before: u64,
    done: u64,
    begin: Instant,
    /// When the last line was due.
    last: Instant,
}

impl Lines {
    fn new(all: u64, done: u64, now: Instant) -> Self {
        Self {
            all,
            before: done,
            done,
            begin: now,
            last: now,
        }
    }

    fn add(&mut self, networks: u64, now: Instant) -> Option<String> {
        self.done += networks;
        if now - self.last < INTERVAL || self.done >= self.all {
            return None;
        }
        self.last = now;
        let left = (self.all - self.done) as f64 / self.rate(now)?;
        let left = HumanDuration(Duration::try_from_secs_f64(left).ok()?);
        Some(format!("{}, {left} left", self.state(now)))
    }

    /// The end, if there was a line before it.
    fn last_line(&self, now: Instant) -> Option<String> {
        (self.last > self.begin).then(|| {
            let took = Duration::from_secs((now - self.begin).as_secs());
            format!("{} in {}", self.state(now), HumanDuration(took))
        })
    }

    fn state(&self, now: Instant) -> String {
        let percent = 100.0 * self.done as f64 / self.all.max(1) as f64;
        let rate = self.rate(now).unwrap_or(0.0);
        format!(
            "{} of {} networks ({percent:.0}%), {rate:.2e} networks/s",
            self.done, self.all
        )
    }

    fn rate(&self, now: Instant) -> Option<f64> {
        let seconds = (now - self.begin).as_secs_f64();
        let rate = (self.done - self.before) as f64 / seconds;
        (seconds > 0.0 && rate > 0.0).then_some(rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_now_and_then_with_rate_and_remaining_time() {
        let begin = Instant::now();
        let after = |seconds: f64| begin + Duration::from_secs_f64(seconds);
        let mut lines = Lines::new(10_000, 2000, begin);
        assert_eq!(lines.add(1000, after(5.0)), None);
        assert_eq!(lines.last_line(after(6.0)), None);
        assert_eq!(
            lines.add(1000, after(20.0)).unwrap(),
            "4000 of 10000 networks (40%), 1.00e2 networks/s, 60 seconds left"
        );
        assert_eq!(lines.add(1000, after(39.0)), None);
        assert!(lines.add(1000, after(41.0)).is_some());
        // The end is said once, by the last line.
        assert_eq!(lines.add(4000, after(80.0)), None);
        assert_eq!(
            lines.last_line(after(80.0)).unwrap(),
            "10000 of 10000 networks (100%), 1.00e2 networks/s in 80 seconds"
        );
    }
}
