//! What the command prints: answers on stdout, errors on stderr, and the exit status that goes with them.
//!
//! Does not know what was done.

use std::io::{ErrorKind, IsTerminal as _, Write as _};
use std::process::ExitCode;

use anyhow::Context as _;
use rvenv::{Color, ERROR, Error};

/// What was asked for, on stdout; nobody may be listening any more.
pub(crate) fn print(text: &[u8]) -> anyhow::Result<ExitCode> {
    match std::io::stdout().lock().write_all(text) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(error).context("could not write to stdout")
        }
        _ => Ok(ExitCode::SUCCESS),
    }
}

/// One error with its causes, and what to do about it.
pub(crate) fn report(error: &anyhow::Error, color: Color) -> ExitCode {
    let named = error.downcast_ref::<Error>();
    if matches!(named, Some(Error::Interrupted { .. })) {
        // The signal that ends the process says it.
        return ExitCode::FAILURE;
    }
    let hint = hint(error).map(|hint| format!("\n  hint: {hint}"));
    let hint = hint.unwrap_or_default();
    let mut stderr = std::io::stderr().lock();
    let word = color.paint(stderr.is_terminal(), ERROR, "Error:");
    // A closed stderr changes nothing about the exit status.
    let _ = writeln!(stderr, "{word} {error:#}{hint}");
    ExitCode::FAILURE
}

/// What can be done about it, where that is known.
pub(crate) fn hint(error: &anyhow::Error) -> Option<String> {
    error.downcast_ref::<Error>().and_then(Error::hint)
}

/// clap's own words. Help and version go to stdout and are no failure; a closed stream is nobody's error.
pub(crate) fn usage(error: &clap::Error, color: Color) -> ExitCode {
    let text = error.render().to_string();
    match text.strip_prefix("error:") {
        Some(rest) if error.use_stderr() => {
            let mut stderr = std::io::stderr().lock();
            let word = color.paint(stderr.is_terminal(), ERROR, "error:");
            let _ = write!(stderr, "{word}{rest}");
        }
        _ => {
            let _ = error.print();
        }
    }
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}
