//! Which version of pip an option needs, so that there is a clear error if it is too old.

use std::ffi::OsStr;
use std::path::Path;
use std::str::FromStr as _;

use pep440_rs::Version;

use crate::error::Error;
use crate::installed::distributions;
use crate::options::Options;
use crate::pip::requirements::Requirements;
use crate::venv::context::Context;

/// Options that are passed on to pip, with the first version that supports them (pip's changelog).
const SINCE: [(&str, &str); 2] = [
    ("--keyring-provider", "23.1"),
    ("--uploaded-prior-to", "26.0"),
];
/// The first version that supports `--group`.
const GROUP: &str = "25.1";
/// The first version that supports a `pylock.toml` with `-r`.
const PYLOCK: &str = "26.1";

/// Checks that the environment's pip supports every option that is passed on to it.
///
/// # Errors
///
/// [`Error::OldPip`].
pub(super) fn check(
    context: &Context,
    requirements: &Requirements,
    options: &Options,
) -> Result<(), Error> {
    let group = (!options.groups.is_empty()).then_some(("--group", GROUP));
    let args = options.pip_args.iter().filter_map(|given| {
        let given = given.to_str()?.split('=').next()?;
        SINCE.into_iter().find(|(option, _)| *option == given)
    });
    let is_lock = requirements.files.iter().any(|file| is_pylock(file));
    let lock = is_lock.then_some(("pylock.toml", PYLOCK));
    let mut needs = group.into_iter().chain(args).chain(lock).peekable();
    if needs.peek().is_none() {
        return Ok(());
    }
    let Some(pip) = distributions::find(Path::new(&context.lib_path), "pip") else {
        return Ok(());
    };
    for (option, needed) in needs {
        if pip.version.as_ref() < Version::from_str(needed).ok().as_ref() && pip.version.is_some() {
            return Err(Error::OldPip {
                version: pip.version_text,
                option: option.into(),
                needed,
            });
        }
    }
    Ok(())
}

/// Whether a file has the name of a lock file (the `pylock.toml` specification, "File name").
fn is_pylock(file: &OsStr) -> bool {
    let name = Path::new(file).file_name().and_then(OsStr::to_str);
    name.is_some_and(|name| {
        let between = name.strip_prefix("pylock.");
        name == "pylock.toml"
            || between
                .and_then(|rest| rest.strip_suffix(".toml"))
                .is_some_and(|name| !name.is_empty() && !name.contains('.'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pylock_files_are_recognized_by_name() {
        for name in ["pylock.toml", "a/pylock.toml", "pylock.dev.toml"] {
            assert!(is_pylock(OsStr::new(name)), "{name}");
        }
        for name in [
            "pylock.txt",
            "pylock..toml",
            "mypylock.toml",
            "pylock.a.b.toml",
            "-",
        ] {
            assert!(!is_pylock(OsStr::new(name)), "{name}");
        }
    }
}
