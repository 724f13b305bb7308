//! Starting a program, waiting for it and ending it: with a time limit, and at once when a signal comes.
//!
//! Knows no Python; the command lines are made by `probe`, `bytecode`, `ensurepip` and `upgrade`.

use std::io::{self, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::fs;
use crate::interrupt::Interrupt;

/// The most of one stream that is kept, in bytes: enough for any error, too little to fill the memory with rubbish.
const STREAM_LIMIT: usize = 1 << 20;
/// How long the streams of a program that has ended may stay open: what it has left running may hold them for ever.
const GRACE: Duration = Duration::from_secs(2);

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
    let readers = Listener::new(child.stdout.take())
        .and_then(|stdout| Ok((stdout, Listener::new(child.stderr.take())?)))
        .map_err(Error::io("listen to", Path::new(command.get_program())));
    let (stdout, stderr) = readers.inspect_err(|_| fs::end_process_group(&mut child))?;
    let status = wait(&mut child, limit, interrupt, &program)?;
    let ended = Instant::now();
    let mut pause = Duration::from_micros(50);
    while !(stdout.is_done() && stderr.is_done()) && ended.elapsed() < GRACE {
        interrupt.check()?;
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(10));
    }
    Ok(Output {
        status,
        stdout: stdout.heard(),
        stderr: stderr.heard(),
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

/// A thread that reads a program's stream, so that the program never blocks on a full pipe.
struct Listener {
    kept: Arc<Mutex<Vec<u8>>>,
    thread: thread::JoinHandle<()>,
}

impl Listener {
    fn new(stream: Option<impl Read + Send + 'static>) -> io::Result<Self> {
        let kept = Arc::new(Mutex::new(Vec::new()));
        let ours = Arc::clone(&kept);
        let thread = thread::Builder::new().spawn(move || {
            let mut buffer = [0; 8192];
            let mut stream = stream;
            while let Some(Ok(count @ 1..)) =
                stream.as_mut().map(|stream| read(stream, &mut buffer))
            {
                let mut kept = ours.lock().unwrap_or_else(PoisonError::into_inner);
                let room = STREAM_LIMIT.saturating_sub(kept.len());
                kept.extend_from_slice(&buffer[..count.min(room)]);
            }
        })?;
        Ok(Self { kept, thread })
    }

    fn is_done(&self) -> bool {
        self.thread.is_finished()
    }

    fn heard(&self) -> Vec<u8> {
        std::mem::take(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn read(stream: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match stream.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}
