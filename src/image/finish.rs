//! Writes the files that contain the path of the environment: console scripts, and `RECORD` with their hashes.

use crate::error::Error;
use crate::image::destination::{Destination, prefixed};
use crate::image::format::Distribution;
use crate::installed::record;
use crate::installed::record::Row;
use crate::installed::scripts::exe;
use crate::installed::scripts::exe::Time;
use crate::installed::scripts::shebang;
use crate::sys::fs::{Folder, Mode};

/// What makes programs of console scripts, on Windows.
pub(crate) struct Programs {
    pub(crate) launcher: Vec<u8>,
    pub(crate) made: Time,
}

impl Programs {
    fn render(&self, executable: &str, body: &str, relocatable: bool) -> Vec<u8> {
        let python = executable.rsplit('\\').next().unwrap_or(executable);
        let beside = relocatable.then(|| exe::beside(&self.launcher, python));
        let beside = beside.flatten();
        let executable = beside.as_deref().unwrap_or(executable);
        exe::render(&self.launcher, executable, body, self.made)
    }
}

/// Writes the console scripts and RECORD of a distribution whose files are unpacked.
pub(crate) fn finish(
    distribution: &Distribution,
    site_packages: &Folder,
    to: &Destination<'_>,
    programs: Option<&Programs>,
) -> Result<(), Error> {
    let up = "../".repeat(to.interpreter.scheme.purelib.split('/').count());
    let executable = to.executable;
    let mut rows = Vec::new();
    for script in &distribution.scripts {
        let mut path = format!("{}/{}", to.bin_name, script.name);
        let contents = if let Some(programs) = programs {
            path.push_str(".exe");
            programs.render(executable, &script.body, to.relocatable)
        } else if to.relocatable {
            (shebang::launcher(executable) + script.body.trim_start_matches('\n')).into_bytes()
        } else {
            let limit = to.interpreter.platform.shebang_limit();
            shebang::render(executable, &script.body, limit).into_bytes()
        };
        to.tree.write(&path, &contents, Mode::Executable)?;
        rows.push(Row::hashed(format!("{up}{path}"), &contents));
    }
    let record = match to.pycache_prefix {
        // The rows of scripts come first in any order of paths, and the others are sorted already.
        None => record::render(&mut rows) + &distribution.record,
        Some(prefix) => {
            let others = record::read(distribution.record.as_bytes());
            rows.extend(others.map_err(|reason| Error::DamagedImage {
                path: distribution.dist_info.clone().into(),
                reason,
            })?);
            for row in rows.iter_mut().filter(|row| row.path.ends_with(".pyc")) {
                let elsewhere = prefixed(prefix, to.site_packages, &row.path);
                row.path = relative(to.site_packages, &elsewhere);
            }
            record::render(&mut rows)
        }
    };
    site_packages.write(
        &format!("{}/RECORD", distribution.dist_info),
        record.as_bytes(),
        Mode::Plain,
    )
}

/// `os.path.relpath` of two absolute paths.
fn relative(from: &str, to: &str) -> String {
    let (from, to): (Vec<_>, Vec<_>) = (parts(from).collect(), parts(to).collect());
    let common = from
        .iter()
        .zip(&to)
        .take_while(|(one, other)| one == other)
        .count();
    let up = vec![".."; from.len() - common];
    [&up, &to[common..]].concat().join("/")
}

fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|part| !part.is_empty())
}
