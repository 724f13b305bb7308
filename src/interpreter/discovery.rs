//! Which executable is meant: `-p`, or the first Python on PATH.
//!
//! Finds paths; what stands behind them is asked by `probe`.

use std::path::{Path, PathBuf};

use crate::context::absolute;
use crate::error::Error;
use crate::options::Environment;

/// The executable that the first fitting request means, absolute and as invoked: symlinks are not resolved.
///
/// # Errors
///
/// [`Error::PythonNotFound`] names the request and where it was sought.
pub(crate) fn find(requests: &[String], environment: &Environment) -> Result<PathBuf, Error> {
    if requests.is_empty() {
        let found = ["python3", "python"]
            .iter()
            .find_map(|name| on_path(name, environment));
        return found.ok_or_else(|| not_on_path("python3 or python", environment));
    }
    let mut first = None;
    for request in requests {
        match one(request, environment) {
            Ok(executable) => return Ok(executable),
            Err(error) => first = first.or(Some(error)),
        }
    }
    Err(first.expect("there is at least one request"))
}

fn one(request: &str, environment: &Environment) -> Result<PathBuf, Error> {
    if request.contains(std::path::is_separator) {
        return path(request, environment);
    }
    on_path(request, environment).ok_or_else(|| not_on_path(request, environment))
}

fn path(request: &str, environment: &Environment) -> Result<PathBuf, Error> {
    let path = absolute(Path::new(request), environment.cwd.as_deref())?;
    if path.is_file() {
        return Ok(path);
    }
    let searched = if path.is_dir() {
        "it is a directory"
    } else {
        "there is no such file"
    };
    Err(Error::PythonNotFound {
        request: request.into(),
        searched: searched.into(),
    })
}

fn on_path(name: &str, environment: &Environment) -> Option<PathBuf> {
    // Relative entries of PATH are made absolute: venv would write links that point nowhere.
    let cwd = environment.cwd.clone().unwrap_or_default();
    let found = which::which_in(name, environment.var("PATH"), &cwd).ok()?;
    absolute(&found, Some(&cwd)).ok()
}

fn not_on_path(request: &str, environment: &Environment) -> Error {
    let searched = match environment.var("PATH") {
        Some(path) => format!("not in any folder of PATH ({})", path.to_string_lossy()),
        None => "PATH is empty".into(),
    };
    Error::PythonNotFound {
        request: request.into(),
        searched,
    }
}
