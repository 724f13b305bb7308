//! Types that the functions of every system share.

use std::io;
use std::path::PathBuf;

/// What is left of a tree that was to be removed, with the reason.
pub(crate) type Left = (PathBuf, io::Error);

/// The process group of a program that was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    /// It is in a process group of its own.
    Own,
    /// It is in ours, which gets a terminal's signals with us.
    Ours,
}

/// Which permissions a file gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// What the umask leaves of 0666.
    Plain,
    /// 0644 whatever the umask, as venv copies its templates' mode.
    Script,
    /// What the umask leaves of 0666, executable for everybody, as pip makes console scripts.
    Executable,
    /// What the umask leaves of 0777, executable for everybody, as pip unpacks executable files of a wheel.
    Program,
}
