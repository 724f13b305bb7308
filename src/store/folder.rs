//! The folder itself: where it is, how it is made, what goes from it by itself.
//!
//! Knows which names are rvenv's, not what they hold.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use fs_err as fs;

use crate::options::Environment;

/// Entries that nobody used for this long go when something new is published.
const UNUSED: Duration = Duration::from_hours(90 * 24);
const TAG: &str = "Signature: 8a477f597d28d172789f06886806bc55\n# This folder can be deleted at any time; rvenv fills it again.\n";

/// The folder that the system's conventions give.
pub(super) fn default_folder(environment: &Environment) -> Option<PathBuf> {
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

/// Makes the folder, so that it is nobody else's from its first instant on.
pub(super) fn make_folder(folder: &Path) -> io::Result<()> {
    if let Some(parent) = folder.parent() {
        fs::create_dir_all(parent)?;
    }
    // 0700 from the first instant on: `mkdir` first and `chmod` later would leave a moment between.
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    let made = builder
        .prefix(".rvenv-")
        .tempdir_in(folder.parent().unwrap_or(folder))?;
    match fs::rename(made.path(), folder) {
        Ok(()) => drop(made.keep()),
        // Another process was faster: this one's folder goes.
        Err(_) if folder.is_dir() => return Ok(()),
        Err(error) => return Err(error),
    }
    fs::write(folder.join("CACHEDIR.TAG"), TAG)
}

/// Files of ours in the folder.
pub(super) fn entries(folder: &Path) -> impl Iterator<Item = (PathBuf, std::fs::Metadata)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| {
        let name = entry.file_name();
        let ours = [".new-", "facts-", "image-", "pip-"]
            .iter()
            .any(|prefix| name.as_encoded_bytes().starts_with(prefix.as_bytes()));
        let metadata = entry.metadata().ok().filter(std::fs::Metadata::is_file);
        ours.then_some(entry.path()).zip(metadata)
    })
}

/// One `stat` per file, and only when something was published: never on a warm run.
pub(super) fn sweep(folder: &Path) {
    let now = SystemTime::now();
    for (path, metadata) in entries(folder) {
        // Reading moves the access time at most once a day, which is enough; where it is never moved, an entry in use is
        // made anew every ninety days.
        let used = metadata
            .accessed()
            .into_iter()
            .chain(metadata.modified())
            .max();
        if used
            .and_then(|used| now.duration_since(used).ok())
            .is_some_and(|unused| unused > UNUSED)
        {
            let _ = fs::remove_file(path);
        }
    }
}
