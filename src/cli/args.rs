//! The command line: its options, as clap parses them after `argparse` has rewritten the arguments.
//!
//! Options and `RVENV_*` variables are read here and nowhere else.

mod into_options;
mod variables;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::error::{ContextKind, ErrorKind};
use clap::{Command, CommandFactory as _, Parser, ValueEnum, ValueHint};

use crate::cli::{argparse, compat, index_options};

const VENV: &str = "Options of venv";
const ENVIRONMENT: &str = "More environment options";
const PYTHON: &str = "Choosing a Python";
const PACKAGES: &str = "Packages";
const CACHE: &str = "Cache";
const OUTPUT: &str = "Output";
const MAINTENANCE: &str = "Maintenance";
const GENERAL: &str = "General";
pub(crate) const EXAMPLES: &str = "  in a terminal   rvenv .venv && . .venv/bin/activate
  in CI           rvenv -p 3.12 --clear .venv -r requirements.txt
  in a Makefile   .venv/bin/python: ; rvenv --prompt \"$(notdir $(CURDIR))\" .venv";

/// Create Python virtual environments
#[derive(Debug, Parser)]
#[command(
    name = "rvenv",
    version,
    disable_version_flag = true,
    disable_help_flag = true,
    after_help = "Use `rvenv --help` for all options."
)]
#[command(override_usage = "rvenv [OPTIONS] ENV_DIR...")]
pub(crate) struct Args {
    /// Directory to create the environment in
    #[arg(value_name = "ENV_DIR", value_hint = ValueHint::DirPath, value_parser = path_or_nothing(), hide_short_help = true)]
    #[arg(required_unless_present_any = ["prune_cache", "list_pythons", "warm_cache", "completions", "man"])]
    pub(crate) env_dirs: Vec<PathBuf>,

    /// Give access to the system site-packages
    #[arg(long, help_heading = VENV, overrides_with = "system_site_packages")]
    system_site_packages: bool,
    /// Link the Python interpreter (default except on Windows)
    #[arg(long, help_heading = VENV, hide_short_help = true, conflicts_with = "copies", overrides_with = "symlinks")]
    symlinks: bool,
    /// Copy the Python interpreter
    #[arg(long, help_heading = VENV, hide_short_help = true, overrides_with = "copies")]
    copies: bool,
    /// Delete an existing environment first
    #[arg(long, help_heading = VENV, overrides_with = "clear")]
    clear: bool,
    /// Upgrade an existing environment
    ///
    /// To its own Python if that was upgraded in place, or to the one given with --python. An environment that was moved is
    /// repaired.
    #[arg(long, help_heading = VENV, overrides_with = "upgrade")]
    upgrade: bool,
    /// Do not install pip
    #[arg(long, help_heading = VENV, overrides_with = "without_pip")]
    without_pip: bool,
    /// Set the prompt prefix
    ///
    /// The default is the name of the environment; `.` is the name of the current directory.
    #[arg(long, help_heading = VENV, value_name = "PROMPT", overrides_with = "prompt")]
    prompt: Option<String>,
    /// Upgrade pip to the latest version
    #[arg(long, help_heading = VENV, overrides_with = "upgrade_deps")]
    upgrade_deps: bool,
    /// Do not create a .gitignore file
    #[arg(long, help_heading = VENV, hide_short_help = true, overrides_with = "without_scm_ignore_files")]
    without_scm_ignore_files: bool,

    /// Copy an existing environment
    ///
    /// The copy contains the packages of SRC and works at its new path. Its directory must be absent or empty, unless --clear
    /// is given; SRC is not changed.
    #[arg(long, help_heading = ENVIRONMENT, value_name = "SRC", value_hint = ValueHint::DirPath, value_parser = path_or_nothing())]
    #[arg(overrides_with = "clone", requires = "env_dirs")]
    #[arg(conflicts_with_all = ["system_site_packages", "symlinks", "copies", "upgrade", "without_pip", "upgrade_deps", "without_scm_ignore_files"])]
    #[arg(conflicts_with_all = ["relocatable", "python", "requirements", "constraints", "editable", "group", "with", "find_links", "no_compile", "keep", "seeder"])]
    #[arg(conflicts_with_all = ["report", "warm_cache", "no_setuptools"])]
    pub(crate) clone: Option<PathBuf>,
    /// Make the environment relocatable
    ///
    /// No file in it contains its path, so that it can be moved. With --upgrade an existing environment is made
    /// relocatable, including the scripts of installed packages, whichever tool created it.
    #[arg(long, help_heading = ENVIRONMENT, hide_short_help = true, overrides_with = "relocatable")]
    relocatable: bool,
    /// Allow --clear to delete a directory that is not a virtual environment
    #[arg(long, help_heading = ENVIRONMENT, hide_short_help = true, overrides_with = "force")]
    force: bool,

