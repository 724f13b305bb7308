//! The warning that an environment is in another place than requested, because Windows redirects what a Store app
//! writes, or because of links and junctions (bpo-45337).

use std::path::Path;

use crate::sys::fs;
use crate::terminal::log::Log;
use crate::venv::context::Context;

/// Warns, as venv does, if the environment's Python is not at its path.
pub(crate) fn warn(context: &Context, log: Log) {
    let Some((requested, actual)) = fs::locations(Path::new(&context.env_exe)) else {
        return;
    };
    if !is_same_path(&requested, &actual) {
        log.warn(&text(&context.env_exe, &actual));
    }
}

/// CPython's message.
fn text(requested: &str, actual: &str) -> String {
    format!(
        "Actual environment location may have moved due to redirects, links or junctions.\n  \
         Requested location: \"{requested}\"\n  Actual location:    \"{actual}\""
    )
}

/// Whether both are the same path for the user (`venv/__init__.py`, `_same_path`): case and separators do not matter.
fn is_same_path(one: &str, other: &str) -> bool {
    let normal = |path: &str| path.replace('/', "\\").to_lowercase();
    normal(one) == normal(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_compared_ignoring_case_and_separators() {
        let python = r"C:\Users\Ümit\env\Scripts\python.exe";
        assert!(is_same_path(
            python,
            r"c:\users\ümit\ENV\scripts\Python.exe"
        ));
        assert!(is_same_path(python, "C:/Users/Ümit/env/Scripts/python.exe"));
        assert!(!is_same_path(
            python,
            r"C:\Users\Ümit\other\Scripts\python.exe"
        ));
    }

    #[test]
    fn both_places_are_named() {
        let text = text(r"C:\a\python.exe", r"C:\b\python.exe");
        assert_eq!(text.lines().count(), 3, "{text}");
        assert!(text.ends_with("Actual location:    \"C:\\b\\python.exe\""));
    }
}
