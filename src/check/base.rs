//! Checks an environment against its base Python, and finds the Python that could replace a missing one.

use std::path::{Path, PathBuf};

use fs_err as fs;

use super::{Environment, Kind};
use crate::error::Error;
use crate::interpreter::discovery::Discovery;
use crate::interpreter::{Interpreter, on_disk};

/// A base Python that was found through one of its names.
struct Candidate {
    path: PathBuf,
    facts: Interpreter,
}

impl Environment {
    /// Finds the base Python and the Python that an upgrade would use. Returns the facts about the base Python.
    pub(super) fn check_base(
        &mut self,
        discovery: &Discovery<'_>,
    ) -> Result<Option<Interpreter>, Error> {
        let links = self.links();
        let home = self.value("home").map(PathBuf::from);
        let candidates = self.base_candidates(home.as_deref(), &links);
        let mut why = None;
        let mut first_working =
            |paths: Vec<PathBuf>| self.first_working(paths, &mut why, discovery);
        let linked = first_working(targets(&links))?;
        let in_home = first_working(candidates)?;
        let has_own_minor = |candidate: &&Candidate| {
            self.minor
                .is_none_or(|minor| candidate.facts.version[..2] == minor)
        };
        let both = [linked.as_ref(), in_home.as_ref()];
        let matching = both.into_iter().flatten().find(has_own_minor);
        let (base, facts) = match matching {
            Some(candidate) => (
                Some(self.name_of(&candidate.path)),
                Some(candidate.facts.clone()),
            ),
            None => (self.successor(discovery)?, None),
        };
        self.base = base;
        let remedy = self.upgrade();
        let is_dated = self.value("version").is_some() || self.value("version_info").is_some();
        if home.is_none() || !is_dated {
            let message = if self.configuration.trim().is_empty() {
                "pyvenv.cfg is missing or empty"
            } else if home.is_none() {
                "pyvenv.cfg has no home key"
            } else {
                "pyvenv.cfg has no version key"
            };
            self.report(Kind::Configuration, message, remedy.clone());
        }
        match (&linked, &in_home) {
            (None, None) => self.without_base(why, home.as_deref(), &links, remedy.clone()),
            (Some(linked), Some(in_home)) if !is_same(linked, in_home) => {
                let message = format!(
                    "home in pyvenv.cfg is {}, but bin/python links to {}",
                    home.unwrap_or_default().display(),
                    linked.path.display()
                );
                self.report(Kind::BaseMismatch, message, remedy.clone());
            }
            (Some(linked), None) if home.is_some() => {
                let message = format!(
                    "home in pyvenv.cfg is {}, which has no Python; bin/python links to {}",
                    home.unwrap_or_default().display(),
                    linked.path.display()
                );
                self.report(Kind::BaseMismatch, message, remedy.clone());
            }
            (Some(candidate), _) | (None, Some(candidate)) if matching.is_none() => {
                let [major, minor] = self.minor.unwrap_or_default();
                let message = format!(
                    "the environment was created by Python {major}.{minor}, but {} is now {}",
                    candidate.path.display(),
                    candidate.facts.version_string()
                );
                self.report(Kind::BaseVersion, message, remedy.clone());
            }
            _ => self.check_versions(facts.as_ref(), remedy.as_ref()),
        }
        if linked.is_some() || in_home.is_some() {
            self.check_links(&links, remedy);
        }
        Ok(facts)
    }

    /// Compares the versions that tools read with the base Python. Another patch release is fine, as for `version`.
    fn check_versions(&mut self, base: Option<&Interpreter>, remedy: Option<&String>) {
        let Some(base) = base else { return };
        let minor = base.minor_version();
        for key in ["version_info", "python-version"] {
            let Some(stated) = self.value(key).filter(|stated| {
                let rest = stated.strip_prefix(minor.as_str());
                rest.is_none_or(|rest| !(rest.is_empty() || rest.starts_with('.')))
            }) else {
                continue;
            };
            let message =
                format!("{key} in pyvenv.cfg is {stated}, but the base Python is {minor}");
            self.report(Kind::Configuration, message, remedy.cloned());
        }
    }

    fn check_links(&mut self, links: &[PathBuf], remedy: Option<String>) {
        let python = self.bin.join(if cfg!(windows) {
            "python.exe"
        } else {
            "python"
        });
        for link in links.iter().filter(|link| !link.exists()) {
            let target = fs::read_link(link).unwrap_or_default();
            let message = format!(
                "{} is a broken symlink ({})",
                self.relative(link),
                target.display()
            );
            self.report(Kind::BrokenLink, message, remedy.clone());
        }
        if fs::symlink_metadata(&python).is_err() {
            let message = format!("{} is missing", self.relative(&python));
            self.report(Kind::PythonMissing, message, remedy);
        }
    }

    /// The first path that is a working Python. The first one that is not is stored in `why` with the reason.
    fn first_working(
        &self,
        paths: Vec<PathBuf>,
        why: &mut Option<(PathBuf, String)>,
        discovery: &Discovery<'_>,
    ) -> Result<Option<Candidate>, Error> {
        for path in paths {
            // The environment's own names do not tell which Python is its base.
            let is_own = fs::canonicalize(path.parent().unwrap_or(&path)).ok()
                == fs::canonicalize(&self.bin).ok();
            if is_own || !path.is_file() {
                continue;
            }
            match discovery.facts(&path) {
                Ok(facts) => return Ok(Some(Candidate { path, facts })),
                Err(error @ Error::Interrupted { .. }) => return Err(error),
                Err(error) => {
                    why.get_or_insert((path, error.to_string()));
                }
            }
        }
        Ok(None)
    }

