//! Runs a program with a time limit, and ends it when a signal arrives.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::io::{self, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::sys::fs;
use crate::sys::fs::Group;
use crate::sys::signal::Interrupt;

/// How much of the end of a stream is kept, in bytes.
const STREAM_LIMIT: usize = 1 << 20;
/// How much of a stream an error message contains, in bytes.
const MESSAGE_LIMIT: usize = 16 << 10;
/// How long to wait for the streams of a program that has ended: programs that it left running may keep them open
/// forever.
const STREAM_TIMEOUT: Duration = Duration::from_secs(2);

/// A command that starts a Python. If `rvenv-shim` is installed in it, its own `venv` must not call rvenv again.
pub(crate) fn python(executable: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(executable);
    command.env("RVENV_SHIM", "0");
    command
}

/// The output of a program and its exit status.
pub(crate) struct Output {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    /// How many bytes were dropped from the beginning of `stdout` and `stderr`.
    left_out: [u64; 2],
}

impl Output {
    /// The ends of both streams, for an error message.
    pub(crate) fn text(&self) -> String {
        let [stdout, stderr] = self.left_out;
        tail_text(&self.stderr, stderr) + &tail_text(&self.stdout, stdout)
    }
}

/// Runs `command` without input and in its own process group, so that its children end with it.
///
/// # Errors
///
/// [`Error::Io`] if it cannot be started, [`Error::Interrupted`] if a signal arrived, [`Error::Command`] if it ran
/// longer than `limit`. It has ended in each case.
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
    let readers = StreamReader::new(child.stdout.take())
        .and_then(|stdout| Ok((stdout, StreamReader::new(child.stderr.take())?)))
        .map_err(Error::io(
            "read the output of",
            Path::new(command.get_program()),
        ));
    let (stdout, stderr) =
        readers.inspect_err(|_| fs::end_process_group(&mut child, Group::Own, None))?;
    let status = wait(&mut child, Group::Own, limit, interrupt, &program)?;
    let ended = Instant::now();
    let mut pause = Duration::from_micros(50);
    while !(stdout.is_done() && stderr.is_done()) && ended.elapsed() < STREAM_TIMEOUT {
        interrupt.check()?;
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(10));
    }
    let (stdout, stderr) = (stdout.take(), stderr.take());
    Ok(Output {
        status,
        left_out: [stdout.left_out, stderr.left_out],
        stdout: stdout.bytes.into(),
        stderr: stderr.bytes.into(),
    })
}

/// Waits for `child`. Ends it and everything it started if a signal arrives or `limit` passes.
pub(crate) fn wait(
    child: &mut Child,
    group: Group,
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
        let is_late = limit.is_some_and(|limit| started.elapsed() > limit);
        if interrupted.is_err() || is_late {
            fs::end_process_group(child, group, interrupt.signal());
            interrupted?;
            return Err(Error::Command {
                program: program.into(),
                status: format!("no response within {} s", started.elapsed().as_secs()),
                output: String::new(),
            });
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(10));
    }
}

/// The command line for messages, without passwords.
pub(crate) fn command_line(command: &Command) -> String {
    let mut line = command.get_program().to_string_lossy().into_owned();
    for argument in command.get_args() {
        let argument = argument.to_string_lossy();
        // The probe is a program of a hundred lines, too long for a message.
        line.push(' ');
        line.push_str(&if argument.contains('\n') {
            "…".into()
        } else {
            without_passwords(&argument)
        });
    }
    line
}

/// Hides the password of each URL in a text as pip does. A user name without a password may be a token.
pub(crate) fn without_passwords(text: &str) -> String {
    let mut parts = text.split("://");
    let mut hidden = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        hidden.push_str("://");
        let end = part.find(['/', '?', '#']).unwrap_or(part.len());
        let end = part.find(char::is_whitespace).map_or(end, |at| at.min(end));
        match part[..end].rsplit_once('@') {
            Some((user, _)) => {
                if let Some((name, _)) = user.split_once(':') {
                    hidden.push_str(name);
                    hidden.push(':');
                }
                hidden.push_str("****");
                hidden.push_str(&part[user.len()..]);
            }
            None => hidden.push_str(part),
        }
    }
    hidden
}

