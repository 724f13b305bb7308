//! Creates entries below a directory.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use fs_err as fs;

use crate::error::Error;
use crate::sys::fs::types::Mode;
use crate::sys::fs::windows::removal;

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
            return Err(Error::no_directory(shown, &metadata));
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

    /// Files on Windows inherit their permissions from where they are.
    #[expect(clippy::unnecessary_wraps, clippy::unused_self, reason = "as on Unix")]
    pub(crate) fn keep_mode(&self, _name: &str, _path: &Path) -> Result<(), Error> {
        Ok(())
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

    /// Copies an executable with its times, as `shutil.copy2` does, but never as a read-only file, which could not be replaced.
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

fn seconds(time: SystemTime) -> i64 {
    let since = time
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    i64::try_from(since).unwrap_or(i64::MAX)
}

/// Makes a symlink to a file.
pub(crate) fn symlink(target: &Path, path: &Path) -> io::Result<()> {
    fs::os::windows::fs::symlink_file(target, path)?;
    fs::symlink_metadata(path).map(drop)
}
