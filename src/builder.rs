//! The order in which an environment is made, in CPython's words, and nothing of how each step is done.

use std::env::temp_dir;
use std::path::Path;
use std::sync::OnceLock;
use std::time::Instant;

use crate::activation::shell::{Shell, activation_command};
use crate::check::{self, Report};
use crate::context::{Context, absolute};
use crate::delegate;
use crate::error::Error;
use crate::fs::parent_program;
use crate::interpreter::Interpreter;
use crate::interpreter::discovery::Discovery;
use crate::interrupt::Interrupt;
use crate::log::Log;
use crate::made;
use crate::mend;
use crate::options::{Environment, OnExisting, Options};
use crate::pythons::Python;
use crate::seed::substitute::Substitutes;
use crate::seed::{Seed, installed, pip};
use crate::stage::{self, Stage};
use crate::store::Store;
use crate::tree;

type PostSetup =
    dyn Fn(&Context) -> Result<(), Box<dyn std::error::Error + Send + Sync>> + Send + Sync;

/// Makes virtual environments, as CPython's `venv.EnvBuilder` does.
///
/// ```
/// use rvenv::{Cache, EnvBuilder, Options};
///
/// let folder = tempfile::tempdir()?;
/// let options = Options {
///     with_pip: false,
///     prompt: Some("demo".into()),
///     cache: Cache::Off,
///     ..Options::default()
/// };
/// let builder = EnvBuilder::new(options).post_setup(|context| {
///     // The environment is finished and at its place: its Python runs.
///     let status = std::process::Command::new(&context.env_exe).args(["-c", "pass"]).status()?;
///     if status.success() { Ok(()) } else { Err("its Python does not run".into()) }
/// });
/// let context = builder.create(&folder.path().join(".venv"))?;
/// assert_eq!(context.prompt, "demo");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct EnvBuilder {
    options: Options,
    requests: Vec<String>,
    environment: Environment,
    interrupt: Interrupt,
    post_setup: Option<Box<PostSetup>>,
    interpreter: OnceLock<Interpreter>,
}

impl EnvBuilder {
    /// A builder for the first Python on PATH, with the process's own environment.
    pub fn new(options: Options) -> Self {
        Self {
            options,
            requests: Vec::new(),
            environment: Environment::of_process(),
            interrupt: Interrupt::default(),
            post_setup: None,
            interpreter: OnceLock::new(),
        }
    }

    /// Asks for a base Python, as `-p` does: by path, name, version or range. Of several, the first that is found is taken.
    #[must_use]
    pub fn python(mut self, request: &str) -> Self {
        self.requests.push(request.to_owned());
        self
    }

    /// Lets signals end the run: what was begun is undone and [`Error::Interrupted`] returned.
    #[must_use]
    pub fn interrupt(mut self, interrupt: Interrupt) -> Self {
        self.interrupt = interrupt;
        self
    }

    /// Runs `hook` with the finished context of each environment, as a subclass's `post_setup` would be.
    ///
    /// If it fails the environment is taken back.
    #[must_use]
    pub fn post_setup(
        mut self,
        hook: impl Fn(&Context) -> Result<(), Box<dyn std::error::Error + Send + Sync>>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        self.post_setup = Some(Box::new(hook));
        self
    }

    /// Says a line to whoever reads along.
    pub fn say(&self, line: &str) {
        self.log().say(|| line.to_owned());
    }

