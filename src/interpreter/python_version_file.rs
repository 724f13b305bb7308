//! Reads `.python-version`. rvenv does not use it, but pyenv and uv would, so there is a note if it asks for another Python.

use fs_err as fs;

use crate::interpreter::Interpreter;
use crate::interpreter::request::{Fit, Request};
use crate::interpreter::version::Traits;
use crate::sys::env::Env;

/// What the file asks for, if that is another Python than this one.
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
        Ok(Request::Wanted(wanted)) => wanted.fits(&traits) == Fit::No,
        _ => false,
    };
    (!wanted.is_empty() && wanted.iter().all(is_other)).then(|| wanted.join(", "))
}
