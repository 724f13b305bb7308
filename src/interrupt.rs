//! Whether a signal has asked the run to end.
//!
//! Only sets and reads a number; undoing is `stage`'s business, dying of the signal is `main`'s.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::Error;

/// The number of the first signal that came, shared between threads.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<AtomicUsize>);

impl Interrupt {
    /// Listens to the signals that end a program politely, except those that the parent wants ignored.
    ///
    /// # Errors
    ///
    /// The operating system's, where handlers cannot be installed.
    pub fn listen() -> io::Result<Self> {
        let interrupt = Self::default();
        for signal in signals() {
            signal_hook::flag::register_usize(
                signal,
                Arc::clone(&interrupt.0),
                usize::try_from(signal).unwrap_or(0),
            )?;
        }
        Ok(interrupt)
    }

    /// As if `signal` had come.
    #[cfg(test)]
    pub(crate) fn raised(signal: usize) -> Self {
        Self(Arc::new(AtomicUsize::new(signal)))
    }

    /// The signal that came, if any.
    pub fn signal(&self) -> Option<i32> {
        i32::try_from(self.0.load(Ordering::Relaxed))
            .ok()
            .filter(|&signal| signal != 0)
    }

    /// An error if a signal came: called between steps and between files.
    pub(crate) fn check(&self) -> Result<(), Error> {
        self.signal()
            .map_or(Ok(()), |signal| Err(Error::Interrupted { signal }))
    }

    /// Lets the signal that came end this process as if it had never been caught.
    pub fn die(&self) {
        if let Some(signal) = self.signal() {
            // Where the default is not to die, the caller's exit code says the rest.
            let _ = signal_hook::low_level::emulate_default_handler(signal);
        }
    }
}

#[cfg(unix)]
fn signals() -> Vec<i32> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGPIPE, SIGTERM};
    vec![SIGINT, SIGTERM, SIGHUP, SIGPIPE]
}

#[cfg(windows)]
fn signals() -> Vec<i32> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    vec![SIGINT, SIGTERM]
}
