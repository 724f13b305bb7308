//! The cache directory itself: where it is, how it is created, and which of its files are deleted after a while.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use fs_err as fs;

use crate::sys::env::Env;
use crate::sys::fs::free_space;

/// The subdirectory for all files, so that a directory with other files can be used as the cache. The number is the
/// version of the format.
pub(crate) const NAME: &str = "rvenv-v1";
/// Entries that have not been used for this long are deleted when a new one is stored.
const UNUSED: Duration = Duration::from_hours(90 * 24);
/// And what was not finished, for this long.
const DRAFT: Duration = Duration::from_hours(1);
/// The default limit of the cache size, in bytes.
const LARGEST: u64 = 10_000_000_000;
const TAG_NAME: &str = "CACHEDIR.TAG";
/// The beginning of the tag, which is the same for every version of rvenv (bford.info/cachedir).
const TAG: &str = "Signature: 8a477f597d28d172789f06886806bc55\n# This file is a cache directory tag created by rvenv.\n";
const TAG_REST: &str = "# This directory can be deleted at any time; rvenv creates it again.\n";

/// The default directory of each operating system.
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

/// Creates the cache directory and rvenv's subdirectory in it.
pub(crate) fn make_folder(folder: &Path) -> io::Result<()> {
    if let Some(parent) = folder.parent()
        && fs::symlink_metadata(parent).is_err()
    {
        if let Some(above) = parent.parent() {
            fs::create_dir_all(above)?;
        }
        make_private(parent)?;
    }
    make_store(folder)
}

/// Creates a directory that only this user can write to, unless another process creates it first.
///
/// It is not renamed into place, which would replace an empty one in which another process is about to create a file.
fn make_private(folder: &Path) -> io::Result<()> {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "there are no modes"))]
    let mut builder = std::fs::DirBuilder::new();
    // Between `mkdir` and a later `chmod` others could write to it.
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(folder) {
        Err(error) if !folder.is_dir() => Err(error),
        _ => Ok(()),
    }
}

/// Creates rvenv's subdirectory with its tag, unless another process creates it first.
fn make_store(folder: &Path) -> io::Result<()> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    let directory = builder
        .prefix(".rvenv-")
        .tempdir_in(folder.parent().unwrap_or(folder))?;
    fs::write(directory.path().join(TAG_NAME), format!("{TAG}{TAG_REST}"))?;
    match fs::rename(directory.path(), folder) {
        Ok(()) => drop(directory.keep()),
        Err(_) if is_store(folder) => {}
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

/// Whether rvenv created this directory. Nothing is ever deleted from any other directory.
pub(crate) fn is_store(folder: &Path) -> bool {
    fs::symlink_metadata(folder).is_ok_and(|metadata| metadata.is_dir())
        && fs::read(folder.join(TAG_NAME)).is_ok_and(|tag| tag.starts_with(TAG.as_bytes()))
}

/// The files that rvenv wrote.
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

/// Whether this is the name of a file of rvenv's.
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
    // `{version}-{python tag}` of a platform-independent wheel.
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

/// Deletes an entry. Returns `false` if another process already deleted it.
pub(crate) fn remove(path: &Path) -> io::Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Deletes what was not used for long, and of the rest what was not used for the longest, until no more than `limit` bytes are
/// left. `published` stays.
///
/// One `stat` call per file, and only after something was stored, never on a warm run.
pub(crate) fn sweep(folder: &Path, limit: u64, published: &str) {
    let now = SystemTime::now();
    let mut found = Vec::new();
    for (path, metadata) in entries(folder) {
        // Access times are updated at most once a day, which is enough. Where they are never updated, an entry in use
        // is recreated every ninety days.
        let accessed = metadata.accessed().into_iter();
        let unused = accessed
            .chain(metadata.modified())
            .max()
            .and_then(|used| now.duration_since(used).ok());
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.unwrap_or_default();
        // What was being written when its process was killed.
        let limit = if name.starts_with(".new-") {
            DRAFT
        } else {
            UNUSED
        };
        if unused.is_some_and(|unused| unused > limit) {
            let _ = remove(&path);
        } else if name.ends_with(".zip") {
            let is_new = name == published;
            found.push((is_new, metadata.modified().ok(), metadata.len(), path));
        }
    }
    let mut total: u64 = found.iter().map(|(_, _, length, _)| length).sum();
    found.sort();
    for (is_new, _, length, path) in found {
        if total <= limit || is_new {
            break;
        }
        let _ = remove(&path);
        total = total.saturating_sub(length);
    }
}

/// Notes that an image is in use, by its own time; once a day is enough.
pub(crate) fn touch(image: &fs::File) {
    let now = SystemTime::now();
    let modified = image.metadata().and_then(|metadata| metadata.modified());
    let age = modified.ok().and_then(|time| now.duration_since(time).ok());
    if age.is_some_and(|age| age > Duration::from_hours(24)) {
        // Another user's cache is pruned by that user.
        let _ = image.file().set_modified(now);
    }
}

/// The default limit of the cache size: 10 GB, or a tenth of the free disk space.
pub(crate) fn usual_limit(folder: Option<&Path>) -> u64 {
    let free = folder.and_then(free_space);
    free.map_or(LARGEST, |free| LARGEST.min(free / 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_cache_files_are_entries() {
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
