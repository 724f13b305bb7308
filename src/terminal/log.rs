//! Messages on stderr: warnings, notes, and the steps that `--verbose` prints.

use std::io::{IsTerminal as _, Write as _};
use std::time::Instant;

use crate::options::Verbosity;
use crate::terminal::color::{Color, WARNING};
use crate::terminal::spinner;
use crate::terminal::spinner::Spinner;

/// The progress shown on a terminal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Progress {
    /// Nothing.
    #[default]
    None,
    /// A spinner. Several environments are created in parallel, so pip's own progress would be mixed up.
    Spinner,
    /// A spinner, and pip's own progress.
    Programs,
}

/// Prints messages to stderr, depending on the verbosity.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Log {
    verbosity: Verbosity,
    color: Color,
    progress: Progress,
}

impl Log {
    pub(crate) fn new(verbosity: Verbosity, color: Color, progress: Progress) -> Self {
        Self {
            verbosity,
            color,
            progress,
        }
    }

    /// Prints a line with `-v`.
    pub(crate) fn say(self, line: impl FnOnce() -> String) {
        if self.verbosity == Verbosity::Verbose {
            print(&line());
        }
    }

    /// Whether `-v` is printed to a terminal.
    pub(crate) fn is_verbose_terminal(self) -> bool {
        self.verbosity == Verbosity::Verbose && std::io::stderr().is_terminal()
    }

    /// Whether progress is shown on a terminal.
    pub(crate) fn shows_progress_on_terminal(self) -> bool {
        self.shows_progress() && std::io::stderr().is_terminal()
    }

    /// With `-v` the printed steps show the progress.
    fn shows_progress(self) -> bool {
        self.progress != Progress::None && self.verbosity == Verbosity::Normal
    }

    /// Prints a warning unless `-q` was given.
    pub(crate) fn warn(self, line: &str) {
        if self.verbosity != Verbosity::Quiet {
            let warning = format!("{WARNING}Warning:{WARNING:#} {line}\n");
            self.color.print(&warning);
        }
    }

    /// Prints a note on a terminal unless `-q` was given.
    pub(crate) fn note(self, line: impl FnOnce() -> Option<String>) {
        if self.verbosity != Verbosity::Quiet
            && std::io::stderr().is_terminal()
            && let Some(line) = line()
        {
            print(&format!("Note: {line}"));
        }
    }

    /// The progress that may be shown.
    pub(crate) fn progress(self) -> Progress {
        self.progress
    }

    /// Runs a step. With `--verbose` it prints how long that took.
    pub(crate) fn step<T>(self, name: &str, run: impl FnOnce() -> T) -> T {
        if self.verbosity != Verbosity::Verbose {
            return run();
        }
        let started = Instant::now();
        let result = run();
        print(&format!(
            "{name}: {:.2} ms",
            started.elapsed().as_secs_f64() * 1000.0
        ));
        result
    }

    /// Runs a step that may take long, with a spinner if nothing else would be shown.
    pub(crate) fn wait<T>(self, name: &str, run: impl FnOnce() -> T) -> T {
        let _spinner = self.shows_progress().then(|| Spinner::start(name));
        self.step(name, run)
    }
}

/// Prints a line to stderr, whatever the verbosity.
pub(crate) fn print(line: &str) {
    // A closed stderr is not an error.
    let _ = spinner::print(|| writeln!(std::io::stderr().lock(), "{line}"));
}
