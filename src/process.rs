//! Starting a program, waiting for it and ending it: with a time limit, and at once when a signal comes.
//!
//! Knows no Python; the command lines are made by `probe`, `bytecode`, `ensurepip` and `upgrade`.

use std::io::{self, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::fs;
use crate::interrupt::Interrupt;

/// The most of one stream that is kept, in bytes: enough for any error, too little to fill the memory with rubbish.
const STREAM_LIMIT: u64 = 1 << 20;

/// What a program said and how it ended.
pub(crate) struct Output {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
}

impl Output {
    /// Both streams, for an error message.
    pub(crate) fn text(&self) -> String {
        let mut text = String::from_utf8_lossy(&self.stderr).into_owned();
        text.push_str(&String::from_utf8_lossy(&self.stdout));
        text
    }
}

/// Runs `command` without input and in a process group of its own, so that its own children end with it.
///
/// # Errors
///
/// [`Error::Io`] if it cannot be started, [`Error::Interrupted`] if a signal came, [`Error::Command`] if it ran longer
/// than `limit`; it is dead in each case.
pub(crate) fn run(
    command: &mut Command,
    limit: Option<Duration>,
    interrupt: &Interrupt,
) -> Result<Output, Error> {
    let program = command_line(command);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    fs::own_process_group(command);
    let mut child = command
        .spawn()
        .map_err(Error::io("start", Path::new(command.get_program())))?;
    let readers = reader(child.stdout.take())
        .and_then(|stdout| Ok((stdout, reader(child.stderr.take())?)))
        .map_err(Error::io("listen to", Path::new(command.get_program())));
    let (stdout, stderr) = readers.inspect_err(|_| fs::end_process_group(&mut child))?;
    let status = wait(&mut child, limit, interrupt, &program)?;
    Ok(Output {
        status,
        stdout: stdout.join().unwrap_or_default(),
        stderr: stderr.join().unwrap_or_default(),
    })
}

/// Waits for `child`; ends it and everything it started if a signal comes or `limit` passes.
pub(crate) fn wait(
    child: &mut Child,
    limit: Option<Duration>,
    interrupt: &Interrupt,
    program: &str,
) -> Result<ExitStatus, Error> {
    let started = Instant::now();
    let mut pause = Duration::from_micros(500);
    loop {
        if let Some(status) = child
            .try_wait()
            .map_err(Error::io("wait for", Path::new(program)))?
        {
            return Ok(status);
        }
        let interrupted = interrupt.check();
        let late = limit.is_some_and(|limit| started.elapsed() > limit);
        if interrupted.is_err() || late {
            fs::end_process_group(child);
            interrupted?;
            return Err(Error::Command {
                program: program.into(),
                status: format!("no answer for {} s", started.elapsed().as_secs()),
                output: String::new(),
            });
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(10));
    }
}

/// The command line as a person would read it.
pub(crate) fn command_line(command: &Command) -> String {
    let mut line = command.get_program().to_string_lossy().into_owned();
    for argument in command.get_args() {
        let argument = argument.to_string_lossy();
        // The probe is a program of a hundred lines; nobody wants to read it in an error.
        line.push(' ');
        line.push_str(if argument.contains('\n') {
            "…"
        } else {
            &argument
        });
    }
    line
}

fn reader<R: Read + Send + 'static>(stream: Option<R>) -> io::Result<thread::JoinHandle<Vec<u8>>> {
    thread::Builder::new().spawn(move || {
        let mut kept = Vec::new();
        if let Some(mut stream) = stream {
            let _ = (&mut stream).take(STREAM_LIMIT).read_to_end(&mut kept);
            // Read on, so that the program never blocks on a full pipe.
            let _ = io::copy(&mut stream, &mut io::sink());
        }
        kept
    })
}
