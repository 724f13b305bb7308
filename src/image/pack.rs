//! Creates an image from an environment that packages were installed into: a scratch one, or a finished one.
//!
//! Whatever contains the path of the environment is stored without it.

pub(crate) mod finished;
mod metadata;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::{self, Read as _, Seek, Write};
use std::path::{Path, PathBuf};

use fs_err as fs;
use walkdir::WalkDir;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::error::Error;
use crate::image::format;
use crate::image::format::{Distribution, Entry, INDEX, Index, SHARED_FROM, source_of};
use crate::installed::record::Row;
use crate::installed::relocate::{Relocation, bytecode};
use crate::sys::fs::is_executable;
use crate::sys::signal::Interrupt;

/// Larger files are not read as a whole.
const LARGEST_IN_MEMORY: u64 = 1 << 20;
/// The size of a block that files can share.
const BLOCK: u16 = 4096;

/// An image that can be written.
pub(crate) struct Packed {
    site_packages: PathBuf,
    bytecode_header: usize,
    folders: Vec<String>,
    distributions: Vec<Distribution>,
    files: Vec<Planned>,
    /// How many of them are not the bytecode of scripts.
    plain: usize,
    /// The path that no file may contain.
    own_path: Option<Relocation<'static>>,
    /// In bytes, about.
    pub(crate) size: u64,
}

/// A file that is to be an entry.
struct Planned {
    path: String,
    distribution: usize,
    is_executable: bool,
    /// What it must be.
    row: Option<Row>,
}

impl Packed {
    /// Reads the scratch environment with the directories `site_packages` and `bin`, both absolute.
    ///
    /// # Errors
    ///
    /// [`Error::Io`]; [`Error::DamagedImage`] if an image cannot contain something in it (a symlink, bytecode that does not name
    /// its source).
    pub(crate) fn read(
        site_packages: &Path,
        bin: &Path,
        bytecode_header: usize,
    ) -> Result<Self, Error> {
        let (mut folders, mut paths) = walk(site_packages, "")?;
        // Debian's PyPy installs its wheels in `share`, as their RECORD says.
        let (above, share) = beside(site_packages, bin);
        if share.is_dir() {
            let (more_folders, more_files) = walk(&share, &format!("{above}share/"))?;
            folders.push(format!("{above}share"));
            folders.extend(more_folders);
            paths.extend(more_files);
        }
        let mut owners = BTreeMap::new();
        let mut distributions = Vec::new();
        for dist_info in folders
            .iter()
            .filter(|folder| folder.ends_with(".dist-info") && !folder.contains('/'))
        {
            let (distribution, paths) = metadata::distribution(site_packages, bin, dist_info)?;
            owners.extend(paths.into_iter().map(|path| (path, distributions.len())));
            distributions.push(distribution);
        }
        paths.sort_by_cached_key(|path| laying_order(path));
        let mut files = Vec::with_capacity(paths.len());
        for path in paths {
            if format::is_record(&distributions, &path) {
                continue;
            }
            let owner = match owners.get(&path) {
                Some(&owner) => Some(owner),
                None if path.starts_with("../") => distributions.iter().position(is_pip),
                None => None,
            };
            let file = site_packages.join(&path);
            let distribution =
                owner.ok_or_else(|| unfit(&file, "it is not listed in any RECORD"))?;
            if source_of(&path).is_some() {
                // Found now, another producer of pip can be tried.
                stored(site_packages, &path)?;
            }
            files.push(Planned {
                distribution,
                is_executable: is_executable(&file),
                row: None,
                path,
            });
        }
        Ok(Self {
            site_packages: site_packages.into(),
            bytecode_header,
            folders,
            distributions,
            plain: files.len(),
            files,
            own_path: None,
            size: 0,
        })
    }

