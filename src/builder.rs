//! The steps that create an environment, in CPython's order and under CPython's names. How each step is done is left to the
//! modules that it calls.

pub(crate) mod queries;
pub(crate) mod summary;

use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Instant;

use crate::cache::Store;
use crate::error::Error;
use crate::installed::distributions;
use crate::interpreter::Interpreter;
use crate::interpreter::pyvenv_cfg;
use crate::options::{OnExisting, Options};
use crate::pip::request::Key;
use crate::pip::requirements::Requirements;
use crate::pip::run::Pip;
use crate::stage::{self, Stage};
use crate::sys::env::Env;
use crate::sys::fs::remove_tree;
use crate::sys::paths::absolute;
use crate::sys::signal::Interrupt;
use crate::terminal::color::Color;
use crate::terminal::log::Progress;
use crate::venv::context::Context;
use crate::venv::fallback;
use crate::venv::layout;
use crate::venv::redirect;
use crate::venv::repair;

type PostSetup =
    dyn Fn(&Context) -> Result<(), Box<dyn std::error::Error + Send + Sync>> + Send + Sync;

/// Makes virtual environments, as CPython's `venv.EnvBuilder` does.
///
/// ```
/// use rvenv::{Cache, EnvBuilder, Options};
///
/// let folder = tempfile::tempdir()?;
/// let mut options = Options::new();
/// options.with_pip(false).prompt("demo").cache(Cache::Off);
/// let mut builder = EnvBuilder::new(&options);
/// builder.post_setup(|context| {
///     // The environment is finished and at its place: its Python runs.
///     let status = std::process::Command::new(&context.env_exe).args(["-c", "pass"]).status()?;
///     if status.success() { Ok(()) } else { Err("its Python does not run".into()) }
/// });
/// let context = builder.create(folder.path().join(".venv"))?;
/// assert_eq!(context.prompt, "demo");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct EnvBuilder {
    options: Options,
    color: Color,
    progress: Progress,
    requests: Vec<String>,
    environment: Env,
    interrupt: Interrupt,
    post_setup: Option<Box<PostSetup>>,
    interpreter: OnceLock<Interpreter>,
    /// One for the whole run, so that it warns once.
    store: OnceLock<Store>,
    requirements: Mutex<Option<Arc<Requirements>>>,
}

impl EnvBuilder {
    /// A builder for the first Python on PATH, with the process's own environment.
    pub fn new(options: &Options) -> Self {
        Self {
            options: options.clone(),
            color: Color::default(),
            progress: Progress::default(),
            requests: Vec::new(),
            environment: Env::of_process(),
            interrupt: Interrupt::default(),
            post_setup: None,
            interpreter: OnceLock::new(),
            store: OnceLock::new(),
            requirements: Mutex::default(),
        }
    }

    /// Asks for a base Python, as `-p` does: by path, name, version or range. Of several, the first that is found is taken.
    pub fn python(&mut self, request: impl Into<String>) -> &mut Self {
        self.requests.push(request.into());
        self
    }

    /// Lets signals end the run: what was begun is undone and [`Error::Interrupted`] returned.
    pub fn interrupt(&mut self, interrupt: Interrupt) -> &mut Self {
        self.interrupt = interrupt;
        self
    }

    /// How things look on stderr.
    pub(crate) fn terminal(&mut self, color: Color, progress: Progress) -> &mut Self {
        self.color = color;
        self.progress = progress;
        self
    }

    /// Runs `hook` with the finished context of each environment, as a subclass's `post_setup` would be.
    ///
    /// If it fails the environment is taken back.
    pub fn post_setup(
        &mut self,
        hook: impl Fn(&Context) -> Result<(), Box<dyn std::error::Error + Send + Sync>>
        + Send
        + Sync
        + 'static,
    ) -> &mut Self {
        self.post_setup = Some(Box::new(hook));
        self
    }

    /// Makes an environment at `env_dir`, or nothing.
    ///
    /// # Errors
    ///
    /// Every [`Error`]; `env_dir` is then as it was before.
    pub fn create(&self, env_dir: impl AsRef<Path>) -> Result<Context, Error> {
        self.make(env_dir.as_ref()).map(|(context, _)| context)
    }

