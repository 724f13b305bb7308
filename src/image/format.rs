//! The format of an image: the packages of an environment in one file, ready to be unpacked.
//!
//! It is an uncompressed zip file, so that any tool can open it. The last entry is the index, and the archive's comment says where
//! that is; the others are in the order in which they are unpacked, each with its CRC. Bytecode has the path of its source relative
//! to site-packages, and the index has its offsets, so that the real path can be put in.

use fs_err as fs;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::sys::fs::read_exact_at;

/// The last entry of the zip.
pub(crate) const INDEX: &str = "index.json";
/// Part of every image's key, so that an image of another format is never used.
pub(crate) const FORMAT: u32 = 5;
/// Files of this size, in bytes, and larger ones begin at a multiple of a block's size, so that a file system can share their blocks.
pub(crate) const SHARED_FROM: u64 = 64 << 10;
/// How the comment begins.
const COMMENT: &str = "rvenv index at ";
/// Its length: offset, size and CRC have 16, 16 and 8 digits.
const COMMENT_LENGTH: usize = COMMENT.len() + 16 + 1 + 16 + 1 + 8;

/// The comment of the archive, which says where the index is.
pub(crate) fn comment(offset: u64, size: u64, crc: u32) -> String {
    format!("{COMMENT}{offset:016x} {size:016x} {crc:08x}")
}

/// `importlib.util.source_from_cache`, for bytecode in the directory of its source.
pub(crate) fn source_of(path: &str) -> Option<String> {
    let (folder, name) = path.rsplit_once("__pycache__/")?;
    let stem = name.strip_suffix(".pyc")?.split('.').next()?;
    Some(format!("{folder}{stem}.py"))
}

/// The header of timestamp-based bytecode with its source's time; that of checked hashes (PEP 552) stays as it is.
pub(crate) fn with_time(header: &[u8], time: i64) -> Vec<u8> {
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

/// The index of an image.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Index {
    /// Length of the header of a `.pyc` (PEP 552: 16 bytes since 3.7, 12 before).
    pub(crate) bytecode_header: usize,
    /// Directories below site-packages, parents first. Those outside of it begin with `../`, as in RECORD.
    pub(crate) folders: Vec<String>,
    pub(crate) distributions: Vec<Distribution>,
    pub(crate) entries: Vec<Entry>,
    /// Those from here on are the bytecode of console scripts, and are written after these.
    pub(crate) files: usize,
}

/// An installed project.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Distribution {
    /// Its name in the name of the `.dist-info` directory.
    pub(crate) name: String,
    pub(crate) version: String,
    /// The name of the `.dist-info` directory.
    pub(crate) dist_info: String,
    /// The rows of RECORD, sorted and with CRLF, except those of scripts, which differ between environments.
    pub(crate) record: String,
    pub(crate) scripts: Vec<ConsoleScript>,
}

/// A console script without its shebang.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ConsoleScript {
    pub(crate) name: String,
    pub(crate) body: String,
    /// pip has made it of an entry point; else it comes from the wheel and has a shebang of one line.
    pub(crate) is_generated: bool,
    pub(crate) is_executable: bool,
}

/// A file, relative to site-packages as in RECORD. In the index it is an array, since there are a thousand of them and
/// each run reads them all.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(from = "Row", into = "Row")]
pub(crate) struct Entry {
    /// With `/` as the separator.
    pub(crate) path: String,
    /// Where its contents begin in the image.
    pub(crate) offset: u64,
    pub(crate) size: u64,
    pub(crate) crc: u32,
    /// The index of its distribution in [`Index::distributions`].
    pub(crate) distribution: usize,
    /// Whether it is executable.
    pub(crate) is_executable: bool,
    /// For bytecode: the offsets of `co_filename`. The source is the previous entry.
    pub(crate) filenames: Option<Vec<u32>>,
}

/// Whether `path` is the RECORD of one of these, which is generated from the index. RECORD files of vendored
/// distributions are not.
pub(crate) fn is_record(distributions: &[Distribution], path: &str) -> bool {
    path.strip_suffix("/RECORD").is_some_and(|folder| {
        distributions
            .iter()
            .any(|distribution| distribution.dist_info == folder)
    })
}

