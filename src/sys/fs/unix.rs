//! The file system of Unix. Files are created and removed relative to open directories, and symlinks are never followed.

mod claim;
mod copy;
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
pub(crate) use crate::sys::fs::unix::copy::{Copier, Twin, special};
use crate::sys::fs::unix::folder::failed;
pub(crate) use crate::sys::fs::unix::folder::{Folder, is_as_made};
pub(crate) use crate::sys::fs::unix::identity::{
    Identity, can_give_away, is_mounted_noexec, is_owned, is_trusted,
};
pub(crate) use crate::sys::fs::unix::mounts::{is_mount_root, mount_below};
pub(crate) use crate::sys::fs::unix::processes::{
    end_process_group, own_process_group, parent_program,
};
pub(crate) use crate::sys::fs::unix::removal::remove_tree;
pub(crate) use crate::sys::fs::unix::umask::{status_field, umask};

/// How many bytes this user can still write on the file system of `path`; `None` if it does not tell.
pub(crate) fn free_space(path: &Path) -> Option<u64> {
    let stat = path
        .ancestors()
        .find_map(|it| rustix::fs::statvfs(it).ok())?;
    stat.f_bavail.checked_mul(stat.f_frsize)
}

/// Creates a symlink.
pub(crate) fn symlink(target: &Path, path: &Path) -> io::Result<()> {
    Ok(rustix::fs::symlink(target, path)?)
}

/// Copies a file with its mode, time and owner, as a clone if the file system supports that.
pub(crate) fn copy_file(from: &Path, to: &Path) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    fs::copy(from, to)?;
    let (old, new) = (fs::symlink_metadata(from)?, fs::symlink_metadata(to)?);
    if (old.uid(), old.gid()) != (new.uid(), new.gid()) {
        // The user may not be a member of the group, which is not an error.
        let _ = fs::os::unix::fs::lchown(to, Some(old.uid()), Some(old.gid()));
        // Changing the owner clears the setuid and setgid bits.
        fs::set_permissions(to, old.permissions())?;
    }
    // By path, since a file without write permission cannot be opened for it.
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

/// Renames a directory to a path that does not exist. Returns `false` if it exists.
///
/// If the file system cannot guarantee that, the path is checked just before the rename, which only replaces an empty
/// directory.
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

/// Exchanges two directories atomically. Returns `false` if the file system does not support that.
pub(crate) fn exchange(one: &Path, other: &Path) -> Result<bool, Error> {
    match rustix::fs::renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE) {
        Ok(()) => Ok(true),
        Err(Errno::NOSYS | Errno::INVAL | Errno::OPNOTSUPP) => Ok(false),
        Err(errno) => Err(failed("exchange", other)(errno)),
    }
}

/// Whether `path` is a file, or a link to one, that this process may execute.
pub(crate) fn is_executable(path: &Path) -> bool {
    path.is_file() && rustix::fs::access(path, Access::EXEC_OK).is_ok()
}

/// Only Windows redirects paths.
pub(crate) fn locations(_path: &Path) -> Option<(String, String)> {
    None
}

/// Fills `buffer` from this position of the file.
pub(crate) fn read_exact_at(file: &fs::File, buffer: &mut [u8], offset: u64) -> io::Result<()> {
    use std::os::unix::fs::FileExt as _;
    file.file().read_exact_at(buffer, offset)
}
