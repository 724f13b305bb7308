//! The operating system: files, processes, signals.

pub(crate) mod env;
pub(crate) mod fs;
pub(crate) mod paths;
pub(crate) mod process;
pub(crate) mod signal;
