//! The file system of Windows: the same functions by path, since there is no opening relative to a folder.

use std::io::{self, Write as _};
use std::os::windows::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{SystemTime, UNIX_EPOCH};

use fs_err as fs;
use fs_err::os::windows::fs::OpenOptionsExt as _;
use serde::{Deserialize, Serialize};

use super::Mode;
use crate::error::Error;

/// A folder below which entries are made.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    shown: PathBuf,
}

impl Folder {
    /// Takes the folder at `path`, which messages call `shown`; a link there is an error.
    pub(crate) fn open(path: &Path, shown: &Path) -> Result<Self, Error> {
        let metadata = fs::symlink_metadata(path).map_err(Error::io("open directory", shown))?;
        if !metadata.is_dir() {
            return Err(Error::UnableToCreateDirectory { path: shown.into() });
        }
        Ok(Self {
            path: path.into(),
            shown: shown.into(),
        })
    }

    /// Takes a folder below this one.
    pub(crate) fn child(&self, name: &str) -> Result<Self, Error> {
        Self::open(&self.path.join(name), &self.shown.join(name))
    }

    /// Makes the folder `name`, the parents of which exist.
    pub(crate) fn create_dir(&self, name: &str) -> Result<(), Error> {
        fs::create_dir(self.path.join(name)).map_err(self.failed("create directory", name))
    }

    /// Makes the folder `name` and those above it that are missing.
    pub(crate) fn create_dir_all(&self, name: &str) -> Result<(), Error> {
        fs::create_dir_all(self.path.join(name)).map_err(self.failed("create directory", name))
    }

    /// Writes a file that must not exist yet; Windows has no modes.
    pub(crate) fn write(&self, name: &str, contents: &[u8], _mode: Mode) -> Result<(), Error> {
        self.create(name, contents).map(drop)
    }

    /// Writes a file whose contents lie in several places.
    pub(crate) fn write_pieces(
        &self,
        name: &str,
        pieces: &[&[u8]],
        mode: Mode,
    ) -> Result<(), Error> {
        self.write(name, &pieces.concat(), mode)
    }

    /// Writes a file and returns the seconds of its mtime, which its bytecode must repeat.
    pub(crate) fn write_timed(
        &self,
        name: &str,
        contents: &[u8],
        _mode: Mode,
    ) -> Result<i64, Error> {
        let file = self.create(name, contents)?;
        // Set, not asked: Windows may move the time once more when the file is closed.
        let now = SystemTime::now();
        file.set_modified(now)
            .map_err(self.failed("set the time of", name))?;
        Ok(seconds(now))
    }

    fn create(&self, name: &str, contents: &[u8]) -> Result<fs::File, Error> {
        let mut file =
            fs::File::create_new(self.path.join(name)).map_err(self.failed("create", name))?;
        file.write_all(contents)
            .map_err(self.failed("write", name))?;
        Ok(file)
    }

    /// Windows folders inherit their permissions from where they are.
    #[expect(clippy::unnecessary_wraps, clippy::unused_self, reason = "as on Unix")]
    pub(crate) fn adopt(&self, _path: &Path) -> Result<(), Error> {
        Ok(())
    }

    /// Makes the symlink `name` to a file, and looks whether it is there: some systems report success and make nothing.
    pub(crate) fn symlink(&self, target: &str, name: &str) -> Result<(), Error> {
        symlink(Path::new(target), &self.path.join(name))
            .map_err(self.failed("create symlink", name))
    }

    /// Removes a file or a symlink to one.
    pub(crate) fn remove_file(&self, name: &str) -> Result<(), Error> {
        fs::remove_file(self.path.join(name)).map_err(self.failed("remove", name))
    }

    /// Copies an executable with its times, as `shutil.copy2` does, but never as a read-only file, which nobody could replace.
    pub(crate) fn copy_executable(&self, source: &Path, name: &str) -> Result<(), Error> {
        let path = self.path.join(name);
        fs::copy(source, &path).map_err(Error::io("copy", source))?;
        super::removal::make_accessible(&path);
        Ok(())
    }

