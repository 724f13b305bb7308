//! The file system of Unix: everything relative to an open folder, no symlink in a name ever followed.

mod claim;
mod folder;
mod identity;
mod processes;
mod removal;

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use fs_err as fs;
use rustix::fs::{Access, CWD, Mode as Bits, RenameFlags};
use rustix::io::Errno;

use crate::error::Error;
pub(crate) use crate::sys::fs::unix::claim::Claim;
pub(crate) use crate::sys::fs::unix::folder::Folder;
pub(crate) use crate::sys::fs::unix::identity::{
    Identity, Lock, can_give_away, is_mounted_noexec, is_owned, is_trusted,
};
pub(crate) use crate::sys::fs::unix::processes::{
    end_process_group, own_process_group, parent_program,
};
pub(crate) use crate::sys::fs::unix::removal::remove_tree;

fn failed(action: &'static str, path: &Path) -> impl FnOnce(Errno) -> Error {
    let wrap = Error::io(action, path);
    move |errno| wrap(errno.into())
}

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
        Err(errno) => return Err(failed("rename into place", to)(errno)),
    }
    if fs::symlink_metadata(to).is_ok() {
        return Ok(false);
    }
    match rustix::fs::rename(from, to) {
        Ok(()) => Ok(true),
        Err(Errno::EXIST | Errno::NOTEMPTY | Errno::NOTDIR) => Ok(false),
        Err(errno) => Err(failed("rename into place", to)(errno)),
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

/// Whether another file system (or a bind mount) begins at `path`, so that it cannot be renamed.
#[cfg(target_os = "linux")]
pub(crate) fn is_mount_root(path: &Path) -> bool {
    use rustix::fs::{AtFlags, StatxAttributes, StatxFlags};
    rustix::fs::statx(CWD, path, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::TYPE)
        .is_ok_and(|stat| stat.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
}

/// Whether another file system begins at `path`, so that it cannot be renamed.
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

/// A field of the mount table, where blanks and backslashes are three octal digits after a backslash.
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

/// Whether `path` leads to a file that this process may execute.
pub(crate) fn is_executable(path: &Path) -> bool {
    path.is_file() && rustix::fs::access(path, Access::EXEC_OK).is_ok()
}

/// Elsewhere than on Windows a path is taken for what it says.
pub(crate) fn locations(_path: &Path) -> Option<(String, String)> {
    None
}

/// The process's umask, asked once.
fn umask_bits() -> Bits {
    static UMASK: OnceLock<Bits> = OnceLock::new();
    *UMASK.get_or_init(|| {
        let said = status_field("Umask:").and_then(|octal| u32::from_str_radix(&octal, 8).ok());
        #[allow(
            clippy::useless_conversion,
            reason = "the width of a mode differs between systems"
        )]
        if let Some(Ok(umask)) = said.map(TryInto::try_into) {
            return Bits::from_raw_mode(umask);
        }
        // Elsewhere asking means setting it, which other threads would notice.
        let umask = rustix::process::umask(Bits::from_raw_mode(0o077));
        rustix::process::umask(umask);
        umask
    })
}

/// A field of what Linux says of this process when it is asked first.
pub(crate) fn status_field(name: &str) -> Option<String> {
    static STATUS: OnceLock<String> = OnceLock::new();
    let status = STATUS.get_or_init(|| {
        if !cfg!(target_os = "linux") {
            return String::new();
        }
        // One read instead of many: the size of such a file is not known before.
        let mut buffer = [0; 4096];
        let length = fs::File::open("/proc/self/status")
            .and_then(|mut status| io::Read::read(&mut status, &mut buffer))
            .unwrap_or(0);
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    });
    let value = status.lines().find_map(|line| line.strip_prefix(name))?;
    Some(value.trim().to_owned())
}

/// The process's umask.
pub(crate) fn umask() -> u32 {
    #[allow(
        clippy::useless_conversion,
        reason = "the width of a mode differs between systems"
    )]
    u32::from(umask_bits().bits())
}

/// Reads exactly as much as `buffer` holds, without moving the file's position.
pub(crate) fn read_exact_at(file: &fs::File, buffer: &mut [u8], offset: u64) -> io::Result<()> {
    use std::os::unix::fs::FileExt as _;
    file.file().read_exact_at(buffer, offset)
}
