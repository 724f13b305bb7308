//! The facts about one base Python: what `venv` itself would read off the running interpreter.
//!
//! Found by `discovery`, asked by `probe`, remembered by the store. Knows nothing of any environment.

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

use serde::{Deserialize, Serialize};

use crate::interpreter::platform::Platform;

/// One base Python, as it answers when it is started under the name it was invoked by.
///
/// Paths are absolute; those that end up in the environment are not resolved (`home` keeps a symlinked prefix).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interpreter {
    /// `sys.executable`, as invoked.
    pub executable: String,
    /// `sys._base_executable`: what the environment links to (`venv/__init__.py`, `ensure_directories`).
    pub base_executable: String,
    /// `os.path.realpath(sys.executable)`.
    pub real_executable: String,
    /// `sys.version_info[:3]`.
    pub version: [u32; 3],
    /// `rc1` of a pre-release; empty for a final version.
    pub prerelease: String,
    /// `x86_64-linux-gnu`, where it says so.
    pub multiarch: Option<String>,
    /// `sys.implementation.name`: `cpython`, `pypy`, …
    pub implementation: String,
    /// `sys.implementation.cache_tag`; `None` where bytecode is not written.
    pub cache_tag: Option<String>,
    /// `importlib.util.MAGIC_NUMBER` in hexadecimal digits.
    pub magic: String,
    /// Whether it was built without the global interpreter lock.
    pub free_threaded: bool,
    /// Whether it is a debug build.
    pub debug: bool,
    /// The kind of operating system it runs on.
    pub platform: Platform,
    /// `sys.maxsize > 2**32`.
    pub is_64bit: bool,
    /// Whether `sys.getfilesystemencoding()` is UTF-8.
    pub utf8_file_system: bool,
    /// The folders that `ensure_directories` makes, relative to the environment, from its `venv` scheme.
    pub scheme: Scheme,
    /// `sysconfig.get_path('stdlib')`.
    pub stdlib: String,
    /// The names that its `venv` links beside the invoked one, in order.
    pub aliases: Vec<String>,
    /// What its ensurepip would install, in its order; `None` without a working ensurepip.
    pub wheels: Option<Vec<BundledWheel>>,
    /// Files whose change may change any answer above: the binary, libpython, the stdlib, the wheels' folder.
    pub witnesses: Vec<String>,
    /// What only a Python for Windows has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub windows: Option<WindowsBuild>,
}

/// What `venv` on Windows looks for in the base's folders (`venv/__init__.py`, `setup_python`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowsBuild {
    /// `sysconfig.is_python_build()`: it runs from the folder that it was built in.
    pub is_build: bool,
    /// The folder of the launchers: `Lib\venv\scripts\nt`.
    pub launchers: String,
    /// The programs in it.
    pub launcher_files: Vec<String>,
    /// The programs, libraries and extension modules beside the base executable.
    pub base_files: Vec<String>,
    /// Those in `DLLs`, which only venvs up to 3.7.1 look at.
    pub library_files: Vec<String>,
    /// `init.tcl`, where venv copies it.
    pub tcl: Option<String>,
    /// `sysconfig.get_platform()`: `win32`, `win-amd64` or `win-arm64`.
    pub machine: String,
}

/// Folder names of the `venv` sysconfig scheme, relative to the environment and with `/`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scheme {
    /// `inc_path`.
    pub include: String,
    /// `lib_path`: site-packages.
    pub purelib: String,
    /// `platlib_path`: the same folder except on 3.15 and later with another `sys.platlibdir`.
    pub platlib: String,
}

/// A wheel that ensurepip carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BundledWheel {
    /// `pip` or `setuptools`.
    pub project: String,
    /// The version in the wheel's name.
    pub version: String,
    /// The wheel file.
    pub path: String,
}

impl Interpreter {
    /// Whether this Python is at least `major.minor`.
    pub fn at_least(&self, major: u32, minor: u32) -> bool {
        (self.version[0], self.version[1]) >= (major, minor)
    }

    /// Whether rvenv knows what this implementation's own `venv` does.
    pub fn is_known(&self) -> bool {
        matches!(self.implementation.as_str(), "cpython" | "pypy")
    }

    /// `X.Y.Z`, as `pyvenv.cfg` has it.
    pub fn version_string(&self) -> String {
        let [major, minor, micro] = self.version;
        format!("{major}.{minor}.{micro}")
    }

    /// Whether `lib64 -> lib` belongs to the environment (bpo-21197; gone since 3.15, gh-133951).
    pub fn links_lib64(&self) -> bool {
        self.platform == Platform::Posix && self.is_64bit && !self.at_least(3, 15)
    }
}
