//! The commands that repair an environment, quoted for a shell.

use std::path::Path;

use fs_err as fs;

use super::{Environment, Maker};
use crate::repr;
use crate::venv::activation::quote;

impl Environment {
    /// The `--upgrade` command with the options that the environment was created with.
    pub(super) fn upgrade(&self) -> Option<String> {
        self.rvenv(&["--upgrade"])
    }

    /// The command that writes the activation scripts, too.
    pub(super) fn again(&self) -> Option<String> {
        self.rvenv(&[])
    }

    /// `rvenv` with the options that the environment was made with; `None` if no Python could take the base's place.
    fn rvenv(&self, options: &[&str]) -> Option<String> {
        let base = word(self.base.as_ref()?.to_str()?);
        let mut words = vec!["rvenv".to_owned()];
        words.extend(options.iter().map(|&option| option.to_owned()));
        words.extend(["-p".into(), base]);
        words.extend(self.options());
        words.push(self.shown()?);
        Some(words.join(" "))
    }

    /// What the environment was made with, as words of a command line.
    pub(super) fn options(&self) -> Vec<String> {
        let prompt = self.prompt();
        let flags = self.flags();
        let mut words = Vec::new();
        let mut add = |given: bool, word: &str| {
            if given {
                words.push(word.to_owned());
            }
        };
        let is_copy = fs::symlink_metadata(self.bin.join("python")).is_ok_and(|it| it.is_file());
        add(!cfg!(windows) && is_copy, "--copies");
        add(!self.wants_pip, "--without-pip");
        let is_true = |key| self.value(key) == Some("true");
        add(
            is_true("include-system-site-packages"),
            "--system-site-packages",
        );
        add(is_true("relocatable"), "--relocatable");
        let flag = "--without-scm-ignore-files";
        add(flags.contains(&flag), flag);
        if let Some(prompt) = prompt {
            words.push(word(&format!("--prompt={prompt}")));
        }
        words
    }

    /// The flags of the `-m venv` command that made it.
    pub(super) fn flags(&self) -> Vec<&str> {
        let mut flags = Vec::new();
        let command = self.value("command").unwrap_or_default();
        let Some((_, mut rest)) = command.split_once(" -m venv ") else {
            return flags;
        };
        // Unquoted: a flag within the prompt or the path is none.
        let prompt = self
            .prompt()
            .map(|prompt| format!("--prompt=\"{prompt}\" "));
        loop {
            if let Some(after) = prompt.as_ref().and_then(|it| rest.strip_prefix(&**it)) {
                rest = after;
                continue;
            }
            match rest.split_once(' ') {
                Some((flag, after)) if flag.starts_with("--") && !flag.contains('=') => {
                    flags.push(flag);
                    rest = after;
                }
                _ => return flags,
            }
        }
    }

    /// The prompt that was asked for. venv writes it as Python's `repr`, others as it is.
    fn prompt(&self) -> Option<String> {
        let value = self.value("prompt")?;
        let is_literal = matches!(self.maker(), Maker::Venv);
        let literal = repr::unrepr(value).filter(|_| is_literal);
        Some(literal.unwrap_or_else(|| value.to_owned()))
    }

    /// The directory as given, quoted for a shell; `None` if it cannot be.
    pub(super) fn shown(&self) -> Option<String> {
        let shown = self.given.to_str()?;
        Some(word(&if shown.starts_with('-') {
            format!("./{shown}")
        } else {
            shown.to_owned()
        }))
    }

    /// The environment's Python, as a word.
    pub(super) fn python(&self) -> Option<String> {
        let python = self.bin.join("python");
        Some(word(
            python
                .with_extension(std::env::consts::EXE_EXTENSION)
                .to_str()?,
        ))
    }
}

/// The command that deletes files and folders; `None` where the shell has none that takes both.
pub(super) fn remove(paths: &[&Path]) -> Option<String> {
    if cfg!(windows) || paths.is_empty() {
        return None;
    }
    let words: Option<Vec<_>> = paths.iter().map(|path| path.to_str().map(word)).collect();
    Some(format!("rm -rf {}", words?.join(" ")))
}

/// A text as one word of a shell's command line, in quotes only where it needs them.
pub(super) fn word(text: &str) -> String {
    let is_plain =
        |c: char| c.is_alphanumeric() || "/._-+=:,@%".contains(c) || (cfg!(windows) && c == '\\');
    if !text.is_empty() && text.chars().all(is_plain) {
        text.to_owned()
    } else if cfg!(windows) {
        format!("\"{text}\"")
    } else {
        quote::sh(text)
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::word;

    #[test]
    fn a_word_is_quoted_where_the_shell_would_read_more_into_it() {
        for (text, expected) in [
            ("/a/b-1.2_c", "/a/b-1.2_c"),
            ("", "''"),
            ("a b", "'a b'"),
            ("a\\b", "'a\\b'"),
            ("it's", "'it'\\''s'"),
            ("~x", "'~x'"),
            ("--prompt=a\"b\"", "'--prompt=a\"b\"'"),
        ] {
            assert_eq!(word(text), expected);
        }
    }
}
