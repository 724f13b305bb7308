//! What killed runs left behind: recognised by name, mark, owner and a lock that nobody holds, put right and removed.
//!
//! Knows the names of stages and of what can be in one. Never touches one whose maker lives.

use std::collections::hash_map::RandomState;
use std::ffi::{OsStr, OsString};
use std::hash::BuildHasher as _;
use std::io;
use std::path::Path;
use std::thread;
use std::time::Duration;

use fs_err as fs;
use sha2::{Digest as _, Sha256};

use crate::cache::hex;
use crate::stage::journal;
use crate::sys::fs as ours;
use crate::sys::fs::Claim;

/// Part of the name of every stage.
pub(crate) const INFIX: &str = ".rvenv-";
/// The file that tells a stage from a folder of another's with such a name.
pub(crate) const MARK: &str = "rvenv-stage";
/// In a stage: the old environment between the two renames that stand for an exchange.
pub(crate) const ASIDE: &str = "aside";
/// In a stage: the old entries of an environment that is cleared in place, under their own names.
pub(crate) const OUT: &str = "out";

/// The beginning of the names of stages beside `env_dir`: recognisable, and short enough for every file system.
pub(crate) fn beside(env_dir: &Path) -> OsString {
    const LONGEST: usize = 100;
    let name = env_dir
        .file_name()
        .unwrap_or(OsStr::new(""))
        .to_string_lossy();
    if name.len() <= LONGEST {
        return OsString::from(format!(".{name}{INFIX}"));
    }
    // Long names may begin with the same letters.
    let mut end = LONGEST - 17;
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    let digest = hex(&Sha256::digest(name.as_bytes())[..8]);
    OsString::from(format!(".{}~{digest}{INFIX}", &name[..end]))
}

/// A name for a stage that nobody can guess; the last of its digits are computed from the others, so that no other name is
/// taken for one.
pub(crate) fn new_name(prefix: &OsStr) -> OsString {
    let random = format!("{:016x}", RandomState::new().hash_one(prefix));
    let mut name = prefix.to_owned();
    name.push(&random);
    name.push(check_digits(&random));
    name
}

fn check_digits(random: &str) -> String {
    format!("{:08x}", crc32fast::hash(random.as_bytes()))
}

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

/// Whether a stage may have this name.
pub(crate) fn is_stage(name: &OsStr, prefix: &OsStr) -> bool {
    let rest = name
        .as_encoded_bytes()
        .strip_prefix(prefix.as_encoded_bytes());
    rest.and_then(|rest| str::from_utf8(rest).ok())
        .and_then(|rest| rest.split_at_checked(16))
        .is_some_and(|(random, check)| check == check_digits(random))
}

/// Calls `restore` with every stage in `folder` that a killed run of this user has left, and removes it if that says that
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
/// `false` if something of the old environment could not be put back.
fn move_back(root: &Path, env_dir: &Path) -> bool {
    let is_dir = fs::symlink_metadata(env_dir).is_ok_and(|metadata| metadata.is_dir());
    if !is_dir || fs::symlink_metadata(env_dir.join("pyvenv.cfg")).is_ok() {
        return true;
    }
    journal::move_back(&root.join(OUT), &root.join("new"), env_dir)
}
