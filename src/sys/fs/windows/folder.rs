//! Creates entries below a directory.

use std::ffi::OsStr;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use fs_err as fs;

use crate::error::Error;
use crate::sys::fs::types::Mode;
use crate::sys::fs::windows::removal;

/// A directory in which entries are created.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    shown: PathBuf,
}

impl Folder {
    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What messages call it.
    pub(crate) fn shown(&self) -> &Path {
        &self.shown
    }

    /// Opens the directory at `path`, which is `shown` in messages. A link is an error.
    pub(crate) fn open(path: &Path, shown: &Path) -> Result<Self, Error> {
        let metadata = fs::symlink_metadata(path).map_err(Error::io("open directory", shown))?;
        if !metadata.is_dir() {
            return Err(Error::no_directory(shown, &metadata));
        }
        Ok(Self {
            path: path.into(),
            shown: shown.into(),
        })
    }

    /// Opens a directory below this one.
    pub(crate) fn child(&self, name: &OsStr) -> Result<Self, Error> {
        Self::open(&self.path.join(name), &self.shown.join(name))
    }

    /// Creates the directory `name`. Its parents exist.
    pub(crate) fn create_dir(&self, name: &str) -> Result<(), Error> {
        fs::create_dir(self.path.join(name)).map_err(self.failed("create directory", name))
    }

    /// Creates the directory `name` and its missing parents.
    pub(crate) fn create_dir_all(&self, name: &str) -> Result<(), Error> {
        fs::create_dir_all(self.path.join(name)).map_err(self.failed("create directory", name))
    }

    /// Writes a new file. Windows has no modes.
    pub(crate) fn write(&self, name: &str, contents: &[u8], _mode: Mode) -> Result<(), Error> {
        self.create(name, contents).map(drop)
    }

    /// Writes a new file from several pieces.
    pub(crate) fn write_pieces(
        &self,
        name: &str,
        pieces: &[&[u8]],
        mode: Mode,
    ) -> Result<(), Error> {
        self.write(name, &pieces.concat(), mode)
    }

    /// Writes a new file that begins with `head` and ends with the rest of `rest`.
    pub(crate) fn write_with_rest(
        &self,
        name: &str,
        head: &[u8],
        rest: &fs::File,
        _mode: Mode,
    ) -> Result<(), Error> {
        let to = self.create(name, head)?;
        io::copy(&mut rest.file(), &mut to.file())
            .map(drop)
            .map_err(self.failed("write", name))
    }

    /// Writes a file and returns its modification time in seconds, which its bytecode must contain.
    pub(crate) fn write_timed(
        &self,
        name: &str,
        contents: &[u8],
        _mode: Mode,
    ) -> Result<i64, Error> {
        let file = self.create(name, contents)?;
        // Set instead of read: Windows may change the time once more when the file is closed.
        let now = SystemTime::now();
        file.set_modified(now)
            .map_err(self.failed("set the time of", name))?;
        Ok(seconds(now))
    }

    /// Makes a file to write to, which must not exist yet.
    pub(crate) fn open_new(&self, name: &str, _mode: Mode) -> Result<fs::File, Error> {
        self.create(name, &[])
    }

    fn create(&self, name: &str, contents: &[u8]) -> Result<fs::File, Error> {
        let mut file =
            fs::File::create_new(self.path.join(name)).map_err(self.failed("create", name))?;
        file.write_all(contents)
            .map_err(self.failed("write", name))?;
        Ok(file)
    }

    /// Files on Windows inherit their permissions.
    #[expect(clippy::unnecessary_wraps, clippy::unused_self, reason = "as on Unix")]
    pub(crate) fn keep_mode(&self, _name: &str, _path: &Path) -> Result<(), Error> {
        Ok(())
    }

    /// Directories on Windows inherit their permissions.
    #[expect(clippy::unnecessary_wraps, clippy::unused_self, reason = "as on Unix")]
    pub(crate) fn adopt(&self, _path: &Path) -> Result<(), Error> {
        Ok(())
    }

    /// Creates the symlink `name` to a file and checks that it exists: some systems report success and create nothing.
    pub(crate) fn symlink(&self, target: &str, name: &str) -> Result<(), Error> {
        symlink(Path::new(target), &self.path.join(name))
            .map_err(self.failed("create symlink", name))
    }

    /// Removes a file or a symlink to one.
    pub(crate) fn remove_file(&self, name: &str) -> Result<(), Error> {
        fs::remove_file(self.path.join(name)).map_err(self.failed("remove", name))
    }

    /// Copies an executable with its times, as `shutil.copy2` does, but never as read-only, since it could not be
    /// replaced.
    pub(crate) fn copy_executable(&self, source: &Path, name: &str) -> Result<(), Error> {
        let path = self.path.join(name);
        fs::copy(source, &path).map_err(Error::io("copy", source))?;
        removal::make_accessible(&path);
        Ok(())
    }

    fn failed(&self, action: &'static str, name: &str) -> impl FnOnce(io::Error) -> Error {
        let path = self.shown.join(name);
        move |error| Error::io(action, &path)(error)
    }
}

/// Windows has no modes.
pub(crate) fn is_as_made(_metadata: &std::fs::Metadata, _mode: Mode) -> bool {
    true
}

fn seconds(time: SystemTime) -> i64 {
    let since = time
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    i64::try_from(since).unwrap_or(i64::MAX)
}

/// Creates a symlink to a file.
pub(crate) fn symlink(target: &Path, path: &Path) -> io::Result<()> {
    fs::os::windows::fs::symlink_file(target, path)?;
    fs::symlink_metadata(path).map(drop)
}
