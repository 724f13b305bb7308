//! Signal handling: handlers only set a number, which is polled.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::Error;
use crate::sys::fs;

/// Whether a signal came, shared between threads.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<State>);

#[derive(Debug, Default)]
struct State {
    /// The number of the signal that came last; 0 if none did.
    signal: Arc<AtomicUsize>,
}

impl Interrupt {
    /// Listens to the signals that end a program politely, except those that the parent wants ignored.
    ///
    /// # Errors
    ///
    /// The operating system's, where handlers cannot be installed.
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
            // SIGPIPE stays ignored, as in CPython: a reader that closes the pipe does not undo an environment.
            // Handled, it leaves the write that passes the limit an error like any other.
            signal_hook::flag::register(SIGXFSZ, Arc::default())?;
        }
        Ok(interrupt)
    }

    /// As if `signal` had arrived.
    #[cfg(test)]
    #[cfg(unix)]
    pub(crate) fn raised(signal: usize) -> Self {
        let interrupt = Self::default();
        interrupt.0.signal.store(signal, Ordering::Relaxed);
        interrupt
    }

    /// The signal that came, if any.
    pub fn signal(&self) -> Option<i32> {
        let number = i32::try_from(self.0.signal.load(Ordering::Relaxed)).ok();
        number.filter(|&signal| signal != 0)
    }

    /// An error if a signal came: called between steps and between files.
    pub(crate) fn check(&self) -> Result<(), Error> {
        self.signal()
            .map_or(Ok(()), |signal| Err(Error::Interrupted { signal }))
    }

    /// Ends this process by the signal that arrived, as if it had not been caught.
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

/// The signals that the parent wants ignored, as `nohup` does with SIGHUP and a shell with the SIGINT of background jobs: a
/// bit for each. Only Linux tells without `unsafe`.
fn ignored_signals() -> u64 {
    let ignored = fs::status_field("SigIgn:");
    ignored
        .and_then(|bits| u64::from_str_radix(&bits, 16).ok())
        .unwrap_or(0)
}
