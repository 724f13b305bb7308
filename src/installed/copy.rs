//! Copies an environment's files, folders and links to another path, and makes the copies refer to that path with the functions
//! of `relocate`.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use fs_err as fs;

use crate::error::Error;
use crate::installed::relocate::environment::{Report, is_left_out, rest};
use crate::installed::relocate::{Relocated, Relocation};
use crate::stage::names::{INFIX, is_stage};
use crate::sys::fs::{Copier, Folder, Rewriter, Sharing, Twin, bare, special};
use crate::sys::paths::normal;
use crate::sys::signal::Interrupt;
use crate::sys::workers;

/// How many files of a folder one thread takes at once.
const SHARE: usize = 64;
/// Files up to this size are read as a whole, in bytes.
const WHOLE: u64 = 1 << 18;

/// What is in an environment, without its contents.
#[derive(Debug)]
pub(crate) struct Tree {
    root: PathBuf,
    /// A folder comes before those in it.
    folders: Vec<Entries>,
}

#[derive(Debug, Default)]
struct Entries {
    /// Relative to the environment.
    path: PathBuf,
    folders: Vec<OsString>,
    links: Vec<OsString>,
    files: Vec<OsString>,
}

impl Tree {
    /// Lists the environment at `root`.
    ///
    /// # Errors
    ///
    /// [`Error::SpecialFile`] for what cannot be copied, [`Error::Io`], [`Error::Interrupted`].
    pub(crate) fn list(root: &Path, interrupt: &Interrupt) -> Result<Self, Error> {
        let mut folders = Vec::new();
        let mut paths = vec![PathBuf::new()];
        while let Some(path) = paths.pop() {
            interrupt.check()?;
            let mut entries = Entries {
                path,
                ..Entries::default()
            };
            let folder = root.join(&entries.path);
            let read = |error| Error::io("read", &folder)(bare(error));
            for entry in fs::read_dir(&folder).map_err(read)? {
                let entry = entry.map_err(read)?;
                let (name, kind) = (entry.file_name(), entry.file_type().map_err(read)?);
                if let Some(what) = special(kind) {
                    return Err(Error::SpecialFile {
                        path: entry.path(),
                        what,
                    });
                }
                let is_root = entries.path.as_os_str().is_empty();
                if is_root && kind.is_dir() && is_stage(&name, OsStr::new(INFIX)) {
                    continue;
                }
                let list = if kind.is_dir() {
                    &mut entries.folders
                } else if kind.is_symlink() {
                    &mut entries.links
                } else {
                    &mut entries.files
                };
                list.push(name);
            }
            paths.extend(entries.folders.iter().map(|name| entries.path.join(name)));
            folders.push(entries);
        }
        Ok(Self {
            root: root.into(),
            folders,
        })
    }

    /// Makes all of it in the folder `to`, which messages call `shown`, where it is not there already, and lets it name its own
    /// place.
    pub(crate) fn copy(
        &self,
        tree: &Folder,
        to: &Path,
        relocation: &Relocation<'_>,
        interrupt: &Interrupt,
    ) -> Result<Report, Error> {
        let shown = tree.shown();
        let root = fs::canonicalize(&self.root).map_err(Error::io("read", &self.root))?;
        let mut twins = Twins::open(&self.root, to, shown)?;
        let mut left_out = Vec::new();
        let mut parts: Vec<(&Entries, Vec<&OsString>)> = Vec::new();
        for entries in &self.folders {
            interrupt.check()?;
            // Most directories contain only files, and need not be opened here.
            if !entries.folders.is_empty() || !entries.links.is_empty() {
                let twin = twins.at(&entries.path)?;
                for name in &entries.folders {
                    twin.create_folder(name)?;
                }
                for name in &entries.links {
                    let target = twin.link_target(name)?;
                    let folder = root.join(&entries.path);
                    twin.create_link(name, &retargeted(&target, &folder, &root, relocation))?;
                }
            }
            let is_left_out = |name: &&OsString| is_left_out(&entries.name(name), relocation);
            let (left, files): (Vec<_>, Vec<_>) = entries.files.iter().partition(is_left_out);
            left_out.extend(left.into_iter().map(|name| (entries, name)));
            parts.extend(files.chunks(SHARE).map(|part| (entries, part.to_vec())));
        }
        let (next, sharing) = (AtomicUsize::new(0), Sharing::default());
        let report = Mutex::new(Report::default());
        workers::share(parts.len(), || {
            let mut twins = Twins::open(&self.root, to, shown)?;
            let mut copier = Copier::new(&sharing);
            let mut own = Report::default();
            let mut has_first = false;
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some((entries, names)) = parts.get(number) else {
                    break;
                };
                has_first |= number == 0;
                let twin = twins.at(&entries.path)?;
                for name in names {
                    interrupt.check()?;
                    let mut file = File {
                        name: entries.name(name),
                        relocation,
                        report: &mut own,
                    };
                    twin.copy_file(name, &mut copier, &mut file)?;
                }
                // btrfs changes one tree for all files, so that more threads would only wait for each other.
                if !has_first && sharing.is_working() {
                    break;
                }
            }
            let mut report = report.lock().unwrap_or_else(PoisonError::into_inner);
            report.changed.append(&mut own.changed);
            report.mentions.append(&mut own.mentions);
            Ok(())
        })?;
        let mut report = report.into_inner().unwrap_or_else(PoisonError::into_inner);
        let names: Vec<_> = left_out
            .iter()
            .map(|(entries, name)| entries.name(name))
            .collect();
        rest(&self.root, &names, relocation, (tree, to), &mut report)?;
        let mut copier = Copier::new(&sharing);
        for (entries, name) in left_out {
            interrupt.check()?;
            let twin = twins.at(&entries.path)?;
            twin.copy_file(name, &mut copier, &mut AsItIs)?;
        }
        Ok(report)
    }

    /// Gives the copies of the folders the modes and times of what they are copies of. What is read-only, and has still to be
    /// moved with the copy, is returned: relative to the environment.
    pub(crate) fn finish(&self, to: &Path, shown: &Path) -> Result<Vec<PathBuf>, Error> {
        let mut twins = Twins::open(&self.root, to, shown)?;
        let mut read_only = Vec::new();
        // Those in a folder come first: it may be one that nobody can enter.
        for Entries { path, .. } in self.folders.iter().rev() {
            let is_moved = path.components().count() < 2;
            if twins.at(path)?.finish(is_moved)? {
                read_only.push(path.clone());
            }
        }
        Ok(read_only)
    }
}

