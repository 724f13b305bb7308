//! A snapshot of an existing environment, from which it is restored if pip fails.
//!
//! Files that may be rewritten in place are copied (as clones if the file system supports that). Files that are only
//! replaced get a hard link.

use std::collections::BTreeMap;
use std::fs::Permissions;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use fs_err as fs;
use walkdir::WalkDir;

use crate::error::Error;
use crate::stage::journal::keep_copy;
use crate::sys::fs as ours;

/// The suffixes of entries of site-packages that installers rewrite in place.
const REWRITTEN: [&str; 4] = [".pth", ".egg-link", ".dist-info", ".egg-info"];

/// The entries of some directories.
#[derive(Debug)]
pub(super) struct Snapshot {
    roots: Vec<PathBuf>,
    entries: BTreeMap<PathBuf, Entry>,
    /// New files in other places.
    added: Vec<PathBuf>,
}

#[derive(Debug)]
enum Entry {
    Folder(Permissions),
    /// A file and its copy.
    File(State, Kept),
}

#[derive(Debug)]
enum Kept {
    Copy(PathBuf),
    SecondName(PathBuf),
}

/// What shows whether a program has changed a file.
#[derive(Debug, PartialEq, Eq)]
struct State {
    size: u64,
    modified: Option<SystemTime>,
    permissions: Permissions,
    /// The target of a symlink.
    target: Option<PathBuf>,
}

impl State {
    fn of(path: &Path) -> Option<Self> {
        let metadata = fs::symlink_metadata(path).ok()?;
        Some(Self {
            size: metadata.len(),
            modified: metadata.modified().ok(),
            permissions: metadata.permissions(),
            target: fs::read_link(path).ok(),
        })
    }
}

impl Snapshot {
    /// Takes a snapshot of `roots`, which may not exist, and everything below them, in the empty directory `kept`. In
    /// the directories `packages` files are only replaced, except for [`REWRITTEN`].
    pub(super) fn take(
        kept: &Path,
        roots: Vec<PathBuf>,
        packages: &[PathBuf],
    ) -> Result<Self, Error> {
        let mut entries = BTreeMap::new();
        for entry in roots.iter().flat_map(walk) {
            // A file that disappears cannot be restored.
            let Ok(entry) = entry else { continue };
            let file_type = entry.file_type();
            let path = entry.into_path();
            let Some(state) = State::of(&path) else {
                continue;
            };
            if ours::is_special(file_type) {
                continue;
            }
            let entry = if file_type.is_dir() {
                Entry::Folder(state.permissions)
            } else {
                let name = kept.join(entries.len().to_string());
                let is_link = file_type.is_symlink();
                let kept = if is_link || is_only_replaced(&path, packages) {
                    keep_copy(&path, &name).map(|()| Kept::SecondName(name))
                } else {
                    ours::copy_file(&path, &name).map(|()| Kept::Copy(name))
                };
                Entry::File(state, kept.map_err(Error::io("back up", &path))?)
            };
            entries.insert(path, entry);
        }
        Ok(Self {
            roots,
            entries,
            added: Vec::new(),
        })
    }

    /// Adds new files outside of the roots.
    pub(super) fn add(&mut self, files: Vec<PathBuf>) {
        self.added = files;
    }

