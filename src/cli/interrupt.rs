//! Ctrl-C and SIGTERM end every command soon, with one sentence, and leave no half-written file.
//!
//! The first signal asks the command to stop. Whatever does not look at the request is left where it
//! is after a second; a second signal does not wait for that.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard};
use std::time::Duration;

use anyhow::Context;
use nnqft_gpu::run::watch;
use nnqft_gpu::state::Replacement;
use nnqft_gpu::{Error, Result};
use signal_hook::consts::{SIGINT, SIGTERM};

use super::shell::say;

/// Signals are looked for this often.
const LOOK: Duration = Duration::from_millis(20);
/// The last sentence may take this long: a reader of stderr may have stopped to read.
const LAST_WORD: Duration = Duration::from_millis(200);

static SIGNALS: LazyLock<Signals> = LazyLock::new(|| Signals {
    stop: Arc::default(),
    lost: Mutex::new("nothing was done".into()),
    cleanup: Mutex::default(),
});

/// `Signals` is what signals do to the program.
struct Signals {
    /// Whether the command was asked to stop.
    stop: Arc<AtomicBool>,
    /// What an interruption would cost at this point of the command.
    lost: Mutex<String>,
    /// What is left to do when the program ends without running destructors.
    cleanup: Mutex<Vec<Box<dyn FnOnce() + Send>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|e| e.into_inner())
}

/// Listens to signals from now on.
pub fn listen() -> anyhow::Result<()> {
    let raised = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, raised.clone()).context("listening to signals")?;
    }
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(LOOK);
            // A signal that comes again ends the program wherever it is.
            if raised.swap(false, Ordering::Relaxed) && stop().swap(true, Ordering::Relaxed) {
                end_now(&interruption().to_string());
            }
        }
    });
    Ok(())
}

/// Returns what is set when the command is to stop.
pub fn stop() -> &'static Arc<AtomicBool> {
    &SIGNALS.stop
}

/// Says what an interruption would cost from here on.
pub fn would_cost(lost: impl Into<String>) {
    *lock(&SIGNALS.lost) = lost.into();
}

/// Makes the error of an interruption at this point.
fn interruption() -> Error {
    Error::Interrupted(lock(&SIGNALS.lost).clone())
}

/// Fails if the command is to stop.
pub fn check() -> Result<()> {
    match stop().load(Ordering::Relaxed) {
        true => Err(interruption()),
        false => Ok(()),
    }
}

/// Does `work`, which ends soon after a signal: by itself, or by the end of the program.
pub fn guard<T>(work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
    check()?;
    let done = watch(stop(), || end_now(&interruption().to_string()), work);
    match &done {
        // Measurements know that they are lost, but not what is not.
        Err(e)
            if e.downcast_ref()
                .is_some_and(|e| matches!(e, Error::Interrupted(_))) =>
        {
            Err(interruption().into())
        }
        Err(_) => done,
        Ok(_) => check().map_err(Into::into).and(done),
    }
}

/// Has `cleanup` done should the program end without running destructors.
pub fn on_end(cleanup: impl FnOnce() + Send + 'static) {
    lock(&SIGNALS.cleanup).push(Box::new(cleanup));
}

/// Ends the program as interrupted programs end, after one sentence.
pub fn end_now(sentence: &str) -> ! {
    // Held until the end: of two threads that end the program one speaks.
    let cleanup = std::mem::take(&mut *lock(&SIGNALS.cleanup));
    let _ending = lock(&SIGNALS.cleanup);
    let (tell, told) = channel();
    let sentence = sentence.to_string();
    std::thread::spawn(move || {
        cleanup.into_iter().for_each(|last| last());
        say(sentence);
        let _ = tell.send(());
    });
    let _ = told.recv_timeout(LAST_WORD);
    Replacement::discard_all();
    // A driver may still be compiling on a thread of its own: not a moment to run destructors.
    signal_hook::low_level::exit(130)
}
