//! The wheel producer: what ensurepip would leave in an environment, made without running pip.
//!
//! Follows the wheel specification and, where that leaves a choice, the pip that is being installed. Knows nothing of
//! images; it fills a scratch environment that `image` packs.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::thread;

use super::archive::{Archive, Entry};
use super::bytecode::{self, Bytecode};
use super::record::{self, Row};
use super::script::{self, EntryPoint, Generation, Names};
use crate::error::Error;
use crate::fs::{Folder, Mode};
use crate::interpreter::Interpreter;
use crate::interrupt::Interrupt;
use crate::layout::Platform;

/// What shapes the result besides the interpreter and its wheels.
#[derive(Debug, Clone)]
pub(crate) struct Production {
    /// The Python that the scripts say they are started by.
    pub(crate) executable: String,
    /// `ENSUREPIP_OPTIONS`.
    pub(crate) names: Names,
    /// How the `.pyc` files are made.
    pub(crate) bytecode: Bytecode,
}

/// A distribution that has been laid down, without its bytecode and without `RECORD`.
#[derive(Debug)]
pub(crate) struct Distribution {
    /// Where it is, relative to the scratch environment: purelib or platlib.
    library: String,
    dist_info: String,
    /// Of everything that is there, paths relative to `library`.
    rows: Vec<Row>,
    /// The `.py` files, relative to the scratch environment.
    sources: Vec<(String, u64)>,
}

/// Fills the empty folder `scratch` with what that Python's ensurepip would leave in an environment there.
///
/// # Errors
///
/// [`Error::Wheel`] if a wheel is missing, broken or of a pip that is not understood, [`Error::Command`] if the
/// interpreter dies while it compiles, [`Error::Interrupted`], [`Error::Io`]. What is in `scratch` then is to be deleted.
pub(crate) fn produce(
    interpreter: &Interpreter,
    scratch: &Path,
    production: &Production,
    interrupt: &Interrupt,
) -> Result<(), Error> {
    if interpreter.platform == Platform::Windows {
        return Err(Error::Wheel {
            path: interpreter.stdlib.clone().into(),
            reason: "only pip itself has the launchers that scripts need on Windows".into(),
        });
    }
    let wheels = interpreter.wheels.as_deref().unwrap_or_default();
    let mut archives = Vec::new();
    for wheel in wheels {
        archives.push(Archive::open(Path::new(&wheel.path))?);
    }
    // ensurepip starts pip from the wheel that it then installs.
    let Some(pip) = wheels.iter().position(|wheel| wheel.project == "pip") else {
        return Err(Error::Wheel {
            path: interpreter.stdlib.clone().into(),
            reason: "its ensurepip has no wheel of pip".into(),
        });
    };
    let generation = generation(&mut archives[pip])?;
    let folder = Folder::open(scratch, scratch)?;
    folder.create_dir_all(interpreter.platform.bin_name())?;
    let target = Target {
        interpreter,
        folder: &folder,
        generation: &generation,
        production,
    };
    let installed: Vec<Result<Distribution, Error>> = thread::scope(|scope| {
        let install = |archive| scope.spawn(|| target.install(archive, interrupt));
        let threads: Vec<_> = archives.into_iter().map(install).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("installing a wheel does not panic"))
            .collect()
    });
    let mut distributions = installed.into_iter().collect::<Result<Vec<_>, _>>()?;
    let sources: Vec<_> = distributions
        .iter()
        .flat_map(|distribution| distribution.sources.iter().cloned())
        .collect();
    let compiled = bytecode::compile(
        interpreter,
        scratch,
        &folder,
        &sources,
        &production.bytecode,
        interrupt,
    )?;
    for distribution in &mut distributions {
        distribution.finish(&folder, &compiled)?;
    }
    Ok(())
}

/// What the pip in this wheel does when it installs.
fn generation(pip: &mut Archive) -> Result<Generation, Error> {
    // The module moved in 20.0.
    let wheel_module = match pip.text("pip/_internal/operations/install/wheel.py")? {
        Some(text) => Some(text),
        None => pip.text("pip/_internal/wheel.py")?,
    };
    let scripts = pip.text("pip/_vendor/distlib/scripts.py")?;
    match (wheel_module, scripts) {
        (Some(wheel_module), Some(scripts)) => {
            Generation::read(&wheel_module, &scripts).map_err(|reason| pip.broken(reason))
        }
        _ => Err(pip.broken("it has no pip that makes console scripts as pip has made them")),
    }
}