    fn failed(&self, action: &'static str, name: &str) -> impl FnOnce(io::Error) -> Error {
        let path = self.shown.join(name);
        move |error| Error::io(action, &path)(error)
    }
}

/// Makes a symlink to a file.
pub(crate) fn symlink(target: &Path, path: &Path) -> io::Result<()> {
    fs::os::windows::fs::symlink_file(target, path)?;
    fs::symlink_metadata(path).map(drop)
}

/// Renames a folder to a name that nothing has; `false` if something has it.
pub(crate) fn rename_new(from: &Path, to: &Path) -> Result<bool, Error> {
    if fs::symlink_metadata(to).is_ok() {
        return Ok(false);
    }
    // Renaming never replaces a folder here; what appeared since is an error that says so.
    match fs::rename(from, to) {
        Ok(()) => Ok(true),
        Err(_) if fs::symlink_metadata(to).is_ok() => Ok(false),
        Err(error) => Err(Error::io("rename into place", to)(error)),
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

/// Whether `path` is a mount point or junction, which looks like a link.
pub(crate) fn is_mount_root(path: &Path) -> bool {
    const REPARSE_POINT: u32 = 0x400;
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.file_attributes() & REPARSE_POINT != 0)
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

/// The user's own cache folder is protected by its access control list.
#[expect(
    clippy::unnecessary_wraps,
    reason = "the signature of the other systems"
)]
pub(crate) fn is_trusted(_path: &Path) -> Result<(), String> {
    Ok(())
}

/// Owners are no obstacle here.
pub(crate) fn can_give_away(_path: &Path) -> bool {
    true
}

/// What tells one state of a file from another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    path: PathBuf,
    size: u64,
    created: u64,
    written: u64,
}

impl Identity {
    /// The identity of what `path` leads to; `None` if that is nothing.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let metadata = fs::metadata(path).ok()?;
        Some(Self {
            path: fs::canonicalize(path).ok()?,
            size: metadata.file_size(),
            created: metadata.creation_time(),
            written: metadata.last_write_time(),
        })
    }
}

/// A lock that ends with its holder: a file that nobody else can open, and that is gone once it is closed, however that happens.
#[derive(Debug)]
pub(crate) struct Lock(
    #[expect(dead_code, reason = "holding it open is all that it is for")] fs::File,
);

impl Lock {
    /// Locks a file, or a folder by a file of its own; `None` if somebody holds it.
    pub(crate) fn try_exclusive(path: &Path) -> io::Result<Option<Self>> {
        const SHARING_VIOLATION: i32 = 32;
        const GENERIC_WRITE: u32 = 0x4000_0000;
        const DELETE: u32 = 0x0001_0000;
        const DELETE_ON_CLOSE: u32 = 0x0400_0000;
        let path = if path.is_dir() {
            path.join("lock")
        } else {
            path.to_path_buf()
        };
        match fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .access_mode(GENERIC_WRITE | DELETE)
            .custom_flags(DELETE_ON_CLOSE)
            .share_mode(0)
            .open(&path)
        {
            Ok(file) => Ok(Some(Self(file))),
            Err(error) if error.raw_os_error() == Some(SHARING_VIOLATION) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Locking makes the file.
    #[expect(
        clippy::unnecessary_wraps,
        reason = "the signature of the other systems"
    )]
    pub(crate) fn prepare(_path: &Path) -> io::Result<()> {
        Ok(())
    }

    /// Called before a locked folder is removed: the lock of a folder is an open file in it, which cannot be removed.
    pub(crate) fn before_removal(_lock: Option<Self>) -> Option<Self> {
        None
    }
}

/// Windows has no umask.
pub(crate) fn umask() -> u32 {
    0
}

/// A child gets the console's signals with us; there is nothing to set.
pub(crate) fn own_process_group(_command: &mut Command) {}

/// Ends a child.
pub(crate) fn end_process_group(child: &mut Child) {
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

fn seconds(time: SystemTime) -> i64 {
    let since = time
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    i64::try_from(since).unwrap_or(i64::MAX)
}

/// Windows does not say which program started this one; the variables of the shells do.
pub(crate) fn parent_program() -> Option<String> {
    None
}
