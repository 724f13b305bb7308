//! Cleans up after killed runs: restores what a stage has of the old environment, and removes the stage.
//!
//! A stage is recognized by its name, its mark file, its owner and a lock that no process holds.

use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::thread;
use std::time::Duration;

use fs_err as fs;

use crate::stage::journal;
use crate::stage::names::{ASIDE, INFIX, MARK, OUT, PENDING, beside, is_stage};
use crate::sys::fs as ours;
use crate::sys::fs::Claim;

/// Removes the stages of killed runs on `env_dir`, beside it and in it, after putting back what they held of the old environment.
pub(crate) fn sweep(env_dir: &Path) {
    let parent = env_dir.parent().unwrap_or(env_dir);
    each_dead(parent, &beside(env_dir), |root| {
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
        each_dead(env_dir, OsStr::new(INFIX), |root| {
            if is_pending(root) {
                remove_entries(env_dir);
                return journal::move_back(&root.join(OUT), &root.join("new"), env_dir);
            }
            move_back(root, env_dir)
        });
    }
}

/// Whether the run was killed before another program had completed what was published.
fn is_pending(root: &Path) -> bool {
    fs::symlink_metadata(root.join(PENDING)).is_ok()
}

/// Puts the old environment back in the place of an incomplete one. `false` if it could not be.
fn exchange_back(root: &Path, env_dir: &Path) -> bool {
    let old = &root.join("new");
    let is_empty =
        |folder: &Path| fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none());
    // Killed before the exchange.
    if is_empty(old) {
        return true;
    }
    if fs::symlink_metadata(env_dir).is_err() {
        return fs::rename(old, env_dir).is_ok();
    }
    match ours::exchange(old, env_dir) {
        Ok(true) => true,
        // Not `ASIDE`: a run that is killed here must not have the incomplete one restored.
        Ok(false) => fs::rename(env_dir, root.join("incomplete"))
            .and_then(|()| fs::rename(old, env_dir))
            .is_ok(),
        Err(_) => false,
    }
}

/// Removes everything that another program has put into a directory which was cleared in place.
fn remove_entries(env_dir: &Path) {
    for entry in fs::read_dir(env_dir).into_iter().flatten().flatten() {
        let is_special = entry.file_type().is_ok_and(ours::is_special);
        if !is_special && !is_stage(&entry.file_name(), OsStr::new(INFIX)) {
            let _ = ours::remove_tree(&entry.path());
        }
    }
}

/// Calls `restore` with every stage in `folder` that a killed run of this user has left, and removes it if it returns that
/// nothing in it is needed any more.
fn each_dead(folder: &Path, prefix: &OsStr, restore: impl Fn(&Path) -> bool) {
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
            // A program that the killed run has started may still be at work in it: without its files it soon ends.
            match claim.remove() {
                Err((_, error)) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {
                    thread::sleep(Duration::from_millis(5));
                }
                _ => break,
            }
        }
    }
}

/// Undoes an exchange in place: `pyvenv.cfg` is the first to go and the last to come, so without it nothing was finished.
/// `false` if something of the old environment could not be restored.
fn move_back(root: &Path, env_dir: &Path) -> bool {
    let is_dir = fs::symlink_metadata(env_dir).is_ok_and(|metadata| metadata.is_dir());
    if !is_dir || fs::symlink_metadata(env_dir.join("pyvenv.cfg")).is_ok() {
        return true;
    }
    journal::move_back(&root.join(OUT), &root.join("new"), env_dir)
}
