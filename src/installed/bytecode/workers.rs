//! The processes that compile, each running `compile.py`. They are killed when they are no longer needed.

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

/// The program of each process.
const COMPILE: &str = include_str!("compile.py");
/// How often signals are checked.
const POLL: Duration = Duration::from_millis(20);

/// The running processes. They are killed when this is dropped.
pub(crate) struct Workers {
    processes: Vec<Child>,
    program: String,
    root: PathBuf,
}

impl Drop for Workers {
    fn drop(&mut self) {
        for worker in &mut self.processes {
            // A process that has already ended cannot be killed.
            let _ = worker.kill();
            let _ = worker.wait();
        }
    }
}

impl Workers {
    /// Starts `count` processes.
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
            // Without site and the user's variables; no bytecode in the base's directories; no warnings.
            command.args(["-I", "-S", "-B", "-W", "ignore"]);
            if !bytecode.debug_ranges {
                command.args(["-X", "no_debug_ranges"]);
            }
            // compile() supports levels up to 2. Higher levels only change the file's name.
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
                // Fewer processes are enough.
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

    /// Compiles all batches, or stops at the first failure. Returns the sources that compiled.
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
                // Its pipes are closed now, so it ends and its output is complete. The output is short enough not to
                // block it.
                let mut words = String::new();
                let _ = stderr.read_to_string(&mut words);
                // The receiver may be gone after another failure.
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
                // If no thread can be started, use a single process from this thread.
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
                        // A signal from the terminal also reaches the processes.
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

    /// The error of the file system if there is one, otherwise the output of the process.
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

    /// Kills all processes, so that the threads that communicate with them end.
    fn kill(&mut self) {
        for worker in &mut self.processes {
            let _ = worker.kill();
        }
    }
}

/// Sends batches to one process until there are none left. Returns what compiled, or how the process failed.
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
            return Err(io::Error::other("incomplete response"));
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
