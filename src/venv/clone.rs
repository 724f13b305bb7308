//! Updates the copy of an environment: its path, as after a move, and its prompt.

use std::io;
use std::path::{Path, PathBuf};

use fs_err as fs;

use crate::error::Error;
use crate::installed::relocate::{Relocated, Relocation};
use crate::installed::scripts::moved;
use crate::interpreter::platform::Platform;
use crate::interpreter::{Interpreter, pyvenv_cfg};
use crate::repr::repr;
use crate::sys::fs::{Folder, Mode, bare};
use crate::venv::activation::{Values, scripts};
use crate::venv::context::Context;
use crate::venv::layout;

/// The environment that is copied.
#[derive(Debug)]
pub(crate) struct Original {
    pub(crate) path: PathBuf,
    bin: PathBuf,
    configuration: String,
    /// The place that its scripts name.
    said: PathBuf,
    /// The prompt that its scripts show.
    prompt: String,
    /// Whether that is another than its name.
    is_named: bool,
}

impl Original {
    /// Reads what the environment at `path` says of itself.
    pub(crate) fn read(path: &Path, platform: Platform) -> Result<Self, Error> {
        let file = path.join("pyvenv.cfg");
        let configuration = fs::read_to_string(&file);
        let configuration = configuration.map_err(|error| Error::io("read", &file)(bare(error)))?;
        let bin = path.join(platform.bin_name());
        let said = moved::activated(&bin).unwrap_or_else(|| path.into());
        let names = [said.file_name(), path.file_name()];
        let own = names.map(|name| name.unwrap_or_default().to_string_lossy().into_owned());
        let configured = pyvenv_cfg::value(&configuration, "prompt").map(unquoted);
        let prompt = moved::prompt(&bin)
            .or_else(|| configured.map(str::to_owned))
            .unwrap_or_else(|| own[0].clone());
        Ok(Self {
            is_named: !own.contains(&prompt),
            path: path.into(),
            bin,
            configuration,
            said,
            prompt,
        })
    }

    /// The prompt that a copy keeps: none if it was only the name.
    pub(crate) fn own_prompt(&self) -> Option<String> {
        self.is_named.then(|| self.prompt.clone())
    }

    /// Every path that it may have in its files.
    pub(crate) fn places(&self) -> Vec<PathBuf> {
        let real = fs::canonicalize(&self.path).ok();
        let places = [Some(self.path.clone()), real, Some(self.said.clone())];
        places.into_iter().flatten().collect()
    }

    /// Writes `pyvenv.cfg` and the activation scripts of the copy where more than the path is another.
    ///
    /// `given` is whether the prompt was asked for.
    pub(crate) fn write(
        &self,
        tree: &Folder,
        relocation: &Relocation<'_>,
        interpreter: &Interpreter,
        context: &Context,
        given: bool,
    ) -> Result<(), Error> {
        if context.prompt == self.prompt {
            return Ok(());
        }
        self.write_configuration(tree, relocation, interpreter, context, given)?;
        let is_windows = interpreter.platform == Platform::Windows;
        let relocatable = layout::is_relocatable(&self.configuration);
        let said = self.said.to_string_lossy();
        let values = |virtual_env, prompt| Values {
            virtual_env,
            prompt,
            bin_name: &context.bin_name,
            relocatable,
        };
        let before = scripts(&values(&said, &self.prompt), is_windows);
        let after = scripts(&values(&context.env_dir, &context.prompt), is_windows);
        for (before, after) in before.iter().zip(after) {
            let path = self.bin.join(before.name);
            let Ok(contents) = fs::read(&path) else {
                continue;
            };
            let name = format!("{}/{}", context.bin_name, before.name);
            let own = changed_lines(&contents, &before.contents, &after.contents);
            let new = match own {
                Some(new) => relocation.activation(before.name, new),
                // No shell reads more into it, however it is quoted.
                None if !given && is_plain(&context.prompt) => {
                    let relocated = relocation.activation(before.name, contents);
                    with_prompt(relocated, &self.prompt, &context.prompt)
                }
                None => after.contents,
            };
            tree.create_dir_all(&context.bin_name)?;
            tree.write(&name, &new, Mode::Plain)?;
            tree.keep_mode(&name, &path)?;
        }
        Ok(())
    }

