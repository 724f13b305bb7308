//! What is printed after an environment was created: a summary, how to activate it, and packages that it no longer
//! uses.

use std::path::Path;
use std::time::Instant;

use crate::installed::distributions;
use crate::interpreter::Interpreter;
use crate::repr::shell_word;
use crate::sys::env::Env;
use crate::sys::fs::parent_program;
use crate::terminal::log::{Log, print};
use crate::venv::activation::current_shell::{CurrentShell, activation_command};
use crate::venv::context::Context;

/// The last line of `-v`.
pub(crate) fn created(context: &Context, interpreter: &Interpreter, started: Instant, log: Log) {
    log.say(|| {
        format!(
            "created {} in {:.2} ms: {} {}, {}",
            context.env_dir,
            started.elapsed().as_secs_f64() * 1000.0,
            interpreter.implementation,
            interpreter.version_string(),
            pip_version(context).map_or("no pip".into(), |version| format!("pip {version}")),
        )
    });
}

/// The version of pip in an environment.
pub(crate) fn pip_version(context: &Context) -> Option<String> {
    let pip = distributions::find(Path::new(&context.lib_path), "pip")?;
    Some(pip.version_text)
}

/// Prints the command that activates the environment in the current shell.
pub(crate) fn how_to_activate(context: &Context, environment: &Env) {
    let variable = |name: &str| Some(environment.var(name)?.to_string_lossy().into_owned());
    if let Some(shell) = CurrentShell::detect(parent_program().as_deref(), variable) {
        let command = activation_command(shell, &context.bin_path);
        print(&format!("activate it with: {command}"));
    }
}

/// Warns about packages that were installed for another minor version, which this Python does not use.
pub(crate) fn warn_of_unused_packages(context: &Context, interpreter: &Interpreter, log: Log) {
    for (folder, names) in distributions::of_other_versions(Path::new(&context.lib_path)) {
        let scripts = distributions::scripts_of(&folder, &names);
        let scripts = if scripts.is_empty() {
            String::new()
        } else {
            format!(" (scripts that do not work: {})", scripts.join(" "))
        };
        let names = names.join(" ");
        log.warn(&format!(
            "Python {}.{} does not use the packages in {}: {names}{scripts}\n  hint: reinstall them with `{} -m pip install {names}`",
            interpreter.version[0],
            interpreter.version[1],
            folder.display(),
            shell_word(&context.env_exe),
        ));
    }
}
