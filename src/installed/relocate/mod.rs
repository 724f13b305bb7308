//! Makes an installed environment name another path than the one it was installed at.
//!
//! The name of the source in bytecode, and the path in the few text files whose readers know what a path is, are replaced. Other
//! files that contain the old path are only found, block by block.

pub(crate) mod bytecode;
mod spelling;

use std::io::{self, Read as _};
use std::path::Path;

use fs_err as fs;

use crate::installed::relocate::spelling::{Spelling, spellings};

/// How much of a file is read at once.
const BLOCK: usize = 1 << 18;
/// More than any file has that is to be replaced, in bytes.
const LARGEST: u64 = 64 << 20;

/// An old path of an environment and its new one, in every form in which files say them.
pub(crate) struct Relocation {
    spellings: Vec<Spelling>,
    /// The old paths as they are, with the new one, which bytecode says.
    paths: Vec<(String, String)>,
}

/// What is to become of a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Relocated {
    /// It does not contain the old path.
    Unchanged,
    /// These are its new contents, and whether the old path is still in them.
    Changed { contents: Vec<u8>, mentions: bool },
    /// It contains the old path, and nobody knows for whom.
    Mentions,
}

impl Relocation {
    /// From `old`, which need not be there any more, to `new`.
    pub(crate) fn new(old: &str, new: &str) -> Self {
        let mut olds = vec![old.to_owned()];
        // The environment is gone from there; the folder that it was in may not be.
        let path = Path::new(old);
        let resolved = path
            .parent()
            .and_then(|parent| fs::canonicalize(parent).ok());
        if let (Some(parent), Some(name)) = (resolved, path.file_name())
            && let Some(resolved) = parent.join(name).to_str()
            && resolved != old
        {
            olds.push(resolved.to_owned());
        }
        Self {
            spellings: olds.iter().flat_map(|old| spellings(old, new)).collect(),
            paths: olds.into_iter().map(|old| (old, new.to_owned())).collect(),
        }
    }

    /// What is to become of the file at `path`.
    pub(crate) fn file(&self, path: &Path) -> io::Result<Relocated> {
        let mut file = fs::File::open(path)?;
        if !self.is_in(&mut file)? {
            return Ok(Relocated::Unchanged);
        }
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.unwrap_or_default();
        if !(name.ends_with(".pyc") || is_text(name)) || file.metadata()?.len() > LARGEST {
            return Ok(Relocated::Mentions);
        }
        let contents = fs::read(path)?;
        let changed = if is_text(name) {
            Some(self.text(contents))
        } else {
            self.bytecode(contents, name)
        };
        let Some(contents) = changed else {
            return Ok(Relocated::Mentions);
        };
        let mentions = self.is_in(&mut contents.as_slice())?;
        Ok(Relocated::Changed { contents, mentions })
    }

    /// Whether the old path is anywhere in what is read.
    fn is_in(&self, reader: &mut impl io::Read) -> io::Result<bool> {
        // Enough to see what is before and behind a path on either side of a block's end.
        let margin = 16
            + self
                .spellings
                .iter()
                .map(Spelling::length)
                .max()
                .unwrap_or(0);
        let (mut buffer, mut is_start) = (Vec::with_capacity(BLOCK + 2 * margin), true);
        loop {
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

    fn bytecode(&self, mut contents: Vec<u8>, name: &str) -> Option<Vec<u8>> {
        let is_source = |said: &str| {
            let source = said.rsplit(['/', '\\']).next().unwrap_or_default();
            let module = source.strip_suffix(".py");
            module.is_some_and(|module| {
                name.strip_prefix(module)
                    .is_some_and(|rest| rest.starts_with('.'))
            })
        };
        let mut is_changed = false;
        for (old, new) in &self.paths {
            if let Some(replaced) = bytecode::replace_folder(&contents, old, new, is_source) {
                (contents, is_changed) = (replaced, true);
            }
        }
        is_changed.then_some(contents)
    }
}

/// Whether what reads a file of this name takes the path for one.
fn is_text(name: &str) -> bool {
    matches!(name, "kernel.json" | "direct_url.json")
        || name.ends_with(".pth")
        || name.ends_with(".egg-link")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_across_the_end_of_a_block_is_found() {
        let relocation = Relocation::new("/old/env", "/new");
        for before in BLOCK - 30..BLOCK + 30 {
            let text = [vec![b' '; before], b"/old/env".to_vec(), vec![b' '; 9]].concat();
            assert!(relocation.is_in(&mut text.as_slice()).unwrap(), "{before}");
            let text = [vec![b' '; before], b"/old/env2".to_vec(), vec![b' '; 9]].concat();
            assert!(!relocation.is_in(&mut text.as_slice()).unwrap(), "{before}");
            let text = [vec![b' '; before], b"/my/old/env".to_vec(), vec![b' '; 9]].concat();
            assert!(!relocation.is_in(&mut text.as_slice()).unwrap(), "{before}");
        }
    }
}
