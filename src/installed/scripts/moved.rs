//! Finds scripts that still name the place that their environment was moved from.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use fs_err as fs;

use crate::sys::fs::text;

/// More than the first lines of any script have, in bytes.
const LONGEST_START: u64 = 1 << 14;

/// A script whose first line names a Python of another place.
#[derive(Debug)]
pub(crate) struct Stale {
    /// Its name in the folder of executables.
    pub(crate) name: String,
    /// The Python that it names.
    pub(crate) interpreter: PathBuf,
    /// Where what follows the lines that name it begins, in bytes.
    pub(crate) body: u64,
}

/// The scripts in `bin` that no longer start this environment's Python.
pub(crate) fn stale(bin: &Path) -> Vec<Stale> {
    let here = fs::canonicalize(bin).ok();
    let entries = fs::read_dir(bin).into_iter().flatten().flatten();
    let mut stale: Vec<_> = entries
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()))
        .filter_map(|entry| {
            let (interpreter, body) = started_by(&entry.path())?;
            let folder = interpreter.parent()?;
            // A script of the user's own may well be for another Python that is there.
            let is_environment = folder
                .parent()
                .is_some_and(|place| place.join("pyvenv.cfg").exists());
            let is_stale = if fs::canonicalize(folder).ok() == here {
                // A broken link is reported elsewhere.
                fs::symlink_metadata(&interpreter).is_err()
            } else {
                is_environment || !interpreter.exists()
            };
            is_stale.then(|| Stale {
                name: entry.file_name().to_string_lossy().into_owned(),
                interpreter,
                body,
            })
        })
        .collect();
    stale.sort_by(|one, other| one.name.cmp(&other.name));
    stale
}

/// The Python that a script's first lines name, by distlib's two forms, and where they end.
fn started_by(script: &Path) -> Option<(PathBuf, u64)> {
    let mut start = Vec::new();
    fs::File::open(script)
        .ok()?
        .take(LONGEST_START)
        .read_to_end(&mut start)
        .ok()?;
    if !start.starts_with(b"#!") {
        return None;
    }
    let line = |from: usize| {
        let rest = start.get(from..)?;
        let end = rest.iter().position(|byte| *byte == b'\n')?;
        Some((std::str::from_utf8(&rest[..end]).ok()?, from + end + 1))
    };
    let (first, after) = line(2)?;
    let (said, after) = if first.trim() == "/bin/sh" {
        let (second, after) = line(after)?;
        let said = second.strip_prefix("'''exec' ")?;
        let said = match said.strip_prefix('"') {
            Some(quoted) => quoted.split_once("\" ")?.0,
            None => said.split_once(' ')?.0,
        };
        (said, line(after)?.1)
    } else {
        (first.split_whitespace().next()?, after)
    };
    let interpreter = PathBuf::from(said);
    let name = interpreter.file_name()?.to_str()?;
    let is_python = name.starts_with("python") || name.starts_with("pypy");
    (interpreter.is_absolute() && is_python && !said.contains('$'))
        .then_some((interpreter, after as u64))
}

/// The directory that `activate` activates, if that is another one.
pub(crate) fn activates(bin: &Path, env_dir: &Path) -> Option<PathBuf> {
    let text = text(&bin.join("activate")).ok()?;
    let said = text.lines().find_map(|line| {
        let line = line.trim_start();
        let line = line.strip_prefix("export ").unwrap_or(line);
        let value = line
            .strip_prefix("_OLD_VIRTUAL_HERE=")
            .or_else(|| line.strip_prefix("VIRTUAL_ENV="))?;
        let path = PathBuf::from(shell_word(value)?);
        path.is_absolute().then_some(path)
    })?;
    let is_here = said == env_dir
        || fs::canonicalize(&said).is_ok_and(|said| fs::canonicalize(env_dir).ok() == Some(said));
    (!is_here).then_some(said)
}

/// The word that a shell of the sh family reads at the start of `text`; `None` if the shell would have to run to know it.
fn shell_word(text: &str) -> Option<String> {
    let mut word = String::new();
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\'' => loop {
                match characters.next()? {
                    '\'' => break,
                    other => word.push(other),
                }
            },
            '"' => loop {
                match characters.next()? {
                    '"' => break,
                    '$' | '`' => return None,
                    '\\' => match characters.next()? {
                        escaped @ ('"' | '\\' | '$' | '`') => word.push(escaped),
                        other => word.extend(['\\', other]),
                    },
                    other => word.push(other),
                }
            },
            '\\' => word.push(characters.next()?),
            '$' | '`' => return None,
            ' ' | '\t' | ';' | '&' | '|' => break,
            other => word.push(other),
        }
    }
    Some(word)
}

#[cfg(test)]
mod tests {
    use super::shell_word;

    #[test]
    fn a_word_is_read_as_the_shell_reads_it() {
        for (text, expected) in [
            ("/a/b", Some("/a/b")),
            ("'/a b'", Some("/a b")),
            ("\"/a b\"", Some("/a b")),
            (r#"'it'"'"'s'"#, Some("it's")),
            (r"'it'\''s'", Some("it's")),
            (r#""a\$b\c""#, Some(r"a$b\c")),
            ("/a # b", Some("/a")),
            ("\"$HERE\"", None),
            ("$(cygpath x)", None),
            ("'open", None),
        ] {
            assert_eq!(shell_word(text).as_deref(), expected, "{text}");
        }
    }
}
