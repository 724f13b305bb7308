//! The names of stages, and of the directories in them.

use std::collections::hash_map::RandomState;
use std::ffi::{OsStr, OsString};
use std::hash::BuildHasher as _;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use crate::cache::hex;

/// Part of the name of every stage.
pub(crate) const INFIX: &str = ".rvenv-";
/// The file that distinguishes a stage from another directory with such a name.
pub(crate) const MARK: &str = "rvenv-stage";
/// In a stage: the old environment, if two renames replace an exchange.
pub(crate) const ASIDE: &str = "aside";
/// In a stage: a file that exists until another program has completed the published environment.
pub(crate) const PENDING: &str = "pending";
/// In a stage: the old entries of an environment that is cleared in place.
pub(crate) const MOVED_OUT: &str = "out";

/// The prefix of the names of stages in the parent of `env_dir`: recognizable, and short enough for every file system.
pub(crate) fn stage_prefix(env_dir: &Path) -> OsString {
    const LONGEST: usize = 100;
    let name = env_dir
        .file_name()
        .unwrap_or(OsStr::new(""))
        .to_string_lossy();
    if name.len() <= LONGEST {
        return OsString::from(format!(".{name}{INFIX}"));
    }
    // Long names may have the same beginning.
    let mut end = LONGEST - 17;
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    let digest = hex(&Sha256::digest(name.as_bytes())[..8]);
    OsString::from(format!(".{}~{digest}{INFIX}", &name[..end]))
}

/// A random name for a stage. Its last digits are a checksum of the others, so that no other name is taken for one.
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

/// Whether this is the name of a stage.
pub(crate) fn is_stage(name: &OsStr, prefix: &OsStr) -> bool {
    let rest = name
        .as_encoded_bytes()
        .strip_prefix(prefix.as_encoded_bytes());
    rest.and_then(|rest| str::from_utf8(rest).ok())
        .and_then(|rest| rest.split_at_checked(16))
        .is_some_and(|(random, check)| check == check_digits(random))
}
