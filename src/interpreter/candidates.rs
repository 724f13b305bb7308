//! The paths that a request could mean, in the order in which they are tried. They are computed one at a time.

use std::collections::HashSet;
use std::env::consts::EXE_SUFFIX;
use std::iter;
use std::path::{Path, PathBuf};

use fs_err as fs;

use crate::interpreter::locations;
use crate::interpreter::locations::Source;
use crate::interpreter::on_disk;
use crate::interpreter::registry;
use crate::interpreter::request::{Fit, Request, Wanted};
use crate::sys::env::Env;
use crate::sys::paths::absolute;

/// A path to look at, absolute and as it would be invoked: links are not resolved.
#[derive(Debug)]
pub(crate) struct Candidate {
    pub(crate) path: PathBuf,
    pub(crate) source: Source,
}

type Candidates<'a> = Box<dyn Iterator<Item = Candidate> + 'a>;

/// The candidates of one request.
pub(crate) fn candidates<'a>(request: &'a Request, environment: &'a Env) -> Candidates<'a> {
    match request {
        Request::Path(text) => {
            // Blanks around a path are its own only if there is such a file.
            let bare = text.trim();
            let bare = Some(bare).filter(|bare| bare.len() < text.len());
            let bare = bare.into_iter();
            let bare = bare.flat_map(move |bare| named_directly(bare, environment));
            Box::new(named_directly(text, environment).chain(bare))
        }
        Request::Name(name) => {
            // The directory of an environment may be given without a slash.
            let folder = iter::once_with(|| named_directly(name, environment))
                .flatten()
                .filter(move |candidate| !candidate.path.ends_with(name));
            Box::new(on_path(name, environment).chain(folder))
        }
        Request::Wanted(wanted) => {
            let literal = wanted.name.iter();
            let literal = literal.flat_map(|name| on_path(name, environment));
            let path = iter::once_with(|| path_folders(environment)).flatten();
            let path = path.flat_map(|folder| in_folder(folder, Source::Path, wanted));
            let elsewhere = iter::once_with(|| locations::all(environment)).flatten();
            let elsewhere = elsewhere.flat_map(move |place| {
                let folders = place.folders().into_iter();
                folders
                    .filter(|folder| !is_environment(folder))
                    .flat_map(move |folder| in_folder(folder, place.source, wanted))
            });
            Box::new(literal.chain(path).chain(elsewhere).chain(registered()))
        }
    }
}

/// Every candidate that looks like a Python by its name, for a list of all.
pub(crate) fn everything(environment: &Env) -> impl Iterator<Item = Candidate> {
    let path = path_folders(environment).into_iter();
    let path = path.map(|folder| (folder, Source::Path));
    let places = locations::all(environment).into_iter().flat_map(|place| {
        let folders = place.folders().into_iter();
        folders
            .filter(|folder| !is_environment(folder))
            .map(move |folder| (folder, place.source))
    });
    let in_folders = path.chain(places).flat_map(|(folder, source)| {
        let usual = ["python3", "python", "pypy3", "pypy"].map(|name| executable(&folder, name));
        let versioned = versioned(&folder).into_iter().map(|(_, path)| path);
        let paths: Vec<_> = usual.into_iter().chain(versioned).collect();
        paths
            .into_iter()
            .map(move |path| Candidate { path, source })
    });
    in_folders.chain(registered())
}

/// What the registry names.
fn registered() -> impl Iterator<Item = Candidate> {
    iter::once_with(registry::executables)
        .flatten()
        .map(|path| Candidate {
            path,
            source: Source::Registry,
        })
}

/// The folders on PATH, absolute and each once.
pub(crate) fn path_folders(environment: &Env) -> Vec<PathBuf> {
    let Some(path) = environment.var("PATH") else {
        return Vec::new();
    };
    let mut seen = HashSet::new();
    std::env::split_paths(path)
        // venv would write links that point nowhere if they were relative.
        .filter_map(|folder| absolute(&folder, environment.cwd.as_deref()).ok())
        .filter(|folder| seen.insert(folder.clone()))
        .collect()
}

/// The executables of an installation prefix or an environment, or of a folder of executables.
fn named_directly<'a>(text: &str, environment: &Env) -> Candidates<'a> {
    let Ok(path) = absolute(Path::new(text), environment.cwd.as_deref()) else {
        return Box::new(iter::empty());
    };
    let source = Source::Request;
    if !path.is_dir() {
        return Box::new(iter::once(Candidate { path, source }));
    }
    let folders = if cfg!(windows) {
        vec![path.join("Scripts"), path]
    } else {
        vec![path.join("bin"), path]
    };
    Box::new(folders.into_iter().flat_map(move |folder| {
        let names = ["python3", "python", "pypy3", "pypy"];
        let usual = names.map(|name| executable(&folder, name));
        let versioned = iter::once_with(move || versioned(&folder)).flatten();
        let paths = usual.into_iter().chain(versioned.map(|(_, path)| path));
        let paths = paths.filter(|path| path.is_file());
        paths.map(move |path| Candidate { path, source })
    }))
}

fn on_path<'a>(name: &'a str, environment: &'a Env) -> impl Iterator<Item = Candidate> + 'a {
    iter::once_with(|| path_folders(environment))
        .flatten()
        .map(|folder| Candidate {
            path: executable(&folder, name),
            source: Source::Path,
        })
}

/// What a folder may hold of a wanted Python; it is listed only if none of the usual names was what was wanted.
fn in_folder(
    folder: PathBuf,
    source: Source,
    wanted: &Wanted,
) -> impl Iterator<Item = Candidate> + use<> {
    let names = wanted.names();
    let usual: Vec<_> = names.iter().map(|name| executable(&folder, name)).collect();
    let listed = wanted.may_have_any_minor().then_some(folder);
    let wanted = wanted.clone();
    let versioned = listed.into_iter().flat_map(move |folder| {
        let mut found = versioned(&folder);
        found.retain(|(traits, _)| {
            wanted.is_meant_unnamed(traits) && wanted.fits(traits) != Fit::No
        });
        found
    });
    let paths = usual.into_iter().chain(versioned.map(|(_, path)| path));
    paths.map(move |path| Candidate { path, source })
}

/// The executables in a directory with a version in their names, the newest first.
fn versioned(folder: &Path) -> Vec<(crate::interpreter::version::Traits, PathBuf)> {
    // Entries that cannot be read are of no use to anybody.
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<_> = entries
        .filter_map(|entry| {
            let name = entry.file_name();
            let name = name.to_str()?;
            let name = name.strip_suffix(EXE_SUFFIX)?;
            Some((on_disk::named(name)?, entry.path()))
        })
        .collect();
    found.sort_by_key(|(traits, path)| {
        std::cmp::Reverse((
            traits.major,
            traits.minor,
            !traits.variant.free_threaded,
            path.clone(),
        ))
    });
    found
}

fn executable(folder: &Path, name: &str) -> PathBuf {
    if name.ends_with(EXE_SUFFIX) {
        folder.join(name)
    } else {
        folder.join(format!("{name}{EXE_SUFFIX}"))
    }
}

/// Whether a folder of executables is an environment's.
pub(crate) fn is_environment(folder: &Path) -> bool {
    folder
        .parent()
        .is_some_and(|prefix| prefix.join("pyvenv.cfg").is_file())
        || (cfg!(windows) && folder.join("pyvenv.cfg").is_file())
}
