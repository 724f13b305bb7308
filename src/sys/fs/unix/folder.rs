//! Creates entries relative to an open directory.

use std::ffi::OsStr;
use std::io::{self, IoSlice};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use fs_err as fs;
use rustix::fs::{AtFlags, CWD, FileType, Gid, Mode as Bits, OFlags, Uid};
use rustix::io::Errno;

use crate::error::Error;
use crate::sys::fs::types::Mode;
use crate::sys::fs::unix::umask::umask_bits;

/// An open directory. Entries are created relative to it, even if it is moved.
#[derive(Debug)]
pub(crate) struct Folder {
    fd: OwnedFd,
    path: PathBuf,
}

impl Folder {
    pub(crate) fn new(fd: OwnedFd, shown: &Path) -> Self {
        Self {
            fd,
            path: shown.into(),
        }
    }

    pub(crate) fn fd(&self) -> &OwnedFd {
        &self.fd
    }

    /// Its path in messages.
    pub(crate) fn shown(&self) -> &Path {
        &self.path
    }

    /// Opens the directory at `path`, which is `shown` in messages. A symlink is an error.
    pub(crate) fn open(path: &Path, shown: &Path) -> Result<Self, Error> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd =
            rustix::fs::open(path, flags, Bits::empty()).map_err(failed("open directory", path))?;
        Ok(Self {
            fd,
            path: shown.into(),
        })
    }

    /// Opens a directory below this one. A symlink is an error.
    pub(crate) fn child(&self, name: &OsStr) -> Result<Self, Error> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(&self.fd, name, flags, Bits::empty())
            .map_err(failed("open directory", &self.path.join(name)))?;
        Ok(Self {
            fd,
            path: self.path.join(name),
        })
    }

    /// Creates the directory `name`, which may have several components. Its parents exist.
    pub(crate) fn create_dir(&self, name: &str) -> Result<(), Error> {
        rustix::fs::mkdirat(&self.fd, name, Bits::from_raw_mode(0o777))
            .map_err(|errno| self.failed("create directory", name, errno))
    }

    /// Creates the directory `name` and its missing parents.
    pub(crate) fn create_dir_all(&self, name: &str) -> Result<(), Error> {
        let ends = name
            .match_indices('/')
            .map(|(at, _)| at)
            .chain([name.len()]);
        for end in ends {
            match self.create_dir(&name[..end]) {
                Err(error) if error.io_kind() != Some(io::ErrorKind::AlreadyExists) => {
                    return Err(error);
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Writes a new file.
    pub(crate) fn write(&self, name: &str, contents: &[u8], mode: Mode) -> Result<(), Error> {
        self.write_pieces(name, &[contents], mode)
    }

    /// Writes a new file from several pieces.
    pub(crate) fn write_pieces(
        &self,
        name: &str,
        pieces: &[&[u8]],
        mode: Mode,
    ) -> Result<(), Error> {
        self.create(name, pieces, mode).map(drop)
    }

    /// Writes a new file that begins with `head` and ends with the rest of `rest`.
    pub(crate) fn write_with_rest(
        &self,
        name: &str,
        head: &[u8],
        rest: &fs::File,
        mode: Mode,
    ) -> Result<(), Error> {
        let to = fs::File::from_parts(
            self.create(name, &[head], mode)?.into(),
            self.path.join(name),
        );
        // The std files, so that the kernel copies the data.
        io::copy(&mut rest.file(), &mut to.file())
            .map(drop)
            .map_err(Error::io("write", &self.path.join(name)))
    }

    /// Writes a file and returns its modification time in seconds, which its bytecode must contain.
    pub(crate) fn write_timed(
        &self,
        name: &str,
        contents: &[u8],
        mode: Mode,
    ) -> Result<i64, Error> {
        let file = self.create(name, &[contents], mode)?;
        let stat = rustix::fs::fstat(&file)
            .map_err(|errno| self.failed("read the time of", name, errno))?;
        #[allow(
            clippy::useless_conversion,
            reason = "the field's width differs between systems"
        )]
        Ok(i64::from(stat.st_mtime))
    }

    /// Makes a file to write to, which must not exist yet.
    pub(crate) fn open_new(&self, name: &str, mode: Mode) -> Result<fs::File, Error> {
        let file = self.create(name, &[], mode)?;
        Ok(fs::File::from_parts(file.into(), self.path.join(name)))
    }

    fn create(&self, name: &str, pieces: &[&[u8]], mode: Mode) -> Result<OwnedFd, Error> {
        let umask = umask_bits();
        let bits = Bits::from_raw_mode;
        let asked = match mode {
            Mode::Plain => bits(0o666),
            Mode::Script => bits(0o644),
            Mode::Executable | Mode::Program => bits(0o777),
        };
        let wanted = (mode != Mode::Plain).then(|| made_with(mode, umask));
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(&self.fd, name, flags, asked)
            .map_err(|errno| self.failed("create", name, errno))?;
        let mut slices: Vec<IoSlice<'_>> = pieces.iter().map(|piece| IoSlice::new(piece)).collect();
        let mut rest = slices.as_mut_slice();
        // Empty slices at the beginning would make the loop write zero bytes.
        IoSlice::advance_slices(&mut rest, 0);
        while !rest.is_empty() {
            match rustix::io::writev(&fd, rest) {
                Ok(0) => return Err(self.failed("write", name, Errno::IO)),
                Ok(written) => IoSlice::advance_slices(&mut rest, written),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(self.failed("write", name, errno)),
            }
        }
        if let Some(wanted) = wanted.filter(|&wanted| wanted != asked - umask) {
            rustix::fs::fchmod(&fd, wanted)
                .map_err(|errno| self.failed("set the mode of", name, errno))?;
        }
        Ok(fd)
    }

    /// Sets the owner and mode of a file to those of the file at `path`, which it will replace. Does nothing if that
    /// does not exist.
    pub(crate) fn keep_mode(&self, name: &str, path: &Path) -> Result<(), Error> {
        let old = match rustix::fs::lstat(path) {
            Ok(old) if FileType::from_raw_mode(old.st_mode) == FileType::RegularFile => old,
            _ => return Ok(()),
        };
        let own = rustix::fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW)
            .map_err(|errno| self.failed("look at", name, errno))?;
        if (own.st_uid, own.st_gid) != (old.st_uid, old.st_gid) {
            let (owner, group) = (Uid::from_raw(old.st_uid), Gid::from_raw(old.st_gid));
            // The user may not be a member of the group, which is not an error.
            let flags = AtFlags::SYMLINK_NOFOLLOW;
            let _ = rustix::fs::chownat(&self.fd, name, Some(owner), Some(group), flags);
        }
        if own.st_mode & 0o7777 != old.st_mode & 0o7777 {
            let mode = Bits::from_raw_mode(old.st_mode & 0o7777);
            rustix::fs::chmodat(&self.fd, name, mode, AtFlags::empty())
                .map_err(|errno| self.failed("set the mode of", name, errno))?;
        }
        Ok(())
    }

    /// Sets the mode and the owner to those of the directory that this one will replace, if it still exists.
    pub(crate) fn adopt(&self, path: &Path) -> Result<(), Error> {
        let Ok(old) = rustix::fs::lstat(path) else {
            return Ok(());
        };
        let own = rustix::fs::fstat(&self.fd).map_err(failed("look at", path))?;
        if (own.st_uid, own.st_gid) != (old.st_uid, old.st_gid) {
            let (owner, group) = (Uid::from_raw(old.st_uid), Gid::from_raw(old.st_gid));
            // The user may not be a member of the group, which is not an error.
            let _ = rustix::fs::fchown(&self.fd, Some(owner), Some(group));
        }
        if own.st_mode & 0o7777 != old.st_mode & 0o7777 {
            rustix::fs::fchmod(&self.fd, Bits::from_raw_mode(old.st_mode & 0o7777))
                .map_err(failed("set the mode of", path))?;
        }
        Ok(())
    }

    /// Creates the symlink `name` to `target`. The error is [`io::ErrorKind::Unsupported`] if the file system has no
    /// symlinks.
    pub(crate) fn symlink(&self, target: &str, name: &str) -> Result<(), Error> {
        let made = rustix::fs::symlinkat(target, &self.fd, name);
        made.map_err(|errno| match errno {
            // Linux returns EPERM in this case, and a file system in user space may return another error.
            Errno::PERM | Errno::NOSYS | Errno::OPNOTSUPP => {
                let reason = "the file system has no symlinks";
                Error::io("create symlink", &self.path.join(name))(io::Error::new(
                    io::ErrorKind::Unsupported,
                    reason,
                ))
            }
            errno => self.failed("create symlink", name, errno),
        })
    }

    /// Removes a file or symlink.
    pub(crate) fn remove_file(&self, name: &str) -> Result<(), Error> {
        rustix::fs::unlinkat(&self.fd, name, AtFlags::empty())
            .map_err(|errno| self.failed("remove", name, errno))
    }

    /// Copies the contents of an executable, with the mode 0755 whatever the umask.
    pub(crate) fn copy_executable(&self, source: &Path, name: &str) -> Result<(), Error> {
        let from = fs::File::open(source).map_err(Error::io("read", source))?;
        if self.clone_file(&from, name.as_ref()) {
            return rustix::fs::chmodat(
                &self.fd,
                name,
                Bits::from_raw_mode(0o755),
                AtFlags::empty(),
            )
            .map_err(|errno| self.failed("set the mode of", name, errno));
        }
        let to = fs::File::from_parts(
            self.create(name, &[], Mode::Plain)?.into(),
            self.path.join(name),
        );
        // The std files, so that the kernel copies the data.
        io::copy(&mut from.file(), &mut to.file())
            .map_err(Error::io("write", &self.path.join(name)))?;
        rustix::fs::fchmod(to.file(), Bits::from_raw_mode(0o755))
            .map_err(|errno| self.failed("set the mode of", name, errno))
    }

    /// Creates a clone of a file (APFS). Returns `false` if that is not supported.
    #[cfg(target_os = "macos")]
    pub(crate) fn clone_file(&self, from: &fs::File, name: &OsStr) -> bool {
        use rustix::fs::CloneFlags;
        rustix::fs::fclonefileat(from.file(), &self.fd, name, CloneFlags::NOFOLLOW).is_ok()
    }

    /// On other systems the copy itself may be a clone.
    #[cfg(not(target_os = "macos"))]
    #[expect(clippy::unused_self, reason = "the signature of the other system")]
    pub(crate) fn clone_file(&self, _from: &fs::File, _name: &OsStr) -> bool {
        false
    }

    fn failed(&self, action: &'static str, name: &str, errno: Errno) -> Error {
        failed(action, &self.path.join(name))(errno)
    }
}

