//! The options: the fields of CPython's `EnvBuilder`, and those that rvenv adds.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// How an environment is created. [`Options::new`] is the same as `python -m venv ENV_DIR`.
///
/// ```
/// use rvenv::{EnvBuilder, Links, OnExisting, Options, Verbosity};
///
/// let mut options = Options::new();
/// options
///     .on_existing(OnExisting::Clear)
///     .links(Links::Copy)
///     .system_site_packages(true)
///     .prompt("demo")
///     .requirements("requirements.txt")
///     .constraints("constraints.txt")
///     .package("pytest>=8")
///     .pip_arg("--index-url=https://pypi.example/simple")
///     .verbosity(Verbosity::Quiet);
/// let builder = EnvBuilder::new(&options);
/// # drop(builder);
/// ```
///
/// A project for development, in an environment that can be moved, with pip from a directory of wheels:
///
/// ```
/// use rvenv::{Cache, Options, Seeder};
///
/// let mut options = Options::new();
/// options.editable(".").group("dev").keep(true);
/// options.relocatable(true).scm_ignore_files(false).force(true);
/// options.seeder(Seeder::Wheel).find_links("wheels").with_setuptools(false);
/// options.compile(false).upgrade_deps(true).cache(Cache::Folder(".cache".into()));
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// Give the environment access to the system site-packages.
    pub(crate) system_site_packages: bool,
    /// What happens to an existing directory.
    pub(crate) on_existing: OnExisting,
    /// Whether the interpreter is linked or copied.
    pub(crate) links: Links,
    /// Install pip (and setuptools if that Python's ensurepip installs it).
    pub(crate) with_pip: bool,
    /// Install setuptools with pip if that Python's ensurepip does.
    pub(crate) with_setuptools: bool,
    /// The prompt prefix; `None` is the environment's name, `Some(".")` the current directory's.
    pub(crate) prompt: Option<String>,
    /// Compile pip and what it installs to bytecode.
    pub(crate) compile: bool,
    /// Upgrade pip from the index after creation.
    pub(crate) upgrade_deps: bool,
    /// Record that pip is upgraded, and leave it to the caller.
    pub(crate) caller_upgrades: bool,
    /// Requirements files that the environment's pip installs after creation, like `pip install -r`.
    pub(crate) requirements: Vec<OsString>,
    /// Constraints files for what it installs or upgrades, like `pip install -c`.
    pub(crate) constraints: Vec<OsString>,
    /// Other options for it, such as `--index-url=URL`.
    pub(crate) pip_args: Vec<OsString>,
    /// Projects that it installs in editable mode, like `pip install -e`.
    pub(crate) editables: Vec<OsString>,
    /// Dependency groups that it installs, like `pip install --group`.
    pub(crate) groups: Vec<OsString>,
    /// Other requirements that it installs.
    pub(crate) packages: Vec<String>,
    /// Keep the environment if installing packages fails.
    pub(crate) keep: bool,
    /// Create a `.gitignore` (CPython 3.13 and later do).
    pub(crate) scm_ignore_files: bool,
    /// Allow `--clear` to delete a directory that is not an environment.
    pub(crate) force: bool,
    /// Create an environment that can be moved.
    pub(crate) relocatable: bool,
    /// How pip is installed.
    pub(crate) seeder: Seeder,
    /// Directories with pip wheels, for a base Python without ensurepip.
    pub(crate) find_links: Vec<PathBuf>,
    /// Which installed requirements are kept for other environments.
    pub(crate) reuse: Reuse,
    /// The cache directory.
    pub(crate) cache: Cache,
    /// The most that the cache may hold, in bytes.
    pub(crate) cache_size: Option<u64>,
    /// How much is printed to stderr.
    pub(crate) verbosity: Verbosity,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            system_site_packages: false,
            on_existing: OnExisting::Keep,
            links: if cfg!(windows) {
                Links::Copy
            } else {
                Links::Symlink
            },
            with_pip: true,
            with_setuptools: true,
            prompt: None,
            compile: true,
            upgrade_deps: false,
            caller_upgrades: false,
            requirements: Vec::new(),
            constraints: Vec::new(),
            pip_args: Vec::new(),
            editables: Vec::new(),
            groups: Vec::new(),
            packages: Vec::new(),
            keep: false,
            scm_ignore_files: true,
            force: false,
            relocatable: false,
            seeder: Seeder::Auto,
            find_links: Vec::new(),
            reuse: Reuse::Hashed,
            cache: Cache::Default,
            cache_size: None,
            verbosity: Verbosity::Normal,
        }
    }
}

impl Options {
    /// The same as `python -m venv ENV_DIR`.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives the environment access to the system site-packages (`--system-site-packages`).
    pub fn system_site_packages(&mut self, yes: bool) -> &mut Self {
        self.system_site_packages = yes;
        self
    }

    /// What happens to an existing directory (`--clear`, `--upgrade`).
    pub fn on_existing(&mut self, on_existing: OnExisting) -> &mut Self {
        self.on_existing = on_existing;
        self
    }

    /// Whether the interpreter is linked or copied (`--symlinks`, `--copies`).
    pub fn links(&mut self, links: Links) -> &mut Self {
        self.links = links;
        self
    }

    /// Installs pip, which is the default (`--without-pip`).
    pub fn with_pip(&mut self, yes: bool) -> &mut Self {
        self.with_pip = yes;
        self
    }

    /// Installs setuptools with pip if that Python's ensurepip does, which is the default (`--no-setuptools`).
    pub fn with_setuptools(&mut self, yes: bool) -> &mut Self {
        self.with_setuptools = yes;
        self
    }

