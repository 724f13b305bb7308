//! The file system of Windows. Paths are used instead of open directories.

mod claim;
mod copy;
mod folder;
mod identity;
mod removal;

use std::io;
use std::os::windows::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use fs_err as fs;

use crate::error::Error;
use crate::sys::fs::types::Group;
pub(crate) use crate::sys::fs::windows::claim::Claim;
pub(crate) use crate::sys::fs::windows::copy::{Copier, Twin, special};
pub(crate) use crate::sys::fs::windows::folder::{Folder, is_as_made, symlink};
pub(crate) use crate::sys::fs::windows::identity::{
    Identity, can_give_away, is_mounted_noexec, is_owned, is_trusted,
};
pub(crate) use crate::sys::fs::windows::removal::{is_mount_root, remove_tree};

/// Copies a file with its attributes and time.
pub(crate) fn copy_file(from: &Path, to: &Path) -> io::Result<()> {
    fs::copy(from, to).map(drop)
}

/// Renames a directory to a path that does not exist. Returns `false` if it exists.
pub(crate) fn rename_new(from: &Path, to: &Path) -> Result<bool, Error> {
    if fs::symlink_metadata(to).is_ok() {
        return Ok(false);
    }
    // On Windows a rename does not replace a directory. It fails if one was created in the meantime.
    match fs::rename(from, to) {
        Ok(()) => Ok(true),
        Err(_) if fs::symlink_metadata(to).is_ok() => Ok(false),
        Err(error) => Err(Error::io("rename to", to)(error)),
    }
}

/// Windows cannot exchange two directories atomically.
#[expect(
    clippy::unnecessary_wraps,
    reason = "the signature of the other systems"
)]
pub(crate) fn exchange(_one: &Path, _other: &Path) -> Result<bool, Error> {
    Ok(false)
}

/// Whether `path` is a file that can be started.
///
/// Programs from the Store are links that cannot be read, in a directory of their own. The same without such a
/// directory is the stub that opens the Store.
pub(crate) fn is_executable(path: &Path) -> bool {
    let is_of_store = || {
        let folder = path.parent().and_then(Path::file_name).unwrap_or_default();
        let folder = folder.as_encoded_bytes();
        folder.starts_with(b"PythonSoftwareFoundation.Python.")
            && fs::symlink_metadata(path).is_ok()
    };
    path.is_file() || is_of_store()
}

/// The path without short names (`PROGRA~1`, gh-90329), and its final path.
pub(crate) fn locations(path: &Path) -> Option<(String, String)> {
    let mut long = PathBuf::new();
    for component in path.components() {
        long.push(component);
        let is_link = || fs::symlink_metadata(&long).is_ok_and(|metadata| metadata.is_symlink());
        if component.as_os_str().as_encoded_bytes().contains(&b'~') && !is_link() {
            let real = fs::canonicalize(&long).ok()?;
            long.set_file_name(real.file_name()?);
        }
    }
    let real = fs::canonicalize(path).ok()?;
    let real = real.to_str()?;
    let actual = match real.strip_prefix(r"\\?\UNC\") {
        Some(share) => format!(r"\\{share}"),
        None => real.strip_prefix(r"\\?\").unwrap_or(real).to_owned(),
    };
    Some((long.to_str()?.to_owned(), actual))
}

/// On Windows a mount point moves with its directory.
pub(crate) fn mount_below(_path: &Path) -> Option<PathBuf> {
    None
}

/// Windows has no such file.
pub(crate) fn status_field(_name: &str) -> Option<String> {
    None
}

/// Windows has no umask.
pub(crate) fn umask() -> u32 {
    0
}

/// A child receives the console's signals anyway.
pub(crate) fn own_process_group(_command: &mut Command) {}

/// Ends a child.
pub(crate) fn end_process_group(child: &mut Child, _group: Group, _came: Option<i32>) {
    let _ = child.kill();
    let _ = child.wait();
}

/// Fills `buffer` from this position of the file.
pub(crate) fn read_exact_at(
    file: &fs::File,
    mut buffer: &mut [u8],
    mut offset: u64,
) -> io::Result<()> {
    while !buffer.is_empty() {
        let read = file.file().seek_read(buffer, offset)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        buffer = &mut buffer[read..];
        offset += read as u64;
    }
    Ok(())
}

/// Not available on Windows, where shells are detected by their variables.
pub(crate) fn parent_program() -> Option<String> {
    None
}

/// Not asked for.
pub(crate) fn free_space(_path: &Path) -> Option<u64> {
    None
}
