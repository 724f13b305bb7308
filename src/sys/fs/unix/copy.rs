//! Copies what is in a folder into another one, relative to open directories, with modes, times and extended attributes. No
//! symlink is followed.

use std::ffi::{OsStr, OsString};
use std::fs::FileType;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};

use fs_err as fs;
use rustix::fs::{AtFlags, Mode as Bits, OFlags, Stat, Timespec, Timestamps, XattrFlags};
use rustix::io::Errno;

use crate::error::Error;
use crate::sys::fs::sharing::Sharing;
use crate::sys::fs::types::Rewriter;
use crate::sys::fs::unix::folder::{Folder, failed};

/// Files up to this size, in bytes, are written rather than shared: that takes less time.
const SMALL: u64 = 1 << 11;
/// How much of a large file is copied at once, in bytes.
const BLOCK: usize = 1 << 18;
const READ: OFlags = OFlags::RDONLY
    .union(OFlags::NOFOLLOW)
    .union(OFlags::NONBLOCK)
    .union(OFlags::CLOEXEC);
/// What leaves the time of the last access as it is, which only the owner may ask for.
#[cfg(target_os = "linux")]
const QUIETLY: OFlags = OFlags::NOATIME;
#[cfg(not(target_os = "linux"))]
const QUIETLY: OFlags = OFlags::empty();
/// The extended attributes that are a user's own; others are the system's, which gives new files new ones.
const OWN_ATTRIBUTES: [&[u8]; 2] = [b"user.", b"system.posix_acl_"];

/// A folder and its copy.
#[derive(Debug)]
pub(crate) struct Twin {
    from: OwnedFd,
    to: Folder,
    path: PathBuf,
}

/// What one thread needs to copy files.
#[derive(Debug)]
pub(crate) struct Copier<'a> {
    sharing: &'a Sharing,
    /// It only grows, or it would be filled with zeros again and again.
    buffer: Vec<u8>,
    filled: usize,
}

impl<'a> Copier<'a> {
    pub(crate) fn new(sharing: &'a Sharing) -> Self {
        Self {
            sharing,
            buffer: Vec::new(),
            filled: 0,
        }
    }
}

impl Twin {
    /// Opens the folder at `from`, which messages name, and its copy at `to`, which they call `shown`.
    pub(crate) fn open(from: &Path, to: &Path, shown: &Path) -> Result<Self, Error> {
        // The environment itself may be named by a link.
        let from = fs::canonicalize(from).map_err(Error::io("read", from))?;
        let flags = OFlags::DIRECTORY;
        Ok(Self {
            from: open(rustix::fs::CWD, from.as_os_str(), flags).map_err(failed("read", &from))?,
            to: Folder::open(to, shown)?,
            path: from,
        })
    }

    /// Opens a folder in this one, and its copy.
    pub(crate) fn child(&self, name: &OsStr) -> Result<Self, Error> {
        let path = self.path.join(name);
        Ok(Self {
            from: open(&self.from, name, OFlags::DIRECTORY).map_err(failed("read", &path))?,
            to: self.to.child(name)?,
            path,
        })
    }

    /// Makes the copy of a folder in this one, empty, if there is none yet.
    pub(crate) fn create_folder(&self, name: &OsStr) -> Result<(), Error> {
        match rustix::fs::mkdirat(self.to.fd(), name, Bits::from_raw_mode(0o777)) {
            Ok(()) | Err(Errno::EXIST) => Ok(()),
            Err(errno) => Err(failed("create directory", &self.to.shown().join(name))(
                errno,
            )),
        }
    }

    /// Where a link leads.
    pub(crate) fn link_target(&self, name: &OsStr) -> Result<OsString, Error> {
        let target = rustix::fs::readlinkat(&self.from, name, Vec::new())
            .map_err(failed("read", &self.path.join(name)))?;
        Ok(OsString::from_vec(target.into_bytes()))
    }

