//! Removes a tree relative to an open directory. Symlinks are not followed and other file systems are not entered. What
//! cannot be removed is returned.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Mode as Bits, OFlags};
use rustix::io::Errno;

use crate::sys::fs::types::Left;
use crate::sys::fs::unix::folder::open_parent;

/// How many directories of a deep tree are kept open: a process may have few file descriptors, and `..` leads back.
const OPEN: usize = 1;
const FOLDER: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::NONBLOCK)
    .union(OFlags::CLOEXEC);

/// Removes `path` and everything below it. Continues after errors and returns the first path that could not be removed.
pub(crate) fn remove_tree(path: &Path) -> Result<(), Left> {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return Err((path.into(), io::ErrorKind::InvalidInput.into()));
    };
    let parent = if parent.as_os_str().is_empty() {
        Path::new(".")
    } else {
        parent
    };
    match open_parent(parent) {
        Ok(folder) => remove(folder.fd(), name, parent),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err((path.into(), error)),
    }
}

/// A directory that is being removed.
struct Level {
    /// `None` if too many others are open.
    fd: Option<OwnedFd>,
    device: u64,
    inode: u64,
    /// Its name in the parent.
    name: OsString,
    /// The subdirectories that are not removed yet.
    folders: Vec<OsString>,
}

/// The state of a removal.
struct Removal<'a> {
    base: BorrowedFd<'a>,
    shown: &'a Path,
    levels: Vec<Level>,
    left: Option<Left>,
}

/// Removes the entry `name` of `base`, which is `shown` in messages.
pub(crate) fn remove(base: &OwnedFd, name: &OsStr, shown: &Path) -> Result<(), Left> {
    let mut removal = Removal {
        base: base.as_fd(),
        shown,
        levels: Vec::new(),
        left: None,
    };
    match rustix::fs::unlinkat(base, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => return Ok(()),
        // Linux returns EISDIR, POSIX EPERM.
        Err(Errno::ISDIR | Errno::PERM | Errno::ACCESS) => {}
        Err(errno) => return Err((shown.join(name), errno.into())),
    }
    removal.enter(name.to_owned());
    while let Some(level) = removal.levels.last_mut() {
        match level.folders.pop() {
            Some(name) => removal.enter(name),
            None => {
                if !removal.leave() {
                    break;
                }
            }
        }
    }
    removal.left.map_or(Ok(()), Err)
}

impl Removal<'_> {
    /// The directory that is being emptied.
    fn current(&self) -> BorrowedFd<'_> {
        let last = self.levels.last().and_then(|level| level.fd.as_ref());
        last.map_or(self.base, AsFd::as_fd)
    }

    fn keep(&mut self, name: Option<&OsStr>, error: impl Into<io::Error>) {
        let error = error.into();
        // The error of the deepest one is the cause of the others.
        if error.kind() != io::ErrorKind::NotFound && self.left.is_none() {
            let names = self.levels.iter().map(|level| level.name.as_os_str());
            let mut path: PathBuf = self.shown.into();
            path.extend(names.chain(name));
            self.left = Some((path, error));
        }
    }

    /// Opens a subdirectory and removes everything in it that is not a directory.
    fn enter(&mut self, name: OsString) {
        let level = match open(self.current(), &name) {
            Ok(level) => level,
            Err(Errno::NOTDIR | Errno::LOOP) => {
                // It was replaced by a symlink, or its type was unknown.
                if let Err(errno) = rustix::fs::unlinkat(self.current(), &name, AtFlags::empty()) {
                    self.keep(Some(&name), errno);
                }
                return;
            }
            Err(Errno::BUSY) => {
                let reason = "another file system is mounted there";
                let error = io::Error::new(io::ErrorKind::ResourceBusy, reason);
                return self.keep(Some(&name), error);
            }
            Err(errno) => return self.keep(Some(&name), errno),
        };
        self.levels.push(Level { name, ..level });
        if let Some(far) = self.levels.len().checked_sub(OPEN + 1) {
            self.levels[far].fd = None;
        }
        let entries = match list(self.current()) {
            Ok(entries) => entries,
            Err(errno) => return self.keep(None, errno),
        };
        let mut folders = Vec::new();
        for (name, kind) in entries {
            if name == "." || name == ".." {
                continue;
            }
            if kind == FileType::Directory {
                folders.push(name);
                continue;
            }
            match rustix::fs::unlinkat(self.current(), &name, AtFlags::empty()) {
                Ok(()) => {}
                Err(Errno::ISDIR) => folders.push(name),
                Err(Errno::PERM) if kind == FileType::Unknown => folders.push(name),
                Err(errno) => self.keep(Some(&name), errno),
            }
        }
        if let Some(level) = self.levels.last_mut() {
            level.folders = folders;
        }
    }

    /// Returns to the parent and removes the empty directory. Returns `false` if that is not possible.
    fn leave(&mut self) -> bool {
        let depth = self.levels.len();
        if depth > 1 && self.levels[depth - 2].fd.is_none() {
            let above = &self.levels[depth - 2];
            match open(self.current(), OsStr::new("..")) {
                Ok(found) if (found.device, found.inode) == (above.device, above.inode) => {
                    self.levels[depth - 2].fd = found.fd;
                }
                _ => {
                    let error = io::Error::other("it was moved during the removal");
                    self.keep(None, error);
                    return false;
                }
            }
        }
        let Some(level) = self.levels.pop() else {
            return false;
        };
        drop(level.fd);
        let removed = rustix::fs::unlinkat(self.current(), &level.name, AtFlags::REMOVEDIR);
        if let Err(errno) = removed {
            self.keep(Some(&level.name), errno);
        }
        true
    }
}

