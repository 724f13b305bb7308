//! The environment's own pip, asked to install: newer versions of itself (`upgrade_dependencies`), and requirements.
//!
//! Knows how pip is started; what pip does there is pip's business.

use std::ffi::{OsStr, OsString};
use std::io::{self, IsTerminal as _};
use std::process::{Command, Stdio};

use crate::context::Context;
use crate::error::Error;
use crate::interpreter::Interpreter;
use crate::interrupt::Interrupt;
use crate::log::Log;
use crate::options::Options;
use crate::process;

/// Runs `pip install --upgrade` in a finished environment (`venv/__init__.py`, `upgrade_dependencies`).
///
/// On a terminal pip's progress is shown as it comes; elsewhere it is silent unless it fails.
///
/// # Errors
///
/// [`Error::Command`] with pip's own words.
pub(crate) fn upgrade_dependencies(
    context: &Context,
    interpreter: &Interpreter,
    options: &Options,
    interrupt: &Interrupt,
    log: Log,
) -> Result<(), Error> {
    let mut command = Command::new(&context.env_exe);
    command.args(["-m", "pip", "install", "--upgrade"]);
    command.args(limits(options)).arg("pip");
    // gh-95299: setuptools is no core dependency since 3.12.
    if !interpreter.at_least(3, 12) {
        command.arg("setuptools");
    }
    // gh-98251: from 3.10 on pip runs in the environment's directory, without what would lead it elsewhere.
    if interpreter.at_least(3, 10) {
        command
            .current_dir(&context.env_dir)
            .env("VIRTUAL_ENV", &context.env_dir);
        command.env_remove("PYTHONHOME").env_remove("PYTHONPATH");
    }
    log.wait("upgrading pip", || {
        run(&mut command, context, interrupt, log)
    })
}

/// Runs `pip install` with the requirements that were asked for, in the caller's own directory, since what a requirements
/// file says is relative to it.
///
/// # Errors
///
/// [`Error::Command`] with pip's own words.
pub(crate) fn install_requirements(
    context: &Context,
    options: &Options,
    interrupt: &Interrupt,
    log: Log,
) -> Result<(), Error> {
    let mut command = Command::new(&context.env_exe);
    // -I: a file named like a module of pip's in the current directory is not meant, nor are packages on PYTHONPATH.
    command.args(["-I", "-m", "pip", "install", "--disable-pip-version-check"]);
    command.args(limits(options));
    for file in &options.requirements {
        command.arg("-r").arg(file);
    }
    if !options.packages.is_empty() {
        command.arg("--").args(&options.packages);
    }
    command.env("VIRTUAL_ENV", &context.env_dir);
    command.env_remove("PYTHONHOME").env_remove("PYTHONPATH");
    log.wait("installing requirements", || {
        run(&mut command, context, interrupt, log)
    })
}

/// What is said of everything that pip installs.
fn limits(options: &Options) -> impl Iterator<Item = &OsStr> {
    let files = options.constraints.iter();
    let files = files.flat_map(|file| [OsStr::new("-c"), file]);
    let others = options.pip_options.iter().map(OsString::as_os_str);
    files.chain(others)
}

fn run(
    command: &mut Command,
    context: &Context,
    interrupt: &Interrupt,
    log: Log,
) -> Result<(), Error> {
    let program = process::command_line(command);
    let (status, output) = if log.shows_progress() && io::stdout().is_terminal() {
        // pip may have to ask for a password, so it stays in the terminal's own process group.
        let mut child = command
            .stdout(Stdio::inherit())
            .spawn()
            .map_err(Error::io("start", context.env_exe.as_ref()))?;
        (
            process::wait(&mut child, None, interrupt, &program)?,
            String::new(),
        )
    } else {
        let output = process::run(command, None, interrupt)?;
        (output.status, output.text())
    };
    if status.success() {
        return Ok(());
    }
    Err(Error::Command {
        program,
        status: status.to_string(),
        output,
    })
}
