//! The file system: every write, link, rename and removal, with the same functions for every system.

use std::io::{self, Read as _, Write as _};
use std::path::Path;

use crate::error::{Error, errno};

mod types;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::fs::FileType;

pub(crate) use crate::sys::fs::types::{Group, Left, Mode};
#[cfg(unix)]
pub(crate) use crate::sys::fs::unix::{
    Claim, Folder, Identity, Lock, can_give_away, copy_file, end_process_group, exchange,
    is_executable, is_mount_root, is_mounted_noexec, is_owned, is_trusted, locations, mount_below,
    own_process_group, parent_program, read_exact_at, remove_tree, rename_new, status_field,
    symlink, umask,
};
#[cfg(windows)]
pub(crate) use crate::sys::fs::windows::{
    Claim, Folder, Identity, Lock, can_give_away, copy_file, end_process_group, exchange,
    is_executable, is_mount_root, is_mounted_noexec, is_owned, is_trusted, locations, mount_below,
    own_process_group, parent_program, read_exact_at, remove_tree, rename_new, status_field,
    symlink, umask,
};

/// The most that is read of a text that a person could have written, in bytes.
const TEXT_LIMIT: u64 = 1 << 20;

/// Whether something is a socket, a fifo or a device.
pub(crate) fn is_special(file_type: FileType) -> bool {
    !file_type.is_file() && !file_type.is_dir() && !file_type.is_symlink()
}

/// Writes a file outside of any stage, with the folders above it, by temporary name and rename.
pub(crate) fn write_elsewhere(path: &Path, pieces: &[&[u8]]) -> Result<(), Error> {
    let folder = path.parent().unwrap_or(path);
    let written = fs_err::create_dir_all(folder).and_then(|()| {
        // With the permissions of any new file; those of a temporary one are its owner's alone.
        let mut options = fs_err::OpenOptions::new();
        let open = |path: &Path| options.write(true).create_new(true).open(path);
        let mut file = tempfile::Builder::new().make_in(folder, open)?;
        pieces.iter().try_for_each(|piece| file.write_all(piece))?;
        file.persist(path).map(drop).map_err(|error| error.error)
    });
    written.map_err(Error::io("write", path))
}

/// The system's own error, without the path that `fs_err` adds: ours names the path already.
pub(crate) fn bare(error: io::Error) -> io::Error {
    match errno(&error) {
        Some(number) => io::Error::from_raw_os_error(number),
        None if error.kind() == io::ErrorKind::Other => error,
        None => error.kind().into(),
    }
}

/// A short file's text, whatever bytes are in it.
pub(crate) fn text(path: &Path) -> io::Result<String> {
    if !fs_err::metadata(path)?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let mut bytes = Vec::new();
    fs_err::File::open(path)?
        .take(TEXT_LIMIT)
        .read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
