//! Identity, ownership and locks of files.

use std::io;
use std::os::windows::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use fs_err as fs;
use fs_err::os::windows::fs::OpenOptionsExt as _;
use serde::{Deserialize, Serialize};

/// The user's own cache folder is protected by its access control list.
#[expect(
    clippy::unnecessary_wraps,
    reason = "the signature of the other systems"
)]
pub(crate) fn is_trusted(_path: &Path) -> Result<(), String> {
    Ok(())
}

/// Whoever could write there could as well be us.
pub(crate) fn is_owned(path: &Path) -> bool {
    path.exists()
}

/// There is no such way to mount here.
pub(crate) fn is_mounted_noexec(_path: &Path) -> bool {
    false
}

/// Owners are no obstacle here.
pub(crate) fn can_give_away(_path: &Path) -> bool {
    true
}

/// What tells one state of a file from another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    path: PathBuf,
    size: u64,
    created: u64,
    written: u64,
}

impl Identity {
    /// The identity of what `path` leads to; `None` if that is nothing.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let metadata = fs::metadata(path).ok()?;
        Some(Self {
            path: fs::canonicalize(path).ok()?,
            size: metadata.file_size(),
            created: metadata.creation_time(),
            written: metadata.last_write_time(),
        })
    }
}

/// A lock that ends with its process: a file that no other process can open, deleted when it is closed.
#[derive(Debug)]
pub(crate) struct Lock(
    #[expect(dead_code, reason = "holding it open is all that it is for")] fs::File,
);

impl Lock {
    /// Locks a file, or a directory by a file next to it; `None` if it is locked.
    pub(crate) fn try_exclusive(path: &Path) -> io::Result<Option<Self>> {
        const SHARING_VIOLATION: i32 = 32;
        const GENERIC_WRITE: u32 = 0x4000_0000;
        const DELETE: u32 = 0x0001_0000;
        const DELETE_ON_CLOSE: u32 = 0x0400_0000;
        let path = if path.is_dir() {
            path.join("lock")
        } else {
            path.to_path_buf()
        };
        match fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .access_mode(GENERIC_WRITE | DELETE)
            .custom_flags(DELETE_ON_CLOSE)
            .share_mode(0)
            .open(&path)
        {
            Ok(file) => Ok(Some(Self(file))),
            Err(error) if error.raw_os_error() == Some(SHARING_VIOLATION) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Locking makes the file.
    #[expect(
        clippy::unnecessary_wraps,
        reason = "the signature of the other systems"
    )]
    pub(crate) fn prepare(_path: &Path) -> io::Result<()> {
        Ok(())
    }
}
