//! Moves a tree into an existing directory, entry by entry, and records each step so that it can be undone.
//!
//! No symlink in the directory is followed.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};

use fs_err as fs;

use crate::error::Error;
use crate::stage::names::{INFIX, is_stage};
use crate::sys::fs as ours;
use crate::sys::fs::{Folder, Left};

/// Entries of an existing environment that are not replaced.
const KEPT: [&str; 2] = [".gitignore", "lib64"];

/// Refusals that concern one entry alone: a mount point, an immutable file, a folder that is not ours.
const STUCK: [io::ErrorKind; 2] = [io::ErrorKind::ResourceBusy, io::ErrorKind::PermissionDenied];

/// What was done, so that it can be undone.
#[derive(Debug)]
pub(crate) struct Journal {
    old: PathBuf,
    steps: Vec<Step>,
    stuck: Vec<(PathBuf, io::ErrorKind)>,
}

#[derive(Debug)]
enum Step {
    /// An entry that was not there came from the stage.
    Added(PathBuf),
    /// An entry was replaced or removed; the old one is at `backup`.
    Replaced { path: PathBuf, backup: PathBuf },
}

/// Refuses before anything is touched: a symlink or file where a folder must be, a folder where a file must be.
pub(crate) fn check(new: &Path, directory: &Path) -> Result<(), Error> {
    for name in entries(new, directory)? {
        let (from, to) = (new.join(&name), directory.join(&name));
        let Ok(there) = fs::symlink_metadata(&to) else {
            continue;
        };
        let is_folder = fs::symlink_metadata(&from).is_ok_and(|metadata| metadata.is_dir());
        if is_kept(&name) && !is_folder {
            continue;
        }
        match (is_folder, there.is_dir()) {
            (true, true) => check(&from, &to)?,
            (true, false) => return Err(Error::no_directory(&to, &there)),
            (false, true) => {
                let source = io::Error::from(io::ErrorKind::IsADirectory);
                return Err(Error::Io {
                    action: "replace",
                    path: to,
                    source,
                });
            }
            (false, false) => {}
        }
    }
    Ok(())
}

impl Journal {
    /// `old` is an empty folder on the same file system.
    pub(crate) fn new(old: PathBuf) -> Self {
        Self {
            old,
            steps: Vec::new(),
            stuck: Vec::new(),
        }
    }

    /// Moves everything but stages out of `directory` into `out`, `pyvenv.cfg` first; what cannot be moved (a mount, an
    /// immutable file) stays and is remembered. A folder that stays is in `new` too, if need be as an empty one, so that
    /// [`move_back`] can tell it from one that came from there.
    pub(crate) fn move_out(
        &mut self,
        directory: &Path,
        out: &Path,
        new: &Path,
    ) -> Result<(), Error> {
        for name in entries(directory, directory)?.into_iter().rev() {
            if is_stage(&name, OsStr::new(INFIX)) {
                continue;
            }
            let path = directory.join(&name);
            if is_special(&path) {
                continue;
            }
            // Under its own name, so that the next run can put it back if this one is killed.
            self.move_entry(&path, &out.join(&name), &new.join(&name))?;
        }
        Ok(())
    }

