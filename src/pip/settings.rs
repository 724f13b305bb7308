//! Removes settings from pip's variables and configuration files that would make it install to another place, for
//! another Python, or nothing at all.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use serde::Deserialize;

use crate::error::Error;
use crate::sys::env::Env;
use crate::sys::process;
use crate::sys::signal::Interrupt;
use crate::terminal::log::Log;
use crate::venv::context::Context;

const PROGRAM: &str = include_str!("settings.py");

/// Options of `pip install` that determine where, whether or for which Python it installs, including those of old
/// versions.
const IGNORED: [&str; 14] = [
    "abi",
    "download",
    "download-dir",
    "download-directory",
    "dry-run",
    "implementation",
    "install-option",
    "platform",
    "prefix",
    "python",
    "python-version",
    "root",
    "target",
    "user",
];

#[derive(Deserialize)]
struct Answer {
    ignored: Vec<String>,
    variables: BTreeMap<String, String>,
}

/// Passes all of the user's settings to `pip` except [`IGNORED`].
///
/// # Errors
///
/// [`Error::Command`] if a configuration file is not valid.
pub(crate) fn apply(
    pip: &mut Command,
    context: &Context,
    environment: &Env,
    interrupt: &Interrupt,
    log: Log,
) -> Result<(), Error> {
    let ignored = environment.starting_with("").map(|(name, _)| name);
    let ignored: Vec<&OsStr> = ignored.filter(|name| is_ignored(name)).collect();
    let mut reader = process::python(&context.env_exe);
    reader.args(["-I", "-S", "-B", "-c", PROGRAM, &context.env_dir]);
    reader.args(IGNORED);
    for name in ignored {
        log.say(|| format!("{} is not passed to pip", name.display()));
        pip.env_remove(name);
        reader.env_remove(name);
    }
    let output = process::run(&mut reader, None, interrupt)?;
    let answer: Option<Answer> = serde_json::from_slice(&output.stdout)
        .ok()
        .filter(|_| output.status.success())
        .ok_or_else(|| Error::Command {
            program: format!("{} (reading pip's configuration)", context.env_exe),
            status: output.status.to_string(),
            output: output.text(),
        })?;
    if let Some(answer) = answer {
        for key in answer.ignored {
            log.say(|| format!("{key} of pip's configuration files is not passed to pip"));
        }
        // A single key cannot be ignored in another way: pip reads no file and gets the other keys as variables.
        let none = if cfg!(windows) { "nul" } else { "/dev/null" };
        pip.env("PIP_CONFIG_FILE", Path::new(none));
        pip.envs(answer.variables);
    }
    Ok(())
}

/// Whether a variable sets one of [`IGNORED`], which pip reads in any case and with `-` or `_`.
fn is_ignored(variable: &OsStr) -> bool {
    let Some((prefix, key)) = variable.to_str().and_then(|name| name.split_at_checked(4)) else {
        return false;
    };
    let is_written_by_pip =
        prefix == "PIP_" || cfg!(windows) && prefix.eq_ignore_ascii_case("PIP_");
    is_written_by_pip && IGNORED.contains(&key.to_ascii_lowercase().replace('_', "-").as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variable_names_are_matched_as_by_pip() {
        for name in ["PIP_TARGET", "PIP_target", "PIP_DRY_RUN", "PIP_Dry-Run"] {
            assert!(is_ignored(OsStr::new(name)), "{name}");
        }
        for name in ["PIP_INDEX_URL", "PIP_", "PIP", "TARGET", "PIP_USERS", ""] {
            assert!(!is_ignored(OsStr::new(name)), "{name}");
        }
    }
}
