//! Installs a wheel (binary distribution format specification), as pip does where the specification leaves a choice.

use std::collections::HashSet;

use crate::error::Error;
use crate::installed::bytecode::settings::Bytecode;
use crate::installed::entry_points;
use crate::installed::entry_points::EntryPoint;
use crate::installed::record::Row;
use crate::installed::scripts::exe;
use crate::installed::scripts::shebang;
use crate::installed::scripts::template::{Names, ScriptTemplates};
use crate::interpreter::Interpreter;
use crate::pip::wheel::archive::{Archive, Entry};
use crate::pip::wheel::distribution::NewDistribution;
use crate::sys::fs::{Folder, Mode};
use crate::sys::signal::Interrupt;

/// What the result depends on besides the interpreter and its wheels.
#[derive(Debug, Clone)]
pub(crate) struct Production {
    /// The Python in the shebang of scripts.
    pub(crate) executable: String,
    /// `ENSUREPIP_OPTIONS`.
    pub(crate) names: Names,
    /// How `.pyc` files are created.
    pub(crate) bytecode: Option<Bytecode>,
}

/// Where and how wheels are installed.
pub(crate) struct Target<'a> {
    pub(crate) interpreter: &'a Interpreter,
    /// The scratch environment.
    pub(crate) folder: &'a Folder,
    /// How this pip generates scripts.
    pub(crate) templates: &'a ScriptTemplates,
    /// The launcher for console scripts on Windows.
    pub(crate) launcher: Option<&'a [u8]>,
    pub(crate) production: &'a Production,
}

