//! The result of `--check`, as text and for JSON.

use std::fmt::Write as _;

use serde::Serialize;

/// What `--check` found out about one directory.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Report {
    /// The directory, as it was given.
    pub path: String,
    /// Nothing is wrong with it.
    pub ok: bool,
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
    pub message: String,
    /// The command line of a shell that repairs it; `None` where only a person can.
    pub remedy: Option<String>,
    /// What a person can do where no command repairs it.
    pub hint: Option<String>,
}

/// The kinds of reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Kind {
    /// There is no such directory.
    Missing,
    /// It cannot be looked at.
    Unreadable,
    /// It is something else than an environment.
    NotAnEnvironment,
    /// `pyvenv.cfg` is missing, lacks a key, or states another version than the base Python has.
    Configuration,
    /// The base Python does not exist.
    BaseMissing,
    /// The base Python does not work.
    BaseBroken,
    /// The base Python is of another minor version.
    BaseVersion,
    /// `home` and the links name two Pythons.
    BaseMismatch,
    /// A link to the base is broken.
    BrokenLink,
    /// `bin/python` is missing.
    PythonMissing,
    /// The environment's own Python does not start.
    PythonBroken,
    /// A folder that every environment of this kind has is missing.
    FolderMissing,
    /// `bin/activate` is missing or empty.
    ActivateMissing,
    /// The directory was moved, and its scripts name the old place.
    Moved,
    /// A script is started by a Python that does not exist.
    ScriptBroken,
    /// pip is missing.
    PipMissing,
    /// pip is incomplete.
    PipIncomplete,
    /// Files are missing or differ from those that were installed.
    Modified,
    /// A script cannot be executed.
    NotExecutable,
    /// The list of a package's files is missing or empty.
    RecordMissing,
    /// A project is installed twice.
    Duplicate,
    /// A `.pth` file cannot be read, or names a directory that does not exist.
    BrokenPth,
}

impl Kind {
    /// Whether the environment's Python cannot be expected to start.
    pub(super) fn concerns_python(self) -> bool {
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
    /// A line for each reason, with the command that repairs it below; one line for a directory that is ok.
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
            // One command may repair several.
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
