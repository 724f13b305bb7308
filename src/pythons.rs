//! `--list-pythons`: what was found on the machine, as text and as JSON.
//!
//! Pure. What is found is discovery's business.

use std::fmt::Write as _;

use serde::Serialize;

use crate::interpreter::discovery::Found;

/// A Python on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Python {
    /// `3.12.1`; with `t` behind it a free-threaded, with `d` a debug build.
    pub version: String,
    /// `sys.implementation.name`.
    pub implementation: String,
    /// The executable, as `-p` takes it.
    pub path: String,
    /// Who put it there: `PATH`, `pyenv`, `uv`, …
    pub source: String,
}

impl From<Found> for Python {
    fn from(found: Found) -> Self {
        Self {
            version: found.traits.version(),
            implementation: found.traits.implementation,
            path: found.path.to_string_lossy().into_owned(),
            source: found.source.to_string(),
        }
    }
}

impl Python {
    /// One line for each; `aligned` for people, separated by tabs for programs that read lines.
    pub fn lines(pythons: &[Self], aligned: bool) -> String {
        let widest = |field: fn(&Self) -> &str| {
            let widths = pythons.iter().map(|python| field(python).chars().count());
            widths.max().unwrap_or(0)
        };
        let widths = [
            widest(|python| &python.version),
            widest(|python| &python.implementation),
            widest(|python| &python.path),
        ];
        pythons.iter().fold(String::new(), |mut text, python| {
            let fields = [&python.version, &python.implementation, &python.path];
            for (field, width) in fields.into_iter().zip(widths) {
                if aligned {
                    write!(text, "{field:width$}  ")
                } else {
                    write!(text, "{field}\t")
                }
                .expect("writing to a String cannot fail");
            }
            text.push_str(&python.source);
            text.push('\n');
            text
        })
    }

    /// An array of objects.
    pub fn json(pythons: &[Self]) -> String {
        let json = serde_json::to_string_pretty(pythons).expect("strings are always JSON");
        json + "\n"
    }
}
