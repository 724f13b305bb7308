//! mise: `MISE_PYTHON_VERSION`, its configuration files in the current directory and its parents, and the global one.
//!
//! Only plain versions are supported.

use std::path::{Path, PathBuf};

use fs_err as fs;

use crate::interpreter::shims::asdf::tool_versions;
use crate::interpreter::shims::{Resolved, SelectedVersion, Shim, is_plain};
use crate::interpreter::version_folders;
use crate::sys::fs::is_executable;

/// The configuration files of a directory, in the order of precedence.
const FILES: [&str; 8] = [
    "mise.local.toml",
    ".mise.local.toml",
    "mise.toml",
    ".mise.toml",
    "mise/config.toml",
    ".mise/config.toml",
    ".config/mise.toml",
    ".config/mise/config.toml",
];

pub(crate) fn resolve(shim: &Shim<'_>) -> Resolved {
    // Other environments have their own configuration files, which only mise knows.
    let is_plain_set_up = ["MISE_ENV", "MISE_PROFILE", "MISE_OVERRIDE_CONFIG_FILENAMES"]
        .iter()
        .all(|name| shim.environment.var(name).is_none());
    let (Some(folder), Some(selection)) = (
        installations_folder(shim),
        selected(shim).filter(|_| is_plain_set_up),
    ) else {
        return Resolved::Managed(None);
    };
    let name = match selection.version.as_str() {
        "latest" => version_folders::newest_first(&folder)
            .into_iter()
            .find(|name| name.starts_with(|first: char| first.is_ascii_digit())),
        name if !is_plain(name) || name.contains(':') || name == "system" => None,
        name => version_folders::latest(&folder, name)
            .or_else(|| folder.join(name).is_dir().then(|| name.to_owned())),
    };
    let found = name.map(|name| folder.join(name).join("bin").join(shim.program));
    match found.filter(|path| is_executable(path)) {
        Some(found) => Resolved::To(found),
        // mise may install it.
        None => Resolved::Managed(Some(selection)),
    }
}

/// The directory of installed Pythons.
pub(crate) fn installations_folder(shim: &Shim<'_>) -> Option<PathBuf> {
    let data = shim
        .path_variable("MISE_DATA_DIR")
        .or_else(|| Some(shim.path_variable("XDG_DATA_HOME")?.join("mise")))
        .or_else(|| Some(shim.environment.home()?.join(".local/share/mise")))?;
    data.is_absolute()
        .then(|| data.join("installs").join("python"))
}

/// The selected version; `None` if only mise can tell.
fn selected(shim: &Shim<'_>) -> Option<SelectedVersion> {
    let selection = |version: &str, origin: String| SelectedVersion {
        version: version.to_owned(),
        origin,
    };
    if let Some(version) = shim.environment.var("MISE_PYTHON_VERSION") {
        return Some(selection(version.to_str()?, "MISE_PYTHON_VERSION".into()));
    }
    for folder in shim.folders_upward() {
        for name in FILES {
            let file = folder.join(name);
            match configured(&file) {
                Configured::Nothing => {}
                Configured::Version(version) => {
                    return Some(selection(&version, file.display().to_string()));
                }
                Configured::Unclear => return None,
            }
        }
        let file = folder.join(".tool-versions");
        if let Some(versions) = tool_versions(&file) {
            let version = versions.split_whitespace().next()?;
            return Some(selection(version, file.display().to_string()));
        }
        // It is only used if a setting says so.
        if folder.join(".python-version").is_file() {
            return None;
        }
    }
    let global = shim.path_variable("MISE_GLOBAL_CONFIG_FILE").or_else(|| {
        let folder = shim
            .path_variable("MISE_CONFIG_DIR")
            .or_else(|| Some(shim.path_variable("XDG_CONFIG_HOME")?.join("mise")))
            .or_else(|| Some(shim.environment.home()?.join(".config/mise")))?;
        (!folder.join("conf.d").exists()).then(|| folder.join("config.toml"))
    })?;
    match configured(&global) {
        Configured::Version(version) => Some(selection(&version, global.display().to_string())),
        _ => None,
    }
}

enum Configured {
    Nothing,
    Version(String),
    Unclear,
}

/// `python = "3.12"` or `python = ["3.12", …]` under `[tools]`.
fn configured(file: &Path) -> Configured {
    let Ok(text) = fs::read_to_string(file) else {
        return Configured::Nothing;
    };
    let mut in_tools = false;
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') {
            in_tools = line == "[tools]";
            continue;
        }
        let Some((key, value)) = line.split_once('=').filter(|_| in_tools) else {
            continue;
        };
        if key.trim() != "python" {
            continue;
        }
        let value = value.trim().trim_start_matches('[').trim_start();
        let Some(quote) = value.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
            return Configured::Unclear;
        };
        return match value[1..].split_once(quote) {
            Some((version, _)) if !version.contains(['{', '\\']) => {
                Configured::Version(version.to_owned())
            }
            _ => Configured::Unclear,
        };
    }
    // A Python configuration that is not understood.
    if text.contains("python") {
        Configured::Unclear
    } else {
        Configured::Nothing
    }
}
