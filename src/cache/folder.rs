//! The cache directory itself: where it is, how it is created, and which of its files are deleted after a while.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use fs_err as fs;

use crate::sys::env::Env;

/// The subdirectory that everything is in, so that a directory with other files can be used as well; its number is the version of the format.
pub(crate) const NAME: &str = "rvenv-v1";
/// Entries that were not used for this long are deleted when something new is published.
const UNUSED: Duration = Duration::from_hours(90 * 24);
const TAG_NAME: &str = "CACHEDIR.TAG";
/// How the tag of every version of rvenv begins (bford.info/cachedir).
const TAG: &str = "Signature: 8a477f597d28d172789f06886806bc55\n# This file is a cache directory tag created by rvenv.\n";
const TAG_REST: &str = "# This directory can be deleted at any time; rvenv creates it again.\n";

/// The folder that the system's conventions give.
pub(crate) fn default_folder(environment: &Env) -> Option<PathBuf> {
    let absolute = |name: &str| {
        environment
            .var(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let home = environment.home().filter(|home| home.is_absolute());
    if cfg!(windows) {
        absolute("LOCALAPPDATA").map(|folder| folder.join("rvenv").join("cache"))
    } else if cfg!(target_os = "macos") {
        home.map(|home| home.join("Library/Caches/rvenv"))
    } else {
        absolute("XDG_CACHE_HOME")
            .or_else(|| home.map(|home| home.join(".cache")))
            .map(|folder| folder.join("rvenv"))
    }
}

/// Makes the folder that is named and rvenv's own in it.
pub(crate) fn make_folder(folder: &Path) -> io::Result<()> {
    if let Some(parent) = folder.parent()
        && fs::symlink_metadata(parent).is_err()
    {
        if let Some(above) = parent.parent() {
            fs::create_dir_all(above)?;
        }
        make_private(parent, |_| Ok(()), Path::is_dir)?;
    }
    let tag = |made: &Path| fs::write(made.join(TAG_NAME), format!("{TAG}{TAG_REST}"));
    make_private(folder, tag, is_store)
}

/// Makes a folder that nobody else can write to; another process may be faster, whose folder is then `as_good`.
fn make_private(
    folder: &Path,
    fill: impl FnOnce(&Path) -> io::Result<()>,
    as_good: impl FnOnce(&Path) -> bool,
) -> io::Result<()> {
    // 0700 from the first instant on: `mkdir` first and `chmod` later would leave a moment between.
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    let made = builder
        .prefix(".rvenv-")
        .tempdir_in(folder.parent().unwrap_or(folder))?;
    fill(made.path())?;
    match fs::rename(made.path(), folder) {
        Ok(()) => drop(made.keep()),
        Err(_) if as_good(folder) => {}
        Err(_) if folder.is_dir() => {
            let path = folder.display();
            return Err(io::Error::other(format!(
                "{path} has no {TAG_NAME} written by rvenv"
            )));
        }
        Err(error) => return Err(error),
    }
    Ok(())
}

/// Whether rvenv has made this folder; from any other nothing is ever removed.
pub(crate) fn is_store(folder: &Path) -> bool {
    fs::symlink_metadata(folder).is_ok_and(|metadata| metadata.is_dir())
        && fs::read(folder.join(TAG_NAME)).is_ok_and(|tag| tag.starts_with(TAG.as_bytes()))
}

/// rvenv's own files in its own folder.
pub(crate) fn entries(folder: &Path) -> impl Iterator<Item = (PathBuf, std::fs::Metadata)> {
    let folder = is_store(folder).then_some(folder);
    let entries = folder
        .into_iter()
        .flat_map(fs::read_dir)
        .flatten()
        .flatten();
    entries.filter_map(|entry| {
        let name = entry.file_name();
        let metadata = entry.metadata().ok().filter(std::fs::Metadata::is_file);
        name.to_str()
            .is_some_and(is_entry)
            .then_some(entry.path())
            .zip(metadata)
    })
}

/// Whether a file is called as rvenv calls its own.
pub(crate) fn is_entry(name: &str) -> bool {
    let between = |prefix: &str, suffix: &str| {
        let rest = name.strip_prefix(prefix)?;
        rest.strip_suffix(suffix)
    };
    let is_key = |key: &str| {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        key.len() == 32 && key.bytes().all(is_digit)
    };
    let is_random =
        |text: &str| text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    // `{version}-{python tag}` of a wheel for every platform.
    let is_wheel = |text: &str| {
        let version = text
            .strip_suffix("-py3")
            .or_else(|| text.strip_suffix("-py2.py3"));
        version.is_some_and(|version| {
            version.starts_with(|first: char| first.is_ascii_digit()) && !version.contains('-')
        })
    };
    between("facts-", ".json").is_some_and(is_key)
        || between("image-", ".zip").is_some_and(is_key)
        || between("image-", ".lock").is_some_and(is_key)
        || between("pip-", "-none-any.whl").is_some_and(is_wheel)
        || between(".new-", "").is_some_and(is_random)
}

/// Removes an entry; another process may have done so already.
pub(crate) fn remove(path: &Path) -> io::Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// One `stat` per file, and only when something was published: never on a warm run.
pub(crate) fn sweep(folder: &Path) {
    let now = SystemTime::now();
    for (path, metadata) in entries(folder) {
        // Reading moves the access time at most once a day, which is enough; where it is never moved, an entry in use is
        // recreated every ninety days.
        let used = metadata
            .accessed()
            .into_iter()
            .chain(metadata.modified())
            .max();
        if used
            .and_then(|used| now.duration_since(used).ok())
            .is_some_and(|unused| unused > UNUSED)
        {
            let _ = remove(&path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_exactly_that_shape_are_entries() {
        let key = "0123456789abcdef0123456789abcdef";
        for name in [
            format!("facts-{key}.json"),
            format!("image-{key}.zip"),
            format!("image-{key}.lock"),
            "pip-23.2.1-py3-none-any.whl".into(),
            "pip-18.1-py2.py3-none-any.whl".into(),
            ".new-aZ09bY".into(),
        ] {
            assert!(is_entry(&name), "{name}");
        }
        for name in [
            format!("facts-{key}.json.bak"),
            format!("image-{key}.jpg"),
            format!("image-{key}0.zip"),
            format!("image-{}.zip", key.to_uppercase()),
            format!("my-image-{key}.zip"),
            "image-001.jpg".into(),
            "image-001.zip".into(),
            "facts-2024.json".into(),
            "pip-notes.txt".into(),
            "pip-tools-7.4.1-py3-none-any.whl".into(),
            "pip-23.2.1-1-py3-none-any.whl".into(),
            "pip-23.2.1-cp312-cp312-linux_x86_64.whl".into(),
            ".new-folder-1".into(),
            ".new-abcde".into(),
            TAG_NAME.into(),
        ] {
            assert!(!is_entry(&name), "{name}");
        }
    }
}
