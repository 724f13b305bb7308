//! A stage: the temporary directory in which a tree is built before it becomes `ENV_DIR`.
//!
//! The tree is in `new`, and what it replaces is moved to `old`. A stage is locked while its process runs, so that the
//! next run can distinguish it from the remains of a killed run. A stage that is dropped before it is finished undoes
//! all its changes.

mod guard;
pub(crate) mod journal;
pub(crate) mod names;
pub(crate) mod plan;
mod publish;
pub(crate) mod pycache_prefix;
pub(crate) mod recovery;
mod root;
mod snapshot;

use std::path::{Path, PathBuf};

use fs_err as fs;

use crate::error::Error;
use crate::options::Options;
use crate::stage::names::PENDING;
pub(crate) use crate::stage::plan::check;
use crate::stage::plan::{Plan, is_not_writable, plan};
use crate::stage::pycache_prefix::PycachePrefix;
use crate::sys::env::Env;
use crate::sys::fs as ours;
use crate::sys::fs::{Claim, Folder, Left};
use publish::Published;
use snapshot::Snapshot;

/// A tree that will become the environment.
#[derive(Debug)]
pub(crate) struct Stage {
    env_dir: PathBuf,
    root: PathBuf,
    tree: Option<Folder>,
    claim: Option<Claim>,
    plan: Plan,
    /// Parents of `ENV_DIR` that were created for it, outermost first.
    parents: Vec<PathBuf>,
    published: Published,
    /// The parts of the published environment that a program may change.
    snapshot: Option<Snapshot>,
    /// A directory outside of `ENV_DIR` that is written to.
    elsewhere: Option<PycachePrefix>,
    finished: bool,
}

impl Stage {
    /// Checks `env_dir`, which must not contain the `base` Python's files, removes the remains of killed runs, and
    /// creates an empty tree.
    ///
    /// # Errors
    ///
    /// [`Error::UnableToCreateDirectory`] for a file or symlink at `env_dir`, [`Error::RefusingToClear`], [`Error::Io`].
    pub(crate) fn open(
        env_dir: &Path,
        base: &[&str],
        options: &Options,
        environment: &Env,
    ) -> Result<Self, Error> {
        let umask = ours::umask();
        if umask & 0o700 != 0 {
            return Err(Error::Umask {
                path: env_dir.into(),
                umask,
            });
        }
        recovery::sweep(env_dir);
        let plan = plan(env_dir, base, options, environment)?;
        let mut stage = Self {
            env_dir: env_dir.into(),
            root: PathBuf::new(),
            tree: None,
            claim: None,
            plan,
            parents: Vec::new(),
            published: Published::Nothing,
            snapshot: None,
            elsewhere: None,
            finished: false,
        };
        stage.make_parents()?;
        match stage.make_root() {
            // The parent is not writable, but ENV_DIR may be.
            Err(error) if stage.plan == Plan::Exchange && is_not_writable(&error) => {
                stage.plan = Plan::InPlace;
                stage.make_root()?;
            }
            made => made?,
        }
        let new = stage.root.join("new");
        fs::create_dir(&new).map_err(Error::io("create directory", env_dir))?;
        let tree = Folder::open(&new, env_dir).inspect_err(|_| {
            // Without a free file descriptor, a directory cannot be listed, but an empty one can be removed.
            let _ = fs::remove_dir(&new);
        })?;
        stage.tree = Some(tree);
        Ok(stage)
    }

    /// The tree that is being built.
    pub(crate) fn tree(&self) -> &Folder {
        self.tree
            .as_ref()
            .expect("a stage has its tree from `open` on")
    }

