//! Publishes the tree as the environment, and undoes that.

use std::io;
use std::path::Path;

use fs_err as fs;

use super::Stage;
use crate::error::Error;
use crate::stage::journal;
use crate::stage::journal::Journal;
use crate::stage::names::{ASIDE, MOVED_OUT};
use crate::stage::plan::{Plan, cannot_be_renamed};
use crate::sys::fs as ours;

/// What was done to `ENV_DIR`, so that it can be undone.
#[derive(Debug)]
pub(super) enum Published {
    Nothing,
    Renamed,
    Exchanged,
    Moved(Journal),
}

impl Stage {
    /// Makes the tree the environment. Returns `false` if `ENV_DIR` was created or removed in the meantime: nothing was
    /// changed then, and a new stage is needed.
    ///
    /// `remove` are files below `ENV_DIR` that are obsolete. Only a merge has any.
    pub(crate) fn publish(&mut self, remove: &[String]) -> Result<bool, Error> {
        let new = self.root.join("new");
        match self.plan {
            Plan::New => {
                if !ours::rename_new(&new, &self.env_dir)? {
                    return Ok(false);
                }
                self.published = Published::Renamed;
            }
            Plan::Exchange => {
                self.tree().adopt(&self.env_dir)?;
                match self.exchange(&new) {
                    Ok(false) => return Ok(false),
                    Ok(true) => self.published = Published::Exchanged,
                    // A directory in a lower layer of an overlay, or a mount point in another namespace, cannot be
                    // moved.
                    Err(error) if cannot_be_renamed(&error) => {
                        self.plan = Plan::InPlace;
                        return self.publish(remove);
                    }
                    Err(error) => return Err(error),
                }
            }
            Plan::InPlace | Plan::Merge => {
                journal::check(&new, &self.env_dir)?;
                let (old, out) = (self.root.join("old"), self.root.join(MOVED_OUT));
                for folder in [&old, &out] {
                    fs::create_dir(folder).map_err(Error::io("create directory", &self.env_dir))?;
                }
                let mut journal = Journal::new(old);
                let moved = self.move_entries(&mut journal, &new, &out, remove);
                // Everything moved before an error is undone as well.
                self.published = Published::Moved(journal);
                moved?;
            }
        }
        Ok(true)
    }

    fn move_entries(
        &self,
        journal: &mut Journal,
        new: &Path,
        out: &Path,
        remove: &[String],
    ) -> Result<(), Error> {
        if self.plan == Plan::InPlace {
            journal.move_out(&self.env_dir, out, new)?;
        }
        journal.merge(new, &self.env_dir)?;
        journal.remove(&self.env_dir, remove)
    }

    /// Exchanges the tree with the old environment; with two renames if the file system does not support that.
    fn exchange(&self, new: &Path) -> Result<bool, Error> {
        match ours::exchange(new, &self.env_dir) {
            Ok(true) => return Ok(true),
            Ok(false) => {}
            Err(error) if error.io_kind() == Some(io::ErrorKind::NotFound) => return Ok(false),
            Err(error) => return Err(error),
        }
        let aside = self.root.join(ASIDE);
        match fs::rename(&self.env_dir, &aside) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(Error::io("rename", &self.env_dir)(ours::bare(error))),
        }
        let renamed = ours::rename_new(new, &self.env_dir);
        if !matches!(renamed, Ok(true)) {
            // What another run has created there is cleared, too.
            let restored = ours::rename_new(&aside, &self.env_dir);
            return renamed.and(restored).map(|_| false);
        }
        // Published. This rename is only needed to undo it.
        fs::rename(&aside, new)
            .map_err(|error| Error::io("rename", &self.env_dir)(ours::bare(error)))?;
        Ok(true)
    }

    /// Undoes it. Returns whether the stage contains nothing of the old environment.
    pub(super) fn undo(&mut self) -> bool {
        let new = self.root.join("new");
        if let Some(snapshot) = self.snapshot.take() {
            snapshot.restore();
        }
        match &mut self.published {
            Published::Nothing => {}
            Published::Renamed => {
                let _ = fs::rename(&self.env_dir, &new);
            }
            Published::Exchanged => {
                if !matches!(ours::exchange(&new, &self.env_dir), Ok(true)) {
                    let aside = self.root.join(ASIDE);
                    let _ = fs::rename(&self.env_dir, &aside)
                        .and_then(|()| fs::rename(&new, &self.env_dir));
                }
            }
            Published::Moved(journal) => return journal.undo(),
        }
        true
    }
}
