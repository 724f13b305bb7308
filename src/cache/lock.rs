//! A lock, so that only one process at a time creates an image.

use std::fs::TryLockError;
use std::io;
use std::path::PathBuf;

use fs_err as fs;

/// An image is being created, by this process or another one.
#[derive(Debug)]
pub(crate) struct BuildLock {
    path: PathBuf,
    /// The locked file. The lock is released when the process ends, in whatever way.
    lock: Option<fs::File>,
}

impl BuildLock {
    /// Creates the lock file at `path` without locking it.
    pub(crate) fn prepare(path: PathBuf) -> io::Result<Self> {
        let mut options = fs::OpenOptions::new();
        options.append(true).create(true).open(&path)?;
        Ok(Self { path, lock: None })
    }

    /// Returns whether this process has the lock.
    ///
    /// # Errors
    ///
    /// If the file is gone, as the other process has finished, or if the file system has no locks.
    pub(crate) fn try_lock(&mut self) -> io::Result<bool> {
        let file = fs::File::open(&self.path)?;
        match file.file().try_lock() {
            Ok(()) => self.lock = Some(file),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(error),
        }
        Ok(self.lock.is_some())
    }
}

impl Drop for BuildLock {
    fn drop(&mut self) {
        if self.lock.is_some() {
            let _ = fs::remove_file(&self.path);
        }
    }
}
