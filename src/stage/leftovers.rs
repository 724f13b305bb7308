//! What killed runs left behind: recognised by its name and by a lock that nobody holds, put right and removed.
//!
//! Knows the names of stages and of what can be in one. Never touches one whose maker lives.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;
use std::thread;
use std::time::Duration;

use fs_err as fs;

use super::merge;
use crate::fs as ours;
use crate::fs::Lock;

/// Part of the name of every stage.
pub(super) const INFIX: &str = ".rvenv-";
/// How many letters and digits that cannot be guessed end the name of a stage.
pub(super) const RANDOM: usize = 12;
/// In a stage: the old environment between the two renames that stand for an exchange.
pub(super) const ASIDE: &str = "aside";
/// In a stage: the old entries of an environment that is cleared in place, under their own names.
pub(super) const OUT: &str = "out";

/// The beginning of the names of stages beside `env_dir`: recognisable, and short enough for every file system.
pub(super) fn beside(env_dir: &Path) -> OsString {
    const LONGEST: usize = 100;
    let name = env_dir
        .file_name()
        .unwrap_or(OsStr::new(""))
        .to_string_lossy();
    let mut end = name.len().min(LONGEST);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    OsString::from(format!(".{}{INFIX}", &name[..end]))
}

/// Removes the stages of killed runs on `env_dir`, beside it and in it, after putting back what they held of the old environment.
pub(super) fn sweep(env_dir: &Path) {
    let parent = env_dir.parent().unwrap_or(env_dir);
    each_dead(parent, &beside(env_dir), |root| {
        let aside = root.join(ASIDE);
        if fs::symlink_metadata(&aside).is_ok() {
            let _ = ours::rename_new(&aside, env_dir);
        }
        move_back(root, env_dir);
    });
    if fs::symlink_metadata(env_dir).is_ok_and(|metadata| metadata.is_dir()) {
        each_dead(env_dir, OsStr::new(INFIX), |root| move_back(root, env_dir));
    }
}

/// Whether a stage has this name.
pub(super) fn is_stage(name: &OsStr, prefix: &OsStr) -> bool {
    name.as_encoded_bytes()
        .strip_prefix(prefix.as_encoded_bytes())
        .is_some_and(|rest| rest.len() == RANDOM)
}

/// Calls `restore` with every stage in `folder` that nobody holds locked, and removes it.
fn each_dead(folder: &Path, prefix: &OsStr, restore: impl Fn(&Path)) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        if !is_stage(&entry.file_name(), prefix) {
            continue;
        }
        let path = entry.path();
        if let Ok(Some(lock)) = Lock::try_exclusive(&path) {
            // In a shared parent anybody can make a folder of this name, but nothing in it becomes an environment.
            if ours::is_trusted(&path).is_ok() {
                restore(&path);
            }
            let lock = Lock::before_removal(Some(lock));
            remove(&path);
            drop(lock);
        }
    }
}

/// Removes a stage, in which a program that the killed run has started may still be at work: without its files it soon ends.
fn remove(path: &Path) {
    const ATTEMPTS: u32 = 40;
    for _ in 0..ATTEMPTS {
        match ours::remove_tree(path) {
            Err((_, error)) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {
                thread::sleep(Duration::from_millis(5));
            }
            _ => break,
        }
    }
}

/// Undoes an exchange in place: `pyvenv.cfg` is the first to go and the last to come, so without it nothing was finished.
fn move_back(root: &Path, env_dir: &Path) {
    let is_dir = fs::symlink_metadata(env_dir).is_ok_and(|metadata| metadata.is_dir());
    if !is_dir || fs::symlink_metadata(env_dir.join("pyvenv.cfg")).is_ok() {
        return;
    }
    let (out, new) = (root.join(OUT), root.join("new"));
    for name in merge::entries(&out, env_dir).unwrap_or_default() {
        let path = env_dir.join(&name);
        // What is not in the tree any more came from there.
        if fs::symlink_metadata(new.join(&name)).is_err() {
            let _ = ours::remove_tree(&path);
        }
        let _ = fs::rename(out.join(&name), path);
    }
}
