//! `setup_pip`: which packages reach the environment, and from where.
//!
//! Chooses the producer, keeps its image in the store, and has it laid down. Knows neither how an image is made nor how files are
//! written.

mod archive;
mod bytecode;
mod co_filename;
#[cfg(test)]
#[cfg(unix)]
mod crafted;
mod distribution;
mod ensurepip;
mod entry_point;
mod finish;
mod generation;
mod image;
mod install;
pub(crate) mod installed;
mod pack;
pub(crate) mod pip;
mod pool;
pub(crate) mod record;
pub(crate) mod script;
pub(crate) mod substitute;
mod unpack;
mod wheel;

use std::path::Path;
use std::thread;
use std::time::{Duration, UNIX_EPOCH};

use fs_err as fs;
use sha2::{Digest as _, Sha256};

use crate::context::{Context, absolute};
use crate::error::Error;
use crate::fs::{Identity, remove_tree};
use crate::interpreter::Interpreter;
use crate::interrupt::Interrupt;
use crate::log::Log;
use crate::options::{Environment, Seeder};
use crate::stage::Stage;
use crate::store::{Store, hex};
use bytecode::Bytecode;
use generation::Names;
use image::Image;
use install::Destination;
use pack::Packed;
use substitute::Substitutes;
use wheel::Production;

/// Everything that decides what pip an environment gets.
pub(crate) struct Seed<'a> {
    pub(crate) interpreter: &'a Interpreter,
    pub(crate) environment: &'a Environment,
    pub(crate) seeder: Seeder,
    pub(crate) with_setuptools: bool,
    pub(crate) relocatable: bool,
    /// Install anew what is not as it was installed.
    pub(crate) mend: bool,
    pub(crate) store: Store,
    pub(crate) substitutes: Substitutes<'a>,
    pub(crate) interrupt: &'a Interrupt,
    pub(crate) log: Log,
}

