use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

/// Calls `save` every `interval` on a thread of its own while `run` runs: no engine waits for
/// a disk. Time is that of a clock that never goes back.
pub fn keep<R>(interval: Duration, save: impl Fn() + Sync, run: impl FnOnce() -> R) -> R {
    std::thread::scope(|scope| {
        // Hung up when `run` returns or panics.
        let (running, ended) = channel::<()>();
        let save = &save;
        scope.spawn(move || {
            while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(interval) {
                save();
            }
        });
        let result = run();
        drop(running);
        result
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Instant;

    use super::*;

    #[test]
    fn saves_while_it_runs_and_not_after() {
        let saves = AtomicU32::new(0);
        let count = || _ = saves.fetch_add(1, Ordering::Relaxed);
        let start = Instant::now();
        let result = keep(Duration::from_millis(2), count, || {
            while saves.load(Ordering::Relaxed) < 3 && start.elapsed().as_secs() < 60 {
                std::thread::sleep(Duration::from_millis(1));
            }
            7
        });
        assert_eq!(result, 7);
        let seen = saves.load(Ordering::Relaxed);
        assert!(seen >= 3);
        std::thread::sleep(Duration::from_millis(20));
        assert_eq!(saves.load(Ordering::Relaxed), seen);
    }

    #[test]
    fn a_long_interval_does_not_hold_up_the_end() {
        let start = Instant::now();
        keep(Duration::from_secs(1000), || {}, || ());
        assert!(start.elapsed().as_secs() < 100);
    }

    #[test]
    #[should_panic(expected = "the run's own")]
    fn a_panic_of_the_run_ends_the_thread() {
        keep(Duration::from_secs(1000), || {}, || panic!("the run's own"));
    }
}
