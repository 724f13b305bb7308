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
const PRESERVED: [&str; 2] = [".gitignore", "lib64"];

/// Errors that concern a single entry: a mount point, an immutable file, a directory of another user.
const UNMOVABLE: [io::ErrorKind; 2] =
    [io::ErrorKind::ResourceBusy, io::ErrorKind::PermissionDenied];

/// The steps that were done, so that they can be undone.
#[derive(Debug)]
pub(crate) struct Journal {
    old: PathBuf,
    steps: Vec<Step>,
    unmovable: Vec<(PathBuf, io::ErrorKind)>,
}

#[derive(Debug)]
enum Step {
    /// A new entry was moved from the stage.
    Added(PathBuf),
    /// An entry was replaced or removed; the old one is at `backup`.
    Replaced { path: PathBuf, backup: PathBuf },
}

/// Fails before anything is changed if a symlink or file is in place of a directory, or a directory in place of a file.
pub(crate) fn check(new: &Path, directory: &Path) -> Result<(), Error> {
    for name in entries(new, directory)? {
        let (from, to) = (new.join(&name), directory.join(&name));
        let Ok(existing) = fs::symlink_metadata(&to) else {
            continue;
        };
        let is_folder = fs::symlink_metadata(&from).is_ok_and(|metadata| metadata.is_dir());
        if is_preserved(&name) && !is_folder {
            continue;
        }
        match (is_folder, existing.is_dir()) {
            (true, true) => check(&from, &to)?,
            (true, false) => return Err(Error::no_directory(&to, &existing)),
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
    /// `old` is an empty directory on the same file system.
    pub(crate) fn new(old: PathBuf) -> Self {
        Self {
            old,
            steps: Vec::new(),
            unmovable: Vec::new(),
        }
    }

    /// Moves everything except stages from `directory` to `out`, `pyvenv.cfg` first. What cannot be moved (a mount
    /// point, an immutable file) is kept and recorded. A directory that is kept also exists in `new`, if necessary as
    /// an empty one, so that [`move_back`] can distinguish it from one that was moved from there.
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
            // Under its own name, so that the next run can restore it if this one is killed.
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
            // Another run has already removed it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) if UNMOVABLE.contains(&error.kind()) => {
                self.unmovable.push((path.into(), error.kind()));
            }
            // overlayfs cannot rename directories of a lower layer, but it can rename every file.
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices && path.is_dir() => {
                let is_new_empty = fs::create_dir(new).is_ok();
                create_like(path, backup)?;
                let begin = self.steps.len();
                for name in entries(path, path)? {
                    self.move_entry(&path.join(&name), &backup.join(&name), &new.join(&name))?;
                }
                // The directory is kept if something in it is.
                if fs::remove_dir(path).is_ok() {
                    if is_new_empty {
                        let _ = fs::remove_dir(new);
                    }
                    // It is restored as a whole, with its mode and its empty directories.
                    self.steps.truncate(begin);
                    self.steps.push(Step::Replaced {
                        path: path.into(),
                        backup: backup.into(),
                    });
                }
            }
            Err(error) => return Err(Error::io("move", path)(ours::bare(error))),
        }
        Ok(())
    }

    /// Records everything in `directory` as added, except what [`Journal::move_out`] kept.
    pub(crate) fn record_added(&mut self, directory: &Path) {
        for name in entries(directory, directory).unwrap_or_default() {
            let path = directory.join(&name);
            let is_old =
                is_special(&path) || self.unmovable.iter().any(|(old, _)| old.starts_with(&path));
            if !is_old && !is_stage(&name, OsStr::new(INFIX)) {
                self.steps.push(Step::Added(path));
            }
        }
    }

    /// Moves the entries of `new` into `directory`: packages first, the interpreter and `pyvenv.cfg` last.
    pub(crate) fn merge(&mut self, new: &Path, directory: &Path) -> Result<(), Error> {
        for name in entries(new, directory)? {
            let (from, to) = (new.join(&name), directory.join(&name));
            if is_preserved(&name) && to.exists() {
                continue;
            }
            if add(&from, &to)? {
                self.steps.push(Step::Added(to));
            } else if fs::symlink_metadata(&from).is_ok_and(|metadata| metadata.is_dir()) {
                let existing = fs::symlink_metadata(&to).map_err(Error::io("access", &to))?;
                if !existing.is_dir() {
                    return Err(Error::no_directory(&to, &existing));
                }
                self.merge(&from, &to)?;
            } else {
                let backup = self.backup_name();
                match keep_copy(&to, &backup) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        return Err(Error::io("back up", &to)(ours::bare(error)));
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

    /// Removes files (relative to `directory`, with `/`) and the directories that become empty.
    pub(crate) fn remove(&mut self, directory: &Path, names: &[String]) -> Result<(), Error> {
        for name in names {
            let path = directory.join(name);
            // A directory that is a symlink may be outside of the environment, where nothing is deleted.
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

    /// Removes a directory if it is empty. It is restored as an empty one.
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

    /// Undoes all steps, the last one first. Returns whether everything was restored.
    pub(crate) fn undo(&mut self) -> bool {
        let mut is_whole = true;
        for step in self.steps.drain(..).rev() {
            match step {
                Step::Added(path) => {
                    let _ = ours::remove_tree(&path);
                }
                // Without `pyvenv.cfg` the next run restores the rest.
                Step::Replaced { path, .. } if !is_whole && path.ends_with("pyvenv.cfg") => {}
                Step::Replaced { path, backup } => {
                    if fs::rename(&backup, &path).is_err() {
                        // A new directory may exist at this path.
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
    pub(crate) fn unmovable(&self) -> Option<Left> {
        self.unmovable
            .first()
            .map(|(path, kind)| (path.clone(), (*kind).into()))
    }

    fn backup_name(&self) -> PathBuf {
        self.old
            .join((self.steps.len() + self.unmovable.len()).to_string())
    }
}

/// Moves an entry to a path that does not exist. Returns `false` if it exists.
fn add(from: &Path, to: &Path) -> Result<bool, Error> {
    match fs::symlink_metadata(to) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => ours::rename_new(from, to),
        _ => Ok(false),
    }
}

/// Restores what a killed run moved from `directory` to `out`, over entries that came from `new`. Returns whether
/// everything was restored.
pub(crate) fn move_back(out: &Path, new: &Path, directory: &Path) -> bool {
    let is_folder =
        |path: &Path| fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir());
    let Ok(names) = entries(out, directory) else {
        // The run was killed before it created this directory.
        return fs::symlink_metadata(out).is_err();
    };
    let mut is_whole = true;
    for name in names {
        let (from, new, to) = (out.join(&name), new.join(&name), directory.join(&name));
        // It was moved to `directory`.
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

/// Creates a directory with the mode and owner of another one.
fn create_like(folder: &Path, path: &Path) -> Result<(), Error> {
    fs::create_dir(path).map_err(|error| Error::io("create directory", path)(ours::bare(error)))?;
    Folder::open(path, folder)?.adopt(folder)
}

/// Copies `path`, which always exists.
pub(crate) fn keep_copy(path: &Path, backup: &Path) -> io::Result<()> {
    if fs::hard_link(path, backup).is_ok() {
        return Ok(());
    }
    if fs::symlink_metadata(path)?.is_symlink() {
        return ours::symlink(&fs::read_link(path)?, backup);
    }
    ours::copy_file(path, backup)
}

/// The names in `folder` in the order in which they may become visible to a process that uses the environment.
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

fn is_preserved(name: &OsStr) -> bool {
    PRESERVED.iter().any(|preserved| name == *preserved)
}

/// These entries are kept (`venv/__init__.py`, `clear_directory`).
fn is_special(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| ours::is_special(metadata.file_type()))
}

/// Whether no directory between `directory` and `path` is a symlink.
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
    fn emptied_folders_are_restored_with_their_modes() {
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
    fn entries_moved_out_of_a_remaining_folder_are_restored() {
        let root = tempfile::tempdir().unwrap();
        let [env, out, new] = folders(root.path(), ["env", "out", "new"]);
        // Partly moved, moved and replaced by a new one, and not moved.
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
        for (name, existing) in [
            ("part/moved", true),
            ("part/stayed", true),
            ("whole/old", true),
            ("whole/new", false),
            ("later/later", true),
        ] {
            assert_eq!(env.join(name).exists(), existing, "{name}");
        }
    }
}
