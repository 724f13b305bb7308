//! `--check`: why an environment is broken, and what mends it.
//!
//! Reads what the environment says of itself and compares it with what is there. Changes nothing.

mod base;
mod packages;
mod report;
pub(crate) mod scripts;

use std::path::{Path, PathBuf};

use fs_err as fs;

use crate::activation::quote;
use crate::configuration;
use crate::error::Error;
use crate::interpreter::discovery::Discovery;
pub use report::{Finding, Kind, Report};

/// An environment that is looked at.
struct Environment {
    env_dir: PathBuf,
    /// As a word of a shell's command line.
    shown: String,
    configuration: String,
    bin: PathBuf,
    findings: Vec<Finding>,
}

/// Looks at the environment in `env_dir`, an absolute path that was given as `shown`.
///
/// # Errors
///
/// [`Error::Interrupted`]. Whatever else goes wrong is a finding.
pub(crate) fn check(
    env_dir: &Path,
    shown: &Path,
    discovery: &Discovery<'_>,
) -> Result<Report, Error> {
    let mut environment = Environment {
        env_dir: env_dir.into(),
        shown: word(shown),
        configuration: String::new(),
        bin: env_dir.join(if cfg!(windows) { "Scripts" } else { "bin" }),
        findings: Vec::new(),
    };
    if let Ok(text) = fs::read_to_string(env_dir.join("pyvenv.cfg")) {
        environment.configuration = text;
        environment.look(discovery)?;
    } else {
        let problem = if !env_dir.exists() {
            "there is no such directory"
        } else if env_dir.is_dir() {
            "it is no environment: it has no pyvenv.cfg that can be read"
        } else {
            "it is no directory"
        };
        let remedy = format!("make one: rvenv {}", environment.shown);
        environment.found(Kind::NoEnvironment, problem, remedy);
    }
    Ok(Report {
        path: shown.to_string_lossy().into_owned(),
        sound: environment.findings.is_empty(),
        findings: environment.findings,
    })
}

impl Environment {
    fn look(&mut self, discovery: &Discovery<'_>) -> Result<(), Error> {
        let base = self.base(discovery)?;
        let upgrade = self.upgrade(base.as_deref().map(word).as_deref());
        self.look_at_scripts(&upgrade);
        self.look_at_packages(&upgrade);
        Ok(())
    }

    fn found(&mut self, kind: Kind, problem: impl Into<String>, remedy: impl Into<String>) {
        self.findings.push(Finding {
            kind,
            problem: problem.into(),
            remedy: remedy.into(),
        });
    }

    /// The command that renews what an environment takes from its base, and leaves everything else as it was asked for.
    fn upgrade(&self, request: Option<&str>) -> String {
        let mut words = vec!["rvenv --upgrade".to_owned()];
        words.extend(request.map(|request| format!("-p {request}")));
        let command = self.value("command").unwrap_or_default();
        for flag in ["--copies", "--without-pip"] {
            if command.contains(&format!(" {flag} ")) {
                words.push(flag.into());
            }
        }
        let is_true = |key| self.value(key) == Some("true");
        if is_true("include-system-site-packages") {
            words.push("--system-site-packages".into());
        }
        if is_true("relocatable") {
            words.push("--relocatable".into());
        }
        if let Some(prompt) = self.value("prompt") {
            let bare = prompt.trim_matches(['\'', '"']);
            words.push(format!("--prompt {}", word(Path::new(bare))));
        }
        words.push(self.shown.clone());
        words.join(" ")
    }

    fn value(&self, key: &str) -> Option<&str> {
        configuration::value(&self.configuration, key)
    }

    /// The version that made it.
    fn version(&self) -> Option<[u32; 3]> {
        let version = self
            .value("version")
            .or_else(|| self.value("version_info"))?;
        let mut numbers = version.split('.').map(|number| number.parse().ok());
        Some([numbers.next()??, numbers.next()??, numbers.next()??])
    }

    /// A path as seen from the environment.
    fn relative(&self, path: &Path) -> String {
        let path = path.strip_prefix(&self.env_dir).unwrap_or(path);
        path.to_string_lossy().into_owned()
    }
}

/// A path as one word of a shell's command line, in quotes only where it needs them.
fn word(path: &Path) -> String {
    let text = path.to_string_lossy();
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+=:,@%\\".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        text.into_owned()
    } else {
        quote::sh(&text)
    }
}
