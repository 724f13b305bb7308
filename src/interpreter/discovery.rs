//! Finds the requested Python. Candidates are tried one after the other. One is only started if its files do not tell
//! its version.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::Interpreter;
use super::probe;
use super::request::{Match, Request};
use crate::cache::Store;
use crate::error::Error;
use crate::interpreter::candidates;
use crate::interpreter::candidates::Candidate;
use crate::interpreter::locations;
use crate::interpreter::locations::Source;
use crate::interpreter::not_found::NotFound;
use crate::interpreter::on_disk;
use crate::interpreter::shims;
use crate::interpreter::shims::{Resolved, SelectedVersion};
use crate::interpreter::version::Traits;
use crate::sys::env::Env;
use crate::sys::fs::{Identity, is_executable};
use crate::sys::signal::Interrupt;
use crate::terminal::log::Log;

/// Everything that determines which Python is found.
pub(crate) struct Discovery<'a> {
    pub(crate) environment: &'a Env,
    pub(crate) store: Store,
    pub(crate) interrupt: &'a Interrupt,
    pub(crate) log: Log,
}

/// A Python on this machine.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) traits: Traits,
    pub(crate) path: PathBuf,
    pub(crate) source: Source,
}

/// The result for a candidate.
enum Outcome {
    Matches(Box<Interpreter>),
    Mismatch(Traits, PathBuf),
    Broken(PathBuf, String),
    /// A shim for a Python that is not installed, with the reason.
    NotInstalled(PathBuf, String),
    Nothing,
}

/// A candidate after its shims were resolved.
enum Executable {
    /// The path to start.
    At(PathBuf),
    /// A shim that must be started to be resolved.
    Opaque(PathBuf),
    /// The shim of a version manager, and the version that it selects if that is known.
    Managed(PathBuf, Option<SelectedVersion>),
    Broken(PathBuf, String),
    NotInstalled(PathBuf, String),
    Nothing,
}