    /// The executables that `pyvenv.cfg` could mean, the most likely first.
    fn base_candidates(&self, home: Option<&Path>, links: &[PathBuf]) -> Vec<PathBuf> {
        let Some(home) = home else {
            return Vec::new();
        };
        let minor = self
            .minor
            .map(|[major, minor]| format!("python{major}.{minor}"));
        let names = ["python3", "python", "pypy3", "pypy", "python.exe"];
        let names = names.into_iter().chain(minor.as_deref());
        // A directory like /usr/bin contains several Pythons: prefer the one that is linked.
        let linked = targets(links);
        let linked = linked.iter().filter_map(|target| target.file_name());
        let mut paths: Vec<_> = linked.map(|name| home.join(name)).collect();
        paths.extend(names.map(|name| home.join(name)));
        let executable = self.value("executable").map(PathBuf::from);
        // `home` tells where the library is; `executable` may be a link in another directory.
        paths.extend(executable.filter(|path| path.parent() == Some(home)));
        paths
    }

    /// The names of the environment's Python. Those of another minor version are ignored.
    fn links(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.bin).into_iter().flatten().flatten();
        let is_own = |name: &str| {
            let plain = ["python", "python3", "pypy", "pypy3", "\u{1d70b}thon"];
            plain.contains(&name)
                || on_disk::named(name).is_some_and(|candidates| {
                    self.minor
                        .is_none_or(|minor| [candidates.major, candidates.minor] == minor)
                })
        };
        let mut names: Vec<_> = entries
            .filter(|entry| {
                let name = entry.file_name();
                let name = name.to_string_lossy();
                let name = name.strip_suffix(std::env::consts::EXE_SUFFIX);
                name.is_some_and(is_own)
            })
            .map(|entry| entry.path())
            .collect();
        names.sort();
        names
    }

    /// The base Python under the name that lets an upgrade replace every broken link.
    fn name_of(&self, base: &Path) -> PathBuf {
        let dangling = self.links().into_iter().find(|link| {
            let name = link.file_name().and_then(|name| name.to_str());
            !link.exists() && name.and_then(on_disk::named).is_some()
        });
        let like = dangling
            .as_deref()
            .and_then(Path::file_name)
            .map(|name| base.with_file_name(name));
        let like = like.filter(|like| fs::canonicalize(like).ok() == fs::canonicalize(base).ok());
        like.unwrap_or_else(|| base.into())
    }

    /// Reports that the base Python does not exist or does not work.
    fn without_base(
        &mut self,
        why: Option<(PathBuf, String)>,
        home: Option<&Path>,
        links: &[PathBuf],
        remedy: Option<String>,
    ) {
        if let Some((_, why)) = why {
            let message = format!("the base Python does not work: {why}");
            self.report(Kind::BaseBroken, message, remedy);
            return;
        }
        let Some(home) = home else { return };
        let is_own = fs::canonicalize(home).is_ok_and(|home| {
            fs::canonicalize(&self.env_dir).is_ok_and(|env_dir| home.starts_with(env_dir))
        });
        let message = if is_own {
            "pyvenv.cfg names the environment itself as its base Python".to_owned()
        } else {
            let missing = targets(links).into_iter().next();
            let missing = missing.unwrap_or_else(|| home.to_path_buf());
            format!("the base Python {} does not exist", missing.display())
        };
        self.report(Kind::BaseMissing, message, remedy);
    }

    /// Another Python of the same minor version.
    fn successor(&self, discovery: &Discovery<'_>) -> Result<Option<PathBuf>, Error> {
        let Some([major, minor]) = self.minor else {
            return Ok(None);
        };
        let version = self.value("version").or_else(|| self.value("version_info"));
        let micro = version
            .and_then(|version| version.split('.').nth(2)?.parse().ok())
            .unwrap_or(0);
        let mut others = discovery.all()?;
        others.retain(|other| {
            let traits = &other.traits;
            (traits.major, traits.minor) == (major, minor)
                // The packages directory has their version in its name.
                && self.site_packages_of(traits).is_dir()
        });
        others.sort_by_key(|other| other.traits.micro.map_or(0, |other| other.abs_diff(micro)));
        for other in others {
            // A Python that does not work is no replacement.
            match discovery.facts(&other.path) {
                Ok(_) => return Ok(Some(other.path)),
                Err(error @ Error::Interrupted { .. }) => return Err(error),
                Err(_) => {}
            }
        }
        Ok(None)
    }
}

/// The targets of the links that point outside of the environment.
fn targets(links: &[PathBuf]) -> Vec<PathBuf> {
    let targets = links.iter().filter_map(|link| {
        let target = fs::read_link(link).ok()?;
        target.is_absolute().then_some(target)
    });
    targets.collect()
}

/// Whether both are the same installation.
fn is_same(one: &Candidate, other: &Candidate) -> bool {
    let base = |candidate: &Candidate| fs::canonicalize(&candidate.facts.stdlib).ok();
    one.facts.version == other.facts.version && base(one) == base(other)
}
