//! Where an image is unpacked to, and where its bytecode goes if `PYTHONPYCACHEPREFIX` is set.

use crate::installed::scripts::exe::Time;
use crate::interpreter::Interpreter;
use crate::sys::fs::Folder;
use crate::sys::signal::Interrupt;

/// Where an image goes.
pub(crate) struct Destination<'a> {
    pub(crate) tree: &'a Folder,
    /// The final absolute path of site-packages, which bytecode and RECORD contain.
    pub(crate) site_packages: &'a str,
    /// `bin` or `Scripts`.
    pub(crate) bin_name: &'a str,
    /// The final absolute path of the environment's Python, which scripts contain.
    pub(crate) executable: &'a str,
    pub(crate) interpreter: &'a Interpreter,
    pub(crate) interrupt: &'a Interrupt,
    /// Which of the image's distributions are wanted, by position.
    pub(crate) wanted: &'a [bool],
    /// Console scripts find the Python beside them.
    pub(crate) relocatable: bool,
    /// `PYTHONPYCACHEPREFIX`, where that Python honours it: bytecode goes there.
    pub(crate) pycache_prefix: Option<&'a str>,
    /// The time in console scripts on Windows, where they are zip archives.
    pub(crate) made: Option<Time>,
}

/// Where `sys.pycache_prefix` puts the bytecode that would be at `path` below site-packages: the source's whole path below
/// the prefix, without `__pycache__` (`importlib.util.cache_from_source`).
pub(crate) fn prefixed(prefix: &str, site_packages: &str, path: &str) -> String {
    let path = path.replacen("__pycache__/", "", path.matches("__pycache__/").count());
    format!("{}/{path}", below_prefix(prefix, site_packages))
}

/// Where `sys.pycache_prefix` puts the bytecode of what is in `folder`.
pub(crate) fn below_prefix(prefix: &str, folder: &str) -> String {
    let (prefix, folder) = (prefix.trim_end_matches('/'), folder.trim_start_matches('/'));
    format!("{prefix}/{folder}")
}
