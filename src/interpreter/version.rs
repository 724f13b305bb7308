//! The properties that requests are matched against: implementation, version, variant.

use std::env::consts::ARCH;
use std::fmt;

use crate::interpreter::Interpreter;

/// The build variant, which is part of the executable's name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Variant {
    /// `t`: free-threaded.
    pub(crate) free_threaded: bool,
    /// `d`: a debug build.
    pub(crate) debug: bool,
}

/// The properties of a Python, before or after it was queried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Traits {
    /// `sys.implementation.name`.
    pub(crate) implementation: String,
    pub(crate) major: u32,
    pub(crate) minor: u32,
    /// `None` if the files of the installation do not tell.
    pub(crate) micro: Option<u32>,
    /// `rc1`; empty for a final version, and if `micro` is unknown.
    pub(crate) prerelease: String,
    pub(crate) variant: Variant,
    /// `None` before it was queried.
    pub(crate) machine: Option<Machine>,
}

/// The machine that a Python was built for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Machine {
    pub(crate) is_64bit: bool,
    /// As in [`std::env::consts::ARCH`].
    pub(crate) architecture: String,
    /// `gnu` or `musl`, if known.
    pub(crate) libc: Option<String>,
}

impl Machine {
    /// The canonical name of an architecture.
    pub(crate) fn architecture(name: &str) -> &str {
        match name {
            "amd64" => "x86_64",
            "arm64" => "aarch64",
            "i386" | "i686" => "x86",
            other => other,
        }
    }

    fn of(interpreter: &Interpreter) -> Self {
        // `x86_64-linux-gnu`; on other systems it does not contain the architecture.
        let multiarch = interpreter.multiarch.as_deref().unwrap_or_default();
        let (architecture, libc) = match multiarch.split_once("-linux-") {
            Some((architecture, libc)) => (architecture, Some(libc)),
            None => (ARCH, None),
        };
        let libc = libc.and_then(|libc| {
            ["gnu", "musl"]
                .into_iter()
                .find(|name| libc.starts_with(name))
        });
        Self {
            is_64bit: interpreter.is_64bit,
            architecture: match (Self::architecture(architecture), interpreter.is_64bit) {
                ("x86_64", false) => "x86".into(),
                (name, _) => name.into(),
            },
            libc: libc.map(str::to_owned),
        }
    }
}

impl Traits {
    /// Whether it is too old to be supported.
    pub(crate) fn is_too_old(&self) -> bool {
        (self.major, self.minor) < (3, 6)
    }

    /// `lib/python3.13t`: its library directory in a prefix, and the directory of packages in an environment.
    pub(crate) fn library(&self) -> String {
        let word = if self.implementation == "pypy" {
            "pypy"
        } else {
            "python"
        };
        let t = if self.variant.free_threaded { "t" } else { "" };
        format!("lib/{word}{}.{}{t}", self.major, self.minor)
    }

    /// `3.13.0`, or `3.13t` if the patch level is unknown.
    pub(crate) fn version(&self) -> String {
        let micro = self
            .micro
            .map(|micro| format!(".{micro}{}", self.prerelease));
        format!(
            "{}.{}{}{}",
            self.major,
            self.minor,
            micro.unwrap_or_default(),
            self.variant
        )
    }
}

impl From<&Interpreter> for Traits {
    fn from(interpreter: &Interpreter) -> Self {
        let [major, minor, micro] = interpreter.version;
        Self {
            implementation: interpreter.implementation.clone(),
            major,
            minor,
            micro: Some(micro),
            prerelease: interpreter.prerelease.clone(),
            machine: Some(Machine::of(interpreter)),
            variant: Variant {
                free_threaded: interpreter.free_threaded,
                debug: interpreter.debug,
            },
        }
    }
}

impl fmt::Display for Traits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.implementation.as_str() {
            "cpython" => "CPython",
            "pypy" => "PyPy",
            "graalpy" => "GraalPy",
            other => other,
        };
        write!(f, "{name} {}", self.version())
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.free_threaded { "t" } else { "" })?;
        f.write_str(if self.debug { "d" } else { "" })
    }
}
