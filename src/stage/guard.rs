//! What `--clear` refuses to delete, and what must stay where it is.
//!
//! Only looks; deletes nothing.

use std::path::Path;

use fs_err as fs;

use crate::error::Error;
use crate::options::{Environment, Options};

/// Refuses what is not an environment or holds more than one, unless `--force` is given (gh-90484).
pub(super) fn check(
    env_dir: &Path,
    options: &Options,
    environment: &Environment,
) -> Result<(), Error> {
    if options.force {
        return Ok(());
    }
    let refuse = |reason| {
        Err(Error::RefusingToClear {
            path: env_dir.into(),
            reason,
        })
    };
    if env_dir.parent().is_none() {
        return refuse("it is the root of the file system");
    }
    if environment
        .home()
        .is_some_and(|home| is_same(&home, env_dir))
    {
        return refuse("it is the home directory");
    }
    let cwd_below = environment
        .cwd
        .as_deref()
        .is_some_and(|cwd| is_within(cwd, env_dir) && !is_same(cwd, env_dir));
    if cwd_below {
        return refuse("the current directory is below it");
    }
    let is_environment =
        fs::symlink_metadata(env_dir.join("pyvenv.cfg")).is_ok_and(|metadata| metadata.is_file());
    let is_empty = fs::read_dir(env_dir).is_ok_and(|mut entries| entries.next().is_none());
    if !is_environment && !is_empty {
        return refuse("it is not empty and has no pyvenv.cfg, so it is not a virtual environment");
    }
    Ok(())
}

/// Whether `path` is `folder` or below it, through any symlink.
pub(super) fn is_within(path: &Path, folder: &Path) -> bool {
    match (fs::canonicalize(path), fs::canonicalize(folder)) {
        (Ok(path), Ok(folder)) => path.starts_with(folder),
        _ => false,
    }
}

fn is_same(one: &Path, other: &Path) -> bool {
    matches!((fs::canonicalize(one), fs::canonicalize(other)), (Ok(one), Ok(other)) if one == other)
}
