//! Collects what was tried, for the error that no Python was found.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::interpreter::candidates::path_folders;
use crate::interpreter::locations;
use crate::interpreter::request::Request;
use crate::interpreter::version::Traits;
use crate::repr::repr;
use crate::sys::env::Env;
use crate::sys::paths::absolute;

/// The maximum number of entries of each kind in a message.
const MAX_NAMES: usize = 12;

/// The candidates that were skipped.
#[derive(Debug, Default)]
pub(crate) struct NotFound {
    /// Pythons that do not match the request.
    mismatches: Vec<(Traits, PathBuf)>,
    /// Candidates that do not work, with the reason.
    broken: Vec<(PathBuf, String)>,
}

impl NotFound {
    pub(crate) fn add_mismatch(&mut self, traits: Traits, path: PathBuf) {
        self.mismatches.push((traits, path));
    }

    pub(crate) fn broken(&mut self, path: PathBuf, reason: String) {
        let real = |path: &Path| fs_err::canonicalize(path).ok();
        let is_known = |(known, why): &(PathBuf, String)| {
            *known == path || (*why == reason && real(known) == real(&path))
        };
        if !self.broken.iter().any(is_known) {
            self.broken.push((path, reason));
        }
    }

    /// The error for these requests.
    pub(crate) fn into_error(
        mut self,
        asked: &[String],
        requests: &[Request],
        environment: &Env,
    ) -> Error {
        if self.mismatches.is_empty() && self.broken.len() == 1 {
            let (path, reason) = self.broken.remove(0);
            return Error::UnusablePython { path, reason };
        }
        let mut seen = HashSet::new();
        self.mismatches.retain(|(_, path)| {
            seen.insert(fs_err::canonicalize(path).unwrap_or_else(|_| path.clone()))
        });
        let request = match asked {
            [] => "python3 or python".into(),
            asked => asked
                .iter()
                .map(|text| repr(text))
                .collect::<Vec<_>>()
                .join(" or "),
        };
        let mut searched = sought(requests, environment);
        let found = self.mismatches.iter();
        let found = found.map(|(traits, path)| format!("{traits} at {}", path.display()));
        list(&mut searched, "found", found.collect());
        let broken = self.broken.iter();
        let broken = broken.map(|(path, reason)| format!("{}: {reason}", path.display()));
        list(&mut searched, "skipping", broken.collect());
        Error::PythonNotFound {
            request,
            searched,
            closest: self.closest(requests),
        }
    }

    /// The Python that differs least from the request: its version and its executable.
    fn closest(&self, requests: &[Request]) -> Option<(String, PathBuf)> {
        let wanted = requests.iter().find_map(|request| match request {
            Request::Version(wanted) => Some(wanted),
            _ => None,
        })?;
        let usable = self
            .mismatches
            .iter()
            .filter(|(traits, _)| !traits.is_too_old());
        let (traits, path) = usable.min_by_key(|(traits, _)| wanted.distance(traits))?;
        Some((traits.to_string(), path.clone()))
    }
}

/// Where these requests were searched for.
fn sought(requests: &[Request], environment: &Env) -> String {
    let by_name = |request: &Request| !matches!(request, Request::Path(_));
    let by_property = |request: &Request| matches!(request, Request::Version(_));
    let mut searched = Vec::new();
    for request in requests {
        if let Request::Path(path) = request {
            searched.push(no_python_at(path, environment));
        }
    }
    if requests.iter().any(by_name) {
        let folders = path_folders(environment);
        searched.push(match environment.var("PATH") {
            None => "PATH is empty".into(),
            Some(path) if folders.len() <= MAX_NAMES => {
                format!("not found in PATH ({})", path.to_string_lossy())
            }
            Some(_) => format!("not found in the {} directories of PATH", folders.len()),
        });
    }
    if requests.iter().any(by_property) {
        let mut places: Vec<String> = Vec::new();
        for place in locations::all(environment) {
            let name = place.source.to_string();
            if place.root.is_dir() && !places.contains(&name) {
                places.push(name);
            }
        }
        if !places.is_empty() {
            searched.push(format!("or among the Pythons of {}", places.join(", ")));
        }
    }
    searched.join(", ")
}

/// Why there is no Python at a path.
fn no_python_at(text: &str, environment: &Env) -> String {
    let path = absolute(Path::new(text), environment.cwd.as_deref());
    let path = path.unwrap_or_else(|_| text.into());
    if let Some(target) = broken_link(&path) {
        return format!("{} is a broken symlink to {}", repr(text), repr(&target));
    }
    if !path.is_dir() {
        return format!("no such file: {}", repr(text));
    }
    let text = format!("no Python in {}", repr(text));
    let folder = if cfg!(windows) { "Scripts" } else { "bin" };
    let names = ["python3", "python", "pypy3", "pypy"].map(|name| format!("{folder}/{name}"));
    let broken = names
        .into_iter()
        .find_map(|name| Some((broken_link(&path.join(&name))?, name)));
    match broken {
        Some((target, name)) => format!("{text}: {name} is a broken symlink to {}", repr(&target)),
        None => text,
    }
}

/// The target of `path` if it is a broken link.
fn broken_link(path: &Path) -> Option<String> {
    let target = fs_err::read_link(path).ok().filter(|_| !path.exists())?;
    Some(target.to_string_lossy().into_owned())
}

fn list(text: &mut String, title: &str, lines: Vec<String>) {
    let more = lines.len().saturating_sub(MAX_NAMES);
    for line in lines.into_iter().take(MAX_NAMES) {
        write!(text, "\n  {title}: {line}").expect("writing to a String cannot fail");
    }
    if more > 0 {
        write!(text, "\n  {title}: {more} more").expect("writing to a String cannot fail");
    }
}