    /// Makes the copy of a link, with another target, if there is none yet.
    pub(crate) fn create_link(&self, name: &OsStr, target: &OsStr) -> Result<(), Error> {
        match rustix::fs::symlinkat(target, self.to.fd(), name) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(errno) => {
                return Err(failed("create symlink", &self.to.shown().join(name))(errno));
            }
        }
        let flags = AtFlags::SYMLINK_NOFOLLOW;
        let stat = rustix::fs::statat(&self.from, name, flags)
            .map_err(failed("read", &self.path.join(name)))?;
        // Not every file system has them for links.
        let _ = rustix::fs::utimensat(self.to.fd(), name, &times(&stat), flags);
        Ok(())
    }

    /// Copies a file; if there is a copy already, only what is known of the file.
    pub(crate) fn copy_file(
        &self,
        name: &OsStr,
        copier: &mut Copier<'_>,
        rewriter: &mut dyn Rewriter,
    ) -> Result<(), Error> {
        let (from_path, to_path) = (self.path.join(name), self.to.shown().join(name));
        let from = open(&self.from, name, OFlags::empty()).map_err(failed("read", &from_path))?;
        let stat = rustix::fs::fstat(&from).map_err(failed("read", &from_path))?;
        let kind = rustix::fs::FileType::from_raw_mode(stat.st_mode);
        if kind != rustix::fs::FileType::RegularFile {
            let source = io::Error::other("it was replaced while it was copied");
            return Err(Error::io("read", &from_path)(source));
        }
        let from = fs::File::from_parts(from.into(), from_path);
        let size = u64::try_from(stat.st_size).unwrap_or_default();
        let is_whole = rewriter.is_whole(size);
        let mut new = None;
        if is_whole {
            copier.read(&from, size)?;
            new = rewriter.whole(copier.contents());
        }
        if new.is_none() && self.to.clone_file(&from, name) {
            if !is_whole {
                let looked = rewriter.stream(&mut from.file());
                looked.map_err(Error::io("read", from.path()))?;
            }
            let to = open(self.to.fd(), name, OFlags::empty()).map_err(failed("open", &to_path))?;
            return finish(&from, &stat, &to, &to_path);
        }
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Bits::from_raw_mode(stat.st_mode & 0o777);
        let to = match rustix::fs::openat(self.to.fd(), name, flags, mode) {
            Ok(to) => fs::File::from_parts(to.into(), to_path.clone()),
            Err(Errno::EXIST) => {
                let to =
                    open(self.to.fd(), name, OFlags::empty()).map_err(failed("open", &to_path))?;
                return finish(&from, &stat, &to, &to_path);
            }
            Err(errno) => return Err(failed("create", &to_path)(errno)),
        };
        let write = |contents: &[u8]| {
            // The bare file, whose errors do not name the path once more.
            let written = to.file().write_all(contents);
            written.map_err(Error::io("write", &to_path))
        };
        match new {
            Some(new) => write(&new)?,
            None if is_whole && size <= SMALL => write(copier.contents())?,
            None if copier.sharing.file(&from, &to) => {
                if !is_whole {
                    let looked = rewriter.stream(&mut from.file());
                    looked.map_err(Error::io("read", from.path()))?;
                }
            }
            None if is_whole => write(copier.contents())?,
            None => {
                let tee = Tee {
                    from: from.file(),
                    to: to.file(),
                };
                let mut blocks = io::BufReader::with_capacity(BLOCK, tee);
                let done = rewriter.stream(&mut blocks).and_then(|()| {
                    // What it did not look at.
                    io::copy(&mut from.file(), &mut to.file())
                });
                done.map_err(Error::io("copy", from.path()))?;
            }
        }
        finish(&from, &stat, &to, &to_path)
    }

    /// Gives the copy of the folder what is known of the folder, when everything is in it.
    ///
    /// A folder that must still be moved keeps its owner's permission to write; whether it should not have it is returned.
    pub(crate) fn finish(&self, is_moved: bool) -> Result<bool, Error> {
        let mut stat = rustix::fs::fstat(&self.from).map_err(failed("read", &self.path))?;
        let is_read_only = stat.st_mode & 0o200 == 0;
        if is_moved {
            stat.st_mode |= 0o200;
        }
        finish(&self.from, &stat, self.to.fd(), self.to.shown())?;
        Ok(is_moved && is_read_only)
    }
}