impl Seed<'_> {
    /// Lays pip down in the stage's tree, as `ensurepip --upgrade --default-pip` would (`venv/__init__.py`, `_setup_pip`).
    ///
    /// Returns the files of older versions that are to go, relative to `ENV_DIR`.
    pub(crate) fn setup_pip(&self, stage: &Stage, context: &Context) -> Result<Vec<String>, Error> {
        let mut image = self.image(&stage.scratch("seed"), context)?;
        let existing = if stage.is_merge() {
            installed::read(Path::new(&context.lib_path))
        } else {
            Vec::new()
        };
        let wanted: Vec<bool> = image
            .index
            .distributions
            .iter()
            .map(|distribution| {
                let name = &distribution.name;
                let is_wanted = self.with_setuptools || name != "setuptools";
                is_wanted && !installed::satisfies(&existing, name, &distribution.version)
                    || is_wanted
                        && self.mend
                        && installed::is_damaged(&existing, name, &context.lib_path)
            })
            .collect();
        if !wanted.contains(&true) {
            return Ok(Vec::new());
        }
        let pycache_prefix = self.pycache_prefix(context);
        let destination = Destination {
            tree: stage.tree(),
            context,
            interpreter: self.interpreter,
            interrupt: self.interrupt,
            wanted: &wanted,
            relocatable: self.relocatable,
            pycache_prefix: pycache_prefix.as_deref(),
        };
        match install::install(&image, &destination) {
            Err(error @ Error::DamagedImage { .. }) => {
                self.log.say(|| format!("{error}; making it anew"));
                self.store.discard_image(&self.key());
                stage.restart(&self.interpreter.scheme.purelib)?;
                image = self.image(&stage.scratch("seed"), context)?;
                install::install(&image, &destination)?;
            }
            other => other?,
        }
        let mut names: Vec<&str> = Vec::new();
        for (position, distribution) in image.index.distributions.iter().enumerate() {
            if wanted[position] {
                let entries = image.index.entries.iter();
                let files = entries
                    .filter(|entry| entry.distribution == position)
                    .count();
                let (name, version) = (&distribution.name, &distribution.version);
                self.log
                    .say(|| format!("{name} {version}: {files} files in {}", context.lib_path));
                names.push(name);
            }
        }
        Ok(installed::obsolete(
            &existing,
            &names,
            &image,
            &self.interpreter.scheme.purelib,
        ))
    }

    /// Makes sure that the image is in the store; `false` if it cannot be kept there.
    pub(crate) fn keep_image(&self, scratch: &Path, context: &Context) -> Result<bool, Error> {
        self.image(scratch, context)?;
        Ok(self.stored(&self.key()).is_some())
    }

    /// The image from the store, or a new one; `scratch` is a path for what making it needs.
    fn image(&self, scratch: &Path, context: &Context) -> Result<Image, Error> {
        let key = self.key();
        if let Some(image) = self.stored(&key) {
            return Ok(image);
        }
        let building = self.store.building(&key);
        if let Some(mut building) = building {
            // Another process that is at it already will be done sooner than this one; if it dies, its lock dies with it.
            while matches!(building.try_lock(), Ok(false)) {
                self.interrupt.check()?;
                thread::sleep(Duration::from_millis(5));
            }
            if let Some(image) = self.stored(&key) {
                return Ok(image);
            }
            return self.build(&key, scratch, context);
        }
        self.build(&key, scratch, context)
    }

    fn stored(&self, key: &str) -> Option<Image> {
        match Image::open(self.store.image(key)?) {
            Ok(image) => Some(image),
            Err(error) => {
                self.log.say(|| format!("{error}; making it anew"));
                self.store.discard_image(key);
                None
            }
        }
    }

    fn build(&self, key: &str, scratch: &Path, context: &Context) -> Result<Image, Error> {
        let packed = self
            .log
            .wait("making the image of pip", || self.produce(scratch, context))?;
        let file = match self.store.keep_image(key, |file| packed.write(file)) {
            Some(file) => file,
            // No store: the image lives as long as the stage does.
            None => unstored(&packed, &scratch.with_extension("zip"))?,
        };
        remove_tree(scratch).map_err(|(path, error)| Error::io("remove", &path)(error))?;
        Image::open(file)
    }

    /// Makes a scratch environment by the producer that was asked for and packs it; where the Python has nothing to make it
    /// of, with the wheels of others.
    fn produce(&self, scratch: &Path, context: &Context) -> Result<Packed, Error> {
        let mut failures = Vec::new();
        let wheels = self.interpreter.wheels.is_some() && self.seeder != Seeder::Ensurepip;
        if wheels {
            failures.push(match self.unpack(self.interpreter, scratch) {
                Ok(packed) => {
                    self.keep_wheel();
                    return Ok(packed);
                }
                // A full disk is full for every producer.
                Err(error) if error.is_shortage() => return Err(error),
                Err(error) => error,
            });
        }
        let has_ensurepip = Path::new(&self.interpreter.stdlib)
            .join("ensurepip")
            .exists();
        if self.seeder == Seeder::Ensurepip || self.seeder == Seeder::Auto && has_ensurepip {
            self.clear(scratch, failures.last())?;
            let made =
                ensurepip::produce(self.interpreter, self.environment, scratch, self.interrupt);
            failures.push(match made {
                Ok(()) => return self.pack(scratch),
                Err(error) if error.is_shortage() => return Err(error),
                Err(error) => error,
            });
        }
        if self.seeder == Seeder::Auto || !wheels && self.seeder == Seeder::Wheel {
            for choice in self.substitutes.choices(self.interpreter) {
                self.clear(scratch, failures.last())?;
                let named: Vec<_> = choice.iter().map(|wheel| wheel.path.as_str()).collect();
                self.log.say(|| format!("using {}", named.join(" and ")));
                let interpreter = Interpreter {
                    wheels: Some(choice.clone()),
                    ..self.interpreter.clone()
                };
                failures.push(match self.unpack(&interpreter, scratch) {
                    Ok(packed) => return Ok(packed),
                    Err(error) => error,
                });
            }
        }
        self.interrupt.check()?;
        match failures.pop() {
            // What its own ensurepip says is better than that there is nothing else.
            Some(failure) if self.interpreter.wheels.is_some() => Err(failure),
            Some(failure) if self.seeder == Seeder::Ensurepip => Err(failure),
            _ => Err(substitute::none(
                &context.env_dir,
                self.interpreter,
                self.substitutes.find_links,
            )),
        }
    }

    /// Removes what a producer that failed left behind.
    fn clear(&self, scratch: &Path, failure: Option<&Error>) -> Result<(), Error> {
        self.interrupt.check()?;
        if let Some(failure) = failure {
            self.log
                .say(|| format!("{failure}; trying the next source of pip"));
        }
        remove_tree(scratch).map_err(|(path, error)| Error::io("remove", &path)(error))
    }

    fn unpack(&self, interpreter: &Interpreter, scratch: &Path) -> Result<Packed, Error> {
        fs::create_dir(scratch).map_err(Error::io("create directory", scratch))?;
        wheel::produce(interpreter, scratch, &self.production(), self.interrupt)?;
        self.pack(scratch)
    }

    /// For a Python without ensurepip, when this one may be gone.
    fn keep_wheel(&self) {
        let wheels = self.interpreter.wheels.iter().flatten();
        if let Some(pip) = wheels.into_iter().find(|wheel| wheel.project == "pip") {
            self.store.keep_wheel(Path::new(&pip.path));
        }
    }

    /// What the variables of this process say to ensurepip and to the compiler.
    fn production(&self) -> Production {
        let variable = |name: &str| {
            let value = self.environment.var(name)?;
            Some(value.to_string_lossy().into_owned())
        };
        Production {
            // The image takes the first line away again, so it need not be a real one.
            executable: "/python".into(),
            names: Names::from_options(variable("ENSUREPIP_OPTIONS").as_deref()),
            bytecode: Bytecode::for_environment(self.interpreter, variable),
        }
    }

    /// `PYTHONPYCACHEPREFIX`: ensurepip honours it since it is no longer isolated (gh-98251), from its own directory.
    fn pycache_prefix(&self, context: &Context) -> Option<String> {
        let prefix = self
            .environment
            .var("PYTHONPYCACHEPREFIX")
            .filter(|_| self.interpreter.at_least(3, 10))?;
        let prefix = absolute(Path::new(prefix), Some(Path::new(&context.env_dir))).ok()?;
        prefix.to_str().map(str::to_owned)
    }

    fn pack(&self, scratch: &Path) -> Result<Packed, Error> {
        let header = if self.interpreter.at_least(3, 7) {
            16
        } else {
            12
        };
        let bin = scratch.join(self.interpreter.platform.bin_name());
        Packed::read(
            &scratch.join(&self.interpreter.scheme.purelib),
            &bin,
            header,
        )
    }

    /// Everything that shapes an image's bytes: the wheels' identity, and what the compiler does with them.
    fn key(&self) -> String {
        let interpreter = self.interpreter;
        let mut hasher = Sha256::new();
        let mut add = |part: &str| {
            hasher.update(part);
            hasher.update(b"\0");
        };
        add(env!("CARGO_PKG_VERSION"));
        add(&image::FORMAT.to_string());
        add(&format!("{:?}", self.seeder));
        add(&interpreter.implementation);
        add(&interpreter.version_string());
        add(interpreter.cache_tag.as_deref().unwrap_or_default());
        add(&interpreter.magic);
        add(&interpreter.scheme.purelib);
        add(&format!("{:?}", self.production()));
        for wheel in interpreter.wheels.iter().flatten() {
            add(&wheel.path);
            add(&format!("{:?}", stamp(Path::new(&wheel.path))));
        }
        let sources: Vec<&str> = match &interpreter.wheels {
            Some(_) => Vec::new(),
            None => interpreter.witnesses.iter().map(String::as_str).collect(),
        };
        let substitutes = if interpreter.wheels.is_none() {
            self.substitutes.folders(interpreter)
        } else {
            Vec::new()
        };
        let substitutes = substitutes.iter().filter_map(|folder| folder.to_str());
        for source in sources.into_iter().chain(substitutes) {
            add(source);
            add(&format!("{:?}", Identity::of(Path::new(source))));
        }
        hex(&hasher.finalize()[..16])
    }
}

/// What a wheel has in common with its copy in another container or on another machine: its version is in its name, and
/// archives keep times to the second.
fn stamp(wheel: &Path) -> Option<(u64, u64)> {
    let metadata = fs::metadata(wheel).ok()?;
    let modified = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some((metadata.len(), modified.as_secs()))
}

fn unstored(packed: &Packed, path: &Path) -> Result<fs::File, Error> {
    let written =
        fs::File::create(path).and_then(|file| packed.write(std::io::BufWriter::new(file)));
    written
        .and_then(|()| fs::File::open(path))
        .map_err(Error::io("write", path))
}