/// The end of a stream, after a line with the number of omitted bytes.
fn tail_text(tail: &[u8], mut left_out: u64) -> String {
    let mut start = tail.len().saturating_sub(MESSAGE_LIMIT);
    if start > 0 {
        // Starts at the beginning of a line, unless the line is too long.
        let newline = tail[start..].iter().position(|byte| *byte == b'\n');
        start += newline.map_or(0, |at| at + 1);
        left_out += start as u64;
    }
    let text = String::from_utf8_lossy(&tail[start..]);
    if left_out == 0 {
        return text.into_owned();
    }
    format!("[{left_out} bytes omitted]\n{text}")
}

/// The end of a stream that was read.
#[derive(Default)]
struct Tail {
    bytes: VecDeque<u8>,
    left_out: u64,
}

impl Tail {
    fn add(&mut self, bytes: &[u8]) {
        self.bytes.extend(bytes);
        let excess = self.bytes.len().saturating_sub(STREAM_LIMIT);
        self.bytes.drain(..excess);
        self.left_out += excess as u64;
    }
}

/// A thread that reads a program's stream, so that the program never blocks on a full pipe.
struct StreamReader {
    tail: Arc<Mutex<Tail>>,
    thread: thread::JoinHandle<()>,
}

impl StreamReader {
    fn new(stream: Option<impl Read + Send + 'static>) -> io::Result<Self> {
        let tail = Arc::new(Mutex::new(Tail::default()));
        let shared = Arc::clone(&tail);
        let thread = thread::Builder::new().spawn(move || {
            let mut buffer = [0; 8192];
            let mut stream = stream;
            while let Some(Ok(count @ 1..)) =
                stream.as_mut().map(|stream| read(stream, &mut buffer))
            {
                let mut tail = shared.lock().unwrap_or_else(PoisonError::into_inner);
                tail.add(&buffer[..count]);
            }
        })?;
        Ok(Self { tail, thread })
    }

    fn is_done(&self) -> bool {
        self.thread.is_finished()
    }

    fn take(&self) -> Tail {
        std::mem::take(&mut self.tail.lock().unwrap_or_else(PoisonError::into_inner))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_shows_no_passwords() {
        for (argument, shown) in [
            (
                "--index-url=https://me:secret@a.b/simple",
                "--index-url=https://me:****@a.b/simple",
            ),
            ("https://token@a.b", "https://****@a.b"),
            ("https://me:p@ss@a.b:80?x=@", "https://me:****@a.b:80?x=@"),
            (
                "https://:x@a http://b:y@c/@d",
                "https://:****@a http://b:****@c/@d",
            ),
            (
                "one @ git+https://me:x@a.b/c@v1#egg=one",
                "one @ git+https://me:****@a.b/c@v1#egg=one",
            ),
            ("https://a.b/@c me@d", "https://a.b/@c me@d"),
            ("file:///a:b@c", "file:///a:b@c"),
            ("me:secret@a.b", "me:secret@a.b"),
        ] {
            let mut command = Command::new("pip");
            assert_eq!(command_line(command.arg(argument)), format!("pip {shown}"));
        }
    }

    #[test]
    fn the_end_of_a_long_stream_is_kept_and_omitted_bytes_are_counted() {
        let mut tail = Tail::default();
        for number in 0..200_000 {
            tail.add(format!("line {number}\n").as_bytes());
        }
        let bytes: Vec<u8> = tail.bytes.into();
        assert_eq!(bytes.len(), STREAM_LIMIT);
        let text = tail_text(&bytes, tail.left_out);
        assert!(text.len() < MESSAGE_LIMIT + 100 && text.ends_with("line 199999\n"));
        let (first, rest) = text.split_once('\n').unwrap();
        let total: usize = (0..200_000)
            .map(|number| format!("line {number}\n").len())
            .sum();
        assert_eq!(first, format!("[{} bytes omitted]", total - rest.len()));
        assert!(rest.starts_with("line "));
        assert_eq!(tail_text(b"short\n", 0), "short\n");
    }
}
