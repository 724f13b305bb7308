//! The methods of `EnvBuilder` that create no environment, and those that assemble its parts.

use std::borrow::Cow;
use std::env::temp_dir;
use std::path::Path;
use std::sync::{Arc, PoisonError};

use crate::builder::EnvBuilder;
use crate::cache::Store;
use crate::check::{self, Report};
use crate::error::Error;
use crate::interpreter::Interpreter;
use crate::interpreter::discovery::Discovery;
use crate::interpreter::list::Python;
use crate::interpreter::nested::{self, Position};
use crate::interpreter::python_version_file;
use crate::options::OnExisting;
use crate::pip::Seed;
use crate::pip::other_wheels::OtherWheels;
use crate::pip::requirements::Requirements;
use crate::sys::paths::absolute;
use crate::terminal::log::Log;
use crate::venv::context::Context;

impl EnvBuilder {
    /// Prints a line with `--verbose`.
    pub(crate) fn say(&self, line: &str) {
        self.log().say(|| line.to_owned());
    }

    /// The base Python. It is searched for only once.
    ///
    /// ```
    /// use rvenv::{EnvBuilder, Options};
    ///
    /// let mut builder = EnvBuilder::new(&Options::new());
    /// let python = builder.python(">=3.6").interpreter()?;
    /// let [major, minor, _] = python.version();
    /// println!("{} {major}.{minor}: {}", python.implementation(), python.executable().display());
    /// # Ok::<(), rvenv::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::PythonNotFound`], [`Error::UnusablePython`], [`Error::Request`].
    pub fn interpreter(&self) -> Result<&Interpreter, Error> {
        if let Some(interpreter) = self.interpreter.get() {
            return Ok(interpreter);
        }
        let interpreter = self
            .log()
            .step("finding Python", || self.discovery().find(&self.requests))?;
        self.log().say(|| {
            format!(
                "{} {} at {}",
                interpreter.implementation,
                interpreter.version_string(),
                interpreter.executable
            )
        });
        self.log().note(|| {
            let wanted = python_version_file::other(&self.environment, &interpreter)?;
            let version = interpreter.version_string();
            Some(format!(
                ".python-version asks for {wanted}, but {version} is used; choose another with --python"
            ))
        });
        Ok(self.interpreter.get_or_init(|| interpreter))
    }

    /// Checks that every requirements file can be read before anything is created, and reads files that can be read
    /// only once.
    ///
    /// # Errors
    ///
    /// [`Error::Io`], [`Error::Interrupted`].
    pub(crate) fn check_requirements(&self) -> Result<(), Error> {
        self.requirements().map(drop)
    }

    pub(crate) fn requirements(&self) -> Result<Arc<Requirements>, Error> {
        let mut read = self
            .requirements
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(requirements) = &*read {
            return Ok(Arc::clone(requirements));
        }
        let (cwd, options) = (self.environment.cwd.as_deref(), &self.options);
        let (files, constraints) = (&options.requirements, &options.constraints);
        let read_now = Requirements::read(files, constraints, cwd, &self.interrupt)?;
        let requirements = Arc::new(read_now);
        *read = Some(Arc::clone(&requirements));
        Ok(requirements)
    }

