//! The commands that repair an environment, quoted for a shell.

use std::path::Path;

use fs_err as fs;

use super::{Environment, Maker};
use crate::repr;
pub(super) use crate::repr::shell_word as word;
use crate::venv::pyvenv_cfg::RELOCATABLE;

impl Environment {
    /// The `--upgrade` command with the options that the environment was created with.
    pub(super) fn upgrade(&self) -> Option<String> {
        self.rvenv(&["--upgrade"])
    }

    /// The command that also rewrites the activation scripts.
    pub(super) fn recreate(&self) -> Option<String> {
        self.rvenv(&[])
    }

    /// `rvenv` with the options that the environment was created with; `None` if no Python can replace the base.
    fn rvenv(&self, options: &[&str]) -> Option<String> {
        let base = word(self.base.as_ref()?.to_str()?);
        let mut words = vec!["rvenv".to_owned()];
        words.extend(options.iter().map(|&option| option.to_owned()));
        words.extend(["-p".into(), base]);
        words.extend(self.options());
        words.push(self.quoted_dir()?);
        Some(words.join(" "))
    }

    /// The options that the environment was created with.
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
        add(is_true(RELOCATABLE), "--relocatable");
        let flag = "--without-scm-ignore-files";
        add(flags.contains(&flag), flag);
        if let Some(prompt) = prompt {
            words.push(word(&format!("--prompt={prompt}")));
        }
        words
    }

    /// The flags of the `-m venv` command that created it.
    pub(super) fn flags(&self) -> Vec<&str> {
        let mut flags = Vec::new();
        let command = self.value("command").unwrap_or_default();
        let Some((_, mut rest)) = command.split_once(" -m venv ") else {
            return flags;
        };
        // The command is not quoted, so a flag in the prompt or the path must not be taken for one.
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

    /// The prompt that was set. venv writes it as Python's `repr`, other tools as it is.
    fn prompt(&self) -> Option<String> {
        let value = self.value("prompt")?;
        let is_literal = matches!(self.maker(), Maker::Venv);
        let literal = repr::unrepr(value).filter(|_| is_literal);
        Some(literal.unwrap_or_else(|| value.to_owned()))
    }

    /// The directory as given, quoted for a shell; `None` if it is not UTF-8.
    pub(super) fn quoted_dir(&self) -> Option<String> {
        let shown = self.given.to_str()?;
        Some(word(&if shown.starts_with('-') {
            format!("./{shown}")
        } else {
            shown.to_owned()
        }))
    }

    /// The environment's Python, quoted for a shell.
    pub(super) fn python(&self) -> Option<String> {
        let python = self.bin.join("python");
        Some(word(
            python
                .with_extension(std::env::consts::EXE_EXTENSION)
                .to_str()?,
        ))
    }
}

/// The command that deletes files and directories; `None` on Windows, where no command deletes both.
pub(super) fn remove(paths: &[&Path]) -> Option<String> {
    if cfg!(windows) || paths.is_empty() {
        return None;
    }
    let words: Option<Vec<_>> = paths.iter().map(|path| path.to_str().map(word)).collect();
    Some(format!("rm -rf {}", words?.join(" ")))
}
