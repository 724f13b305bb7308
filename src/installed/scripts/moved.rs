//! Finds scripts that still contain the path that their environment was moved from.

use std::io::{self, Read as _};
use std::iter;
use std::path::{Path, PathBuf};

use fs_err as fs;

use crate::installed::scripts::shebang;
use crate::sys::fs::text;

/// The maximum size of the first lines of a script, in bytes.
const LONGEST_START: u64 = 1 << 14;

/// A script that starts a Python of another path.
#[derive(Debug)]
pub(crate) struct Stale {
    /// Its name in the scripts directory.
    pub(crate) name: String,
    /// The Python that it starts.
    pub(crate) interpreter: PathBuf,
}

/// The first lines of a script.
#[derive(Debug)]
pub(crate) struct Start {
    /// The Python that they start.
    pub(crate) interpreter: PathBuf,
    /// The options between the Python and the script.
    pub(crate) options: String,
    /// The offset of the rest, in bytes.
    pub(crate) body: u64,
}

/// The scripts in `bin` that do not start this environment's Python.
pub(crate) fn stale(bin: &Path) -> Vec<Stale> {
    let mut stale: Vec<_> = scripts(bin)
        .filter(|(_, interpreter)| is_stale(interpreter, bin))
        .map(|(name, interpreter)| Stale { name, interpreter })
        .collect();
    stale.sort_by(|one, other| one.name.cmp(&other.name));
    stale
}

/// The scripts in `bin` that start a Python by its path.
pub(crate) fn scripts(bin: &Path) -> impl Iterator<Item = (String, PathBuf)> {
    let entries = fs::read_dir(bin).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()))
        .filter_map(|entry| {
            let start = parse_start(&entry.path())?;
            let name = entry.file_name().to_string_lossy().into_owned();
            Some((name, start.interpreter))
        })
}

/// Whether this Python is neither that of the environment with the scripts directory `bin`, nor another one that
/// exists.
pub(crate) fn is_stale(interpreter: &Path, bin: &Path) -> bool {
    let Some(folder) = interpreter.parent() else {
        return false;
    };
    if fs::canonicalize(folder).is_ok_and(|folder| fs::canonicalize(bin).ok() == Some(folder)) {
        // Broken links are reported elsewhere.
        return fs::symlink_metadata(interpreter).is_err();
    }
    // The user's own scripts may use another existing Python.
    let is_environment = folder
        .parent()
        .is_some_and(|place| place.join("pyvenv.cfg").exists());
    is_environment || !interpreter.exists()
}

/// Reads what contains the first lines of a script.
fn read_start(script: &Path) -> io::Result<Vec<u8>> {
    let mut start = Vec::new();
    let file = fs::File::open(script)?;
    file.take(LONGEST_START).read_to_end(&mut start)?;
    Ok(start)
}

/// Whether a script starts with these lines.
pub(crate) fn starts_with(script: &Path, lines: &str) -> io::Result<bool> {
    Ok(read_start(script)?.starts_with(lines.as_bytes()))
}

/// Parses the first lines of a relocatable script; the interpreter is then a bare name.
pub(crate) fn parse_launcher(script: &Path) -> Option<Start> {
    let start = read_start(script).ok()?;
    let (name, options, length) = shebang::parse_launcher(&start)?;
    Some(Start {
        interpreter: name.into(),
        options: options.to_owned(),
        body: length as u64,
    })
}

