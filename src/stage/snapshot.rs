//! What an existing environment holds before a program changes it, so that it can be put back.
//!
//! A second name for every file, which costs no space; a copy where the file system has none. Knows no packages.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use fs_err as fs;
use walkdir::WalkDir;

use super::merge::keep_copy;
use crate::error::Error;
use crate::fs as ours;

/// The entries of some folders as they were.
#[derive(Debug)]
pub(super) struct Snapshot {
    folders: Vec<PathBuf>,
    entries: BTreeMap<PathBuf, Entry>,
}

#[derive(Debug, PartialEq, Eq)]
enum Entry {
    Folder,
    /// What the file was, and its second name.
    File(State, PathBuf),
}

/// What tells whether a program has changed a file.
#[derive(Debug, PartialEq, Eq)]
struct State {
    size: u64,
    modified: Option<SystemTime>,
    /// Where a symlink leads.
    target: Option<PathBuf>,
}

impl State {
    fn of(path: &Path) -> Option<Self> {
        let metadata = fs::symlink_metadata(path).ok()?;
        Some(Self {
            size: metadata.len(),
            modified: metadata.modified().ok(),
            target: fs::read_link(path).ok(),
        })
    }
}

impl Snapshot {
    /// Remembers everything below `folders`, which need not exist; `kept` is an empty folder on the same file system.
    pub(super) fn take(kept: &Path, folders: Vec<PathBuf>) -> Result<Self, Error> {
        let mut entries = BTreeMap::new();
        for entry in folders.iter().flat_map(walk) {
            // What vanishes meanwhile is not there to be put back.
            let Ok(entry) = entry else { continue };
            let is_folder = entry.file_type().is_dir();
            let path = entry.into_path();
            let Some(state) = State::of(&path) else {
                continue;
            };
            let entry = if is_folder {
                Entry::Folder
            } else {
                let second = kept.join(entries.len().to_string());
                keep_copy(&path, &second).map_err(Error::io("save", &path))?;
                Entry::File(state, second)
            };
            entries.insert(path, entry);
        }
        Ok(Self { folders, entries })
    }

    /// Removes what has come, and puts back what has changed or gone.
    pub(super) fn restore(&self) {
        let all = self.folders.iter().flat_map(walk).filter_map(Result::ok);
        let new: Vec<_> = all
            .filter(|entry| !self.entries.contains_key(entry.path()))
            .collect();
        for entry in new {
            // Gone already with the folder that it was in.
            let _ = ours::remove_tree(entry.path());
        }
        // A folder comes before what is in it.
        for (path, entry) in &self.entries {
            let is_folder = fs::symlink_metadata(path).is_ok_and(|there| there.is_dir());
            match entry {
                Entry::Folder if is_folder => {}
                Entry::Folder => {
                    let _ = fs::remove_file(path);
                    let _ = fs::create_dir(path);
                }
                Entry::File(state, second) => {
                    if State::of(path).as_ref() == Some(state) {
                        continue;
                    }
                    if is_folder {
                        let _ = ours::remove_tree(path);
                    }
                    let _ = fs::rename(second, path);
                }
            }
        }
    }
}

/// No symlink is followed, not even the first.
fn walk(folder: &PathBuf) -> walkdir::IntoIter {
    WalkDir::new(folder).follow_root_links(false).into_iter()
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_as_it_was() {
        let root = tempfile::tempdir().unwrap();
        let (env, kept) = (root.path().join("env"), root.path().join("kept"));
        let at = |name: &str| env.join("lib").join(name);
        fs::create_dir_all(at("folder")).unwrap();
        fs::create_dir(&kept).unwrap();
        for name in ["same", "changed", "removed", "folder/in it", "file"] {
            fs::write(at(name), name).unwrap();
        }
        std::os::unix::fs::symlink("same", at("link")).unwrap();
        let folders = vec![env.join("lib"), env.join("share")];
        let snapshot = Snapshot::take(&kept, folders).unwrap();

        for name in ["changed", "removed", "file", "link"] {
            fs::remove_file(at(name)).unwrap();
        }
        fs::remove_dir_all(at("folder")).unwrap();
        fs::write(at("changed"), "otherwise").unwrap();
        fs::write(at("folder"), "a file").unwrap();
        fs::create_dir_all(at("file/below")).unwrap();
        std::os::unix::fs::symlink("changed", at("link")).unwrap();
        fs::write(at("new"), "new").unwrap();
        fs::create_dir_all(env.join("share/man")).unwrap();
        snapshot.restore();

        for name in ["same", "changed", "removed", "folder/in it", "file"] {
            assert_eq!(fs::read_to_string(at(name)).unwrap(), name);
        }
        assert_eq!(fs::read_link(at("link")).unwrap(), Path::new("same"));
        assert!(!at("new").exists() && !env.join("share").exists());
    }
}
