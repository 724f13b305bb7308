//! Prints results to stdout and errors to stderr.

pub(crate) mod json;

use std::io::{ErrorKind, Write as _};
use std::process::ExitCode;

use anyhow::Context as _;

use crate::error::Error;
use crate::terminal::color::{Color, ERROR};

/// Prints to stdout, where the reader may have closed the pipe.
pub(crate) fn print(text: &[u8]) -> anyhow::Result<ExitCode> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text).and_then(|()| stdout.flush()) {
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
        // The process will be ended by the signal.
        return ExitCode::FAILURE;
    }
    let hint = named.and_then(Error::hint);
    let hint = hint.map(|hint| format!("\n  hint: {hint}"));
    let hint = hint.unwrap_or_default();
    color.print(&format!("{ERROR}Error:{ERROR:#} {error:#}{hint}\n"));
    ExitCode::FAILURE
}

/// clap's own words. Help and version go to stdout and are no failure, unless they cannot be written.
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
