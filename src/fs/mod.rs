//! Every write, link, mode, rename and removal, with one face for all systems.
//!
//! Knows folders and files, nothing of environments. `unix` and `windows` have the same functions; only the two `mod`
//! lines know which one is compiled.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

mod removal;

#[cfg(unix)]
pub(crate) use unix::{
    Folder, Identity, Lock, end_process_group, exchange, is_executable, is_mount_root, is_trusted,
    own_process_group, read_exact_at, rename_new, symlink, umask,
};
#[cfg(windows)]
pub(crate) use windows::{
    Folder, Identity, Lock, end_process_group, exchange, is_executable, is_mount_root, is_trusted,
    own_process_group, read_exact_at, rename_new, symlink, umask,
};

pub(crate) use removal::remove_tree;

/// Which permissions a file gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// What the umask leaves of 0666.
    Plain,
    /// 0644 whatever the umask, as venv copies its templates' mode.
    Script,
    /// What the umask leaves of 0666, executable for everybody, as pip makes console scripts.
    Executable,
}
