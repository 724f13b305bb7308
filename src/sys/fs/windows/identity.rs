//! Identity and ownership of files.

use std::os::windows::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use fs_err as fs;
use serde::{Deserialize, Serialize};

/// The user's cache directory is protected by its access control list.
#[expect(
    clippy::unnecessary_wraps,
    reason = "the signature of the other systems"
)]
pub(crate) fn is_trusted(_path: &Path) -> Result<(), String> {
    Ok(())
}

/// Anybody who could write there has the same permissions as this user.
pub(crate) fn is_owned(path: &Path) -> bool {
    path.exists()
}

/// Windows has no noexec mounts.
pub(crate) fn is_mounted_noexec(_path: &Path) -> bool {
    false
}

/// The owner does not matter on Windows.
pub(crate) fn can_give_away(_path: &Path) -> bool {
    true
}

/// The state of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    path: PathBuf,
    size: u64,
    created: u64,
    written: u64,
}

impl Identity {
    /// The identity of the target of `path`; `None` if it does not exist.
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
