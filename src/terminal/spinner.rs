//! A spinner on a terminal for steps that take more than half a second. Only one is drawn at a time, and it is erased before
//! anything else is printed.

use std::io::{IsTerminal as _, Write as _};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle, ThreadId};
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
            let spinner = thread::current().id();
            for frame in FRAMES.iter().cycle() {
                let text = format!("{frame} {message} ({} s)", started.elapsed().as_secs());
                Line::lock().draw(spinner, &text);
                if stopped.recv_timeout(TICK) != Err(RecvTimeoutError::Timeout) {
                    break;
                }
            }
            Line::lock().leave(spinner);
        };
        Self {
            stop: Some(stop),
            // Where there can be no more threads there is no spinner.
            thread: thread::Builder::new().spawn(spin).ok(),
        }
    }
}

/// Prints something else on stderr, with no spinner in its line; one that turns is drawn again below.
pub(crate) fn print<T>(print: impl FnOnce() -> T) -> T {
    let mut line = Line::lock();
    line.erase();
    print()
}

/// The line that the cursor is in, which all spinners of the process share: only one of them draws.
struct Line {
    spinner: Option<ThreadId>,
    width: usize,
}

static LINE: Mutex<Line> = Mutex::new(Line {
    spinner: None,
    width: 0,
});

impl Line {
    fn lock() -> MutexGuard<'static, Self> {
        LINE.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Draws, unless another spinner does.
    fn draw(&mut self, spinner: ThreadId, text: &str) {
        if *self.spinner.get_or_insert(spinner) == spinner {
            self.width = text.len();
            overwrite(text);
        }
    }

    /// Leaves the line to another spinner.
    fn leave(&mut self, spinner: ThreadId) {
        if self.spinner == Some(spinner) {
            self.erase();
            self.spinner = None;
        }
    }

    fn erase(&mut self) {
        if self.width > 0 {
            // Blanks, because not every terminal knows a sequence that erases.
            overwrite(&format!("{}\r", " ".repeat(self.width)));
            self.width = 0;
        }
    }
}

/// Overwrites the line that the cursor is in.
fn overwrite(text: &str) {
    let mut stderr = std::io::stderr().lock();
    let _ = write!(stderr, "\r{text}");
    let _ = stderr.flush();
}

impl Drop for Spinner {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // Its line must be erased before anything else is printed.
            let _ = thread.join();
        }
    }
}
