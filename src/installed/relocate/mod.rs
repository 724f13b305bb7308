//! Makes an installed environment refer to a new path, or to no path at all.
//!
//! The path is replaced in scripts, activation scripts, `pyvenv.cfg`, bytecode, and the few text files whose readers
//! treat it as a path. RECORD is updated. Other files that contain the old path are only reported. They are read block
//! by block.

mod activation;
pub(crate) mod bytecode;
pub(crate) mod environment;
mod scripts;
mod spelling;

use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use fs_err as fs;

use crate::error::Error;
use crate::installed::record;
use crate::installed::record::Row;
use crate::installed::relocate::spelling::{Spelling, spellings};
use crate::sys::signal::Interrupt;

/// How much of a file is read at once.
const BLOCK: usize = 1 << 18;
/// The maximum size of a file that is replaced as a whole, in bytes.
const LARGEST: u64 = 64 << 20;

/// The new location of an environment.
#[derive(Debug, Clone, Copy)]
pub(crate) enum NewLocation<'a> {
    /// This absolute path.
    Place(&'a str),
    /// Any path: no file contains it.
    Anywhere,
}

/// The properties of an environment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layout<'a> {
    /// `bin` or `Scripts`.
    pub(crate) bin_name: &'a str,
    /// The environment's Python, for scripts whose own Python does not exist.
    pub(crate) python: &'a str,
    /// The longest `#!` line of the system, in bytes.
    pub(crate) shebang_limit: usize,
    pub(crate) is_windows: bool,
}

/// The old paths of an environment and their replacements, in every form in which files contain them.
pub(crate) struct Relocation<'a> {
    layout: Layout<'a>,
    to: NewLocation<'a>,
    /// The old paths.
    old_paths: Vec<String>,
    /// Their forms in text; only used for searching if there is no new path.
    spellings: Vec<Spelling>,
    /// The scripts directory in which scripts of a missing Python are to start the environment's own.
    stale: Option<PathBuf>,
    /// Whether scripts that start the Python in their directory are to contain its path.
    fixes_relocatable: bool,
    interrupt: Option<&'a Interrupt>,
}

/// The result for a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Relocated {
    /// It does not contain the old path.
    Unchanged,
    Changed(New),
    /// It contains the old path in a place that must not be replaced.
    Mentions,
}

/// The new contents of a file: a new beginning and the rest of the old file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct New {
    pub(crate) head: Vec<u8>,
    /// The offset in the old file of the rest.
    pub(crate) rest: u64,
    /// Whether it still contains the old path.
    pub(crate) mentions: bool,
}

impl New {
    /// Opens the old file at the offset of the rest.
    pub(crate) fn rest_of(&self, path: &Path) -> io::Result<fs::File> {
        let mut file = fs::File::open(path)?;
        file.seek(SeekFrom::Start(self.rest))?;
        Ok(file)
    }

    /// The row of RECORD for the new file at `path`.
    fn row(&self, path: &Path) -> io::Result<Row> {
        Row::hashed_stream(
            String::new(),
            self.head.as_slice().chain(self.rest_of(path)?),
        )
    }
}

impl<'a> Relocation<'a> {
    /// Replaces `olds`, which need not exist. The first one is used in messages.
    pub(crate) fn new(old_paths: &[&str], to: NewLocation<'a>, layout: Layout<'a>) -> Self {
        let mut all: Vec<String> = Vec::new();
        for &old in old_paths {
            // The environment may be gone, but its parent may still exist.
            let path = Path::new(old);
            let parent = path.parent().map(fs::canonicalize);
            let resolved = match (parent, path.file_name()) {
                (Some(Ok(parent)), Some(name)) => parent.join(name).to_str().map(str::to_owned),
                _ => None,
            };
            for old in [Some(old.to_owned()), resolved].into_iter().flatten() {
                let is_new = matches!(to, NewLocation::Place(new) if new == old);
                if !is_new && !all.contains(&old) {
                    all.push(old);
                }
            }
        }
        let new = match to {
            NewLocation::Place(new) => new,
            NewLocation::Anywhere => "",
        };
        Self {
            layout,
            to,
            spellings: all.iter().flat_map(|old| spellings(old, new)).collect(),
            old_paths: all,
            stale: None,
            fixes_relocatable: false,
            interrupt: None,
        }
    }

    /// Lets signals end the reading of files.
    pub(crate) fn with_interrupt(mut self, interrupt: &'a Interrupt) -> Self {
        self.interrupt = Some(interrupt);
        self
    }

    /// Whether no signal has come.
    fn check(&self) -> Result<(), Error> {
        self.interrupt.map_or(Ok(()), Interrupt::check)
    }

