//! The options: the fields of CPython's `EnvBuilder`, and those that rvenv adds.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// How an environment is to be made. [`Options::new`] is what `python -m venv ENV_DIR` does.
///
/// ```
/// use rvenv::Options;
///
/// let mut options = Options::new();
/// options.with_pip(false).prompt("demo");
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// Give the environment access to the system site-packages.
    pub(crate) system_site_packages: bool,
    /// What happens to a directory that is there already.
    pub(crate) on_existing: OnExisting,
    /// Whether the interpreter is linked or copied.
    pub(crate) links: Links,
    /// Install pip (and setuptools where that Python's ensurepip installs it).
    pub(crate) with_pip: bool,
    /// Install setuptools with pip where that Python's ensurepip does.
    pub(crate) with_setuptools: bool,
    /// The prompt prefix; `None` is the environment's name, `Some(".")` the current directory's.
    pub(crate) prompt: Option<String>,
    /// Write bytecode for pip and for what pip installs.
    pub(crate) compile: bool,
    /// Upgrade pip from the index after creation.
    pub(crate) upgrade_deps: bool,
    /// Requirements files that the environment's pip installs after creation, as `pip install -r` takes them.
    pub(crate) requirements: Vec<OsString>,
    /// Constraints files for what it installs or upgrades, as `pip install -c` takes them.
    pub(crate) constraints: Vec<OsString>,
    /// Options that it gets besides, such as `--index-url=URL`.
    pub(crate) pip_args: Vec<OsString>,
    /// Projects that it installs in editable mode, as `pip install -e` takes them.
    pub(crate) editables: Vec<OsString>,
    /// Dependency groups that it installs, as `pip install --group` takes them.
    pub(crate) groups: Vec<OsString>,
    /// Requirements that it installs as well.
    pub(crate) packages: Vec<String>,
    /// Keep the environment though installing into it failed.
    pub(crate) keep: bool,
    /// Write a `.gitignore` (CPython 3.13 and later do).
    pub(crate) scm_ignore_files: bool,
    /// Let `--clear` delete what is not an environment.
    pub(crate) force: bool,
    /// Make an environment that can be moved.
    pub(crate) relocatable: bool,
    /// Which producer provides pip.
    pub(crate) seeder: Seeder,
    /// Directories with pip wheels, for a base without ensurepip.
    pub(crate) find_links: Vec<PathBuf>,
    /// The cache directory.
    pub(crate) cache: Cache,
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
            cache: Cache::Default,
            verbosity: Verbosity::Normal,
        }
    }
}

impl Options {
    /// What `python -m venv ENV_DIR` does.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives the environment access to the system site-packages (`--system-site-packages`).
    pub fn system_site_packages(&mut self, yes: bool) -> &mut Self {
        self.system_site_packages = yes;
        self
    }

    /// What happens to a directory that is there already (`--clear`, `--upgrade`).
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

    /// Installs setuptools with pip where that Python's ensurepip has it, which is the default (`--no-setuptools`).
    pub fn with_setuptools(&mut self, yes: bool) -> &mut Self {
        self.with_setuptools = yes;
        self
    }

    /// The prompt prefix instead of the environment's name; `.` is the name of the current directory (`--prompt`).
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

    /// Writes a `.gitignore` where CPython does (3.13 and later), which is the default (`--without-scm-ignore-files`).
    pub fn scm_ignore_files(&mut self, yes: bool) -> &mut Self {
        self.scm_ignore_files = yes;
        self
    }

    /// Allows [`OnExisting::Clear`] to delete a directory that is not a virtual environment (`--force`).
    pub fn force(&mut self, yes: bool) -> &mut Self {
        self.force = yes;
        self
    }

    /// Makes an environment that can be moved (`--relocatable`).
    pub fn relocatable(&mut self, yes: bool) -> &mut Self {
        self.relocatable = yes;
        self
    }

    /// Where pip comes from (`--seeder`).
    pub fn seeder(&mut self, seeder: Seeder) -> &mut Self {
        self.seeder = seeder;
        self
    }

    /// Adds a folder with wheels of pip, for a base Python that has none (`--find-links`).
    pub fn find_links(&mut self, folder: impl AsRef<Path>) -> &mut Self {
        self.find_links.push(folder.as_ref().into());
        self
    }

    /// Which cache is used (`--cache-dir`, `--no-cache`).
    pub fn cache(&mut self, cache: Cache) -> &mut Self {
        self.cache = cache;
        self
    }

    /// How much is written to stderr (`--quiet`, `--verbose`).
    pub fn verbosity(&mut self, verbosity: Verbosity) -> &mut Self {
        self.verbosity = verbosity;
        self
    }

    /// Whether pip installs something after the environment was created.
    pub(crate) fn installs(&self) -> bool {
        !self.requirements.is_empty()
            || !self.editables.is_empty()
            || !self.groups.is_empty()
            || !self.packages.is_empty()
    }
}

/// What happens to a directory that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnExisting {
    /// Its content stays; the environment is laid over it.
    Keep,
    /// `--clear`: its content is deleted.
    Clear,
    /// `--upgrade`: interpreter and configuration are renewed, activation scripts are not.
    Upgrade,
}

/// How the base interpreter reaches the environment.
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
    /// Errors.
    Quiet,
    /// Warnings, too.
    Normal,
    /// What is done, and how long it takes.
    Verbose,
}

/// Who provides pip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seeder {
    /// The base's own wheels, and its ensurepip where that fails.
    Auto,
    /// Only the base's own wheels.
    Wheel,
    /// Only the base's own ensurepip.
    Ensurepip,
}

/// The cache directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cache {
    /// The user's cache folder.
    Default,
    /// A folder of the caller's choice.
    Folder(PathBuf),
    /// Nowhere.
    Off,
}