impl Copier<'_> {
    /// Reads a file as a whole.
    fn read(&mut self, from: &fs::File, size: u64) -> Result<(), Error> {
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        if self.buffer.len() < size {
            self.buffer.resize(size, 0);
        }
        self.filled = 0;
        // One that grows meanwhile is read up to the size that it had.
        while self.filled < size {
            match from.file().read(&mut self.buffer[self.filled..size]) {
                Ok(0) => break,
                Ok(count) => self.filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::io("read", from.path())(error)),
            }
        }
        Ok(())
    }

    fn contents(&self) -> &[u8] {
        &self.buffer[..self.filled]
    }
}

/// Reads a file, and writes what is read to another one.
struct Tee<'a, F> {
    from: &'a F,
    to: &'a F,
}

impl<'a, F> io::Read for Tee<'a, F>
where
    &'a F: io::Read + io::Write,
{
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let (mut from, mut to) = (self.from, self.to);
        let count = from.read(buffer)?;
        to.write_all(&buffer[..count])?;
        Ok(count)
    }
}

/// What a special file is: nothing that could be copied.
pub(crate) fn special(file_type: FileType) -> Option<&'static str> {
    if file_type.is_socket() {
        Some("socket")
    } else if file_type.is_fifo() {
        Some("FIFO")
    } else if file_type.is_block_device() || file_type.is_char_device() {
        Some("device")
    } else {
        None
    }
}

/// Opens what is there to read it.
fn open(folder: impl AsFd, name: &OsStr, flags: OFlags) -> rustix::io::Result<OwnedFd> {
    match rustix::fs::openat(&folder, name, READ | flags | QUIETLY, Bits::empty()) {
        Err(Errno::PERM) => rustix::fs::openat(&folder, name, READ | flags, Bits::empty()),
        opened => opened,
    }
}

/// Gives a copy the mode, the times and the attributes of what it is a copy of.
fn finish(from: impl AsFd, stat: &Stat, to: impl AsFd, path: &Path) -> Result<(), Error> {
    let own = rustix::fs::fstat(&to).map_err(failed("look at", path))?;
    let mut mode = stat.st_mode & 0o7777;
    let is_folder =
        rustix::fs::FileType::from_raw_mode(stat.st_mode) == rustix::fs::FileType::Directory;
    if !is_folder && (own.st_uid, own.st_gid) != (stat.st_uid, stat.st_gid) {
        // A program must not run as another user than before.
        mode &= 0o1777;
    }
    if own.st_mode & 0o7777 != mode {
        rustix::fs::fchmod(&to, Bits::from_raw_mode(mode))
            .map_err(failed("set the mode of", path))?;
    }
    copy_attributes(from.as_fd(), to.as_fd());
    rustix::fs::futimens(&to, &times(stat)).map_err(failed("set the time of", path))
}

#[allow(
    clippy::useless_conversion,
    clippy::unnecessary_cast,
    clippy::cast_possible_wrap,
    reason = "the fields' widths differ between systems"
)]
fn times(stat: &Stat) -> Timestamps {
    Timestamps {
        last_access: Timespec {
            tv_sec: stat.st_atime,
            tv_nsec: stat.st_atime_nsec as _,
        },
        last_modification: Timespec {
            tv_sec: stat.st_mtime,
            tv_nsec: stat.st_mtime_nsec as _,
        },
    }
}

/// Copies extended attributes where both file systems have them.
fn copy_attributes(from: impl AsFd, to: impl AsFd) {
    let mut buffer = [0; 1 << 12];
    // A longer list is no user's.
    let Ok(length @ 1..) = rustix::fs::flistxattr(&from, &mut buffer[..]) else {
        return;
    };
    for name in buffer[..length].split(|byte| *byte == 0) {
        if !OWN_ATTRIBUTES.iter().any(|own| name.starts_with(own)) {
            continue;
        }
        let name = OsStr::from_bytes(name);
        let mut value = vec![0; 1 << 16];
        if let Ok(length) = rustix::fs::fgetxattr(&from, name, &mut value[..]) {
            let _ = rustix::fs::fsetxattr(&to, name, &value[..length], XattrFlags::empty());
        }
    }
}
