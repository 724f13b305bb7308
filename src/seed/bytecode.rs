//! Bytecode, made by the Python that will run it: one process per core, handed the large files first.
//!
//! Knows `py_compile`'s choices and the names of `.pyc` files; nothing of wheels.

use std::collections::{HashMap, HashSet, VecDeque};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use crate::error::Error;
use crate::fs::Folder;
use crate::interpreter::Interpreter;
use crate::interrupt::Interrupt;

/// The program that each process runs.
const COMPILE: &str = include_str!("compile.py");
/// How many bytes of source are handed out at once: small enough to end together, large enough to talk little.
const BATCH: u64 = 48 * 1024;
/// How long a signal may go unnoticed.
const POLL: Duration = Duration::from_millis(20);

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

/// The running interpreters. They are killed when this is dropped.
struct Pool {
    workers: Vec<Child>,
    program: String,
}

impl Drop for Pool {
    fn drop(&mut self) {
        for worker in &mut self.workers {
            // One that has ended already needs no killing, and there is nobody to tell.
            let _ = worker.kill();
            let _ = worker.wait();
        }
    }
}

impl Pool {
    fn start(
        interpreter: &Interpreter,
        root: &Path,
        bytecode: &Bytecode,
        suffix: &str,
        count: usize,
    ) -> Result<Self, Error> {
        let mut pool = Self {
            workers: Vec::new(),
            program: format!("{} (compiling)", interpreter.executable),
        };
        let invalidation = match bytecode.invalidation {
            Invalidation::Timestamp => "timestamp",
            Invalidation::CheckedHash => "checked-hash",
        };
        for _ in 0..count {
            let mut command = Command::new(&interpreter.executable);
            // Neither site nor the user's variables; nothing written beside the base's own modules; no warnings.
            command.args(["-I", "-S", "-B", "-W", "ignore"]);
            if !bytecode.debug_ranges {
                command.args(["-X", "no_debug_ranges"]);
            }
            // compile() knows levels up to 2; more only changes the file's name.
            command.args(["-c", COMPILE]).arg(root).args([
                invalidation,
                &bytecode.optimize.min(2).to_string(),
                suffix,
            ]);
            command
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped());
            let worker = command
                .spawn()
                .map_err(Error::io("start", Path::new(&interpreter.executable)))?;
            pool.workers.push(worker);
        }
        Ok(pool)
    }

    /// Hands out the batches until there are none or something fails; returns the sources that compiled.
    fn run<'a>(
        &mut self,
        batches: VecDeque<Vec<&'a str>>,
        interrupt: &Interrupt,
    ) -> Result<Vec<&'a str>, Error> {
        let queue = Mutex::new(batches);
        let (sender, receiver) = mpsc::channel();
        let mut pipes = Vec::new();
        for worker in &mut self.workers {
            if let (Some(stdin), Some(stdout), Some(mut stderr)) = (
                worker.stdin.take(),
                worker.stdout.take(),
                worker.stderr.take(),
            ) {
                let words = thread::spawn(move || {
                    let mut words = String::new();
                    let _ = stderr.read_to_string(&mut words);
                    words
                });
                pipes.push((stdin, stdout, words));
            }
        }
        thread::scope(|scope| {
            for (stdin, stdout, words) in pipes {
                let (sender, queue) = (sender.clone(), &queue);
                scope.spawn(move || {
                    let answer = serve(stdin, stdout, queue, interrupt);
                    // Its pipes are closed now, so that it ends and its last words are complete.
                    let words = words.join().unwrap_or_default();
                    // Nobody listens any more once something else has failed.
                    let _ = sender.send(answer.map_err(|status| (status, words)));
                });
            }
            drop(sender);
            let mut valid = Vec::new();
            loop {
                match receiver.recv_timeout(POLL) {
                    Ok(Ok(sources)) => valid.extend(sources),
                    Ok(Err((status, output))) => {
                        self.kill();
                        // A signal from the terminal reaches them, too.
                        interrupt.check()?;
                        return Err(Error::Command {
                            program: self.program.clone(),
                            status,
                            output,
                        });
                    }
                    Err(mpsc::RecvTimeoutError::Timeout) => {
                        if let Err(interrupted) = interrupt.check() {
                            self.kill();
                            return Err(interrupted);
                        }
                    }
                    Err(mpsc::RecvTimeoutError::Disconnected) => return Ok(valid),
                }
            }
        })
    }

    /// Kills all, so that the threads which talk to them come to an end.
    fn kill(&mut self) {
        for worker in &mut self.workers {
            let _ = worker.kill();
        }
    }
}

/// Talks to one process until there is nothing left to do; returns what compiled or how the process failed.
fn serve<'a>(
    mut stdin: ChildStdin,
    stdout: ChildStdout,
    queue: &Mutex<VecDeque<Vec<&'a str>>>,
    interrupt: &Interrupt,
) -> Result<Vec<&'a str>, String> {
    let mut stdout = BufReader::new(stdout);
    let mut valid = Vec::new();
    loop {
        let next = queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop_front();
        let Some(batch) = next else { return Ok(valid) };
        let mut line = batch.join("\0");
        line.push('\n');
        interrupt
            .writing(|| stdin.write_all(line.as_bytes()))
            .map_err(|error| error.to_string())?;
        let mut answer = String::new();
        stdout
            .read_line(&mut answer)
            .map_err(|error| error.to_string())?;
        let answer = answer.trim_end().as_bytes();
        if answer.len() != batch.len() {
            return Err("an unfinished answer".into());
        }
        valid.extend(
            batch
                .into_iter()
                .zip(answer)
                .filter(|(_, mark)| **mark == b'+')
                .map(|(source, _)| source),
        );
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