    /// As [`Self::create`]; also tells whether pip had anything to do.
    pub(crate) fn make(&self, env_dir: &Path) -> Result<(Context, Changed), Error> {
        let started = Instant::now();
        self.can_read_requirements()?;
        let cwd = self.environment.cwd.as_deref();
        let env_dir = absolute(env_dir, cwd)?;
        let interpreter = &*self.interpreter_for(&env_dir)?;
        let context = Context::new(&env_dir, interpreter, &self.options, cwd)?;
        if !interpreter.is_known() {
            self.create_by_fallback(&env_dir, interpreter, &context)?;
            summary::made(&context, interpreter, started, self.log());
            return Ok((context, Changed::Yes));
        }
        // Another run on the same directory may come first; then this one goes on from what that one made.
        let changed = loop {
            if let Some(changed) = self.attempt(&env_dir, interpreter, &context)? {
                break changed;
            }
            self.interrupt.check()?;
        };
        summary::made(&context, interpreter, started, self.log());
        if self.log().is_for_a_person() {
            summary::how_to_activate(&context, &self.environment, self.log());
        }
        Ok((context, changed))
    }

    /// `None` if another run came first.
    fn attempt(
        &self,
        env_dir: &Path,
        interpreter: &Interpreter,
        context: &Context,
    ) -> Result<Option<Changed>, Error> {
        let (options, log) = (&self.options, self.log());
        let mut stage = Stage::open(env_dir, &base(interpreter), options, &self.environment)?;
        let upgrade = options.on_existing == OnExisting::Upgrade;
        let seed = self.seed(interpreter);
        if (options.with_pip || options.upgrade_deps)
            && let Some(folder) = seed.bytecode_elsewhere(context)
        {
            stage.remember_elsewhere(&folder)?;
        }

        layout::ensure_directories(stage.tree(), interpreter, context, options.links)?;
        let key = self.key(interpreter, context);
        let recorded = stage.is_merge().then(|| layout::recorded_request(context));
        let installs = options.installs() || options.upgrade_deps;
        let recorded = recorded.flatten().filter(|recorded| {
            !installs || holds(key.as_ref(), recorded, Path::new(&context.lib_path))
        });
        let request = recorded.as_deref();
        layout::create_configuration(stage.tree(), interpreter, context, options, request, log)?;
        if stage.is_merge() {
            // venv writes into the file that is there.
            stage
                .tree()
                .keep_mode("pyvenv.cfg", Path::new(&context.cfg_path))?;
        }
        log.step("interpreter", || {
            layout::setup_python(&stage, interpreter, context, options.links, log)
        })?;
        self.interrupt.check()?;
        let obsolete = if options.with_pip {
            log.step("pip", || seed.setup_pip(&stage, context))?
        } else {
            Vec::new()
        };
        let there = upgrade.then(|| repair::moved_from(context)).flatten();
        if !upgrade || there.is_some() {
            layout::setup_scripts(stage.tree(), interpreter, context, options, log)?;
        }
        if upgrade {
            repair::activation(stage.tree(), context, there.as_deref())?;
            let there = there.as_deref().and_then(Path::to_str);
            repair::scripts(stage.tree(), interpreter, context, there, log)?;
        }
        self.interrupt.check()?;
        if stage.replaces() {
            queries::is_outside(interpreter, env_dir)?;
        }
        let is_other_version = stage.is_merge() && is_other_minor(context, interpreter);
        if !log.step("publish", || stage.publish(&obsolete))? {
            return Ok(None);
        }
        redirect::warn(context, log);
        if !upgrade {
            self.run_post_setup(context)?;
        }
        let library = Path::new(&context.lib_path);
        let changed = if installs && request.is_some_and(|it| holds(key.as_ref(), it, library)) {
            log.say(|| "the requirements are installed already".into());
            self.interrupt.check().map(|()| Changed::No)
        } else {
            self.run_pip(&mut stage, interpreter, context, key.as_ref())
                .map(|()| Changed::Yes)
        };
        if changed.is_err() && options.keep {
            self.finish(stage);
            return changed.map(Some);
        }
        let changed = changed?;
        self.finish(stage);
        if is_other_version {
            summary::what_stays_behind(context, interpreter, log);
        }
        Ok(Some(changed))
    }

    /// The key of what is to be installed, or nothing where pip has to decide.
    fn key(&self, interpreter: &Interpreter, context: &Context) -> Option<Key> {
        let options = &self.options;
        if !options.installs() {
            return None;
        }
        let key = Key::of(options, interpreter, context, &self.environment);
        key.map_err(|reason| self.no_key(&reason)).ok()
    }