    /// Sets the prompt prefix. The default is the environment's name; `.` is the name of the current directory
    /// (`--prompt`).
    pub fn prompt(&mut self, prompt: impl Into<String>) -> &mut Self {
        self.prompt = Some(prompt.into());
        self
    }

    /// Compiles pip and the packages that it installs to bytecode, which is the default (`--no-compile`).
    pub fn compile(&mut self, yes: bool) -> &mut Self {
        self.compile = yes;
        self
    }

    /// Upgrades pip (and setuptools) from the index after creation (`--upgrade-deps`).
    pub fn upgrade_deps(&mut self, yes: bool) -> &mut Self {
        self.upgrade_deps = yes;
        self
    }

    /// Adds a requirements file for the environment's pip to install (`--requirements`).
    pub fn requirements(&mut self, file: impl AsRef<OsStr>) -> &mut Self {
        self.requirements.push(file.as_ref().into());
        self
    }

    /// Adds a constraints file for what pip installs or upgrades (`--constraints`).
    pub fn constraints(&mut self, file: impl AsRef<OsStr>) -> &mut Self {
        self.constraints.push(file.as_ref().into());
        self
    }

    /// Adds a project for pip to install in editable mode (`--editable`).
    pub fn editable(&mut self, project: impl AsRef<OsStr>) -> &mut Self {
        self.editables.push(project.as_ref().into());
        self
    }

    /// Adds a dependency group for pip to install (`--group`).
    pub fn group(&mut self, group: impl AsRef<OsStr>) -> &mut Self {
        self.groups.push(group.as_ref().into());
        self
    }

    /// Adds a requirement for pip to install (`--with`).
    pub fn package(&mut self, requirement: impl Into<String>) -> &mut Self {
        self.packages.push(requirement.into());
        self
    }

    /// Adds an argument for `pip install`, such as `--index-url=URL`.
    pub fn pip_arg(&mut self, option: impl AsRef<OsStr>) -> &mut Self {
        self.pip_args.push(option.as_ref().into());
        self
    }

    /// Keeps the environment if installing packages into it fails (`--keep`).
    pub fn keep(&mut self, yes: bool) -> &mut Self {
        self.keep = yes;
        self
    }

    /// Creates a `.gitignore` if CPython does (3.13 and later), which is the default (`--without-scm-ignore-files`).
    pub fn scm_ignore_files(&mut self, yes: bool) -> &mut Self {
        self.scm_ignore_files = yes;
        self
    }

    /// Allows [`OnExisting::Clear`] to delete a directory that is not a virtual environment (`--force`).
    pub fn force(&mut self, yes: bool) -> &mut Self {
        self.force = yes;
        self
    }

    /// Creates an environment that can be moved (`--relocatable`).
    pub fn relocatable(&mut self, yes: bool) -> &mut Self {
        self.relocatable = yes;
        self
    }

    /// How pip is installed (`--seeder`).
    pub fn seeder(&mut self, seeder: Seeder) -> &mut Self {
        self.seeder = seeder;
        self
    }

    /// Adds a directory with pip wheels, for a base Python that has none (`--find-links`).
    pub fn find_links(&mut self, folder: impl AsRef<Path>) -> &mut Self {
        self.find_links.push(folder.as_ref().into());
        self
    }

    /// Which cache is used (`--cache-dir`, `--no-cache`).
    pub fn cache(&mut self, cache: Cache) -> &mut Self {
        self.cache = cache;
        self
    }

    /// Which installed requirements are kept in the cache, for other environments to be filled from (`--reuse`).
    pub fn reuse(&mut self, reuse: Reuse) -> &mut Self {
        self.reuse = reuse;
        self
    }

    /// The most that the cache may hold, in bytes, instead of 10 GB or a tenth of what is free (`RVENV_CACHE_SIZE`).
    pub fn cache_size(&mut self, bytes: u64) -> &mut Self {
        self.cache_size = Some(bytes);
        self
    }

    /// How much is printed to stderr (`--quiet`, `--verbose`).
    pub fn verbosity(&mut self, verbosity: Verbosity) -> &mut Self {
        self.verbosity = verbosity;
        self
    }

    /// Whether packages are installed after the environment was created.
    pub(crate) fn installs(&self) -> bool {
        !self.requirements.is_empty()
            || !self.editables.is_empty()
            || !self.groups.is_empty()
            || !self.packages.is_empty()
    }

    /// Whether pip itself is upgraded, and not by the caller.
    pub(crate) fn upgrades_deps(&self) -> bool {
        self.upgrade_deps && !self.caller_upgrades
    }
}

/// What happens to an existing directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnExisting {
    /// Its files are kept, except those of the environment.
    Keep,
    /// `--clear`: its contents are deleted.
    Clear,
    /// `--upgrade`: the interpreter and the configuration are replaced, the activation scripts are not.
    Upgrade,
}

/// Whether the base interpreter is linked or copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Links {
    /// `--symlinks`.
    Symlink,
    /// `--copies`.
    Copy,
}

/// How much is printed to stderr.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verbosity {
    /// Only errors.
    Quiet,
    /// Errors and warnings.
    Normal,
    /// Every step and how long it takes.
    Verbose,
}

/// How pip is installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seeder {
    /// From the bundled wheels, or with ensurepip if that fails.
    Auto,
    /// Only from the bundled wheels.
    Wheel,
    /// Only with ensurepip.
    Ensurepip,
}

/// Which installed requirements are kept for other environments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reuse {
    /// Where every requirement is pinned and has a hash, and pip has installed nothing but wheels.
    Hashed,
    /// Also where the index may have something newer by now.
    Always,
    /// None.
    Never,
}

/// The cache directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cache {
    /// The user's cache directory.
    Default,
    /// This directory.
    Folder(PathBuf),
    /// No cache.
    Off,
}
