//! A stage: the temporary directory in which a tree is built before it becomes `ENV_DIR`.
//!
//! The tree is in `new`, and what it replaces is moved to `old`. A stage is locked while its process runs, so that the next run
//! can tell the remains of a killed run from one that is still at work. A stage that is dropped before it is finished undoes all
//! its changes.

mod guard;
pub(crate) mod journal;
mod names;
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
use crate::stage::plan::{Plan, is_refusal, plan};
use crate::stage::pycache_prefix::PycachePrefix;
use crate::sys::env::Env;
use crate::sys::fs as ours;
use crate::sys::fs::{Claim, Folder, Left};
use publish::Published;
use snapshot::Snapshot;

/// A tree on its way to be an environment.
#[derive(Debug)]
pub(crate) struct Stage {
    env_dir: PathBuf,
    root: PathBuf,
    tree: Option<Folder>,
    claim: Option<Claim>,
    plan: Plan,
    /// Parents of `ENV_DIR` that were made for it, outermost first.
    parents: Vec<PathBuf>,
    published: Published,
    /// What a program that works in the published environment may change.
    snapshot: Option<Snapshot>,
    /// What is written outside of `ENV_DIR`.
    elsewhere: Option<PycachePrefix>,
    finished: bool,
}

impl Stage {
    /// Checks `env_dir`, which must hold none of the `base` Python's files, clears away what killed runs left there, and makes an empty tree.
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
            // The parent cannot be written, but ENV_DIR may be.
            Err(error) if stage.plan == Plan::Exchange && is_refusal(&error) => {
                stage.plan = Plan::InPlace;
                stage.make_root()?;
            }
            made => made?,
        }
        let new = stage.root.join("new");
        fs::create_dir(&new).map_err(Error::io("create directory", env_dir))?;
        let tree = Folder::open(&new, env_dir).inspect_err(|_| {
            // Without a file left to open, no folder can be listed to be removed.
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

    /// Empties a folder of the tree, so that it can be filled again.
    pub(crate) fn restart(&self, name: &str) -> Result<(), Error> {
        let folder = self.root.join("new").join(name);
        ours::remove_tree(&folder).map_err(|(path, error)| Error::io("remove", &path)(error))?;
        self.tree().create_dir(name)
    }

    /// Whether something is at `ENV_DIR` already.
    pub(crate) fn replaces(&self) -> bool {
        self.plan != Plan::New
    }

    /// Whether the tree will be merged into what is at `ENV_DIR`.
    pub(crate) fn is_merge(&self) -> bool {
        self.plan == Plan::Merge
    }

    /// Remembers these entries of the published environment, which a program is about to change: undoing puts them back.
    /// In the folders `packages` it only replaces files. A tree that came as a whole goes as a whole.
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

    /// Takes a snapshot of a directory outside of `ENV_DIR` that gets files of the environment, for undoing.
    pub(crate) fn remember_elsewhere(&mut self, folder: &Path) -> Result<(), Error> {
        let kept = self.root.join("elsewhere");
        self.elsewhere = Some(PycachePrefix::remember(folder, &kept)?);
        Ok(())
    }

    /// Whether undoing needs to know what a program has put elsewhere than into the remembered entries.
    pub(crate) fn remembers(&self) -> bool {
        self.snapshot.is_some()
    }

    /// Names files, relative to `ENV_DIR`, that a program has put elsewhere: undoing removes them.
    pub(crate) fn added(&mut self, files: impl IntoIterator<Item = String>) {
        if let Some(snapshot) = &mut self.snapshot {
            let paths = files.into_iter().map(|file| self.env_dir.join(file));
            snapshot.add(paths.collect());
        }
    }

    /// Publishes the empty tree for another program to fill. Until the stage is finished the next run restores what was there
    /// if this one is killed.
    pub(crate) fn publish_pending(&mut self) -> Result<bool, Error> {
        let pending = self.root.join(PENDING);
        fs::write(pending, "").map_err(Error::io("create a file in", &self.env_dir))?;
        self.publish(&[])
    }

    /// The environment is complete: deletes what it replaced. What cannot be deleted is returned.
    pub(crate) fn finish(mut self) -> Result<(), Left> {
        self.finished = true;
        // First, or a run that is killed while it deletes the old environment would have it restored.
        let _ = fs::remove_file(self.root.join(PENDING));
        let stuck = match &self.published {
            Published::Moved(journal) => journal.stuck(),
            Published::Exchanged => {
                self.keep_special();
                None
            }
            Published::Nothing | Published::Renamed => None,
        };
        self.remove_root()?;
        stuck.map_or(Ok(()), Err)
    }

    /// Undoes everything, with what a program has put into the published tree since.
    pub(crate) fn take_back(mut self) {
        if let Published::Moved(journal) = &mut self.published {
            journal.take_in(&self.env_dir);
        }
    }

    /// What is neither file nor folder nor link survives `--clear` (`venv/__init__.py`, `clear_directory`).
    fn keep_special(&self) {
        let old = self.root.join("new");
        for entry in fs::read_dir(&old).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(ours::is_special) {
                // In the new environment's way it goes with the old one.
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
