//! Reads `.python-version`. rvenv does not use it, but pyenv and uv do, so a note is printed if it selects another
//! Python.

use fs_err as fs;

use crate::interpreter::Interpreter;
use crate::interpreter::request::{Match, Request};
use crate::interpreter::version::Traits;
use crate::sys::env::Env;

/// The version in the file, if it is not that of this Python.
pub(crate) fn other(environment: &Env, interpreter: &Interpreter) -> Option<String> {
    let path = environment.cwd.as_ref()?.join(".python-version");
    if !path.is_file() {
        return None;
    }
    let text = fs::read_to_string(path).ok()?;
    let lines = text.lines().map(str::trim);
    let wanted: Vec<_> = lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    let traits = Traits::from(interpreter);
    // A name of pyenv's may be any Python.
    let is_other = |line: &&str| match Request::parse(line) {
        Ok(Request::Version(wanted)) => wanted.matches(&traits) == Match::No,
        _ => false,
    };
    (!wanted.is_empty() && wanted.iter().all(is_other)).then(|| wanted.join(", "))
}
