//! Finds the requested Python: tries one candidate after the other, and starts one only if its files do not tell enough.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::Interpreter;
use super::probe;
use super::request::{Fit, Request};
use crate::cache::Store;
use crate::error::Error;
use crate::interpreter::candidates;
use crate::interpreter::candidates::Candidate;
use crate::interpreter::locations;
use crate::interpreter::locations::Source;
use crate::interpreter::not_found::NotFound;
use crate::interpreter::on_disk;
use crate::interpreter::shims;
use crate::interpreter::shims::{Asked, Resolved};
use crate::interpreter::version::Traits;
use crate::sys::env::Env;
use crate::sys::fs::{Identity, is_executable};
use crate::sys::signal::Interrupt;
use crate::terminal::log::Log;

/// Everything that decides which Python is found.
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

/// What a candidate turned out to be.
enum Verdict {
    Fits(Box<Interpreter>),
    Unfit(Traits, PathBuf),
    Broken(PathBuf, String),
    /// A shim asks for a Python that is not installed, for this reason.
    NotInstalled(PathBuf, String),
    Nothing,
}

/// A candidate with its shims followed.
enum Executable {
    /// It can be started under this path.
    At(PathBuf),
    /// A shim that only running it can resolve.
    Opaque(PathBuf),
    /// A version manager's shim of this kind, and what is known of the version that it is asked for.
    Managed(PathBuf, Option<Asked>),
    Broken(PathBuf, String),
    NotInstalled(PathBuf, String),
    Nothing,
}

impl Discovery<'_> {
    /// The first Python that one of the requests means, as it answers under the name it was found by; without any request,
    /// what `python3` or `python` would start.
    ///
    /// # Errors
    ///
    /// [`Error::PythonNotFound`] with the places that were searched, [`Error::UnusablePython`] with what is wrong
    /// with the only one there is, [`Error::Request`] which one is not understood, [`Error::Interrupted`].
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

    /// Ends the search with the Python or an error; with `None` if the next request is to be tried.
    fn try_candidate(
        &self,
        candidate: &Candidate,
        request: &Request,
        seen: &mut HashSet<PathBuf>,
        not_found: &mut NotFound,
    ) -> ControlFlow<Option<Result<Interpreter, Error>>> {
        match self.judge(candidate, request, seen) {
            Err(error) => return ControlFlow::Break(Some(Err(error))),
            Ok(Verdict::Fits(interpreter)) => return ControlFlow::Break(Some(Ok(*interpreter))),
            Ok(Verdict::Unfit(traits, path)) => {
                self.log
                    .say(|| format!("skipping {traits} at {}", path.display()));
                not_found.unfit(traits, path);
            }
            Ok(Verdict::Broken(path, reason)) => {
                self.log
                    .say(|| format!("skipping {}: {reason}", path.display()));
                not_found.broken(path, reason);
            }
            Ok(Verdict::NotInstalled(path, reason)) => {
                not_found.broken(path, reason);
                // Starting that command gives this error, and no other Python.
                if request.is_a_command() {
                    return ControlFlow::Break(None);
                }
            }
            Ok(Verdict::Nothing) => {}
        }
        ControlFlow::Continue(())
    }

    /// Every Python on this machine, each installation once, in the order in which they would be found.
    ///
    /// # Errors
    ///
    /// [`Error::Interrupted`].
    pub(crate) fn all(&self) -> Result<Vec<Found>, Error> {
        // Names of the same file, by links of either kind, are one Python.
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

    /// The Python at a candidate, if there is one that was not seen before.
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
        // An environment's Python is its base's.
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

    fn judge(
        &self,
        candidate: &Candidate,
        request: &Request,
        seen: &mut HashSet<PathBuf>,
    ) -> Result<Verdict, Error> {
        if !seen.insert(candidate.path.clone()) {
            return Ok(Verdict::Nothing);
        }
        let (path, is_opaque, managed) = match self.follow(&candidate.path) {
            Executable::At(path) => (path, false, None),
            Executable::Opaque(path) => (path, true, None),
            Executable::Managed(path, asked) => (path, true, Some(asked)),
            Executable::Broken(path, reason) => return Ok(Verdict::Broken(path, reason)),
            Executable::NotInstalled(path, reason) => {
                return Ok(Verdict::NotInstalled(path, reason));
            }
            Executable::Nothing => return Ok(Verdict::Nothing),
        };
        if path != candidate.path && !seen.insert(path.clone()) {
            return Ok(Verdict::Nothing);
        }
        let is_meant = |traits: &Traits| match request {
            Request::Wanted(wanted) => {
                let is_near = matches!(candidate.source, Source::Path);
                if is_near || wanted.is_meant_unnamed(traits) {
                    wanted.fits(traits)
                } else {
                    Fit::No
                }
            }
            _ => Fit::Yes,
        };
        if matches!(request, Request::Wanted(_)) && !is_opaque {
            let traits = on_disk::read(&path);
            if let Some(traits) = traits.filter(|traits| is_meant(traits) == Fit::No) {
                return Ok(Verdict::Unfit(traits, path));
            }
        }
        match self.facts(&path) {
            // It went on to the system's Python.
            Ok(facts) if is_another(&facts, managed.as_ref()) => Ok(Verdict::NotInstalled(
                path,
                not_installed(
                    managed.flatten(),
                    &format!("it starts {}", facts.executable),
                ),
            )),
            Ok(facts) => {
                let traits = Traits::from(&facts);
                Ok(match is_meant(&traits) {
                    Fit::Yes => Verdict::Fits(Box::new(facts)),
                    _ => Verdict::Unfit(traits, path),
                })
            }
            Err(Error::UnusablePython { path, reason }) if managed.is_some() => Ok(
                Verdict::NotInstalled(path, not_installed(managed.flatten(), &reason)),
            ),
            Err(Error::UnusablePython { path, reason }) => Ok(Verdict::Broken(path, reason)),
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

    /// What the Python at `path` answers, now or when it was asked before.
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
        // A shim may resolve to another Python tomorrow, so its answer is not cached.
        if Path::new(&facts.executable) == path {
            self.store.keep_facts(path, self.environment, &facts);
        }
        Ok(facts)
    }

    /// The source of `path`, which may have been reached through a shim on PATH.
    fn source(&self, path: &Path, source: Source) -> Source {
        if source != Source::Path {
            return source;
        }
        let places = locations::all(self.environment);
        let mut keepers = places.iter().filter(|place| {
            !matches!(place.source, Source::UsrLocal | Source::Opt) && path.starts_with(&place.root)
        });
        keepers.next().map_or(source, |place| place.source)
    }
}

/// Whether a version manager that was asked for a version has started another one.
fn is_another(facts: &Interpreter, managed: Option<&Option<Asked>>) -> bool {
    let Some(Some(asked)) = managed else {
        return false;
    };
    // Any other word may mean any Python.
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

fn not_installed(asked: Option<Asked>, said: &str) -> String {
    match asked {
        Some(Asked { version, origin }) => {
            format!("version {version} is not installed (requested by {origin}): {said}")
        }
        None => said.to_owned(),
    }
}

fn base(facts: &Interpreter, path: &Path) -> PathBuf {
    if path.parent().is_some_and(candidates::is_environment) {
        PathBuf::from(&facts.base_executable)
    } else {
        PathBuf::from(&facts.executable)
    }
}
