//! Signal handling: handlers only store a number, which is polled.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::Error;
use crate::sys::fs;

/// Whether a signal has arrived, shared between threads.
///
/// ```no_run
/// use rvenv::{EnvBuilder, Interrupt, Options};
///
/// let interrupt = Interrupt::listen()?;
/// let mut builder = EnvBuilder::new(&Options::new());
/// builder.interrupt(interrupt.clone());
/// if let Err(error) = builder.create(".venv") {
///     eprintln!("{error}");
///     // After Ctrl-C nothing is left of the environment, and the shell sees the signal.
///     interrupt.die();
/// }
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<State>);

#[derive(Debug, Default)]
struct State {
    /// The number of the last signal; 0 if there was none.
    signal: Arc<AtomicUsize>,
}

impl Interrupt {
    /// Installs handlers for the signals that ask a program to end, except for signals that the parent ignores.
    ///
    /// # Errors
    ///
    /// The operating system's error if a handler cannot be installed.
    pub fn listen() -> io::Result<Self> {
        let interrupt = Self::default();
        let ignored = ignored_signals();
        for signal in signals() {
            if ignored & (1 << (signal - 1)) == 0 {
                let number = usize::try_from(signal).unwrap_or(0);
                signal_hook::flag::register_usize(signal, Arc::clone(&interrupt.0.signal), number)?;
            }
        }
        #[cfg(unix)]
        {
            use signal_hook::consts::SIGXFSZ;
            // SIGPIPE stays ignored, as in CPython: closing the pipe does not undo an environment. With a handler for
            // SIGXFSZ, a write over the limit fails with an error.
            signal_hook::flag::register(SIGXFSZ, Arc::default())?;
        }
        Ok(interrupt)
    }

    /// Simulates a signal.
    #[cfg(test)]
    #[cfg(unix)]
    pub(crate) fn raised(signal: usize) -> Self {
        let interrupt = Self::default();
        interrupt.0.signal.store(signal, Ordering::Relaxed);
        interrupt
    }

    /// The signal that arrived, if any.
    pub fn signal(&self) -> Option<i32> {
        let number = i32::try_from(self.0.signal.load(Ordering::Relaxed)).ok();
        number.filter(|&signal| signal != 0)
    }

    /// Returns an error if a signal has arrived. Called between steps and between files.
    pub(crate) fn check(&self) -> Result<(), Error> {
        self.signal()
            .map_or(Ok(()), |signal| Err(Error::Interrupted { signal }))
    }

    /// Ends this process with the signal that arrived, as if it had not been handled.
    pub fn die(&self) {
        if let Some(signal) = self.signal() {
            // If the default action is not to terminate, the caller's exit status is used.
            let _ = signal_hook::low_level::emulate_default_handler(signal);
        }
    }
}

#[cfg(unix)]
fn signals() -> [i32; 3] {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    [SIGINT, SIGTERM, SIGHUP]
}

#[cfg(windows)]
fn signals() -> [i32; 2] {
    use signal_hook::consts::{SIGINT, SIGTERM};
    [SIGINT, SIGTERM]
}

/// The signals that the parent ignores, as `nohup` does with SIGHUP and a shell with SIGINT for background jobs, one
/// bit for each. They can only be read without `unsafe` on Linux.
fn ignored_signals() -> u64 {
    let ignored = fs::status_field("SigIgn:");
    ignored
        .and_then(|bits| u64::from_str_radix(&bits, 16).ok())
        .unwrap_or(0)
}
