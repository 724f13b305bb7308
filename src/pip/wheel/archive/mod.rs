//! Reads a wheel file (binary distribution format specification) and checks it against its `RECORD`.

mod entries;

use std::collections::{HashMap, HashSet};
use std::fmt::Display;
use std::io::{Cursor, Read as _};
use std::path::{Path, PathBuf};

use fs_err as fs;
use zip::ZipArchive;

use crate::error::Error;
use crate::installed::record;
use crate::installed::record::Row;
pub(crate) use crate::pip::wheel::archive::entries::Entry;

/// A wheel with valid names.
pub(crate) struct Archive {
    path: PathBuf,
    zip: ZipArchive<Cursor<Vec<u8>>>,
    entries: Vec<Entry>,
    dist_info: String,
    rows: HashMap<String, Row>,
}

impl Archive {
    /// Opens the wheel at `path` and checks the names and types of all entries.
    ///
    /// # Errors
    ///
    /// [`Error::Wheel`] if it is not a wheel, or if an entry would be written elsewhere, over another one, or not as a
    /// regular file; [`Error::Io`] if it cannot be read.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let contents = fs::read(path).map_err(Error::io("read", path))?;
        let broken = |reason: String| Error::Wheel {
            path: path.into(),
            reason,
        };
        let mut zip = ZipArchive::new(Cursor::new(contents))
            .map_err(|error| broken(format!("it is not a zip file: {error}")))?;
        if zip.has_duplicate_names() {
            return Err(broken("it has two entries with the same name".into()));
        }
        match zip.has_overlapping_entries() {
            Ok(false) => {}
            Ok(true) => return Err(broken("its entries overlap".into())),
            Err(error) => return Err(broken(error.to_string())),
        }
        let entries = entries::read(&mut zip).map_err(broken)?;
        let dist_info = entries::dist_info(&entries, path).map_err(broken)?;
        let mut archive = Self {
            path: path.into(),
            zip,
            entries,
            dist_info,
            rows: HashMap::new(),
        };
        let text = archive.contents(&format!("{}/RECORD", archive.dist_info))?;
        let rows = record::read(&text).map_err(|reason| archive.broken(reason))?;
        archive
            .take_rows(rows)
            .map_err(|reason| archive.broken(reason))?;
        Ok(archive)
    }

    /// The name of the `.dist-info` directory.
    pub(crate) fn dist_info(&self) -> &str {
        &self.dist_info
    }

    /// All files, in the archive's order.
    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The row for `name` in the wheel's `RECORD`.
    pub(crate) fn row(&self, name: &str) -> Option<&Row> {
        self.rows.get(name)
    }

    /// An error about this wheel.
    pub(crate) fn broken(&self, reason: impl Display) -> Error {
        Error::Wheel {
            path: self.path.clone(),
            reason: reason.to_string(),
        }
    }

    /// The entry called `name`.
    pub(crate) fn entry(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.name == name)
    }

    /// The verified text of the entry called `name`, if there is one.
    pub(crate) fn text(&mut self, name: &str) -> Result<Option<String>, Error> {
        if self.entry(name).is_none() {
            return Ok(None);
        }
        let contents = self.contents(name)?;
        self.verify(name, &contents)?;
        String::from_utf8(contents)
            .map(Some)
            .map_err(|_| self.broken(format!("{name:?} is not UTF-8")))
    }

    /// The verified contents of `entry`.
    pub(crate) fn read(&mut self, entry: &Entry) -> Result<Vec<u8>, Error> {
        let contents = self
            .inflate(entry.index)
            .map_err(|reason| self.broken(format!("{:?}: {reason}", entry.name)))?;
        self.verify(&entry.name, &contents)?;
        Ok(contents)
    }

    fn contents(&mut self, name: &str) -> Result<Vec<u8>, Error> {
        let index = self
            .entry(name)
            .map(|entry| entry.index)
            .ok_or_else(|| self.broken(format!("it has no {name}")))?;
        self.inflate(index)
            .map_err(|reason| self.broken(format!("{name:?}: {reason}")))
    }

    fn inflate(&mut self, index: usize) -> Result<Vec<u8>, String> {
        let file = self
            .zip
            .by_index(index)
            .map_err(|error| error.to_string())?;
        let size = file.size();
        // The claimed size is only a hint for the allocation and a limit for reading.
        let mut contents = Vec::with_capacity(usize::try_from(size.min(1 << 24)).unwrap_or(0));
        file.take(size.saturating_add(1))
            .read_to_end(&mut contents)
            .map_err(|error| error.to_string())?;
        if contents.len() as u64 == size {
            Ok(contents)
        } else {
            Err(format!("it does not have the stated {size} bytes"))
        }
    }

    fn verify(&self, name: &str, contents: &[u8]) -> Result<(), Error> {
        if self.is_exempt(name) {
            return Ok(());
        }
        // `take_rows` has checked that there is one.
        let verified = self.row(name).map_or(Ok(()), |row| row.verify(contents));
        verified.map_err(|reason| self.broken(reason))
    }

    /// `RECORD` cannot contain its own hash, or the hash of its signatures.
    fn is_exempt(&self, name: &str) -> bool {
        name.strip_prefix(self.dist_info.as_str())
            .is_some_and(|rest| matches!(rest, "/RECORD" | "/RECORD.jws" | "/RECORD.p7s"))
    }

    /// Every file must have a row and every row a file, or files would be installed without being verified.
    fn take_rows(&mut self, rows: Vec<Row>) -> Result<(), String> {
        for row in rows {
            if let Some(row) = self.rows.insert(row.path.clone(), row) {
                return Err(format!("RECORD lists {:?} twice", row.path));
            }
        }
        let names: HashSet<&str> = self
            .entries
            .iter()
            .map(|entry| entry.name.as_str())
            .collect();
        let mut paths = self.rows.keys();
        if let Some(path) =
            paths.find(|path| !names.contains(path.as_str()) && !self.is_exempt(path))
        {
            return Err(format!("RECORD lists {path:?}, which does not exist"));
        }
        let mut names = names.into_iter();
        match names.find(|name| !self.rows.contains_key(*name) && !self.is_exempt(name)) {
            Some(name) => Err(format!("RECORD does not list {name:?}")),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