    /// The base Python for the environment at `env_dir`. It must still exist when the environment is replaced. For an
    /// upgrade without `--python` it is the environment's own.
    ///
    /// # Errors
    ///
    /// As [`Self::interpreter`].
    pub(crate) fn interpreter_for(&self, env_dir: &Path) -> Result<Cow<'_, Interpreter>, Error> {
        let env_dir = absolute(env_dir, self.environment.cwd.as_deref())?;
        let recorded = if self.keeps_base() {
            self.log()
                .step("finding Python", || self.discovery().recorded(&env_dir))?
        } else {
            None
        };
        let mut interpreter = match recorded {
            Some(recorded) => Cow::Owned(recorded),
            None => Cow::Borrowed(self.interpreter()?),
        };
        if fs_err::symlink_metadata(&env_dir).is_err() {
            return Ok(interpreter);
        }
        let base = Path::new(&interpreter.base_executable);
        if let Position::Through(outside) = nested::position(base, &env_dir) {
            interpreter = Cow::Owned(self.discovery().facts(&outside)?);
        }
        Ok(interpreter)
    }

    /// Whether each environment keeps its own base Python.
    pub(crate) fn keeps_base(&self) -> bool {
        self.options.on_existing == OnExisting::Upgrade && self.requests.is_empty()
    }

    /// Every Python on this machine, in search order.
    ///
    /// # Errors
    ///
    /// [`Error::Interrupted`].
    pub(crate) fn pythons(&self) -> Result<Vec<Python>, Error> {
        let found = self.discovery().all()?;
        Ok(found.into_iter().map(Python::from).collect())
    }

    /// Checks the environment at `env_dir`.
    ///
    /// ```
    /// use rvenv::{Cache, EnvBuilder, Kind, Options};
    ///
    /// let folder = tempfile::tempdir()?;
    /// let builder = EnvBuilder::new(Options::new().with_pip(false).cache(Cache::Off));
    /// builder.create(folder.path())?;
    /// assert!(builder.check(folder.path())?.ok);
    /// std::fs::write(folder.path().join("pyvenv.cfg"), "")?;
    /// let report = builder.check(folder.path())?;
    /// assert_eq!(report.findings[0].kind, Kind::Configuration);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Interrupted`]; [`Error::Io`] if the current directory does not exist.
    pub fn check(&self, env_dir: impl AsRef<Path>) -> Result<Report, Error> {
        let env_dir = env_dir.as_ref();
        let absolute = absolute(env_dir, self.environment.cwd.as_deref())?;
        check::check(&absolute, env_dir, &self.discovery())
    }

    /// Fills the cache without creating an environment.
    ///
    /// ```
    /// use rvenv::{Cache, EnvBuilder, Options, prune_cache};
    ///
    /// let folder = tempfile::tempdir()?;
    /// let cache = Cache::Folder(folder.path().join("cache"));
    /// EnvBuilder::new(Options::new().with_pip(false).cache(cache.clone())).warm_cache()?;
    /// assert!(prune_cache(&cache)? > 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Cache`] if the cache cannot be written.
    pub fn warm_cache(&self) -> Result<(), Error> {
        let store = self.store();
        store.suppress_warning();
        let interpreter = self.interpreter()?;
        // A Python that is found through a shim is also cached under its own path.
        self.discovery().facts(Path::new(&interpreter.executable))?;
        let mut is_kept = store.remembers(interpreter, &self.environment);
        if is_kept && self.options.with_pip && interpreter.is_known() {
            let scratch =
                tempfile::tempdir().map_err(Error::io("create a directory in", &temp_dir()))?;
            let context = Context::new(scratch.path(), interpreter, &self.options, None)?;
            let seed = self.seed(interpreter, context.relocatable);
            is_kept = seed.keep_image(&scratch.path().join("seed"), &context)?;
        }
        if is_kept {
            Ok(())
        } else {
            Err(store.refusal())
        }
    }

    pub(crate) fn seed<'a>(&'a self, interpreter: &'a Interpreter, relocatable: bool) -> Seed<'a> {
        Seed {
            interpreter,
            environment: &self.environment,
            seeder: self.options.seeder,
            with_setuptools: self.options.with_setuptools,
            relocatable,
            compile: self.options.compile,
            repair: self.options.on_existing == OnExisting::Upgrade,
            store: self.store(),
            other_wheels: OtherWheels {
                find_links: &self.options.find_links,
                discovery: self.discovery(),
            },
            interrupt: &self.interrupt,
            log: self.log(),
        }
    }

    pub(crate) fn discovery(&self) -> Discovery<'_> {
        Discovery {
            environment: &self.environment,
            store: self.store(),
            interrupt: &self.interrupt,
            log: self.log(),
        }
    }

    pub(crate) fn store(&self) -> Store {
        let options = &self.options;
        let new = || {
            let store = Store::new(&options.cache, &self.environment, self.log());
            store.limited(options.cache_size)
        };
        self.store.get_or_init(new).clone()
    }

    pub(crate) fn log(&self) -> Log {
        Log::new(self.options.verbosity, self.color, self.progress)
    }
}

/// Refuses a base Python that is inside the environment.
///
/// # Errors
///
/// [`Error::BaseInside`].
pub(crate) fn check_base_is_outside(
    interpreter: &Interpreter,
    env_dir: &Path,
) -> Result<(), Error> {
    let base = Path::new(&interpreter.base_executable);
    match nested::position(base, env_dir) {
        Position::Outside => Ok(()),
        Position::Through(_) | Position::Inside => Err(Error::BaseInside {
            path: env_dir.into(),
            base: base.into(),
        }),
    }
}
