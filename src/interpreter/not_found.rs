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

/// The most of one kind in a message.
const SHOWN: usize = 12;

/// The candidates that were skipping.
#[derive(Debug, Default)]
pub(crate) struct NotFound {
    /// Pythons that are not what was asked for.
    unfit: Vec<(Traits, PathBuf)>,
    /// What is no Python that works, with the reason.
    broken: Vec<(PathBuf, String)>,
}

impl NotFound {
    pub(crate) fn unfit(&mut self, traits: Traits, path: PathBuf) {
        self.unfit.push((traits, path));
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

    /// The error for what was asked for.
    pub(crate) fn into_error(
        mut self,
        asked: &[String],
        requests: &[Request],
        environment: &Env,
    ) -> Error {
        if self.unfit.is_empty() && self.broken.len() == 1 {
            let (path, reason) = self.broken.remove(0);
            return Error::UnusablePython { path, reason };
        }
        let mut seen = HashSet::new();
        self.unfit.retain(|(_, path)| {
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
        let found = self.unfit.iter();
        let found = found.map(|(traits, path)| format!("{traits} at {}", path.display()));
        list(&mut searched, "found", found.collect());
        let broken = self.broken.iter();
        let broken = broken.map(|(path, reason)| format!("{}: {reason}", path.display()));
        list(&mut searched, "skipping", broken.collect());
        Error::PythonNotFound {
            request,
            searched,
            nearest: self.nearest(requests),
        }
    }

    /// The found one that is the least different.
    fn nearest(&self, requests: &[Request]) -> Option<String> {
        let wanted = requests.iter().find_map(|request| match request {
            Request::Wanted(wanted) => Some(wanted),
            _ => None,
        })?;
        let usable = self.unfit.iter().filter(|(traits, _)| !traits.is_too_old());
        let (traits, path) = usable.min_by_key(|(traits, _)| wanted.distance(traits))?;
        Some(format!("{traits} (-p {})", path.display()))
    }
}

/// Where these requests were sought.
fn sought(requests: &[Request], environment: &Env) -> String {
    let by_name = |request: &Request| !matches!(request, Request::Path(_));
    let by_property = |request: &Request| matches!(request, Request::Wanted(_));
    let mut sought = Vec::new();
    for request in requests {
        if let Request::Path(path) = request {
            sought.push(no_python_at(path, environment));
        }
    }
    if requests.iter().any(by_name) {
        let folders = path_folders(environment);
        sought.push(match environment.var("PATH") {
            None => "PATH is empty".into(),
            Some(path) if folders.len() <= SHOWN => {
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
            sought.push(format!("or among the Pythons of {}", places.join(", ")));
        }
    }
    sought.join(", ")
}

/// Why nothing was found at a path that was named.
fn no_python_at(text: &str, environment: &Env) -> String {
    let path = absolute(Path::new(text), environment.cwd.as_deref());
    let path = path.unwrap_or_else(|_| text.into());
    if let Some(target) = broken_link(&path) {
        return format!("{} is a broken symlink to {}", repr(text), repr(&target));
    }
    if !path.is_dir() {
        return format!("no such file: {}", repr(text));
    }
    let said = format!("no Python in {}", repr(text));
    let folder = if cfg!(windows) { "Scripts" } else { "bin" };
    let names = ["python3", "python", "pypy3", "pypy"].map(|name| format!("{folder}/{name}"));
    let broken = names
        .into_iter()
        .find_map(|name| Some((broken_link(&path.join(&name))?, name)));
    match broken {
        Some((target, name)) => format!("{said}: {name} is a broken symlink to {}", repr(&target)),
        None => said,
    }
}

/// The target of a broken link.
fn broken_link(path: &Path) -> Option<String> {
    let target = fs_err::read_link(path).ok().filter(|_| !path.exists())?;
    Some(target.to_string_lossy().into_owned())
}

fn list(text: &mut String, title: &str, lines: Vec<String>) {
    let more = lines.len().saturating_sub(SHOWN);
    for line in lines.into_iter().take(SHOWN) {
        write!(text, "\n  {title}: {line}").expect("writing to a String cannot fail");
    }
    if more > 0 {
        write!(text, "\n  {title}: {more} more").expect("writing to a String cannot fail");
    }
}
