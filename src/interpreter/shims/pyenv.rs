//! pyenv: `PYENV_VERSION`, `.python-version` in the current directory and its parents, `$PYENV_ROOT/version`.

use std::path::{Path, PathBuf};

use fs_err as fs;

use crate::interpreter::shims::{Resolved, Shim, is_plain};
use crate::interpreter::version_folders;
use crate::sys::fs::is_executable;

pub(crate) fn resolve(shim: &Shim<'_>, text: &str) -> Resolved {
    let Some(root) = root(shim, text) else {
        return Resolved::Managed(None);
    };
    let (selected, origin) = selected(shim, &root);
    let versions = root.join("versions");
    let mut missing = Vec::new();
    for version in selected.split(':').filter(|version| !version.is_empty()) {
        if version == "system" {
            if let Some(found) = system(shim, &root) {
                return Resolved::To(found);
            }
            continue;
        }
        match installed(&versions, version) {
            Some(name) => {
                let found = versions.join(name).join("bin").join(shim.program);
                if is_executable(&found) {
                    return Resolved::To(found);
                }
            }
            None => missing.push(version),
        }
    }
    if let Some(version) = missing.first() {
        // `pyenv which` would fall back to the system's Python, which was not requested.
        return Resolved::NotInstalled(format!(
            "pyenv's version {version} is not installed (requested by {origin})"
        ));
    }
    // pyenv searches there last, whatever version is selected.
    match system(shim, &root) {
        Some(found) => Resolved::To(found),
        None => Resolved::Nowhere(format!(
            "pyenv's selected version ({selected}) has no {}",
            shim.program
        )),
    }
}

/// A setting in the shim overrides the variable.
fn root(shim: &Shim<'_>, text: &str) -> Option<PathBuf> {
    let assigned = text.lines().find_map(|line| {
        let value = line.trim().strip_prefix("export PYENV_ROOT=")?;
        let value = value.trim_matches(['"', '\'']);
        (!value.contains(['$', '`', '\\'])).then(|| PathBuf::from(value))
    });
    assigned
        .or_else(|| shim.path_variable("PYENV_ROOT"))
        .or_else(|| Some(shim.environment.home()?.join(".pyenv")))
        .filter(|root| root.is_absolute())
}

/// The selected versions, separated by `:`, and where they are selected; empty for `system`, the default.
fn selected(shim: &Shim<'_>, root: &Path) -> (String, String) {
    if let Some(version) = shim.environment.var("PYENV_VERSION") {
        return (
            version.to_string_lossy().into_owned(),
            "PYENV_VERSION".into(),
        );
    }
    let start = shim.path_variable("PYENV_DIR");
    let start = start.iter().flat_map(|folder| folder.ancestors());
    let local = start
        .chain(shim.folders_upward())
        .map(|folder| folder.join(".python-version"))
        .find(|file| file.is_file());
    let file = local.unwrap_or_else(|| root.join("version"));
    let text = fs::read_to_string(&file).unwrap_or_default();
    let words = text.lines().filter_map(|line| {
        let version = line.split_whitespace().next()?;
        (!version.starts_with('#') && is_plain(version)).then_some(version)
    });
    let versions = words.collect::<Vec<_>>().join(":");
    (versions, file.display().to_string())
}

/// The directory of a version: an exact match, a match without `python-`, or the newest version with this prefix.
fn installed(versions: &Path, version: &str) -> Option<String> {
    let bare = version.strip_prefix("python-").unwrap_or(version);
    let names = [version, bare].into_iter().filter(|name| is_plain(name));
    names
        .clone()
        .find(|name| versions.join(name).is_dir())
        .map(str::to_owned)
        .or_else(|| {
            names
                .into_iter()
                .find_map(|name| version_folders::latest(versions, name))
        })
}

fn system(shim: &Shim<'_>, root: &Path) -> Option<PathBuf> {
    shim.on_path_without(&[&root.join("shims"), shim.folder])
}
