//! A directory with a mark file, locked and held open, so that it cannot be replaced by another one.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::AsFd as _;
use std::path::Path;

use rustix::fs::{AtFlags, FileType, FlockOperation, Mode as Bits, OFlags};
use rustix::io::Errno;

use crate::sys::fs::types::{Left, Mode};
use crate::sys::fs::unix::folder::{Folder, open_parent};
use crate::sys::fs::unix::removal;

/// A directory that no other process uses until it is closed.
#[derive(Debug)]
pub(crate) struct Claim {
    parent: Folder,
    name: OsString,
    mark: &'static str,
    folder: Folder,
}

impl Claim {
    /// Creates, locks and marks the directory `name` in `parent`. Returns `None` if another process did.
    pub(crate) fn create(
        parent: &Path,
        name: OsString,
        mark: &'static str,
    ) -> io::Result<Option<Self>> {
        let parent = open_parent(parent)?;
        match rustix::fs::mkdirat(parent.fd(), &name, Bits::from_raw_mode(0o700)) {
            Ok(()) => {}
            Err(Errno::EXIST) => return Ok(None),
            Err(errno) => return Err(errno.into()),
        }
        let opened = open(&parent, &name).inspect_err(|_| {
            // Without a free file descriptor it could not be marked either.
            let _ = rustix::fs::unlinkat(parent.fd(), &name, AtFlags::REMOVEDIR);
        });
        let Some(folder) = opened? else {
            return Ok(None);
        };
        let locked = rustix::fs::flock(folder.fd(), FlockOperation::NonBlockingLockExclusive);
        // On a file system without locks, no process can take it for a leftover either.
        if locked == Err(Errno::WOULDBLOCK) {
            return Ok(None);
        }
        match folder.write(mark, b"", Mode::Plain) {
            Ok(()) => {}
            // Another process took the empty directory for a leftover before it was locked.
            Err(error) if error.io_kind() == Some(io::ErrorKind::NotFound) => return Ok(None),
            Err(crate::error::Error::Io { source, .. }) => {
                let _ = rustix::fs::unlinkat(parent.fd(), &name, AtFlags::REMOVEDIR);
                return Err(source);
            }
            Err(error) => return Err(io::Error::other(error)),
        }
        Ok(Some(Self {
            parent,
            name,
            mark,
            folder,
        }))
    }

    /// Claims the directory of a process that has ended: it has the mark, belongs to this user, and is not locked.
    ///
    /// An empty directory without the mark is removed: its process ended before it could mark it.
    pub(crate) fn leftover(parent: &Path, name: OsString, mark: &'static str) -> Option<Self> {
        let parent = open_parent(parent).ok()?;
        let folder = open(&parent, &name).ok()??;
        let user = rustix::process::geteuid().as_raw();
        let stat = rustix::fs::fstat(folder.fd()).ok()?;
        if stat.st_uid != user || stat.st_mode & 0o022 != 0 {
            return None;
        }
        rustix::fs::flock(folder.fd(), FlockOperation::NonBlockingLockExclusive).ok()?;
        let marked = rustix::fs::statat(folder.fd(), mark, AtFlags::SYMLINK_NOFOLLOW);
        let is_marked = marked.is_ok_and(|marked| {
            let is_file = FileType::from_raw_mode(marked.st_mode) == FileType::RegularFile;
            is_file && marked.st_uid == user
        });
        if !is_marked {
            // Only removes an empty directory.
            let _ = rustix::fs::unlinkat(parent.fd(), &name, AtFlags::REMOVEDIR);
            return None;
        }
        Some(Self {
            parent,
            name,
            mark,
            folder,
        })
    }

    /// Removes the directory, which usually contains only its mark.
    pub(crate) fn remove_empty(self) -> Result<(), Left> {
        let _ = rustix::fs::unlinkat(self.folder.fd(), self.mark, AtFlags::empty());
        if rustix::fs::unlinkat(self.parent.fd(), &self.name, AtFlags::REMOVEDIR).is_ok() {
            return Ok(());
        }
        let _ = self.folder.write(self.mark, b"", Mode::Plain);
        self.remove()
    }

    /// Removes the directory and everything in it. The mark is removed last, so that the rest is found again if this
    /// fails.
    pub(crate) fn remove(self) -> Result<(), Left> {
        let path = self.parent.shown().join(&self.name);
        let failed = |error: Errno| (path.clone(), error.into());
        // A process may have few file descriptors, and the removal uses `..`.
        drop(self.parent);
        for (name, _) in removal::list(self.folder.fd().as_fd()).map_err(failed)? {
            if name != "." && name != ".." && name != self.mark {
                removal::remove(self.folder.fd(), &name, &path)?;
            }
        }
        rustix::fs::unlinkat(self.folder.fd(), self.mark, AtFlags::empty()).map_err(failed)?;
        let own = Path::new("..").join(&self.name);
        rustix::fs::unlinkat(self.folder.fd(), &own, AtFlags::REMOVEDIR).map_err(failed)
    }
}

/// Opens a directory; `None` if it does not exist. A symlink or a FIFO is an error and does not block.
fn open(parent: &Folder, name: &OsStr) -> io::Result<Option<Folder>> {
    let flags =
        OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    match rustix::fs::openat(parent.fd(), name, flags, Bits::empty()) {
        Ok(fd) => Ok(Some(Folder::new(fd, &parent.shown().join(name)))),
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(errno.into()),
    }
}
