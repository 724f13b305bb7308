//! Restores the directory below `PYTHONPYCACHEPREFIX` that the environment's bytecode is written to.

use std::path::{Path, PathBuf};

use fs_err as fs;

use crate::error::Error;
use crate::stage::snapshot::Snapshot;

/// The state of the directory before it was changed.
#[derive(Debug)]
pub(crate) struct PycachePrefix {
    before: Snapshot,
    /// Its missing parents, innermost first.
    parents: Vec<PathBuf>,
}

impl PycachePrefix {
    /// Takes a snapshot of `folder`, which may not exist, in the new directory `kept`. Files in it are only replaced.
    pub(crate) fn remember(folder: &Path, kept: &Path) -> Result<Self, Error> {
        let parents = folder.ancestors().skip(1);
        let parents = parents.take_while(|parent| !parent.exists());
        let parents = parents.map(Path::to_path_buf).collect();
        fs::create_dir(kept).map_err(Error::io("back up", folder))?;
        let folder = folder.to_path_buf();
        let before = Snapshot::take(kept, vec![folder.clone()], &[folder])?;
        Ok(Self { before, parents })
    }

    /// Restores the directory.
    pub(crate) fn restore(&self) {
        self.before.restore();
        for parent in &self.parents {
            // Only if it is still empty.
            let _ = fs::remove_dir(parent);
        }
    }
}