    /// Python to use: a version, a name or a path
    ///
    /// For example 3.12, pypy3.9, '>=3.10,<3.13', python3.11 or /usr/bin/python3. May be repeated: the first that is found is
    /// used. [env: RVENV_PYTHON]
    #[arg(short, long, help_heading = PYTHON, value_name = "PYTHON", value_hint = ValueHint::CommandName)]
    pub(crate) python: Vec<String>,

    /// Install from a requirements file
    ///
    /// With the environment's pip; `-` is standard input. A pylock.toml needs pip 26.1 or later. May be repeated.
    #[arg(short, long, help_heading = PACKAGES, value_name = "FILE", value_hint = ValueHint::FilePath)]
    requirements: Vec<OsString>,
    /// Constrain versions with a constraints file
    ///
    /// Like pip's option of this name. May be repeated.
    #[arg(short, long, help_heading = PACKAGES, hide_short_help = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    constraints: Vec<OsString>,
    /// Install a project in editable mode
    ///
    /// Like pip's option of this name, for example `-e '.[dev]'`. May be repeated.
    #[arg(short, long, help_heading = PACKAGES, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    editable: Vec<OsString>,
    /// Install a dependency group from pyproject.toml
    ///
    /// Like pip's option of this name, which needs pip 25.1 or later; NAME or PATH:NAME. May be repeated.
    #[arg(long, help_heading = PACKAGES, hide_short_help = true, value_name = "NAME")]
    group: Vec<OsString>,
    /// Install a package
    ///
    /// Any requirement specifier that `pip install` takes. May be repeated.
    #[arg(long, help_heading = PACKAGES, value_name = "PACKAGE")]
    with: Vec<String>,
    /// Look for packages in a directory or at a URL
    ///
    /// Also where a wheel of pip is looked for if the Python has no ensurepip. May be repeated. [env: RVENV_FIND_LINKS]
    #[arg(short = 'f', long, help_heading = PACKAGES, hide_short_help = true, value_name = "DIR", value_hint = ValueHint::DirPath)]
    find_links: Vec<OsString>,
    /// Do not compile packages to bytecode
    ///
    /// Neither pip nor the packages that it installs. Python compiles them at the first import.
    #[arg(long, help_heading = PACKAGES, hide_short_help = true, overrides_with = "no_compile")]
    no_compile: bool,
    /// Keep the environment if installing packages fails
    #[arg(long, help_heading = PACKAGES, hide_short_help = true, overrides_with = "keep")]
    keep: bool,
    /// Select which installed packages are reused [default: hashed]
    ///
    /// A new environment with the same requirements gets its packages from the cache, without pip. [env: RVENV_REUSE]
    #[arg(long, help_heading = PACKAGES, hide_short_help = true, value_name = "WHEN", overrides_with = "reuse")]
    reuse: Option<ReuseWhen>,
    /// Select how pip is installed [default: auto]
    ///
    /// [env: RVENV_SEEDER]
    #[arg(long, help_heading = PACKAGES, hide_short_help = true, value_name = "SEEDER", overrides_with = "seeder")]
    seeder: Option<SeederName>,

    /// Cache directory
    ///
    /// [env: RVENV_CACHE_DIR]
    #[arg(long, help_heading = CACHE, hide_short_help = true, value_name = "DIR", value_hint = ValueHint::DirPath, overrides_with = "cache_dir")]
    cache_dir: Option<PathBuf>,
    /// Do not use the cache
    ///
    /// [env: RVENV_NO_CACHE]
    #[arg(long, help_heading = CACHE, hide_short_help = true, overrides_with = "no_cache")]
    no_cache: bool,

