//! The distributions that are installed in an environment, read from their `.dist-info` directories.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use fs_err as fs;
use pep440_rs::Version;

use super::record;
use crate::error::Error;
use crate::sys::fs::is_executable;
use crate::sys::signal::Interrupt;

/// A `.dist-info` directory.
#[derive(Debug)]
pub(crate) struct Installed {
    /// Normalized.
    pub(crate) name: String,
    /// As in the directory's name.
    pub(crate) version_text: String,
    pub(crate) version: Option<Version>,
    pub(crate) dist_info: String,
}

/// The differences from a RECORD.
#[derive(Debug, Default)]
pub(crate) struct Damage {
    pub(crate) missing: Vec<String>,
    pub(crate) altered: Vec<String>,
    /// Scripts that are not executable.
    pub(crate) not_executable: Vec<String>,
}

impl Damage {
    /// Whether there are no differences.
    pub(crate) fn is_none(&self) -> bool {
        self.missing.is_empty() && self.altered.is_empty() && self.not_executable.is_empty()
    }
}

impl Installed {
    /// Compares every file with RECORD; `None` if that is missing, unreadable or empty.
    ///
    /// Bytecode is ignored, since any program may write or delete it, and some RECORDs list its directories.
    pub(crate) fn damage(
        &self,
        site_packages: &Path,
        interrupt: &Interrupt,
    ) -> Result<Option<Damage>, Error> {
        let Some(mut rows) = self.open(site_packages).map(Iterator::peekable) else {
            return Ok(None);
        };
        if rows.peek().is_none() {
            return Ok(None);
        }
        let mut damage = Damage::default();
        for row in rows {
            interrupt.check()?;
            let Ok(row) = row else {
                return Ok(None);
            };
            if row.path.is_empty() {
                continue;
            }
            // virtualenv also lists it without its directory.
            let is_folder = row.path.rsplit(['/', '\\']).next() == Some("__pycache__");
            if is_folder || row.path.ends_with(".pyc") {
                continue;
            }
            let path = site_packages.join(&row.path);
            let Ok(metadata) = fs::metadata(&path) else {
                damage.missing.push(row.path);
                continue;
            };
            if row.hash.is_empty() {
                continue;
            }
            let is_another_size = !row.size.is_empty() && row.size != metadata.len().to_string();
            // Reading something that is not a regular file might not end.
            let is_same = metadata.is_file()
                && !is_another_size
                && match fs::File::open(&path) {
                    Ok(file) => row.verify_stream(file, || interrupt.check())?.is_ok(),
                    Err(_) => false,
                };
            if !is_same {
                damage.altered.push(row.path);
            } else if row.path.starts_with("../../../bin/")
                && is_script(&path)
                && !is_executable(&path)
            {
                damage.not_executable.push(row.path);
            }
        }
        Ok(Some(damage))
    }

    /// The rows of its RECORD; `None` if that is missing, unreadable or empty.
    pub(crate) fn rows(&self, site_packages: &Path) -> Option<Vec<record::Row>> {
        let rows: Result<Vec<_>, _> = self.open(site_packages)?.collect();
        rows.ok().filter(|rows| !rows.is_empty())
    }

    /// Whether its RECORD contains `path`.
    pub(crate) fn lists(&self, site_packages: &Path, path: &str) -> bool {
        let rows = self.open(site_packages).into_iter().flatten();
        rows.flatten().any(|row| row.path == path)
    }

    fn open(
        &self,
        site_packages: &Path,
    ) -> Option<impl Iterator<Item = Result<record::Row, String>> + use<>> {
        let path = site_packages.join(&self.dist_info).join("RECORD");
        // Opening a pipe would block.
        if !fs::metadata(&path).ok()?.is_file() {
            return None;
        }
        Some(record::rows(fs::File::open(path).ok()?))
    }
}

fn is_script(path: &Path) -> bool {
    let mut start = [0; 2];
    fs::File::open(path).is_ok_and(|mut file| file.read_exact(&mut start).is_ok())
        && start == *b"#!"
}

/// The projects in a site-packages directory; none if it does not exist.
pub(crate) fn read(site_packages: &Path) -> Vec<Installed> {
    let entries = fs::read_dir(site_packages).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| dist_info(entry.file_name().to_str()?))
        .collect()
}

/// The project with this normalized name in a site-packages directory.
pub(crate) fn find(site_packages: &Path, name: &str) -> Option<Installed> {
    let mut installed = read(site_packages).into_iter();
    installed.find(|project| project.name == name)
}

