//! Finds the Python that an existing environment was created with.

use std::path::{Path, PathBuf};

use fs_err as fs;

use super::Interpreter;
use super::discovery::Discovery;
use crate::error::Error;
use crate::interpreter::on_disk;
use crate::interpreter::pyvenv_cfg;
use crate::interpreter::version::Traits;
use crate::sys::fs::is_executable;

impl Discovery<'_> {
    /// The base of the environment at `env_dir`, or else another Python of its minor version; `None` if that is unknown.
    ///
    /// # Errors
    ///
    /// [`Error::PythonNotFound`] if there is none of that version any more, [`Error::Interrupted`].
    pub(crate) fn recorded(&self, env_dir: &Path) -> Result<Option<Interpreter>, Error> {
        let text = fs::read_to_string(env_dir.join("pyvenv.cfg")).unwrap_or_default();
        let Some(wanted) = version(env_dir, &text) else {
            return Ok(None);
        };
        for base in bases(env_dir, &text, &wanted) {
            if !is_executable(&base) {
                continue;
            }
            match self.facts(&base) {
                Ok(facts) if is_same(&Traits::from(&facts), &wanted) => return Ok(Some(facts)),
                Err(error @ Error::Interrupted { .. }) => return Err(error),
                Ok(_) | Err(_) => {}
            }
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
                nearest,
            }) => Err(Error::PythonNotFound {
                request: format!("{request}, the version of {}", env_dir.display()),
                searched,
                nearest,
            }),
            found => found.map(Some),
        }
    }
}

/// The version that it is for, without the patch level.
fn version(env_dir: &Path, configuration: &str) -> Option<Traits> {
    let entries = fs::read_dir(env_dir.join("lib")).into_iter().flatten();
    let mut libraries: Vec<_> = entries
        .flatten()
        .filter_map(|entry| on_disk::named(entry.file_name().to_str()?))
        .collect();
    let said = pyvenv_cfg::value(configuration, "version")
        .or_else(|| pyvenv_cfg::value(configuration, "version_info"))
        .and_then(|text| {
            let mut numbers = text.split('.').map(|number| number.parse::<u32>().ok());
            Some((numbers.next()??, numbers.next()??))
        });
    match said {
        Some((major, minor)) => libraries
            .into_iter()
            .find(|traits| (traits.major, traits.minor) == (major, minor))
            .or_else(|| on_disk::named(&format!("python{major}.{minor}"))),
        None if libraries.len() == 1 => libraries.pop(),
        None => None,
    }
}

/// The executables that it may have been created with.
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
    let bin = env_dir.join(if cfg!(windows) { "Scripts" } else { "bin" });
    let links = names
        .iter()
        .filter_map(|name| fs::read_link(bin.join(name)).ok())
        .filter(|target| target.is_absolute());
    let home = pyvenv_cfg::value(configuration, "home").map(Path::new);
    let at_home = home
        .into_iter()
        .flat_map(|home| names.iter().map(|name| home.join(name)));
    let executable = pyvenv_cfg::value(configuration, "executable").map(PathBuf::from);
    links.chain(at_home).chain(executable).collect()
}

fn is_same(one: &Traits, other: &Traits) -> bool {
    let key = |traits: &Traits| (traits.major, traits.minor, traits.variant.free_threaded);
    one.implementation == other.implementation && key(one) == key(other)
}
