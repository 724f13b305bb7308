//! Checks that the directories of an environment exist. They depend on the tool that created it and on the Python
//! version.

use std::path::{Path, PathBuf};

use fs_err as fs;

use super::{Environment, Kind, Maker};
use crate::interpreter::version::Traits;
use crate::interpreter::{Interpreter, on_disk};

impl Environment {
    pub(super) fn check_folders(&mut self, facts: Option<&Interpreter>) {
        let Some(facts) = facts else { return };
        let maker = self.maker();
        let is_copy = fs::symlink_metadata(self.bin.join("python")).is_ok_and(|it| it.is_file());
        // venv cannot create the link on every file system, and does not if it copies.
        if facts.links_lib64() && maker != Maker::Virtualenv && !is_copy {
            self.check_folder("lib64");
        }
        if maker == Maker::Venv {
            let include = facts.scheme.include.split('/').next().unwrap_or_default();
            self.check_folder(include);
        }
    }

    fn check_folder(&mut self, name: &str) {
        if !self.env_dir.join(name).is_dir() {
            let remedy = self.upgrade();
            self.report(Kind::FolderMissing, format!("{name} is missing"), remedy);
        }
    }

    /// The packages directory of the environment's version.
    pub(super) fn site_packages(&self) -> Option<PathBuf> {
        if cfg!(windows) {
            let folder = self.env_dir.join("Lib").join("site-packages");
            return folder.is_dir().then_some(folder);
        }
        let [major, minor] = self.minor?;
        let folders = ["python", "pypy"]
            .into_iter()
            .flat_map(|word| ["", "t"].map(|t| format!("lib/{word}{major}.{minor}{t}")));
        folders
            .map(|folder| self.env_dir.join(folder).join("site-packages"))
            .find(|folder| folder.is_dir())
    }

    /// The packages directory that a Python would use in this environment.
    pub(super) fn site_packages_of(&self, traits: &Traits) -> PathBuf {
        let lib = if cfg!(windows) {
            "Lib".to_owned()
        } else {
            traits.library()
        };
        self.env_dir.join(lib).join("site-packages")
    }

    /// The minor version of the packages directory. If there are several, the one with a Python in `bin`.
    pub(super) fn installed_minor(&self) -> Option<[u32; 2]> {
        let minors = |folder: &Path| {
            let entries = fs::read_dir(folder).into_iter().flatten().flatten();
            let mut minors: Vec<_> = entries
                .filter_map(|entry| {
                    let named = on_disk::named(entry.file_name().to_str()?)?;
                    Some([named.major, named.minor])
                })
                .collect();
            minors.sort_unstable();
            minors.dedup();
            minors
        };
        let (libraries, programs) = (minors(&self.env_dir.join("lib")), minors(&self.bin));
        match libraries.as_slice() {
            [] => None,
            [only] => Some(*only),
            _ => libraries
                .iter()
                .rev()
                .find(|minor| programs.contains(minor))
                .copied(),
        }
    }
}