    fn no_key(&self, reason: &str) {
        let line = || format!("pip runs even if there is nothing to install: {reason}");
        self.log().say(line);
    }

    /// Remembers what is installed now, unless what was asked for has changed meanwhile.
    fn record(&self, key: &Key, interpreter: &Interpreter, context: &Context) {
        if self.key(interpreter, context).as_ref() != Some(key) {
            return;
        }
        match key.with_state(Path::new(&context.lib_path)) {
            Ok(request) => {
                // Without it the next run only takes longer.
                if let Err(error) = layout::record_request(context, Some(&request)) {
                    self.no_key(&error.to_string());
                }
            }
            Err(reason) => self.no_key(&reason),
        }
    }

    /// The base's own venv does it all but the hook.
    fn create_by_fallback(
        &self,
        env_dir: &Path,
        interpreter: &Interpreter,
        context: &Context,
    ) -> Result<(), Error> {
        let (options, log) = (&self.options, self.log());
        stage::check(env_dir, &base(interpreter), options, &self.environment)?;
        queries::is_outside(interpreter, env_dir)?;
        log.say(|| {
            format!(
                "{} is not supported natively; running its own -m venv",
                interpreter.implementation
            )
        });
        if options.with_pip && !options.compile {
            log.warn(&format!(
                "--no-compile has no effect on the pip of {}: its own -m venv compiles it",
                interpreter.implementation
            ));
        }
        let is_new = fs_err::symlink_metadata(env_dir).is_err();
        let stage = if !is_new && options.on_existing == OnExisting::Clear {
            Some(self.set_aside(env_dir, interpreter)?)
        } else {
            None
        };
        let mut made = log.wait("venv", || {
            fallback::create(
                context,
                interpreter,
                options,
                stage.is_some(),
                &self.interrupt,
            )
        });
        if made.is_ok() && options.on_existing != OnExisting::Upgrade {
            made = self.run_post_setup(context);
        }
        let is_kept = made.is_ok() && options.keep;
        if made.is_ok() {
            made = self.upgrade_and_install(interpreter, context);
        }
        match stage {
            Some(stage) if made.is_ok() || is_kept => self.finish(stage),
            Some(stage) => stage.take_back(),
            None if made.is_err() && is_new && !is_kept => {
                // What it could not remove is the smaller trouble.
                let _ = remove_tree(env_dir);
            }
            None => {}
        }
        made
    }

    /// Keeps the old environment until the new one is complete: an empty directory is published in its place.
    fn set_aside(&self, env_dir: &Path, interpreter: &Interpreter) -> Result<Stage, Error> {
        loop {
            let base = base(interpreter);
            let mut stage = Stage::open(env_dir, &base, &self.options, &self.environment)?;
            if stage.publish_pending()? {
                return Ok(stage);
            }
            self.interrupt.check()?;
        }
    }

    /// Runs the environment's own pip. This comes after the environment is published, since the scripts that pip writes contain its path.
    fn run_pip(
        &self,
        stage: &mut Stage,
        interpreter: &Interpreter,
        context: &Context,
        key: Option<&Key>,
    ) -> Result<(), Error> {
        if !self.options.upgrade_deps && !self.options.installs() {
            return self.interrupt.check();
        }
        let (scheme, library) = (&interpreter.scheme, Path::new(&context.lib_path));
        let packages = [scheme.purelib.as_str(), &scheme.platlib];
        // The folders that packages may put files into; elsewhere in ENV_DIR may be the user's own work.
        let mut entries = vec!["pyvenv.cfg", &context.bin_name, "etc", "man", "share"];
        entries.extend([&*scheme.purelib, &scheme.platlib, &scheme.include].map(first));
        entries.sort_unstable();
        entries.dedup();
        stage.remember(&entries, &packages)?;
        let files = || distributions::files(library, &scheme.purelib);
        let before = stage.remembers().then(files).unwrap_or_default();
        // What is true of the packages now will not be while pip works.
        let done = match layout::recorded_request(context) {
            Some(_) => layout::record_request(context, None),
            None => Ok(()),
        };
        let done = done.and_then(|()| self.upgrade_and_install(interpreter, context));
        // The last moment at which everything can still be undone.
        let done = done.and_then(|()| self.interrupt.check());
        if done.is_err() && stage.remembers() {
            stage.added(files().difference(&before).cloned());
        }
        if let (Ok(()), Some(key)) = (&done, key) {
            self.record(key, interpreter, context);
        }
        done
    }

