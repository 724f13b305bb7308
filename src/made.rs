//! `--json`: what was made of each `ENV_DIR`, or why nothing was, for programs.
//!
//! Looks only at the finished environment.

use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use crate::context::Context;
use crate::interpreter::Interpreter;
use crate::seed::installed;

/// What became of one `ENV_DIR`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Made {
    /// An environment.
    Environment {
        /// Its directory.
        path: String,
        /// Its Python.
        python: String,
        /// `3.12.1`.
        version: String,
        /// `sys.implementation.name`.
        implementation: String,
        /// pip's version, if it is in the environment.
        pip: Option<String>,
        /// Its folder of executables.
        bin: String,
        /// How long it took.
        milliseconds: f64,
    },
    /// Nothing.
    Failure {
        /// What was asked for.
        path: String,
        /// Why there is none.
        error: String,
        /// What can be done about it.
        hint: Option<String>,
    },
}

impl Made {
    /// What [`EnvBuilder::create`](crate::EnvBuilder::create) has made.
    pub fn environment(context: &Context, interpreter: &Interpreter, took: Duration) -> Self {
        Self::Environment {
            path: context.env_dir.clone(),
            python: context.env_exe.clone(),
            version: interpreter.version_string(),
            implementation: interpreter.implementation.clone(),
            pip: pip(context),
            bin: context.bin_path.clone(),
            // To the microsecond: the rest is noise.
            milliseconds: (took.as_secs_f64() * 1e6).round() / 1e3,
        }
    }

    /// What it has not, for this reason.
    pub fn failure(env_dir: &Path, error: String, hint: Option<String>) -> Self {
        Self::Failure {
            path: env_dir.to_string_lossy().into_owned(),
            error,
            hint,
        }
    }

    /// Whether there is an environment.
    pub fn is_environment(&self) -> bool {
        matches!(self, Self::Environment { .. })
    }

    /// An object for one, an array for several.
    pub fn json(made: &[Self]) -> String {
        let json = match made {
            [one] => serde_json::to_string_pretty(one),
            several => serde_json::to_string_pretty(several),
        };
        json.expect("strings and numbers are always JSON") + "\n"
    }
}

/// The version of pip in an environment.
pub(crate) fn pip(context: &Context) -> Option<String> {
    let projects = installed::read(Path::new(&context.lib_path));
    let pip = projects.into_iter().find(|project| project.name == "pip")?;
    Some(pip.version_text)
}
