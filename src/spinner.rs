//! A spinner on stderr for what takes longer than half a second, on a terminal only; gone without a trace when done.
//!
//! Does not know what is waited for.

use std::io::{IsTerminal as _, Write as _};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// What is done sooner than this needs no sign of life.
const PATIENCE: Duration = Duration::from_millis(500);
const TICK: Duration = Duration::from_millis(100);
const FRAMES: [char; 4] = ['|', '/', '-', '\\'];

/// Spins until it is dropped.
#[derive(Debug)]
pub(crate) struct Spinner {
    /// Dropping it tells the thread to stop.
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Spinner {
    /// Starts to wait; shows `message` if it takes long.
    pub(crate) fn start(message: &'static str) -> Self {
        if !std::io::stderr().is_terminal() {
            return Self {
                stop: None,
                thread: None,
            };
        }
        let (stop, stopped) = channel::<()>();
        let started = Instant::now();
        let spin = move || {
            if stopped.recv_timeout(PATIENCE) != Err(RecvTimeoutError::Timeout) {
                return;
            }
            let mut width = 0;
            for frame in FRAMES.iter().cycle() {
                let line = format!("{frame} {message} ({} s)", started.elapsed().as_secs());
                width = line.len();
                draw(&line);
                if stopped.recv_timeout(TICK) != Err(RecvTimeoutError::Timeout) {
                    break;
                }
            }
            // Blanks, because not every terminal knows a sequence that erases.
            draw(&" ".repeat(width));
            draw("");
        };
        Self {
            stop: Some(stop),
            // Where there can be no more threads there is no spinner.
            thread: thread::Builder::new().spawn(spin).ok(),
        }
    }
}

/// Overwrites the line that the cursor is in.
fn draw(line: &str) {
    let mut stderr = std::io::stderr().lock();
    let _ = write!(stderr, "\r{line}");
    let _ = stderr.flush();
}

impl Drop for Spinner {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // Its line must be gone before anything else is printed.
            let _ = thread.join();
        }
    }
}
