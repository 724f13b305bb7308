//! Where the image of pip comes from: the cache, the base's bundled wheels, its ensurepip, or other wheels.

use std::path::Path;
use std::thread;
use std::time::Duration;

use fs_err as fs;

use crate::error::Error;
use crate::image::format::Image;
use crate::image::pack::Packed;
use crate::interpreter::Interpreter;
use crate::options::Seeder;
use crate::pip::{Seed, ensurepip, other_wheels, wheel};
use crate::sys::fs::remove_tree;
use crate::venv::context::Context;

impl Seed<'_> {
    /// Makes sure that the image is in the cache; `false` if it cannot be.
    pub(crate) fn keep_image(&self, scratch: &Path, context: &Context) -> Result<bool, Error> {
        self.image(scratch, context)?;
        Ok(self.stored(&self.key()).is_some())
    }

    /// The image from the store, or a new one; `scratch` is a path for what making it needs.
    pub(crate) fn image(&self, scratch: &Path, context: &Context) -> Result<Image, Error> {
        let key = self.key();
        if let Some(image) = self.stored(&key) {
            return Ok(image);
        }
        // Held until the image is built.
        let mut building = self.store.building(&key);
        if let Some(building) = &mut building {
            // Another process that is at it already will be done sooner than this one; if it dies, its lock dies with it.
            while matches!(building.try_lock(), Ok(false)) {
                self.interrupt.check()?;
                thread::sleep(Duration::from_millis(5));
            }
            if let Some(image) = self.stored(&key) {
                return Ok(image);
            }
        }
        self.build(&key, scratch, context)
    }

    fn stored(&self, key: &str) -> Option<Image> {
        match Image::open(self.store.image(key)?) {
            Ok(image) => Some(image),
            Err(error) => {
                self.log.say(|| format!("{error}; recreating it"));
                self.store.discard_image(key);
                None
            }
        }
    }

    fn build(&self, key: &str, scratch: &Path, context: &Context) -> Result<Image, Error> {
        let packed = self
            .log
            .wait("preparing pip", || self.produce(scratch, context))?;
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
            let made = made.and_then(|()| {
                if self.compile {
                    return Ok(());
                }
                // ensurepip has no such option, and its pip reads no variables.
                ensurepip::remove_bytecode(&scratch.join(&self.interpreter.scheme.purelib))
            });
            failures.push(match made {
                Ok(()) => return self.pack(scratch),
                Err(error) if error.is_shortage() => return Err(error),
                Err(error) => error,
            });
        }
        if self.seeder == Seeder::Auto || !wheels && self.seeder == Seeder::Wheel {
            for choice in self.other_wheels.choices(self.interpreter) {
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
            // The error of its own ensurepip tells more than that there is no other source.
            Some(failure) if self.interpreter.wheels.is_some() => Err(failure),
            Some(failure) if self.seeder == Seeder::Ensurepip => Err(failure),
            _ => Err(other_wheels::none(
                &context.env_dir,
                self.interpreter,
                self.other_wheels.find_links,
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

    /// For a Python without ensurepip, at a time when this one may have been removed.
    fn keep_wheel(&self) {
        let wheels = self.interpreter.wheels.iter().flatten();
        if let Some(pip) = wheels.into_iter().find(|wheel| wheel.project == "pip") {
            self.store.keep_wheel(Path::new(&pip.path));
        }
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
}

fn unstored(packed: &Packed, path: &Path) -> Result<fs::File, Error> {
    let written =
        fs::File::create(path).and_then(|file| packed.write(std::io::BufWriter::new(file)));
    written
        .and_then(|()| fs::File::open(path))
        .map_err(Error::io("write", path))
}