    /// Writes the image, and verifies what is to be verified.
    ///
    /// # Errors
    ///
    /// [`Error::DamagedImage`] for a file that an image cannot contain; [`Error::Io`]; [`Error::Interrupted`].
    pub(crate) fn write(&self, out: impl Write + Seek, interrupt: &Interrupt) -> Result<(), Error> {
        let progress = Progress::default();
        let mut zip = ZipWriter::new(Tracked {
            inner: out,
            progress: &progress,
        });
        if let Err(error) = self.write_entries(&mut zip, &progress, interrupt) {
            progress.has_failed.set(true);
            return Err(error);
        }
        let finished = zip.finish().map_err(io::Error::from);
        finished
            .and_then(|mut out| out.flush())
            .map_err(self.failed())
    }

    fn write_entries(
        &self,
        zip: &mut ZipWriter<Tracked<'_, impl Write + Seek>>,
        progress: &Progress,
        interrupt: &Interrupt,
    ) -> Result<(), Error> {
        let mut entries = Vec::with_capacity(self.files.len());
        for file in &self.files {
            interrupt.check()?;
            entries.push(self.write_entry(zip, progress, file, interrupt)?);
        }
        let index = Index {
            bytecode_header: self.bytecode_header,
            folders: self.folders.clone(),
            distributions: self.distributions.clone(),
            entries,
            files: self.plain,
        };
        let json = serde_json::to_vec(&index).map_err(|error| self.failed()(error.into()))?;
        zip.start_file(INDEX, options(0))
            .map_err(|error| self.failed()(error.into()))?;
        let comment = format::comment(
            progress.position.get(),
            json.len() as u64,
            crc32fast::hash(&json),
        );
        zip.write_all(&json).map_err(self.failed())?;
        zip.set_comment(comment)
            .map_err(|error| self.failed()(error.into()))
    }

    fn write_entry(
        &self,
        zip: &mut ZipWriter<Tracked<'_, impl Write + Seek>>,
        progress: &Progress,
        planned: &Planned,
        interrupt: &Interrupt,
    ) -> Result<Entry, Error> {
        let path = self.site_packages.join(&planned.path);
        let entry = |offset, size, crc, filenames| Entry {
            path: planned.path.clone(),
            offset,
            size,
            crc,
            distribution: planned.distribution,
            is_executable: planned.is_executable,
            filenames,
        };
        let differs = |reason: String| unfit(&path, &reason);
        let metadata = fs::metadata(&path).map_err(Error::io("read", &path))?;
        let size = metadata.len();
        if size <= LARGEST_IN_MEMORY || source_of(&planned.path).is_some() {
            let (contents, filenames) = stored(&self.site_packages, &planned.path)?;
            if let Some(row) = &planned.row {
                row.verify(&contents).map_err(differs)?;
            }
            self.has_no_path(&mut contents.as_slice(), &path)?;
            let size = contents.len() as u64;
            self.start(zip, planned, size)?;
            let offset = progress.position.get();
            zip.write_all(&contents).map_err(self.failed())?;
            return Ok(entry(offset, size, crc32fast::hash(&contents), filenames));
        }
        let open = || fs::File::open(&path).map_err(Error::io("read", &path));
        self.has_no_path(&mut open()?, &path)?;
        self.start(zip, planned, size)?;
        let offset = progress.position.get();
        let mut copy = Copied {
            from: open()?.take(size),
            to: zip,
            checksum: crc32fast::Hasher::new(),
            size: 0,
            not_written: None,
        };
        let copied = if let Some(row) = &planned.row {
            row.verify_stream(&mut copy, || interrupt.check())?
                .map_err(differs)
        } else {
            let copied = io::copy(&mut copy, &mut io::sink());
            copied.map(drop).map_err(Error::io("read", &path))
        };
        if let Some(error) = copy.not_written {
            return Err(self.failed()(error));
        }
        copied?;
        Ok(entry(offset, copy.size, copy.checksum.finalize(), None))
    }

