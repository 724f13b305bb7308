//! A directory with a mark file and a lock.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use fs_err as fs;
use fs_err::os::windows::fs::OpenOptionsExt as _;

use crate::sys::fs::types::Left;
use crate::sys::fs::windows::removal::remove_tree;

/// A directory that no other process uses.
#[derive(Debug)]
pub(crate) struct Claim {
    path: PathBuf,
    mark: &'static str,
    /// Open while the directory is claimed.
    lock: Option<fs::File>,
}

impl Claim {
    /// Creates, locks and marks the directory `name` in `parent`. Returns `None` if another process did.
    pub(crate) fn create(
        parent: &Path,
        name: OsString,
        mark: &'static str,
    ) -> io::Result<Option<Self>> {
        let path = parent.join(name);
        match fs::create_dir(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(None),
            Err(error) => return Err(error),
        }
        let lock = match lock(&path) {
            Ok(None) => return Ok(None),
            Ok(lock) => lock,
            // On a file system without locks, no process can take it for a leftover either.
            Err(error) if error.kind() != io::ErrorKind::NotFound => None,
            Err(_) => return Ok(None),
        };
        fs::write(path.join(mark), "")?;
        Ok(Some(Self { path, mark, lock }))
    }

    /// Claims the directory of a process that has ended: it has the mark and is not locked.
    pub(crate) fn leftover(parent: &Path, name: OsString, mark: &'static str) -> Option<Self> {
        let path = parent.join(name);
        if !fs::symlink_metadata(path.join(mark)).is_ok_and(|metadata| metadata.is_file()) {
            // Only removes an empty directory, whose process ended before it could mark it.
            let _ = fs::remove_dir(&path);
            return None;
        }
        let lock = lock(&path).ok()??;
        Some(Self {
            path,
            mark,
            lock: Some(lock),
        })
    }

    /// Removes the directory, which usually contains only its mark.
    pub(crate) fn remove_empty(self) -> Result<(), Left> {
        self.remove()
    }

    /// Removes the directory and everything in it. The lock is an open file in it and is removed first, the mark last.
    /// Files that are in use stay in a marked directory, which the next run removes.
    pub(crate) fn remove(mut self) -> Result<(), Left> {
        self.lock = None;
        let mut removed = Ok(());
        for entry in fs::read_dir(&self.path).into_iter().flatten().flatten() {
            if entry.file_name() != self.mark {
                removed = removed.and(remove_tree(&entry.path()));
            }
        }
        removed.and_then(|()| remove_tree(&self.path))
    }
}

/// Locks a directory with a file that no other process can open, and that is deleted when it is closed or its process
/// ends. Returns `None` if another process has it.
fn lock(folder: &Path) -> io::Result<Option<fs::File>> {
    const SHARING_VIOLATION: i32 = 32;
    const GENERIC_WRITE: u32 = 0x4000_0000;
    const DELETE: u32 = 0x0001_0000;
    const DELETE_ON_CLOSE: u32 = 0x0400_0000;
    let opened = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .access_mode(GENERIC_WRITE | DELETE)
        .custom_flags(DELETE_ON_CLOSE)
        .share_mode(0)
        .open(folder.join("lock"));
    match opened {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.raw_os_error() == Some(SHARING_VIOLATION) => Ok(None),
        Err(error) => Err(error),
    }
}
