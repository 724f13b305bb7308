//! Relocates a whole environment.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::path::Path;

use fs_err as fs;
use walkdir::WalkDir;

use crate::error::Error;
use crate::installed::record::Row;
use crate::installed::relocate::{New, Relocated, Relocation};
use crate::installed::scripts::moved;
use crate::stage::names::{INFIX, is_stage};
use crate::sys::fs::{Folder, Mode, replace_file, replace_link};

/// Where changed files are written.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target<'a> {
    /// Into the tree of a stage at this path, in the same directories. Existing files are not overwritten.
    Tree(&'a Folder, &'a Path),
    /// Over the old files.
    InPlace,
}

/// The result. The names are those of files in the environment, with `/`, in directory order.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) changed: Vec<String>,
    /// Files that still contain the old path.
    pub(crate) mentions: Vec<String>,
}

/// Relocates the environment at `root`, whose files are only read if they are changed elsewhere.
///
/// # Errors
///
/// [`Error::Interrupted`]; [`Error::Io`] if a folder cannot be read or a file not be written. A file that cannot be read stays as it is.
pub(crate) fn environment(
    root: &Path,
    relocation: &Relocation<'_>,
    target: Target<'_>,
) -> Result<Report, Error> {
    let (mut report, mut rows, mut records) = (Report::default(), HashMap::new(), Vec::new());
    if relocation.has_no_old_path() && !relocation.fixes_relocatable {
        let bin = root.join(relocation.layout.bin_name);
        if moved::stale(&bin).is_empty() {
            return Ok(report);
        }
    }
    let walk = WalkDir::new(root).min_depth(1).sort_by_file_name();
    let is_kept = |entry: &walkdir::DirEntry| {
        entry.depth() > 1 || !is_stage(entry.file_name(), OsStr::new(INFIX))
    };
    for entry in walk.into_iter().filter_entry(is_kept) {
        let entry = entry.map_err(|error| Error::io("read", root)(error.into()))?;
        let path = entry.path();
        let Some(name) = path.strip_prefix(root).ok().and_then(Path::to_str) else {
            continue;
        };
        let name = if cfg!(windows) {
            name.replace('\\', "/")
        } else {
            name.to_owned()
        };
        if target.has(&name) {
            continue;
        }
        if entry.file_type().is_symlink() {
            let link = fs::read_link(path).ok();
            let link = link.as_deref().and_then(Path::to_str);
            if let Some(link) = link.and_then(|link| relocation.link(&name, link)) {
                target.link(&name, path, &link)?;
                report.changed.push(name);
            }
        } else if is_record(&name) {
            records.push(name);
        } else if entry.file_type().is_file() && relocation.concerns(&name) {
            match relocation.file(&name, path) {
                Ok(Relocated::Changed(new)) => {
                    let row = new.row(path).map_err(Error::io("read", path))?;
                    target.file(&name, path, &new)?;
                    if new.mentions {
                        report.mentions.push(name.clone());
                    }
                    rows.insert(name.clone(), row);
                    report.changed.push(name);
                }
                Ok(Relocated::Mentions) => report.mentions.push(name),
                Ok(Relocated::Unchanged) | Err(_) => relocation.check()?,
            }
        }
    }
    for name in records {
        let row = |name: &str| rows.get(name).cloned();
        record(root, relocation, target, name, row, &mut report)?;
    }
    Ok(report)
}

/// Relocates those files of the environment at `root` that a copy of its other files, at `copy`, leaves out: see
/// [`is_left_out`]. The report of that copy is added to.
pub(crate) fn rest(
    root: &Path,
    names: &[String],
    relocation: &Relocation<'_>,
    (tree, copy): (&Folder, &Path),
    report: &mut Report,
) -> Result<(), Error> {
    let target = Target::Tree(tree, copy);
    let mut changed: HashSet<String> = report.changed.iter().cloned().collect();
    let (records, others): (Vec<_>, Vec<_>) = names.iter().partition(|name| is_record(name));
    for name in others {
        if target.has(name) {
            continue;
        }
        let path = root.join(name);
        match relocation.file(name, &path) {
            Ok(Relocated::Changed(new)) => {
                target.file(name, &path, &new)?;
                if new.mentions {
                    report.mentions.push(name.clone());
                }
                changed.insert(name.clone());
                report.changed.push(name.clone());
            }
            Ok(Relocated::Mentions) => report.mentions.push(name.clone()),
            // Copying it says why.
            Ok(Relocated::Unchanged) | Err(_) => {}
        }
    }
    for name in records {
        let row = |name: &str| {
            let file = changed
                .contains(name)
                .then(|| fs::File::open(copy.join(name)));
            Row::hashed_stream(String::new(), file?.ok()?).ok()
        };
        record(root, relocation, target, name.clone(), row, report)?;
    }
    report.changed.sort();
    report.mentions.sort();
    Ok(())
}

/// Whether a file names the environment in a way that [`Relocation::contents`] does not know.
pub(crate) fn is_left_out(name: &str, relocation: &Relocation<'_>) -> bool {
    let in_bin = name.strip_prefix(relocation.layout.bin_name);
    let in_bin = in_bin.and_then(|rest| rest.strip_prefix('/'));
    in_bin.is_some_and(|rest| !rest.contains('/')) || name == "pyvenv.cfg" || is_record(name)
}

fn is_record(name: &str) -> bool {
    name.ends_with(".dist-info/RECORD")
}

fn record(
    root: &Path,
    relocation: &Relocation<'_>,
    target: Target<'_>,
    name: String,
    changed: impl Fn(&str) -> Option<Row>,
    report: &mut Report,
) -> Result<(), Error> {
    let path = root.join(&name);
    let Ok(text) = fs::read(&path) else {
        return Ok(());
    };
    let new = relocation.record(&name, &text, &changed);
    let is_changed = new.is_some();
    let head = new.unwrap_or(text);
    let mentions = relocation.is_in(&mut head.as_slice());
    let mentions = mentions.map_err(Error::io("read", &path))?;
    if is_changed {
        let rest = fs::metadata(&path).map_err(Error::io("read", &path))?.len();
        let new = New {
            head,
            rest,
            mentions,
        };
        target.file(&name, &path, &new)?;
        report.changed.push(name.clone());
    }
    if mentions {
        report.mentions.push(name);
    }
    Ok(())
}

impl Target<'_> {
    /// Whether this file was already written.
    fn has(self, name: &str) -> bool {
        match self {
            Self::Tree(_, tree) => {
                let there = fs::symlink_metadata(tree.join(name));
                there.is_ok_and(|it| !it.is_dir())
            }
            Self::InPlace => false,
        }
    }

    fn file(self, name: &str, path: &Path, new: &New) -> Result<(), Error> {
        let rest = new.rest_of(path).map_err(Error::io("read", path))?;
        match self {
            Self::Tree(tree, _) => {
                make_parents(tree, name)?;
                tree.write_with_rest(name, &new.head, &rest, Mode::Plain)?;
                tree.keep_mode(name, path)
            }
            Self::InPlace => replace_file(path, &new.head, &rest),
        }
    }

    fn link(self, name: &str, path: &Path, link: &str) -> Result<(), Error> {
        match self {
            Self::Tree(tree, _) => {
                make_parents(tree, name)?;
                tree.symlink(link, name)
            }
            Self::InPlace => replace_link(path, Path::new(link)),
        }
    }
}

fn make_parents(tree: &Folder, name: &str) -> Result<(), Error> {
    match name.rsplit_once('/') {
        Some((folder, _)) => tree.create_dir_all(folder),
        None => Ok(()),
    }
}
