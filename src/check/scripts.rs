//! Scripts that say where their environment was before it was moved.
//!
//! Reads first lines and `activate`; rewrites nothing.

use std::path::{Path, PathBuf};

use fs_err as fs;

use super::{Environment, Kind, word};
use crate::activation::quote;

/// A script whose first line names a Python of another place.
#[derive(Debug)]
pub(crate) struct Stale {
    /// Its name in the folder of executables.
    pub(crate) name: String,
    /// The Python that it names.
    pub(crate) interpreter: PathBuf,
    /// What follows the lines that name it.
    pub(crate) body: Vec<u8>,
}

impl Environment {
    pub(super) fn look_at_scripts(&mut self, upgrade: &str) {
        let stale = stale(&self.bin);
        let mut places: Vec<PathBuf> = Vec::new();
        for script in &stale {
            let place = script.interpreter.parent().and_then(Path::parent);
            if let Some(place) = place.filter(|place| !places.iter().any(|known| known == place)) {
                places.push(place.into());
            }
        }
        for place in places {
            let names: Vec<_> = stale
                .iter()
                .filter(|script| script.interpreter.starts_with(&place))
                .map(|script| script.name.as_str())
                .collect();
            let names = names.join(", ");
            let is_here = fs::canonicalize(&place).ok() == fs::canonicalize(&self.env_dir).ok();
            let problem = if is_here {
                format!("the scripts {names} look for a Python that is not in bin")
            } else {
                let place = word(&place);
                format!(
                    "it was moved from {place}, where the scripts {names} still look for Python"
                )
            };
            self.found(Kind::Moved, problem, upgrade);
        }
        if let Some(said) = activates(&self.bin, &self.env_dir) {
            let problem = format!("bin/activate activates {}, not this directory", word(&said));
            self.found(Kind::Moved, problem, upgrade);
        }
    }
}

/// The scripts in `bin` that no longer start this environment's Python.
pub(crate) fn stale(bin: &Path) -> Vec<Stale> {
    let here = fs::canonicalize(bin).ok();
    let entries = fs::read_dir(bin).into_iter().flatten().flatten();
    let mut stale: Vec<_> = entries
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()))
        .filter_map(|entry| {
            let (interpreter, body) = started_by(&entry.path())?;
            let folder = interpreter.parent()?;
            // A script of the user's own may well be for another Python that is there.
            let is_environment = folder.parent()?.join("pyvenv.cfg").exists();
            let is_stale = if fs::canonicalize(folder).ok() == here {
                // A link that leads nowhere is another matter.
                fs::symlink_metadata(&interpreter).is_err()
            } else {
                is_environment || !interpreter.exists()
            };
            is_stale.then(|| Stale {
                name: entry.file_name().to_string_lossy().into_owned(),
                interpreter,
                body,
            })
        })
        .collect();
    stale.sort_by(|one, other| one.name.cmp(&other.name));
    stale
}

/// The Python that a script's first lines name, by distlib's two forms, and what comes after them.
fn started_by(script: &Path) -> Option<(PathBuf, Vec<u8>)> {
    use std::io::Read as _;
    let mut file = fs::File::open(script).ok()?;
    let mut contents = vec![0; 2];
    file.read_exact(&mut contents).ok()?;
    if contents != b"#!" {
        return None;
    }
    file.read_to_end(&mut contents).ok()?;
    let line = |from: usize| {
        let rest = contents.get(from..)?;
        let end = rest.iter().position(|byte| *byte == b'\n')?;
        Some((std::str::from_utf8(&rest[..end]).ok()?, from + end + 1))
    };
    let (first, after) = line(2)?;
    let (said, after) = if first.trim() == "/bin/sh" {
        let (second, after) = line(after)?;
        let said = second.strip_prefix("'''exec' ")?;
        let said = match said.strip_prefix('"') {
            Some(quoted) => quoted.split_once("\" ")?.0,
            None => said.split_once(' ')?.0,
        };
        (said, line(after)?.1)
    } else {
        (first.split_whitespace().next()?, after)
    };
    let interpreter = PathBuf::from(said);
    let name = interpreter.file_name()?.to_str()?;
    let is_python = name.starts_with("python") || name.starts_with("pypy");
    (interpreter.is_absolute() && is_python && !said.contains('$'))
        .then(|| (interpreter, contents.split_off(after)))
}

/// The directory that `activate` activates, if that is another one.
pub(crate) fn activates(bin: &Path, env_dir: &Path) -> Option<PathBuf> {
    let text = fs::read_to_string(bin.join("activate")).ok()?;
    let shown = env_dir.to_str()?;
    if text.contains(shown) || text.contains(&quote::sh(shown)) {
        return None;
    }
    let said = text.lines().find_map(|line| {
        let line = line.trim_start();
        let line = line.strip_prefix("export ").unwrap_or(line);
        let value = line
            .strip_prefix("_OLD_VIRTUAL_HERE=")
            .or_else(|| line.strip_prefix("VIRTUAL_ENV="))?;
        let value = value.trim_matches(['"', '\'']);
        let path = Path::new(value);
        (path.is_absolute() && !value.contains('$')).then(|| path.to_path_buf())
    })?;
    let is_here =
        fs::canonicalize(&said).is_ok_and(|said| fs::canonicalize(env_dir).ok() == Some(said));
    (!is_here).then_some(said)
}