    /// Do not print warnings
    #[arg(short, long, help_heading = OUTPUT, overrides_with_all = ["quiet", "verbose"])]
    quiet: bool,
    /// Use verbose output
    #[arg(short, long, help_heading = OUTPUT, overrides_with_all = ["quiet", "verbose"])]
    verbose: bool,
    /// When to use color [default: auto]
    #[arg(long, help_heading = OUTPUT, hide_short_help = true, value_name = "WHEN", overrides_with = "color")]
    color: Option<ColorWhen>,
    /// Print results as JSON
    #[arg(long, help_heading = OUTPUT, hide_short_help = true)]
    pub(crate) json: bool,

    /// Check existing environments
    ///
    /// Prints each problem with a command that repairs it, or JSON with --json. The exit status is 1 if there is a problem.
    #[arg(long, help_heading = MAINTENANCE, group = "report", conflicts_with_all = ["list_pythons", "clear", "upgrade"])]
    pub(crate) check: bool,
    /// List the Pythons on this machine
    ///
    /// Prints the version, implementation, path and source of each, or JSON with --json.
    #[arg(long, help_heading = MAINTENANCE, group = "report", conflicts_with = "env_dirs")]
    pub(crate) list_pythons: bool,
    /// Fill the cache without creating an environment
    ///
    /// Prints nothing, or JSON with --json.
    #[arg(long, help_heading = MAINTENANCE, hide_short_help = true, conflicts_with_all = ["env_dirs", "no_cache"])]
    pub(crate) warm_cache: bool,
    /// Delete everything in the cache
    ///
    /// Prints how much disk space was freed, or JSON with --json.
    #[arg(long, help_heading = MAINTENANCE, hide_short_help = true)]
    pub(crate) prune_cache: bool,
    /// Generate a shell completion script
    ///
    /// Prints the script for SHELL.
    #[arg(long, help_heading = MAINTENANCE, hide_short_help = true, value_name = "SHELL", exclusive = true)]
    pub(crate) completions: Option<CompletionShell>,
    /// Generate the man page
    ///
    /// Prints it as roff, for example for `man -l -`.
    #[arg(long, help_heading = MAINTENANCE, hide_short_help = true, exclusive = true)]
    pub(crate) man: bool,

