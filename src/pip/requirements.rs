//! Requirements files that can be read only once, such as a pipe or standard input: they are copied to a regular file.

use std::ffi::{OsStr, OsString};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use fs_err as fs;
use tempfile::TempDir;

use crate::error::Error;
use crate::sys::paths::absolute;
use crate::sys::signal::Interrupt;

/// How long a signal may go unnoticed.
const POLL: Duration = Duration::from_millis(20);

/// The files that pip is given.
#[derive(Debug)]
pub(crate) struct Requirements {
    pub(crate) files: Vec<OsString>,
    pub(crate) constraints: Vec<OsString>,
    /// The directory of the copies; deleted with this.
    _folder: Option<TempDir>,
}

impl Requirements {
    /// Makes sure that every file can be read, and reads those that are no regular files; `-` is standard input.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] for a file that is not there, [`Error::Interrupted`].
    pub(crate) fn read(
        files: &[OsString],
        constraints: &[OsString],
        cwd: Option<&Path>,
        interrupt: &Interrupt,
    ) -> Result<Self, Error> {
        let mut folder = None;
        let mut kept_files = Vec::new();
        for (position, name) in files.iter().chain(constraints).enumerate() {
            let path = Path::new(name);
            if name != "-" && is_plain(name)? {
                kept_files.push(name.clone());
                continue;
            }
            let text = drain(path, interrupt)?;
            // What the text names is relative to its own folder; a pipe has none.
            let is_pipe = name == "-" || is_standard_input(path);
            let parent = path.parent().filter(|_| !is_pipe).unwrap_or(Path::new(""));
            let base = absolute(parent, cwd)?;
            let folder = match &mut folder {
                Some(folder) => folder,
                none => none.insert(make_folder()?),
            };
            let kept = match path.file_name() {
                Some(name) if !is_pipe => folder.path().join(position.to_string()).join(name),
                _ => folder.path().join(position.to_string()).join("stdin"),
            };
            let written = kept
                .parent()
                .map_or(Ok(()), fs::create_dir)
                .and_then(|()| fs::write(&kept, with_paths(&text, &base)));
            written.map_err(Error::io("write", &kept))?;
            kept_files.push(kept.into());
        }
        let constraints = kept_files.split_off(files.len());
        Ok(Self {
            files: kept_files,
            constraints,
            _folder: folder,
        })
    }
}

fn make_folder() -> Result<TempDir, Error> {
    tempfile::Builder::new()
        .prefix("rvenv-requirements-")
        .tempdir()
        .map_err(Error::io("create a directory in", &std::env::temp_dir()))
}

/// Whether pip itself can read it, as often as it likes: a regular file or an address.
fn is_plain(name: &OsStr) -> Result<bool, Error> {
    if name.to_string_lossy().contains("://") {
        return Ok(true);
    }
    let path = Path::new(name);
    let metadata = fs::metadata(path).map_err(Error::io("read", path))?;
    if metadata.is_dir() {
        return Err(Error::io("read", path)(io::ErrorKind::IsADirectory.into()));
    }
    if metadata.is_file() && !is_standard_input(path) {
        fs::File::open(path).map_err(Error::io("read", path))?;
        return Ok(true);
    }
    Ok(false)
}

/// Whether a path means what this process was started with, which its children are not: not even where that is a file.
pub(super) fn is_standard_input(path: &Path) -> bool {
    path.starts_with("/dev") && !path.starts_with("/dev/shm") || path.starts_with("/proc")
}

/// Reads to the end in a thread of its own, since neither opening nor reading a FIFO returns for a signal.
fn drain(path: &Path, interrupt: &Interrupt) -> Result<Vec<u8>, Error> {
    let (sender, receiver) = mpsc::channel();
    let owned: PathBuf = path.into();
    let read = move || {
        let mut text = Vec::new();
        let read = if owned == Path::new("-") {
            io::stdin().lock().read_to_end(&mut text)
        } else {
            fs::File::open(&owned).and_then(|mut file| file.read_to_end(&mut text))
        };
        // Nobody waits for it any more after a signal.
        let _ = sender.send(read.map(|_| text));
    };
    thread::Builder::new()
        .spawn(read)
        .map_err(Error::io("start a thread to read", path))?;
    loop {
        match receiver.recv_timeout(POLL) {
            Ok(text) => return text.map_err(Error::io("read", path)),
            Err(RecvTimeoutError::Timeout) => interrupt.check()?,
            Err(RecvTimeoutError::Disconnected) => {
                return Err(Error::io("read", path)(io::ErrorKind::BrokenPipe.into()));
            }
        }
    }
}

/// The text with each file that it includes named by its full path, since it will be read from another folder.
pub(crate) fn with_paths(text: &[u8], base: &Path) -> Vec<u8> {
    let Some(base) = base.to_str() else {
        return text.to_vec();
    };
    let Ok(text) = std::str::from_utf8(text) else {
        return text.to_vec();
    };
    let lines = text.split_inclusive('\n').map(|line| {
        let Some((option, file)) = included(line) else {
            return line.to_owned();
        };
        if file.contains("://") || Path::new(file).is_absolute() {
            return line.to_owned();
        }
        let path = Path::new(base).join(file);
        line.replacen(option, "", 1)
            .replacen(file, &format!("{option} {}", path.display()), 1)
            .trim_start_matches([' ', '\t', '='])
            .to_owned()
    });
    lines.collect::<String>().into_bytes()
}

/// The option and the path of a line that includes another file.
fn included(line: &str) -> Option<(&'static str, &str)> {
    let trimmed = line.trim();
    for option in ["--requirement", "--constraint", "-r", "-c"] {
        let Some(rest) = trimmed.strip_prefix(option) else {
            continue;
        };
        let is_long = option.starts_with("--");
        if is_long && !rest.starts_with(['=', ' ', '\t']) {
            continue;
        }
        let rest = rest.trim_start_matches([' ', '\t']);
        let file = rest.strip_prefix('=').filter(|_| is_long).unwrap_or(rest);
        // pip ends a line at a `#` after a blank.
        let file = file.split(" #").next().unwrap_or_default().trim();
        return (!file.is_empty()).then_some((option, file));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn included_files_are_named_by_their_full_path() {
        for (line, expected) in [
            ("-r more.txt\n", "-r /w/more.txt\n"),
            ("-rmore.txt\n", "-r /w/more.txt\n"),
            ("  -c more.txt # why\n", "-c /w/more.txt # why\n"),
            ("--requirement=more.txt", "--requirement /w/more.txt"),
            ("--constraint more.txt\n", "--constraint /w/more.txt\n"),
            ("-r /abs.txt\n", "-r /abs.txt\n"),
            ("-r https://x/y.txt\n", "-r https://x/y.txt\n"),
            ("one==1 # -r x\n", "one==1 # -r x\n"),
            ("--constraints x\n", "--constraints x\n"),
        ] {
            let text = with_paths(line.as_bytes(), Path::new("/w"));
            let expected = expected.replace("/w/", &format!("/w{}", std::path::MAIN_SEPARATOR));
            assert_eq!(String::from_utf8(text).unwrap(), expected);
        }
    }
}
