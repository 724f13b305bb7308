//! Messages on stderr: warnings, notes, and the steps that `--verbose` prints.

use std::io::{IsTerminal as _, Write as _};
use std::time::Instant;

use crate::options::Verbosity;
use crate::terminal::color::{Color, WARNING};
use crate::terminal::spinner;
use crate::terminal::spinner::Spinner;

/// What a person at a terminal is shown while something is done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Progress {
    /// Nothing.
    #[default]
    None,
    /// A spinner: several environments are made at once, whose pips would draw over each other.
    Spinner,
    /// A spinner, and what pip itself draws.
    Programs,
}

/// Says things on stderr, or does not.
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

    /// Says a line if `-v` was given.
    pub(crate) fn say(self, line: impl FnOnce() -> String) {
        if self.verbosity == Verbosity::Verbose {
            print(&line());
        }
    }

    /// Whether somebody reads along.
    pub(crate) fn is_for_a_person(self) -> bool {
        self.verbosity == Verbosity::Verbose && std::io::stderr().is_terminal()
    }

    /// Says a line unless `-q` was given: something went wrong that did not stop the run.
    pub(crate) fn warn(self, line: &str) {
        if self.verbosity != Verbosity::Quiet {
            let warning = format!("{WARNING}Warning:{WARNING:#} {line}\n");
            self.color.print(&warning);
        }
    }

    /// Says a line to a person at a terminal, unless `-q` was given.
    pub(crate) fn note(self, line: impl FnOnce() -> Option<String>) {
        if self.verbosity != Verbosity::Quiet
            && std::io::stderr().is_terminal()
            && let Some(line) = line()
        {
            print(&format!("Note: {line}"));
        }
    }

    /// What a person may be shown while something is done.
    pub(crate) fn progress(self) -> Progress {
        self.progress
    }

    /// Runs a step, and with `--verbose` prints how long it took.
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

    /// Runs what may take long, under a spinner if a person would otherwise see nothing.
    pub(crate) fn wait<T>(self, name: &'static str, run: impl FnOnce() -> T) -> T {
        // Whoever reads along under `-v` sees that something is done.
        let is_watched = self.progress != Progress::None && self.verbosity == Verbosity::Normal;
        let _spinner = is_watched.then(|| Spinner::start(name));
        self.step(name, run)
    }
}

fn print(line: &str) {
    // A closed stderr must not fail an environment.
    let _ = spinner::print(|| writeln!(std::io::stderr().lock(), "{line}"));
}
