//! Unpacks an image into an environment: checks and writes every file, with several threads.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{ops::Range, thread};

use crate::error::Error;
use crate::image::destination::{self, Destination};
use crate::image::finish;
use crate::image::format::{Entry, Image};
use crate::installed::relocate::bytecode;
use crate::installed::scripts::exe;
use crate::interpreter::platform::Platform;
use crate::sys::fs;
use crate::sys::fs::{Folder, Mode, read_exact_at};
use finish::Programs;

/// How much of the image one thread reads at once: little enough to stay in a core's cache, enough that reading is rare.
const CHUNK: usize = 256 * 1024;
/// More threads than this only wait for each other in the file system.
const THREADS: usize = 4;

/// Lays the wanted distributions down.
///
/// # Errors
///
/// [`Error::DamagedImage`] if an entry has a wrong checksum: what was unpacked by then must be removed.
pub(crate) fn install(image: &Image, to: &Destination<'_>) -> Result<(), Error> {
    let purelib = &to.interpreter.scheme.purelib;
    let site_packages = to.tree.child(purelib)?;
    for folder in &image.index.folders {
        // Folders of bytecode are not in the environment where bytecode is not.
        if to.pycache_prefix.is_some() && folder.ends_with("__pycache__") {
            continue;
        }
        if to.wanted.iter().all(|&wanted| wanted) || owns(image, to, folder) {
            site_packages.create_dir(folder)?;
        }
    }
    let chunks = chunks(image);
    let next = AtomicUsize::new(0);
    let work = || -> Result<(), Error> {
        let mut unpacker = Unpacker {
            image,
            to,
            site_packages: &site_packages,
            buffer: Vec::new(),
            strings: Vec::new(),
        };
        while let Some(range) = chunks.get(next.fetch_add(1, Ordering::Relaxed)) {
            to.interrupt.check()?;
            unpacker.chunk(range.clone())?;
        }
        Ok(())
    };
    let threads = match thread::available_parallelism().map_or(1, usize::from) {
        1 => 1,
        // One more than there are cores: some thread always waits for a folder's lock.
        cores => (cores + 1).min(THREADS).min(chunks.len()),
    };
    thread::scope(|scope| {
        // If a thread cannot be started the others do its work.
        let spawn = |_| thread::Builder::new().spawn_scoped(scope, work).ok();
        let others: Vec<_> = (1..threads).filter_map(spawn).collect();
        let mut result = work();
        for other in others {
            result = result.and(
                other
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            );
        }
        result
    })?;
    let programs = match (&to.interpreter.windows, to.made) {
        (Some(windows), Some(made)) => Some(Programs {
            launcher: read(image, exe::path(&windows.machine))?,
            made,
        }),
        _ => None,
    };
    let distributions = image.index.distributions.iter().zip(to.wanted);
    for (distribution, _) in distributions.filter(|(_, wanted)| **wanted) {
        finish::finish(distribution, &site_packages, to, programs.as_ref())?;
    }
    Ok(())
}

/// One file of the image, whether it is wanted or not.
fn read(image: &Image, path: &str) -> Result<Vec<u8>, Error> {
    let mut entries = image.index.entries.iter();
    let position = entries
        .position(|entry| entry.path == path)
        .ok_or_else(|| damaged(image, &format!("{path} is not in it")))?;
    let entry = &image.index.entries[position];
    let mut contents = vec![0; entry.size as usize];
    read_exact_at(&image.file, &mut contents, image.offsets[position])
        .map_err(|error| damaged(image, &error.to_string()))?;
    if crc32fast::hash(&contents) != entry.crc {
        return Err(damaged(image, &format!("{path} has a wrong checksum")));
    }
    Ok(contents)
}

/// One thread's part of the work, with buffers that it fills again and again.
struct Unpacker<'a> {
    image: &'a Image,
    to: &'a Destination<'a>,
    site_packages: &'a Folder,
    buffer: Vec<u8>,
    strings: Vec<u8>,
}

