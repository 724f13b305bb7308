//! Finds the base Python of a Python that is itself in an environment.

use std::path::{Path, PathBuf};

use fs_err as fs;

use crate::interpreter::candidates::is_environment;
use crate::interpreter::pyvenv_cfg;

/// The operating system follows no more links than this either.
const LONGEST: usize = 40;

/// Where an executable is, relative to a directory that will be changed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Position {
    /// It does not depend on the directory.
    Outside,
    /// It is a link in the directory to this path outside.
    Through(PathBuf),
    /// It is in the directory.
    Inside,
}

/// Follows the links of `executable`, and from a copy to the base in its `pyvenv.cfg`.
pub(crate) fn position(executable: &Path, env_dir: &Path) -> Position {
    let Ok(env_dir) = fs::canonicalize(env_dir) else {
        return Position::Outside;
    };
    let mut position = Position::Outside;
    let mut current = executable.to_path_buf();
    for _ in 0..LONGEST {
        let folder = current.parent().map(fs::canonicalize);
        let is_inside = folder.is_some_and(|folder| folder.is_ok_and(|f| f.starts_with(&env_dir)));
        match (next(&current), is_inside) {
            (Some(next), true) => {
                position = Position::Through(next.clone());
                current = next;
            }
            (Some(next), false) => current = next,
            (None, true) => return Position::Inside,
            (None, false) => return position,
        }
    }
    Position::Inside
}

/// Whether `path` is a link with an absolute target in `env_dir`.
pub(crate) fn is_link_into(path: &Path, env_dir: &Path) -> bool {
    fs::read_link(path).is_ok_and(|target| target.is_absolute() && target.starts_with(env_dir))
}

fn next(executable: &Path) -> Option<PathBuf> {
    let folder = executable.parent()?;
    if let Ok(target) = fs::read_link(executable) {
        return Some(folder.join(target));
    }
    if !is_environment(folder) {
        return None;
    }
    let prefix = if folder.join("pyvenv.cfg").is_file() {
        folder
    } else {
        folder.parent()?
    };
    let text = fs::read_to_string(prefix.join("pyvenv.cfg")).ok()?;
    let home = Path::new(pyvenv_cfg::value(&text, "home")?);
    let own = home.join(executable.file_name()?);
    let names = ["python3", "python", "pypy3", "pypy"].map(|name| home.join(name));
    let recorded = pyvenv_cfg::value(&text, "executable").map(PathBuf::from);
    let mut bases = [own].into_iter().chain(names).chain(recorded);
    bases.find(|base| base != executable && base.is_file())
}
