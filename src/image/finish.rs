//! Writes the files that contain the path of the environment: console scripts, and `RECORD` with their hashes.
//!
//! First lines, bytecode and rows come from `installed`, as everywhere. Only `relocate` itself has nothing to do here: an image
//! contains no path that it could look for, but the positions at which one is missing.

use crate::error::Error;
use crate::image::destination::{Destination, prefixed};
use crate::image::format::{self, Distribution, Image};
use crate::installed::record;
use crate::installed::record::Row;
use crate::installed::relocate::bytecode;
use crate::installed::scripts::exe;
use crate::installed::scripts::exe::Time;
use crate::installed::scripts::shebang;
use crate::sys::fs::{Folder, Mode};

/// How console scripts are created on Windows.
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

/// Writes the console scripts and RECORD of a distribution after its files were unpacked.
pub(crate) fn finish(
    image: &Image,
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
        } else if script.is_generated {
            let limit = to.interpreter.platform.shebang_limit();
            shebang::render(executable, &script.body, limit).into_bytes()
        } else {
            shebang::one_line(executable, &script.body).into_bytes()
        };
        let mode = match (script.is_generated, script.is_executable) {
            (true, _) => Mode::Executable,
            (false, true) => Mode::Program,
            (false, false) => Mode::Plain,
        };
        let time = to.tree.write_timed(&path, &contents, mode)?;
        let path = format!("{up}{path}");
        bytecode(image, &path, (time, contents.len()), site_packages, to)?;
        rows.push(Row::hashed(path, &contents));
    }
    let damaged = |reason| Error::DamagedImage {
        path: distribution.dist_info.clone().into(),
        reason,
    };
    let last = rows.iter().map(|row| row.path.as_str()).max();
    let first = distribution.record.split(',').next().unwrap_or_default();
    let record = match to.pycache_prefix {
        // The others are sorted already, and mostly those of scripts come first.
        None if last.is_none_or(|last| last < first) => {
            record::render(&mut rows) + &distribution.record
        }
        None => {
            rows.extend(record::read(distribution.record.as_bytes()).map_err(damaged)?);
            record::render(&mut rows)
        }
        Some(prefix) => {
            rows.extend(record::read(distribution.record.as_bytes()).map_err(damaged)?);
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

/// Writes the bytecode of a script, if pip has compiled it, with the script's time and size.
fn bytecode(
    image: &Image,
    script: &str,
    (time, size): (i64, usize),
    site_packages: &Folder,
    to: &Destination<'_>,
) -> Result<(), Error> {
    let index = &image.index;
    let mut entries = index.entries[index.files..].iter();
    let Some(entry) =
        entries.find(|entry| format::source_of(&entry.path).as_deref() == Some(script))
    else {
        return Ok(());
    };
    let damaged = || image.damaged(&format!("{} does not name its source file", entry.path));
    let contents = image.contents(entry)?;
    let header = contents.get(..index.bytecode_header).ok_or_else(damaged)?;
    let mut header = format::with_time(header, time);
    let at = header.len() - 4;
    #[expect(clippy::cast_possible_truncation, reason = "importlib does the same")]
    header[at..].copy_from_slice(&(size as u32).to_le_bytes());
    let filenames = entry.filenames.as_deref().unwrap_or_default();
    let (said, mut strings) = (to.name_of(script), Vec::new());
    let pieces = bytecode::replace_at(&contents, filenames, &said, &mut strings);
    let mut pieces = pieces.ok_or_else(damaged)?;
    pieces[0] = pieces[0].get(header.len()..).ok_or_else(damaged)?;
    pieces.insert(0, &header);
    site_packages.write_pieces(&entry.path, &pieces, Mode::Plain)
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
