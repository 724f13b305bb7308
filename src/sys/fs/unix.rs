//! The file system of Unix. Files are created and removed relative to open directories, and symlinks are never followed.

mod claim;
mod folder;
mod identity;
mod mounts;
mod processes;
mod removal;
mod umask;

use std::io;
use std::path::Path;

use fs_err as fs;
use rustix::fs::{Access, CWD, RenameFlags};
use rustix::io::Errno;

use crate::error::Error;
pub(crate) use crate::sys::fs::unix::claim::Claim;
pub(crate) use crate::sys::fs::unix::folder::Folder;
use crate::sys::fs::unix::folder::failed;
pub(crate) use crate::sys::fs::unix::identity::{
    Identity, Lock, can_give_away, is_mounted_noexec, is_owned, is_trusted,
};
pub(crate) use crate::sys::fs::unix::mounts::{is_mount_root, mount_below};
pub(crate) use crate::sys::fs::unix::processes::{
    end_process_group, own_process_group, parent_program,
};
pub(crate) use crate::sys::fs::unix::removal::remove_tree;
pub(crate) use crate::sys::fs::unix::umask::{status_field, umask};

/// Makes a symlink at a path.
pub(crate) fn symlink(target: &Path, path: &Path) -> io::Result<()> {
    Ok(rustix::fs::symlink(target, path)?)
}

/// Copies a file with its mode, time and owner; the copy shares its blocks where the file system can.
pub(crate) fn copy_file(from: &Path, to: &Path) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    fs::copy(from, to)?;
    let (old, new) = (fs::symlink_metadata(from)?, fs::symlink_metadata(to)?);
    if (old.uid(), old.gid()) != (new.uid(), new.gid()) {
        // A group that the user is no member of is no reason to fail.
        let _ = fs::os::unix::fs::lchown(to, Some(old.uid()), Some(old.gid()));
        // Another owner takes the bits of setuid and setgid.
        fs::set_permissions(to, old.permissions())?;
    }
    // By path, since a file without the permission to write cannot be opened for it.
    let time = |seconds, nanoseconds| rustix::fs::Timespec {
        tv_sec: seconds,
        tv_nsec: nanoseconds,
    };
    let times = rustix::fs::Timestamps {
        last_access: time(old.atime(), old.atime_nsec()),
        last_modification: time(old.mtime(), old.mtime_nsec()),
    };
    Ok(rustix::fs::utimensat(
        CWD,
        to,
        &times,
        rustix::fs::AtFlags::SYMLINK_NOFOLLOW,
    )?)
}

/// Renames a folder to a name that nothing has; `false` if something has it.
///
/// Where the file system cannot promise that, the check comes just before the rename, which replaces nothing but an empty
/// folder.
pub(crate) fn rename_new(from: &Path, to: &Path) -> Result<bool, Error> {
    match rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Ok(()) => return Ok(true),
        Err(Errno::EXIST) => return Ok(false),
        Err(Errno::NOSYS | Errno::INVAL | Errno::OPNOTSUPP) => {}
        Err(errno) => return Err(failed("rename to", to)(errno)),
    }
    if fs::symlink_metadata(to).is_ok() {
        return Ok(false);
    }
    match rustix::fs::rename(from, to) {
        Ok(()) => Ok(true),
        Err(Errno::EXIST | Errno::NOTEMPTY | Errno::NOTDIR) => Ok(false),
        Err(errno) => Err(failed("rename to", to)(errno)),
    }
}

/// Exchanges two folders at one instant; `false` where the file system cannot.
pub(crate) fn exchange(one: &Path, other: &Path) -> Result<bool, Error> {
    match rustix::fs::renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE) {
        Ok(()) => Ok(true),
        Err(Errno::NOSYS | Errno::INVAL | Errno::OPNOTSUPP) => Ok(false),
        Err(errno) => Err(failed("exchange", other)(errno)),
    }
}

/// Whether `path` leads to a file that this process may execute.
pub(crate) fn is_executable(path: &Path) -> bool {
    path.is_file() && rustix::fs::access(path, Access::EXEC_OK).is_ok()
}

/// Only Windows redirects paths.
pub(crate) fn locations(_path: &Path) -> Option<(String, String)> {
    None
}

/// Reads exactly as much as `buffer` holds, without moving the file's position.
pub(crate) fn read_exact_at(file: &fs::File, buffer: &mut [u8], offset: u64) -> io::Result<()> {
    use std::os::unix::fs::FileExt as _;
    file.file().read_exact_at(buffer, offset)
}
