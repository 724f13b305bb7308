//! Unpacks an image into an environment, with several threads. Every file is checked, except for large ones where the file system
//! lets them share the blocks of the image: these are not read.

use std::io;
use std::io::Write as _;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::Error;
use crate::image::destination::{self, Destination};
use crate::image::finish;
use crate::image::format::{Entry, Image, SHARED_FROM, with_time};
use crate::installed::relocate::bytecode;
use crate::installed::scripts::exe;
use crate::sys::fs;
use crate::sys::fs::{Folder, Mode, Sharing, bare, read_exact_at};
use crate::sys::workers;
use finish::Programs;

/// How much of the image a thread reads at once. It fits into a core's cache, and reads are rare.
const CHUNK: usize = 256 * 1024;
/// More than any run of entries has, which is a chunk or a source with its bytecode.
const LARGEST_CHUNK: usize = 1 << 30;

/// Unpacks the selected distributions.
///
/// # Errors
///
/// [`Error::DamagedImage`] if an entry has a wrong checksum: what was unpacked by then must be removed.
pub(crate) fn install(image: &Image, to: &Destination<'_>) -> Result<(), Error> {
    let purelib = &to.interpreter.scheme.purelib;
    let site_packages = to.tree.child(purelib.as_ref())?;
    for folder in &image.index.folders {
        // The directories for bytecode do not exist in the environment if it is written elsewhere.
        if to.pycache_prefix.is_some() && folder.ends_with("__pycache__") {
            continue;
        }
        if to.wanted.iter().all(|&wanted| wanted) || owns(image, to, folder) {
            site_packages.create_dir(folder)?;
        }
    }
    let chunks = chunks(&image.index.entries[..image.index.files]);
    let (next, sharing) = (AtomicUsize::new(0), Sharing::default());
    let work = || -> Result<(), Error> {
        let mut unpacker = Unpacker {
            image,
            to,
            site_packages: &site_packages,
            sharing: &sharing,
            buffer: Vec::new(),
            strings: Vec::new(),
        };
        while let Some(range) = chunks.get(next.fetch_add(1, Ordering::Relaxed)) {
            to.interrupt.check()?;
            unpacker.chunk(range.clone())?;
        }
        Ok(())
    };
    workers::share(chunks.len(), work)?;
    let programs = match (&to.interpreter.windows, to.made) {
        (Some(windows), Some(made)) => Some(Programs {
            launcher: launcher(image, exe::path(&windows.machine))?,
            made,
        }),
        _ => None,
    };
    let distributions = image.index.distributions.iter().zip(to.wanted);
    for (distribution, _) in distributions.filter(|(_, wanted)| **wanted) {
        finish::finish(image, distribution, &site_packages, to, programs.as_ref())?;
    }
    Ok(())
}

/// Reads a file of the image, whether it is selected or not.
fn launcher(image: &Image, path: &str) -> Result<Vec<u8>, Error> {
    let mut entries = image.index.entries.iter();
    let entry = entries
        .find(|entry| entry.path == path)
        .ok_or_else(|| image.damaged(&format!("{path} is not in it")))?;
    image.contents(entry)
}

/// A thread's state, with reusable buffers.
struct Unpacker<'a> {
    image: &'a Image,
    to: &'a Destination<'a>,
    site_packages: &'a Folder,
    sharing: &'a Sharing,
    buffer: Vec<u8>,
    strings: Vec<u8>,
}

