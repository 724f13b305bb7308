//! The processes that compile, each running `compile.py`. They are killed when they are not needed any more.

use std::collections::VecDeque;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use crate::error::Error;
use crate::installed::bytecode::settings::{Bytecode, Invalidation};
use crate::interpreter::Interpreter;
use crate::sys::process;
use crate::sys::signal::Interrupt;

/// The program that each process runs.
const COMPILE: &str = include_str!("compile.py");
/// How long a signal may go unnoticed.
const POLL: Duration = Duration::from_millis(20);

/// The running interpreters. They are killed when this is dropped.
pub(crate) struct Workers {
    processes: Vec<Child>,
    program: String,
    root: PathBuf,
}

impl Drop for Workers {
    fn drop(&mut self) {
        for worker in &mut self.processes {
            // One that has already ended cannot be killed.
            let _ = worker.kill();
            let _ = worker.wait();
        }
    }
}

impl Workers {
    /// Starts `count` of them.
    pub(crate) fn start(
        interpreter: &Interpreter,
        root: &Path,
        bytecode: &Bytecode,
        suffix: &str,
        count: usize,
    ) -> Result<Self, Error> {
        let mut pool = Self {
            processes: Vec::new(),
            program: format!("{} (compiling)", interpreter.executable),
            root: root.into(),
        };
        let invalidation = match bytecode.invalidation {
            Invalidation::Timestamp => "timestamp",
            Invalidation::CheckedHash => "checked-hash",
        };
        for _ in 0..count {
            let mut command = process::python(&interpreter.executable);
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
            match command.spawn() {
                Ok(worker) => pool.processes.push(worker),
                // Fewer than there could be will do.
                Err(_) if !pool.processes.is_empty() => break,
                Err(error) => {
                    return Err(Error::io("start", Path::new(&interpreter.executable))(
                        error,
                    ));
                }
            }
        }
        Ok(pool)
    }

    /// Hands out the batches until there are none or something fails; returns the sources that compiled.
    pub(crate) fn run<'a>(
        &mut self,
        batches: VecDeque<Vec<&'a str>>,
        interrupt: &Interrupt,
    ) -> Result<Vec<&'a str>, Error> {
        let queue = Mutex::new(batches);
        let (sender, receiver) = mpsc::channel();
        let mut pipes = Vec::new();
        for worker in &mut self.processes {
            let (stdin, stdout) = (worker.stdin.take(), worker.stdout.take());
            if let (Some(stdin), Some(stdout), Some(stderr)) = (stdin, stdout, worker.stderr.take())
            {
                pipes.push((stdin, stdout, stderr));
            }
        }
        let count = pipes.len();
        let idle = Mutex::new(pipes);
        let talk = |sender: mpsc::Sender<_>| {
            let next = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            if let Some((stdin, stdout, mut stderr)) = next {
                let answer = serve(stdin, stdout, &queue, interrupt);
                // Its pipes are closed now, so that it ends and its last words are complete. Being few, they have not made
                // it wait for a reader.
                let mut words = String::new();
                let _ = stderr.read_to_string(&mut words);
                // Nobody listens any more once something else has failed.
                let _ = sender.send(answer.map_err(|error| (error, words)));
            }
        };
        thread::scope(|scope| {
            let talk = &talk;
            let spawn = |sender: mpsc::Sender<_>| {
                thread::Builder::new().spawn_scoped(scope, move || talk(sender))
            };
            let started = (0..count).filter(|_| spawn(sender.clone()).is_ok()).count();
            if started == 0 {
                // Where there can be no more threads this one talks, to a single process.
                talk(sender);
            } else {
                drop(sender);
            }
            let mut valid = Vec::new();
            loop {
                match receiver.recv_timeout(POLL) {
                    Ok(Ok(sources)) => valid.extend(sources),
                    Ok(Err((error, output))) => {
                        self.kill();
                        // A signal from the terminal reaches them, too.
                        interrupt.check()?;
                        return Err(self.failure(error, output));
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

    /// What stopped a process, if the file system did; otherwise its own last words.
    fn failure(&self, error: io::Error, output: String) -> Error {
        if output.is_empty() && error.raw_os_error().is_some() {
            return Error::io("write bytecode in", &self.root)(error);
        }
        Error::Command {
            program: self.program.clone(),
            status: error.to_string(),
            output,
        }
    }

    /// Kills all, so that the threads which talk to them come to an end.
    fn kill(&mut self) {
        for worker in &mut self.processes {
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
) -> io::Result<Vec<&'a str>> {
    let mut stdout = BufReader::new(stdout);
    let mut valid = Vec::new();
    loop {
        if interrupt.check().is_err() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let next = queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop_front();
        let Some(batch) = next else { return Ok(valid) };
        let mut line = batch.join("\0");
        line.push('\n');
        stdin.write_all(line.as_bytes())?;
        let mut answer = String::new();
        stdout.read_line(&mut answer)?;
        let refusal = answer.trim_end().strip_prefix('!');
        if let Some(number) = refusal.and_then(|number| number.parse().ok()) {
            return Err(io::Error::from_raw_os_error(number));
        }
        let answer = answer.trim_end().as_bytes();
        if answer.len() != batch.len() {
            return Err(io::Error::other("an incomplete answer"));
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
