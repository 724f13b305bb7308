//! A lock under which one process at a time creates an image.

use std::io;
use std::path::PathBuf;

use fs_err as fs;

use crate::sys::fs::Lock;

/// An image is being built, here or by another process.
#[derive(Debug)]
pub(crate) struct Building {
    path: PathBuf,
    lock: Option<Lock>,
}

impl Building {
    /// Nobody's yet; `path` is the lock's.
    pub(crate) fn prepare(path: PathBuf) -> io::Result<Self> {
        Lock::prepare(&path)?;
        Ok(Self { path, lock: None })
    }

    /// Whether this process is the one that builds; an error once the other one is done.
    pub(crate) fn try_lock(&mut self) -> io::Result<bool> {
        self.lock = Lock::try_exclusive(&self.path)?;
        Ok(self.lock.is_some())
    }
}

impl Drop for Building {
    fn drop(&mut self) {
        if self.lock.is_some() {
            let _ = fs::remove_file(&self.path);
        }
    }
}