type Row = (String, u64, u64, u32, usize, bool, Option<Vec<u32>>);

impl From<Row> for Entry {
    fn from((path, offset, size, crc, distribution, is_executable, filenames): Row) -> Self {
        Self {
            path,
            offset,
            size,
            crc,
            distribution,
            is_executable,
            filenames,
        }
    }
}

impl From<Entry> for Row {
    fn from(entry: Entry) -> Self {
        (
            entry.path,
            entry.offset,
            entry.size,
            entry.crc,
            entry.distribution,
            entry.is_executable,
            entry.filenames,
        )
    }
}

/// An image that is open for unpacking.
#[derive(Debug)]
pub(crate) struct Image {
    pub(crate) file: fs::File,
    pub(crate) index: Index,
}

impl Image {
    /// Whether the image contains this file, named as in RECORD.
    pub(crate) fn brings(&self, path: &str) -> bool {
        is_record(&self.index.distributions, path)
            || self.index.entries.iter().any(|entry| entry.path == path)
    }

    /// The names of all console scripts.
    pub(crate) fn script_names(&self) -> Vec<&str> {
        let distributions = self.index.distributions.iter();
        let scripts = distributions.flat_map(|distribution| &distribution.scripts);
        scripts.map(|script| script.name.as_str()).collect()
    }

    /// Reads the index.
    ///
    /// # Errors
    ///
    /// [`Error::DamagedImage`] if it is not whole.
    pub(crate) fn open(file: fs::File) -> Result<Self, Error> {
        let damaged = |reason: String| Error::DamagedImage {
            path: file.path().into(),
            reason,
        };
        let length = file
            .metadata()
            .map_err(|error| damaged(error.to_string()))?;
        let length = length.len();
        let mut comment = [0; COMMENT_LENGTH];
        let begin = length.saturating_sub(COMMENT_LENGTH as u64);
        read_exact_at(&file, &mut comment, begin).map_err(|error| damaged(error.to_string()))?;
        let (offset, size, crc) =
            place(&comment).ok_or_else(|| damaged("it does not end with an index".into()))?;
        // What it claims is not believed: memory for as much may not be had.
        if offset.checked_add(size).is_none_or(|end| end > length) {
            return Err(damaged("its index is not in it".into()));
        }
        let mut json = vec![0; usize::try_from(size).unwrap_or(usize::MAX)];
        read_exact_at(&file, &mut json, offset).map_err(|error| damaged(error.to_string()))?;
        if crc32fast::hash(&json) != crc {
            return Err(damaged("its index has a wrong checksum".into()));
        }
        let index: Index =
            serde_json::from_slice(&json).map_err(|error| damaged(error.to_string()))?;
        Ok(Self { file, index })
    }

    /// The contents of one file of it.
    ///
    /// # Errors
    ///
    /// [`Error::DamagedImage`] if they have a wrong checksum.
    pub(crate) fn contents(&self, entry: &Entry) -> Result<Vec<u8>, Error> {
        let mut contents = vec![0; usize::try_from(entry.size).unwrap_or(usize::MAX)];
        read_exact_at(&self.file, &mut contents, entry.offset)
            .map_err(|error| self.damaged(&error.to_string()))?;
        if crc32fast::hash(&contents) != entry.crc {
            return Err(self.damaged(&format!("{} has a wrong checksum", entry.path)));
        }
        Ok(contents)
    }

    pub(crate) fn damaged(&self, reason: &str) -> Error {
        Error::DamagedImage {
            path: self.file.path().into(),
            reason: reason.into(),
        }
    }
}

/// Offset, size and CRC of the index.
fn place(comment: &[u8]) -> Option<(u64, u64, u32)> {
    let text = str::from_utf8(comment).ok()?.strip_prefix(COMMENT)?;
    let mut numbers = text.split(' ');
    let mut number = || u64::from_str_radix(numbers.next()?, 16).ok();
    Some((number()?, number()?, u32::try_from(number()?).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_false_size_in_an_image_allocates_no_memory() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("image");
        fs::write(&path, comment(0, u64::MAX - 1, 0)).unwrap();
        let error = Image::open(fs::File::open(&path).unwrap()).unwrap_err();
        assert!(error.to_string().contains("not in it"), "{error}");
    }
}
