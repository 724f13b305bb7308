//! The operating system: files, processes, signals.

pub(crate) mod fs;
pub(crate) mod process;
pub(crate) mod signal;
