//! `--check`: why an environment is broken, and what mends it.
//!
//! Reads what the environment says of itself and compares it with what is there. Changes nothing.

mod packages;
pub(crate) mod scripts;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use fs_err as fs;
use serde::Serialize;

use crate::activation::quote;
use crate::configuration;
use crate::error::Error;
use crate::interpreter::discovery::Discovery;
use crate::interpreter::{Interpreter, landmarks};

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

    /// Looks for the base Python; returns the one that an upgrade would take.
    fn base(&mut self, discovery: &Discovery<'_>) -> Result<Option<PathBuf>, Error> {
        let Some(home) = self.value("home").map(PathBuf::from) else {
            let remedy = self.upgrade(None);
            self.found(Kind::Base, "pyvenv.cfg does not say its base", remedy);
            return Ok(None);
        };
        let links = self.links();
        let targets = links.iter().filter_map(|link| {
            let target = fs::read_link(link).ok()?;
            target.is_absolute().then_some(target)
        });
        let names = ["python3", "python", "pypy3", "pypy", "python.exe"];
        let candidates: Vec<_> = targets
            .chain(names.map(|name| home.join(name)))
            .chain(self.value("executable").map(PathBuf::from))
            .collect();
        let Some(base) = candidates.iter().find(|path| path.is_file()).cloned() else {
            let what = candidates.first().map_or(home, Clone::clone);
            return self.without_base(
                &format!("its base Python {} is gone", what.display()),
                None,
                discovery,
            );
        };
        let facts = match discovery.facts(&base) {
            Ok(facts) => facts,
            Err(error @ Error::Interrupted { .. }) => return Err(error),
            Err(error) => {
                return self.without_base(
                    &format!("its base Python does not work: {error}"),
                    Some(&base),
                    discovery,
                );
            }
        };
        self.look_at_version(&facts, &base, discovery)?;
        let remedy = self.upgrade(Some(&word(&base)));
        let dangling: Vec<_> = links.iter().filter(|link| !link.exists()).collect();
        for link in dangling {
            let target = fs::read_link(link).unwrap_or_default();
            let problem = format!(
                "{} leads nowhere ({})",
                self.relative(link),
                target.display()
            );
            self.found(Kind::Links, problem, &remedy);
        }
        if links.is_empty() {
            let problem = format!("{} has no python", self.relative(&self.bin.clone()));
            self.found(Kind::Links, problem, &remedy);
        }
        Ok(Some(base))
    }

    /// The environment's own names of its Python.
    fn links(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.bin).into_iter().flatten().flatten();
        let names = entries.filter(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let name = name.strip_suffix(std::env::consts::EXE_SUFFIX);
            let name = name.unwrap_or_default();
            ["python", "python3", "pypy", "pypy3", "\u{1d70b}thon"].contains(&name)
                || landmarks::named(name).is_some()
        });
        let mut names: Vec<_> = names.map(|entry| entry.path()).collect();
        names.sort();
        names
    }

    /// There is no base any more: says which Python could take its place.
    fn without_base(
        &mut self,
        problem: &str,
        broken: Option<&Path>,
        discovery: &Discovery<'_>,
    ) -> Result<Option<PathBuf>, Error> {
        let successor = self.successor(broken, discovery)?;
        let minor = self
            .version()
            .map(|[major, minor, _]| format!("{major}.{minor}"));
        let remedy = match (&successor, minor) {
            (Some(path), _) => self.upgrade(Some(&word(path))),
            (None, Some(minor)) => format!(
                "install Python {minor} and run {}, or make it anew with rvenv --clear {}",
                self.upgrade(Some(&minor)),
                self.shown
            ),
            (None, None) => format!("make it anew: rvenv --clear {}", self.shown),
        };
        self.found(Kind::Base, problem, remedy);
        Ok(successor)
    }

    /// Another Python of the version that made it.
    fn successor(
        &self,
        except: Option<&Path>,
        discovery: &Discovery<'_>,
    ) -> Result<Option<PathBuf>, Error> {
        let Some([major, minor, micro]) = self.version() else {
            return Ok(None);
        };
        let mut others = discovery.all()?;
        others.retain(|other| {
            let traits = &other.traits;
            (traits.major, traits.minor) == (major, minor)
                && Some(other.path.as_path()) != except
                // The folder of packages is named after these.
                && self.site_packages_of(traits).is_dir()
        });
        let nearest = others
            .into_iter()
            .min_by_key(|other| other.traits.micro.map_or(0, |other| other.abs_diff(micro)));
        Ok(nearest.map(|other| other.path))
    }

    fn look_at_version(
        &mut self,
        facts: &Interpreter,
        base: &Path,
        discovery: &Discovery<'_>,
    ) -> Result<(), Error> {
        let Some(made_by @ [major, minor, micro]) = self.version() else {
            let remedy = self.upgrade(Some(&word(base)));
            self.found(Kind::Version, "pyvenv.cfg does not say its version", remedy);
            return Ok(());
        };
        if facts.version == made_by {
            return Ok(());
        }
        let problem = format!(
            "it was made by Python {major}.{minor}.{micro}, and {} is {} now",
            base.display(),
            facts.version_string()
        );
        let remedy = if facts.version[..2] == made_by[..2] {
            self.upgrade(Some(&word(base)))
        } else {
            match self.successor(Some(base), discovery)? {
                Some(path) => self.upgrade(Some(&word(&path))),
                None => format!(
                    "make it anew: rvenv --clear -p {} {}",
                    word(base),
                    self.shown
                ),
            }
        };
        self.found(Kind::Version, problem, remedy);
        Ok(())
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
