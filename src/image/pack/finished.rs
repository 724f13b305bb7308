//! Reads a finished environment that pip has installed packages into.
//!
//! Everything in it must be rvenv's own or listed in a RECORD, with the mode that it would get now.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use fs_err as fs;
use walkdir::WalkDir;

use crate::error::Error;
use crate::image::format::{ConsoleScript, Distribution, source_of};
use crate::image::pack::{LARGEST_IN_MEMORY, Packed, Planned, laying_order, unfit};
use crate::installed::entry_points;
use crate::installed::record;
use crate::installed::record::Row;
use crate::installed::relocate::{Layout, NewLocation, Relocation};
use crate::installed::scripts::shebang;
use crate::sys::fs::{Mode, is_as_made};
use crate::sys::signal::Interrupt;

/// A finished environment.
pub(crate) struct Finished<'a> {
    pub(crate) env_dir: &'a str,
    /// `lib/pythonX.Y/site-packages`.
    pub(crate) purelib: &'a str,
    pub(crate) include: &'a str,
    pub(crate) bin_name: &'a str,
    /// The environment's Python, which scripts name.
    pub(crate) executable: &'a str,
    pub(crate) shebang_limit: usize,
    /// The files and links that rvenv made, relative to the environment.
    pub(crate) own: BTreeSet<String>,
    pub(crate) bytecode_header: usize,
    pub(crate) interrupt: &'a Interrupt,
}

/// What is listed: which distribution has it, and how.
type Owners = BTreeMap<String, (usize, Row)>;

