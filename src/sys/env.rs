//! The environment variables and the current directory of the process.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

/// The process's environment, read once. Only `cli` reads other variables.
#[derive(Debug, Clone, Default)]
pub(crate) struct Env {
    variables: BTreeMap<OsString, OsString>,
    /// The current directory, if it exists.
    pub(crate) cwd: Option<PathBuf>,
}

impl Env {
    /// Reads the variables and the current directory of this process.
    pub(crate) fn of_process() -> Self {
        Self {
            variables: std::env::vars_os().collect(),
            cwd: std::env::current_dir().ok(),
        }
    }

    /// The value of a variable, if it is set and not empty.
    pub(crate) fn var(&self, name: &str) -> Option<&OsStr> {
        self.variables
            .get(OsStr::new(name))
            .map(OsString::as_os_str)
            .filter(|value| !value.is_empty())
    }

    /// The variables whose names begin with `prefix`.
    pub(crate) fn starting_with(&self, prefix: &str) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        let begins = move |name: &OsStr| name.as_encoded_bytes().starts_with(prefix.as_bytes());
        self.variables
            .iter()
            .filter(move |(name, _)| begins(name))
            .map(|(name, value)| (name.as_os_str(), value.as_os_str()))
    }

    /// The home directory, from `$HOME` (`%USERPROFILE%`).
    pub(crate) fn home(&self) -> Option<PathBuf> {
        self.var(if cfg!(windows) { "USERPROFILE" } else { "HOME" })
            .map(PathBuf::from)
    }
}
