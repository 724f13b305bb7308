//! Types that are the same on every system.

use std::io;
use std::path::PathBuf;

/// A path that could not be removed, with the error.
pub(crate) type Left = (PathBuf, io::Error);

/// What looks at files while they are copied.
pub(crate) trait Rewriter {
    /// Whether the file has to be in memory as a whole.
    fn is_whole(&self, size: u64) -> bool;
    /// What the copy contains in the place of these contents, if anything.
    fn whole(&mut self, contents: &[u8]) -> Option<Vec<u8>>;
    /// Looks at a file that is copied as it is.
    fn stream(&mut self, reader: &mut dyn io::Read) -> io::Result<()>;
}

/// The process group of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    /// Its own process group.
    Own,
    /// rvenv's process group, which also receives a terminal's signals.
    Ours,
}

/// The permissions of a new file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// 0666 without the umask.
    Plain,
    /// 0644 whatever the umask, since venv copies the mode of its templates.
    Script,
    /// 0666 without the umask, executable for everybody, as for pip's console scripts.
    Executable,
    /// 0777 without the umask, executable for everybody, as for executable files that pip unpacks.
    Program,
}