impl Target<'_> {
    /// Installs a wheel. The steps have the numbers of "Installing a wheel" in the specification.
    ///
    /// # Errors
    ///
    /// [`Error::Wheel`] if the wheel specification or pip does not allow the wheel, [`Error::Interrupted`],
    /// [`Error::Io`].
    pub(crate) fn install(
        &self,
        mut archive: Archive,
        interrupt: &Interrupt,
    ) -> Result<NewDistribution, Error> {
        let library = self.library(&mut archive)?;
        let dist_info = archive.dist_info().to_owned();
        let points = archive
            .text(&format!("{dist_info}/entry_points.txt"))?
            .unwrap_or_default();
        let points = entry_points::read(&points).map_err(|reason| archive.broken(reason))?;
        let mut distribution = NewDistribution::new(library, dist_info);
        for entry in archive.entries().to_vec() {
            interrupt.check()?;
            let (place, is_script) = self.destination(&entry, &archive, &distribution)?;
            if entry.name == format!("{}/RECORD", archive.dist_info()) {
                // 2.c: RECORD is written last, with the rows of all files that are not in the wheel.
                distribution.record(Row::unhashed(place));
            } else if is_script && is_wrapper(&entry, &points) {
                // pip installs nothing, but keeps the row.
                distribution.keep(archive.row(&entry.name));
            } else {
                self.lay_down(&entry, place, is_script, &mut archive, &mut distribution)?;
            }
        }
        self.add_scripts(points, &archive, &mut distribution)?;
        self.add_marks(&archive, &mut distribution)?;
        Ok(distribution)
    }

    /// 1.a–1.c: checks the format version, and returns whether the root is purelib or platlib.
    fn library(&self, archive: &mut Archive) -> Result<String, Error> {
        let name = format!("{}/WHEEL", archive.dist_info());
        let metadata = archive.text(&name)?;
        let metadata = metadata.ok_or_else(|| archive.broken(format!("it has no {name}")))?;
        let version = header(&metadata, "Wheel-Version").unwrap_or_default();
        if version.split('.').next() != Some("1") {
            let reason = format!("its Wheel-Version is {version:?}, only 1 is known");
            return Err(archive.broken(reason));
        }
        let purity = header(&metadata, "Root-Is-Purelib").unwrap_or_default();
        let scheme = &self.interpreter.scheme;
        let library = if purity.eq_ignore_ascii_case("true") {
            &scheme.purelib
        } else {
            &scheme.platlib
        };
        Ok(library.clone())
    }

    /// 2.a: the destination of an entry relative to the scratch environment, and whether it is a script.
    fn destination(
        &self,
        entry: &Entry,
        archive: &Archive,
        to: &NewDistribution,
    ) -> Result<(String, bool), Error> {
        let in_data = entry.name.split_once('/');
        let Some((data, rest)) =
            in_data.filter(|(folder, _)| folder.strip_suffix(".data").is_some())
        else {
            return Ok((format!("{}/{}", to.library, entry.name), false));
        };
        let Some((key, rest)) = rest.split_once('/') else {
            return Err(archive.broken(format!(
                "{:?} is not below a directory of {data:?}",
                entry.name
            )));
        };
        let interpreter = self.interpreter;
        let place = match key {
            "purelib" => format!("{}/{rest}", interpreter.scheme.purelib),
            "platlib" => format!("{}/{rest}", interpreter.scheme.platlib),
            "scripts" => format!("{}/{rest}", interpreter.platform.bin_name()),
            "data" => rest.to_owned(),
            // pip/_internal/locations: in an environment, each distribution has its own directory of headers.
            "headers" => {
                let [major, minor, _] = interpreter.version;
                let project = to.dist_info.split('-').next().unwrap_or_default();
                format!("include/site/python{major}.{minor}/{project}/{rest}")
            }
            _ => {
                let reason = format!("{:?} is for an unknown scheme {key:?}", entry.name);
                return Err(archive.broken(reason));
            }
        };
        Ok((place, key == "scripts"))
    }

    /// Verifies and writes a file. 2.b: replaces `#!python` in a script by the shebang.
    fn lay_down(
        &self,
        entry: &Entry,
        place: String,
        is_script: bool,
        archive: &mut Archive,
        to: &mut NewDistribution,
    ) -> Result<(), Error> {
        let contents = archive.read(entry)?;
        let pointed = if is_script {
            self.point_to_python(&contents)
        } else {
            None
        };
        let mode = if entry.is_executable {
            Mode::Executable
        } else {
            Mode::Plain
        };
        to.write(
            self.folder,
            archive,
            &place,
            pointed.as_deref().unwrap_or(&contents),
            mode,
        )?;
        if place.strip_suffix(".py").is_some() {
            to.sources.push((place.clone(), contents.len() as u64));
        }
        match (pointed, archive.row(&entry.name)) {
            (Some(contents), _) => to.record(Row::hashed(place, &contents)),
            // pip copies the wheel's row, whatever hash it has.
            (None, Some(row)) => to.record(Row {
                path: place,
                ..row.clone()
            }),
            (None, None) => to.record(Row::unhashed(place)),
        }
        Ok(())
    }

    fn point_to_python(&self, contents: &[u8]) -> Option<Vec<u8>> {
        let line = contents.strip_prefix(b"#!python")?;
        let end = line.iter().position(|byte| *byte == b'\n');
        let rest = end.map_or(&[][..], |end| &line[end + 1..]);
        let limit = self.interpreter.platform.shebang_limit();
        let shebang = shebang::shebang(&self.production.executable, limit);
        Some([shebang.as_bytes(), rest].concat())
    }

    fn add_scripts(
        &self,
        points: Vec<EntryPoint>,
        archive: &Archive,
        to: &mut NewDistribution,
    ) -> Result<(), Error> {
        let (version, names) = (self.interpreter.version, self.production.names);
        let limit = self.interpreter.platform.shebang_limit();
        let mut written = HashSet::new();
        for point in self.templates.scripts(points, version, names) {
            let mut place = format!("{}/{}", self.interpreter.platform.bin_name(), point.name);
            let body = self.templates.body(&point);
            let executable = &self.production.executable;
            let contents = if let Some(launcher) = self.launcher {
                place.push_str(".exe");
                exe::render(launcher, executable, &body, exe::Time::new(Some("0")))
            } else {
                shebang::render(executable, &body, limit).into_bytes()
            };
            if written.insert(point.name) {
                to.write(self.folder, archive, &place, &contents, Mode::Executable)?;
            }
            to.record(Row::hashed(place, &contents));
        }
        Ok(())
    }

    /// Adds `INSTALLER` and, since pip 20.2, `REQUESTED`: both wheels are on ensurepip's command line.
    fn add_marks(&self, archive: &Archive, to: &mut NewDistribution) -> Result<(), Error> {
        let mut marks = vec![("INSTALLER", &b"pip\n"[..])];
        if self.templates.requested {
            marks.push(("REQUESTED", b""));
        }
        for (name, contents) in marks {
            let place = format!("{}/{}/{name}", to.library, to.dist_info);
            to.write(self.folder, archive, &place, contents, Mode::Plain)?;
            to.record(Row::hashed(place, contents));
        }
        Ok(())
    }
}

/// Whether this is a script that setuptools created for an entry point, which pip replaces (`is_entrypoint_wrapper`).
fn is_wrapper(entry: &Entry, points: &[EntryPoint]) -> bool {
    let name = entry.name.rsplit('/').next().unwrap_or_default();
    let lower = name.to_ascii_lowercase();
    let suffixes = [".exe", "-script.py", ".pya"];
    let suffix = suffixes.into_iter().find(|suffix| lower.ends_with(suffix));
    let name = &name[..name.len() - suffix.unwrap_or_default().len()];
    points.iter().any(|point| point.name == name)
}

/// The value of a header. Its name is not case-sensitive.
pub(crate) fn header<'a>(metadata: &'a str, name: &str) -> Option<&'a str> {
    let lines = metadata.lines().take_while(|line| !line.is_empty());
    let mut headers = lines.filter_map(|line| line.split_once(':'));
    let found = headers.find(|(key, _)| key.trim().eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.trim())
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
