//! The steps that copy an environment.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use fs_err as fs;

use super::{EnvBuilder, base, queries, summary};
use crate::error::Error;
use crate::installed::copy::Tree;
use crate::installed::relocate::{NewLocation, Relocation};
use crate::interpreter::Interpreter;
use crate::options::{OnExisting, Options};
use crate::stage::Stage;
use crate::stage::names::{INFIX, is_stage};
use crate::sys::fs::bare;
use crate::sys::paths::absolute;
use crate::venv::clone::Original;
use crate::venv::context::Context;
use crate::venv::{redirect, repair};

impl EnvBuilder {
    /// Makes `env_dir` a copy of the environment at `source` that works at its place, or nothing. `source` is not changed.
    ///
    /// Of the options only [`Options::on_existing`], where [`OnExisting::Keep`] demands that `env_dir` is absent or empty,
    /// [`Options::force`], [`Options::prompt`], [`Options::cache`] and [`Options::verbosity`] count.
    ///
    /// ```
    /// use rvenv::{Cache, EnvBuilder, Options};
    ///
    /// let folder = tempfile::tempdir()?;
    /// let builder = EnvBuilder::new(Options::new().with_pip(false).cache(Cache::Off));
    /// builder.create(folder.path().join("original"))?;
    /// let context = builder.clone_environment(folder.path().join("original"), folder.path().join("copy"))?;
    /// assert_eq!(context.prompt, "copy");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Every [`Error`]; `env_dir` is then as it was before.
    pub fn clone_environment(
        &self,
        source: impl AsRef<Path>,
        env_dir: impl AsRef<Path>,
    ) -> Result<Context, Error> {
        let created = self.create_clone(source.as_ref(), env_dir.as_ref());
        created.map(|(context, _)| context)
    }

    /// As [`Self::clone_environment`]; also tells which base it has.
    pub(crate) fn create_clone(
        &self,
        source: &Path,
        env_dir: &Path,
    ) -> Result<(Context, Interpreter), Error> {
        let started = Instant::now();
        let cwd = self.environment.cwd.as_deref();
        let (source, env_dir) = (absolute(source, cwd)?, absolute(env_dir, cwd)?);
        let interpreter = self
            .log()
            .step("finding Python", || self.discovery().base_of(&source))?;
        check_overlap(&source, &env_dir)?;
        let original = Original::read(&source, interpreter.platform)?;
        let options = Options {
            prompt: self
                .options
                .prompt
                .clone()
                .or_else(|| original.own_prompt()),
            ..self.options.clone()
        };
        let context = Context::new(&env_dir, &interpreter, &options, cwd)?;
        self.check_is_empty(&env_dir)?;
        let tree = self
            .log()
            .step("listing", || Tree::list(&source, &self.interrupt))?;
        while !self.try_clone(&original, &tree, &interpreter, &context)? {
            self.interrupt.check()?;
        }
        summary::created(&context, &interpreter, started, self.log());
        if self.log().is_verbose_terminal() {
            summary::how_to_activate(&context, &self.environment);
        }
        Ok((context, interpreter))
    }

    /// `false` if another run came first.
    fn try_clone(
        &self,
        original: &Original,
        tree: &Tree,
        interpreter: &Interpreter,
        context: &Context,
    ) -> Result<bool, Error> {
        let (env_dir, log) = (Path::new(&context.env_dir), self.log());
        let mut stage = Stage::open(
            env_dir,
            &base(interpreter),
            &self.options,
            &self.environment,
        )?;
        let places = original.places();
        let places: Vec<_> = places.iter().filter_map(|place| place.to_str()).collect();
        let layout = repair::layout(interpreter, context);
        let relocation = Relocation::new(&places, NewLocation::Place(&context.env_dir), layout);
        let new = stage.scratch("new");
        let given = self.options.prompt.is_some();
        original.write(stage.tree(), &relocation, interpreter, context, given)?;
        let report = log.step("copying", || {
            tree.copy(stage.tree(), &new, &relocation, &self.interrupt)
        })?;
        let read_only = tree.finish(&new, env_dir)?;
        self.interrupt.check()?;
        if stage.replaces() {
            queries::check_base_is_outside(interpreter, env_dir)?;
        }
        self.check_is_empty(env_dir)?;
        if !log.step("publish", || stage.publish(&[]))? {
            return Ok(false);
        }
        // A directory that was there already keeps its own mode.
        let is_own = |folder: &Path| stage.is_renamed() || !folder.as_os_str().is_empty();
        for folder in read_only.iter().filter(|folder| is_own(folder)) {
            make_read_only(&original.path.join(folder), &env_dir.join(folder))?;
        }
        redirect::warn(context, log);
        self.run_post_setup(context)?;
        self.interrupt.check()?;
        self.finish(stage);
        let there = places.first().copied();
        repair::warn(&report, context, there, log);
        Ok(true)
    }

    /// Refuses a directory that holds something, unless it is to be cleared.
    fn check_is_empty(&self, env_dir: &Path) -> Result<(), Error> {
        if self.options.on_existing == OnExisting::Clear
            || !fs::symlink_metadata(env_dir).is_ok_and(|metadata| metadata.is_dir())
        {
            return Ok(());
        }
        let entries = fs::read_dir(env_dir);
        let entries = entries.map_err(|error| Error::io("read", env_dir)(bare(error)))?;
        for entry in entries.flatten() {
            // What a killed run has left is removed.
            if !is_stage(&entry.file_name(), OsStr::new(INFIX)) {
                return Err(Error::NotEmpty {
                    path: env_dir.into(),
                });
            }
        }
        Ok(())
    }
}

/// Takes the owner's permission to write from the copy of a folder.
fn make_read_only(original: &Path, copy: &Path) -> Result<(), Error> {
    let set = || -> io::Result<()> {
        fs::set_permissions(copy, fs::symlink_metadata(original)?.permissions())
    };
    set().map_err(|error| Error::io("set the mode of", copy)(bare(error)))
}

/// Refuses an environment that would be copied into itself, and a place that holds it.
fn check_overlap(source: &Path, env_dir: &Path) -> Result<(), Error> {
    let (resolved_source, resolved) = (resolve(source), resolve(env_dir));
    let reason = if resolved == resolved_source {
        "it is the same directory"
    } else if resolved.starts_with(&resolved_source) {
        "it is inside the environment"
    } else if resolved_source.starts_with(&resolved) {
        "the environment is inside it"
    } else {
        return Ok(());
    };
    Err(Error::Overlap {
        path: env_dir.into(),
        source_dir: source.into(),
        reason,
    })
}

/// Where a path leads, though its end may not be there.
fn resolve(path: &Path) -> PathBuf {
    for ancestor in path.ancestors() {
        if let Ok(resolved) = fs::canonicalize(ancestor) {
            return resolved.join(path.strip_prefix(ancestor).unwrap_or(Path::new("")));
        }
    }
    path.into()
}