impl Unpacker<'_> {
    /// Reads a run of entries at once, checks each and writes those that are wanted.
    fn chunk(&mut self, range: Range<usize>) -> Result<(), Error> {
        let (entries, offsets) = (&self.image.index.entries, &self.image.offsets);
        let (start, last) = (offsets[range.start], range.end - 1);
        let end = offsets[last] + u64::from(entries[last].size);
        let length = usize::try_from(end - start).unwrap_or(usize::MAX);
        if self.buffer.len() < length {
            // Never shrunk: growing again would fill it with zeros again.
            self.buffer.resize(length.max(CHUNK), 0);
        }
        read_exact_at(&self.image.file, &mut self.buffer[..length], start)
            .map_err(|error| damaged(self.image, &error.to_string()))?;
        let mut source_time = 0;
        for position in range {
            let entry = &entries[position];
            let at = usize::try_from(offsets[position] - start).unwrap_or(usize::MAX);
            let place = at..at + entry.size as usize;
            if crc32fast::hash(&self.buffer[place.clone()]) != entry.crc {
                let reason = format!("{} has a wrong checksum", entry.path);
                return Err(damaged(self.image, &reason));
            }
            if !self.to.wanted[entry.distribution] {
                continue;
            }
            let contents = &self.buffer[place.clone()];
            let mode = if entry.is_executable {
                Mode::Program
            } else {
                Mode::Plain
            };
            if entry.filenames.is_some() {
                self.bytecode(position, place, source_time)?;
            } else if entry.path.ends_with(".py") {
                source_time = self
                    .site_packages
                    .write_timed(&entry.path, contents, mode)?;
            } else {
                self.site_packages.write(&entry.path, contents, mode)?;
            }
        }
        Ok(())
    }

    /// Writes bytecode with the real path and time of its source, which is the entry before.
    fn bytecode(&mut self, position: usize, place: Range<usize>, time: i64) -> Result<(), Error> {
        let index = &self.image.index;
        let entry = &index.entries[position];
        let source = &index.entries[position - 1].path;
        // On Windows, too: pip compiles what RECORD calls it, below the folder as the system calls that.
        let said = match self.to.interpreter.platform {
            Platform::Windows => format!("{}\\{source}", self.to.site_packages),
            platform => platform.join(self.to.site_packages, source),
        };
        let names_no_source = || {
            damaged(
                self.image,
                &format!("{} does not name its source file", entry.path),
            )
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

/// Whether a wanted entry lies below `folder`.
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

/// Cuts the entries into runs of about [`CHUNK`] bytes; bytecode stays with its source.
fn chunks(image: &Image) -> Vec<Range<usize>> {
    let entries = &image.index.entries;
    let mut chunks = Vec::new();
    let (mut start, mut size) = (0, 0);
    for (position, entry) in entries.iter().enumerate() {
        if size > 0 && size + entry.size as usize > CHUNK && entry.filenames.is_none() {
            chunks.push(start..position);
            (start, size) = (position, 0);
        }
        size += entry.size as usize;
    }
    if start < entries.len() {
        chunks.push(start..entries.len());
    }
    chunks
}

/// The header of timestamp-based bytecode with its source's time; that of checked hashes (PEP 552) stays as it is.
fn with_time(header: &[u8], time: i64) -> Vec<u8> {
    let mut header = header.to_vec();
    let at = header.len() - 8;
    let is_timed = at < 8 || header[4..8] == [0; 4];
    if is_timed {
        // CPython keeps the low 32 bits, too.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "importlib does the same"
        )]
        header[at..at + 4].copy_from_slice(&(time as u32).to_le_bytes());
    }
    header
}

fn damaged(image: &Image, reason: &str) -> Error {
    Error::DamagedImage {
        path: image.file.path().into(),
        reason: reason.into(),
    }
}
