//! Runs the `-m venv` of implementations other than CPython and PyPy.

use crate::error::Error;
use crate::interpreter::Interpreter;
use crate::options::{Links, OnExisting, Options};
use crate::sys::process;
use crate::sys::signal::Interrupt;
use crate::venv::context::Context;
use crate::venv::flags::flags;

/// Runs the base's own venv. If `is_cleared`, `ENV_DIR` was cleared already. The caller removes what is left after a
/// failure.
///
/// # Errors
///
/// [`Error::Command`] with its output.
pub(crate) fn create(
    context: &Context,
    interpreter: &Interpreter,
    options: &Options,
    is_cleared: bool,
    interrupt: &Interrupt,
) -> Result<(), Error> {
    let mut command = process::python(&interpreter.executable);
    // Another implementation may have another default.
    let links = match options.links {
        Links::Symlink => "--symlinks",
        Links::Copy => "--copies",
    };
    let options = Options {
        // pip is upgraded after the environment is complete.
        upgrade_deps: false,
        on_existing: match options.on_existing {
            OnExisting::Clear if is_cleared => OnExisting::Keep,
            other => other,
        },
        ..options.clone()
    };
    command
        .args(["-m", "venv"])
        .arg(links)
        .args(flags(interpreter, &options, str::to_owned))
        .arg("--")
        .arg(&context.env_dir);
    let output = process::run(&mut command, None, interrupt)?;
    if output.status.success() {
        return Ok(());
    }
    Err(Error::Command {
        program: process::command_line(&command),
        status: output.status.to_string(),
        output: output.text(),
    })
}