    /// Also fixes scripts in `bin` that start a Python of another environment or one that does not exist.
    pub(crate) fn with_stale_scripts(mut self, bin: &Path) -> Self {
        self.stale = Some(bin.into());
        self
    }

    /// Also writes the new path into scripts that start the Python in their directory.
    pub(crate) fn with_relocatable_scripts(mut self) -> Self {
        self.fixes_relocatable = true;
        self
    }

    /// Whether there is no old path.
    fn has_no_old_path(&self) -> bool {
        self.old_paths.is_empty()
    }

    /// Whether a file with this name must be read.
    fn concerns(&self, name: &str) -> bool {
        !self.has_no_old_path() || name.starts_with(self.layout.bin_name)
    }

    /// Relocates the file at `path`, whose name in the environment is `name`, with `/`.
    ///
    /// For a RECORD use [`Self::record`].
    pub(crate) fn file(&self, name: &str, path: &Path) -> io::Result<Relocated> {
        let in_bin = name
            .strip_prefix(self.layout.bin_name)
            .and_then(|rest| rest.strip_prefix('/'))
            .filter(|rest| !rest.contains('/'));
        if let Some(script) = in_bin.and_then(|_| self.script(path).transpose()) {
            return script;
        }
        let last = name.rsplit('/').next().unwrap_or_default();
        let mut file = fs::File::open(path)?;
        if last.ends_with(".pyc") && file.metadata()?.len() <= LARGEST {
            return Ok(self.compiled(&fs::read(path)?, last));
        }
        let is_program = self.layout.is_windows && in_bin.is_some_and(|it| it.ends_with(".exe"));
        let may_change = is_program && self.fixes_relocatable;
        if !may_change && !self.is_in(&mut file)? {
            return Ok(Relocated::Unchanged);
        }
        if file.metadata()?.len() > LARGEST {
            return Ok(Relocated::Mentions);
        }
        let read = || fs::read(path);
        let changed = match (in_bin, self.to) {
            _ if is_program => self.program(&read()?),
            (Some(script), NewLocation::Place(new)) if activation::is_script(script) => Some(
                activation::replace_paths(read()?, script, &self.old_paths, new),
            ),
            (_, NewLocation::Place(_)) if name == "pyvenv.cfg" || is_text(last) => {
                Some(self.text(read()?))
            }
            (_, NewLocation::Anywhere) if last.ends_with(".pth") => {
                self.relative_lines(read()?, name)
            }
            _ => None,
        };
        Ok(match changed {
            Some(head) => {
                let mentions = self.is_in(&mut head.as_slice())?;
                let rest = file.metadata()?.len();
                Relocated::Changed(New {
                    head,
                    rest,
                    mentions,
                })
            }
            None => Relocated::Mentions,
        })
    }

    /// An activation script of this name with the new path.
    pub(crate) fn activation(&self, script: &str, contents: Vec<u8>) -> Vec<u8> {
        match self.to {
            NewLocation::Place(new) => {
                activation::replace_paths(contents, script, &self.old_paths, new)
            }
            NewLocation::Anywhere => contents,
        }
    }

    /// The new target of a link with the target `target`, if that contains the old path; `name` is the link's name in
    /// its environment.
    pub(crate) fn link(&self, name: &str, target: &str) -> Option<String> {
        let rest = self.strip_old_path(target)?;
        Some(match self.to {
            NewLocation::Place(new) => format!("{new}{rest}"),
            NewLocation::Anywhere => relative(name, rest),
        })
    }

    /// A RECORD with the rows that `changed` returns, sorted and formatted as pip does.
    ///
    /// `changed` is called with the normalized name of a file in its environment. Returns `None` if nothing changes.
    pub(crate) fn record(
        &self,
        name: &str,
        text: &[u8],
        changed: impl Fn(&str) -> Option<Row>,
    ) -> Option<Vec<u8>> {
        let mut rows = record::read(text).ok()?;
        let folder: Vec<&str> = name.split('/').rev().skip(2).collect();
        let mut is_changed = false;
        for row in &mut rows {
            if let (Some(rest), NewLocation::Place(new)) = (self.strip_old_path(&row.path), self.to)
            {
                row.path = format!("{new}{rest}");
                is_changed = true;
            }
            // Bytecode has neither hash nor size.
            if row.hash.is_empty() && row.path.ends_with(".pyc") {
                continue;
            }
            if let Some(new) =
                relative_to_environment(&folder, &row.path).and_then(|name| changed(&name))
            {
                (row.hash, row.size) = (new.hash, new.size);
                is_changed = true;
            }
        }
        is_changed.then(|| record::render(&mut rows).into_bytes())
    }