/// Parses the first lines of a script in the forms of distlib and uv.
pub(crate) fn parse_start(script: &Path) -> Option<Start> {
    let start = read_start(script).ok()?;
    if !start.starts_with(b"#!") {
        return None;
    }
    let line = |from: usize| {
        let rest = start.get(from..)?;
        let end = rest.iter().position(|byte| *byte == b'\n')?;
        Some((std::str::from_utf8(&rest[..end]).ok()?, from + end + 1))
    };
    let (first, after) = line(2)?;
    let (path, options, after) = if first.trim() == "/bin/sh" {
        let (second, after) = line(after)?;
        let command = second.strip_prefix("'''exec' ")?;
        let command = command.trim_end().strip_suffix(r#" "$0" "$@""#)?;
        let (path, options) = shell_word(command)?;
        (path, options.trim(), line(after)?.1)
    } else {
        let first = first.trim();
        let words = first.split_once([' ', '\t']);
        // pip writes a path with spaces as it is into the scripts of `.data/scripts`, which then do not start.
        let is_one_path = first.rsplit('/').next().is_some_and(is_python);
        let (path, options) = words.filter(|_| !is_one_path).unwrap_or((first, ""));
        (path.to_owned(), options.trim(), after)
    };
    let interpreter = PathBuf::from(&path);
    let is_known = is_python(interpreter.file_name()?.to_str()?);
    (interpreter.is_absolute() && is_known && !path.contains('$')).then(|| Start {
        interpreter,
        options: options.to_owned(),
        body: after as u64,
    })
}

/// Whether a Python may have this name.
fn is_python(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-+".contains(c);
    (name.starts_with("python") || name.starts_with("pypy")) && name.chars().all(is_plain)
}

/// The path that an environment was moved from: the path in `activate`, otherwise the one in its stale scripts.
pub(crate) fn moved_from(bin: &Path, env_dir: &Path) -> Option<PathBuf> {
    if let Some(path) = activates(bin, env_dir) {
        return Some(path);
    }
    let mut places = stale(bin).into_iter().map(|script| {
        let folder = script.interpreter.parent()?;
        let place = folder.parent().filter(|place| place.parent().is_some())?;
        // If a Python exists there, it may be intended.
        let is_gone = folder.file_name() == bin.file_name() && !place.join("pyvenv.cfg").exists();
        is_gone.then(|| place.to_path_buf())
    });
    let first = places.next()??;
    places
        .all(|place| place.as_deref() == Some(&first))
        .then_some(first)
}

/// The path in `activate`, if it is not `env_dir`.
pub(crate) fn activates(bin: &Path, env_dir: &Path) -> Option<PathBuf> {
    let path = activated(bin)?;
    let is_here = path == env_dir
        || fs::canonicalize(&path).is_ok_and(|path| fs::canonicalize(env_dir).ok() == Some(path));
    (!is_here).then_some(path)
}

/// The directory that `activate` activates, under the name that it says.
pub(crate) fn activated(bin: &Path) -> Option<PathBuf> {
    let text = text(&bin.join("activate")).ok()?;
    starts(&text).find_map(|start| {
        // The value may continue on the next lines.
        let line = text[start..].trim_start_matches([' ', '\t']);
        let line = line.strip_prefix("export ").unwrap_or(line);
        let value = line
            .strip_prefix("_OLD_VIRTUAL_HERE=")
            .or_else(|| line.strip_prefix("VIRTUAL_ENV="))?;
        let path = PathBuf::from(shell_word(value)?.0);
        path.is_absolute().then_some(path)
    })
}

/// The prompt that `activate` shows, without parentheses, if it names one.
pub(crate) fn prompt(bin: &Path) -> Option<String> {
    let text = text(&bin.join("activate")).ok()?;
    let mut values = starts(&text).filter_map(|start| {
        text[start..]
            .trim_start()
            .strip_prefix("VIRTUAL_ENV_PROMPT=")
    });
    let path = values.find_map(|value| Some(shell_word(value)?.0))?;
    // Python 3.9 to 3.12 have them in the variable.
    let bare = path.strip_prefix('(').and_then(|it| it.strip_suffix(") "));
    let bare = bare.unwrap_or(&path);
    (!bare.is_empty()).then(|| bare.to_owned())
}

/// Where the lines of a text begin.
fn starts(text: &str) -> impl Iterator<Item = usize> {
    iter::once(0).chain(text.match_indices('\n').map(|(end, _)| end + 1))
}

/// The word at the start of `text`, as a shell of the sh family reads it, and the rest; `None` if the shell would have
/// to run something.
fn shell_word(text: &str) -> Option<(String, &str)> {
    let mut word = String::new();
    let mut characters = text.chars();
    loop {
        let rest = characters.as_str();
        match characters.next() {
            Some('\'') => loop {
                match characters.next()? {
                    '\'' => break,
                    other => word.push(other),
                }
            },
            Some('"') => loop {
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
            Some('\\') => word.push(characters.next()?),
            Some('$' | '`') => return None,
            None | Some(' ' | '\t' | '\r' | '\n' | ';' | '&' | '|') => return Some((word, rest)),
            Some(other) => word.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::shell_word;

    #[test]
    fn a_word_is_parsed_as_by_the_shell() {
        for (text, expected) in [
            ("/a/b", Some("/a/b")),
            ("'/a b'", Some("/a b")),
            ("\"/a b\"", Some("/a b")),
            (r#"'it'"'"'s'"#, Some("it's")),
            (r"'it'\''s'", Some("it's")),
            (r#""a\$b\c""#, Some(r"a$b\c")),
            ("/a # b", Some("/a")),
            ("/a\nb", Some("/a")),
            ("'/a\nb'\r\nc", Some("/a\nb")),
            ("\"$HERE\"", None),
            ("$(cygpath x)", None),
            ("'open", None),
        ] {
            let word = shell_word(text).map(|(word, _)| word);
            assert_eq!(word.as_deref(), expected, "{text}");
        }
    }
}
