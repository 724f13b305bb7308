//! What `-v` says on stderr: which Python, which files, how long each step took.
//!
//! Knows when to be silent, which is almost always.

use std::io::{IsTerminal as _, Write as _};
use std::time::Instant;

/// Says things on stderr, or does not.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Log {
    verbose: bool,
}

impl Log {
    pub(crate) fn new(verbose: bool) -> Self {
        Self { verbose }
    }

    /// Says a line if `-v` was given.
    pub(crate) fn say(self, line: impl FnOnce() -> String) {
        if self.verbose {
            print(&line());
        }
    }

    /// Whether somebody reads along.
    pub(crate) fn is_for_a_person(self) -> bool {
        self.verbose && std::io::stderr().is_terminal()
    }

    /// Says a line in any case: something went wrong that did not stop the run.
    pub(crate) fn warn(line: &str) {
        print(&format!("Warning: {line}"));
    }

    /// Runs a step and says how long it took.
    pub(crate) fn step<T>(self, name: &str, run: impl FnOnce() -> T) -> T {
        if !self.verbose {
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
}

fn print(line: &str) {
    // A closed stderr must not fail an environment.
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}