/// Where and how wheels are installed.
struct Target<'a> {
    interpreter: &'a Interpreter,
    folder: &'a Folder,
    generation: &'a Generation,
    production: &'a Production,
}

impl Target<'_> {
    /// Installs one wheel: the steps are those of the specification's "Installing a wheel", 1 to 2.
    fn install(&self, mut archive: Archive, interrupt: &Interrupt) -> Result<Distribution, Error> {
        let dist_info = archive.dist_info().to_string();
        // 1.a, 1.b: check that this installer is compatible with Wheel-Version.
        // 1.c: if Root-Is-Purelib, unpack into purelib, else into platlib.
        let metadata = archive
            .text(&format!("{dist_info}/WHEEL"))?
            .ok_or_else(|| archive.broken("it has no WHEEL file"))?;
        let version = header(&metadata, "Wheel-Version").unwrap_or_default();
        if version.split('.').next() != Some("1") {
            return Err(
                archive.broken(format!("its Wheel-Version is {version:?}, only 1 is known"))
            );
        }
        let is_pure = header(&metadata, "Root-Is-Purelib")
            .is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let scheme = &self.interpreter.scheme;
        let library = if is_pure {
            scheme.purelib.clone()
        } else {
            scheme.platlib.clone()
        };
        let points = archive
            .text(&format!("{dist_info}/entry_points.txt"))?
            .unwrap_or_default();
        let points = script::entry_points(&points).map_err(|reason| archive.broken(reason))?;

        // 2.a: spread what is in .data; 2.b: point `#!python` of scripts to this Python; 1.d, 2.c: RECORD with the new paths.
        let mut rows: HashMap<String, Row> = archive
            .rows()
            .iter()
            .map(|row| (row.path.clone(), row.clone()))
            .collect();
        let mut distribution = Distribution {
            library,
            dist_info,
            rows: Vec::new(),
            sources: Vec::new(),
        };
        let mut taken = HashSet::new();
        for entry in archive.entries().to_vec() {
            interrupt.check()?;
            let (place, is_script) = self.destination(&entry, &archive, &distribution)?;
            if is_script && is_wrapper(&entry, &points) {
                continue;
            }
            if !taken.insert(place.clone()) {
                return Err(
                    archive.broken(format!("two of its files would be installed as {place:?}"))
                );
            }
            let contents = archive.read(&entry)?;
            let relocated = if is_script {
                self.point_to_python(&contents)
            } else {
                None
            };
            let recorded = relative(&place, &distribution.library);
            if let Some(row) = rows.get_mut(&entry.name) {
                match &relocated {
                    Some(contents) => *row = Row::hashed(recorded, contents),
                    None => row.path = recorded,
                }
            }
            if place != format!("{}/{}/RECORD", distribution.library, distribution.dist_info) {
                let mode = if entry.is_executable {
                    Mode::Executable
                } else {
                    Mode::Plain
                };
                self.write(&place, relocated.as_deref().unwrap_or(&contents), mode)?;
            }
            if place.ends_with(".py") && !is_script {
                distribution.sources.push((place, contents.len() as u64));
            }
        }
        distribution.rows.extend(rows.into_values());
        self.generate(&archive, &mut distribution, points)?;
        Ok(distribution)
    }

    /// Where an entry goes, relative to the scratch environment, and whether it goes there as a script.
    fn destination(
        &self,
        entry: &Entry,
        archive: &Archive,
        to: &Distribution,
    ) -> Result<(String, bool), Error> {
        let Some((data, rest)) = entry
            .name
            .split_once('/')
            .filter(|(folder, _)| folder.ends_with(".data"))
        else {
            return Ok((format!("{}/{}", to.library, entry.name), false));
        };
        let Some((key, rest)) = rest.split_once('/') else {
            return Err(archive.broken(format!("{:?} lies in no folder of {data:?}", entry.name)));
        };
        let Interpreter {
            scheme,
            platform,
            version: [major, minor, _],
            ..
        } = self.interpreter;
        let folder = match key {
            "purelib" => scheme.purelib.clone(),
            "platlib" => scheme.platlib.clone(),
            "scripts" => platform.bin_name().into(),
            "data" => return Ok((rest.into(), false)),
            // pip/_internal/locations/_sysconfig.py: an environment has a folder of headers per distribution.
            "headers" => {
                let project = to.dist_info.split('-').next().unwrap_or_default();
                format!("include/site/python{major}.{minor}/{project}")
            }
            _ => {
                return Err(archive.broken(format!(
                    "{:?} is for {key:?}, which no installation scheme has",
                    entry.name
                )));
            }
        };
        Ok((format!("{folder}/{rest}"), key == "scripts"))
    }

    /// Console scripts, `INSTALLER` and `REQUESTED`.
    fn generate(
        &self,
        archive: &Archive,
        to: &mut Distribution,
        points: Vec<EntryPoint>,
    ) -> Result<(), Error> {
        let mut written = HashSet::new();
        for point in
            self.generation
                .scripts(points, self.interpreter.version, self.production.names)
        {
            let place = format!("{}/{}", self.interpreter.platform.bin_name(), point.name);
            let body = self.generation.body(&point);
            let text = script::render(
                &self.production.executable,
                &body,
                self.interpreter.platform.shebang_limit(),
            );
            if written.insert(place.clone()) {
                self.write(&place, text.as_bytes(), Mode::Executable)?;
            }
            to.rows
                .push(Row::hashed(relative(&place, &to.library), text.as_bytes()));
        }
        let marks: [(&str, &[u8]); 2] = [("INSTALLER", b"pip\n"), ("REQUESTED", b"")];
        for (name, contents) in
            marks
                .into_iter()
                .take(if self.generation.requested { 2 } else { 1 })
        {
            let path = format!("{}/{name}", to.dist_info);
            if archive.entry(&path).is_some() {
                return Err(archive.broken(format!("it brings its own {name}")));
            }
            self.write(&format!("{}/{path}", to.library), contents, Mode::Plain)?;
            to.rows.push(Row::hashed(path, contents));
        }
        Ok(())
    }

    /// The script with its first line replaced, if that is `#!python`.
    fn point_to_python(&self, contents: &[u8]) -> Option<Vec<u8>> {
        let rest = contents.strip_prefix(b"#!python")?;
        let rest = rest
            .iter()
            .position(|byte| *byte == b'\n')
            .map_or(&[][..], |end| &rest[end + 1..]);
        let shebang = script::shebang(
            &self.production.executable,
            self.interpreter.platform.shebang_limit(),
        );
        Some([shebang.as_bytes(), rest].concat())
    }

    fn write(&self, place: &str, contents: &[u8], mode: Mode) -> Result<(), Error> {
        if let Some((folder, _)) = place.rsplit_once('/') {
            self.folder.create_dir_all(folder)?;
        }
        self.folder.write(place, contents, mode)
    }
}

