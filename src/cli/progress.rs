//! Progress is shown on stderr: a bar on a terminal, a line now and then elsewhere.

use std::fmt::Write;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::shell::is_quiet;

/// The time between lines. Runs shorter than that have none.
const INTERVAL: Duration = Duration::from_secs(20);

/// A bar shows how far the networks of a run have come, with rate and remaining time.
pub struct Bar {
    bar: ProgressBar,
    /// Lines in place of the bar, where stderr is no terminal.
    lines: Option<Mutex<Lines>>,
}

impl Bar {
    /// Makes a bar over `networks` networks, of which `done` are there already.
    pub fn new(networks: u64, done: u64) -> Self {
        let target = target();
        let bar = ProgressBar::with_draw_target(Some(networks), target).with_position(done);
        bar.set_style(
            ProgressStyle::with_template(
                "{wide_bar} {human_pos} of {human_len}, {rate} networks/s, {eta} left",
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

    /// Returns the bar on the screen.
    pub fn bar(&self) -> &ProgressBar {
        &self.bar
    }

    /// Adds so many networks to those that are there.
    pub fn inc(&self, networks: u64) {
        self.bar.inc(networks);
        if let Some(lines) = &self.lines {
            let mut lines = lines.lock().unwrap_or_else(|e| e.into_inner());
            if let Some(line) = lines.add(networks, Instant::now()) {
                note!("{line}");
            }
        }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
        if let Some(lines) = &self.lines {
            let lines = lines.lock().unwrap_or_else(|e| e.into_inner());
            if let Some(line) = lines.last_line(Instant::now()) {
                note!("{line}");
            }
        }
    }
}

/// Returns where bars are drawn: nowhere if the user wants no progress.
pub fn target() -> ProgressDrawTarget {
    match is_quiet() {
        true => ProgressDrawTarget::hidden(),
        false => ProgressDrawTarget::stderr_with_hz(10),
    }
}

/// `Lines` keeps what is said, and when.
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

    /// Returns the line that ends the run, if there was a line before it.
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
