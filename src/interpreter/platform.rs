//! What `venv/__init__.py` hard-codes for each platform: names, separators, limits.
//!
//! It is data instead of `cfg`, so that the layout of every platform can be tested on any other.

use serde::{Deserialize, Serialize};

/// `os.name` and `sys.platform`, as far as `venv` distinguishes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Platform {
    /// Linux and every other POSIX system.
    Posix,
    /// macOS, which never has `lib64`.
    Darwin,
    /// Windows.
    Windows,
}

impl Platform {
    /// `bin_name`: the directory of executables and scripts.
    pub(crate) fn bin_name(self) -> &'static str {
        match self {
            Self::Windows => "Scripts",
            Self::Posix | Self::Darwin => "bin",
        }
    }

    /// `os.pathsep`.
    pub(crate) fn path_separator(self) -> char {
        match self {
            Self::Windows => ';',
            Self::Posix | Self::Darwin => ':',
        }
    }

    /// The name of an environment's Python on Windows since 3.13, whatever the name of the base.
    pub(crate) fn simplest_name(python_exe: &str) -> &'static str {
        if is_debug(python_exe) {
            "python_d.exe"
        } else {
            "python.exe"
        }
    }

    /// Joins paths with the platform's separator; `relative` contains `/`.
    pub(crate) fn join(self, base: &str, relative: &str) -> String {
        match self {
            Self::Windows => format!(
                "{}\\{}",
                base.trim_end_matches('\\'),
                relative.replace('/', "\\")
            ),
            Self::Posix | Self::Darwin => format!("{}/{relative}", base.trim_end_matches('/')),
        }
    }

    /// The maximum length of a `#!` line, in bytes (distlib's rule).
    pub(crate) fn shebang_limit(self) -> usize {
        match self {
            Self::Darwin => 512,
            Self::Posix | Self::Windows => 127,
        }
    }
}

/// Whether a program's name is that of a debug build on Windows.
pub(crate) fn is_debug(python_exe: &str) -> bool {
    let lower = python_exe.to_ascii_lowercase();
    lower.strip_suffix(".exe").unwrap_or(&lower).ends_with("_d")
}