    /// The rest of a path below the old path.
    fn strip_old_path<'p>(&self, path: &'p str) -> Option<&'p str> {
        self.old_paths.iter().find_map(|old| {
            path.strip_prefix(old.as_str())
                .filter(|rest| rest.is_empty() || rest.starts_with(['/', '\\']))
        })
    }

    /// Whether a stream contains the old path.
    pub(crate) fn is_in(&self, reader: &mut impl io::Read) -> io::Result<bool> {
        // Enough to see the characters before and after a path at the boundary of two blocks.
        let margin = 16
            + self
                .spellings
                .iter()
                .map(Spelling::length)
                .max()
                .unwrap_or(0);
        let (mut buffer, mut is_start) = (Vec::with_capacity(BLOCK + 2 * margin), true);
        loop {
            self.check().map_err(io::Error::other)?;
            let count = reader.take(BLOCK as u64).read_to_end(&mut buffer)?;
            let is_end = count < BLOCK;
            let found = |spelling: &Spelling| spelling.is_in(&buffer, is_start, is_end);
            if self.spellings.iter().any(found) {
                return Ok(true);
            }
            if is_end {
                return Ok(false);
            }
            buffer.drain(..buffer.len().saturating_sub(2 * margin));
            is_start = false;
        }
    }

    fn text(&self, mut contents: Vec<u8>) -> Vec<u8> {
        for spelling in &self.spellings {
            contents = spelling.replace(&contents);
        }
        contents
    }

    /// Makes the directories in a `.pth` file relative to it.
    fn relative_lines(&self, contents: Vec<u8>, name: &str) -> Option<Vec<u8>> {
        let text = String::from_utf8(contents).ok()?;
        let lines = text.split_inclusive('\n').map(|line| {
            let path = line.trim_end();
            match self.strip_old_path(path) {
                Some(rest) => relative(name, rest) + &line[path.len()..],
                None => line.to_owned(),
            }
        });
        let new: String = lines.collect();
        (new != text).then(|| new.into_bytes())
    }

    /// What is to become of bytecode, whose strings have a length before them, which may look like a letter.
    fn compiled(&self, contents: &[u8], name: &str) -> Relocated {
        let says = |contents: &[u8]| {
            let is_end = |rest: &str| spelling::is_end(rest.as_bytes());
            let mut old_paths = self.old_paths.iter();
            old_paths.any(|old| bytecode::says(contents, old, is_end))
                || self.contains_path(contents)
        };
        if !says(contents) {
            return Relocated::Unchanged;
        }
        match self.bytecode(contents, name) {
            Some(head) => Relocated::Changed(New {
                mentions: says(&head),
                head,
                rest: contents.len() as u64,
            }),
            None => Relocated::Mentions,
        }
    }

    /// Whether the old path is anywhere in a file.
    fn contains_path(&self, contents: &[u8]) -> bool {
        let mut spellings = self.spellings.iter();
        spellings.any(|spelling| spelling.is_in(contents, true, true))
    }

    /// As [`Self::file`], for the contents of a file that is neither a script nor `pyvenv.cfg`; what is changed has no rest.
    pub(crate) fn contents(&self, name: &str, contents: &[u8]) -> Relocated {
        if name.ends_with(".pyc") {
            return self.compiled(contents, name);
        }
        if !self.contains_path(contents) {
            return Relocated::Unchanged;
        }
        if !is_text(name) || matches!(self.to, NewLocation::Anywhere) {
            return Relocated::Mentions;
        }
        let head = self.text(contents.to_vec());
        Relocated::Changed(New {
            mentions: self.contains_path(&head),
            head,
            rest: contents.len() as u64,
        })
    }

    /// Whether a file of this name has to be in memory to be changed.
    pub(crate) fn is_changed_as_a_whole(name: &str, size: u64) -> bool {
        size <= LARGEST && (name.ends_with(".pyc") || is_text(name))
    }

    fn bytecode(&self, contents: &[u8], name: &str) -> Option<Vec<u8>> {
        let is_source = |said: &str| {
            let source = said.rsplit(['/', '\\']).next().unwrap_or_default();
            let module = source.strip_suffix(".py");
            module.is_some_and(|module| {
                name.strip_prefix(module)
                    .is_some_and(|rest| rest.starts_with('.'))
            })
        };
        let new = match self.to {
            NewLocation::Place(new) => new,
            // The import system sets the real path.
            NewLocation::Anywhere => "",
        };
        let mut changed: Option<Vec<u8>> = None;
        for old in &self.old_paths {
            let contents = changed.as_deref().unwrap_or(contents);
            if let Some(replaced) = bytecode::replace_folder(contents, old, new, is_source) {
                changed = Some(replaced);
            }
        }
        changed
    }
}

