//! Bytecode, made by the Python that will run it: one process per core, the large files first.
//!
//! Knows `py_compile`'s choices and the names of `.pyc` files; nothing of wheels.

use std::collections::{HashMap, HashSet, VecDeque};
use std::path::Path;
use std::thread;

use crate::error::Error;
use crate::installed::bytecode::workers::Pool;
use crate::interpreter::Interpreter;
use crate::sys::fs::Folder;
use crate::sys::signal::Interrupt;

/// How many bytes of source are handed out at once: small enough that all end together, large
/// enough to talk little.
const BATCH: u64 = 48 * 1024;

/// How `.pyc` files are to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bytecode {
    /// How Python will see that a source has changed.
    pub(crate) invalidation: Invalidation,
    /// `sys.flags.optimize`: the level of `-O`.
    pub(crate) optimize: u32,
    /// Whether code knows the columns of its instructions (`PYTHONNODEBUGRANGES`, 3.11 and later).
    pub(crate) debug_ranges: bool,
}

/// `py_compile.PycInvalidationMode`, as far as `compileall` chooses it by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Invalidation {
    /// By the mtime and the size of the source.
    Timestamp,
    /// By its hash: with `SOURCE_DATE_EPOCH`, 3.7 and later.
    CheckedHash,
}

impl Default for Bytecode {
    fn default() -> Self {
        Self {
            invalidation: Invalidation::Timestamp,
            optimize: 0,
            debug_ranges: true,
        }
    }
}

impl Bytecode {
    /// What that Python would do in an environment with these variables; `variable` gives their values.
    ///
    /// Before 3.10 ensurepip ran isolated (gh-98251), so that Python ignored its own variables, but not
    /// `SOURCE_DATE_EPOCH`, which is none of them.
    pub(crate) fn for_environment(
        interpreter: &Interpreter,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Self {
        let is_set = |name| variable(name).filter(|value| !value.is_empty());
        let mut bytecode = Self::default();
        if interpreter.at_least(3, 7) && is_set("SOURCE_DATE_EPOCH").is_some() {
            bytecode.invalidation = Invalidation::CheckedHash;
        }
        if interpreter.at_least(3, 10) {
            // Python/initconfig.c, get_env_flag: no number or a negative one means 1.
            bytecode.optimize =
                is_set("PYTHONOPTIMIZE").map_or(0, |value| value.parse().unwrap_or(1));
        }
        if interpreter.at_least(3, 11) {
            bytecode.debug_ranges = is_set("PYTHONNODEBUGRANGES").is_none();
        }
        bytecode
    }

    /// The end of the names of `.pyc` files (`importlib.util.cache_from_source`).
    fn suffix(&self, cache_tag: &str) -> String {
        match self.optimize {
            0 => format!(".{cache_tag}.pyc"),
            level => format!(".{cache_tag}.opt-{level}.pyc"),
        }
    }
}

/// Compiles `sources`, `.py` files below `root` with their sizes, and returns the `.pyc` of each that compiles.
///
/// Paths are relative to `root`, which `folder` has open. A source that is not valid for this Python is left out, as pip
/// does; so are all of them if it writes no bytecode at all.
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
    let mut pool = Pool::start(
        interpreter,
        root,
        bytecode,
        &suffix,
        cores.min(batches.len()),
    )?;
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

/// The sources in the order and the portions in which they are handed out.
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
pub(crate) mod workers;