/// The bits that a file of this mode gets.
fn made_with(mode: Mode, umask: Bits) -> Bits {
    let bits = Bits::from_raw_mode;
    match mode {
        Mode::Plain => bits(0o666) - umask,
        Mode::Script => bits(0o644),
        Mode::Executable => (bits(0o666) - umask) | bits(0o555),
        Mode::Program => (bits(0o777) - umask) | bits(0o111),
    }
}

/// Whether a file, or a folder, has the mode that it would get if it were made now.
#[allow(
    clippy::cast_possible_truncation,
    reason = "macOS has a mode of 16 bits"
)]
pub(crate) fn is_as_made(metadata: &std::fs::Metadata, mode: Mode) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let (wanted, mask) = if metadata.is_dir() {
        // Folders inherit the bit that lets them inherit their group.
        (Bits::from_raw_mode(0o777) - umask_bits(), 0o777)
    } else {
        (made_with(mode, umask_bits()), 0o7777)
    };
    wanted.bits() & mask == Bits::from_raw_mode(metadata.mode() as _).bits() & mask
}

/// Opens the directory that entries are created in. Symlinks are followed.
pub(crate) fn open_parent(path: &Path) -> io::Result<Folder> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let opened = rustix::fs::openat(CWD, path, flags, Bits::empty());
    // A directory that cannot be listed may still be writable.
    #[cfg(target_os = "linux")]
    let opened = match opened {
        Err(Errno::ACCESS) => {
            let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
            rustix::fs::openat(CWD, path, flags, Bits::empty())
        }
        opened => opened,
    };
    Ok(Folder::new(opened?, path))
}

/// Adds the operation and the path to an error number.
pub(crate) fn failed(action: &'static str, path: &Path) -> impl FnOnce(Errno) -> Error {
    let wrap = Error::io(action, path);
    move |errno| wrap(errno.into())
}
