//! `setup_pip`: installs pip, and setuptools where ensurepip does, from an image.

mod ensurepip;
mod features;
mod key;
pub(crate) mod other_wheels;
pub(crate) mod report;
pub(crate) mod request;
pub(crate) mod requirements;
pub(crate) mod reuse;
pub(crate) mod run;
mod settings;
pub(crate) mod source;
#[cfg(test)]
#[cfg(unix)]
pub(crate) mod test_wheels;
pub(crate) mod wheel;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::cache::Store;
use crate::error::Error;
use crate::image::destination::{self, Destination};
use crate::image::unpack;
use crate::installed::distributions;
use crate::installed::scripts::exe;
use crate::interpreter::Interpreter;
use crate::options::Seeder;
use crate::pip::other_wheels::OtherWheels;
use crate::stage::Stage;
use crate::sys::env::Env;
use crate::sys::paths::absolute;
use crate::sys::signal::Interrupt;
use crate::terminal::log::Log;
use crate::venv::context::Context;

/// Everything that determines which pip an environment gets.
pub(crate) struct Seed<'a> {
    pub(crate) interpreter: &'a Interpreter,
    pub(crate) environment: &'a Env,
    pub(crate) seeder: Seeder,
    pub(crate) with_setuptools: bool,
    pub(crate) relocatable: bool,
    /// Whether to compile pip to bytecode.
    pub(crate) compile: bool,
    /// Reinstall distributions with modified files.
    pub(crate) repair: bool,
    pub(crate) store: Store,
    pub(crate) other_wheels: OtherWheels<'a>,
    pub(crate) interrupt: &'a Interrupt,
    pub(crate) log: Log,
}

impl Seed<'_> {
    /// Installs pip into the stage's tree, as `ensurepip --upgrade --default-pip` would (`venv/__init__.py`,
    /// `_setup_pip`).
    ///
    /// Returns the files of older versions that are to be deleted, relative to `ENV_DIR`.
    pub(crate) fn setup_pip(&self, stage: &Stage, context: &Context) -> Result<Vec<String>, Error> {
        let mut image = self.image(&stage.scratch("seed"), context)?;
        let existing = if stage.is_merge() {
            distributions::read(Path::new(&context.lib_path))
        } else {
            Vec::new()
        };
        let site_packages = Path::new(&context.lib_path);
        let wanted = image
            .index
            .distributions
            .iter()
            .map(|distribution| {
                let (name, version) = (&distribution.name, &distribution.version);
                if !self.with_setuptools && name == "setuptools" {
                    return Ok(false);
                }
                Ok(!distributions::satisfies(&existing, name, version)
                    || self.repair
                        && distributions::is_damaged(
                            &existing,
                            name,
                            version,
                            site_packages,
                            self.interrupt,
                        )?)
            })
            .collect::<Result<Vec<bool>, Error>>()?;
        if !wanted.contains(&true) {
            return Ok(Vec::new());
        }
        let pycache_prefix = self.pycache_prefix(context);
        let destination = Destination {
            tree: stage.tree(),
            site_packages: &context.lib_path,
            bin_name: &context.bin_name,
            executable: &context.env_exe,
            interpreter: self.interpreter,
            interrupt: self.interrupt,
            wanted: &wanted,
            relocatable: self.relocatable,
            pycache_prefix: pycache_prefix.as_deref(),
            made: self
                .interpreter
                .windows
                .is_some()
                .then(|| self.script_time()),
        };
        match unpack::install(&image, &destination) {
            Err(error @ Error::DamagedImage { .. }) => {
                self.log.say(|| format!("{error}; recreating it"));
                self.store.discard_image(&self.key());
                stage.restart(&self.interpreter.scheme.purelib)?;
                image = self.image(&stage.scratch("seed"), context)?;
                unpack::install(&image, &destination)?;
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
        Ok(distributions::obsolete(
            &existing,
            &names,
            |path| image.brings(path),
            &image.script_names(),
            site_packages,
            &self.interpreter.scheme.purelib,
        ))
    }

    fn script_time(&self) -> exe::Time {
        let epoch = self.environment.var("SOURCE_DATE_EPOCH");
        exe::Time::new(epoch.and_then(OsStr::to_str))
    }

    /// `PYTHONPYCACHEPREFIX`: used by ensurepip since it is no longer isolated (gh-98251), relative to its directory.
    fn pycache_prefix(&self, context: &Context) -> Option<String> {
        let prefix = self
            .environment
            .var("PYTHONPYCACHEPREFIX")
            .filter(|_| self.interpreter.at_least(3, 10))?;
        let prefix = absolute(Path::new(prefix), Some(Path::new(&context.env_dir))).ok()?;
        prefix.to_str().map(str::to_owned)
    }

    /// The directory outside of `ENV_DIR` for the environment's bytecode, if there is one.
    pub(crate) fn bytecode_elsewhere(&self, context: &Context) -> Option<PathBuf> {
        let prefix = self.pycache_prefix(context)?;
        let folder = destination::below_prefix(&prefix, &context.env_dir);
        let folder = PathBuf::from(folder);
        (!folder.starts_with(&context.env_dir)).then_some(folder)
    }
}
