//! The steps that create an environment, in CPython's order and under CPython's names. How each step is done is left to the
//! modules that it calls.

mod clone;
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
use crate::options::{Cache, OnExisting, Options, Reuse};
use crate::pip::Seed;
use crate::pip::request::Key;
use crate::pip::requirements::Requirements;
use crate::pip::reuse::Packages;
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
    /// Created once per run, so that it warns only once.
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

    /// Sets a base Python, as `-p` does: by path, name, version or range. If there are several, the first that is found
    /// is used.
    pub fn python(&mut self, request: impl Into<String>) -> &mut Self {
        self.requests.push(request.into());
        self
    }

    /// Lets signals end the run: changes are undone and [`Error::Interrupted`] is returned.
    pub fn interrupt(&mut self, interrupt: Interrupt) -> &mut Self {
        self.interrupt = interrupt;
        self
    }

    /// Sets the colors and the progress display on stderr.
    pub(crate) fn terminal(&mut self, color: Color, progress: Progress) -> &mut Self {
        self.color = color;
        self.progress = progress;
        self
    }

    /// Runs `hook` with the context of each environment once it is complete, like `post_setup` of a subclass.
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

    /// Creates an environment at `env_dir`. Nothing is left behind if this fails.
    ///
    /// # Errors
    ///
    /// Every [`Error`]; `env_dir` is then as it was before.
    pub fn create(&self, env_dir: impl AsRef<Path>) -> Result<Context, Error> {
        self.create_environment(env_dir.as_ref())
            .map(|(context, _)| context)
    }

    /// Like [`Self::create`], but also returns whether packages may have changed.
    pub(crate) fn create_environment(&self, env_dir: &Path) -> Result<(Context, Changed), Error> {
        let started = Instant::now();
        self.check_requirements()?;
        let cwd = self.environment.cwd.as_deref();
        let env_dir = absolute(env_dir, cwd)?;
        let interpreter = &*self.interpreter_for(&env_dir)?;
        let mut context = Context::new(&env_dir, interpreter, &self.options, cwd)?;
        // An upgrade keeps the kind of environment.
        if self.options.on_existing == OnExisting::Upgrade {
            let configuration = layout::existing_configuration(&context);
            context.relocatable |= layout::is_relocatable(&configuration);
        }
        if !interpreter.is_known() {
            self.create_by_fallback(&env_dir, interpreter, &context)?;
            summary::created(&context, interpreter, started, self.log());
            return Ok((context, Changed::Yes));
        }
        // Another run may create the same directory first. This one then continues with that environment.
        let mut may_fill = true;
        let changed = loop {
            let created = self.try_create(&env_dir, interpreter, &context, &mut may_fill)?;
            if let Some(changed) = created {
                break changed;
            }
            self.interrupt.check()?;
        };
        summary::created(&context, interpreter, started, self.log());
        // Unlike CPython: the first run, which had to fill the cache, prints how to activate the environment on a
        // terminal.
        let is_first = self.store.get().is_some_and(Store::is_new);
        if self.log().is_verbose_terminal() || is_first && self.log().shows_progress_on_terminal() {
            summary::how_to_activate(&context, &self.environment);
        }
        Ok((context, changed))
    }

    /// `None` if another run came first, or if what was kept of the packages is damaged: they are not taken from there again.
    fn try_create(
        &self,
        env_dir: &Path,
        interpreter: &Interpreter,
        context: &Context,
        may_fill: &mut bool,
    ) -> Result<Option<Changed>, Error> {
        let (options, log) = (&self.options, self.log());
        let mut stage = Stage::open(env_dir, &base(interpreter), options, &self.environment)?;
        let upgrade = options.on_existing == OnExisting::Upgrade;
        let seed = self.seed(interpreter, context.relocatable);
        if (options.with_pip || options.upgrade_deps)
            && let Some(folder) = seed.bytecode_elsewhere(context)
        {
            stage.remember_elsewhere(&folder)?;
        }

        layout::ensure_directories(stage.tree(), interpreter, context, options.links)?;
        let key = self.key(interpreter, context, stage.is_merge());
        let mut packages = self.packages(key.as_ref(), &stage, &seed, context);
        let mut is_filled = false;
        if let Some(packages) = packages.as_mut().filter(|_| *may_fill)
            && let Some(found) = packages.find()?
        {
            is_filled = log.step("packages", || packages.unpack(&found, &stage))?;
            *may_fill = is_filled;
            if !is_filled {
                return Ok(None);
            }
        }
        let existing = stage
            .is_merge()
            .then(|| layout::existing_configuration(context));
        let configuration = existing.unwrap_or_default();
        let installs = options.installs() || options.upgrades_deps();
        let recorded = layout::recorded_request(&configuration).filter(|recorded| {
            !installs || is_satisfied(key.as_ref(), recorded, Path::new(&context.lib_path))
        });
        let recorded = match key.as_ref().filter(|_| is_filled) {
            Some(key) => self.new_request(key, &stage.path_in_tree(&interpreter.scheme.purelib)),
            None => recorded,
        };
        let request = recorded.as_deref();
        layout::create_configuration(stage.tree(), interpreter, context, options, request, log)?;
        if stage.is_merge() {
            // venv overwrites the existing file.
            stage
                .tree()
                .keep_mode("pyvenv.cfg", Path::new(&context.cfg_path))?;
        }
        log.step("interpreter", || {
            layout::setup_python(&stage, interpreter, context, options.links, log)
        })?;
        self.interrupt.check()?;
        let obsolete = if options.with_pip && !is_filled {
            log.step("pip", || seed.setup_pip(&stage, context))?
        } else {
            Vec::new()
        };
        let old_path = upgrade.then(|| repair::moved_from(context)).flatten();
        if !upgrade || old_path.is_some() || options.relocatable {
            layout::setup_scripts(stage.tree(), interpreter, context, log)?;
        }
        let was_relocatable = layout::is_relocatable(&configuration);
        if upgrade || stage.is_merge() && context.relocatable != was_relocatable {
            log.step("relocate", || {
                repair::relocate_all(
                    &stage,
                    interpreter,
                    context,
                    old_path.as_deref().and_then(Path::to_str),
                    was_relocatable,
                    &self.interrupt,
                    log,
                )
            })?;
        }
        self.interrupt.check()?;
        if stage.replaces() {
            queries::check_base_is_outside(interpreter, env_dir)?;
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
        let changed = if is_filled {
            self.interrupt.check().map(|()| Changed::Yes)
        } else if installs && request.is_some_and(|it| is_satisfied(key.as_ref(), it, library)) {
            log.say(|| "the requirements are installed already".into());
            self.interrupt.check().map(|()| Changed::No)
        } else {
            self.run_pip(&mut stage, interpreter, context, key.as_ref(), packages)
                .map(|()| Changed::Yes)
        };
        if changed.is_err() && options.keep {
            self.finish(stage);
            return changed.map(Some);
        }
        let changed = changed?;
        self.finish(stage);
        if is_other_version {
            summary::warn_of_unused_packages(context, interpreter, log);
        }
        Ok(Some(changed))
    }

    /// The key of the packages to install; `None` if only pip can tell whether they are installed.
    fn key(&self, interpreter: &Interpreter, context: &Context, is_merge: bool) -> Option<Key> {
        let options = &self.options;
        if !options.installs() {
            return None;
        }
        let key = Key::of(options, interpreter, context, &self.environment, is_merge);
        key.map_err(|reason| self.log_no_key(&reason)).ok()
    }

    fn log_no_key(&self, reason: &str) {
        let line = || format!("pip runs even if there is nothing to install: {reason}");
        self.log().say(line);
    }

    /// The packages that a new environment may be filled with, or that are kept once pip has installed them.
    fn packages<'a>(
        &'a self,
        key: Option<&Key>,
        stage: &Stage,
        seed: &'a Seed<'a>,
        context: &'a Context,
    ) -> Option<Packages<'a>> {
        let options = &self.options;
        if stage.is_merge() || options.reuse == Reuse::Never || options.cache == Cache::Off {
            return None;
        }
        let packages = Packages::of(key?, seed, context, options);
        packages.map_err(|reason| self.log_not_cached(&reason)).ok()
    }

    fn log_not_cached(&self, reason: &str) {
        let line = || format!("the packages are not kept for other environments: {reason}");
        self.log().say(line);
    }

    /// What `rvenv-request` says where the packages come from the cache.
    fn new_request(&self, key: &Key, library: &Path) -> Option<String> {
        let request = key.with_state(library);
        request.map_err(|reason| self.log_no_key(&reason)).ok()
    }

    /// Remembers what is installed now.
    fn record_request(&self, key: &Key, context: &Context) {
        match key.with_state(Path::new(&context.lib_path)) {
            Ok(request) => {
                // Without the record the next run only takes longer.
                if let Err(error) = layout::record_request(context, Some(&request)) {
                    self.log_no_key(&error.to_string());
                }
            }
            Err(reason) => self.log_no_key(&reason),
        }
    }

    /// Runs the base Python's own venv, which does everything except the hook.
    fn create_by_fallback(
        &self,
        env_dir: &Path,
        interpreter: &Interpreter,
        context: &Context,
    ) -> Result<(), Error> {
        let (options, log) = (&self.options, self.log());
        stage::check(env_dir, &base(interpreter), options, &self.environment)?;
        queries::check_base_is_outside(interpreter, env_dir)?;
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
            Some(self.move_aside(env_dir, interpreter)?)
        } else {
            None
        };
        let mut created = log.wait("venv", || {
            fallback::create(
                context,
                interpreter,
                options,
                stage.is_some(),
                &self.interrupt,
            )
        });
        if created.is_ok() && options.on_existing != OnExisting::Upgrade {
            created = self.run_post_setup(context);
        }
        let is_kept = created.is_ok() && options.keep;
        if created.is_ok() {
            created = self.upgrade_and_install(interpreter, context, None);
        }
        match stage {
            Some(stage) if created.is_ok() || is_kept => self.finish(stage),
            Some(stage) => stage.take_back(),
            None if created.is_err() && is_new && !is_kept => {
                // The error is more important than what could not be removed.
                let _ = remove_tree(env_dir);
            }
            None => {}
        }
        created
    }

    /// Keeps the old environment until the new one is complete: an empty directory is published in its place.
    fn move_aside(&self, env_dir: &Path, interpreter: &Interpreter) -> Result<Stage, Error> {
        loop {
            let base = base(interpreter);
            let mut stage = Stage::open(env_dir, &base, &self.options, &self.environment)?;
            if stage.publish_pending()? {
                return Ok(stage);
            }
            self.interrupt.check()?;
        }
    }

    /// Runs the environment's own pip, after the environment is published, since the scripts that pip writes contain
    /// its path.
    fn run_pip(
        &self,
        stage: &mut Stage,
        interpreter: &Interpreter,
        context: &Context,
        key: Option<&Key>,
        packages: Option<Packages<'_>>,
    ) -> Result<(), Error> {
        if !self.options.upgrades_deps() && !self.options.installs() {
            return self.interrupt.check();
        }
        let log = self.log();
        let (scheme, library) = (&interpreter.scheme, Path::new(&context.lib_path));
        let site_packages = [scheme.purelib.as_str(), &scheme.platlib];
        // The directories that packages may write to. Other directories in ENV_DIR may contain the user's own files.
        let mut entries = vec!["pyvenv.cfg", &context.bin_name, "etc", "man", "share"];
        entries.extend([&*scheme.purelib, &scheme.platlib, &scheme.include].map(first_component));
        entries.sort_unstable();
        entries.dedup();
        stage.remember(&entries, &site_packages)?;
        let files = || distributions::files(library, &scheme.purelib);
        let before = stage.remembers().then(files).unwrap_or_default();
        // The record is not valid while pip runs.
        let configuration = layout::existing_configuration(context);
        let result = match layout::recorded_request(&configuration) {
            Some(_) => layout::record_request(context, None),
            None => Ok(()),
        };
        let packages = packages.filter(Packages::is_expected_pip);
        let folder = packages.is_some().then(|| {
            let folder = tempfile::Builder::new().prefix("rvenv-report-").tempdir();
            folder.map_err(Error::io("create a directory in", &std::env::temp_dir()))
        });
        let folder = folder.transpose()?;
        let report = folder.as_ref().map(|folder| folder.path().join("report"));
        let mut result =
            result.and_then(|()| self.upgrade_and_install(interpreter, context, report.as_deref()));
        if result.is_ok() && context.relocatable {
            result = repair::installed(interpreter, context, &self.interrupt, self.log());
        }
        // After this, nothing can be undone.
        let result = result.and_then(|()| self.interrupt.check());
        if result.is_err() && stage.remembers() {
            stage.added(files().difference(&before).cloned());
        }
        if let (Ok(()), Some(key)) = (&result, key)
            && self.key(interpreter, context, stage.is_merge()).as_ref() == Some(key)
        {
            self.record_request(key, context);
            if let (Some(packages), Some(report)) = (packages, report)
                && let Err(reason) = log.step("keeping packages", || packages.keep(&report))
            {
                self.log_not_cached(&reason);
            }
        }
        result
    }

    fn upgrade_and_install(
        &self,
        interpreter: &Interpreter,
        context: &Context,
        report: Option<&Path>,
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
        if options.upgrades_deps() {
            pip.upgrade_dependencies(interpreter, &requirements)?;
        }
        if options.installs() {
            pip.install_requirements(&requirements, options, report)?;
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

/// Whether the recorded request and the installed packages still match this request.
fn is_satisfied(key: Option<&Key>, recorded: &str, site_packages: &Path) -> bool {
    key.is_some_and(|key| key.with_state(site_packages).as_deref() == Ok(recorded))
}

/// Whether an existing environment was created by another minor version.
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

/// The files that show whether a directory contains the base Python.
fn base(interpreter: &Interpreter) -> [&str; 2] {
    [&interpreter.stdlib, &interpreter.base_executable]
}

/// The first component of a path with `/`.
fn first_component(path: &str) -> &str {
    path.split('/').next().unwrap_or(path)
}

// The Python is a shell script.
#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use fs_err as fs;

    use super::*;
    use crate::options::Cache;
    use crate::pip::test_wheels::facts;

    /// What the `-m venv` of an implementation does that has little to do.
    const VENV: &str = "#!/bin/sh\nPATH=/bin:/usr/bin\n\
        for env_dir; do :; done\n\
        mkdir -p \"$env_dir/bin\"\n\
        echo 'home = /nowhere' >\"$env_dir/pyvenv.cfg\"\n";

    #[test]
    fn a_failing_hook_undoes_the_venv_of_an_unknown_implementation() {
        let folder = tempfile::tempdir().unwrap();
        let python = folder.path().join("python");
        fs::write(&python, VENV).unwrap();
        fs::set_permissions(&python, PermissionsExt::from_mode(0o755)).unwrap();
        let mut interpreter = facts(python.to_str().unwrap());
        interpreter.implementation = "graalpy".into();
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
            builder.interpreter = OnceLock::from(interpreter.clone());
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
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
