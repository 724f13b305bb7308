//! Finds the Python that an existing environment was created with.

use std::io;
use std::path::{Path, PathBuf};

use fs_err as fs;

use super::Interpreter;
use super::discovery::Discovery;
use crate::error::Error;
use crate::interpreter::on_disk;
use crate::interpreter::pyvenv_cfg;
use crate::interpreter::version::Traits;
use crate::sys::fs::{bare, is_executable};

impl Discovery<'_> {
    /// The base Python of the environment at `env_dir`, or another Python of the same minor version; `None` if that is
    /// unknown.
    ///
    /// # Errors
    ///
    /// [`Error::PythonNotFound`] if there is no Python of that version any more, [`Error::Interrupted`].
    pub(crate) fn recorded(&self, env_dir: &Path) -> Result<Option<Interpreter>, Error> {
        let text = fs::read_to_string(env_dir.join("pyvenv.cfg")).unwrap_or_default();
        let Some(wanted) = version(env_dir, &text) else {
            return Ok(None);
        };
        if let Some(base) = self.own(env_dir, &text, &wanted)? {
            return Ok(Some(base));
        }
        let word = if wanted.implementation == "pypy" {
            "pypy"
        } else {
            ""
        };
        let request = format!("{word}{}", wanted.version());
        match self.find(&[request]) {
            Err(Error::PythonNotFound {
                request,
                searched,
                closest,
            }) => Err(Error::PythonNotFound {
                request: format!("{request}, the version of {}", env_dir.display()),
                searched,
                closest,
            }),
            found => found.map(Some),
        }
    }

    /// The base that the environment at `env_dir` runs on: no other Python will do.
    ///
    /// # Errors
    ///
    /// [`Error::NotAnEnvironment`], [`Error::BaseGone`], [`Error::Interrupted`].
    pub(crate) fn base_of(&self, env_dir: &Path) -> Result<Interpreter, Error> {
        let not_one = |reason| Error::NotAnEnvironment {
            path: env_dir.into(),
            reason,
        };
        let configuration = env_dir.join("pyvenv.cfg");
        match fs::symlink_metadata(&configuration) {
            Ok(metadata) if metadata.is_file() => {}
            _ if env_dir.is_dir() => return Err(not_one("it has no pyvenv.cfg")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(not_one("there is no such directory"));
            }
            _ => return Err(not_one("it is not a directory")),
        }
        let text = fs::read_to_string(&configuration)
            .map_err(|error| Error::io("read", &configuration)(bare(error)))?;
        let wanted = version(env_dir, &text);
        let wanted = wanted.ok_or_else(|| not_one("its pyvenv.cfg names no version of Python"))?;
        let python = bin(env_dir).join(if cfg!(windows) {
            "python.exe"
        } else {
            "python"
        });
        let is_whole = is_executable(&python);
        if !is_whole && fs::symlink_metadata(&python).is_err() {
            return Err(not_one("it has no Python"));
        }
        let base = self.own(env_dir, &text, &wanted)?;
        base.filter(|_| is_whole).ok_or_else(|| Error::BaseGone {
            path: env_dir.into(),
            base: match (fs::read_link(&python), pyvenv_cfg::value(&text, "home")) {
                (Ok(target), _) if target.is_absolute() => target,
                (_, Some(home)) => home.into(),
                _ => python,
            },
        })
    }

    /// The base that it was created with, if that is still there.
    fn own(
        &self,
        env_dir: &Path,
        configuration: &str,
        wanted: &Traits,
    ) -> Result<Option<Interpreter>, Error> {
        for base in bases(env_dir, configuration, wanted) {
            if !is_executable(&base) {
                continue;
            }
            match self.facts(&base) {
                Ok(facts) if is_same(&Traits::from(&facts), wanted) => return Ok(Some(facts)),
                Err(error @ Error::Interrupted { .. }) => return Err(error),
                Ok(_) | Err(_) => {}
            }
        }
        Ok(None)
    }
}

/// The version of the environment, without the patch level.
fn version(env_dir: &Path, configuration: &str) -> Option<Traits> {
    let entries = fs::read_dir(env_dir.join("lib")).into_iter().flatten();
    let mut libraries: Vec<_> = entries
        .flatten()
        .filter_map(|entry| on_disk::named(entry.file_name().to_str()?))
        .collect();
    let version = pyvenv_cfg::value(configuration, "version")
        .or_else(|| pyvenv_cfg::value(configuration, "version_info"))
        .and_then(|text| {
            let mut numbers = text.split('.').map(|number| number.parse::<u32>().ok());
            Some((numbers.next()??, numbers.next()??))
        });
    match version {
        Some((major, minor)) => libraries
            .into_iter()
            .find(|traits| (traits.major, traits.minor) == (major, minor))
            .or_else(|| on_disk::named(&format!("python{major}.{minor}"))),
        None if libraries.len() == 1 => libraries.pop(),
        None => None,
    }
}

/// The executables that the environment may have been created with.
fn bases(env_dir: &Path, configuration: &str, version: &Traits) -> Vec<PathBuf> {
    let versioned = |word: &str| format!("{word}{}.{}", version.major, version.minor);
    let names = [
        "python3".to_owned(),
        "python".into(),
        versioned("python"),
        "pypy3".into(),
        "pypy".into(),
        versioned("pypy"),
        "python.exe".into(),
    ];
    let bin = bin(env_dir);
    let links = names
        .iter()
        .filter_map(|name| Some(bin.join(fs::read_link(bin.join(name)).ok()?)))
        .filter(|target| target.parent() != Some(&bin));
    let home = pyvenv_cfg::value(configuration, "home").map(Path::new);
    let in_home = home
        .into_iter()
        .flat_map(|home| names.iter().map(|name| home.join(name)));
    let executable = pyvenv_cfg::value(configuration, "executable").map(PathBuf::from);
    links.chain(in_home).chain(executable).collect()
}

/// The folder of executables.
fn bin(env_dir: &Path) -> PathBuf {
    env_dir.join(if cfg!(windows) { "Scripts" } else { "bin" })
}

fn is_same(one: &Traits, other: &Traits) -> bool {
    let key = |traits: &Traits| (traits.major, traits.minor, traits.variant.free_threaded);
    one.implementation == other.implementation && key(one) == key(other)
}
