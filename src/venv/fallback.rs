//! Implementations other than CPython and PyPy: runs their own `-m venv`.

use crate::error::Error;
use crate::interpreter::Interpreter;
use crate::options::{Links, OnExisting, Options};
use crate::sys::process;
use crate::sys::signal::Interrupt;
use crate::venv::context::Context;

/// Runs the base's own venv, which need not clear `ENV_DIR` any more if that `is_cleared`. What it leaves when it fails is the
/// caller's to remove.
///
/// # Errors
///
/// [`Error::Command`] with that venv's own words.
pub(crate) fn create(
    context: &Context,
    interpreter: &Interpreter,
    options: &Options,
    is_cleared: bool,
    interrupt: &Interrupt,
) -> Result<(), Error> {
    let mut command = process::python(&interpreter.executable);
    command
        .args(["-m", "venv"])
        .args(flags(interpreter, options, is_cleared))
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

fn flags(interpreter: &Interpreter, options: &Options, is_cleared: bool) -> Vec<String> {
    let mut flags = Vec::new();
    let mut flag = |given: bool, name: &str| {
        if given {
            flags.push(name.to_owned());
        }
    };
    flag(options.system_site_packages, "--system-site-packages");
    flag(options.links == Links::Symlink, "--symlinks");
    flag(options.links == Links::Copy, "--copies");
    let clears = options.on_existing == OnExisting::Clear && !is_cleared;
    flag(clears, "--clear");
    flag(options.on_existing == OnExisting::Upgrade, "--upgrade");
    flag(!options.with_pip, "--without-pip");
    flag(
        !options.scm_ignore_files && interpreter.at_least(3, 13),
        "--without-scm-ignore-files",
    );
    if let Some(prompt) = &options.prompt {
        flags.push(format!("--prompt={prompt}"));
    }
    flags
}