    fn move_entry(&mut self, path: &Path, backup: &Path, new: &Path) -> Result<(), Error> {
        match fs::rename(path, backup) {
            Ok(()) => self.steps.push(Step::Replaced {
                path: path.into(),
                backup: backup.into(),
            }),
            // Another run was faster.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) if STUCK.contains(&error.kind()) => {
                self.stuck.push((path.into(), error.kind()));
            }
            // overlayfs renames no folder of a lower layer, but every file.
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices && path.is_dir() => {
                let is_only_old = fs::create_dir(new).is_ok();
                create_like(path, backup)?;
                let begin = self.steps.len();
                for name in entries(path, path)? {
                    self.move_entry(&path.join(&name), &backup.join(&name), &new.join(&name))?;
                }
                // It stays if something in it does.
                if fs::remove_dir(path).is_ok() {
                    if is_only_old {
                        let _ = fs::remove_dir(new);
                    }
                    // It goes back as one, with its mode and what was empty in it.
                    self.steps.truncate(begin);
                    self.steps.push(Step::Replaced {
                        path: path.into(),
                        backup: backup.into(),
                    });
                }
            }
            Err(error) => return Err(Error::io("move away", path)(ours::bare(error))),
        }
        Ok(())
    }

    /// Takes everything in `directory` for added, but what [`Journal::move_out`] left there.
    pub(crate) fn take_in(&mut self, directory: &Path) {
        for name in entries(directory, directory).unwrap_or_default() {
            let path = directory.join(&name);
            let is_old =
                is_special(&path) || self.stuck.iter().any(|(old, _)| old.starts_with(&path));
            if !is_old && !is_stage(&name, OsStr::new(INFIX)) {
                self.steps.push(Step::Added(path));
            }
        }
    }

    /// Moves the entries of `new` into `directory`: packages first, the interpreter's names and `pyvenv.cfg` last.
    pub(crate) fn merge(&mut self, new: &Path, directory: &Path) -> Result<(), Error> {
        for name in entries(new, directory)? {
            let (from, to) = (new.join(&name), directory.join(&name));
            if is_kept(&name) && to.exists() {
                continue;
            }
            if add(&from, &to)? {
                self.steps.push(Step::Added(to));
            } else if fs::symlink_metadata(&from).is_ok_and(|metadata| metadata.is_dir()) {
                let there = fs::symlink_metadata(&to).map_err(Error::io("look at", &to))?;
                if !there.is_dir() {
                    return Err(Error::no_directory(&to, &there));
                }
                self.merge(&from, &to)?;
            } else {
                let backup = self.backup_name();
                match keep_copy(&to, &backup) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        return Err(Error::io("save", &to)(ours::bare(error)));
                    }
                    _ => {}
                }
                fs::rename(&from, &to)
                    .map_err(|error| Error::io("replace", &to)(ours::bare(error)))?;
                self.steps.push(Step::Replaced { path: to, backup });
            }
        }
        Ok(())
    }

    /// Removes files (named relative to `directory`, with `/`) and the folders that this empties.
    pub(crate) fn remove(&mut self, directory: &Path, names: &[String]) -> Result<(), Error> {
        for name in names {
            let path = directory.join(name);
            // A folder on the way that is a symlink leads out of the environment: what it holds is not ours.
            if !is_real(directory, &path) {
                continue;
            }
            let backup = self.backup_name();
            match fs::rename(&path, &backup) {
                Ok(()) => self.steps.push(Step::Replaced {
                    path: path.clone(),
                    backup,
                }),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(Error::io("remove", &path)(ours::bare(error))),
            }
            for folder in path
                .ancestors()
                .skip(1)
                .take_while(|&folder| folder != directory)
            {
                if !self.remove_empty(folder)? {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Removes a folder if it is empty; a folder like it is kept.
    fn remove_empty(&mut self, folder: &Path) -> Result<bool, Error> {
        if fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_some()) {
            return Ok(false);
        }
        let backup = self.backup_name();
        create_like(folder, &backup)?;
        if fs::remove_dir(folder).is_err() {
            let _ = fs::remove_dir(&backup);
            return Ok(false);
        }
        let path = folder.into();
        self.steps.push(Step::Replaced { path, backup });
        Ok(true)
    }

    /// Puts everything back, last step first. Whether all is back.
    pub(crate) fn undo(&mut self) -> bool {
        let mut is_whole = true;
        for step in self.steps.drain(..).rev() {
            match step {
                Step::Added(path) => {
                    let _ = ours::remove_tree(&path);
                }
                // If it is missing the next run restores the rest.
                Step::Replaced { path, .. } if !is_whole && path.ends_with("pyvenv.cfg") => {}
                Step::Replaced { path, backup } => {
                    if fs::rename(&backup, &path).is_err() {
                        // A folder that has come since is in the way.
                        let _ = ours::remove_tree(&path);
                        let is_back = fs::rename(&backup, path).is_ok();
                        is_whole &= is_back || fs::symlink_metadata(backup).is_err();
                    }
                }
            }
        }
        is_whole
    }

    /// The first entry that could not be moved out.
    pub(crate) fn stuck(&self) -> Option<Left> {
        self.stuck
            .first()
            .map(|(path, kind)| (path.clone(), (*kind).into()))
    }

    fn backup_name(&self) -> PathBuf {
        self.old
            .join((self.steps.len() + self.stuck.len()).to_string())
    }
}

/// Moves an entry to a name that nothing has; `false` if something has it.
fn add(from: &Path, to: &Path) -> Result<bool, Error> {
    match fs::symlink_metadata(to) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => ours::rename_new(from, to),
        _ => Ok(false),
    }
}

/// Puts back what a killed run moved from `directory` to `out`, over what came from `new` meanwhile. Whether all is back.
pub(crate) fn move_back(out: &Path, new: &Path, directory: &Path) -> bool {
    let is_folder =
        |path: &Path| fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir());
    let Ok(names) = entries(out, directory) else {
        // Killed before there was such a folder.
        return fs::symlink_metadata(out).is_err();
    };
    let mut is_whole = true;
    for name in names {
        let (from, new, to) = (out.join(&name), new.join(&name), directory.join(&name));
        // What is not in the tree any more came from there.
        if fs::symlink_metadata(&new).is_err() {
            let _ = ours::remove_tree(&to);
        }
        let is_back = if is_folder(&from) && is_folder(&to) {
            move_back(&from, &new, &to)
        } else {
            fs::rename(&from, &to).is_ok()
        };
        is_whole &= is_back;
    }
    is_whole
}

