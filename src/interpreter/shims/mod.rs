//! Resolves the shims of pyenv, asdf and mise by reading the files that they read.
//!
//! A shim whose configuration is not understood is run.

mod asdf;
mod mise;
mod pyenv;

use std::io::Read as _;
use std::path::{Path, PathBuf};

use fs_err as fs;

use crate::sys::env::Env;
use crate::sys::fs::is_executable;

/// The result of following a path.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Resolved {
    /// It is not a shim.
    Itself,
    /// The executable that the shim starts.
    To(PathBuf),
    /// The shim fails with this message.
    Nowhere(String),
    /// The version is not installed; with the place where it is selected.
    NotInstalled(String),
    /// The version manager must be run; with the selected version if that is known.
    Managed(Option<SelectedVersion>),
    /// The shim must be run.
    Unknown,
}

/// The version that is selected for a version manager.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SelectedVersion {
    pub(crate) version: String,
    /// The variable or file that selects it.
    pub(crate) origin: String,
}

/// A longer chain of shims is a loop.
const LONGEST: usize = 8;
/// The maximum size of a shim that is read.
const MAX_SHIM_SIZE: u64 = 4096;

/// Follows shims from `path` to the executable that they would start.
pub(crate) fn resolve(path: &Path, environment: &Env) -> Resolved {
    let mut current = path.to_path_buf();
    for hop in 0..LONGEST {
        match one(&current, environment) {
            Resolved::Itself if hop == 0 => return Resolved::Itself,
            Resolved::Itself => return Resolved::To(current),
            Resolved::To(next) => current = next,
            other => return other,
        }
    }
    Resolved::Nowhere("it resolves to itself".into())
}

fn one(path: &Path, environment: &Env) -> Resolved {
    let (Some(folder), Some(program)) = (path.parent(), path.file_name().and_then(|n| n.to_str()))
    else {
        return Resolved::Unknown;
    };
    let shim = Shim {
        folder,
        program,
        environment,
    };
    // The shims of mise are links to mise.
    if folder.ends_with("shims")
        && fs::read_link(path).is_ok_and(|target| target.file_stem().is_some_and(|n| n == "mise"))
    {
        return mise::resolve(&shim);
    }
    match script(path) {
        None => Resolved::Itself,
        Some(text) if text.contains("asdf exec ") => asdf::resolve(&shim),
        Some(text) if text.contains("pyenv\" exec ") || text.contains("pyenv exec ") => {
            pyenv::resolve(&shim, &text)
        }
        Some(_) => Resolved::Unknown,
    }
}

/// The beginning of a file, if it is a script.
fn script(path: &Path) -> Option<String> {
    let mut file = fs::File::open(path).ok()?;
    let mut text = vec![0; 2];
    file.read_exact(&mut text).ok()?;
    if text != b"#!" {
        return None;
    }
    file.take(MAX_SHIM_SIZE).read_to_end(&mut text).ok()?;
    Some(String::from_utf8_lossy(&text).into_owned())
}

/// A shim, as invoked.
struct Shim<'a> {
    folder: &'a Path,
    program: &'a str,
    environment: &'a Env,
}

impl Shim<'_> {
    /// The same program on PATH, outside of these directories.
    fn on_path_without(&self, folders: &[&Path]) -> Option<PathBuf> {
        let path = self.environment.var("PATH")?;
        std::env::split_paths(path)
            .filter(|folder| folder.is_absolute() && !folders.contains(&folder.as_path()))
            .map(|folder| folder.join(self.program))
            .find(|path| is_executable(path))
    }

    /// The current directory and its parents, as the shell names it.
    fn folders_upward(&self) -> impl Iterator<Item = &Path> {
        let cwd = self.environment.cwd.as_deref();
        let cwd_name = self.environment.var("PWD").map(Path::new);
        let cwd_name = cwd_name.filter(|cwd_name| {
            cwd_name.is_absolute() && fs::canonicalize(cwd_name).ok().as_deref() == cwd
        });
        cwd_name.or(cwd).into_iter().flat_map(Path::ancestors)
    }

    fn path_variable(&self, name: &str) -> Option<PathBuf> {
        self.environment.var(name).map(PathBuf::from)
    }
}

/// Whether a version is a plain name. No file may select a path outside of the directory of versions (CVE-2022-35861).
fn is_plain(version: &str) -> bool {
    !version.is_empty() && version != "." && version != ".." && !version.contains(['/', '\\'])
}
