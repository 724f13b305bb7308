//! A spinner on a terminal for steps that take more than half a second. Only one is drawn at a time, and it is erased before
//! anything else is printed.

use std::io::{IsTerminal as _, Write as _};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle, ThreadId};
use std::time::{Duration, Instant};

/// A spinner is only shown for steps that take longer than this.
const DELAY: Duration = Duration::from_millis(500);
const INTERVAL: Duration = Duration::from_millis(100);
const FRAMES: [char; 4] = ['|', '/', '-', '\\'];

/// Runs until it is dropped.
#[derive(Debug)]
pub(crate) struct Spinner {
    /// Dropping it stops the thread.
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Spinner {
    /// Starts the timer. `message` is shown if the step takes long.
    pub(crate) fn start(message: &str) -> Self {
        if !std::io::stderr().is_terminal() {
            return Self {
                stop: None,
                thread: None,
            };
        }
        let (stop, stopped) = channel::<()>();
        let started = Instant::now();
        let message = capitalized(message);
        let spin = move || {
            if stopped.recv_timeout(DELAY) != Err(RecvTimeoutError::Timeout) {
                return;
            }
            let spinner = thread::current().id();
            for frame in FRAMES.iter().cycle() {
                let text = format!("{frame} {message} ({} s)", started.elapsed().as_secs());
                Line::lock().draw(spinner, &text);
                if stopped.recv_timeout(INTERVAL) != Err(RecvTimeoutError::Timeout) {
                    break;
                }
            }
            Line::lock().release(spinner);
        };
        Self {
            stop: Some(stop),
            // If no thread can be started, there is no spinner.
            thread: thread::Builder::new().spawn(spin).ok(),
        }
    }
}

/// Prints something else to stderr. The spinner is erased first and drawn again afterwards.
pub(crate) fn print<T>(print: impl FnOnce() -> T) -> T {
    let mut line = Line::lock();
    line.erase();
    print()
}

/// The current line of the terminal, which all spinners of the process share. Only one of them is drawn.
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

    /// Draws, unless another spinner is drawn.
    fn draw(&mut self, spinner: ThreadId, text: &str) {
        if *self.spinner.get_or_insert(spinner) == spinner {
            self.width = text.len();
            overwrite(text);
        }
    }

    /// Erases the line, so that another spinner can use it.
    fn release(&mut self, spinner: ThreadId) {
        if self.spinner == Some(spinner) {
            self.erase();
            self.spinner = None;
        }
    }

    fn erase(&mut self) {
        if self.width > 0 {
            // Spaces, because not every terminal supports an escape sequence for this.
            overwrite(&format!("{}\r", " ".repeat(self.width)));
            self.width = 0;
        }
    }
}

/// The name of a step with a capital letter.
fn capitalized(name: &str) -> String {
    let mut rest = name.chars();
    let first = rest.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(rest).collect()
}

/// Overwrites the current line.
fn overwrite(text: &str) {
    let mut stderr = std::io::stderr().lock();
    let _ = write!(stderr, "\r{text}");
    let _ = stderr.flush();
}

impl Drop for Spinner {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // The line must be erased before anything else is printed.
            let _ = thread.join();
        }
    }
}
