//! Removes a tree. Symlinks and junctions are not followed. What cannot be removed is returned.

use std::io;
use std::os::windows::fs::MetadataExt as _;
use std::path::Path;

use fs_err as fs;

use crate::sys::fs::types::Left;

/// Removes `path` and everything below it. Continues after errors and returns the first path that could not be removed.
pub(crate) fn remove_tree(path: &Path) -> Result<(), Left> {
    let mut left = None;
    remove_stubborn(path, &mut left);
    left.map_or(Ok(()), Err)
}

fn remove_stubborn(path: &Path, left: &mut Option<Left>) {
    let is_dir = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir());
    let removed = if !is_dir {
        remove_leaf(path)
    } else if is_mount_root(path) {
        Err(io::Error::new(
            io::ErrorKind::ResourceBusy,
            "another file system is mounted there",
        ))
    } else {
        make_accessible(path);
        // Only the paths: an entry keeps its directory open, and a deep tree has more levels than a process may open
        // files.
        let entries = fs::read_dir(path).into_iter().flatten().flatten();
        let paths: Vec<_> = entries.map(|entry| entry.path()).collect();
        for path in paths {
            remove_stubborn(&path, left);
        }
        fs::remove_dir(path)
    };
    if let Err(error) = removed {
        // The error of the deepest one is the cause of the others.
        if error.kind() != io::ErrorKind::NotFound && left.is_none() {
            *left = Some((path.into(), error));
        }
    }
}

/// Windows does not delete read-only files, and deletes links to directories like directories.
fn remove_leaf(path: &Path) -> io::Result<()> {
    if fs::remove_file(path).is_ok() {
        return Ok(());
    }
    make_accessible(path);
    fs::remove_file(path).or_else(|error| fs::remove_dir(path).map_err(|_| error))
}

/// Makes a file or directory deletable (mode 000, read-only).
pub(crate) fn make_accessible(path: &Path) {
    let Ok(metadata) = fs::symlink_metadata(path) else {
        return;
    };
    let mut permissions = metadata.permissions();
    #[allow(
        clippy::permissions_set_readonly_false,
        reason = "on Windows this is only the read-only attribute"
    )]
    permissions.set_readonly(false);
    let _ = fs::set_permissions(path, permissions);
}

/// Whether `path` is a mount point or junction, which looks like a link.
pub(crate) fn is_mount_root(path: &Path) -> bool {
    const REPARSE_POINT: u32 = 0x400;
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.file_attributes() & REPARSE_POINT != 0)
}
