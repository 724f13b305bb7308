//! The file system: every write, link, rename and removal, with the same functions on every system.

use std::io::{self, Read as _, Write as _};
use std::path::Path;

use crate::error::{Error, errno};

mod sharing;
mod types;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::fs::FileType;

pub(crate) use crate::sys::fs::sharing::Sharing;
pub(crate) use crate::sys::fs::types::{Group, Left, Mode, Rewriter};
#[cfg(unix)]
pub(crate) use crate::sys::fs::unix::{
    Claim, Copier, Folder, Identity, Twin, can_give_away, copy_file, end_process_group, exchange,
    free_space, is_as_made, is_executable, is_mount_root, is_mounted_noexec, is_owned, is_trusted,
    locations, mount_below, own_process_group, parent_program, read_exact_at, remove_tree,
    rename_new, special, status_field, symlink, umask,
};
#[cfg(windows)]
pub(crate) use crate::sys::fs::windows::{
    Claim, Copier, Folder, Identity, Twin, can_give_away, copy_file, end_process_group, exchange,
    free_space, is_as_made, is_executable, is_mount_root, is_mounted_noexec, is_owned, is_trusted,
    locations, mount_below, own_process_group, parent_program, read_exact_at, remove_tree,
    rename_new, special, status_field, symlink, umask,
};

/// How much of a text file is read, in bytes.
const TEXT_LIMIT: u64 = 1 << 20;

/// Whether this is a socket, a FIFO or a device.
pub(crate) fn is_special(file_type: FileType) -> bool {
    !file_type.is_file() && !file_type.is_dir() && !file_type.is_symlink()
}

/// Writes a file outside of a stage and creates its parents; atomically, through a temporary file.
pub(crate) fn write_elsewhere(path: &Path, pieces: &[&[u8]]) -> Result<(), Error> {
    let folder = path.parent().unwrap_or(path);
    let written = fs_err::create_dir_all(folder).and_then(|()| {
        // With the permissions of a new file; a temporary file is only accessible to its owner.
        let mut options = fs_err::OpenOptions::new();
        let open = |path: &Path| options.write(true).create_new(true).open(path);
        let mut file = tempfile::Builder::new().make_in(folder, open)?;
        pieces.iter().try_for_each(|piece| file.write_all(piece))?;
        file.persist(path).map(drop).map_err(|error| error.error)
    });
    written.map_err(Error::io("write", path))
}

/// Replaces a file by one that begins with `head` and ends with the rest of `rest`. The permissions are kept.
pub(crate) fn replace_file(path: &Path, head: &[u8], rest: &fs_err::File) -> Result<(), Error> {
    let replaced = (|| {
        let permissions = fs_err::symlink_metadata(path)?.permissions();
        let mut file = tempfile::NamedTempFile::new_in(path.parent().unwrap_or(path))?;
        file.write_all(head)?;
        io::copy(&mut rest.file(), file.as_file_mut())?;
        fs_err::set_permissions(file.path(), permissions)?;
        file.persist(path).map(drop).map_err(|error| error.error)
    })();
    replaced.map_err(Error::io("write", path))
}

/// Replaces the target of a symlink.
pub(crate) fn replace_link(path: &Path, target: &Path) -> Result<(), Error> {
    let folder = path.parent().unwrap_or(path);
    let made = tempfile::Builder::new().make_in(folder, |path| symlink(target, path));
    let replaced = made.and_then(|link| link.persist(path).map_err(|error| error.error));
    replaced.map(drop).map_err(Error::io("write", path))
}

/// The system's error without the path that `fs_err` adds, since our message contains it.
pub(crate) fn bare(error: io::Error) -> io::Error {
    match errno(&error) {
        Some(number) => io::Error::from_raw_os_error(number),
        None if error.kind() == io::ErrorKind::Other => error,
        None => error.kind().into(),
    }
}

/// The text of a short file; invalid UTF-8 is replaced.
pub(crate) fn text(path: &Path) -> io::Result<String> {
    if !fs_err::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut bytes = Vec::new();
    fs_err::File::open(path)?
        .take(TEXT_LIMIT)
        .read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
