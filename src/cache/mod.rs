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
    default_folder, entries, is_entry, is_store, make_folder, remove, sweep, usual_limit,
};
pub(crate) use crate::cache::lock::BuildLock;
use crate::error::Error;
use crate::options::{Cache, Verbosity};
use crate::sys::env::Env;
use crate::sys::fs::is_trusted;
use crate::terminal::color::Color;
use crate::terminal::log::{Log, Progress};

/// The cache directory. If there is none, nothing is found and nothing is stored.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    /// rvenv's own subdirectory of the cache directory.
    folder: Option<PathBuf>,
    /// Whether to warn if the directory cannot be used: only once, and only if the user chose it.
    warns: Arc<AtomicBool>,
    /// Whether this run created the directory.
    is_new: Arc<AtomicBool>,
    /// The configured size limit, in bytes.
    size: Option<u64>,
    log: Log,
}

/// A file that is going to be an entry.
pub(crate) struct Draft<'a> {
    folder: &'a Path,
    file: tempfile::NamedTempFile,
}

impl Draft<'_> {
    /// What is written to it is buffered.
    pub(crate) fn writer(&mut self) -> io::BufWriter<&mut tempfile::NamedTempFile> {
        io::BufWriter::with_capacity(1 << 18, &mut self.file)
    }

    fn publish(self, name: &str) -> io::Result<()> {
        let persisted = self.file.persist(self.folder.join(name));
        persisted.map(drop).map_err(|error| error.error)
    }
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
    /// Selects the directory without accessing the disk.
    pub(crate) fn new(cache: &Cache, environment: &Env, log: Log) -> Self {
        let folder = match cache {
            Cache::Off => None,
            Cache::Folder(folder) => Some(folder.clone()),
            Cache::Default => default_folder(environment),
        };
        Self {
            folder: folder.map(|folder| folder.join(folder::NAME)),
            warns: Arc::new(AtomicBool::new(matches!(cache, Cache::Folder(_)))),
            is_new: Arc::default(),
            size: None,
            log,
        }
    }

    /// With another limit than the usual one, in bytes.
    pub(crate) fn limited(self, size: Option<u64>) -> Self {
        Self { size, ..self }
    }

    /// The most that it may hold, in bytes.
    pub(crate) fn limit(&self) -> u64 {
        let folder = self.folder.as_deref();
        self.size.unwrap_or_else(|| usual_limit(folder))
    }

    /// Turns the warning off, for callers that return an error instead.
    pub(crate) fn suppress_warning(&self) {
        self.warns.store(false, Ordering::Relaxed);
    }

    /// Whether this run created the cache.
    pub(crate) fn is_new(&self) -> bool {
        self.is_new.load(Ordering::Relaxed)
    }

    /// The stored image for this key.
    pub(crate) fn image(&self, key: &str) -> Option<fs::File> {
        let file = fs::File::open(self.trusted(&image_name(key))?).ok()?;
        folder::touch(&file);
        Some(file)
    }

    /// A new file in the cache; `None` if there can be none.
    pub(crate) fn draft(&self) -> Option<Draft<'_>> {
        let folder = self.usable_folder()?;
        match tempfile::Builder::new().prefix(".new-").tempfile_in(folder) {
            Ok(file) => Some(Draft { folder, file }),
            Err(error) => {
                self.log_failure("cannot be written", error);
                None
            }
        }
    }

    /// Makes a draft the image of this key.
    pub(crate) fn publish_image(&self, key: &str, draft: Draft<'_>) {
        let folder = draft.folder;
        match draft.publish(&image_name(key)) {
            Ok(()) => sweep(folder, self.limit(), &image_name(key)),
            Err(error) => self.log_failure("cannot be written", error),
        }
    }

    /// Deletes a damaged image.
    pub(crate) fn discard_image(&self, key: &str) {
        if let Some(folder) = self.folder.as_ref().filter(|folder| is_store(folder)) {
            let _ = remove(&folder.join(image_name(key)));
        }
    }

    /// Stores the image that `write` writes, and opens it.
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

    /// Stores a pip wheel for Pythons without ensurepip.
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

    /// A lock for creating an image, while other processes wait; `None` if the file system has no locks.
    ///
    /// The lock file exists only while the image is created, and the lock ends with its process.
    pub(crate) fn build_lock(&self, key: &str) -> Option<BuildLock> {
        let path = self.usable_folder()?.join(format!("image-{key}.lock"));
        BuildLock::prepare(path).ok()
    }

    /// Deletes everything that is stored and returns the number of bytes freed.
    ///
    /// # Errors
    ///
    /// The first error from the operating system.
    pub(crate) fn prune(&self) -> io::Result<u64> {
        let mut freed = 0;
        for (path, metadata) in self.folder.iter().flat_map(|folder| entries(folder)) {
            if remove(&path)? {
                freed += metadata.len();
            }
        }
        Ok(freed)
    }

    /// The error for a cache that cannot be used.
    pub(crate) fn refusal(&self) -> Error {
        let Some(folder) = &self.folder else {
            return Error::Cache {
                path: PathBuf::new(),
                reason: "the cache is disabled, or there is no home directory".into(),
            };
        };
        let stored = create_folder(folder).and_then(|_| {
            let file = tempfile::Builder::new().prefix(".new-").tempfile_in(folder);
            file.map(drop).map_err(|error| error.to_string())
        });
        Error::Cache {
            path: chosen_folder(folder).into(),
            reason: stored
                .err()
                .unwrap_or_else(|| "a file that was written cannot be read".into()),
        }
    }

    /// The path of a stored file, if it and its directories can be trusted.
    pub(crate) fn trusted(&self, name: &str) -> Option<PathBuf> {
        let folder = self.folder.as_ref()?;
        let path = folder.join(name);
        if fs::symlink_metadata(&path).is_err() {
            return None;
        }
        match is_trusted_folder(folder).and_then(|()| is_trusted(&path)) {
            Ok(()) => Some(path),
            Err(reason) => {
                self.log_failure("is not used", reason);
                None
            }
        }
    }

    /// Creates the directory if it is missing. Returns `None` if it cannot be used.
    fn usable_folder(&self) -> Option<&Path> {
        let folder = self.folder.as_deref()?;
        match create_folder(folder) {
            Ok(is_new) => {
                self.is_new.fetch_or(is_new, Ordering::Relaxed);
                Some(folder)
            }
            Err(reason) => {
                self.log_failure("is not used", reason);
                None
            }
        }
    }

    pub(crate) fn publish(
        &self,
        name: &str,
        write: impl FnOnce(&mut tempfile::NamedTempFile) -> io::Result<()>,
    ) {
        let Some(mut draft) = self.draft() else {
            return;
        };
        let folder = draft.folder;
        match write(&mut draft.file).and_then(|()| draft.publish(name)) {
            Ok(()) => sweep(folder, self.limit(), name),
            Err(error) => self.log_failure("cannot be written", error),
        }
    }

    /// Prints why the directory is not used.
    fn log_failure(&self, what: &str, reason: impl Display) {
        let folder = self
            .folder
            .as_deref()
            .map(chosen_folder)
            .unwrap_or_default();
        let line = || format!("the cache directory {folder} {what}: {reason}");
        if self.warns.swap(false, Ordering::Relaxed) {
            self.log.warn(&line());
        } else {
            self.log.say(line);
        }
    }
}

/// The directory that the user chose.
fn chosen_folder(folder: &Path) -> String {
    folder.parent().unwrap_or(folder).display().to_string()
}

/// Creates the directory if it is missing. Returns whether it is new, or why it cannot be trusted.
fn create_folder(folder: &Path) -> Result<bool, String> {
    if let Some(parent) = folder.parent()
        && fs::symlink_metadata(parent).is_ok()
    {
        // Nothing is created in a directory that others can write to.
        is_trusted(parent)?;
    }
    let is_new = !is_store(folder);
    if is_new {
        // The error names tempfile's temporary directory, which does not help the user.
        make_folder(folder).map_err(|error| {
            let text = error.to_string();
            text.split(" at path ").next().unwrap_or(&text).to_owned()
        })?;
    }
    is_trusted_folder(folder).map(|()| is_new)
}

fn is_trusted_folder(folder: &Path) -> Result<(), String> {
    is_trusted(folder.parent().unwrap_or(folder)).and_then(|()| is_trusted(folder))
}

fn image_name(key: &str) -> String {
    format!("image-{key}.zip")
}

/// Lowercase hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from(b"0123456789abcdef"[usize::from(value)]);
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}