/// The entries of an open directory, listed without another file descriptor.
#[cfg(target_os = "linux")]
pub(crate) fn list(folder: BorrowedFd<'_>) -> rustix::io::Result<Vec<(OsString, FileType)>> {
    rustix::fs::seek(folder, rustix::fs::SeekFrom::Start(0))?;
    let mut buffer = Vec::with_capacity(32 << 10);
    let mut entries = rustix::fs::RawDir::new(folder, buffer.spare_capacity_mut());
    let mut found = Vec::new();
    while let Some(entry) = entries.next() {
        let entry = entry?;
        let name = OsStr::from_bytes(entry.file_name().to_bytes()).to_owned();
        found.push((name, entry.file_type()));
    }
    Ok(found)
}

/// The entries of an open directory.
#[cfg(not(target_os = "linux"))]
pub(crate) fn list(folder: BorrowedFd<'_>) -> rustix::io::Result<Vec<(OsString, FileType)>> {
    let entries = rustix::fs::Dir::read_from(folder)?.map(|entry| {
        let entry = entry?;
        let name = OsStr::from_bytes(entry.file_name().to_bytes()).to_owned();
        Ok((name, entry.file_type()))
    });
    entries.collect()
}

/// Opens a directory and adds the permissions needed to empty it. The error for a mount point is [`Errno::BUSY`].
fn open(parent: BorrowedFd<'_>, name: &OsStr) -> rustix::io::Result<Level> {
    let fd = match rustix::fs::openat(parent, name, FOLDER, Bits::empty()) {
        Err(Errno::ACCESS) => {
            make_readable(parent, name)?;
            rustix::fs::openat(parent, name, FOLDER, Bits::empty())?
        }
        opened => opened?,
    };
    if name != ".." && is_mount(&fd, parent)? {
        return Err(Errno::BUSY);
    }
    let stat = rustix::fs::fstat(&fd)?;
    if stat.st_mode & 0o700 != 0o700 {
        // If it belongs to another user, removing it fails.
        let mode = Bits::from_raw_mode(stat.st_mode & 0o7777 | 0o700);
        let _ = rustix::fs::fchmod(&fd, mode);
    }
    #[allow(
        clippy::cast_sign_loss,
        clippy::useless_conversion,
        clippy::unnecessary_cast,
        reason = "the fields' widths differ between systems"
    )]
    Ok(Level {
        fd: Some(fd),
        device: stat.st_dev as u64,
        inode: stat.st_ino as u64,
        name: OsString::new(),
        folders: Vec::new(),
    })
}

/// Makes a directory readable for its owner (mode 000).
#[cfg(target_os = "linux")]
fn make_readable(parent: BorrowedFd<'_>, name: &OsStr) -> rustix::io::Result<()> {
    use std::os::fd::AsRawFd as _;
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let fd = rustix::fs::openat(parent, name, flags, Bits::empty())?;
    // `fchmod` does not work with O_PATH, and older systems have no `chmod` that does not follow symlinks.
    let path = format!("/proc/self/fd/{}", fd.as_raw_fd());
    rustix::fs::chmod(path, Bits::from_raw_mode(0o700)).map_err(|_| Errno::ACCESS)
}

/// Makes a directory readable for its owner (mode 000).
#[cfg(not(target_os = "linux"))]
fn make_readable(parent: BorrowedFd<'_>, name: &OsStr) -> rustix::io::Result<()> {
    let mode = Bits::from_raw_mode(0o700);
    rustix::fs::chmodat(parent, name, mode, AtFlags::SYMLINK_NOFOLLOW)
}

/// Whether an open directory is a mount point or bind mount.
#[cfg(target_os = "linux")]
fn is_mount(fd: &OwnedFd, parent: BorrowedFd<'_>) -> rustix::io::Result<bool> {
    use rustix::fs::{StatxAttributes, StatxFlags};
    let root = StatxAttributes::MOUNT_ROOT;
    match rustix::fs::statx(fd, "", AtFlags::EMPTY_PATH, StatxFlags::TYPE) {
        Ok(stat) if stat.stx_attributes_mask.contains(root) => {
            Ok(stat.stx_attributes.contains(root))
        }
        _ => is_other_device(fd, parent),
    }
}

#[cfg(not(target_os = "linux"))]
fn is_mount(fd: &OwnedFd, parent: BorrowedFd<'_>) -> rustix::io::Result<bool> {
    is_other_device(fd, parent)
}

fn is_other_device(fd: &OwnedFd, parent: BorrowedFd<'_>) -> rustix::io::Result<bool> {
    Ok(rustix::fs::fstat(fd)?.st_dev != rustix::fs::fstat(parent)?.st_dev)
}
