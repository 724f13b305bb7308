//! A directory with a mark file and a lock.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use fs_err as fs;

use crate::sys::fs::types::Left;
use crate::sys::fs::windows::identity::Lock;
use crate::sys::fs::windows::removal::remove_tree;

/// A folder that only its holder touches.
#[derive(Debug)]
pub(crate) struct Claim {
    path: PathBuf,
    mark: &'static str,
    lock: Option<Lock>,
}

impl Claim {
    /// Makes the folder `name` in `parent`, locks and marks it; `None` if another process was faster.
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
        let lock = match Lock::try_exclusive(&path) {
            Ok(None) => return Ok(None),
            Ok(lock) => lock,
            // On a file system without locks no process can take it for a leftover either.
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
            // This removes nothing but an empty folder, the maker of which ended before it could mark it.
            let _ = fs::remove_dir(&path);
            return None;
        }
        let lock = Lock::try_exclusive(&path).ok()??;
        Some(Self {
            path,
            mark,
            lock: Some(lock),
        })
    }

    /// Removes the folder, which most likely holds nothing but its mark.
    pub(crate) fn remove_empty(self) -> Result<(), Left> {
        self.remove()
    }

    /// Removes the folder with all that is in it; its lock is an open file in it and goes first, its mark last. What cannot
    /// be removed, as it is in use, is still a marked folder's, which the next run removes.
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