    fn start(
        &self,
        zip: &mut ZipWriter<Tracked<'_, impl Write + Seek>>,
        planned: &Planned,
        size: u64,
    ) -> Result<(), Error> {
        let started = zip.start_file(&planned.path, options(size));
        started.map_err(|error| self.failed()(error.into()))
    }

    /// Refuses a file that contains the environment's path.
    fn has_no_path(&self, contents: &mut impl io::Read, path: &Path) -> Result<(), Error> {
        let Some(own) = &self.own_path else {
            return Ok(());
        };
        if own.is_in(contents).map_err(Error::io("read", path))? {
            return Err(unfit(path, "it contains the environment's path"));
        }
        Ok(())
    }

    fn failed(&self) -> impl FnOnce(io::Error) -> Error {
        Error::io("write an image of", &self.site_packages)
    }
}

fn options(size: u64) -> SimpleFileOptions {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .large_file(size >= u64::from(u32::MAX));
    if size < SHARED_FROM {
        return options;
    }
    options.with_alignment(BLOCK)
}

/// The state of a [`Tracked`] writer.
#[derive(Default)]
struct Progress {
    /// Where the next byte goes.
    position: Cell<u64>,
    has_failed: Cell<bool>,
}

/// A writer with a known position. After a failure it discards everything: `ZipWriter` finishes the archive when it is
/// dropped, and would print a second error.
struct Tracked<'a, W> {
    inner: W,
    progress: &'a Progress,
}

impl<W> Tracked<'_, W> {
    /// Records whether the operation has failed. Callers repeat an interrupted one.
    fn record<T>(&self, result: io::Result<T>) -> io::Result<T> {
        let is_failure = |error: &io::Error| error.kind() != io::ErrorKind::Interrupted;
        if result.as_ref().is_err_and(is_failure) {
            self.progress.has_failed.set(true);
        }
        result
    }
}

impl<W: Write> Write for Tracked<'_, W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let count = if self.progress.has_failed.get() {
            buffer.len()
        } else {
            let written = self.inner.write(buffer);
            self.record(written)?
        };
        let position = &self.progress.position;
        position.set(position.get() + count as u64);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.progress.has_failed.get() {
            return Ok(());
        }
        let flushed = self.inner.flush();
        self.record(flushed)
    }
}

impl<W: Seek> Seek for Tracked<'_, W> {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        let current = self.progress.position.get();
        let position = if self.progress.has_failed.get() {
            match to {
                io::SeekFrom::Start(position) => position,
                io::SeekFrom::Current(offset) => current.saturating_add_signed(offset),
                io::SeekFrom::End(_) => current,
            }
        } else {
            let sought = self.inner.seek(to);
            self.record(sought)?
        };
        self.progress.position.set(position);
        Ok(position)
    }
}

/// Reads, and writes what was read at the same time.
struct Copied<'a, R, W> {
    from: R,
    to: &'a mut W,
    checksum: crc32fast::Hasher,
    size: u64,
    /// Why writing failed, and with it reading.
    not_written: Option<io::Error>,
}

impl<R: io::Read, W: Write> io::Read for Copied<'_, R, W> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.from.read(buffer)?;
        if let Err(error) = self.to.write_all(&buffer[..count]) {
            let kind = error.kind();
            self.not_written = Some(error);
            return Err(kind.into());
        }
        self.checksum.update(&buffer[..count]);
        self.size += count as u64;
        Ok(count)
    }
}

/// The directories, parents first, and the files below `root`, with `prefix` before their relative paths.
fn walk(root: &Path, prefix: &str) -> Result<(Vec<String>, Vec<String>), Error> {
    let (mut folders, mut files) = (Vec::new(), Vec::new());
    for entry in WalkDir::new(root).min_depth(1).sort_by_file_name() {
        let entry = entry.map_err(|error| Error::io("read", root)(error.into()))?;
        let path = format!("{prefix}{}", relative(root, entry.path())?);
        if entry.file_type().is_dir() {
            folders.push(path);
        } else if entry.file_type().is_file() {
            files.push(path);
        } else {
            return Err(unfit(entry.path(), "it is neither a file nor a directory"));
        }
    }
    Ok((folders, files))
}

