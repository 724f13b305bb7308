//! Finds a pip wheel for a Python that has no `ensurepip`.

use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use fs_err as fs;
use pep440_rs::{Version, VersionSpecifiers};

use crate::error::Error;
use crate::interpreter::discovery::Discovery;
use crate::interpreter::{BundledWheel, Interpreter};
use crate::pip::wheel::archive::Archive;
use crate::pip::wheel::install::header;

/// Where wheels are searched for.
pub(crate) struct OtherWheels<'a> {
    /// `--find-links`.
    pub(crate) find_links: &'a [PathBuf],
    pub(crate) discovery: Discovery<'a>,
}

/// The wheels to install: pip, and setuptools if the same directory contains it and an ensurepip of that version would
/// install it.
pub(crate) type Choice = Vec<BundledWheel>;

impl OtherWheels<'_> {
    /// Every choice for `interpreter`, the best first. Later sources are only searched if the earlier ones do not work.
    pub(crate) fn choices<'b>(
        &'b self,
        interpreter: &'b Interpreter,
    ) -> impl Iterator<Item = Choice> + 'b {
        let own = Self::own(interpreter).into_iter();
        let given = self.find_links.iter().cloned();
        // Each directory separately: wheels that belong to the Python come before newer ones.
        let near = own
            .chain(given)
            .flat_map(|folder| newest_first(in_folder(&folder, interpreter)));
        let far = std::iter::once_with(|| {
            let folders = self.of_others();
            let mut choices: Vec<_> = folders
                .iter()
                .flat_map(|folder| in_folder(folder, interpreter))
                .collect();
            let kept = self.discovery.store.wheels();
            choices.extend(kept.iter().filter_map(|wheel| pip(wheel, interpreter)));
            newest_first(choices)
        });
        near.chain(far.flatten())
    }

    /// The directories that determine the choice, as far as listing them is cheap.
    pub(crate) fn folders(&self, interpreter: &Interpreter) -> Vec<PathBuf> {
        let mut folders = Self::own(interpreter);
        folders.extend_from_slice(self.find_links);
        folders
    }

    /// The directories of wheels that belong to the Python itself, if only the ensurepip module was removed.
    fn own(interpreter: &Interpreter) -> Vec<PathBuf> {
        let stdlib = Path::new(&interpreter.stdlib);
        let bundled = stdlib.join("ensurepip").join("_bundled");
        // The directories of Debian and Fedora (`WHEEL_PKG_DIR`).
        let prefix = stdlib.parent().and_then(Path::parent);
        let system = prefix.map(|prefix| prefix.join("share").join("python-wheels"));
        [bundled].into_iter().chain(system).collect()
    }

    fn of_others(&self) -> Vec<PathBuf> {
        let others = self.discovery.all().unwrap_or_default();
        others
            .iter()
            .filter_map(|other| {
                let prefix = fs::canonicalize(&other.path).ok()?;
                let prefix = prefix.parent()?.parent()?.to_path_buf();
                let stdlib = prefix.join(other.traits.library());
                let bundled = stdlib.join("ensurepip/_bundled");
                Some([bundled, prefix.join("share/python-wheels")])
            })
            .flatten()
            .collect()
    }
}

/// The error for a Python without any choice.
pub(crate) fn none(env_dir: &str, interpreter: &Interpreter, find_links: &[PathBuf]) -> Error {
    let mut reason = format!(
        "{} has no working ensurepip, and no pip wheel for Python {} was found next to it",
        interpreter.executable,
        interpreter.version_string()
    );
    for folder in find_links {
        reason.push_str(", in ");
        reason.push_str(&folder.to_string_lossy());
    }
    reason.push_str(", among the other Pythons of this machine or in the cache");
    // Debian and its derivatives have ensurepip in a separate package.
    let is_debian = interpreter.stdlib.starts_with("/usr/lib/")
        && fs::symlink_metadata("/etc/debian_version").is_ok();
    let [major, minor, _] = interpreter.version;
    Error::NoPip {
        path: env_dir.into(),
        reason,
        remedy: match interpreter.implementation.as_str() {
            "pypy" if is_debian => "apt install pypy3-venv".into(),
            _ if is_debian => format!("apt install python{major}.{minor}-venv"),
            _ => "install the Python's ensurepip (Debian: apt install python3-venv)".into(),
        },
    }
}

/// The choices in a directory for `interpreter`.
fn in_folder(folder: &Path, interpreter: &Interpreter) -> Vec<Choice> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let wheels: Vec<_> = entries.map(|entry| entry.path()).collect();
    let of = |project: &str| {
        let wheels = wheels.iter().filter_map(|wheel| named(wheel, project));
        wheels
            .filter(|wheel| accepts(Path::new(&wheel.path), interpreter))
            .collect::<Vec<_>>()
    };
    // gh-95299: since 3.12 environments have no setuptools.
    let setuptools = if interpreter.at_least(3, 12) {
        None
    } else {
        of("setuptools").into_iter().max_by_key(version)
    };
    of("pip")
        .into_iter()
        .map(|pip| setuptools.iter().cloned().chain([pip]).collect())
        .collect()
}

fn pip(wheel: &Path, interpreter: &Interpreter) -> Option<Choice> {
    let pip = named(wheel, "pip")?;
    accepts(wheel, interpreter).then(|| vec![pip])
}

/// Parses `pip-23.2.1-py3-none-any.whl`, a platform-independent wheel of this project.
fn named(wheel: &Path, project: &str) -> Option<BundledWheel> {
    let name = wheel.file_name()?.to_str()?;
    let rest = name.strip_prefix(project)?.strip_prefix('-')?;
    let (version, tags) = rest.split_once('-')?;
    let is_universal = tags.split('.').next()? == "py3-none-any" || tags.starts_with("py2.py3-");
    (is_universal && name.ends_with("-none-any.whl")).then(|| BundledWheel {
        project: project.into(),
        version: version.into(),
        path: wheel.to_string_lossy().into_owned(),
    })
}

/// Whether the wheel's `Requires-Python` allows this Python. A wheel that cannot be read is not used.
fn accepts(wheel: &Path, interpreter: &Interpreter) -> bool {
    let metadata = Archive::open(wheel).ok().and_then(|mut archive| {
        let name = format!("{}/METADATA", archive.dist_info());
        archive.text(&name).ok().flatten()
    });
    let Some(metadata) = metadata else {
        return false;
    };
    let python = Version::new(interpreter.version.map(u64::from));
    header(&metadata, "Requires-Python").is_none_or(|requires| {
        VersionSpecifiers::from_str(requires).is_ok_and(|requires| requires.contains(&python))
    })
}

fn newest_first(mut choices: Vec<Choice>) -> Vec<Choice> {
    choices.sort_by_key(|choice| choice.last().map(version));
    choices.reverse();
    choices
}

fn version(wheel: &BundledWheel) -> Option<Version> {
    Version::from_str(&wheel.version).ok()
}
