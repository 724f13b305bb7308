//! The file system of Unix: everything relative to an open folder, no symlink in a name ever followed.

mod folder;
mod identity;
mod processes;

use std::io;
use std::path::Path;
use std::sync::OnceLock;

use fs_err as fs;
use rustix::fs::{Access, CWD, Mode as Bits, RenameFlags};
use rustix::io::Errno;

use crate::error::Error;
pub(crate) use folder::Folder;
pub(crate) use identity::{Identity, Lock, can_give_away, is_trusted};
pub(crate) use processes::{end_process_group, own_process_group, parent_program};

fn failed(action: &'static str, path: &Path) -> impl FnOnce(Errno) -> Error {
    let wrap = Error::io(action, path);
    move |errno| wrap(errno.into())
}

/// Makes a symlink at a path.
pub(crate) fn symlink(target: &Path, path: &Path) -> io::Result<()> {
    Ok(rustix::fs::symlink(target, path)?)
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

/// Whether `path` leads to a file that this process may execute.
pub(crate) fn is_executable(path: &Path) -> bool {
    path.is_file() && rustix::fs::access(path, Access::EXEC_OK).is_ok()
}

/// Elsewhere than on Windows a path is taken for what it says.
pub(crate) fn locations(_path: &Path) -> Option<(String, String)> {
    None
}

/// The process's umask, asked once: asking means setting it, which other threads would notice.
fn umask_bits() -> Bits {
    static UMASK: OnceLock<Bits> = OnceLock::new();
    *UMASK.get_or_init(|| {
        let umask = rustix::process::umask(Bits::from_raw_mode(0o077));
        rustix::process::umask(umask);
        umask
    })
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
