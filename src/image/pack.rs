//! Creates an image from a scratch environment that packages were installed into.
//!
//! Whatever contains the path of the scratch environment is stored without it.

mod metadata;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use fs_err as fs;
use walkdir::WalkDir;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::error::Error;
use crate::image::format;
use crate::image::format::{Distribution, Entry, INDEX, Index};
use crate::installed::relocate::bytecode;
use crate::sys::fs::is_executable;

/// An image that only needs to be written.
pub(crate) struct Packed {
    site_packages: PathBuf,
    index: Index,
}

impl Packed {
    /// Reads the scratch environment whose folders are `site_packages` and `bin`, both absolute.
    ///
    /// # Errors
    ///
    /// [`Error::Io`]; [`Error::DamagedImage`] if something in it is no part of an image (a symlink, bytecode that does not name
    /// its source).
    pub(crate) fn read(
        site_packages: &Path,
        bin: &Path,
        bytecode_header: usize,
    ) -> Result<Self, Error> {
        let (mut folders, mut files) = walk(site_packages, "")?;
        // Debian's PyPy leaves its wheels in `share`; as their RECORD has it.
        let (above, share) = beside(site_packages, bin);
        if share.is_dir() {
            let (more_folders, more_files) = walk(&share, &format!("{above}share/"))?;
            folders.push(format!("{above}share"));
            folders.extend(more_folders);
            files.extend(more_files);
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
        files.sort_by_cached_key(|path| laying_order(path));
        let mut entries = Vec::with_capacity(files.len());
        for path in files {
            if format::is_record(&distributions, &path) {
                continue;
            }
            let (contents, filenames) = stored(site_packages, &path)?;
            let owner = match owners.get(&path) {
                Some(&owner) => Some(owner),
                None if path.starts_with("../") => distributions.iter().position(is_pip),
                None => None,
            };
            let distribution = owner.ok_or_else(|| {
                unfit(&site_packages.join(&path), "it is not listed in any RECORD")
            })?;
            let size = u32::try_from(contents.len())
                .map_err(|_| unfit(&site_packages.join(&path), "it is too large"))?;
            entries.push(Entry {
                crc: crc32fast::hash(&contents),
                size,
                distribution,
                is_executable: is_executable(&site_packages.join(&path)),
                filenames,
                path,
            });
        }
        let index = Index {
            bytecode_header,
            folders,
            distributions,
            entries,
        };
        Ok(Self {
            site_packages: site_packages.into(),
            index,
        })
    }

    /// Writes the image.
    pub(crate) fn write(&self, out: impl Write + io::Seek) -> io::Result<()> {
        let mut zip = ZipWriter::new(out);
        if let Err(error) = self.write_entries(&mut zip) {
            // Dropped unfinished, it would go on writing and complain on stderr.
            std::mem::forget(zip);
            return Err(error);
        }
        zip.finish()?.flush()
    }

    fn write_entries(&self, zip: &mut ZipWriter<impl Write + io::Seek>) -> io::Result<()> {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        zip.start_file(INDEX, options)?;
        zip.write_all(&serde_json::to_vec(&self.index)?)?;
        for entry in &self.index.entries {
            zip.start_file(&entry.path, options)?;
            let (contents, _) =
                stored(&self.site_packages, &entry.path).map_err(io::Error::other)?;
            zip.write_all(&contents)?;
        }
        Ok(())
    }
}

/// The folders, parents first, and the files below `root`, with `prefix` in front of their relative paths.
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

/// The way from site-packages up to the scratch environment, which holds `bin`, and its folder `share`.
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

/// A source directly before its bytecode, so that the second can repeat the first's time; folder by folder.
fn laying_order(path: &str) -> (String, bool) {
    match source_of(path) {
        Some(source) => (source, true),
        None => (path.to_owned(), false),
    }
}

/// `importlib.util.source_from_cache`, for bytecode that lies beside its source.
fn source_of(path: &str) -> Option<String> {
    let (folder, name) = path.rsplit_once("__pycache__/")?;
    let stem = name.strip_suffix(".pyc")?.split('.').next()?;
    Some(format!("{folder}{stem}.py"))
}

/// The contents of a file in the image: bytecode has the relative path of its source, and no time.
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

/// The paths that bytecode may have for its source; on Windows separators depend on what compiled it.
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
    // `compile.py` is given the scratch folder and adds the rest as the wheel has it.
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
    fn a_vendored_distributions_record_is_a_file_of_its_vendor() {
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
        let paths: Vec<_> = packed
            .index
            .entries
            .iter()
            .map(|entry| &entry.path)
            .collect();
        assert_eq!(paths, ["demo/x-2.dist-info/RECORD"]);
    }
}
