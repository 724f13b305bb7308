//! Keeps what pip has installed, and fills new environments from it.

use std::collections::BTreeSet;
use std::path::Path;
use std::str::FromStr as _;
use std::thread;
use std::time::Duration;

use pep440_rs::Version;
use sha2::{Digest as _, Sha256};

use crate::cache::{BuildLock, hex};
use crate::error::Error;
use crate::image::destination::Destination;
use crate::image::format::{FORMAT, Image};
use crate::image::pack::finished::Finished;
use crate::image::unpack;
use crate::installed::distributions;
use crate::installed::scripts::shebang;
use crate::interpreter::platform::Platform;
use crate::options::{Options, Reuse};
use crate::pip::Seed;
use crate::pip::report::{self, Sources};
use crate::pip::request::Key;
use crate::stage::Stage;
use crate::venv::activation::{self, Values};
use crate::venv::context::Context;
use crate::venv::executables;

/// The first version of pip that writes a report.
const REPORT: &str = "22.2";
/// How long a signal, or the end of another process's work, may go unnoticed.
const POLL: Duration = Duration::from_millis(20);

/// Packages that are, or are going to be, in the cache.
pub(crate) struct Packages<'a> {
    seed: &'a Seed<'a>,
    context: &'a Context,
    options: &'a Options,
    /// The version of pip that installs them.
    pip: String,
    /// The name of the image where the result is the same everywhere.
    pinned: Option<String>,
    /// The name of the image that may be older than the index.
    exact: Option<String>,
    /// Held until the image is built.
    build_lock: Option<BuildLock>,
}

/// An image that was found.
pub(crate) struct Found {
    name: String,
    image: Image,
}

impl<'a> Packages<'a> {
    /// Those that a request asks for.
    ///
    /// # Errors
    ///
    /// Why they are not kept.
    pub(crate) fn of(
        key: &Key,
        seed: &'a Seed<'a>,
        context: &'a Context,
        options: &'a Options,
    ) -> Result<Self, String> {
        if !key.uses_cache() {
            return Err("pip is not to use its cache".into());
        }
        if context.relocatable {
            return Err("the environment is relocatable".into());
        }
        if !options.with_pip {
            return Err("the environment has no pip of its own".into());
        }
        if seed.environment.var("PYTHONPYCACHEPREFIX").is_some() {
            return Err("bytecode is elsewhere".into());
        }
        let limit = seed.interpreter.platform.shebang_limit();
        if !shebang::is_written_by_pip(&context.env_exe, limit) {
            return Err("scripts cannot name this path".into());
        }
        let versions = seed.versions();
        let versions = versions.ok_or("the version of pip is not known yet")?;
        let pip = versions.iter().find(|(name, _)| name == "pip");
        let (_, pip) = pip.ok_or("there is no pip")?;
        if Version::from_str(pip).ok() < Version::from_str(REPORT).ok() {
            return Err(format!("pip {pip} writes no report"));
        }
        let name = |kind: &str, key: &str| {
            let all = format!("{FORMAT} {kind} {key} {versions:?}");
            hex(&Sha256::digest(all)[..16])
        };
        let pinned = key.pinned().map(|key| name("pinned", key));
        let exact = match options.reuse {
            Reuse::Always => Some(name("exact", key.exact())),
            Reuse::Hashed | Reuse::Never => None,
        };
        if exact.is_none() {
            pinned.clone()?;
        }
        Ok(Self {
            seed,
            context,
            options,
            pip: pip.clone(),
            pinned: pinned.ok(),
            exact,
            build_lock: None,
        })
    }

    /// The image of them. While another process is making it, this one waits.
    ///
    /// # Errors
    ///
    /// [`Error::Interrupted`].
    pub(crate) fn find(&mut self) -> Result<Option<Found>, Error> {
        if let Some(found) = self.stored() {
            return Ok(Some(found));
        }
        let name = self.names().next();
        self.build_lock = name.and_then(|name| self.seed.store.build_lock(name));
        let mut waited = false;
        if let Some(build_lock) = &mut self.build_lock {
            while matches!(build_lock.try_lock(), Ok(false)) {
                if !waited {
                    let line = || "waiting for another process that installs the same".into();
                    self.seed.log.say(line);
                }
                waited = true;
                self.seed.interrupt.check()?;
                thread::sleep(POLL);
            }
        }
        let found = self.stored();
        if found.is_some() || waited {
            // If the other process could not store it, this one cannot either, so nobody waits for it.
            self.build_lock = None;
        }
        Ok(found)
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        [&self.pinned, &self.exact]
            .into_iter()
            .flatten()
            .map(String::as_str)
    }