/// The relative path from site-packages to the scratch environment, which contains `bin`, and its `share` directory.
fn beside(site_packages: &Path, bin: &Path) -> (String, PathBuf) {
    let root = bin.parent().unwrap_or(bin);
    let depth = site_packages
        .strip_prefix(root)
        .map_or(0, |below| below.components().count());
    ("../".repeat(depth), root.join("share"))
}

fn is_pip(distribution: &Distribution) -> bool {
    distribution.name == "pip"
}

/// Sorts each source directly before its bytecode, which needs its timestamp, and groups files by directory.
fn laying_order(path: &str) -> (String, bool) {
    match source_of(path) {
        Some(source) => (source, true),
        None => (path.to_owned(), false),
    }
}

/// The contents of a file in the image. Bytecode has the relative path of its source and no timestamp.
fn stored(site_packages: &Path, path: &str) -> Result<(Vec<u8>, Option<Vec<u32>>), Error> {
    let file = site_packages.join(path);
    let contents = fs::read(&file).map_err(Error::io("read", &file))?;
    let Some(source) = source_of(path) else {
        return Ok((contents, None));
    };
    for said in names_of_source(site_packages, &source)? {
        match bytecode::replace(&contents, &said, &source) {
            Some((contents, filenames)) if !filenames.is_empty() => {
                return Ok((contents, Some(filenames)));
            }
            _ => {}
        }
    }
    Err(unfit(&file, "it does not name its source file"))
}

/// The paths of the source that bytecode may contain. On Windows separators depend on what compiled it.
fn names_of_source(site_packages: &Path, source: &str) -> Result<Vec<String>, Error> {
    let said = site_packages.join(source);
    let said = said
        .to_str()
        .ok_or_else(|| Error::NotUtf8 { path: said.clone() })?;
    if !cfg!(windows) {
        return Ok(vec![said.to_owned()]);
    }
    let native = said.replace('/', "\\");
    let folder = &native[..native.len() - source.len()];
    // `compile.py` gets the scratch directory and appends the path in the wheel.
    let root = folder.trim_end_matches('\\');
    let root = root.rsplitn(3, '\\').last().unwrap_or(root);
    let below = &folder[root.len()..];
    Ok(vec![
        format!("{root}{}{source}", below.replace('\\', "/")),
        format!("{folder}{source}"),
        native,
    ])
}

fn relative(site_packages: &Path, path: &Path) -> Result<String, Error> {
    let relative = path.strip_prefix(site_packages).ok().and_then(Path::to_str);
    let text = relative.ok_or_else(|| Error::NotUtf8 { path: path.into() })?;
    Ok(if cfg!(windows) {
        text.replace('\\', "/")
    } else {
        text.to_owned()
    })
}

fn unfit(path: &Path, reason: &str) -> Error {
    Error::DamagedImage {
        path: path.into(),
        reason: reason.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_record_of_a_vendored_distribution_is_an_ordinary_file() {
        let scratch = tempfile::tempdir().unwrap();
        let site_packages = scratch.path().join("lib");
        let files = [
            (
                "demo-1.0.dist-info/RECORD",
                "demo/x-2.dist-info/RECORD,,\r\ndemo-1.0.dist-info/RECORD,,\r\n",
            ),
            ("demo/x-2.dist-info/RECORD", "x.py,,\n"),
        ];
        for (path, contents) in files {
            let path = site_packages.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, contents).unwrap();
        }
        let packed = Packed::read(&site_packages, &scratch.path().join("bin"), 16).unwrap();
        let paths: Vec<_> = packed.files.iter().map(|file| &file.path).collect();
        assert_eq!(paths, ["demo/x-2.dist-info/RECORD"]);
    }
}
