//! Cleans up after killed runs: restores the old environment from a stage, and removes the stage.
//!
//! A stage is recognized by its name, its mark file, its owner and a lock that no process holds.

use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::thread;
use std::time::Duration;

use fs_err as fs;

use crate::stage::journal;
use crate::stage::names::{ASIDE, INFIX, MARK, MOVED_OUT, PENDING, is_stage, stage_prefix};
use crate::sys::fs as ours;
use crate::sys::fs::Claim;

/// Removes the stages of killed runs for `env_dir`, in its parent and in itself, after restoring the old environment.
pub(crate) fn sweep(env_dir: &Path) {
    let parent = env_dir.parent().unwrap_or(env_dir);
    for_each_abandoned(parent, &stage_prefix(env_dir), |root| {
        let aside = root.join(ASIDE);
        if is_pending(root) && fs::symlink_metadata(&aside).is_err() {
            return exchange_back(root, env_dir);
        }
        if fs::symlink_metadata(&aside).is_ok() {
            let _ = ours::rename_new(&aside, env_dir);
        }
        move_back(root, env_dir)
    });
    if fs::symlink_metadata(env_dir).is_ok_and(|metadata| metadata.is_dir()) {
        for_each_abandoned(env_dir, OsStr::new(INFIX), |root| {
            if is_pending(root) {
                remove_entries(env_dir);
                return journal::move_back(&root.join(MOVED_OUT), &root.join("new"), env_dir);
            }
            move_back(root, env_dir)
        });
    }
}

/// Whether the run was killed before another program had completed the published environment.
fn is_pending(root: &Path) -> bool {
    fs::symlink_metadata(root.join(PENDING)).is_ok()
}

/// Replaces an incomplete environment by the old one. Returns `false` if that is not possible.
fn exchange_back(root: &Path, env_dir: &Path) -> bool {
    let old = &root.join("new");
    let is_empty =
        |folder: &Path| fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none());
    // The run was killed before the exchange.
    if is_empty(old) {
        return true;
    }
    if fs::symlink_metadata(env_dir).is_err() {
        return fs::rename(old, env_dir).is_ok();
    }
    match ours::exchange(old, env_dir) {
        Ok(true) => true,
        // Not `ASIDE`: if this run is killed here, the incomplete one must not be restored.
        Ok(false) => fs::rename(env_dir, root.join("incomplete"))
            .and_then(|()| fs::rename(old, env_dir))
            .is_ok(),
        Err(_) => false,
    }
}

/// Removes everything that another program has written to a directory that was cleared in place.
fn remove_entries(env_dir: &Path) {
    for entry in fs::read_dir(env_dir).into_iter().flatten().flatten() {
        let is_special = entry.file_type().is_ok_and(ours::is_special);
        if !is_special && !is_stage(&entry.file_name(), OsStr::new(INFIX)) {
            let _ = ours::remove_tree(&entry.path());
        }
    }
}

/// Calls `restore` for every stage in `folder` of a killed run of this user. Removes the stage if that returns that
/// nothing in it is needed.
fn for_each_abandoned(folder: &Path, prefix: &OsStr, restore: impl Fn(&Path) -> bool) {
    const ATTEMPTS: u32 = 40;
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        if !is_stage(&name, prefix) {
            continue;
        }
        for attempt in 0..ATTEMPTS {
            let Some(claim) = Claim::leftover(folder, name.clone(), MARK) else {
                break;
            };
            if attempt == 0 && !restore(&entry.path()) {
                break;
            }
            // A program that the killed run started may still use it. Without its files it soon ends.
            match claim.remove() {
                Err((_, error)) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {
                    thread::sleep(Duration::from_millis(5));
                }
                _ => break,
            }
        }
    }
}

/// Undoes clearing in place: `pyvenv.cfg` is moved out first and in last, so without it the run was not complete.
/// Returns `false` if something of the old environment could not be restored.
fn move_back(root: &Path, env_dir: &Path) -> bool {
    let is_dir = fs::symlink_metadata(env_dir).is_ok_and(|metadata| metadata.is_dir());
    if !is_dir || fs::symlink_metadata(env_dir.join("pyvenv.cfg")).is_ok() {
        return true;
    }
    journal::move_back(&root.join(MOVED_OUT), &root.join("new"), env_dir)
}
