//! Decides which directories `--clear` must not delete, and in which no environment is created.

use std::path::Path;

use fs_err as fs;

use crate::error::{Error, NOT_AN_ENVIRONMENT};
use crate::options::{OnExisting, Options};
use crate::sys::env::Env;

/// Refuses to clear a directory that is not an environment or contains other files, unless `--force` is given
/// (gh-90484).
pub(super) fn check(env_dir: &Path, options: &Options, environment: &Env) -> Result<(), Error> {
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
        return refuse("it is the root directory");
    }
    if environment
        .home()
        .is_some_and(|home| is_same(&home, env_dir))
    {
        return refuse("it is the home directory");
    }
    let contains_cwd = environment
        .cwd
        .as_deref()
        .is_some_and(|cwd| is_within(cwd, env_dir) && !is_same(cwd, env_dir));
    if contains_cwd {
        return refuse("the current directory is inside it");
    }
    let is_environment =
        fs::symlink_metadata(env_dir.join("pyvenv.cfg")).is_ok_and(|metadata| metadata.is_file());
    let is_empty = fs::read_dir(env_dir).is_ok_and(|mut entries| entries.next().is_none());
    if !is_environment && !is_empty {
        return refuse(NOT_AN_ENVIRONMENT);
    }
    Ok(())
}

/// Rejects a Python installation, whatever the options, and refuses to clear a directory that contains the base Python
/// (one of these files).
pub(super) fn check_installation(
    env_dir: &Path,
    base: &[&str],
    options: &Options,
) -> Result<(), Error> {
    let refuse = |reason: String| {
        Err(Error::Installation {
            path: env_dir.into(),
            reason,
        })
    };
    if let Some(python_library) = python_library(env_dir) {
        return refuse(format!("it has {python_library}"));
    }
    let real = |path: &Path| fs::canonicalize(path).ok();
    let own_prefix = base.first().and_then(|library| {
        let (library, folder) = (real(Path::new(library))?, real(env_dir)?);
        // `lib/python3.13`, `Lib`, `lib-python/3`.
        let below = library.strip_prefix(folder).ok()?.components().count();
        (1..=2).contains(&below).then_some(library)
    });
    if let Some(library) = own_prefix {
        return refuse(format!(
            "it contains {} of the base Python",
            library.display()
        ));
    }
    let clears = options.on_existing == OnExisting::Clear;
    match base.iter().find(|file| is_within(Path::new(file), env_dir)) {
        Some(file) if clears => refuse(format!("it contains {file} of the base Python")),
        _ => Ok(()),
    }
}

/// A file that shows that a directory is a Python installation. An environment has no standard library.
fn python_library(folder: &Path) -> Option<String> {
    let is_dir = |path: &Path| fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir());
    let is_file = |path: &Path| fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file());
    if is_dir(&folder.join("conda-meta")) {
        return Some("conda-meta".into());
    }
    for name in ["pybuilddir.txt", "Lib/os.py", "lib-python/3/os.py"] {
        // Old versions of virtualenv copy some modules and write this file.
        if is_file(&folder.join(name)) && !is_file(&folder.join("Lib/orig-prefix.txt")) {
            return Some(name.into());
        }
    }
    for lib in ["lib", "lib64"] {
        if !is_dir(&folder.join(lib)) {
            continue;
        }
        let entries = fs::read_dir(folder.join(lib))
            .into_iter()
            .flatten()
            .flatten();
        for entry in entries {
            let (name, path) = (entry.file_name(), entry.path());
            let name = name.to_string_lossy();
            let is_version = name.starts_with("python") || name.starts_with("pypy");
            if is_version
                && is_dir(&path)
                && is_file(&path.join("os.py"))
                && !is_file(&path.join("orig-prefix.txt"))
            {
                return Some(format!("{lib}/{name}/os.py"));
            }
        }
    }
    None
}

/// Whether `path` is `folder` or below it, with all symlinks resolved.
pub(super) fn is_within(path: &Path, folder: &Path) -> bool {
    match (fs::canonicalize(path), fs::canonicalize(folder)) {
        (Ok(path), Ok(folder)) => path.starts_with(folder),
        _ => false,
    }
}

fn is_same(one: &Path, other: &Path) -> bool {
    matches!((fs::canonicalize(one), fs::canonicalize(other)), (Ok(one), Ok(other)) if one == other)
}
