//! Implementations that rvenv does not know: their own `-m venv` makes the environment, right if not fast.
//!
//! Translates options back into venv's flags. Knows nothing of what that venv does.

use std::path::Path;
use std::process::Command;

use crate::context::Context;
use crate::error::Error;
use crate::fs::remove_tree;
use crate::interpreter::Interpreter;
use crate::interrupt::Interrupt;
use crate::options::{Links, OnExisting, Options};
use crate::process;

/// Runs the base's own venv. What it leaves of a new environment when it fails is removed.
///
/// # Errors
///
/// [`Error::Command`] with that venv's own words.
pub(crate) fn create(
    context: &Context,
    interpreter: &Interpreter,
    options: &Options,
    interrupt: &Interrupt,
) -> Result<(), Error> {
    let env_dir = Path::new(&context.env_dir);
    let is_new = fs_err::symlink_metadata(env_dir).is_err();
    let mut command = Command::new(&interpreter.executable);
    command
        .args(["-m", "venv"])
        .args(flags(interpreter, options))
        .arg("--")
        .arg(env_dir);
    let output = process::run(&mut command, None, interrupt);
    match output {
        Ok(output) if output.status.success() => Ok(()),
        failed => {
            if is_new {
                // What it could not remove is named by its own error already.
                let _ = remove_tree(env_dir);
            }
            let output = failed?;
            Err(Error::Command {
                program: process::command_line(&command),
                status: output.status.to_string(),
                output: output.text(),
            })
        }
    }
}

fn flags(interpreter: &Interpreter, options: &Options) -> Vec<String> {
    let mut flags = Vec::new();
    let mut flag = |given: bool, name: &str| {
        if given {
            flags.push(name.to_owned());
        }
    };
    flag(options.system_site_packages, "--system-site-packages");
    flag(options.links == Links::Symlink, "--symlinks");
    flag(options.links == Links::Copy, "--copies");
    flag(options.on_existing == OnExisting::Clear, "--clear");
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