/// The scripts in `bin` of projects that are only installed for other versions. They no longer find their packages.
pub(crate) fn scripts_of(folder: &Path, names: &[String]) -> Vec<String> {
    let mut scripts: Vec<_> = read(folder)
        .iter()
        .filter(|installed| names.contains(&installed.name))
        .flat_map(|installed| installed.rows(folder).unwrap_or_default())
        .filter_map(|row| row.path.strip_prefix("../../../bin/").map(str::to_owned))
        .collect();
    scripts.sort();
    scripts
}

/// The files in all RECORDs of a site-packages directory, relative to the environment.
pub(crate) fn files(site_packages: &Path, purelib: &str) -> BTreeSet<String> {
    read(site_packages)
        .iter()
        .flat_map(|installed| installed.rows(site_packages).unwrap_or_default())
        .filter_map(|row| within(purelib, &row.path))
        .collect()
}

/// The projects that are installed for other Python versions and not in `site_packages`, by directory.
///
/// Only `lib/pythonX.Y/site-packages` and the like belong to a single version.
pub(crate) fn of_other_versions(site_packages: &Path) -> Vec<(PathBuf, Vec<String>)> {
    let Some((python, lib)) = site_packages
        .parent()
        .and_then(|python| Some((python, python.parent()?)))
    else {
        return Vec::new();
    };
    let own = read(site_packages);
    let mut behind = Vec::new();
    for entry in fs::read_dir(lib).into_iter().flatten().flatten() {
        let other = entry.path().join("site-packages");
        if entry.path() == python || fs::symlink_metadata(&other).is_err() {
            continue;
        }
        let mut names: Vec<_> = read(&other)
            .into_iter()
            .map(|installed| installed.name)
            .filter(|name| own.iter().all(|installed| installed.name != *name))
            .collect();
        names.sort();
        if !names.is_empty() {
            behind.push((other, names));
        }
    }
    behind
}

/// Whether `version` of `name` or a newer one is installed, as `pip install --upgrade` decides.
pub(crate) fn satisfies(existing: &[Installed], name: &str, version: &str) -> bool {
    let bundled = Version::from_str(version).ok();
    // A version that cannot be compared is not replaced.
    existing.iter().any(|installed| {
        installed.name == normalized(name)
            && installed
                .version
                .as_ref()
                .zip(bundled.as_ref())
                .is_none_or(|(a, b)| a >= b)
    })
}

/// Whether files of `name` are missing or modified. A newer version is never replaced.
pub(crate) fn is_damaged(
    existing: &[Installed],
    name: &str,
    version: &str,
    site_packages: &Path,
    interrupt: &Interrupt,
) -> Result<bool, Error> {
    let bundled = Version::from_str(version).ok();
    let same = |installed: &&Installed| installed.name == normalized(name);
    if existing
        .iter()
        .filter(same)
        .any(|installed| installed.version > bundled)
    {
        return Ok(false);
    }
    for installed in existing.iter().filter(same) {
        let damage = installed.damage(site_packages, interrupt)?;
        if damage.is_none_or(|damage| !damage.is_none()) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The files of older versions of `names` that the new ones do not contain, relative to the environment. `brought` is
/// called with a path as in RECORD. Scripts with a name in `scripts` are overwritten and kept.
pub(crate) fn obsolete(
    existing: &[Installed],
    names: &[&str],
    brought: impl Fn(&str) -> bool,
    scripts: &[&str],
    site_packages: &Path,
    purelib: &str,
) -> Vec<String> {
    let old = existing
        .iter()
        .filter(|installed| names.iter().any(|name| normalized(name) == installed.name));
    old.flat_map(|installed| installed.rows(site_packages).unwrap_or_default())
        .map(|row| row.path)
        .filter(|path| !brought(path))
        .filter_map(|path| within(purelib, &path))
        .filter(|path| {
            !scripts
                .iter()
                .any(|script| path.rsplit('/').next() == Some(script))
        })
        .collect()
}

fn dist_info(folder: &str) -> Option<Installed> {
    let (name, version) = folder.strip_suffix(".dist-info")?.split_once('-')?;
    // pip was killed while it removed this.
    if name.starts_with('~') {
        return None;
    }
    Some(Installed {
        name: normalized(name),
        version_text: version.into(),
        version: Version::from_str(version).ok(),
        dist_info: folder.into(),
    })
}

/// Normalizes a name (PEP 503).
fn normalized(name: &str) -> String {
    name.to_ascii_lowercase().replace(['.', '_'], "-")
}

/// A path in RECORD, relative to the environment; `None` if it is outside of it.
fn within(purelib: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = purelib.split('/').collect();
    for part in path.split('/') {
        match part {
            ".." => {
                parts.pop()?;
            }
            "" => return None,
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}