    fn stored(&self) -> Option<Found> {
        self.names()
            .find_map(|name| match Image::open(self.seed.store.image(name)?) {
                Ok(image) => Some(Found {
                    name: name.into(),
                    image,
                }),
                Err(error) => {
                    self.discard(name, &error);
                    None
                }
            })
    }

    fn discard(&self, name: &str, error: &Error) {
        self.seed.log.say(|| format!("{error}; running pip"));
        self.seed.store.discard_image(name);
    }

    /// Unpacks an image in the stage; `false` if it is damaged: then the stage is of no use any more.
    ///
    /// # Errors
    ///
    /// [`Error::Io`], [`Error::Interrupted`].
    pub(crate) fn unpack(&self, found: &Found, stage: &Stage) -> Result<bool, Error> {
        let context = self.context;
        let wanted = vec![true; found.image.index.distributions.len()];
        let destination = Destination {
            tree: stage.tree(),
            site_packages: &context.lib_path,
            bin_name: &context.bin_name,
            executable: &context.env_exe,
            interpreter: self.seed.interpreter,
            interrupt: self.seed.interrupt,
            wanted: &wanted,
            relocatable: false,
            pycache_prefix: None,
            made: None,
        };
        match unpack::install(&found.image, &destination) {
            Err(error @ Error::DamagedImage { .. }) => {
                self.discard(&found.name, &error);
                Ok(false)
            }
            Err(error) => Err(error),
            Ok(()) => {
                let line = || format!("{} projects from the cache", wanted.len());
                self.seed.log.say(line);
                Ok(true)
            }
        }
    }

    /// Whether pip is the one that the key names.
    pub(crate) fn is_expected_pip(&self) -> bool {
        let pip = distributions::find(Path::new(&self.context.lib_path), "pip");
        pip.is_some_and(|pip| pip.version_text == self.pip)
    }

    /// Keeps what pip has installed in the environment, which was empty before.
    ///
    /// # Errors
    ///
    /// Why it is not kept.
    pub(crate) fn keep(&self, report: &Path) -> Result<(), String> {
        let sources = report::sources(report)?;
        let name = match (&self.pinned, &self.exact, sources) {
            (Some(name), _, Sources::Wheels) | (_, Some(name), _) => name,
            (_, None, Sources::Built(project)) => return Err(format!("{project} was built")),
            (None, None, Sources::Wheels) => return Err("it has no key".into()),
        };
        let (store, interrupt) = (&self.seed.store, self.seed.interrupt);
        if store.image(name).is_some() {
            return Ok(());
        }
        let said = |error: Error| match error {
            Error::DamagedImage { path, reason } => format!("{}: {reason}", path.display()),
            error => match std::error::Error::source(&error) {
                Some(cause) => format!("{error}: {cause}"),
                None => error.to_string(),
            },
        };
        let packed = self.finished().packed().map_err(said)?;
        let limit = store.limit() / 3;
        if packed.size > limit {
            let (size, limit) = (packed.size / 1_000_000, limit / 1_000_000);
            return Err(format!("{size} MB are more than {limit} MB"));
        }
        let mut draft = store.draft().ok_or("there is no cache")?;
        packed.write(draft.writer(), interrupt).map_err(said)?;
        store.publish_image(name, draft);
        let megabytes = packed.size / 1_000_000;
        self.seed
            .log
            .say(|| format!("kept in the cache: {megabytes} MB"));
        Ok(())
    }

    fn finished(&self) -> Finished<'_> {
        let (context, interpreter) = (self.context, self.seed.interpreter);
        let values = Values {
            virtual_env: &context.env_dir,
            prompt: &context.prompt,
            bin_name: &context.bin_name,
            relocatable: false,
        };
        let is_windows = interpreter.platform == Platform::Windows;
        let scripts = activation::scripts(&values, is_windows);
        let scripts = scripts.into_iter().map(|script| script.name.to_string());
        let placements = executables::placements(context, interpreter, self.options.links);
        let names = scripts.chain(placements.into_iter().map(|it| it.name));
        let mut own: BTreeSet<_> = names
            .map(|name| format!("{}/{name}", context.bin_name))
            .collect();
        own.extend(["pyvenv.cfg", ".gitignore", "lib64"].map(String::from));
        Finished {
            env_dir: &context.env_dir,
            purelib: &interpreter.scheme.purelib,
            include: &interpreter.scheme.include,
            bin_name: &context.bin_name,
            executable: &context.env_exe,
            shebang_limit: interpreter.platform.shebang_limit(),
            own,
            bytecode_header: self.seed.bytecode_header(),
            interrupt: self.seed.interrupt,
        }
    }
}
