//! Restores the directory below `PYTHONPYCACHEPREFIX` that gets bytecode of the environment.

use std::path::{Path, PathBuf};

use fs_err as fs;

use crate::error::Error;
use crate::stage::snapshot::Snapshot;

/// What undoing needs to know of the folder.
#[derive(Debug)]
pub(crate) struct PycachePrefix {
    before: Snapshot,
    /// The folders above it that were missing, innermost first.
    parents: Vec<PathBuf>,
}

impl PycachePrefix {
    /// Takes a snapshot of `folder`, which need not exist, in the new directory `kept`. Files in it are only ever replaced.
    pub(crate) fn remember(folder: &Path, kept: &Path) -> Result<Self, Error> {
        let parents = folder.ancestors().skip(1);
        let parents = parents.take_while(|parent| !parent.exists());
        let parents = parents.map(Path::to_path_buf).collect();
        fs::create_dir(kept).map_err(Error::io("save", folder))?;
        let folder = folder.to_path_buf();
        let before = Snapshot::take(kept, vec![folder.clone()], &[folder])?;
        Ok(Self { before, parents })
    }

    /// Puts everything back.
    pub(crate) fn restore(&self) {
        self.before.restore();
        for parent in &self.parents {
            // Only if it is still empty.
            let _ = fs::remove_dir(parent);
        }
    }
}
