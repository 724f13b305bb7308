//! The base Python: the facts about it, which `venv` would read from the running interpreter.

pub(crate) mod cache;
pub(crate) mod candidates;
pub(crate) mod discovery;
pub(crate) mod list;
pub(crate) mod locations;
pub(crate) mod not_found;
pub(crate) mod on_disk;
pub(crate) mod platform;
pub(crate) mod probe;
pub(crate) mod python_version_file;
pub(crate) mod pyvenv_cfg;
pub(crate) mod shims;
pub(crate) mod version;
pub(crate) mod version_folders;

pub(crate) mod nested;
mod recorded;
mod registry;
pub(crate) mod request;

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::interpreter::platform::Platform;

/// A base Python, queried under the name by which it was invoked.
///
/// Paths are absolute. Those that are written into the environment are not resolved (`home` keeps a symlinked prefix).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Interpreter {
    /// `sys.executable`, as invoked.
    pub(crate) executable: String,
    /// `sys._base_executable`: what the environment links to (`venv/__init__.py`, `ensure_directories`).
    pub(crate) base_executable: String,
    /// `os.path.realpath(sys.executable)`.
    pub(crate) real_executable: String,
    /// `sys.version_info[:3]`.
    pub(crate) version: [u32; 3],
    /// `rc1` for a pre-release; empty for a final version.
    pub(crate) prerelease: String,
    /// `x86_64-linux-gnu`, if known.
    pub(crate) multiarch: Option<String>,
    /// `sys.implementation.name`: `cpython`, `pypy`, …
    pub(crate) implementation: String,
    /// `sys.implementation.cache_tag`; `None` if bytecode is not written.
    pub(crate) cache_tag: Option<String>,
    /// `importlib.util.MAGIC_NUMBER` in hexadecimal.
    pub(crate) magic: String,
    /// Whether it was built without the global interpreter lock.
    pub(crate) free_threaded: bool,
    /// Whether it is a debug build.
    pub(crate) debug: bool,
    /// The operating system that it runs on.
    pub(crate) platform: Platform,
    /// What decides which packages fit it.
    pub(crate) markers: Markers,
    /// `sys.maxsize > 2**32`.
    pub(crate) is_64bit: bool,
    /// Whether `sys.getfilesystemencoding()` is UTF-8.
    pub(crate) utf8_file_system: bool,
    /// The directories that `ensure_directories` creates, relative to the environment, from its `venv` scheme.
    pub(crate) scheme: Scheme,
    /// `sysconfig.get_path('stdlib')`.
    pub(crate) stdlib: String,
    /// The other names that its `venv` links, in order.
    pub(crate) aliases: Vec<String>,
    /// The wheels that its ensurepip installs, in order; `None` without a working ensurepip.
    pub(crate) wheels: Option<Vec<BundledWheel>>,
    /// Files that the facts depend on: the binary, libpython, the standard library, the directory of the wheels.
    pub(crate) witnesses: Vec<String>,
    /// The facts about a Python for Windows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) windows: Option<WindowsBuild>,
}

/// The files that `venv` on Windows uses in the base's directories (`venv/__init__.py`, `setup_python`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WindowsBuild {
    /// `sysconfig.is_python_build()`: it runs from its build directory.
    pub(crate) is_build: bool,
    /// The directory of the launchers: `Lib\venv\scripts\nt`.
    pub(crate) launchers: String,
    /// The programs in that directory.
    pub(crate) launcher_files: Vec<String>,
    /// The programs, libraries and extension modules in the directory of the base executable.
    pub(crate) base_files: Vec<String>,
    /// The files in `DLLs`, which only venv up to 3.7.1 uses.
    pub(crate) library_files: Vec<String>,
    /// `init.tcl`, if venv copies it.
    pub(crate) tcl: Option<String>,
    /// `sysconfig.get_platform()`: `win32`, `win-amd64` or `win-arm64`.
    pub(crate) machine: String,
}

/// What tells for which Pythons and systems a package is, as far as a Python alone knows (PEP 508, "Environment Markers").
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Markers {
    pub(crate) implementation_version: String,
    pub(crate) python_full_version: String,
    pub(crate) os_name: String,
    pub(crate) sys_platform: String,
    /// The ending of its extension modules, which has `SOABI` in it.
    pub(crate) soabi: Option<String>,
    /// `sysconfig.get_platform()`.
    pub(crate) platform: String,
    /// Which libc it runs with and its version, or the release of macOS; `None` if that cannot be told.
    pub(crate) libc: Option<String>,
}

/// The directories of the `venv` sysconfig scheme, relative to the environment and with `/`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Scheme {
    /// `inc_path`.
    pub(crate) include: String,
    /// `lib_path`: site-packages.
    pub(crate) purelib: String,
    /// `platlib_path`: the same directory except on 3.15 and later with another `sys.platlibdir`.
    pub(crate) platlib: String,
}

/// A wheel that is bundled with ensurepip.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BundledWheel {
    /// `pip` or `setuptools`.
    pub(crate) project: String,
    /// The version in the wheel's name.
    pub(crate) version: String,
    /// The wheel file.
    pub(crate) path: String,
}

impl Interpreter {
    /// `sys.executable`: an absolute path, as invoked.
    pub fn executable(&self) -> &Path {
        Path::new(&self.executable)
    }

    /// `sys.version_info[:3]`.
    pub fn version(&self) -> [u32; 3] {
        self.version
    }

    /// `sys.implementation.name`: `cpython`, `pypy`, …
    pub fn implementation(&self) -> &str {
        &self.implementation
    }

    /// Whether this Python is at least `major.minor`.
    pub(crate) fn at_least(&self, major: u32, minor: u32) -> bool {
        (self.version[0], self.version[1]) >= (major, minor)
    }

    /// Whether rvenv supports the `venv` of this implementation.
    pub(crate) fn is_known(&self) -> bool {
        matches!(self.implementation.as_str(), "cpython" | "pypy")
    }

    /// `X.Y.Z`, as in `pyvenv.cfg`.
    pub(crate) fn version_string(&self) -> String {
        let [major, minor, micro] = self.version;
        format!("{major}.{minor}.{micro}")
    }

    /// `X.Y`.
    pub(crate) fn minor_version(&self) -> String {
        let [major, minor, _] = self.version;
        format!("{major}.{minor}")
    }

    /// The five parts of `sys.version_info`, separated by dots.
    pub(crate) fn version_info(&self) -> String {
        let serial = self
            .prerelease
            .trim_start_matches(|mark: char| mark.is_ascii_alphabetic());
        let (level, serial) = match self.prerelease.strip_suffix(serial) {
            Some("a") => ("alpha", serial),
            Some("b") => ("beta", serial),
            Some("rc") => ("candidate", serial),
            _ => ("final", "0"),
        };
        format!("{}.{level}.{serial}", self.version_string())
    }

    /// Whether environments have the link `lib64 -> lib` (bpo-21197; not since 3.15, gh-133951).
    pub(crate) fn links_lib64(&self) -> bool {
        self.platform == Platform::Posix && self.is_64bit && !self.at_least(3, 15)
    }
}