impl Unpacker<'_> {
    /// Reads a range of entries at once, checks each, and writes those that are selected.
    fn chunk(&mut self, range: Range<usize>) -> Result<(), Error> {
        let entries = &self.image.index.entries;
        let (start, last) = (entries[range.start].offset, &entries[range.end - 1]);
        if range.len() == 1 && last.size > CHUNK as u64 && last.filenames.is_none() {
            return self.big(last);
        }
        let length = (last.offset + last.size).checked_sub(start);
        let length = length.and_then(|length| usize::try_from(length).ok());
        let length = length.filter(|&length| length <= LARGEST_CHUNK);
        let length = length.ok_or_else(|| self.image.damaged("its entries are out of order"))?;
        if self.buffer.len() < length {
            // Never shrunk, because growing it again would fill it with zeros again.
            self.buffer.resize(length.max(CHUNK), 0);
        }
        read_exact_at(&self.image.file, &mut self.buffer[..length], start)
            .map_err(|error| self.image.damaged(&error.to_string()))?;
        let mut source_time = 0;
        for position in range {
            let entry = &entries[position];
            let place = entry.offset.checked_sub(start).and_then(|at| {
                let at = usize::try_from(at).ok()?;
                Some(at..at.checked_add(usize::try_from(entry.size).ok()?)?)
            });
            let contents = place.clone().and_then(|place| self.buffer.get(place));
            let (Some(place), Some(contents)) = (place, contents) else {
                return Err(self.image.damaged("its entries are out of order"));
            };
            let is_wanted = self.to.wanted[entry.distribution];
            if is_wanted && can_share_blocks(entry) {
                self.large(entry, contents)?;
                continue;
            }
            self.check(entry, crc32fast::hash(contents))?;
            if !is_wanted {
                continue;
            }
            if entry.filenames.is_some() {
                self.bytecode(position, place, source_time)?;
            } else if entry.path.ends_with(".py") {
                source_time = self
                    .site_packages
                    .write_timed(&entry.path, contents, mode(entry))?;
            } else {
                self.site_packages
                    .write(&entry.path, contents, mode(entry))?;
            }
        }
        Ok(())
    }

    fn check(&self, entry: &Entry, checksum: u32) -> Result<(), Error> {
        if checksum == entry.crc {
            return Ok(());
        }
        let reason = format!("{} has a wrong checksum", entry.path);
        Err(self.image.damaged(&reason))
    }

    /// Creates a file that shares the blocks of its entry, or else has these contents.
    fn large(&self, entry: &Entry, contents: &[u8]) -> Result<(), Error> {
        let Some(file) = self.create(entry)? else {
            return Ok(());
        };
        self.check(entry, crc32fast::hash(contents))?;
        let written = file.file().write_all(contents);
        written.map_err(Error::io("write", file.path()))
    }

    /// Creates a file that shares the blocks of its entry. Returns the file, which is empty, if that is not possible.
    fn create(&self, entry: &Entry) -> Result<Option<fs_err::File>, Error> {
        let file = self.site_packages.open_new(&entry.path, mode(entry))?;
        let image = &self.image.file;
        let shared = self.sharing.range(image, entry.offset, entry.size, &file);
        match shared {
            Ok(is_shared) => Ok((!is_shared).then_some(file)),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Err(self.image.damaged("it is not complete"))
            }
            Err(error) => Err(Error::io("write", file.path())(bare(error))),
        }
    }

    /// Writes a file that is too large for memory, checking it on the way.
    fn big(&mut self, entry: &Entry) -> Result<(), Error> {
        if !self.to.wanted[entry.distribution] {
            return Ok(());
        }
        let Some(file) = self.create(entry)? else {
            return Ok(());
        };
        self.buffer.resize(self.buffer.len().max(CHUNK), 0);
        let (mut checksum, mut done) = (crc32fast::Hasher::new(), 0);
        while done < entry.size {
            self.to.interrupt.check()?;
            let count = usize::try_from(entry.size - done)
                .unwrap_or(CHUNK)
                .min(CHUNK);
            let block = &mut self.buffer[..count];
            read_exact_at(&self.image.file, block, entry.offset + done)
                .map_err(|error| self.image.damaged(&error.to_string()))?;
            checksum.update(block);
            (&file)
                .write_all(block)
                .map_err(Error::io("write", file.path()))?;
            done += count as u64;
        }
        self.check(entry, checksum.finalize())
    }

    /// Writes bytecode with the real path and timestamp of its source, which is the previous entry.
    fn bytecode(&mut self, position: usize, place: Range<usize>, time: i64) -> Result<(), Error> {
        let index = &self.image.index;
        let entry = &index.entries[position];
        let source = &index.entries[position - 1].path;
        let said = self.to.name_of(source);
        let names_no_source = || {
            let reason = format!("{} does not name its source file", entry.path);
            self.image.damaged(&reason)
        };
        let contents = &self.buffer[place];
        let header = contents
            .get(..index.bytecode_header)
            .ok_or_else(names_no_source)?;
        let header = with_time(header, time);
        let filenames = entry.filenames.as_deref().unwrap_or_default();
        let mut pieces = bytecode::replace_at(contents, filenames, &said, &mut self.strings)
            .ok_or_else(names_no_source)?;
        pieces[0] = pieces[0].get(header.len()..).ok_or_else(names_no_source)?;
        pieces.insert(0, &header);
        match self.to.pycache_prefix {
            None => self
                .site_packages
                .write_pieces(&entry.path, &pieces, Mode::Plain),
            Some(prefix) => {
                let path = destination::prefixed(prefix, self.to.site_packages, &entry.path);
                fs::write_elsewhere(Path::new(&path), &pieces)
            }
        }
    }
}

/// Whether an entry begins where a block does. A source does, too, but its time is needed for its bytecode.
fn can_share_blocks(entry: &Entry) -> bool {
    entry.size >= SHARED_FROM && entry.filenames.is_none() && !entry.path.ends_with(".py")
}

/// Whether a selected entry is below `folder`.
fn owns(image: &Image, to: &Destination<'_>, folder: &str) -> bool {
    let below = |entry: &Entry| {
        entry
            .path
            .strip_prefix(folder)
            .is_some_and(|rest| rest.starts_with('/'))
    };
    image
        .index
        .entries
        .iter()
        .any(|entry| to.wanted[entry.distribution] && below(entry))
}

/// Cuts the entries into runs of about [`CHUNK`] bytes; bytecode stays with its source, and a large file is a run of its own.
fn chunks(entries: &[Entry]) -> Vec<Range<usize>> {
    let mut chunks = Vec::new();
    let mut start = 0;
    for (position, entry) in entries.iter().enumerate() {
        let length = (entry.offset + entry.size).saturating_sub(entries[start].offset);
        if position > start && length > CHUNK as u64 && entry.filenames.is_none() {
            chunks.push(start..position);
            start = position;
        }
    }
    if start < entries.len() {
        chunks.push(start..entries.len());
    }
    chunks
}

fn mode(entry: &Entry) -> Mode {
    if entry.is_executable {
        Mode::Program
    } else {
        Mode::Plain
    }
}
