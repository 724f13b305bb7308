//! The result of `--check`, as text and for JSON.

use std::fmt::Write as _;

use serde::Serialize;

/// The result of `--check` for one directory.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Report {
    /// The directory as given.
    pub path: String,
    /// Whether no problem was found.
    pub ok: bool,
    /// The problems.
    pub findings: Vec<Finding>,
}

/// A problem of an environment.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// The kind of problem, for programs.
    pub kind: Kind,
    /// The description, for people.
    pub message: String,
    /// A shell command that repairs it; `None` if there is none.
    pub remedy: Option<String>,
    /// What the user can do if no command repairs it.
    pub hint: Option<String>,
}

/// The kinds of problems.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Kind {
    /// The directory does not exist.
    Missing,
    /// It cannot be read.
    Unreadable,
    /// It is not an environment.
    NotAnEnvironment,
    /// `pyvenv.cfg` is missing, lacks a key, or states another version than the base Python has.
    Configuration,
    /// The base Python does not exist.
    BaseMissing,
    /// The base Python does not work.
    BaseBroken,
    /// The base Python is of another minor version.
    BaseVersion,
    /// `home` and the links name different Pythons.
    BaseMismatch,
    /// A link to the base is broken.
    BrokenLink,
    /// `bin/python` is missing.
    PythonMissing,
    /// The environment's own Python does not start.
    PythonBroken,
    /// A directory of every environment of this kind is missing.
    FolderMissing,
    /// `bin/activate` is missing or empty.
    ActivateMissing,
    /// The directory was moved, and its scripts contain the old path.
    Moved,
    /// A script needs a Python that does not exist.
    ScriptBroken,
    /// A file in a relocatable environment contains its path.
    NotRelocatable,
    /// pip is missing.
    PipMissing,
    /// pip is incomplete.
    PipIncomplete,
    /// Files are missing or differ from those that were installed.
    Modified,
    /// A script is not executable.
    NotExecutable,
    /// The `RECORD` of a package is missing or empty.
    RecordMissing,
    /// A project is installed twice.
    Duplicate,
    /// A `.pth` file cannot be read, or names a directory that does not exist.
    BrokenPth,
}

impl Kind {
    /// Whether the environment's Python probably does not start.
    pub(super) fn breaks_python(self) -> bool {
        matches!(
            self,
            Self::Configuration
                | Self::BaseMissing
                | Self::BaseBroken
                | Self::BaseVersion
                | Self::BaseMismatch
                | Self::BrokenLink
                | Self::PythonMissing
        )
    }
}

impl Report {
    /// One line for each problem, followed by the command that repairs it; one line for a directory that is ok.
    pub fn lines(&self) -> String {
        if self.ok {
            return format!("{}: ok\n", self.path);
        }
        let mut text = String::new();
        let mut findings = self.findings.iter().peekable();
        while let Some(finding) = findings.next() {
            let mut line = |line: std::fmt::Arguments<'_>| {
                text.write_fmt(line)
                    .expect("writing to a String cannot fail");
            };
            line(format_args!("{}: {}\n", self.path, finding.message));
            if let Some(hint) = &finding.hint {
                line(format_args!("  hint: {hint}\n"));
            }
            // One command may repair several problems.
            if let Some(remedy) = &finding.remedy
                && findings
                    .peek()
                    .is_none_or(|next| next.remedy.as_ref() != Some(remedy))
            {
                line(format_args!("  remedy: {remedy}\n"));
            }
        }
        text
    }
}
