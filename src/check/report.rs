//! What `--check` says, for people and for programs.
//!
//! Pure: knows words, not what is looked at.

use std::fmt::Write as _;

use serde::Serialize;

/// What `--check` found out about one directory.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// The directory, as it was given.
    pub path: String,
    /// Nothing is wrong with it.
    pub sound: bool,
    /// What is wrong with it.
    pub findings: Vec<Finding>,
}

/// One reason why an environment is broken.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// The kind of reason, for programs.
    pub kind: Kind,
    /// What is wrong, for people.
    pub problem: String,
    /// What mends it: a command, or what to do.
    pub remedy: String,
}

/// The kinds of reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Kind {
    /// It is no environment at all.
    NoEnvironment,
    /// The base Python is gone or does not work.
    Base,
    /// A link to the base leads nowhere, or `python` is missing.
    Links,
    /// The base Python is of another version now.
    Version,
    /// The directory was moved, and its scripts say the old place.
    Moved,
    /// pip is missing or incomplete.
    Pip,
    /// Files are not those that a RECORD lists.
    Record,
}

impl Report {
    /// A line for each reason; one for a directory that is sound.
    pub fn lines(&self) -> String {
        if self.sound {
            return format!("{}: sound\n", self.path);
        }
        self.findings
            .iter()
            .fold(String::new(), |mut text, finding| {
                let Finding {
                    problem, remedy, ..
                } = finding;
                writeln!(text, "{}: {problem}; {remedy}", self.path)
                    .expect("writing to a String cannot fail");
                text
            })
    }

    /// An array of objects.
    pub fn json(reports: &[Self]) -> String {
        let json = serde_json::to_string_pretty(reports).expect("strings are always JSON");
        json + "\n"
    }
}
