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
    /// Stores the image in the cache. Returns `false` if that is not possible.
    pub(crate) fn keep_image(&self, scratch: &Path, context: &Context) -> Result<bool, Error> {
        self.image(scratch, context)?;
        Ok(self.stored(&self.key()).is_some())
    }

    /// The image from the cache or a new one, which is created at the path `scratch`.
    pub(crate) fn image(&self, scratch: &Path, context: &Context) -> Result<Image, Error> {
        let key = self.key();
        if let Some(image) = self.stored(&key) {
            return Ok(image);
        }
        // Locked until the image is created.
        let mut build_lock = self.store.build_lock(&key);
        if let Some(build_lock) = &mut build_lock {
            // Another process that has already started will finish earlier. If it dies, its lock is released.
            while matches!(build_lock.try_lock(), Ok(false)) {
                self.interrupt.check()?;
                thread::sleep(Duration::from_millis(5));
            }
            if let Some(image) = self.stored(&key) {
                return Ok(image);
            }
        }
        self.build(&key, build_lock.is_some(), scratch, context)
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

    fn build(
        &self,
        key: &str,
        is_kept: bool,
        scratch: &Path,
        context: &Context,
    ) -> Result<Image, Error> {
        let step = self.preparing(is_kept);
        let packed = self.log.wait(&step, || self.produce(scratch, context))?;
        let file = match self.store.keep_image(key, |file| {
            packed
                .write(file, self.interrupt)
                .map_err(|error| match error {
                    // The warning names the cache directory, so only the cause is left to print.
                    Error::Io { source, .. } => source,
                    error => std::io::Error::other(error),
                })
        }) {
            Some(file) => file,
            // Without a cache the image is deleted with the stage.
            None => self.unstored(&packed, &scratch.with_extension("zip"))?,
        };
        remove_tree(scratch).map_err(|(path, error)| Error::io("remove", &path)(error))?;
        Image::open(file)
    }

    /// The name of the slowest step of a first run.
    fn preparing(&self, is_kept: bool) -> String {
        let [major, minor, _] = self.interpreter.version;
        let name = match self.interpreter.implementation.as_str() {
            "pypy" => "PyPy",
            _ => "Python",
        };
        let once = if is_kept { " (once)" } else { "" };
        format!("preparing pip for {name} {major}.{minor}{once}")
    }

    /// Creates a scratch environment and packs it. Tries the bundled wheels, ensurepip, and other wheels, as far as
    /// `seeder` allows.
    fn produce(&self, scratch: &Path, context: &Context) -> Result<Packed, Error> {
        let mut failures = Vec::new();
        let wheels = self.interpreter.wheels.is_some() && self.seeder != Seeder::Ensurepip;
        if wheels {
            failures.push(match self.unpack(self.interpreter, scratch) {
                Ok(packed) => {
                    self.keep_wheel();
                    return Ok(packed);
                }
                // On a full disk the other sources would fail as well.
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
                // ensurepip has no such option, and its pip ignores variables.
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
            // The error of its own ensurepip is more useful than that there is no other source.
            Some(failure) if self.interpreter.wheels.is_some() => Err(failure),
            Some(failure) if self.seeder == Seeder::Ensurepip => Err(failure),
            _ => Err(other_wheels::none(
                &context.env_dir,
                self.interpreter,
                self.other_wheels.find_links,
            )),
        }
    }

    /// Removes the files of the source that failed.
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

    /// Stores the wheel for Pythons without ensurepip, since this Python may be removed later.
    fn keep_wheel(&self) {
        let wheels = self.interpreter.wheels.iter().flatten();
        if let Some(pip) = wheels.into_iter().find(|wheel| wheel.project == "pip") {
            self.store.keep_wheel(Path::new(&pip.path));
        }
    }

    fn pack(&self, scratch: &Path) -> Result<Packed, Error> {
        let bin = scratch.join(self.interpreter.platform.bin_name());
        Packed::read(
            &scratch.join(&self.interpreter.scheme.purelib),
            &bin,
            self.bytecode_header(),
        )
    }

    /// The length of the header of a `.pyc` (PEP 552), in bytes.
    pub(crate) fn bytecode_header(&self) -> usize {
        if self.interpreter.at_least(3, 7) {
            16
        } else {
            12
        }
    }

    fn unstored(&self, packed: &Packed, path: &Path) -> Result<fs::File, Error> {
        let file = fs::File::create(path).map_err(Error::io("write", path))?;
        packed.write(std::io::BufWriter::new(file), self.interrupt)?;
        fs::File::open(path).map_err(Error::io("read", path))
    }

    /// The versions of what it installs, if that is known without making it.
    pub(crate) fn versions(&self) -> Option<Vec<(String, String)>> {
        let mut versions: Vec<_> = match &self.interpreter.wheels {
            Some(wheels) if self.seeder != Seeder::Ensurepip => wheels
                .iter()
                .map(|wheel| (wheel.project.clone(), wheel.version.clone()))
                .collect(),
            _ => {
                let index = self.stored(&self.key())?.index;
                let distributions = index.distributions.into_iter();
                distributions.map(|it| (it.name, it.version)).collect()
            }
        };
        versions.sort();
        Some(versions)
    }
}
