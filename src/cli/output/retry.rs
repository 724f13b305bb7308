//! The command of this run with other options, for hints.

use std::ffi::OsString;

use crate::cli::args::Args;
use crate::repr::shell_word;
use crate::sys::process::without_passwords;

/// This run's command line with these options added, quoted for a shell; `None` if it cannot be pasted or is not valid.
pub(super) fn command(mut options: Vec<OsString>) -> Option<String> {
    let mut given = std::env::args_os();
    let program = given.next().filter(|_| !options.is_empty())?;
    if options[0] == "-p" {
        options.extend(without_python(given));
    } else {
        options.extend(given);
    }
    let line: Vec<_> = [program].into_iter().chain(options).collect();
    Args::read(line.clone()).ok()?;
    let words: Option<Vec<_>> = line
        .iter()
        .map(|word| quoted_word(word.to_str()?))
        .collect();
    Some(words?.join(" "))
}

/// A word that can be pasted, unless it contains a password, which must not be printed.
fn quoted_word(word: &str) -> Option<String> {
    let is_printable = !word.contains(char::is_control) && without_passwords(word) == word;
    is_printable.then(|| shell_word(word))
}

/// The arguments without `-p`. Other spellings of it are kept, which is harmless: the first Python that is found is
/// used.
fn without_python(mut given: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut remaining = Vec::new();
    while let Some(argument) = given.next() {
        match argument.to_str() {
            Some("-p" | "--python") => drop(given.next()),
            Some(text) if text.starts_with("-p") || text.starts_with("--python=") => {}
            Some("--") => {
                remaining.push(argument);
                remaining.extend(given.by_ref());
            }
            _ => remaining.push(argument),
        }
    }
    remaining
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_that_choose_a_python_are_removed() {
        for arguments in [
            &["-p", "3.99", "--clear", "env"][..],
            &["-p3.99", "--clear", "env"],
            &["--clear", "--python", "3.99", "env"],
            &["--clear", "--python=3.99", "env"],
        ] {
            let given = arguments.iter().map(OsString::from);
            assert_eq!(without_python(given), ["--clear", "env"], "{arguments:?}");
        }
        let given = ["-p", "3.99", "--", "-p"].map(OsString::from);
        assert_eq!(without_python(given.into_iter()), ["--", "-p"]);
    }

    #[test]
    fn a_password_is_not_printed() {
        assert_eq!(
            quoted_word("--index-url=https://me:secret@host/simple"),
            None
        );
        assert_eq!(quoted_word("two\nlines"), None);
        let quoted = if cfg!(windows) { "\"a b\"" } else { "'a b'" };
        assert_eq!(quoted_word("a b").as_deref(), Some(quoted));
    }
}
