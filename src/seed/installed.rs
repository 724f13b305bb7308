//! What an existing environment has installed, and what of it a newer version makes obsolete.
//!
//! Reads `.dist-info` folders; removes nothing.

use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use fs_err as fs;
use pep440_rs::Version;

use super::image::{Image, is_record};
use super::record;

/// One `.dist-info` folder.
#[derive(Debug)]
pub(crate) struct Installed {
    /// Normalised.
    pub(crate) name: String,
    /// As the folder says it.
    pub(crate) version_text: String,
    version: Option<Version>,
    /// The paths that its RECORD lists.
    record: Vec<String>,
    pub(crate) dist_info: String,
}

/// What is not as a RECORD says.
#[derive(Debug, Default)]
pub(crate) struct Damage {
    pub(crate) missing: Vec<String>,
    pub(crate) altered: Vec<String>,
}

impl Damage {
    /// Whether all is well.
    pub(crate) fn is_none(&self) -> bool {
        self.missing.is_empty() && self.altered.is_empty()
    }
}

impl Installed {
    /// Compares every file with the RECORD; `None` if there is none that can be read.
    ///
    /// Bytecode may be missing, since anybody may delete it.
    pub(crate) fn damage(&self, site_packages: &Path) -> Option<Damage> {
        let text = fs::read(site_packages.join(&self.dist_info).join("RECORD")).ok()?;
        let rows = record::read(&text).ok()?;
        let mut damage = Damage::default();
        for row in rows.into_iter().filter(|row| !row.path.is_empty()) {
            let path = site_packages.join(&row.path);
            let is_bytecode = row.path.ends_with(".pyc");
            if row.hash.is_empty() {
                if !is_bytecode && !path.exists() {
                    damage.missing.push(row.path);
                }
                continue;
            }
            match fs::read(&path) {
                Ok(contents) if row.verify(&contents).is_err() => damage.altered.push(row.path),
                Ok(_) => {}
                Err(_) if is_bytecode => {}
                Err(_) => damage.missing.push(row.path),
            }
        }
        Some(damage)
    }
}

/// The projects in a site-packages folder; none if there is no such folder.
pub(crate) fn read(site_packages: &Path) -> Vec<Installed> {
    let entries = fs::read_dir(site_packages).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| dist_info(site_packages, entry.file_name().to_str()?))
        .collect()
}

/// What is installed for other versions of Python beside `site_packages` and not in it: each folder with the projects in it.
///
/// Only `lib/pythonX.Y/site-packages` (with `X.Y` or the like) is one version's alone.
pub(crate) fn behind(site_packages: &Path) -> Vec<(PathBuf, Vec<String>)> {
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

/// Whether `name` is installed in `version` or a newer one, as `pip install --upgrade` decides.
pub(crate) fn satisfies(existing: &[Installed], name: &str, version: &str) -> bool {
    let bundled = Version::from_str(version).ok();
    // A version that cannot be compared is not one that may be replaced.
    existing.iter().any(|installed| {
        installed.name == normalized(name)
            && installed
                .version
                .as_ref()
                .zip(bundled.as_ref())
                .is_none_or(|(a, b)| a >= b)
    })
}

/// Whether files of `name` are missing or altered.
pub(crate) fn is_damaged(existing: &[Installed], name: &str, site_packages: &str) -> bool {
    existing
        .iter()
        .filter(|installed| installed.name == normalized(name))
        .any(|installed| {
            let damage = installed.damage(Path::new(site_packages));
            damage.is_none_or(|damage| !damage.is_none())
        })
}

/// The files of `names`' old versions that the image does not bring, relative to the environment.
pub(crate) fn obsolete(
    existing: &[Installed],
    names: &[&str],
    image: &Image,
    purelib: &str,
) -> Vec<String> {
    let brought = |path: &str| {
        is_record(&image.index.distributions, path)
            || image.index.entries.iter().any(|entry| entry.path == path)
    };
    let scripts = image
        .index
        .distributions
        .iter()
        .flat_map(|distribution| &distribution.scripts);
    let scripts: Vec<&str> = scripts.map(|script| script.name.as_str()).collect();
    let old = existing
        .iter()
        .filter(|installed| names.iter().any(|name| normalized(name) == installed.name));
    old.flat_map(|installed| &installed.record)
        .filter(|path| !brought(path))
        .filter_map(|path| within(purelib, path))
        .filter(|path| {
            !scripts
                .iter()
                .any(|script| path.rsplit('/').next() == Some(script))
        })
        .collect()
}

fn dist_info(site_packages: &Path, folder: &str) -> Option<Installed> {
    let (name, version) = folder.strip_suffix(".dist-info")?.split_once('-')?;
    let record = fs::read_to_string(site_packages.join(folder).join("RECORD")).unwrap_or_default();
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(record.as_bytes());
    let record = reader
        .records()
        .flatten()
        .filter_map(|row| row.get(0).map(str::to_owned))
        .collect();
    Some(Installed {
        name: normalized(name),
        version_text: version.into(),
        version: Version::from_str(version).ok(),
        record,
        dist_info: folder.into(),
    })
}

/// The name normalisation of the packaging specifications (PEP 503).
fn normalized(name: &str) -> String {
    name.to_ascii_lowercase().replace(['.', '_'], "-")
}

/// A RECORD path, relative to the environment; `None` if it leads out of it.
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
