//! The flags of `python -m venv` for a set of options.

use crate::interpreter::Interpreter;
use crate::interpreter::platform::Platform;
use crate::options::{Links, OnExisting, Options};

/// The flags in CPython's order (`venv/__init__.py`, `EnvBuilder.__init__`): only those that this Python supports and
/// that are not its default. `prompt` renders the value of `--prompt`.
pub(crate) fn flags(
    interpreter: &Interpreter,
    options: &Options,
    prompt: impl FnOnce(&str) -> String,
) -> Vec<String> {
    let mut flags = Vec::new();
    let mut flag = |given: bool, name: &str| {
        if given {
            flags.push(name.to_owned());
        }
    };
    let windows = interpreter.platform == Platform::Windows;
    flag(!windows && options.links == Links::Copy, "--copies");
    flag(windows && options.links == Links::Symlink, "--symlinks");
    flag(!options.with_pip, "--without-pip");
    flag(options.system_site_packages, "--system-site-packages");
    flag(options.on_existing == OnExisting::Clear, "--clear");
    flag(options.on_existing == OnExisting::Upgrade, "--upgrade");
    flag(options.upgrade_deps, "--upgrade-deps");
    if let Some(value) = &options.prompt {
        flags.push(format!("--prompt={}", prompt(value)));
    }
    if interpreter.at_least(3, 13) && !options.scm_ignore_files {
        flags.push("--without-scm-ignore-files".into());
    }
    flags
}
