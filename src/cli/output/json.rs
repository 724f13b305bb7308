//! `--json`: one schema for the results of every mode.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::builder::Changed;
use crate::builder::summary::pip_version;
use crate::check::{Finding, Report};
use crate::error::{self, Error};
use crate::interpreter::Interpreter;
use crate::interpreter::list::Python;
use crate::sys::paths;
use crate::venv::context::Context;

/// The version of the schema. It changes if a key is removed or changes its meaning, not if one is added.
const SCHEMA: u32 = 1;

/// The result for one `ENV_DIR`, Python or cache directory.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Outcome {
    ok: bool,
    path: Option<AbsolutePath>,
    #[serde(flatten)]
    details: Details,
}

#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
enum Details {
    Environment {
        python: String,
        version: String,
        implementation: String,
        pip: Option<String>,
        bin: String,
        changed: bool,
        milliseconds: f64,
    },
    Check {
        problems: Vec<Finding>,
    },
    Python {
        version: String,
        implementation: String,
        source: String,
    },
    Cached {
        version: String,
        implementation: String,
    },
    Pruned {
        freed: u64,
    },
    Failure {
        kind: &'static str,
        message: String,
        errno: Option<i32>,
        filename: Option<AbsolutePath>,
        hint: Option<String>,
    },
}

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    results: &'a [Outcome],
}

impl Outcome {
    /// An environment that was created.
    pub(crate) fn environment(
        context: &Context,
        interpreter: &Interpreter,
        changed: Changed,
        took: Duration,
    ) -> Self {
        let details = Details::Environment {
            python: context.env_exe.clone(),
            version: interpreter.version_string(),
            implementation: interpreter.implementation.clone(),
            pip: pip_version(context),
            bin: context.bin_path.clone(),
            changed: changed == Changed::Yes,
            // Rounded to microseconds.
            milliseconds: (took.as_secs_f64() * 1e6).round() / 1e3,
        };
        Self::new(Some(Path::new(&context.env_dir)), details)
    }

    /// A Python whose facts and packages are in the cache.
    pub(crate) fn cached(interpreter: &Interpreter) -> Self {
        let details = Details::Cached {
            version: interpreter.version_string(),
            implementation: interpreter.implementation.clone(),
        };
        Self::new(Some(Path::new(&interpreter.executable)), details)
    }

    /// A cache directory that was emptied; `None` if there is none.
    pub(crate) fn pruned(folder: Option<&Path>, freed: u64) -> Self {
        Self::new(folder, Details::Pruned { freed })
    }

    /// The result of [`EnvBuilder::check`](crate::EnvBuilder::check) for `env_dir`.
    pub(crate) fn check(env_dir: &Path, report: Report) -> Self {
        let details = Details::Check {
            problems: report.findings,
        };
        Self {
            ok: report.ok,
            ..Self::new(Some(env_dir), details)
        }
    }

    /// An error and the `ENV_DIR` that it belongs to. Without `ENV_DIR` the path is that of the error.
    pub(crate) fn failure(env_dir: Option<&Path>, error: &anyhow::Error) -> Self {
        let named = error.downcast_ref::<Error>();
        let filename = named.and_then(Error::path);
        let details = Details::Failure {
            kind: named.map_or("io", Error::kind),
            message: format!("{error:#}"),
            errno: error::errno(error.as_ref()),
            filename: filename.map(AbsolutePath::new),
            hint: named.and_then(Error::hint),
        };
        Self {
            ok: false,
            ..Self::new(env_dir.or(filename), details)
        }
    }

    /// Whether there is neither an error nor a problem.
    pub(crate) fn is_ok(&self) -> bool {
        self.ok
    }

    /// The document that `--json` prints.
    pub(crate) fn json(outcomes: &[Self]) -> String {
        let document = Document {
            schema: SCHEMA,
            results: outcomes,
        };
        serde_json::to_string_pretty(&document).expect("strings and numbers are always JSON") + "\n"
    }

    fn new(path: Option<&Path>, details: Details) -> Self {
        Self {
            ok: true,
            path: path.map(AbsolutePath::new),
            details,
        }
    }
}

impl From<Python> for Outcome {
    fn from(python: Python) -> Self {
        let details = Details::Python {
            version: python.version,
            implementation: python.implementation,
            source: python.source,
        };
        Self::new(Some(&python.path), details)
    }
}

/// An absolute path, since the program that reads the JSON may have another current directory.
#[derive(Debug, Clone)]
struct AbsolutePath(PathBuf);

impl AbsolutePath {
    /// As `os.path.abspath`, but unchanged if the current directory does not exist.
    fn new(path: &Path) -> Self {
        let cwd = std::env::current_dir().ok();
        Self(paths::absolute(path, cwd.as_deref()).unwrap_or_else(|_| path.into()))
    }
}

impl Serialize for AbsolutePath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let Some(text) = self.0.to_str() {
            return serializer.serialize_str(text);
        }
        // It cannot be a `str`, but it can be a JSON string.
        RawValue::from_string(format!("\"{}\"", escape(&self.0)))
            .map_err(serde::ser::Error::custom)?
            .serialize(serializer)
    }
}

/// A path that is not Unicode, as Python decodes it: on Unix each invalid byte is a lone surrogate, U+DC80 to U+DCFF
/// (`os.fsdecode`); on Windows the path itself contains lone surrogates, of three bytes each.
fn escape(path: &Path) -> String {
    escape_bytes(path.as_os_str().as_encoded_bytes(), cfg!(windows))
}

fn escape_bytes(mut bytes: &[u8], has_surrogates: bool) -> String {
    let mut text = String::new();
    while let Some(chunk) = bytes.utf8_chunks().next() {
        let valid = serde_json::to_string(chunk.valid()).expect("a string is always JSON");
        text.push_str(&valid[1..valid.len() - 1]);
        bytes = &bytes[chunk.valid().len()..];
        let (surrogate, length) = match bytes {
            [] => break,
            [0xed, middle @ 0xa0..=0xbf, last @ 0x80..=0xbf, ..] if has_surrogates => {
                let low = u32::from(middle & 0x3f) << 6 | u32::from(last & 0x3f);
                (0xd000 | low, 3)
            }
            [byte, ..] => (0xdc00 | u32::from(*byte), 1),
        };
        write!(text, "\\u{surrogate:04x}").expect("writing to a String cannot fail");
        bytes = &bytes[length..];
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lone_surrogate_is_one_escape() {
        assert_eq!(
            escape_bytes(b"a\xed\xa0\x80b\xed\xbf\xbf", true),
            "a\\ud800b\\udfff"
        );
        assert_eq!(
            escape_bytes(b"\xed\xa0\x80", false),
            "\\udced\\udca0\\udc80"
        );
    }

    #[test]
    #[cfg(unix)]
    fn a_path_that_is_not_utf_8_is_written_as_python_decodes_it() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt as _;
        for (bytes, expected) in [
            (&b"/a\xff\xfeb"[..], "/a\\udcff\\udcfeb"),
            (b"/\xc3\xa9\"\\\xe2\x82", "/\u{e9}\\\"\\\\\\udce2\\udc82"),
        ] {
            assert_eq!(escape(Path::new(OsStr::from_bytes(bytes))), expected);
        }
    }
}
