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

/// How often signals are checked.
const POLL: Duration = Duration::from_millis(20);

/// The files that are passed to pip.
#[derive(Debug)]
pub(crate) struct Requirements {
    pub(crate) files: Vec<OsString>,
    pub(crate) constraints: Vec<OsString>,
    /// The directory of the copies, which is deleted when this is dropped.
    _folder: Option<TempDir>,
}

impl Requirements {
    /// Checks that every file can be read, and reads those that are not regular files; `-` is standard input.
    ///
    /// # Errors
    ///
    /// [`Error::RequirementsFile`] for a file that does not exist, [`Error::Interrupted`].
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
            // Paths in the file are relative to its directory. A pipe has none.
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

/// Whether pip itself can read it several times: a regular file or a URL.
fn is_plain(name: &OsStr) -> Result<bool, Error> {
    if name.to_string_lossy().contains("://") {
        return Ok(true);
    }
    let path = Path::new(name);
    let metadata = fs::metadata(path).map_err(Error::requirements_file(path))?;
    if metadata.is_dir() {
        return Err(Error::requirements_file(path)(
            io::ErrorKind::IsADirectory.into(),
        ));
    }
    if metadata.is_file() && !is_standard_input(path) {
        fs::File::open(path).map_err(Error::requirements_file(path))?;
        return Ok(true);
    }
    Ok(false)
}

/// Whether a path is this process's standard input. Its children have another one, even if it is a file.
pub(super) fn is_standard_input(path: &Path) -> bool {
    path.starts_with("/dev") && !path.starts_with("/dev/shm") || path.starts_with("/proc")
}

/// Reads to the end in another thread, since a signal does not interrupt opening or reading a FIFO.
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
        // After a signal nobody receives it.
        let _ = sender.send(read.map(|_| text));
    };
    thread::Builder::new()
        .spawn(read)
        .map_err(Error::io("start a thread to read", path))?;
    loop {
        match receiver.recv_timeout(POLL) {
            Ok(text) => return text.map_err(Error::requirements_file(path)),
            Err(RecvTimeoutError::Timeout) => interrupt.check()?,
            Err(RecvTimeoutError::Disconnected) => {
                return Err(Error::requirements_file(path)(
                    io::ErrorKind::BrokenPipe.into(),
                ));
            }
        }
    }
}

/// Makes the paths of included files absolute, since the text will be read from another directory.
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

/// The option and the path in a line that includes another file.
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
        // In pip a comment starts with ` #`.
        let file = file.split(" #").next().unwrap_or_default().trim();
        return (!file.is_empty()).then_some((option, file));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_included_files_become_absolute() {
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
