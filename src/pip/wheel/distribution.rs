//! A distribution while it is installed: the files written so far, and the rows of its `RECORD`.

use std::collections::{HashMap, HashSet};

use crate::error::Error;
use crate::installed::record;
use crate::installed::record::Row;
use crate::pip::wheel::archive::Archive;
use crate::sys::fs::{Folder, Mode};

/// An installed distribution, still without bytecode and `RECORD`.
#[derive(Debug)]
pub(crate) struct NewDistribution {
    /// Its directory relative to the scratch environment: purelib or platlib.
    pub(crate) library: String,
    pub(crate) dist_info: String,
    /// A row of `RECORD` for every file.
    rows: Vec<Row>,
    /// The `.py` files and their sizes, relative to the scratch environment.
    pub(crate) sources: Vec<(String, u64)>,
    /// Paths that exist already, and directories.
    taken: HashSet<String>,
    folders: HashSet<String>,
}

impl NewDistribution {
    /// A distribution without files, whose `.dist-info` will be in `library`.
    pub(crate) fn new(library: String, dist_info: String) -> Self {
        // No other file may have the path of RECORD, which is written last.
        let record = format!("{library}/{dist_info}/RECORD");
        Self {
            library,
            dist_info,
            rows: Vec::new(),
            sources: Vec::new(),
            taken: HashSet::from([record]),
            folders: HashSet::new(),
        }
    }

    /// Adds the compiled bytecode, and writes `RECORD`.
    pub(crate) fn finish(
        mut self,
        folder: &Folder,
        compiled: &HashMap<String, String>,
    ) -> Result<(), Error> {
        for (source, _) in std::mem::take(&mut self.sources) {
            if let Some(bytecode) = compiled.get(&source) {
                self.record(Row::unhashed(bytecode.clone()));
            }
        }
        let place = format!("{}/{}/RECORD", self.library, self.dist_info);
        let text = record::render(&mut self.rows);
        folder.write(&place, text.as_bytes(), Mode::Plain)
    }

    /// Adds a row of the wheel unchanged.
    pub(crate) fn keep(&mut self, row: Option<&Row>) {
        self.rows.extend(row.cloned());
    }

    /// Adds a row whose path is still relative to the scratch environment.
    pub(crate) fn record(&mut self, row: Row) {
        let path = relative(&row.path, &self.library);
        self.rows.push(Row { path, ..row });
    }

    /// Writes a file of `archive` that must not exist yet.
    pub(crate) fn write(
        &mut self,
        folder: &Folder,
        archive: &Archive,
        place: &str,
        contents: &[u8],
        mode: Mode,
    ) -> Result<(), Error> {
        if !self.taken.insert(place.to_owned()) {
            let reason = format!("two files would be installed as {place:?}");
            return Err(archive.broken(reason));
        }
        let parent = place.rsplit_once('/').map_or("", |(parent, _)| parent);
        if !parent.is_empty() && self.folders.insert(parent.to_owned()) {
            folder.create_dir_all(parent)?;
        }
        folder.write(place, contents, mode)
    }
}

/// `path` relative to the directory `from`. Both are relative to the same directory.
pub(crate) fn relative(path: &str, from: &str) -> String {
    let (path, from): (Vec<&str>, Vec<&str>) =
        (path.split('/').collect(), from.split('/').collect());
    let pairs = path.iter().zip(&from);
    let shared = pairs.take_while(|(one, other)| one == other).count();
    let up = from[shared..].iter().map(|_| "..");
    let parts: Vec<&str> = up.chain(path[shared..].iter().copied()).collect();
    parts.join("/")
}
