//! The cache directory: facts about interpreters and images of packages, one file each, renamed into place and never modified.
//!
//! The files are in a subdirectory of rvenv's own. It is trusted only if it and its parent belong to the current user or root and
//! nobody else can write to them. If it is missing, read-only, full, corrupt or not trusted, nothing is cached.

mod folder;
pub(crate) mod lock;

use std::fmt::Display;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use fs_err as fs;

use crate::cache::folder::{
    default_folder, entries, is_entry, is_store, make_folder, remove, sweep,
};
pub(crate) use crate::cache::lock::Building;
use crate::error::Error;
use crate::options::{Cache, Verbosity};
use crate::sys::env::Env;
use crate::sys::fs::is_trusted;
use crate::terminal::color::Color;
use crate::terminal::log::{Log, Progress};

/// The cache folder, or nothing that behaves like an empty one.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    /// rvenv's own subfolder of the one that is named.
    folder: Option<PathBuf>,
    /// Whether there is a warning when it cannot be used: once, and only about a folder that somebody named.
    warns: Arc<AtomicBool>,
    log: Log,
}

/// Deletes everything in the cache directory; returns how many bytes that frees.
///
/// # Errors
///
/// The first file that cannot be deleted.
pub fn prune(cache: &Cache) -> io::Result<u64> {
    of(cache).prune()
}

/// The directory that [`prune`] empties; `None` if there is none.
pub(crate) fn folder_of(cache: &Cache) -> Option<PathBuf> {
    of(cache).folder
}

fn of(cache: &Cache) -> Store {
    let log = Log::new(Verbosity::Normal, Color::default(), Progress::default());
    Store::new(cache, &Env::of_process(), log)
}

impl Store {
    /// Chooses the folder; touches no disk.
    pub(crate) fn new(cache: &Cache, environment: &Env, log: Log) -> Self {
        let folder = match cache {
            Cache::Off => None,
            Cache::Folder(folder) => Some(folder.clone()),
            Cache::Default => default_folder(environment),
        };
        Self {
            folder: folder.map(|folder| folder.join(folder::NAME)),
            warns: Arc::new(AtomicBool::new(matches!(cache, Cache::Folder(_)))),
            log,
        }
    }

    /// For a caller who makes an error of what would be a warning.
    pub(crate) fn without_warning(&self) {
        self.warns.store(false, Ordering::Relaxed);
    }

    /// The stored image of this key.
    pub(crate) fn image(&self, key: &str) -> Option<fs::File> {
        fs::File::open(self.trusted(&image_name(key))?).ok()
    }

    /// Removes an image that turned out to be damaged.
    pub(crate) fn discard_image(&self, key: &str) {
        if let Some(folder) = self.folder.as_ref().filter(|folder| is_store(folder)) {
            let _ = remove(&folder.join(image_name(key)));
        }
    }

    /// Keeps an image that `write` makes, and returns it opened.
    pub(crate) fn keep_image(
        &self,
        key: &str,
        write: impl FnOnce(&mut io::BufWriter<&mut tempfile::NamedTempFile>) -> io::Result<()>,
    ) -> Option<fs::File> {
        self.publish(&image_name(key), |file| {
            let mut writer = io::BufWriter::with_capacity(1 << 18, file);
            write(&mut writer).and_then(|()| writer.flush())
        });
        self.image(key)
    }

    /// Stores a pip wheel under its own name, for Pythons without ensurepip.
    pub(crate) fn keep_wheel(&self, wheel: &Path) {
        let name = wheel.file_name().and_then(|name| name.to_str());
        let Some(name) = name.filter(|name| is_entry(name)) else {
            return;
        };
        if self.trusted(name).is_none() {
            self.publish(name, |file| {
                io::copy(&mut fs::File::open(wheel)?, file).map(drop)
            });
        }
    }

    /// The pip wheels in the cache.
    pub(crate) fn wheels(&self) -> Vec<PathBuf> {
        let entries = self.folder.iter().flat_map(|folder| entries(folder));
        let names = entries.filter_map(|(path, _)| Some(path.file_name()?.to_str()?.to_owned()));
        names
            .filter(|name| name.ends_with(".whl"))
            .filter_map(|name| self.trusted(&name))
            .collect()
    }