    fn upgrade_and_install(
        &self,
        interpreter: &Interpreter,
        context: &Context,
    ) -> Result<(), Error> {
        let (options, log) = (&self.options, self.log());
        let pip = Pip {
            context,
            environment: &self.environment,
            compile: options.compile,
            options: &options.pip_args,
            interrupt: &self.interrupt,
            log,
        };
        let requirements = self.requirements()?;
        if options.upgrade_deps {
            pip.upgrade_dependencies(interpreter, &requirements)?;
        }
        if options.installs() {
            pip.install_requirements(&requirements, options)?;
        }
        Ok(())
    }

    fn finish(&self, stage: Stage) {
        if let Err((path, error)) = stage.finish() {
            let path = path.display();
            self.log()
                .warn(&format!("could not delete {path}: {error}"));
        }
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
}

/// Whether packages may have changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Changed {
    Yes,
    /// The request's packages were installed already.
    No,
}

/// Whether an environment still is what this request made of it.
fn holds(key: Option<&Key>, recorded: &str, site_packages: &Path) -> bool {
    key.is_some_and(|key| key.with_state(site_packages).as_deref() == Ok(recorded))
}

/// Whether an environment that is there was another minor version's until now.
fn is_other_minor(context: &Context, interpreter: &Interpreter) -> bool {
    if !Path::new(&context.lib_path).exists() {
        return true;
    }
    let path = Path::new(&context.cfg_path);
    let is_file = path.is_file();
    let text = is_file.then(|| fs_err::read_to_string(path).ok()).flatten();
    let text = text.unwrap_or_default();
    let value = |key| pyvenv_cfg::value(&text, key);
    let Some(version) = value("version").or_else(|| value("version_info")) else {
        return false;
    };
    let numbers = version.split('.').map(|number| number.parse().ok());
    !numbers
        .take(2)
        .eq(interpreter.version[..2].iter().copied().map(Some))
}

/// What an environment may not take from the Python that it is built on.
fn base(interpreter: &Interpreter) -> [&str; 2] {
    [&interpreter.stdlib, &interpreter.base_executable]
}

/// The first component of a path with `/`.
fn first(path: &str) -> &str {
    path.split('/').next().unwrap_or(path)
}

// They run the Python of PATH, where Wine has none.
#[cfg(all(test, unix))]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use fs_err as fs;

    use super::*;
    use crate::options::Cache;

    #[test]
    fn a_hook_that_fails_takes_back_what_an_unknown_implementation_made() {
        let folder = tempfile::tempdir().unwrap();
        let env_dir = folder.path().join("env");
        let calls = Arc::new(AtomicUsize::new(0));
        let create = |env_dir: &Path, on_existing, fails: bool| {
            let options = Options {
                with_pip: false,
                cache: Cache::Off,
                on_existing,
                ..Options::default()
            };
            let counter = Arc::clone(&calls);
            let mut builder = EnvBuilder::new(&options);
            builder.post_setup(move |context| {
                counter.fetch_add(1, Ordering::Relaxed);
                assert!(Path::new(&context.cfg_path).exists());
                if fails { Err("no".into()) } else { Ok(()) }
            });
            let mut interpreter = builder.interpreter().unwrap().clone();
            interpreter.implementation = "graalpy".into();
            builder.interpreter = OnceLock::from(interpreter);
            assert_eq!(builder.create(env_dir).is_err(), fails);
            calls.load(Ordering::Relaxed)
        };
        assert_eq!(create(&env_dir, OnExisting::Keep, true), 1);
        assert!(!env_dir.exists());
        assert_eq!(create(&env_dir, OnExisting::Keep, false), 2);
        assert_eq!(create(&env_dir, OnExisting::Upgrade, false), 2);
        fs::write(env_dir.join("mine"), "mine").unwrap();
        assert_eq!(create(&env_dir, OnExisting::Clear, true), 3);
        assert_eq!(fs::read_to_string(env_dir.join("mine")).unwrap(), "mine");
        assert_eq!(create(&env_dir, OnExisting::Clear, false), 4);
        assert!(!env_dir.join("mine").exists());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