    /// The base Python, found and asked once.
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
        Ok(self.interpreter.get_or_init(|| interpreter))
    }

    /// Every Python on this machine, in the order in which they would be found.
    ///
    /// # Errors
    ///
    /// [`Error::Interrupted`].
    pub fn pythons(&self) -> Result<Vec<Python>, Error> {
        let found = self.discovery().all()?;
        Ok(found.into_iter().map(Python::from).collect())
    }

    /// Says why the environment at `env_dir` is broken, if it is.
    ///
    /// # Errors
    ///
    /// [`Error::Interrupted`]; [`Error::Io`] if the current directory is gone.
    pub fn check(&self, env_dir: &Path) -> Result<Report, Error> {
        let absolute = absolute(env_dir, self.environment.cwd.as_deref())?;
        check::check(&absolute, env_dir, &self.discovery())
    }

    /// Makes an environment at `env_dir`, or nothing.
    ///
    /// # Errors
    ///
    /// Every [`Error`]; `env_dir` is then as it was before.
    pub fn create(&self, env_dir: &Path) -> Result<Context, Error> {
        let started = Instant::now();
        let interpreter = self.interpreter()?;
        let cwd = self.environment.cwd.as_deref();
        let env_dir = absolute(env_dir, cwd)?;
        let context = Context::new(&env_dir, interpreter, &self.options, cwd)?;
        if !interpreter.is_known() {
            self.delegate(&env_dir, interpreter, &context)?;
            self.say_what_was_made(&context, interpreter, started);
            return Ok(context);
        }
        // Another run on the same directory may come first; then this one goes on from what that one made.
        while !self.attempt(&env_dir, interpreter, &context)? {
            self.interrupt.check()?;
        }
        self.say_what_was_made(&context, interpreter, started);
        if self.log().is_for_a_person() {
            self.say_how_to_activate(&context);
        }
        Ok(context)
    }

    /// Remembers what making environments of this Python needs, and makes none.
    ///
    /// # Errors
    ///
    /// [`Error::Cache`] if it cannot be kept.
    pub fn warm_cache(&self) -> Result<(), Error> {
        let store = self.store();
        let interpreter = self.interpreter()?;
        // A Python that is reached through a shim is remembered under its own name.
        self.discovery().facts(Path::new(&interpreter.executable))?;
        let mut is_kept = store.remembers(interpreter, &self.environment);
        if is_kept && self.options.with_pip && interpreter.is_known() {
            let scratch =
                tempfile::tempdir().map_err(Error::io("create a folder in", &temp_dir()))?;
            let context = Context::new(scratch.path(), interpreter, &self.options, None)?;
            let seed = self.seed(interpreter);
            is_kept = seed.keep_image(&scratch.path().join("seed"), &context)?;
        }
        if is_kept {
            Ok(())
        } else {
            Err(store.refusal())
        }
    }

    fn attempt(
        &self,
        env_dir: &Path,
        interpreter: &Interpreter,
        context: &Context,
    ) -> Result<bool, Error> {
        let (options, log) = (&self.options, self.log());
        let mut stage = Stage::open(env_dir, options, &self.environment)?;
        let upgrade = options.on_existing == OnExisting::Upgrade;

        tree::ensure_directories(stage.tree(), interpreter, context, options.links)?;
        tree::create_configuration(stage.tree(), interpreter, context, options, log)?;
        log.step("interpreter", || {
            tree::setup_python(&stage, interpreter, context, options.links, log)
        })?;
        self.interrupt.check()?;
        let obsolete = if options.with_pip {
            log.step("pip", || self.seed(interpreter).setup_pip(&stage, context))?
        } else {
            Vec::new()
        };
        if !upgrade || mend::is_moved(context) {
            tree::setup_scripts(stage.tree(), interpreter, context, options, log)?;
        }
        if upgrade {
            mend::scripts(stage.tree(), interpreter, context)?;
        }
        self.interrupt.check()?;
        let is_other_version = stage.is_merge() && !Path::new(&context.lib_path).exists();
        if !log.step("into place", || stage.publish(&obsolete))? {
            return Ok(false);
        }
        if !upgrade {
            self.run_post_setup(context)?;
        }
        if let Err(error) = self.run_pip(&mut stage, interpreter, context) {
            if options.keep {
                self.finish(stage);
            }
            return Err(error);
        }
        // The last moment at which everything can still be undone.
        self.interrupt.check()?;
        self.finish(stage);
        if is_other_version {
            say_what_stays_behind(context, interpreter, log);
        }
        Ok(true)
    }

    /// The base's own venv does it all but the hook.
    fn delegate(
        &self,
        env_dir: &Path,
        interpreter: &Interpreter,
        context: &Context,
    ) -> Result<(), Error> {
        let (options, log) = (&self.options, self.log());
        stage::check(env_dir, options, &self.environment)?;
        log.say(|| {
            format!(
                "{} is not known: its own venv does it",
                interpreter.implementation
            )
        });
        log.step("venv", || {
            delegate::create(context, interpreter, options, &self.interrupt)
        })?;
        self.run_post_setup(context)?;
        if options.installs() {
            pip::install_requirements(context, options, &self.interrupt, log)?;
        }
        Ok(())
    }

    /// What the environment's own pip does once it stands at its place, since the scripts that pip writes say where that is.
    fn run_pip(
        &self,
        stage: &mut Stage,
        interpreter: &Interpreter,
        context: &Context,
    ) -> Result<(), Error> {
        let (options, log) = (&self.options, self.log());
        if options.upgrade_deps || options.installs() {
            let scheme = &interpreter.scheme;
            stage.remember(&[
                &scheme.purelib,
                &context.bin_name,
                &scheme.include,
                "share",
                "etc",
            ])?;
        }
        if options.upgrade_deps {
            pip::upgrade_dependencies(context, interpreter, &self.interrupt, log)?;
        }
        if options.installs() {
            pip::install_requirements(context, options, &self.interrupt, log)?;
        }
        Ok(())
    }

    fn finish(&self, stage: Stage) {
        if let Err((path, error)) = stage.finish() {
            let path = path.display();
            self.log()
                .warn(&format!("{path} could not be deleted: {error}"));
        }
    }

    /// The closing line of `-v`.
    fn say_what_was_made(&self, context: &Context, interpreter: &Interpreter, started: Instant) {
        self.log().say(|| {
            format!(
                "made {} in {:.2} ms: {} {}, {}",
                context.env_dir,
                started.elapsed().as_secs_f64() * 1000.0,
                interpreter.implementation,
                interpreter.version_string(),
                made::pip(context).map_or("no pip".into(), |version| format!("pip {version}")),
            )
        });
    }

    fn run_post_setup(&self, context: &Context) -> Result<(), Error> {
        let Some(hook) = &self.post_setup else {
            return Ok(());
        };
        hook(context).map_err(|source| Error::PostSetup {
            path: context.env_dir.clone().into(),
            source,
        })
    }

    /// The line that activates the environment in the shell one is in.
    fn say_how_to_activate(&self, context: &Context) {
        let variable =
            |name: &str| Some(self.environment.var(name)?.to_string_lossy().into_owned());
        if let Some(shell) = Shell::detect(parent_program().as_deref(), variable) {
            let command = activation_command(shell, &context.bin_path);
            self.log().say(|| format!("activate it with: {command}"));
        }
    }

    fn seed<'a>(&'a self, interpreter: &'a Interpreter) -> Seed<'a> {
        Seed {
            interpreter,
            environment: &self.environment,
            seeder: self.options.seeder,
            with_setuptools: self.options.with_setuptools,
            relocatable: self.options.relocatable,
            mend: self.options.on_existing == OnExisting::Upgrade,
            store: self.store(),
            substitutes: Substitutes {
                find_links: &self.options.find_links,
                discovery: self.discovery(),
            },
            interrupt: &self.interrupt,
            log: self.log(),
        }
    }

    fn discovery(&self) -> Discovery<'_> {
        Discovery {
            environment: &self.environment,
            store: self.store(),
            interrupt: &self.interrupt,
            log: self.log(),
        }
    }

    fn store(&self) -> Store {
        Store::new(&self.options.cache, &self.environment, self.log())
    }

    fn log(&self) -> Log {
        Log::new(&self.options)
    }
}

/// The packages of a Python of another minor version are kept, but this one does not see them.
fn say_what_stays_behind(context: &Context, interpreter: &Interpreter, log: Log) {
    for (folder, names) in installed::behind(Path::new(&context.lib_path)) {
        log.warn(&format!(
            "what is installed in {} stays behind there, out of sight of Python {}.{}; install it again: {}",
            folder.display(),
            interpreter.version[0],
            interpreter.version[1],
            names.join(" ")
        ));
    }
}