    /// Removes what was added, and restores what was changed or removed.
    pub(super) fn restore(&self) {
        let all = self.roots.iter().flat_map(walk).filter_map(Result::ok);
        let new: Vec<_> = all
            .filter(|entry| !self.entries.contains_key(entry.path()))
            .collect();
        for entry in new
            .iter()
            .filter(|entry| !ours::is_special(entry.file_type()))
        {
            // It may already be removed with its directory.
            let _ = ours::remove_tree(entry.path());
        }
        for path in &self.added {
            let is_below = |root: &PathBuf| path.starts_with(root);
            if !self.roots.iter().any(is_below) && fs::remove_file(path).is_ok() {
                // Directories that become empty.
                let mut parent = path.parent();
                while let Some(folder) = parent.filter(|folder| fs::remove_dir(folder).is_ok()) {
                    parent = folder.parent();
                }
            }
        }
        // A directory comes before its entries.
        for (path, entry) in &self.entries {
            let existing = fs::symlink_metadata(path).ok();
            let is_folder = existing.as_ref().is_some_and(std::fs::Metadata::is_dir);
            match entry {
                Entry::Folder(permissions) => {
                    if !is_folder {
                        let _ = fs::remove_file(path);
                        let _ = fs::create_dir(path);
                    }
                    if existing.is_none_or(|existing| existing.permissions() != *permissions) {
                        let _ = fs::set_permissions(path, permissions.clone());
                    }
                }
                Entry::File(state, kept) => {
                    let now = State::of(path);
                    let (Kept::Copy(saved) | Kept::SecondName(saved)) = kept;
                    let is_same = now.as_ref() == Some(state);
                    if is_same && (matches!(kept, Kept::SecondName(_)) || is_equal(path, saved)) {
                        continue;
                    }
                    if is_folder {
                        let _ = ours::remove_tree(path);
                    }
                    if fs::rename(saved, path).is_err() {
                        // It is on another file system.
                        let _ = fs::remove_file(path);
                        let _ = ours::copy_file(saved, path);
                    }
                    // A hard link has the changed mode as well, and renaming it to the same file does nothing.
                    if state.target.is_none()
                        && State::of(path).is_some_and(|now| now.permissions != state.permissions)
                    {
                        let _ = fs::set_permissions(path, state.permissions.clone());
                    }
                }
            }
        }
    }
}

/// Whether a file is never rewritten in place.
fn is_only_replaced(path: &Path, packages: &[PathBuf]) -> bool {
    let in_packages = packages
        .iter()
        .find_map(|folder| path.strip_prefix(folder).ok());
    let first = in_packages.and_then(|path| path.components().next());
    first.is_some_and(|first| {
        let name = first.as_os_str().to_string_lossy();
        !REWRITTEN.iter().any(|ending| name.ends_with(ending))
    })
}

/// Whether two files have the same contents. Size and time may not change when a file is rewritten.
fn is_equal(one: &Path, other: &Path) -> bool {
    matches!((fs::read(one), fs::read(other)), (Ok(one), Ok(other)) if one == other)
}

/// Follows no symlinks and does not enter other file systems.
fn walk(root: &PathBuf) -> walkdir::IntoIter {
    WalkDir::new(root)
        .follow_root_links(false)
        .same_file_system(true)
        .into_iter()
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::io::Write as _;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_snapshot_restores_everything() {
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
        let snapshot = Snapshot::take(&kept, folders, &[env.join("lib")]).unwrap();

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

    #[test]
    fn a_snapshot_restores_files_rewritten_in_place() {
        let root = tempfile::tempdir().unwrap();
        let (env, kept) = (root.path().join("env"), root.path().join("kept"));
        let site_packages = env.join("lib/site-packages");
        let names = [
            "bin/tool",
            "lib/libx.so",
            "pyvenv.cfg",
            "lib/site-packages/easy-install.pth",
            "lib/site-packages/one.egg-link",
            "lib/site-packages/one.egg-info/top_level.txt",
            "lib/site-packages/one-1.dist-info/RECORD",
        ];
        fs::create_dir(&env).unwrap();
        fs::create_dir(&kept).unwrap();
        for name in names {
            fs::create_dir_all(env.join(name).parent().unwrap()).unwrap();
            fs::write(env.join(name), name).unwrap();
        }
        let roots = ["bin", "lib", "pyvenv.cfg"].map(|name| env.join(name));
        let snapshot = Snapshot::take(&kept, roots.into(), &[site_packages]).unwrap();
        for name in names {
            let path = env.join(name);
            let modified = fs::metadata(&path).unwrap().modified().unwrap();
            let mut file = fs::OpenOptions::new().write(true).open(&path).unwrap();
            // The same size and time: only the contents differ.
            file.write_all(b"!").unwrap();
            file.file().set_modified(modified).unwrap();
        }
        let mode = Permissions::from_mode;
        fs::set_permissions(env.join("bin/tool"), mode(0o600)).unwrap();
        fs::set_permissions(env.join("lib"), mode(0o700)).unwrap();
        snapshot.restore();
        for name in names {
            assert_eq!(fs::read_to_string(env.join(name)).unwrap(), name);
        }
        let mode = |name: &str| fs::metadata(env.join(name)).unwrap().permissions().mode() & 0o777;
        assert_ne!((mode("bin/tool"), mode("lib")), (0o600, 0o700));
    }
}
