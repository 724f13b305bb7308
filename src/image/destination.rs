//! The destination of an image, and of its bytecode if `PYTHONPYCACHEPREFIX` is set.

use crate::installed::scripts::exe::Time;
use crate::interpreter::Interpreter;
use crate::interpreter::platform::Platform;
use crate::sys::fs::Folder;
use crate::sys::signal::Interrupt;

/// The destination of an image.
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
    /// Which distributions of the image to unpack, by position.
    pub(crate) wanted: &'a [bool],
    /// Whether console scripts start the Python in their own directory.
    pub(crate) relocatable: bool,
    /// `PYTHONPYCACHEPREFIX`, if this Python supports it: bytecode is written there.
    pub(crate) pycache_prefix: Option<&'a str>,
    /// The timestamp of console scripts on Windows, which are zip archives.
    pub(crate) made: Option<Time>,
}

impl Destination<'_> {
    /// What bytecode says of its source. On Windows, too, pip compiles what RECORD calls it, below the folder as the system calls
    /// that.
    pub(crate) fn name_of(&self, source: &str) -> String {
        match self.interpreter.platform {
            // Relative to the environment: the import puts the real path in.
            _ if self.relocatable => format!("{}/{source}", self.interpreter.scheme.purelib),
            Platform::Windows => format!("{}\\{source}", self.site_packages),
            platform => platform.join(self.site_packages, source),
        }
    }
}

/// The path of bytecode with `sys.pycache_prefix`: the full path of the source below the prefix, without `__pycache__`
/// (`importlib.util.cache_from_source`). Without it, the bytecode would be at `path` below site-packages.
pub(crate) fn prefixed(prefix: &str, site_packages: &str, path: &str) -> String {
    let path = path.replacen("__pycache__/", "", path.matches("__pycache__/").count());
    format!("{}/{path}", below_prefix(prefix, site_packages))
}

/// The directory for the bytecode of the sources in `folder` with `sys.pycache_prefix`.
pub(crate) fn below_prefix(prefix: &str, folder: &str) -> String {
    let (prefix, folder) = (prefix.trim_end_matches('/'), folder.trim_start_matches('/'));
    format!("{prefix}/{folder}")
}