/// Whether the readers of a file with this name treat the path as one.
fn is_text(name: &str) -> bool {
    matches!(name, "kernel.json" | "direct_url.json")
        || name.ends_with(".pth")
        || name.ends_with(".egg-link")
}

/// The relative path from the directory of the file `name` to `rest` in the environment.
fn relative(name: &str, rest: &str) -> String {
    let up = "../".repeat(name.matches('/').count());
    let relative = format!("{up}{}", rest.trim_start_matches(['/', '\\']));
    match relative.trim_end_matches('/') {
        "" => ".".to_owned(),
        relative => relative.to_owned(),
    }
}

/// A path in RECORD, relative to the environment; `folder` contains the names above it, the innermost first.
fn relative_to_environment(folder: &[&str], path: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.iter().rev().copied().collect();
    for part in path.split('/') {
        match part {
            ".." => {
                parts.pop()?;
            }
            "." => {}
            "" => return None,
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAYOUT: Layout<'_> = Layout {
        bin_name: "bin",
        python: "python",
        shebang_limit: 127,
        is_windows: false,
    };

    #[test]
    fn a_path_across_two_blocks_is_found() {
        let relocation = Relocation::new(&["/old/env"], NewLocation::Place("/new"), LAYOUT);
        for before in BLOCK - 30..BLOCK + 30 {
            let text = [vec![b' '; before], b"/old/env".to_vec(), vec![b' '; 9]].concat();
            assert!(relocation.is_in(&mut text.as_slice()).unwrap(), "{before}");
            let text = [vec![b' '; before], b"/old/env2".to_vec(), vec![b' '; 9]].concat();
            assert!(!relocation.is_in(&mut text.as_slice()).unwrap(), "{before}");
            let text = [vec![b' '; before], b"/my/old/env".to_vec(), vec![b' '; 9]].concat();
            assert!(!relocation.is_in(&mut text.as_slice()).unwrap(), "{before}");
        }
    }

    #[test]
    fn a_source_path_is_found_whatever_its_length_byte_is() {
        let relocation = Relocation::new(&["/old"], NewLocation::Place("/new"), LAYOUT);
        for folders in 0..110 {
            let path = format!("/old/{}x.py", "y".repeat(folders) + "/");
            let length = u8::try_from(path.len()).unwrap();
            let code = [
                b"head",
                [b'z', length].as_slice(),
                path.as_bytes(),
                b"z\x01a",
            ]
            .concat();
            let changed = relocation.compiled(&code, "x.cpython-313.pyc");
            let Relocated::Changed(new) = changed else {
                panic!("{length}");
            };
            let text = String::from_utf8_lossy(&new.head);
            assert!(text.contains("/new/") && !text.contains("/old"), "{length}");
            let constant = [[b'z', 4].as_slice(), b"/old", b"r\x01"].concat();
            let found = relocation.compiled(&constant, "x.pyc");
            assert_eq!(found, Relocated::Mentions);
        }
    }

    #[test]
    fn a_link_and_a_pth_file_may_be_relative() {
        let relocation = Relocation::new(&["/old"], NewLocation::Anywhere, LAYOUT);
        let link = |name, target| relocation.link(name, target);
        assert_eq!(link("lib64", "/old/lib").as_deref(), Some("lib"));
        assert_eq!(link("a/b/c", "/old").as_deref(), Some("../.."));
        assert_eq!(link("a", "/older/lib"), None);
        assert_eq!(link("a", "lib"), None);
        let lines = |text: &str| relocation.relative_lines(text.into(), "lib/x.pth");
        let expected = b"../src\r\n/older\nimport x\n..".to_vec();
        assert_eq!(lines("/old/src\r\n/older\nimport x\n/old"), Some(expected));
        assert_eq!(lines("/older\n"), None);
    }

    #[test]
    fn rows_of_changed_files_are_updated() {
        let relocation = Relocation::new(&["/old"], NewLocation::Place("/new"), LAYOUT);
        let row = Row::hashed(String::new(), b"new");
        let changed = |name: &str| (name == "bin/x" || name == "lib/a.pyc").then(|| row.clone());
        let text = b"../bin/x,sha256=old,3\r\n/old/share/y,,\r\na.pyc,,\r\nb,sha256=b,1\r\n";
        let new = relocation.record("lib/a-1.dist-info/RECORD", text, changed);
        let digest = &row.hash;
        let expected =
            format!("../bin/x,{digest},3\r\n/new/share/y,,\r\na.pyc,,\r\nb,sha256=b,1\r\n");
        assert_eq!(new, Some(expected.into_bytes()));
        let text = b"b,sha256=b,1\n";
        assert_eq!(
            relocation.record("lib/a-1.dist-info/RECORD", text, changed),
            None
        );
    }
}
