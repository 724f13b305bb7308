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
use crate::stage::names::{ASIDE, INFIX, MARK, OUT, beside, is_stage};
use crate::sys::fs as ours;
use crate::sys::fs::Claim;

/// Removes the stages of killed runs on `env_dir`, beside it and in it, after putting back what they held of the old environment.
pub(crate) fn sweep(env_dir: &Path) {
    let parent = env_dir.parent().unwrap_or(env_dir);
    each_dead(parent, &beside(env_dir), |root| {
        let aside = root.join(ASIDE);
        if fs::symlink_metadata(&aside).is_ok() {
            let _ = ours::rename_new(&aside, env_dir);
        }
        move_back(root, env_dir)
    });
    if fs::symlink_metadata(env_dir).is_ok_and(|metadata| metadata.is_dir()) {
        each_dead(env_dir, OsStr::new(INFIX), |root| move_back(root, env_dir));
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
