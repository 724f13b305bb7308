//! asdf: `ASDF_PYTHON_VERSION`, `.tool-versions` in the current directory, its parents and the home directory.

use std::path::{Path, PathBuf};

use fs_err as fs;

use crate::interpreter::shims::{Resolved, Shim, is_plain};
use crate::sys::fs::is_executable;

pub(crate) fn resolve(shim: &Shim<'_>) -> Resolved {
    let Some(data) = data(shim) else {
        return Resolved::Managed(None);
    };
    let Some((selected, origin)) = selected(shim) else {
        return Resolved::Managed(None);
    };
    for version in selected.split_whitespace() {
        if version == "system" {
            if let Some(found) = shim.on_path_without(&[shim.folder]) {
                return Resolved::To(found);
            }
            continue;
        }
        if let Some(folder) = version.strip_prefix("path:") {
            let found = Path::new(folder).join("bin").join(shim.program);
            if found.is_absolute() && is_executable(&found) {
                return Resolved::To(found);
            }
            continue;
        }
        // `ref:main` is stored as `ref-main`.
        let folder = version.replacen(':', "-", 1);
        if is_plain(&folder) {
            let installation = data.join("installs").join("python").join(folder);
            let found = installation.join("bin").join(shim.program);
            if is_executable(&found) {
                return Resolved::To(found);
            }
        }
    }
    Resolved::NotInstalled(format!(
        "asdf has no {} in the selected version {selected} (requested by {origin})",
        shim.program
    ))
}

fn data(shim: &Shim<'_>) -> Option<PathBuf> {
    shim.path_variable("ASDF_DATA_DIR")
        .or_else(|| {
            let beside = shim.folder.parent()?;
            beside
                .join("installs")
                .is_dir()
                .then(|| beside.to_path_buf())
        })
        .or_else(|| Some(shim.environment.home()?.join(".asdf")))
        .filter(|data| data.is_absolute())
}

/// The selected versions, separated by spaces, and where they are selected; `None` if this depends on a file that only
/// asdf understands.
fn selected(shim: &Shim<'_>) -> Option<(String, String)> {
    if let Some(version) = shim.environment.var("ASDF_PYTHON_VERSION") {
        let version = version.to_string_lossy().into_owned();
        return Some((version, "ASDF_PYTHON_VERSION".into()));
    }
    let name = shim
        .path_variable("ASDF_DEFAULT_TOOL_VERSIONS_FILENAME")
        .unwrap_or_else(|| ".tool-versions".into());
    let home = shim.environment.home();
    for folder in shim.folders_upward().chain(home.as_deref()) {
        let file = folder.join(&name);
        if let Some(versions) = tool_versions(&file) {
            return Some((versions, file.display().to_string()));
        }
        // It is only used with an asdf setting that may be in several places.
        if folder.join(".python-version").is_file() {
            return None;
        }
    }
    None
}

/// The Python versions in a `.tool-versions` file.
pub(crate) fn tool_versions(file: &Path) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    text.lines().find_map(|line| {
        let line = line.split('#').next().unwrap_or_default();
        let (tool, versions) = line.trim().split_once(char::is_whitespace)?;
        (tool == "python").then(|| versions.trim().to_owned())
    })
}
