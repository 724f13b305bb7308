//! Mount points.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use fs_err as fs;

/// Whether `path` is a mount point (or bind mount), which cannot be renamed.
#[cfg(target_os = "linux")]
pub(crate) fn is_mount_root(path: &Path) -> bool {
    use rustix::fs::{AtFlags, StatxAttributes, StatxFlags};
    rustix::fs::statx(
        rustix::fs::CWD,
        path,
        AtFlags::SYMLINK_NOFOLLOW,
        StatxFlags::TYPE,
    )
    .is_ok_and(|stat| stat.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
}

/// Whether `path` is a mount point, which cannot be renamed.
#[cfg(not(target_os = "linux"))]
pub(crate) fn is_mount_root(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let device = |path: &Path| {
        fs::symlink_metadata(path)
            .map(|metadata| metadata.dev())
            .ok()
    };
    path.parent()
        .is_some_and(|parent| device(path) != device(parent))
}

/// A mount point below `path`, if there is one.
pub(crate) fn mount_below(path: &Path) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStrExt as _;
    let real = fs::canonicalize(path).ok()?;
    if let Ok(table) = fs::read("/proc/self/mounts") {
        let points = table
            .split(|&byte| byte == b'\n')
            .filter_map(|line| line.split(|&byte| byte == b' ').nth(1))
            .map(unescaped);
        let mut points = points.map(|point| PathBuf::from(OsStr::from_bytes(&point)));
        return points.find(|point| *point != real && point.starts_with(&real));
    }
    let mut folders = walkdir::WalkDir::new(&real)
        .min_depth(1)
        .into_iter()
        .flatten();
    let found = folders.find(|entry| entry.file_type().is_dir() && is_mount_root(entry.path()));
    found.map(walkdir::DirEntry::into_path)
}

/// A field of the mount table, in which spaces and backslashes are octal escapes.
fn unescaped(field: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = field;
    while let Some((&first, after)) = rest.split_first() {
        let digits = after
            .get(..3)
            .and_then(|digits| str::from_utf8(digits).ok());
        let number = digits.and_then(|digits| u8::from_str_radix(digits, 8).ok());
        if let Some(number) = number.filter(|_| first == b'\\') {
            bytes.push(number);
            rest = &after[3..];
        } else {
            bytes.push(first);
            rest = after;
        }
    }
    bytes
}
