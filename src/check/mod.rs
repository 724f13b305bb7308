//! `--check`: reports what is wrong with an environment and the commands that repair it. It changes nothing.

mod base;
mod folders;
mod packages;
mod remedy;
mod report;
mod scripts;
mod start;

use std::io;
use std::path::{Path, PathBuf};

use fs_err as fs;

use crate::error::Error;
use crate::interpreter::discovery::Discovery;
use crate::interpreter::pyvenv_cfg;
use crate::sys::fs::text;
pub use report::{Finding, Kind, Report};

/// An environment that is checked.
struct Environment {
    env_dir: PathBuf,
    /// The path as the user wrote it.
    given: PathBuf,
    configuration: String,
    bin: PathBuf,
    /// `X.Y` of its Python, if known.
    minor: Option<[u32; 2]>,
    /// Its base Python, or the one that an upgrade would use.
    base: Option<PathBuf>,
    /// Whether an upgrade should install pip.
    wants_pip: bool,
    /// The version of pip that an upgrade would install.
    bundled_pip: Option<String>,
    findings: Vec<Finding>,
}

/// The tool that created an environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Maker {
    /// venv, or rvenv.
    Venv,
    Virtualenv,
    Uv,
}

/// Checks the environment in `env_dir`, an absolute path that the user wrote as `given`.
///
/// # Errors
///
/// [`Error::Interrupted`]. Whatever else goes wrong is a finding.
pub(crate) fn check(
    env_dir: &Path,
    given: &Path,
    discovery: &Discovery<'_>,
) -> Result<Report, Error> {
    let mut environment = Environment {
        env_dir: env_dir.into(),
        given: given.into(),
        configuration: String::new(),
        bin: env_dir.join(if cfg!(windows) { "Scripts" } else { "bin" }),
        minor: None,
        base: None,
        wants_pip: true,
        bundled_pip: None,
        findings: Vec::new(),
    };
    match text(&env_dir.join("pyvenv.cfg")) {
        Ok(text) => {
            environment.configuration = text;
            environment.run_checks(discovery)?;
        }
        Err(error) => environment.without_configuration(&error, discovery)?,
    }
    Ok(Report {
        path: given.to_string_lossy().into_owned(),
        ok: environment.findings.is_empty(),
        findings: environment.findings,
    })
}

impl Environment {
    fn run_checks(&mut self, discovery: &Discovery<'_>) -> Result<(), Error> {
        self.minor = self.minor_version();
        self.wants_pip = self.was_created_with_pip();
        let facts = self.check_base(discovery)?;
        let wheels = facts.as_ref().and_then(|facts| facts.wheels.as_ref());
        let pip = wheels.and_then(|wheels| wheels.iter().find(|wheel| wheel.project == "pip"));
        self.bundled_pip = pip.map(|pip| pip.version.clone());
        self.check_folders(facts.as_ref());
        self.check_scripts();
        self.check_relocatability();
        self.check_packages(discovery)?;
        if self
            .findings
            .iter()
            .all(|finding| !finding.kind.breaks_python())
        {
            self.check_start(discovery)?;
        }
        Ok(())
    }

    /// Reports why `pyvenv.cfg` cannot be read.
    fn without_configuration(
        &mut self,
        error: &io::Error,
        discovery: &Discovery<'_>,
    ) -> Result<(), Error> {
        let make = self.quoted_dir().map(|shown| format!("rvenv {shown}"));
        match fs::metadata(&self.env_dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if fs::symlink_metadata(&self.env_dir).is_ok() {
                    self.report_with_hint(Kind::Missing, "it is a broken symlink", "remove it");
                } else {
                    self.report(Kind::Missing, "no such directory", make);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                let hint = "choose another directory";
                self.report_with_hint(
                    Kind::NotAnEnvironment,
                    "its parent is not a directory",
                    hint,
                );
            }
            Err(error) => {
                let message = format!("it cannot be read: {}", system_message(&error));
                self.report_with_hint(Kind::Unreadable, message, "change its permissions");
            }
            Ok(metadata) if !metadata.is_dir() => {
                let hint = "choose another directory";
                self.report_with_hint(Kind::NotAnEnvironment, "it is not a directory", hint);
            }
            Ok(_) if error.kind() != io::ErrorKind::NotFound => {
                let message = format!("pyvenv.cfg cannot be read: {}", system_message(error));
                let hint = "make pyvenv.cfg readable";
                self.report_with_hint(Kind::Unreadable, message, hint);
            }
            // Only `pyvenv.cfg` is missing.
            Ok(_) if self.minor_version().is_some() => self.run_checks(discovery)?,
            Ok(_) => {
                let message = "it is not a virtual environment: it has no pyvenv.cfg";
                let is_empty =
                    fs::read_dir(&self.env_dir).is_ok_and(|mut entries| entries.next().is_none());
                if is_empty {
                    self.report(Kind::NotAnEnvironment, message, make);
                } else {
                    let hint = "it contains other files: choose another directory";
                    self.report_with_hint(Kind::NotAnEnvironment, message, hint);
                }
            }
        }
        Ok(())
    }

    fn report(&mut self, kind: Kind, message: impl Into<String>, remedy: Option<String>) {
        let hint = remedy.is_none().then(|| self.fallback_hint());
        self.findings.push(Finding {
            kind,
            message: message.into(),
            remedy,
            hint,
        });
    }

    /// Adds a problem that no command repairs.
    fn report_with_hint(
        &mut self,
        kind: Kind,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.findings.push(Finding {
            kind,
            message: message.into(),
            remedy: None,
            hint: Some(hint.into()),
        });
    }

    /// What the user can do if no Python can replace the base.
    fn fallback_hint(&self) -> String {
        let shown = self.quoted_dir().unwrap_or_else(|| "ENV_DIR".into());
        match (self.minor, &self.base) {
            (Some([major, minor]), None) => format!(
                "install Python {major}.{minor}, then run `rvenv --upgrade -p {major}.{minor} {shown}`"
            ),
            _ => format!("recreate it with `rvenv --clear {shown}`"),
        }
    }

    fn value(&self, key: &str) -> Option<&str> {
        pyvenv_cfg::value(&self.configuration, key).filter(|value| !value.is_empty())
    }

    fn maker(&self) -> Maker {
        if self.value("virtualenv").is_some() {
            Maker::Virtualenv
        } else if self.value("uv").is_some() {
            Maker::Uv
        } else {
            Maker::Venv
        }
    }

    /// The minor version in `pyvenv.cfg`, otherwise that of the only library directory.
    fn minor_version(&self) -> Option<[u32; 2]> {
        let version = self.value("version").or_else(|| self.value("version_info"));
        let version = version.and_then(|version| {
            let mut numbers = version.split('.').map(|number| number.parse().ok());
            Some([numbers.next()??, numbers.next()??])
        });
        version.or_else(|| self.installed_minor())
    }

    /// A path relative to the environment.
    fn relative(&self, path: &Path) -> String {
        let path = path.strip_prefix(&self.env_dir).unwrap_or(path);
        path.to_string_lossy().into_owned()
    }
}

/// The error message of the system without the path.
fn system_message(error: &io::Error) -> String {
    match error.get_ref().and_then(std::error::Error::source) {
        Some(source) => source.to_string(),
        None => error.to_string(),
    }
}