impl Distribution {
    /// Adds the bytecode and writes `RECORD`.
    fn finish(&mut self, folder: &Folder, compiled: &HashMap<String, String>) -> Result<(), Error> {
        for (source, _) in &self.sources {
            if let Some(bytecode) = compiled.get(source) {
                self.rows
                    .push(Row::unhashed(relative(bytecode, &self.library)));
            }
        }
        let place = format!("{}/{}/RECORD", self.library, self.dist_info);
        folder.write(
            &place,
            record::render(&mut self.rows).as_bytes(),
            Mode::Plain,
        )
    }
}

/// A script that setuptools made for an entry point, which gets a better one (pip, `is_entrypoint_wrapper`).
fn is_wrapper(entry: &Entry, points: &[EntryPoint]) -> bool {
    let name = entry.name.rsplit('/').next().unwrap_or_default();
    let lower = name.to_ascii_lowercase();
    let suffix = [".exe", "-script.py", ".pya"]
        .into_iter()
        .find(|suffix| lower.ends_with(suffix))
        .unwrap_or_default();
    let name = &name[..name.len() - suffix.len()];
    points.iter().any(|point| point.name == name)
}

/// The value of a header, whose name may be in any case.
fn header<'a>(metadata: &'a str, name: &str) -> Option<&'a str> {
    let headers = metadata
        .lines()
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_once(':'));
    headers
        .into_iter()
        .find(|(key, _)| key.trim().eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
}

/// `path` as seen from the folder `from`, both relative to the same one.
fn relative(path: &str, from: &str) -> String {
    let (path, from): (Vec<&str>, Vec<&str>) =
        (path.split('/').collect(), from.split('/').collect());
    let shared = path
        .iter()
        .zip(&from)
        .take_while(|(one, other)| one == other)
        .count();
    let up = from[shared..].iter().map(|_| "..");
    up.chain(path[shared..].iter().copied())
        .collect::<Vec<_>>()
        .join("/")
}

#[cfg(test)]
mod oracle;
