//! The operating system: files, paths, processes, threads, signals, environment variables.

pub(crate) mod env;
pub(crate) mod fs;
pub(crate) mod paths;
pub(crate) mod process;
pub(crate) mod signal;
pub(crate) mod system;
pub(crate) mod workers;