    /// A lock under which one of several processes builds an image while the others wait; `None` where there are no locks.
    ///
    /// It belongs to a file that lives only as long as the building does, and ends with its holder.
    pub(crate) fn building(&self, key: &str) -> Option<Building> {
        let path = self.prepared()?.join(format!("image-{key}.lock"));
        Building::prepare(path).ok()
    }

    /// Deletes everything that is stored; returns how many bytes that frees.
    ///
    /// # Errors
    ///
    /// The first refusal of the operating system.
    pub(crate) fn prune(&self) -> io::Result<u64> {
        let mut freed = 0;
        for (path, metadata) in self.folder.iter().flat_map(|folder| entries(folder)) {
            if remove(&path)? {
                freed += metadata.len();
            }
        }
        Ok(freed)
    }

    /// Why the cache cannot be used.
    pub(crate) fn refusal(&self) -> Error {
        let Some(folder) = &self.folder else {
            return Error::Cache {
                path: PathBuf::new(),
                reason: "the cache is disabled, or there is no home directory".into(),
            };
        };
        let kept = made(folder).and_then(|()| {
            let file = tempfile::Builder::new().prefix(".new-").tempfile_in(folder);
            file.map(drop).map_err(|error| error.to_string())
        });
        Error::Cache {
            path: named(folder).into(),
            reason: kept
                .err()
                .unwrap_or_else(|| "a file that was written cannot be read".into()),
        }
    }

    /// The path of a stored file if folders and file can be trusted.
    pub(crate) fn trusted(&self, name: &str) -> Option<PathBuf> {
        let folder = self.folder.as_ref()?;
        let path = folder.join(name);
        if fs::symlink_metadata(&path).is_err() {
            return None;
        }
        match is_trusted_folder(folder).and_then(|()| is_trusted(&path)) {
            Ok(()) => Some(path),
            Err(reason) => {
                self.say("is not used", reason);
                None
            }
        }
    }

    /// Creates the directory if it is missing; `None` if it cannot be used.
    fn prepared(&self) -> Option<&Path> {
        let folder = self.folder.as_deref()?;
        let made = made(folder).map_err(|reason| self.say("is not used", reason));
        made.is_ok().then_some(folder)
    }

    pub(crate) fn publish(
        &self,
        name: &str,
        write: impl FnOnce(&mut tempfile::NamedTempFile) -> io::Result<()>,
    ) {
        let Some(folder) = self.prepared() else {
            return;
        };
        let published = tempfile::Builder::new()
            .prefix(".new-")
            .tempfile_in(folder)
            .and_then(|mut file| {
                write(&mut file)?;
                file.persist(folder.join(name)).map_err(|error| error.error)
            });
        match published {
            Ok(_) => sweep(folder),
            Err(error) => self.say("cannot be written", error),
        }
    }

    /// Says what is wrong with the folder.
    fn say(&self, what: &str, reason: impl Display) {
        let folder = self.folder.as_deref().map(named).unwrap_or_default();
        let line = || format!("the cache directory {folder} {what}: {reason}");
        if self.warns.swap(false, Ordering::Relaxed) {
            self.log.warn(&line());
        } else {
            self.log.say(line);
        }
    }
}

/// The folder as it was named.
fn named(folder: &Path) -> String {
    folder.parent().unwrap_or(folder).display().to_string()
}

/// Makes the folder if it is missing, and tells whether it can be trusted.
fn made(folder: &Path) -> Result<(), String> {
    if let Some(parent) = folder.parent()
        && fs::symlink_metadata(parent).is_ok()
    {
        // Nothing is made in a folder that others can write to.
        is_trusted(parent)?;
    }
    if !is_store(folder) {
        make_folder(folder).map_err(|error| error.to_string())?;
    }
    is_trusted_folder(folder)
}

fn is_trusted_folder(folder: &Path) -> Result<(), String> {
    is_trusted(folder.parent().unwrap_or(folder)).and_then(|()| is_trusted(folder))
}

fn image_name(key: &str) -> String {
    format!("image-{key}.zip")
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from(b"0123456789abcdef"[usize::from(value)]);
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}
