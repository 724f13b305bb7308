//! The format of an image: the packages of an environment in one file, ready to be unpacked.
//!
//! It is an uncompressed zip file, so that any tool can open it. The first entry is the index; the others follow in the order in
//! which they are unpacked, each with its CRC. Bytecode has the path of its source relative to site-packages, and the index has
//! its offsets, so that the real path can be put in.

use fs_err as fs;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::sys::fs::read_exact_at;

/// The first entry of the zip.
pub(crate) const INDEX: &str = "index.json";
/// Part of every image's key: another format is another image.
pub(crate) const FORMAT: u32 = 4;
/// The fixed part of a local file header, section 4.3.7 of the zip specification.
const LOCAL_HEADER: usize = 30;

/// What an image holds.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Index {
    /// Length of the header of a `.pyc` (PEP 552: 16 bytes since 3.7, 12 before).
    pub(crate) bytecode_header: usize,
    /// Folders below site-packages, parents first; with `../` in front, as RECORD has it, those beside it.
    pub(crate) folders: Vec<String>,
    pub(crate) distributions: Vec<Distribution>,
    pub(crate) entries: Vec<Entry>,
}

/// One installed project.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Distribution {
    /// Its name, as its `.dist-info` folder has it.
    pub(crate) name: String,
    pub(crate) version: String,
    /// The name of its `.dist-info` folder.
    pub(crate) dist_info: String,
    /// Rows of RECORD except those of scripts, which differ between environments; CRLF, sorted.
    pub(crate) record: String,
    pub(crate) scripts: Vec<ConsoleScript>,
}

/// A console script: what follows the shebang.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ConsoleScript {
    pub(crate) name: String,
    pub(crate) body: String,
}

/// One file, relative to site-packages as in RECORD; in the index a row, since there are a thousand of them and each run reads them all.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(from = "Row", into = "Row")]
pub(crate) struct Entry {
    /// With `/`.
    pub(crate) path: String,
    pub(crate) size: u32,
    pub(crate) crc: u32,
    /// The position of its distribution in [`Index::distributions`].
    pub(crate) distribution: usize,
    /// Whether it is executable.
    pub(crate) is_executable: bool,
    /// For bytecode: where `co_filename` is written; the source is the entry before.
    pub(crate) filenames: Option<Vec<u32>>,
}

/// Whether `path` is the RECORD of one of these, which is generated from the index; not that of a vendored distribution.
pub(crate) fn is_record(distributions: &[Distribution], path: &str) -> bool {
    path.strip_suffix("/RECORD").is_some_and(|folder| {
        distributions
            .iter()
            .any(|distribution| distribution.dist_info == folder)
    })
}

type Row = (String, u32, u32, usize, bool, Option<Vec<u32>>);

impl From<Row> for Entry {
    fn from((path, size, crc, distribution, is_executable, filenames): Row) -> Self {
        Self {
            path,
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
        let Entry {
            path,
            size,
            crc,
            distribution,
            is_executable,
            filenames,
        } = entry;
        (path, size, crc, distribution, is_executable, filenames)
    }
}

/// An image opened for unpacking.
#[derive(Debug)]
pub(crate) struct Image {
    pub(crate) file: fs::File,
    pub(crate) index: Index,
    /// For each entry, where its contents begin in `file`.
    pub(crate) offsets: Vec<u64>,
}

impl Image {
    /// Whether a file of this name, as RECORD has it, comes from the image.
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
        let header_size = (LOCAL_HEADER + INDEX.len()) as u64;
        let mut header = [0; LOCAL_HEADER + INDEX.len()];
        read_exact_at(&file, &mut header, 0).map_err(|error| damaged(error.to_string()))?;
        if !header.starts_with(b"PK\x03\x04") || !header.ends_with(INDEX.as_bytes()) {
            return Err(damaged("it does not start with an index".into()));
        }
        let field = |at: usize| {
            u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
        };
        let (crc, size) = (field(14), field(18));
        // What it claims is not believed: memory for 4 GiB may not be had.
        let length = file
            .metadata()
            .map_err(|error| damaged(error.to_string()))?
            .len();
        if u64::from(size) > length.saturating_sub(header_size) {
            return Err(damaged("it ends within its index".into()));
        }
        let mut json = vec![0; size as usize];
        read_exact_at(&file, &mut json, header_size).map_err(|error| damaged(error.to_string()))?;
        if crc32fast::hash(&json) != crc {
            return Err(damaged("its index has a wrong checksum".into()));
        }
        let index: Index =
            serde_json::from_slice(&json).map_err(|error| damaged(error.to_string()))?;
        let mut at = header_size + u64::from(size);
        let offsets = index.entries.iter().map(|entry| {
            let offset = at + (LOCAL_HEADER + entry.path.len()) as u64;
            at = offset + u64::from(entry.size);
            offset
        });
        let offsets = offsets.collect();
        Ok(Self {
            file,
            index,
            offsets,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_that_a_header_claims_is_not_allocated() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("image");
        let mut header = [0; LOCAL_HEADER];
        header[..4].copy_from_slice(b"PK\x03\x04");
        header[18..22].copy_from_slice(&u32::MAX.to_le_bytes());
        fs::write(&path, [&header, INDEX.as_bytes(), b"{}"].concat()).unwrap();
        let error = Image::open(fs::File::open(&path).unwrap()).unwrap_err();
        assert!(error.to_string().contains("ends within"), "{error}");
    }
}
