//! Identity and ownership of files.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use fs_err as fs;
use serde::{Deserialize, Serialize};

/// Checks that a file or directory belongs to the current user or root, and that nobody else can write to it.
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

/// Whether the target of `path` belongs to the current user or root.
pub(crate) fn is_owned(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| {
        metadata.uid() == 0 || metadata.uid() == rustix::process::geteuid().as_raw()
    })
}

/// Whether the target of `path` is on a file system mounted with noexec.
pub(crate) fn is_mounted_noexec(path: &Path) -> bool {
    // ST_NOEXEC, which only Linux has.
    const NOEXEC: u64 = 8;
    cfg!(target_os = "linux")
        && rustix::fs::statvfs(path).is_ok_and(|it| it.f_flag.bits() & NOEXEC != 0)
}

/// Whether this process can create a directory with the owner of `path`.
pub(crate) fn can_give_away(path: &Path) -> bool {
    let user = rustix::process::geteuid();
    user.is_root()
        || fs::symlink_metadata(path).is_ok_and(|metadata| metadata.uid() == user.as_raw())
}

/// The state of a file. Changes of the contents, the owner and the mode all change `ctime`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    device: u64,
    inode: u64,
    size: u64,
    mtime: (i64, i64),
    ctime: (i64, i64),
}

impl Identity {
    /// The identity of the target of `path`; `None` if it does not exist.
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
