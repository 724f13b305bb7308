//! Identity, ownership and locks of files.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use fs_err as fs;
use rustix::fs::{FlockOperation, Mode as Bits, OFlags};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

/// Whether a folder or file belongs to the current user (or root) and nobody else can write it.
pub(crate) fn is_trusted(path: &Path) -> Result<(), String> {
    let metadata = fs::symlink_metadata(path).map_err(|error| error.to_string())?;
    let owner = metadata.uid();
    if metadata.is_symlink() {
        return Err(format!("{} is a symlink", path.display()));
    }
    if owner != 0 && owner != rustix::process::geteuid().as_raw() {
        return Err(format!(
            "{} belongs to another user ({owner})",
            path.display()
        ));
    }
    if metadata.mode() & 0o022 != 0 {
        return Err(format!("{} is writable by others", path.display()));
    }
    Ok(())
}

/// Whether what `path` leads to belongs to the current user or root.
pub(crate) fn is_owned(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| {
        metadata.uid() == 0 || metadata.uid() == rustix::process::geteuid().as_raw()
    })
}

/// Whether what `path` leads to is on a file system that lets nothing be executed.
pub(crate) fn is_mounted_noexec(path: &Path) -> bool {
    // ST_NOEXEC, which Linux alone has.
    const NOEXEC: u64 = 8;
    cfg!(target_os = "linux")
        && rustix::fs::statvfs(path).is_ok_and(|it| it.f_flag.bits() & NOEXEC != 0)
}

/// Whether a folder of ours can get the owner that `path` has.
pub(crate) fn can_give_away(path: &Path) -> bool {
    let user = rustix::process::geteuid();
    user.is_root()
        || fs::symlink_metadata(path).is_ok_and(|metadata| metadata.uid() == user.as_raw())
}

/// What tells one state of a file from another: changes of content, owner and mode all move `ctime`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    device: u64,
    inode: u64,
    size: u64,
    mtime: (i64, i64),
    ctime: (i64, i64),
}

impl Identity {
    /// The identity of what `path` leads to; `None` if that is nothing.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let metadata = fs::metadata(path).ok()?;
        Some(Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            mtime: (metadata.mtime(), metadata.mtime_nsec()),
            ctime: (metadata.ctime(), metadata.ctime_nsec()),
        })
    }
}

/// A lock that ends with its holder, however that ends.
#[derive(Debug)]
pub(crate) struct Lock(
    #[expect(dead_code, reason = "holding it open is all that it is for")] OwnedFd,
);

impl Lock {
    /// Locks a file; `None` if somebody holds it, an error where the file system has no locks.
    pub(crate) fn try_exclusive(path: &Path) -> io::Result<Option<Self>> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let fd = rustix::fs::open(path, flags, Bits::empty())?;
        match rustix::fs::flock(&fd, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(Self(fd))),
            Err(Errno::WOULDBLOCK) => Ok(None),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Makes sure of a file that can be locked.
    pub(crate) fn prepare(path: &Path) -> io::Result<()> {
        let mut options = fs::OpenOptions::new();
        options.append(true).create(true).open(path).map(drop)
    }
}
