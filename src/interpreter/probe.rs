//! Queries a Python for the facts about it: starts it once with `-I -S` and reads a line of JSON.

use std::ffi::OsStr;
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;

use super::Interpreter;
use crate::error::Error;
use crate::sys::process;
use crate::sys::process::Output;
use crate::sys::signal::Interrupt;

const PROGRAM: &str = include_str!("probe.py");
const MARKER: &str = "rvenv-facts ";
/// How long a Python may take to answer.
const LIMIT: Duration = Duration::from_secs(15);

#[derive(Deserialize)]
#[serde(untagged)]
enum Answer {
    TooOld { too_old: String },
    Facts(Box<Interpreter>),
}

/// Starts `executable` under this name and returns the facts about it.
///
/// # Errors
///
/// [`Error::UnusablePython`] for a Python older than 3.6 and for everything that is not a Python; [`Error::Io`] if no
/// process can be started.
pub(crate) fn ask(
    executable: &Path,
    utf8_mode: Option<&OsStr>,
    interrupt: &Interrupt,
) -> Result<Interpreter, Error> {
    // -I ignores the variable that, with the locale, determines the file system encoding (PEP 540).
    let utf8_mode = match utf8_mode.and_then(OsStr::to_str) {
        Some("0") => &["-X", "utf8=0"][..],
        Some("1") => &["-X", "utf8=1"],
        _ => &[],
    };
    let isolated = run(executable, &[&["-I", "-S"], utf8_mode].concat(), interrupt)?;
    let output = if answer(&isolated).is_some() {
        isolated
    } else {
        // Python 2 does not support -I, and a relocated Python may need PYTHONHOME, which -I ignores.
        let output = run(executable, &["-S"], interrupt)?;
        if answer(&output).is_some() {
            output
        } else {
            isolated
        }
    };
    match answer(&output) {
        Some(Answer::Facts(facts)) => Ok(*facts),
        Some(Answer::TooOld { too_old }) => Err(unusable(
            executable,
            format!("Python {too_old} is not supported (3.6 or later is needed)"),
        )),
        None => Err(unusable(executable, failure_message(&output))),
    }
}

fn run(executable: &Path, flags: &[&str], interrupt: &Interrupt) -> Result<Output, Error> {
    let mut command = process::python(executable);
    command.args(flags).arg("-c").arg(PROGRAM);
    process::run(&mut command, Some(LIMIT), interrupt).map_err(|error| match error {
        // No other Python could be started either.
        error if error.is_limit() => error,
        Error::Io { source, .. } => unusable(executable, source.to_string()),
        Error::Command { status, .. } => unusable(executable, status),
        other => other,
    })
}

fn answer(output: &Output) -> Option<Answer> {
    if !output.status.success() {
        return None;
    }
    let stdout = std::str::from_utf8(&output.stdout).ok()?;
    let json = stdout.lines().find_map(|line| line.strip_prefix(MARKER))?;
    serde_json::from_str(json).ok()
}

fn failure_message(output: &Output) -> String {
    let text = output.text();
    match text.lines().map(str::trim).rfind(|line| !line.is_empty()) {
        Some(line) if !output.status.success() => {
            format!(
                "it exited with {} (output: {})",
                output.status,
                shortened(line)
            )
        }
        Some(line) => format!("not a Python interpreter (output: {})", shortened(line)),
        None if output.status.success() => "not a Python interpreter".into(),
        None => format!("it exited with {}", output.status),
    }
}

fn shortened(line: &str) -> String {
    const LONGEST: usize = 200;
    line.chars()
        .filter(|character| !character.is_control())
        .take(LONGEST)
        .collect()
}

fn unusable(executable: &Path, reason: String) -> Error {
    Error::UnusablePython {
        path: executable.into(),
        reason,
    }
}
