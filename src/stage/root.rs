//! The folder that a stage is, and the folders above `ENV_DIR`: made, locked, named so that nobody can guess it.
//!
//! Knows nothing of the tree that is built in it.

use std::ffi::OsString;
use std::io;
use std::path::Path;

use fs_err as fs;

use super::leftovers::{self, INFIX, RANDOM};
use super::way::Way;
use super::{Stage, bare};
use crate::error::Error;
use crate::fs::Lock;

impl Stage {
    pub(super) fn make_parents(&mut self) -> Result<(), Error> {
        let Some(parent) = self.env_dir.parent().filter(|_| self.way == Way::New) else {
            return Ok(());
        };
        let mut missing: Vec<&Path> = Vec::new();
        for ancestor in parent.ancestors() {
            if ancestor.is_dir() {
                break;
            }
            missing.push(ancestor);
        }
        for directory in missing.into_iter().rev() {
            match fs::create_dir(directory) {
                Ok(()) => self.parents.push(directory.into()),
                Err(error)
                    if error.kind() == io::ErrorKind::AlreadyExists && directory.is_dir() => {}
                Err(error) => return Err(Error::io("create directory", directory)(bare(error))),
            }
        }
        Ok(())
    }

    /// Makes and locks the stage's own folder: beside `ENV_DIR` if the tree will be renamed, inside if moved.
    pub(super) fn make_root(&mut self) -> Result<(), Error> {
        let (folder, prefix) = match self.way {
            Way::New | Way::Exchange => (
                self.env_dir.parent().unwrap_or(&self.env_dir),
                leftovers::beside(&self.env_dir),
            ),
            Way::InPlace | Way::Merge => (self.env_dir.as_path(), OsString::from(INFIX)),
        };
        loop {
            let made = tempfile::Builder::new()
                .prefix(&prefix)
                .rand_bytes(RANDOM)
                .tempdir_in(folder);
            let root = made
                .map_err(|error| {
                    Error::io("create directory", &self.env_dir)(bare_of_tempfile(&error))
                })?
                .keep();
            match Lock::try_exclusive(&root) {
                Ok(lock @ Some(_)) => self.lock = lock,
                // A file system without locks: nobody can take the stage for a leftover either.
                Err(error) if error.kind() != io::ErrorKind::NotFound => {}
                // Another run took it for a leftover before it was locked.
                Ok(None) | Err(_) => continue,
            }
            self.root = root;
            if self.root.is_dir() {
                return Ok(());
            }
        }
    }
}

/// `tempfile` hides the system's number one level deeper.
fn bare_of_tempfile(error: &io::Error) -> io::Error {
    let source = error
        .get_ref()
        .and_then(std::error::Error::source)
        .and_then(|source| source.downcast_ref::<io::Error>());
    match source.or(Some(error)).and_then(io::Error::raw_os_error) {
        Some(number) => io::Error::from_raw_os_error(number),
        None => error.kind().into(),
    }
}
