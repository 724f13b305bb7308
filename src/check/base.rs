//! What is wrong between an environment and its base Python, and which Python could take its place.
//!
//! Knows nothing of what is installed in the environment.

use std::path::{Path, PathBuf};

use fs_err as fs;

use super::{Environment, Kind, word};
use crate::error::Error;
use crate::interpreter::discovery::Discovery;
use crate::interpreter::{Interpreter, landmarks};

impl Environment {
    /// Looks for the base Python; returns the one that an upgrade would take.
    pub(super) fn base(&mut self, discovery: &Discovery<'_>) -> Result<Option<PathBuf>, Error> {
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
}
