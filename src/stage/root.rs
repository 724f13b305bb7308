//! Creates the directory of a stage under a random name and locks it, and creates missing parents of `ENV_DIR`.

use std::ffi::OsString;
use std::io;
use std::path::Path;

use fs_err as fs;

use super::Stage;
use crate::error::Error;
use crate::stage::names::{self, INFIX, MARK};
use crate::stage::plan::Plan;
use crate::sys::fs as ours;
use crate::sys::fs::Claim;

impl Stage {
    pub(super) fn make_parents(&mut self) -> Result<(), Error> {
        let Some(parent) = self.env_dir.parent().filter(|_| self.plan == Plan::New) else {
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
                Err(error) => {
                    return Err(Error::io("create directory", directory)(ours::bare(error)));
                }
            }
        }
        Ok(())
    }

    /// Creates and locks the stage's directory: in the parent of `ENV_DIR` if the tree will be renamed, in `ENV_DIR` if
    /// its entries are moved.
    pub(super) fn make_root(&mut self) -> Result<(), Error> {
        let (folder, prefix) = match self.plan {
            Plan::New | Plan::Exchange => (
                self.env_dir.parent().unwrap_or(&self.env_dir),
                names::stage_prefix(&self.env_dir),
            ),
            Plan::InPlace | Plan::Merge => (self.env_dir.as_path(), OsString::from(INFIX)),
        };
        loop {
            let name = names::new_name(&prefix);
            let root = folder.join(&name);
            let made = Claim::create(folder, name, MARK).map_err(|error| {
                let error = match ours::bare(error) {
                    error if error.kind() == io::ErrorKind::NotFound && folder.is_dir() => {
                        let reason = "this file system takes no folders";
                        io::Error::new(io::ErrorKind::PermissionDenied, reason)
                    }
                    error => error,
                };
                Error::io("create directory", &self.env_dir)(error)
            })?;
            if made.is_some() {
                self.claim = made;
                self.root = root;
                return Ok(());
            }
        }
    }
}
