//! The file system of Windows. Paths are used where Unix has open directories.

mod claim;
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
pub(crate) use crate::sys::fs::windows::folder::{Folder, symlink};
pub(crate) use crate::sys::fs::windows::identity::{
    Identity, Lock, can_give_away, is_mounted_noexec, is_owned, is_trusted,
};
pub(crate) use crate::sys::fs::windows::removal::{is_mount_root, remove_tree};

/// Copies a file with its attributes and its time.
pub(crate) fn copy_file(from: &Path, to: &Path) -> io::Result<()> {
    fs::copy(from, to).map(drop)
}

/// Renames a folder to a name that nothing has; `false` if something has it.
pub(crate) fn rename_new(from: &Path, to: &Path) -> Result<bool, Error> {
    if fs::symlink_metadata(to).is_ok() {
        return Ok(false);
    }
    // A rename does not replace a directory on Windows; it fails if one was created meanwhile.
    match fs::rename(from, to) {
        Ok(()) => Ok(true),
        Err(_) if fs::symlink_metadata(to).is_ok() => Ok(false),
        Err(error) => Err(Error::io("rename to", to)(error)),
    }
}

/// Windows cannot exchange two folders at one instant.
#[expect(
    clippy::unnecessary_wraps,
    reason = "the signature of the other systems"
)]
pub(crate) fn exchange(_one: &Path, _other: &Path) -> Result<bool, Error> {
    Ok(false)
}

/// Whether `path` leads to a file that can be started.
///
/// What the Store installs is a link that nothing can be read through, in a folder of its own; the same without such a folder
/// is the stub that opens the Store.
pub(crate) fn is_executable(path: &Path) -> bool {
    let is_of_store = || {
        let folder = path.parent().and_then(Path::file_name).unwrap_or_default();
        let folder = folder.as_encoded_bytes();
        folder.starts_with(b"PythonSoftwareFoundation.Python.")
            && fs::symlink_metadata(path).is_ok()
    };
    path.is_file() || is_of_store()
}

/// A path with the long forms of its short names (`PROGRA~1`, gh-90329), and where it really leads.
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

/// What is mounted on Windows moves with the folder that it is in.
pub(crate) fn mount_below(_path: &Path) -> Option<PathBuf> {
    None
}

/// There is no such file on Windows.
pub(crate) fn status_field(_name: &str) -> Option<String> {
    None
}

/// Windows has no umask.
pub(crate) fn umask() -> u32 {
    0
}

/// A child gets the console's signals with us; there is nothing to set.
pub(crate) fn own_process_group(_command: &mut Command) {}

/// Ends a child.
pub(crate) fn end_process_group(child: &mut Child, _group: Group, _came: Option<i32>) {
    let _ = child.kill();
    let _ = child.wait();
}

/// Reads exactly as much as `buffer` holds.
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

/// Not known on Windows, where the shells are recognized by their variables.
pub(crate) fn parent_program() -> Option<String> {
    None
}
