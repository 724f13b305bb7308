//! What is printed after an environment was created: what it is, how to activate it, which packages it no longer sees.

use std::path::Path;
use std::time::Instant;

use crate::installed::distributions;
use crate::interpreter::Interpreter;
use crate::sys::env::Env;
use crate::sys::fs::parent_program;
use crate::terminal::log::Log;
use crate::venv::activation::current_shell::{CurrentShell, activation_command};
use crate::venv::context::Context;

/// The closing line of `-v`.
pub(crate) fn made(context: &Context, interpreter: &Interpreter, started: Instant, log: Log) {
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

/// The line that activates the environment in the shell one is in.
pub(crate) fn how_to_activate(context: &Context, environment: &Env, log: Log) {
    let variable = |name: &str| Some(environment.var(name)?.to_string_lossy().into_owned());
    if let Some(shell) = CurrentShell::detect(parent_program().as_deref(), variable) {
        let command = activation_command(shell, &context.bin_path);
        log.say(|| format!("activate it with: {command}"));
    }
}

/// Warns of packages that were installed for another minor version, which this Python does not see.
pub(crate) fn what_stays_behind(context: &Context, interpreter: &Interpreter, log: Log) {
    for (folder, names) in distributions::behind(Path::new(&context.lib_path)) {
        let scripts = distributions::scripts_behind(&folder, &names);
        let scripts = if scripts.is_empty() {
            String::new()
        } else {
            format!(
                " (until then these scripts do not work: {})",
                scripts.join(" ")
            )
        };
        log.warn(&format!(
            "packages in {} are not visible to Python {}.{}{scripts}; install them again: {}",
            folder.display(),
            interpreter.version[0],
            interpreter.version[1],
            names.join(" ")
        ));
    }
}
