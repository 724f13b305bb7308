//! Copies what is in a folder into another one, with attributes and times. Links are not followed.

use std::ffi::{OsStr, OsString};
use std::fs::FileType;
use std::io;
use std::os::windows::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};

use fs_err as fs;

use crate::error::Error;
use crate::sys::fs::sharing::Sharing;
use crate::sys::fs::types::Rewriter;
use crate::sys::fs::windows::folder::{Folder, symlink};

/// A folder and its copy.
#[derive(Debug)]
pub(crate) struct Twin {
    from: PathBuf,
    to: Folder,
}

/// What one thread needs to copy files: nothing, since the system does it all.
#[derive(Debug)]
pub(crate) struct Copier;

impl Copier {
    pub(crate) fn new(_sharing: &Sharing) -> Self {
        Self
    }
}

impl Twin {
    /// Takes the folder at `from` and its copy at `to`, which messages call `shown`.
    pub(crate) fn open(from: &Path, to: &Path, shown: &Path) -> Result<Self, Error> {
        Ok(Self {
            from: from.into(),
            to: Folder::open(to, shown)?,
        })
    }

    /// Takes a folder in this one, and its copy.
    pub(crate) fn child(&self, name: &OsStr) -> Result<Self, Error> {
        Ok(Self {
            from: self.from.join(name),
            to: self.to.child(name)?,
        })
    }

    /// Creates an empty copy of a folder in this one, unless it exists.
    pub(crate) fn create_folder(&self, name: &OsStr) -> Result<(), Error> {
        unless_there(fs::create_dir(self.to.path().join(name)))
            .map_err(self.failed("create directory", name))
    }

    /// Where a link leads.
    pub(crate) fn link_target(&self, name: &OsStr) -> Result<OsString, Error> {
        let path = self.from.join(name);
        let target = fs::read_link(&path).map_err(Error::io("read", &path))?;
        Ok(target.into_os_string())
    }

    /// Creates a copy of a link with another target, unless it exists.
    pub(crate) fn create_link(&self, name: &OsStr, target: &OsStr) -> Result<(), Error> {
        let (from, to) = (self.from.join(name), self.to.path().join(name));
        let metadata = fs::symlink_metadata(&from).map_err(Error::io("read", &from))?;
        let made = if metadata.file_type().is_symlink_dir() {
            fs::os::windows::fs::symlink_dir(target, &to)
        } else {
            symlink(Path::new(target), &to)
        };
        unless_there(made).map_err(self.failed("create symlink", name))
    }

    /// Copies a file if there is no copy yet.
    pub(crate) fn copy_file(
        &self,
        name: &OsStr,
        _copier: &mut Copier,
        rewriter: &mut dyn Rewriter,
    ) -> Result<(), Error> {
        let (from, to) = (self.from.join(name), self.to.path().join(name));
        if fs::symlink_metadata(&to).is_ok() {
            return Ok(());
        }
        let mut copied = || -> io::Result<()> {
            let metadata = fs::metadata(&from)?;
            if !rewriter.is_whole(metadata.len()) {
                rewriter.stream(&mut fs::File::open(&from)?)?;
            } else if let Some(new) = rewriter.whole(&fs::read(&from)?) {
                fs::write(&to, new)?;
                let file = fs::OpenOptions::new().write(true).open(&to)?;
                return file.file().set_modified(metadata.modified()?);
            }
            fs::copy(&from, &to).map(drop)
        };
        copied().map_err(Error::io("copy", &from))
    }

    /// Windows folders inherit their permissions from where they are.
    #[expect(clippy::unnecessary_wraps, clippy::unused_self, reason = "as on Unix")]
    pub(crate) fn finish(&self, _is_moved: bool) -> Result<bool, Error> {
        Ok(false)
    }

    fn failed(&self, action: &'static str, name: &OsStr) -> impl FnOnce(io::Error) -> Error {
        let path = self.to.shown().join(name);
        move |error| Error::io(action, &path)(error)
    }
}

/// Windows has no special files.
pub(crate) fn special(_file_type: FileType) -> Option<&'static str> {
    None
}

fn unless_there(made: io::Result<()>) -> io::Result<()> {
    match made {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made,
    }
}
