//! Directory trees: reads a tree and finds the differences between two of them, on every system. Which differences are
//! allowed is decided elsewhere.
//!
//! ```ignore
//! let before = tree(&env.at("env"));
//! env.rvenv(["--upgrade", "--with", "bad", "env"]).errs(&["bad"]);
//! assert_same(&tree(&env.at("env")), &before, "after a failure");
//! ```
//!
//! Times are not compared, nor are those in bytecode. `differences` compares what `python -m venv` and rvenv create.

#[cfg(unix)]
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use fs_err as fs;
use walkdir::WalkDir;

/// Everything below a directory, itself included, by relative path.
pub(crate) type Tree = BTreeMap<PathBuf, Entry>;

/// One entry of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) kind: Kind,
    /// The permissions; 0 on Windows.
    pub(crate) mode: u32,
    /// The bytes of a file, or the target of a link.
    pub(crate) contents: Vec<u8>,
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Directory,
    Symlink,
    Fifo,
    Other,
}

impl Kind {
    fn of(kind: std::fs::FileType) -> Self {
        #[cfg(unix)]
        let is_fifo = kind.is_fifo();
        #[cfg(not(unix))]
        let is_fifo = false;
        if kind.is_symlink() {
            Self::Symlink
        } else if kind.is_dir() {
            Self::Directory
        } else if kind.is_file() {
            Self::File
        } else if is_fifo {
            Self::Fifo
        } else {
            Self::Other
        }
    }

    /// A name for messages.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Directory => "directory",
            Self::Symlink => "link",
            Self::Fifo => "fifo",
            Self::Other => "something else",
        }
    }
}

/// A tree without rvenv's temporary entries; empty if there is none.
pub(crate) fn tree(root: &Path) -> Tree {
    read(root, |name| !is_temporary(name))
}

/// A tree with all of its entries.
pub(crate) fn whole_tree(root: &Path) -> Tree {
    read(root, |_| true)
}

fn read(root: &Path, is_wanted: impl Fn(&str) -> bool) -> Tree {
    if fs::symlink_metadata(root).is_err() {
        return Tree::new();
    }
    let entries = WalkDir::new(root).into_iter();
    let entries = entries.filter_entry(|entry| is_wanted(&entry.file_name().to_string_lossy()));
    let entries = entries.map(|entry| {
        let path = entry.unwrap().into_path();
        let metadata = fs::symlink_metadata(&path).unwrap();
        let mut contents = Vec::new();
        if metadata.is_symlink() {
            let target = fs::read_link(&path).unwrap();
            contents = target.into_os_string().into_encoded_bytes();
        } else if metadata.is_file() {
            contents = fs::read(&path).unwrap();
            if path.extension().is_some_and(|e| e == "pyc") && contents.len() > 16 {
                contents[8..12].fill(0);
            }
        }
        #[cfg(unix)]
        let mode = metadata.permissions().mode() & 0o7777;
        #[cfg(not(unix))]
        let mode = 0;
        let kind = Kind::of(metadata.file_type());
        let path = path.strip_prefix(root).unwrap().to_owned();
        let entry = Entry {
            kind,
            mode,
            contents,
        };
        (path, entry)
    });
    entries.collect()
}

/// Paths in which two trees differ: none, or the first few of them.
pub(crate) fn changes(one: &Tree, other: &Tree) -> Vec<PathBuf> {
    let paths = one.keys().chain(other.keys());
    let differing = paths.filter(|path| one.get(*path) != other.get(*path));
    let mut differing: Vec<_> = differing.cloned().collect();
    differing.sort();
    differing.dedup();
    differing.truncate(9);
    differing
}

/// Fails unless two trees are the same, and names the paths in which they differ.
#[track_caller]
pub(crate) fn assert_same(found: &Tree, expected: &Tree, when: &str) {
    let differing = changes(found, expected);
    assert!(differing.is_empty(), "{differing:?} differ {when}");
}

/// The temporary entries that runs of rvenv have left in a directory.
pub(crate) fn leftovers(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| is_temporary(name)).collect()
}

fn is_temporary(name: &str) -> bool {
    name.contains(".rvenv-")
}