    fn write_configuration(
        &self,
        tree: &Folder,
        relocation: &Relocation<'_>,
        interpreter: &Interpreter,
        context: &Context,
        given: bool,
    ) -> Result<(), Error> {
        let path = self.path.join("pyvenv.cfg");
        let text = self.configuration.clone().into_bytes();
        let text = relocated(relocation, "pyvenv.cfg", &path, text)?;
        let text = String::from_utf8_lossy(&text);
        let is_prompt = |line: &str| {
            let key = line.split_once('=').map(|(key, _)| key.trim());
            key.is_some_and(|key| key.eq_ignore_ascii_case("prompt"))
        };
        let line = format!("prompt = {}\n", repr(&context.prompt));
        let mut new = String::new();
        for one in text.split_inclusive('\n') {
            new.push_str(if is_prompt(one) { &line } else { one });
        }
        if given && interpreter.at_least(3, 8) && !text.lines().any(is_prompt) {
            if !new.ends_with('\n') {
                new.push('\n');
            }
            new.push_str(&line);
        }
        tree.write("pyvenv.cfg", new.as_bytes(), Mode::Plain)?;
        tree.keep_mode("pyvenv.cfg", &path)
    }
}

/// A file with the new path.
fn relocated(
    relocation: &Relocation<'_>,
    name: &str,
    path: &Path,
    contents: Vec<u8>,
) -> Result<Vec<u8>, Error> {
    let read = |error| Error::io("read", path)(bare(error));
    Ok(match relocation.file(name, path).map_err(read)? {
        Relocated::Changed(new) => {
            let mut contents = new.head.clone();
            let mut rest = new.rest_of(path).map_err(read)?;
            io::copy(&mut rest, &mut contents).map_err(read)?;
            contents
        }
        Relocated::Unchanged | Relocated::Mentions => contents,
    })
}

/// A script of rvenv's own, perhaps with lines of the user's, with the lines that `after` has for those of `before`; `None` if
/// it is another's.
fn changed_lines(contents: &[u8], before: &[u8], after: &[u8]) -> Option<Vec<u8>> {
    let mut lines: Vec<&[u8]> = contents.split(|byte| *byte == b'\n').collect();
    let before: Vec<&[u8]> = before.split(|byte| *byte == b'\n').collect();
    let after: Vec<&[u8]> = after.split(|byte| *byte == b'\n').collect();
    if before.len() != after.len() {
        return None;
    }
    for (old, new) in before.iter().zip(after).filter(|(old, new)| *old != new) {
        let mut is_there = false;
        for line in lines.iter_mut().filter(|line| *line == old) {
            (*line, is_there) = (new, true);
        }
        if !is_there {
            return None;
        }
    }
    Some(lines.join(&b'\n'))
}

/// Puts a plain prompt for another one, in the lines that are about it: between quotes, in parentheses, or at the end of an
/// assignment, as venv, virtualenv and uv have it.
fn with_prompt(contents: Vec<u8>, old: &str, new: &str) -> Vec<u8> {
    let Ok(text) = str::from_utf8(&contents) else {
        return contents;
    };
    let mut replaced = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let is_about = ["prompt", "PROMPT", "PS1", "set_color", "env_name"]
            .iter()
            .any(|word| line.contains(word));
        let mut rest = line;
        while let Some(at) = rest.find(old).filter(|_| is_about) {
            let (before, after) = (&rest[..at], &rest[at + old.len()..]);
            let is_enclosed =
                before.ends_with(['"', '\'', '(']) && after.starts_with(['"', '\'', ')']);
            let is_assigned = [
                "VIRTUAL_ENV_PROMPT=",
                "VIRTUAL_ENV_PROMPT ",
                "(set_color 4B8BBE) ",
            ]
            .iter()
            .any(|end| before.ends_with(end))
                && (after.trim_end().is_empty() || after.starts_with(" (set_color"));
            replaced.push_str(before);
            replaced.push_str(if is_enclosed || is_assigned { new } else { old });
            rest = after;
        }
        replaced.push_str(rest);
    }
    replaced.into_bytes()
}

/// Whether no shell reads more into a text than it is.
fn is_plain(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    !text.is_empty() && text.chars().all(is_plain)
}

/// A value of `pyvenv.cfg` that may be quoted.
fn unquoted(value: &str) -> &str {
    let mut inner = ['\'', '"'].into_iter().filter_map(|quote| {
        value
            .strip_prefix(quote)
            .and_then(|rest| rest.strip_suffix(quote))
    });
    inner.next().unwrap_or(value)
}