impl Discovery<'_> {
    /// The first Python that matches one of the requests, queried under the name by which it was found. Without a
    /// request it is the one that `python3` or `python` would start.
    ///
    /// # Errors
    ///
    /// [`Error::PythonNotFound`] with the places that were searched, [`Error::UnusablePython`] if the only candidate
    /// does not work, [`Error::Request`] if a request is not valid, [`Error::Interrupted`].
    pub(crate) fn find(&self, asked: &[String]) -> Result<Interpreter, Error> {
        let default = ["python3".to_owned()];
        let texts = if asked.is_empty() { &default } else { asked };
        let parse =
            |text: &String| Request::parse(text).map_err(|reason| Error::Request { reason });
        let requests = texts.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
        let mut not_found = NotFound::default();
        for request in &requests {
            let mut seen = HashSet::new();
            let searched = candidates::visit(request, self.environment, &mut |candidate| {
                self.try_candidate(&candidate, request, &mut seen, &mut not_found)
            });
            if let ControlFlow::Break(Some(found)) = searched {
                return found;
            }
        }
        Err(not_found.into_error(asked, &requests, self.environment))
    }

    /// Ends the search with a Python or an error, or with `None` to try the next request.
    fn try_candidate(
        &self,
        candidate: &Candidate,
        request: &Request,
        seen: &mut HashSet<PathBuf>,
        not_found: &mut NotFound,
    ) -> ControlFlow<Option<Result<Interpreter, Error>>> {
        match self.check_candidate(candidate, request, seen) {
            Err(error) => return ControlFlow::Break(Some(Err(error))),
            Ok(Outcome::Matches(interpreter)) => return ControlFlow::Break(Some(Ok(*interpreter))),
            Ok(Outcome::Mismatch(traits, path)) => {
                self.log
                    .say(|| format!("skipping {traits} at {}", path.display()));
                not_found.add_mismatch(traits, path);
            }
            Ok(Outcome::Broken(path, reason)) => {
                self.log
                    .say(|| format!("skipping {}: {reason}", path.display()));
                not_found.broken(path, reason);
            }
            Ok(Outcome::NotInstalled(path, reason)) => {
                not_found.broken(path, reason);
                // The command itself would fail with this error instead of starting another Python.
                if request.is_a_command() {
                    return ControlFlow::Break(None);
                }
            }
            Ok(Outcome::Nothing) => {}
        }
        ControlFlow::Continue(())
    }

    /// Every Python on this machine, each installation once, in search order.
    ///
    /// # Errors
    ///
    /// [`Error::Interrupted`].
    pub(crate) fn all(&self) -> Result<Vec<Found>, Error> {
        // Paths of the same file, through symlinks or hard links, are one Python.
        let mut seen = Vec::new();
        let mut is_new = |path: &Path| {
            let identity = Identity::of(path);
            let is_new = !seen.contains(&identity);
            seen.push(identity);
            is_new
        };
        let mut found = Vec::new();
        let searched = candidates::visit_all(self.environment, &mut |candidate| {
            match self.look_at(&candidate, &mut is_new) {
                Ok(one) => found.extend(one),
                Err(error) => return ControlFlow::Break(error),
            }
            ControlFlow::Continue(())
        });
        match searched {
            ControlFlow::Break(error) => Err(error),
            ControlFlow::Continue(()) => Ok(found),
        }
    }

    /// The Python at a candidate, if it was not found before.
    fn look_at(
        &self,
        candidate: &Candidate,
        is_new: &mut impl FnMut(&Path) -> bool,
    ) -> Result<Option<Found>, Error> {
        let (path, is_opaque) = match self.follow(&candidate.path) {
            Executable::At(path) => (path, false),
            Executable::Opaque(path) | Executable::Managed(path, _) => (path, true),
            Executable::Broken(..) | Executable::NotInstalled(..) | Executable::Nothing => {
                return Ok(None);
            }
        };
        // The Python of an environment is listed as its base Python.
        let must_ask = is_opaque || path.parent().is_some_and(candidates::is_environment);
        if !must_ask && !is_new(&path) {
            return Ok(None);
        }
        let known = on_disk::read(&path);
        if known.as_ref().is_some_and(Traits::is_too_old) {
            return Ok(None);
        }
        let known = known.filter(|traits| traits.micro.is_some());
        let (traits, path) = match known.filter(|_| !must_ask) {
            Some(traits) => (traits, path),
            None => match self.facts(&path) {
                Ok(facts) => ((&facts).into(), base(&facts, &path)),
                Err(error @ Error::Interrupted { .. }) => return Err(error),
                Err(error) if error.is_limit() => return Err(error),
                Err(error) => {
                    self.log.say(|| format!("skipping: {error}"));
                    return Ok(None);
                }
            },
        };
        if must_ask && !is_new(&path) {
            return Ok(None);
        }
        Ok(Some(Found {
            source: self.source(&path, candidate.source),
            traits,
            path,
        }))
    }

    fn check_candidate(
        &self,
        candidate: &Candidate,
        request: &Request,
        seen: &mut HashSet<PathBuf>,
    ) -> Result<Outcome, Error> {
        if !seen.insert(candidate.path.clone()) {
            return Ok(Outcome::Nothing);
        }
        let (path, is_opaque, managed) = match self.follow(&candidate.path) {
            Executable::At(path) => (path, false, None),
            Executable::Opaque(path) => (path, true, None),
            Executable::Managed(path, asked) => (path, true, Some(asked)),
            Executable::Broken(path, reason) => return Ok(Outcome::Broken(path, reason)),
            Executable::NotInstalled(path, reason) => {
                return Ok(Outcome::NotInstalled(path, reason));
            }
            Executable::Nothing => return Ok(Outcome::Nothing),
        };
        if path != candidate.path && !seen.insert(path.clone()) {
            return Ok(Outcome::Nothing);
        }
        let matches_request = |traits: &Traits| match request {
            Request::Version(wanted) => {
                let is_near = matches!(candidate.source, Source::Path);
                if is_near || wanted.matches_default_python(traits) {
                    wanted.matches(traits)
                } else {
                    Match::No
                }
            }
            _ => Match::Yes,
        };
        if matches!(request, Request::Version(_)) && !is_opaque {
            let traits = on_disk::read(&path);
            if let Some(traits) = traits.filter(|traits| matches_request(traits) == Match::No) {
                return Ok(Outcome::Mismatch(traits, path));
            }
        }
        match self.facts(&path) {
            // The version manager fell back to the system's Python.
            Ok(facts) if is_other_version(&facts, managed.as_ref()) => Ok(Outcome::NotInstalled(
                path,
                not_installed(
                    managed.flatten(),
                    &format!("it starts {}", facts.executable),
                ),
            )),
            Ok(facts) => {
                let traits = Traits::from(&facts);
                Ok(match matches_request(&traits) {
                    Match::Yes => Outcome::Matches(Box::new(facts)),
                    _ => Outcome::Mismatch(traits, path),
                })
            }
            Err(Error::UnusablePython { path, reason }) if managed.is_some() => Ok(
                Outcome::NotInstalled(path, not_installed(managed.flatten(), &reason)),
            ),
            Err(Error::UnusablePython { path, reason }) => Ok(Outcome::Broken(path, reason)),
            Err(error) => Err(error),
        }
    }

    fn follow(&self, path: &Path) -> Executable {
        if !is_executable(path) {
            return if path.is_file() {
                Executable::Broken(path.into(), "it is not executable".into())
            } else {
                Executable::Nothing
            };
        }
        match shims::resolve(path, self.environment) {
            Resolved::Itself => Executable::At(path.into()),
            Resolved::To(path) => Executable::At(path),
            Resolved::Nowhere(reason) => Executable::Broken(path.into(), reason),
            Resolved::NotInstalled(reason) => Executable::NotInstalled(path.into(), reason),
            Resolved::Managed(asked) => Executable::Managed(path.into(), asked),
            Resolved::Unknown => Executable::Opaque(path.into()),
        }
    }

    /// The facts about the Python at `path`, from the cache or by querying it.
    ///
    /// # Errors
    ///
    /// [`Error::UnusablePython`], [`Error::Interrupted`].
    pub(crate) fn facts(&self, path: &Path) -> Result<Interpreter, Error> {
        if let Some(facts) = self.store.facts(path, self.environment) {
            return Ok(facts);
        }
        let utf8_mode = self.environment.var("PYTHONUTF8");
        let facts = self.log.wait("querying Python", || {
            probe::ask(path, utf8_mode, self.interrupt)
        })?;
        // A shim may resolve to another Python later, so its facts are not cached.
        if Path::new(&facts.executable) == path {
            self.store.keep_facts(path, self.environment, &facts);
        }
        Ok(facts)
    }

    /// The source of `path`, which may have been found through a shim on PATH.
    fn source(&self, path: &Path, source: Source) -> Source {
        if source != Source::Path {
            return source;
        }
        let places = locations::all(self.environment);
        let mut owners = places.iter().filter(|place| {
            !matches!(place.source, Source::UsrLocal | Source::Opt) && path.starts_with(&place.root)
        });
        owners.next().map_or(source, |place| place.source)
    }
}

/// Whether a version manager started another version than the selected one.
fn is_other_version(facts: &Interpreter, managed: Option<&Option<SelectedVersion>>) -> bool {
    let Some(Some(asked)) = managed else {
        return false;
    };
    // Any other name may stand for any Python.
    let is_number = asked
        .version
        .starts_with(|first: char| first.is_ascii_digit())
        && asked
            .version
            .chars()
            .all(|character| character.is_ascii_digit() || character == '.');
    let prefix = format!("{}.", asked.version);
    is_number && !format!("{}.", facts.version_string()).starts_with(&prefix)
}

fn not_installed(asked: Option<SelectedVersion>, reason: &str) -> String {
    match asked {
        Some(SelectedVersion { version, origin }) => {
            format!("version {version} is not installed (requested by {origin}): {reason}")
        }
        None => reason.to_owned(),
    }
}

fn base(facts: &Interpreter, path: &Path) -> PathBuf {
    if path.parent().is_some_and(candidates::is_environment) {
        PathBuf::from(&facts.base_executable)
    } else {
        PathBuf::from(&facts.executable)
    }
}
