//! Compiles sources to bytecode with the Python that will use it, in several processes, large files first.

pub(crate) mod settings;
mod workers;

use std::collections::{HashMap, HashSet, VecDeque};
use std::path::Path;
use std::thread;

use crate::error::Error;
use crate::installed::bytecode::settings::Bytecode;
use crate::installed::bytecode::workers::Workers;
use crate::interpreter::Interpreter;
use crate::sys::fs::Folder;
use crate::sys::signal::Interrupt;

/// Starting more processes than this takes longer than they save.
const MOST_PROCESSES: usize = 8;
/// How many bytes of source a process gets at once: few enough that all processes finish at about the same time, and
/// enough to keep communication low.
const BATCH: u64 = 48 * 1024;

/// Compiles `sources`, `.py` files below `root` with their sizes, and returns the `.pyc` path of each one that
/// compiles.
///
/// Paths are relative to `root`, which `folder` has open. Sources that are not valid for this Python are skipped, as
/// pip does; so are all of them if this Python writes no bytecode.
///
/// # Errors
///
/// [`Error::Command`] if a process dies, [`Error::Interrupted`] after all of them have been killed, [`Error::Io`].
pub(crate) fn compile(
    interpreter: &Interpreter,
    root: &Path,
    folder: &Folder,
    sources: &[(String, u64)],
    bytecode: &Bytecode,
    interrupt: &Interrupt,
) -> Result<HashMap<String, String>, Error> {
    let Some(cache_tag) = interpreter.cache_tag.as_deref() else {
        return Ok(HashMap::new());
    };
    let suffix = bytecode.suffix(cache_tag);
    let folders: HashSet<&str> = sources
        .iter()
        .map(|(path, _)| path.rsplit_once('/').map_or("", |(folder, _)| folder))
        .collect();
    for parent in folders {
        folder.create_dir_all(format!("{parent}/__pycache__").trim_start_matches('/'))?;
    }
    let batches = batches(sources);
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let count = cores.min(MOST_PROCESSES).min(batches.len());
    let mut pool = Workers::start(interpreter, root, bytecode, &suffix, count)?;
    let valid = pool.run(batches, interrupt)?;
    Ok(valid
        .into_iter()
        .map(|source| (source.to_string(), cached(source, &suffix)))
        .collect())
}

/// `importlib.util.cache_from_source`.
fn cached(source: &str, suffix: &str) -> String {
    let (folder, name) = source
        .rsplit_once('/')
        .map_or((String::new(), source), |(folder, name)| {
            (format!("{folder}/"), name)
        });
    format!(
        "{folder}__pycache__/{}{suffix}",
        name.strip_suffix(".py").unwrap_or(name)
    )
}

/// The sources in the order and the batches in which they are compiled.
fn batches(sources: &[(String, u64)]) -> VecDeque<Vec<&str>> {
    let mut sorted: Vec<_> = sources.iter().collect();
    sorted.sort_by(|(one, size_of_one), (other, size_of_other)| {
        size_of_other.cmp(size_of_one).then(one.cmp(other))
    });
    let mut batches = VecDeque::new();
    let mut batch = Vec::new();
    let mut bytes = 0;
    for (path, size) in sorted {
        batch.push(path.as_str());
        bytes += size;
        if bytes >= BATCH {
            batches.push_back(std::mem::take(&mut batch));
            bytes = 0;
        }
    }
    if !batch.is_empty() {
        batches.push_back(batch);
    }
    batches
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