impl Entries {
    /// The name of a file in its environment, with `/`.
    fn name(&self, file: &OsStr) -> String {
        let path = self.path.join(file);
        let name = path.to_string_lossy();
        if cfg!(windows) {
            name.replace('\\', "/")
        } else {
            name.into_owned()
        }
    }
}

/// A file on its way, which is to name another place.
struct File<'a> {
    name: String,
    relocation: &'a Relocation<'a>,
    report: &'a mut Report,
}

impl Rewriter for File<'_> {
    fn is_whole(&self, size: u64) -> bool {
        size <= WHOLE || Relocation::is_changed_as_a_whole(&self.name, size)
    }

    fn whole(&mut self, contents: &[u8]) -> Option<Vec<u8>> {
        let last = self.name.rsplit('/').next().unwrap_or_default();
        match self.relocation.contents(last, contents) {
            Relocated::Unchanged => None,
            Relocated::Mentions => {
                self.report.mentions.push(self.name.clone());
                None
            }
            Relocated::Changed(new) => {
                if new.mentions {
                    self.report.mentions.push(self.name.clone());
                }
                self.report.changed.push(self.name.clone());
                Some(new.head)
            }
        }
    }

    fn stream(&mut self, mut reader: &mut dyn io::Read) -> io::Result<()> {
        if self.relocation.is_in(&mut reader)? {
            self.report.mentions.push(self.name.clone());
        }
        Ok(())
    }
}

/// A file that was looked at already.
struct AsItIs;

impl Rewriter for AsItIs {
    fn is_whole(&self, size: u64) -> bool {
        size <= WHOLE
    }

    fn whole(&mut self, _contents: &[u8]) -> Option<Vec<u8>> {
        None
    }

    fn stream(&mut self, _reader: &mut dyn io::Read) -> io::Result<()> {
        Ok(())
    }
}

/// The target of a link's copy: what is in the environment is in the copy, and what is elsewhere stays where it is.
fn retargeted(target: &OsStr, folder: &Path, root: &Path, relocation: &Relocation<'_>) -> OsString {
    let path = Path::new(target);
    let absolute = if path.is_absolute() {
        path.to_path_buf()
    } else {
        // What comes after a name may lead through other links.
        let ups = path
            .components()
            .take_while(|it| *it == Component::ParentDir);
        let ups: PathBuf = ups.collect();
        let (above, end) = (normal(&folder.join(&ups)), normal(&folder.join(path)));
        match (above.starts_with(root), end.starts_with(root)) {
            (true, true) => return target.to_owned(),
            (true, false) => end,
            (false, _) => above.join(path.strip_prefix(&ups).unwrap_or(path)),
        }
    };
    let relocated = absolute.to_str().and_then(|it| relocation.link("", it));
    relocated.map_or(absolute.into_os_string(), OsString::from)
}

/// The open folders on the way to the one at work.
struct Twins {
    root: Twin,
    below: Vec<(OsString, Twin)>,
}

impl Twins {
    fn open(from: &Path, to: &Path, shown: &Path) -> Result<Self, Error> {
        Ok(Self {
            root: Twin::open(from, to, shown)?,
            below: Vec::new(),
        })
    }

    /// The folder at a path relative to the first, each step of which is no link.
    fn at(&mut self, path: &Path) -> Result<&Twin, Error> {
        let names: Vec<&OsStr> = path.iter().collect();
        let mut open = self.below.iter().zip(&names);
        let common = open.position(|((open, _), name)| open != name);
        let common = common.unwrap_or(self.below.len().min(names.len()));
        self.below.truncate(common);
        for name in &names[common..] {
            let current = self.below.last().map_or(&self.root, |(_, twin)| twin);
            let twin = current.child(name)?;
            self.below.push(((*name).to_owned(), twin));
        }
        Ok(self.below.last().map_or(&self.root, |(_, twin)| twin))
    }
}
