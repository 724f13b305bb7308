//! The paths that match a request, in search order. They are computed one at a time.

use std::collections::HashSet;
use std::env::consts::EXE_SUFFIX;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use fs_err as fs;

use crate::interpreter::locations;
use crate::interpreter::locations::Source;
use crate::interpreter::on_disk;
use crate::interpreter::registry;
use crate::interpreter::request::{Match, Request, VersionRequest};
use crate::sys::env::Env;
use crate::sys::paths::absolute;

/// A path to check, absolute and as it would be invoked: links are not resolved.
#[derive(Debug)]
pub(crate) struct Candidate {
    pub(crate) path: PathBuf,
    pub(crate) source: Source,
}

/// Called for each candidate. `Break` ends the search, so that no directory is listed unnecessarily.
type Visit<'a, B> = &'a mut dyn FnMut(Candidate) -> ControlFlow<B>;

/// Visits the candidates for a request.
pub(crate) fn visit<B>(
    request: &Request,
    environment: &Env,
    visit: Visit<'_, B>,
) -> ControlFlow<B> {
    match request {
        Request::Path(text) => {
            from_path(text, environment, visit)?;
            // Spaces around a path are only part of it if such a file exists.
            match text.trim() {
                bare if bare.len() < text.len() => from_path(bare, environment, visit),
                _ => ControlFlow::Continue(()),
            }
        }
        Request::Name(name) => {
            on_path(name, environment, visit)?;
            // The directory of an environment may be given without a slash.
            from_path(name, environment, &mut |candidate| {
                if candidate.path.ends_with(name) {
                    return ControlFlow::Continue(());
                }
                visit(candidate)
            })
        }
        Request::Version(wanted) => {
            if let Some(name) = &wanted.name {
                on_path(name, environment, visit)?;
            }
            visit_folders(environment, &mut |folder, source| {
                in_folder(folder, source, wanted, visit)
            })?;
            registered(visit)
        }
    }
}

/// Visits every file with the name of a Python, for `--list-pythons`.
pub(crate) fn visit_all<B>(environment: &Env, visit: Visit<'_, B>) -> ControlFlow<B> {
    visit_folders(environment, &mut |folder, source| {
        all_executables(folder, source, visit)
    })?;
    registered(visit)
}

/// Visits the directories on PATH, then those in which tools install Pythons.
fn visit_folders<B>(
    environment: &Env,
    visit: &mut dyn FnMut(&Path, Source) -> ControlFlow<B>,
) -> ControlFlow<B> {
    for folder in path_folders(environment) {
        visit(&folder, Source::Path)?;
    }
    for place in locations::all(environment) {
        for folder in place.folders() {
            if !is_environment(&folder) {
                visit(&folder, place.source)?;
            }
        }
    }
    ControlFlow::Continue(())
}

/// Visits every file in a directory with the name of a Python. The directory is listed after the usual names were
/// tried.
fn all_executables<B>(folder: &Path, source: Source, visit: Visit<'_, B>) -> ControlFlow<B> {
    for path in usual(folder) {
        visit(Candidate { path, source })?;
    }
    for (_, path) in versioned(folder) {
        visit(Candidate { path, source })?;
    }
    ControlFlow::Continue(())
}

/// Visits the Pythons in the Windows registry.
fn registered<B>(visit: Visit<'_, B>) -> ControlFlow<B> {
    for path in registry::executables() {
        let source = Source::Registry;
        visit(Candidate { path, source })?;
    }
    ControlFlow::Continue(())
}

/// The directories on PATH, absolute and without duplicates.
pub(crate) fn path_folders(environment: &Env) -> Vec<PathBuf> {
    let Some(path) = environment.var("PATH") else {
        return Vec::new();
    };
    let mut seen = HashSet::new();
    std::env::split_paths(path)
        // With relative directories venv would create broken links.
        .filter_map(|folder| absolute(&folder, environment.cwd.as_deref()).ok())
        .filter(|folder| seen.insert(folder.clone()))
        .collect()
}

/// The executables in an installation prefix, an environment, or a directory of executables.
fn from_path<B>(text: &str, environment: &Env, visit: Visit<'_, B>) -> ControlFlow<B> {
    let Ok(path) = absolute(Path::new(text), environment.cwd.as_deref()) else {
        return ControlFlow::Continue(());
    };
    let source = Source::Request;
    if !path.is_dir() {
        return visit(Candidate { path, source });
    }
    let bin = if cfg!(windows) { "Scripts" } else { "bin" };
    for folder in [path.join(bin), path] {
        all_executables(&folder, source, &mut |candidate| {
            if candidate.path.is_file() {
                return visit(candidate);
            }
            ControlFlow::Continue(())
        })?;
    }
    ControlFlow::Continue(())
}

fn on_path<B>(name: &str, environment: &Env, visit: Visit<'_, B>) -> ControlFlow<B> {
    for folder in path_folders(environment) {
        let path = executable(&folder, name);
        let source = Source::Path;
        visit(Candidate { path, source })?;
    }
    ControlFlow::Continue(())
}

/// Visits the files in a directory that may match. The directory is only listed if none of the usual names matches.
fn in_folder<B>(
    folder: &Path,
    source: Source,
    wanted: &VersionRequest,
    visit: Visit<'_, B>,
) -> ControlFlow<B> {
    for name in wanted.names() {
        let path = executable(folder, &name);
        visit(Candidate { path, source })?;
    }
    if !wanted.may_have_any_minor() {
        return ControlFlow::Continue(());
    }
    for (traits, path) in versioned(folder) {
        if wanted.matches_default_python(&traits) && wanted.matches(&traits) != Match::No {
            visit(Candidate { path, source })?;
        }
    }
    ControlFlow::Continue(())
}

/// The usual executables of an installation.
fn usual(folder: &Path) -> [PathBuf; 4] {
    ["python3", "python", "pypy3", "pypy"].map(|name| executable(folder, name))
}

/// The executables with a version in their name in a directory, the newest first.
fn versioned(folder: &Path) -> Vec<(crate::interpreter::version::Traits, PathBuf)> {
    // Unreadable entries are skipped.
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

/// Whether a directory of executables belongs to an environment.
pub(crate) fn is_environment(folder: &Path) -> bool {
    folder
        .parent()
        .is_some_and(|prefix| prefix.join("pyvenv.cfg").is_file())
        || (cfg!(windows) && folder.join("pyvenv.cfg").is_file())
}