impl Finished<'_> {
    /// Finds everything that is to be in its image.
    ///
    /// # Errors
    ///
    /// [`Error::DamagedImage`] with the file that an image cannot contain.
    pub(crate) fn packed(&self) -> Result<Packed, Error> {
        let env_dir = Path::new(self.env_dir);
        let site_packages = env_dir.join(self.purelib);
        let (mut distributions, mut owners) = self.distributions(&site_packages)?;
        let mut packed = Packed {
            site_packages,
            bytecode_header: self.bytecode_header,
            folders: Vec::new(),
            distributions: Vec::new(),
            files: Vec::new(),
            plain: 0,
            own_path: Some(own_path(self.env_dir)),
            size: 0,
        };
        let mut compiled = Vec::new();
        let mut scripts = BTreeSet::new();
        for entry in WalkDir::new(env_dir).min_depth(1).sort_by_file_name() {
            self.interrupt.check()?;
            let entry = entry.map_err(|error| Error::io("read", env_dir)(error.into()))?;
            let below = entry.path().strip_prefix(env_dir).ok();
            let below = below.and_then(Path::to_str).ok_or_else(|| Error::NotUtf8 {
                path: entry.path().into(),
            })?;
            let path = self.as_record_has_it(below);
            let foreign = |reason: &str| Err(unfit(entry.path(), reason));
            if self.own.contains(below) || self.is_own_folder(below) && entry.file_type().is_dir() {
                if owners.contains_key(&path) {
                    return foreign("a package has replaced it");
                }
                continue;
            }
            let metadata = entry
                .metadata()
                .map_err(|error| Error::io("read", entry.path())(error.into()))?;
            if metadata.is_dir() {
                if !is_as_made(&metadata, Mode::Plain) {
                    return foreign("it has another mode than a new directory");
                }
                packed.folders.push(path);
                continue;
            }
            if !metadata.is_file() {
                return foreign("it is neither a file nor a directory");
            }
            packed.size += metadata.len() + 256;
            let owner = owners.remove(&path);
            let source = source_of(&path);
            if let Some(source) = source {
                compiled.push((path, source, owner.map(|(owner, _)| owner)));
                if !is_as_made(&metadata, Mode::Plain) {
                    return foreign("it has another mode than new bytecode");
                }
                continue;
            }
            let Some((distribution, row)) = owner else {
                return foreign("no package lists it");
            };
            let is_executable = mode_bits(&metadata) & 0o111 != 0;
            let is_record = path == format!("{}/RECORD", distributions[distribution].dist_info);
            if !is_record && row.hash.is_empty() {
                return foreign("its RECORD has no hash of it");
            }
            let script =
                self.script(below, entry.path(), &metadata, &distributions[distribution])?;
            let mode = match &script {
                Some(script) if script.is_generated => Mode::Executable,
                _ if is_executable => Mode::Program,
                _ => Mode::Plain,
            };
            if !is_as_made(&metadata, mode) {
                return foreign("it has another mode than pip gives it");
            }
            if let Some(script) = script {
                row.verify(&fs::read(entry.path()).map_err(Error::io("read", entry.path()))?)
                    .map_err(|reason| unfit(entry.path(), &reason))?;
                distributions[distribution].scripts.push(script);
                scripts.insert(path);
            } else if !is_record {
                packed.files.push(Planned {
                    path,
                    distribution,
                    is_executable,
                    row: Some(row),
                });
            }
        }
        if let Some(missing) = owners.keys().next() {
            let path = packed.site_packages.join(missing);
            return Err(unfit(&path, "it is missing"));
        }
        self.add_bytecode(&mut packed, compiled, &scripts)?;
        for distribution in &mut distributions {
            let rows = record::read(distribution.record.as_bytes());
            let mut rows = rows.map_err(|reason| unfit(env_dir, &reason))?;
            rows.retain(|row| !scripts.contains(&row.path));
            distribution.record = record::render(&mut rows);
        }
        packed.distributions = distributions;
        Ok(packed)
    }

    /// Reads every RECORD.
    fn distributions(&self, site_packages: &Path) -> Result<(Vec<Distribution>, Owners), Error> {
        let mut distributions: Vec<Distribution> = Vec::new();
        let mut owners = Owners::new();
        let entries = fs::read_dir(site_packages).map_err(Error::io("read", site_packages))?;
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut names: Vec<_> = names.filter(|it| it.ends_with(".dist-info")).collect();
        names.sort();
        for dist_info in names {
            let path = site_packages.join(&dist_info).join("RECORD");
            let text = fs::read_to_string(&path).map_err(Error::io("read", &path))?;
            let mut rows = record::read(text.as_bytes()).map_err(|reason| unfit(&path, &reason))?;
            if record::render(&mut rows) != text {
                return Err(unfit(&path, "it is not as pip writes it"));
            }
            for row in rows {
                if !self.is_within(&row.path) {
                    return Err(unfit(&path, &format!("{:?} leads out", row.path)));
                }
                let path = row.path.clone();
                let previous = owners.insert(path, (distributions.len(), row));
                if let Some((_, row)) = previous {
                    let reason = format!("{:?} is listed twice", row.path);
                    return Err(unfit(&site_packages.join(row.path), &reason));
                }
            }
            let (name, version) = dist_info
                .trim_end_matches(".dist-info")
                .split_once('-')
                .unwrap_or((&dist_info, ""));
            distributions.push(Distribution {
                name: name.into(),
                version: version.into(),
                dist_info: dist_info.clone(),
                record: text,
                scripts: Vec::new(),
            });
        }
        Ok((distributions, owners))
    }

    /// Puts each source before its bytecode, and the bytecode of scripts at the end.
    fn add_bytecode(
        &self,
        packed: &mut Packed,
        compiled: Vec<(String, String, Option<usize>)>,
        scripts: &BTreeSet<String>,
    ) -> Result<(), Error> {
        let owners: BTreeMap<_, _> = packed
            .files
            .iter()
            .map(|file| (file.path.clone(), file.distribution))
            .collect();
        let mut of_scripts = Vec::new();
        for (path, source, owner) in compiled {
            let file = packed.site_packages.join(&path);
            let of_script = scripts.contains(&source);
            if !of_script && !owners.contains_key(&source) {
                return Err(unfit(&file, "its source is not there"));
            }
            if of_script && self.is_hashed(&file)? {
                return Err(unfit(&file, "it has the hash of a script"));
            }
            // What Python has compiled since is listed nowhere.
            let distribution = owner
                .or_else(|| owners.get(&source).copied())
                .ok_or_else(|| unfit(&file, "no package lists it"))?;
            let planned = Planned {
                path,
                distribution,
                is_executable: false,
                row: None,
            };
            if of_script {
                of_scripts.push(planned);
            } else {
                packed.files.push(planned);
            }
        }
        packed
            .files
            .sort_by_cached_key(|file| laying_order(&file.path));
        packed.plain = packed.files.len();
        packed.files.extend(of_scripts);
        Ok(())
    }

    /// Whether bytecode has the hash of its source (PEP 552) instead of its time.
    fn is_hashed(&self, path: &Path) -> Result<bool, Error> {
        let contents = fs::read(path).map_err(Error::io("read", path))?;
        let flags = contents.get(4..8).unwrap_or_default();
        Ok(self.bytecode_header == 16 && flags != [0; 4])
    }

    /// The script that starts this environment's Python, if a file is one.
    fn script(
        &self,
        below: &str,
        path: &Path,
        metadata: &std::fs::Metadata,
        distribution: &Distribution,
    ) -> Result<Option<ConsoleScript>, Error> {
        let name = below.strip_prefix(self.bin_name);
        let name = name.and_then(|name| name.strip_prefix('/'));
        let Some(name) = name.filter(|name| !name.contains('/')) else {
            return Ok(None);
        };
        if metadata.len() > LARGEST_IN_MEMORY {
            return Ok(None);
        }
        let contents = fs::read(path).map_err(Error::io("read", path))?;
        let Ok(text) = String::from_utf8(contents) else {
            return Ok(None);
        };
        let executable = self.executable;
        let is_generated = self.has_entry_point(distribution, name)?;
        let rest = if is_generated {
            text.strip_prefix(&*shebang::shebang(executable, self.shebang_limit))
        } else {
            text.strip_prefix(&*shebang::one_line(executable, ""))
        };
        let Some(body) = rest else {
            return Ok(None);
        };
        if own_path(self.env_dir)
            .is_in(&mut body.as_bytes())
            .map_err(Error::io("read", path))?
        {
            return Err(unfit(path, "it contains the environment's path"));
        }
        Ok(Some(ConsoleScript {
            name: name.into(),
            body: body.into(),
            is_generated,
            is_executable: mode_bits(metadata) & 0o111 != 0,
        }))
    }

    /// Whether pip makes a script of this name for a distribution.
    fn has_entry_point(&self, distribution: &Distribution, name: &str) -> Result<bool, Error> {
        // Their names depend on the version of Python.
        if matches!(&*distribution.name, "pip" | "setuptools") {
            return Ok(true);
        }
        let folder = Path::new(self.env_dir).join(self.purelib);
        let path = folder
            .join(&distribution.dist_info)
            .join("entry_points.txt");
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
            text => text.map_err(Error::io("read", &path))?,
        };
        let points = entry_points::read(&text).map_err(|reason| unfit(&path, &reason))?;
        Ok(points.iter().any(|point| point.name == name))
    }

    /// A path relative to the environment, as a RECORD has it.
    fn as_record_has_it(&self, below: &str) -> String {
        let (from, to): (Vec<_>, Vec<_>) = (parts(self.purelib), parts(below));
        let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
        let up = vec![".."; from.len() - common];
        [&up, &to[common..]].concat().join("/")
    }

    /// Whether a RECORD's path is below the environment, and written in the shortest way.
    fn is_within(&self, path: &str) -> bool {
        let mut below = parts(self.purelib);
        let mut rest = path;
        while let Some(after) = rest.strip_prefix("../") {
            if below.pop().is_none() {
                return false;
            }
            rest = after;
        }
        let is_name = |part: &str| !matches!(part, "" | "." | "..");
        rest.split('/').all(is_name) && {
            below.extend(parts(rest));
            self.as_record_has_it(&below.join("/")) == path
        }
    }

    fn is_own_folder(&self, below: &str) -> bool {
        [self.purelib, self.include, self.bin_name]
            .iter()
            .any(|folder| {
                folder
                    .strip_prefix(below)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            })
    }
}

fn parts(path: &str) -> Vec<&str> {
    path.split('/').collect()
}

fn own_path(env_dir: &str) -> Relocation<'static> {
    let layout = Layout {
        bin_name: "",
        python: "",
        shebang_limit: 0,
        is_windows: false,
    };
    Relocation::new(&[env_dir], NewLocation::Anywhere, layout)
}

#[cfg(unix)]
fn mode_bits(metadata: &std::fs::Metadata) -> u32 {
    std::os::unix::fs::MetadataExt::mode(metadata)
}

/// Windows has no modes.
#[cfg(windows)]
fn mode_bits(_metadata: &std::fs::Metadata) -> u32 {
    0
}
