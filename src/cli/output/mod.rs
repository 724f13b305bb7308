//! Prints results to stdout and errors to stderr.

pub(crate) mod json;
mod retry;

use std::io::{ErrorKind, Write as _};
use std::process::ExitCode;

use anyhow::Context as _;

use crate::error::Error;
use crate::terminal::color::{Color, ERROR};

/// Prints to stdout. A closed pipe is not an error.
pub(crate) fn print(text: &[u8]) -> anyhow::Result<ExitCode> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(error).context("could not write to stdout")
        }
        _ => Ok(ExitCode::SUCCESS),
    }
}

/// Prints an error with its causes, and a hint if there is one.
pub(crate) fn report(error: &anyhow::Error, color: Color) -> ExitCode {
    let named = error.downcast_ref::<Error>();
    if matches!(named, Some(Error::Interrupted { .. })) {
        // The signal ends the process.
        return ExitCode::FAILURE;
    }
    let hint = named.and_then(Error::hint);
    let command = named.and_then(|error| retry::command(error.options()));
    let hint = match (hint, command) {
        (Some(hint), Some(command)) => format!("\n  hint: {hint}: `{command}`"),
        (Some(hint), None) => format!("\n  hint: {hint}"),
        (None, _) => String::new(),
    };
    color.print(&format!("{ERROR}Error:{ERROR:#} {error:#}{hint}\n"));
    ExitCode::FAILURE
}

/// Prints clap's message. Help and version go to stdout and are not failures, unless they cannot be written.
pub(crate) fn usage(error: &clap::Error, color: Color) -> ExitCode {
    let text = error.render().to_string();
    if !error.use_stderr() {
        return print(text.as_bytes()).unwrap_or_else(|error| report(&error, color));
    }
    let text = match text.strip_prefix("error:") {
        Some(rest) => format!("{ERROR}error:{ERROR:#}{rest}"),
        None => text,
    };
    color.print(&text);
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}