    /// A temporary directory in the stage, on the same file system as the environment.
    pub(crate) fn scratch(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Where something of the tree is until it is published.
    pub(crate) fn path_in_tree(&self, name: &str) -> PathBuf {
        self.root.join("new").join(name)
    }

    /// Empties a directory of the tree.
    pub(crate) fn restart(&self, name: &str) -> Result<(), Error> {
        let folder = self.root.join("new").join(name);
        ours::remove_tree(&folder).map_err(|(path, error)| Error::io("remove", &path)(error))?;
        self.tree().create_dir(name)
    }

    /// Whether `ENV_DIR` exists already.
    pub(crate) fn replaces(&self) -> bool {
        self.plan != Plan::New
    }

    /// Whether the tree will be merged into an existing directory.
    pub(crate) fn is_merge(&self) -> bool {
        self.plan == Plan::Merge
    }

    /// Whether the published tree has become `ENV_DIR` where nothing was before.
    pub(crate) fn is_renamed(&self) -> bool {
        matches!(self.published, Published::Renamed)
    }

    /// Records these entries of the published environment before a program changes them, so that they can be restored.
    /// In the directories `packages` the program only replaces files. A tree that was published as a whole is removed
    /// as a whole.
    pub(crate) fn remember(&mut self, entries: &[&str], packages: &[&str]) -> Result<(), Error> {
        if !matches!(self.published, Published::Moved(_)) || self.snapshot.is_some() {
            return Ok(());
        }
        let kept = self.root.join("kept");
        fs::create_dir(&kept).map_err(Error::io("create directory", &self.env_dir))?;
        let paths = |names: &[&str]| -> Vec<PathBuf> {
            names.iter().map(|name| self.env_dir.join(name)).collect()
        };
        self.snapshot = Some(Snapshot::take(&kept, paths(entries), &paths(packages))?);
        Ok(())
    }

    /// Takes a snapshot of a directory outside of `ENV_DIR` that files of the environment are written to.
    pub(crate) fn remember_elsewhere(&mut self, folder: &Path) -> Result<(), Error> {
        let kept = self.root.join("elsewhere");
        self.elsewhere = Some(PycachePrefix::remember(folder, &kept)?);
        Ok(())
    }

    /// Whether files that a program has written outside of the recorded entries must be known to undo it.
    pub(crate) fn remembers(&self) -> bool {
        self.snapshot.is_some()
    }

    /// Adds files, relative to `ENV_DIR`, that a program has written elsewhere, so that they are removed.
    pub(crate) fn added(&mut self, files: impl IntoIterator<Item = String>) {
        if let Some(snapshot) = &mut self.snapshot {
            let paths = files.into_iter().map(|file| self.env_dir.join(file));
            snapshot.add(paths.collect());
        }
    }

    /// Publishes the empty tree for another program to fill. If this run is killed before the stage is finished, the
    /// next run restores the previous environment.
    pub(crate) fn publish_pending(&mut self) -> Result<bool, Error> {
        let pending = self.root.join(PENDING);
        fs::write(pending, "").map_err(Error::io("create a file in", &self.env_dir))?;
        self.publish(&[])
    }

    /// Completes the environment and deletes what it replaced. Returns what could not be deleted.
    pub(crate) fn finish(mut self) -> Result<(), Left> {
        self.finished = true;
        // Removed first: if this run is killed while it deletes the old environment, that must not be restored.
        let _ = fs::remove_file(self.root.join(PENDING));
        let unmovable = match &self.published {
            Published::Moved(journal) => journal.unmovable(),
            Published::Exchanged => {
                self.keep_special();
                None
            }
            Published::Nothing | Published::Renamed => None,
        };
        self.remove_root()?;
        unmovable.map_or(Ok(()), Err)
    }

    /// Undoes everything, including what a program has written into the published tree.
    pub(crate) fn take_back(mut self) {
        if let Published::Moved(journal) = &mut self.published {
            journal.record_added(&self.env_dir);
        }
    }

    /// `--clear` keeps what is not a file, directory or link (`venv/__init__.py`, `clear_directory`).
    fn keep_special(&self) {
        let old = self.root.join("new");
        for entry in fs::read_dir(&old).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(ours::is_special) {
                // If the new environment has an entry with this name, it is deleted with the old one.
                let _ = ours::rename_new(&entry.path(), &self.env_dir.join(entry.file_name()));
            }
        }
    }

    fn remove_root(&mut self) -> Result<(), Left> {
        self.tree = None;
        let Some(claim) = self.claim.take() else {
            return Ok(());
        };
        match self.published {
            Published::Renamed if self.elsewhere.is_none() => claim.remove_empty(),
            _ => claim.remove(),
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if self.finished {
            return;
        }
        let is_whole = self.undo();
        if let Some(elsewhere) = &self.elsewhere {
            elsewhere.restore();
        }
        if !is_whole {
            // The next run tries again.
            return;
        }
        let _ = self.remove_root();
        for parent in self.parents.iter().rev() {
            // Only if it is still empty.
            let _ = fs::remove_dir(parent);
        }
    }
}
