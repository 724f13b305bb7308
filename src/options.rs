//! What was asked for: the fields of CPython's `EnvBuilder`, and what rvenv adds.
//!
//! Data only. Where the answers come from (flags, variables) is `cli`'s business.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::terminal::color::Color;

/// How an environment is to be made. [`Options::default`] is what `python -m venv ENV_DIR` does.
#[derive(Debug, Clone)]
pub struct Options {
    /// Give the environment access to the system site-packages.
    pub system_site_packages: bool,
    /// What happens to a directory that is there already.
    pub on_existing: OnExisting,
    /// Whether the interpreter is linked or copied.
    pub links: Links,
    /// Install pip (and setuptools where that Python's ensurepip brings it).
    pub with_pip: bool,
    /// Install setuptools with pip where that Python's ensurepip brings it.
    pub with_setuptools: bool,
    /// The prompt prefix; `None` is the environment's name, `Some(".")` the current directory's.
    pub prompt: Option<String>,
    /// Upgrade pip from the index after creation.
    pub upgrade_deps: bool,
    /// Requirements files that the environment's pip installs after creation, as `pip install -r` takes them.
    pub requirements: Vec<OsString>,
    /// Constraints files for what it installs or upgrades, as `pip install -c` takes them.
    pub constraints: Vec<OsString>,
    /// Options that it gets besides, such as `--index-url=URL`.
    pub pip_options: Vec<OsString>,
    /// Requirements that it installs as well.
    pub packages: Vec<String>,
    /// Keep the environment though installing into it failed.
    pub keep: bool,
    /// Write a `.gitignore` (CPython 3.13 and later do).
    pub scm_ignore_files: bool,
    /// Let `--clear` delete what is not an environment.
    pub force: bool,
    /// Make an environment that can be moved.
    pub relocatable: bool,
    /// Which producer provides pip.
    pub seeder: Seeder,
    /// Folders with wheels of pip, for a base that brings none.
    pub find_links: Vec<PathBuf>,
    /// Where remembered facts and images are kept.
    pub cache: Cache,
    /// How much is said on stderr.
    pub verbosity: Verbosity,
    /// When words on stderr are coloured.
    pub color: Color,
    /// What a person at a terminal is shown while something is done.
    pub progress: Progress,
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
            upgrade_deps: false,
            requirements: Vec::new(),
            constraints: Vec::new(),
            pip_options: Vec::new(),
            packages: Vec::new(),
            keep: false,
            scm_ignore_files: true,
            force: false,
            relocatable: false,
            seeder: Seeder::Auto,
            find_links: Vec::new(),
            cache: Cache::Default,
            verbosity: Verbosity::Normal,
            color: Color::Never,
            progress: Progress::None,
        }
    }
}

impl Options {
    /// Whether pip is to install something once the environment stands.
    pub(crate) fn installs(&self) -> bool {
        !self.requirements.is_empty() || !self.packages.is_empty()
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

/// How much is said on stderr.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verbosity {
    /// Errors.
    Quiet,
    /// Warnings, too.
    Normal,
    /// What is done, and how long it takes.
    Verbose,
}

/// What a person at a terminal is shown while something is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Nothing.
    None,
    /// A spinner: several environments are made at once, whose pips would draw over each other.
    Spinner,
    /// A spinner, and what pip itself draws.
    Programs,
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

/// Where remembered facts and images are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cache {
    /// The user's cache folder.
    Default,
    /// A folder of the caller's choice.
    Folder(PathBuf),
    /// Nowhere.
    Off,
}
