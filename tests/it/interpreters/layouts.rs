//! Real installations of Python in the layouts that developers use: directories of versions, version managers, entries of
//! PATH.

use std::{
    env as process,
    ffi::OsString,
    fs::Permissions,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
};

use fs_err as fs;

use crate::{
    env::{PATH, TestEnv},
    interpreters::{Interpreter, installed},
    needs::{KEEPABLE, PYENV},
};

/// The `CPython`s that have a prefix of their own, the newest patch level of each version, oldest
/// first, as in a version manager.
pub(crate) fn keepable() -> Vec<&'static Interpreter> {
    KEEPABLE.is_listed();
    find_keepable()
}

pub(crate) fn find_keepable() -> Vec<&'static Interpreter> {
    let mut kept: Vec<&Interpreter> = Vec::new();
    for python in installed() {
        let is_own = python.implementation == "cpython" && !prefix(python).starts_with("/usr");
        if is_own && prefix(python).join("bin/python3").exists() {
            kept.retain(|other| other.version.1 != python.version.1);
            kept.push(python);
        }
    }
    kept
}

/// `sys.prefix` of a Python, as far as its path tells.
pub(crate) fn prefix(python: &Interpreter) -> PathBuf {
    let real = fs::canonicalize(&python.executable).unwrap();
    real.parent().unwrap().parent().unwrap().to_owned()
}

/// `3.12.1`.
pub(crate) fn version(python: &Interpreter) -> String {
    let (major, minor, micro) = python.version;
    format!("{major}.{minor}.{micro}")
}

/// Links these Pythons into `folder`, each under its version.
pub(crate) fn keep(folder: &Path, pythons: &[&Interpreter]) {
    fs::create_dir_all(folder).unwrap();
    for python in pythons {
        symlink(prefix(python), folder.join(version(python))).unwrap();
    }
}

/// Writes an executable file and the folders above it.
pub(crate) fn script(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
}

/// The directory of a real pyenv.
fn pyenv() -> PathBuf {
    PYENV.is_listed();
    find_pyenv().unwrap()
}

pub(crate) fn find_pyenv() -> Option<PathBuf> {
    let home = PathBuf::from(process::var_os("HOME").unwrap_or_default()).join(".pyenv");
    let path = process::var_os("PATH").unwrap_or_default();
    let on_path = process::split_paths(&path).filter_map(|folder| Some(folder.parent()?.into()));
    process::var_os("PYENV_ROOT")
        .map(PathBuf::from)
        .into_iter()
        .chain([home])
        .chain(on_path)
        .find(|root| root.join("libexec/pyenv").is_file())
}

/// A pyenv in `~/.pyenv` with these Pythons, and the shims that it creates.
pub(crate) struct Pyenv {
    pub(crate) root: PathBuf,
    /// PATH with the shims in front.
    pub(crate) path: OsString,
}

impl Pyenv {
    pub(crate) fn new(env: &TestEnv, pythons: &[&Interpreter]) -> Self {
        let real = pyenv();
        let root = env.root().join("home/.pyenv");
        keep(&root.join("versions"), pythons);
        for name in ["bin", "libexec", "completions", "pyenv.d", "plugins"] {
            if name == "plugins" {
                // Without the plugins of the installed pyenv.
                fs::create_dir(root.join(name)).unwrap();
            } else if real.join(name).exists() {
                symlink(real.join(name), root.join(name)).unwrap();
            }
        }
        let made = Self {
            path: format!("{}/shims:{PATH}", root.display()).into(),
            root,
        };
        made.run(env, ["rehash"]).outcome().expect_code(0);
        assert!(made.root.join("shims/python3").is_file());
        made
    }

    /// A run of pyenv itself.
    pub(crate) fn run<'a, const N: usize>(
        &self,
        env: &'a TestEnv,
        args: [&str; N],
    ) -> crate::env::Run<'a> {
        env.run(self.root.join("libexec/pyenv"), args)
            .var("PYENV_ROOT", &self.root)
            .var("PATH", &self.path)
    }

    pub(crate) fn shim(&self, name: &str) -> PathBuf {
        self.root.join("shims").join(name)
    }

    /// Selects these versions for everything, as `pyenv global` does.
    pub(crate) fn global(&self, versions: &str) {
        fs::write(self.root.join("version"), format!("{versions}\n")).unwrap();
    }
}

/// The base that an environment in `work` links to; the environment is removed.
#[track_caller]
pub(crate) fn base_of(env: &TestEnv, name: &str) -> PathBuf {
    let folder = env.at(name);
    let entries = fs::read_dir(folder.join("bin")).unwrap();
    let base = entries
        .filter_map(|entry| fs::read_link(entry.unwrap().path()).ok())
        .find(|target| target.is_absolute())
        .expect("an environment with links");
    fs::remove_dir_all(folder).unwrap();
    base
}

/// A copy of this Python at `at` without ensurepip, like in distributions: the executable is a copy, so that it finds the library
/// next to it, and everything else is a link.
pub(crate) fn without_ensurepip(python: &Interpreter, at: &Path) -> PathBuf {
    let prefix = prefix(python);
    let stdlib = format!("lib/python{}", python.short_version());
    for folder in ["bin", "lib", &stdlib] {
        fs::create_dir_all(at.join(folder)).unwrap();
        for name in crate::env::listing(&prefix.join(folder)) {
            let place = at.join(folder).join(&name);
            let is_gone = name == "ensurepip" || name == "__pycache__" || folder == "bin";
            if !is_gone && !place.exists() && !stdlib.ends_with(&name) {
                symlink(prefix.join(folder).join(&name), place).unwrap();
            }
        }
    }
    let executable = at.join("bin/python3");
    fs::copy(fs::canonicalize(&python.executable).unwrap(), &executable).unwrap();
    executable
}