    /// Print help
    #[arg(short, long, help_heading = GENERAL, action = clap::ArgAction::Help)]
    help: Option<bool>,
    /// Print version
    ///
    /// With --verbose also the commit, the target and the cache directory, for bug reports.
    #[arg(short = 'V', long, help_heading = GENERAL, action = clap::ArgAction::Version)]
    version: Option<bool>,
    /// virtualenv's option: do not install setuptools where ensurepip would.
    #[arg(long, hide = true, overrides_with = "no_setuptools")]
    no_setuptools: bool,
    /// For `rvenv-shim`: if nothing can be made, or the Python is of another version, print no error and exit with status 75.
    /// Everything is then as it was. The caller upgrades pip itself.
    #[arg(
        long,
        hide = true,
        overrides_with = "decline",
        value_name = "VERSION_INFO"
    )]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "")]
    pub(crate) decline: Option<String>,
    /// Ignored options of other programs, with the reason.
    #[arg(skip)]
    pub(crate) ignored: Vec<(String, &'static str)>,
    /// The value of `RVENV_FIND_LINKS` if the option is not given.
    #[arg(skip)]
    wheels: Vec<OsString>,
    /// The value of `RVENV_CACHE_SIZE` in bytes.
    #[arg(skip)]
    cache_size: Option<u64>,
    /// Index options for pip.
    #[arg(skip)]
    pip_options: Vec<OsString>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ColorWhen {
    /// Use color if the output is a terminal, unless NO_COLOR or the like is set
    Auto,
    /// Always use color
    Always,
    /// Never use color
    Never,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ReuseWhen {
    /// If every requirement is pinned and has a hash, and all of them are wheels
    Hashed,
    /// Also if the index may have newer versions by now
    Always,
    /// Always run pip
    Never,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum SeederName {
    /// Unpack the Python's bundled wheels, and run ensurepip if that fails
    #[value(aliases = ["app-data", "pip"])] // virtualenv's
    Auto,
    /// Only unpack the bundled wheels
    Wheel,
    /// Only run ensurepip
    Ensurepip,
}

impl Args {
    /// Parses the command line. Usage errors, `--help` and `--version` are returned as clap's errors.
    pub(crate) fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let expanded = argparse::expand(arguments)
            .map_err(|message| command().error(ErrorKind::InvalidValue, message))?;
        let mut args = match Self::try_parse_from(&expanded.arguments) {
            // `--help` also lists the compatible options. They are only rendered if they are needed.
            Err(error) if error.kind() == ErrorKind::DisplayHelp => {
                let without_h = command().mut_arg("help", |help| help.short(None));
                let long = without_h.try_get_matches_from(&expanded.arguments);
                return Err(match long {
                    Err(long) if long.kind() == ErrorKind::DisplayHelp => long,
                    _ => {
                        let short = short_help().try_get_matches_from(&expanded.arguments);
                        short.err().unwrap_or(error)
                    }
                });
            }
            parsed => parsed.map_err(with_hint)?,
        };
        args.ignored = expanded.ignored;
        args.add_variables(|name| std::env::var_os(name))
            .map_err(|message| command().error(ErrorKind::InvalidValue, message))?;
        args.consistent()
            .map_err(|message| command().error(ErrorKind::ArgumentConflict, message))?;
        args.take_indexes(&expanded.indexes)
            .map_err(|message| command().error(ErrorKind::ArgumentConflict, message))?;
        Ok(args)
    }

    fn installs(&self) -> bool {
        !self.requirements.is_empty()
            || !self.with.is_empty()
            || !self.editable.is_empty()
            || !self.group.is_empty()
    }

    /// Passes index options on to pip, if it installs anything.
    fn take_indexes(&mut self, given: &[index_options::IndexOption]) -> Result<(), String> {
        if self.installs() || self.upgrade_deps {
            self.pip_options = index_options::pip_options(given)?;
        } else {
            let names = given.iter().map(|given| given.name.clone());
            self.ignored
                .extend(names.map(|name| (name, "no packages are installed")));
        }
        Ok(())
    }

    /// Rejects combinations that clap cannot express.
    fn consistent(&self) -> Result<(), &'static str> {
        let installs = self.installs();
        let is_offline = self.ignored.iter().any(|(name, _)| name == "--offline");
        if installs && self.without_pip {
            return Err(
                "--requirements, --editable, --group and --with need pip, which --without-pip does not install",
            );
        }
        if is_offline && (installs || self.upgrade_deps) {
            return Err(
                "--offline is not passed on to pip: use --no-index and --find-links instead",
            );
        }
        if !self.constraints.is_empty() && !installs && !self.upgrade_deps {
            return Err(
                "--constraints needs --requirements, --editable, --group, --with or --upgrade-deps (to delete an existing environment use --clear)",
            );
        }
        if self.constraints.iter().any(|file| file == "-") {
            return Err("--constraints does not read standard input: use a file");
        }
        Ok(())
    }
}

/// A shell with completion scripts.
#[derive(Debug, Clone, Copy, ValueEnum)]
#[value(rename_all = "lower")]
pub(crate) enum CompletionShell {
    Bash,
    Zsh,
    Fish,
    #[value(alias = "pwsh")]
    PowerShell,
    Elvish,
    #[value(alias = "nu")]
    Nushell,
}

/// The command line definition, which `--help`, the man page and completions are generated from.
pub(crate) fn command() -> Command {
    Args::command().after_long_help(format!("{}\nExamples:\n{EXAMPLES}", compat::help()))
}

/// The command line for `-h`, which is one list without headings, so that it fits on one screen.
fn short_help() -> Command {
    Args::command().mut_args(|arg| arg.help_heading("Options"))
}

/// A path that may be empty: `os.path.abspath` resolves it to the current directory.
fn path_or_nothing() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().map(PathBuf::from)
}

/// Adds the usual command to the error for a missing `ENV_DIR`.
fn with_hint(error: clap::Error) -> clap::Error {
    let missing = error.get(ContextKind::InvalidArg);
    let missing = missing.is_some_and(|argument| argument.to_string().contains("ENV_DIR"));
    if error.kind() != ErrorKind::MissingRequiredArgument || !missing {
        return error;
    }
    command().error(
        ErrorKind::MissingRequiredArgument,
        "the following arguments are required: ENV_DIR\n\n  tip: `rvenv .venv` creates an environment in .venv",
    )
}
