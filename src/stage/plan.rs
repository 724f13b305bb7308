//! Decides how the tree becomes the environment: by a rename, by an exchange, or entry by entry.

use std::io;
use std::path::Path;

use fs_err as fs;

use crate::error::Error;
use crate::options::{OnExisting, Options};
use crate::stage::guard;
use crate::sys::env::Env;
use crate::sys::fs as ours;

/// How the tree becomes the environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plan {
    /// `ENV_DIR` does not exist: one rename.
    New,
    /// `--clear`: one exchange.
    Exchange,
    /// `--clear` if `ENV_DIR` itself cannot be replaced: its entries are moved out, then those of the tree in.
    InPlace,
    /// An existing directory is kept: entry by entry.
    Merge,
}

/// Fails if `Stage::open` would fail, and changes nothing.
pub(crate) fn check(
    env_dir: &Path,
    base: &[&str],
    options: &Options,
    environment: &Env,
) -> Result<(), Error> {
    plan(env_dir, base, options, environment).map(drop)
}

/// Decides before anything is changed.
pub(crate) fn plan(
    env_dir: &Path,
    base: &[&str],
    options: &Options,
    environment: &Env,
) -> Result<Plan, Error> {
    let metadata = match fs::symlink_metadata(env_dir) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Plan::New),
        Err(error) => return Err(Error::io("access", env_dir)(ours::bare(error))),
    };
    if !metadata.is_dir() {
        // CPython deletes the contents of a symlink's target before it fails.
        return Err(Error::no_directory(env_dir, &metadata));
    }
    guard::check_installation(env_dir, base, options)?;
    if options.on_existing != OnExisting::Clear {
        return Ok(Plan::Merge);
    }
    guard::check(env_dir, options, environment)?;
    if let Some(mount) = ours::mount_below(env_dir) {
        return Err(Error::MountBelow {
            path: env_dir.into(),
            mount,
        });
    }
    let holds_cwd = environment
        .cwd
        .as_deref()
        .is_some_and(|cwd| guard::is_within(cwd, env_dir));
    if holds_cwd || ours::is_mount_root(env_dir) || !ours::can_give_away(env_dir) {
        return Ok(Plan::InPlace);
    }
    Ok(Plan::Exchange)
}

/// Whether a directory is not writable.
pub(crate) fn is_not_writable(error: &Error) -> bool {
    use io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
    matches!(error.io_kind(), Some(PermissionDenied | ReadOnlyFilesystem))
}

/// Whether a directory cannot be renamed, but its entries can.
pub(crate) fn cannot_be_renamed(error: &Error) -> bool {
    use io::ErrorKind::{CrossesDevices, ResourceBusy};
    matches!(error.io_kind(), Some(CrossesDevices | ResourceBusy))
}