/// Makes a folder with the mode and the owner of another.
fn create_like(folder: &Path, path: &Path) -> Result<(), Error> {
    fs::create_dir(path).map_err(|error| Error::io("create directory", path)(ours::bare(error)))?;
    Folder::open(path, folder)?.adopt(folder)
}

/// Copies `path` to another name without a moment at which `path` is missing.
pub(crate) fn keep_copy(path: &Path, backup: &Path) -> io::Result<()> {
    if fs::hard_link(path, backup).is_ok() {
        return Ok(());
    }
    if fs::symlink_metadata(path)?.is_symlink() {
        return ours::symlink(&fs::read_link(path)?, backup);
    }
    ours::copy_file(path, backup)
}

/// The names in `folder` in the order in which they may appear to a process that runs from the environment.
pub(crate) fn entries(folder: &Path, shown: &Path) -> Result<Vec<OsString>, Error> {
    let failed = |error| Error::io("list", shown)(ours::bare(error));
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        names.push(entry.map_err(failed)?.file_name());
    }
    names.sort_by_cached_key(|name| {
        let name = name.to_string_lossy().into_owned();
        let is_interpreter =
            name.contains("python") || name.contains("pypy") || name.ends_with("thon");
        let rank = match name.as_str() {
            "pyvenv.cfg" => 3,
            "bin" | "Scripts" => 2,
            _ => u8::from(is_interpreter),
        };
        (rank, name)
    });
    Ok(names)
}

fn is_kept(name: &OsStr) -> bool {
    KEPT.iter().any(|kept| name == *kept)
}

/// Such an entry stays where it is (`venv/__init__.py`, `clear_directory`).
fn is_special(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| ours::is_special(metadata.file_type()))
}

/// Whether no folder between `directory` and `path` is a symlink.
fn is_real(directory: &Path, path: &Path) -> bool {
    let folders = path
        .ancestors()
        .skip(1)
        .take_while(|&folder| folder != directory);
    folders
        .into_iter()
        .all(|folder| fs::symlink_metadata(folder).is_ok_and(|metadata| metadata.is_dir()))
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn folders<const N: usize>(root: &Path, names: [&str; N]) -> [PathBuf; N] {
        names.map(|name| {
            let path = root.join(name);
            fs::create_dir(&path).unwrap();
            path
        })
    }

    #[test]
    fn folders_that_a_removal_emptied_come_back_with_their_modes() {
        let root = tempfile::tempdir().unwrap();
        let [env, old] = folders(root.path(), ["env", "old"]);
        let names = ["lib", "lib/one", "lib/one/two"];
        for name in names {
            fs::create_dir(env.join(name)).unwrap();
            fs::set_permissions(env.join(name), std::fs::Permissions::from_mode(0o2750)).unwrap();
        }
        fs::write(env.join("lib/one/two/file"), "file").unwrap();
        let mut journal = Journal::new(old);
        journal.remove(&env, &["lib/one/two/file".into()]).unwrap();
        assert!(!env.join("lib").exists());
        journal.undo();
        for name in names {
            let mode = fs::metadata(env.join(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o7777, 0o2750, "{name}");
        }
        let text = fs::read_to_string(env.join("lib/one/two/file")).unwrap();
        assert_eq!(text, "file");
    }

    #[test]
    fn what_was_moved_out_of_a_folder_that_stayed_comes_back() {
        let root = tempfile::tempdir().unwrap();
        let [env, out, new] = folders(root.path(), ["env", "out", "new"]);
        // Moved in part, whole with a new one in its place, and not yet.
        for (folder, file) in [
            ("out/part", "moved"),
            ("env/part", "stayed"),
            ("out/whole", "old"),
            ("env/whole", "new"),
            ("env/later", "later"),
        ] {
            let folder = root.path().join(folder);
            fs::create_dir(&folder).unwrap();
            fs::write(folder.join(file), file).unwrap();
        }
        fs::create_dir(new.join("part")).unwrap();
        assert!(move_back(&out, &new, &env));
        for (name, there) in [
            ("part/moved", true),
            ("part/stayed", true),
            ("whole/old", true),
            ("whole/new", false),
            ("later/later", true),
        ] {
            assert_eq!(env.join(name).exists(), there, "{name}");
        }
    }
}
