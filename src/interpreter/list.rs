//! The Pythons that `--list-pythons` prints.

use std::fmt::Write as _;
use std::path::PathBuf;

use crate::interpreter::discovery::Found;

/// A Python on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Python {
    /// `3.12.1`, followed by `t` for a free-threaded build and by `d` for a debug build.
    pub(crate) version: String,
    /// `sys.implementation.name`.
    pub(crate) implementation: String,
    /// The executable, as an argument for `-p`.
    pub(crate) path: PathBuf,
    /// Which tool installed it: `PATH`, `pyenv`, `uv`, …
    pub(crate) source: String,
}

impl From<Found> for Python {
    fn from(found: Found) -> Self {
        Self {
            version: found.traits.version(),
            implementation: found.traits.implementation,
            path: found.path,
            source: found.source.to_string(),
        }
    }
}

impl Python {
    /// One line for each Python; `aligned` for people, otherwise separated by tabs.
    pub(crate) fn lines(pythons: &[Self], aligned: bool) -> String {
        let fields = |python: &Self| {
            let path = python.path.to_string_lossy().into_owned();
            [python.version.clone(), python.implementation.clone(), path]
        };
        let widths = pythons.iter().fold([0; 3], |widest: [usize; 3], python| {
            let widths = fields(python).map(|field| field.chars().count());
            std::array::from_fn(|column| widest[column].max(widths[column]))
        });
        pythons.iter().fold(String::new(), |mut text, python| {
            for (field, width) in fields(python).into_iter().zip(widths) {
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
}
