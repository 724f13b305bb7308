//! The command line: argparse's habits in front, clap behind, `Options` as the result.
//!
//! Flags and `RVENV_*` variables are read here and nowhere else. Makes no environment.

mod into_options;
mod variables;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::error::{ContextKind, ErrorKind};
use clap::{Command, CommandFactory as _, Parser, ValueEnum, ValueHint};

use crate::cli::{argparse, compat, index_options};

const VENV: &str = "What venv has";
const RVENV: &str = "What rvenv adds";
pub(crate) const EXAMPLES: &str = "  in a terminal   rvenv .venv && . .venv/bin/activate
  in CI           rvenv -p 3.12 --clear .venv -r requirements.txt
  in a Makefile   .venv/bin/python: ; rvenv --prompt \"$(notdir $(CURDIR))\" .venv";

/// Creates virtual Python environments in one or more target directories: what `python -m venv` makes, in milliseconds.
#[derive(Debug, Parser)]
#[command(
    name = "rvenv",
    version,
    disable_version_flag = true,
    disable_help_flag = true
)]
#[command(override_usage = "rvenv [OPTIONS] ENV_DIR...")]
pub(crate) struct Args {
    /// A directory to create the environment in
    #[arg(value_name = "ENV_DIR", value_hint = ValueHint::DirPath, value_parser = path_or_nothing())]
    #[arg(required_unless_present_any = ["prune_cache", "list_pythons", "warm_cache", "completions", "man"])]
    pub(crate) env_dirs: Vec<PathBuf>,

    /// Give the environment access to the system site-packages
    #[arg(long, help_heading = VENV, overrides_with = "system_site_packages")]
    system_site_packages: bool,
    /// Link the interpreter (the default except on Windows)
    #[arg(long, help_heading = VENV, conflicts_with = "copies", overrides_with = "symlinks")]
    symlinks: bool,
    /// Copy the interpreter
    #[arg(long, help_heading = VENV, overrides_with = "copies")]
    copies: bool,
    /// Delete what is in the directory first, if it is an environment
    #[arg(long, help_heading = VENV, overrides_with = "clear")]
    clear: bool,
    /// Bring an existing environment to this Python
    #[arg(long, help_heading = VENV, overrides_with = "upgrade")]
    upgrade: bool,
    /// Do not install pip
    #[arg(long, help_heading = VENV, overrides_with = "without_pip")]
    without_pip: bool,
    /// The prompt prefix; `.` is the current directory's name
    #[arg(long, help_heading = VENV, value_name = "PROMPT", overrides_with = "prompt")]
    prompt: Option<String>,
    /// Upgrade pip from the index afterwards
    #[arg(long, help_heading = VENV, overrides_with = "upgrade_deps")]
    upgrade_deps: bool,
    /// Do not write a .gitignore
    #[arg(long, help_heading = VENV, overrides_with = "without_scm_ignore_files")]
    without_scm_ignore_files: bool,
    /// Show this help
    #[arg(short, long, help_heading = VENV, action = clap::ArgAction::Help)]
    help: Option<bool>,

    /// The base Python: a path, a name, 3.12, pypy3.9, '>=3.10,<3.13'; repeatable, the first that is found is taken (`RVENV_PYTHON`)
    #[arg(short, long, help_heading = RVENV, value_name = "PYTHON", value_hint = ValueHint::CommandName)]
    pub(crate) python: Vec<String>,
    /// Install what a requirements file lists, with the environment's pip; `-` is standard input; repeatable
    #[arg(short, long, help_heading = RVENV, value_name = "FILE", value_hint = ValueHint::FilePath)]
    requirements: Vec<OsString>,
    /// Limit versions to those in a constraints file, as pip does; repeatable
    #[arg(short, long, help_heading = RVENV, value_name = "FILE", value_hint = ValueHint::FilePath)]
    constraints: Vec<OsString>,
    /// Install a package, as pip names it; repeatable
    #[arg(long, help_heading = RVENV, value_name = "PACKAGE")]
    with: Vec<String>,
    /// Keep the environment though pip failed
    #[arg(long, help_heading = RVENV, overrides_with = "keep")]
    keep: bool,
    /// Let --clear delete what is not an environment
    #[arg(long, help_heading = RVENV, overrides_with = "force")]
    force: bool,
    /// Make an environment that can be moved
    #[arg(long, help_heading = RVENV, overrides_with = "relocatable")]
    relocatable: bool,
    /// Who provides pip: the base's own wheels, or its ensurepip (`RVENV_SEEDER`) [default: auto]
    #[arg(long, help_heading = RVENV, value_name = "SEEDER", overrides_with = "seeder")]
    seeder: Option<SeederName>,
    /// A folder with wheels: of pip, for a Python without ensurepip, and of what pip installs; repeatable (`RVENV_FIND_LINKS`)
    #[arg(short = 'f', long, help_heading = RVENV, value_name = "DIR", value_hint = ValueHint::DirPath)]
    find_links: Vec<OsString>,
    /// Where facts and images are kept (`RVENV_CACHE_DIR`)
    #[arg(long, help_heading = RVENV, value_name = "DIR", value_hint = ValueHint::DirPath, overrides_with = "cache_dir")]
    cache_dir: Option<PathBuf>,
    /// Keep nothing (`RVENV_NO_CACHE`)
    #[arg(long, help_heading = RVENV, overrides_with = "no_cache")]
    no_cache: bool,
    /// Keep all that this Python needs, and make no environment
    #[arg(long, help_heading = RVENV, conflicts_with_all = ["env_dirs", "no_cache"])]
    pub(crate) warm_cache: bool,
    /// Delete everything that is kept, and say how much that frees
    #[arg(long, help_heading = RVENV)]
    pub(crate) prune_cache: bool,
    /// List every Python on this machine: version, implementation, path, where it came from
    #[arg(long, help_heading = RVENV, group = "report", conflicts_with = "env_dirs")]
    pub(crate) list_pythons: bool,
    /// Say what is broken in existing environments, and what repairs it; the status is 1 if anything is
    #[arg(long, help_heading = RVENV, group = "report", conflicts_with_all = ["list_pythons", "clear", "upgrade"])]
    pub(crate) check: bool,
    /// Print what was done or found as JSON, for programs
    #[arg(long, help_heading = RVENV)]
    pub(crate) json: bool,
    /// Print what completes rvenv's options in a shell
    #[arg(long, help_heading = RVENV, value_name = "SHELL", exclusive = true)]
    pub(crate) completions: Option<CompletionShell>,
    /// Print the man page
    #[arg(long, help_heading = RVENV, exclusive = true)]
    pub(crate) man: bool,
    /// Say no warnings
    #[arg(short, long, help_heading = RVENV, overrides_with_all = ["quiet", "verbose"])]
    quiet: bool,
    /// Say what is done and how long it takes
    #[arg(short, long, help_heading = RVENV, overrides_with_all = ["quiet", "verbose"])]
    verbose: bool,
    /// Show the version
    #[arg(short = 'V', long, help_heading = RVENV, action = clap::ArgAction::Version)]
    version: Option<bool>,
    /// virtualenv's: setuptools stays out though ensurepip brings it.
    #[arg(long, hide = true, overrides_with = "no_setuptools")]
    no_setuptools: bool,
    /// Options of other programs' that mean nothing here, with the reason.
    #[arg(skip)]
    pub(crate) ignored: Vec<(String, &'static str)>,
    /// What `RVENV_FIND_LINKS` says where no option does.
    #[arg(skip)]
    wheels: Vec<OsString>,
    /// What pip is told of indexes.
    #[arg(skip)]
    pip_options: Vec<OsString>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum SeederName {
    /// The wheels, and ensurepip where they fail
    #[value(aliases = ["app-data", "pip"])] // virtualenv's
    Auto,
    /// Only the wheels
    Wheel,
    /// Only ensurepip
    Ensurepip,
}

impl Args {
    /// Reads the command line; usage errors and `--help` end in clap's own words.
    pub(crate) fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let expanded = argparse::expand(arguments)
            .map_err(|message| command().error(ErrorKind::InvalidValue, message))?;
        let mut args = match Self::try_parse_from(&expanded.arguments) {
            // What is accepted for compatibility is listed only for those who ask: it takes a while to say.
            Err(error) if error.kind() == ErrorKind::DisplayHelp => {
                let full = command().try_get_matches_from(&expanded.arguments);
                return Err(full.err().unwrap_or(error));
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
        !self.requirements.is_empty() || !self.with.is_empty()
    }

    /// What pip is told of indexes, if it installs anything.
    fn take_indexes(&mut self, given: &[index_options::Given]) -> Result<(), String> {
        if self.installs() || self.upgrade_deps {
            self.pip_options = index_options::pip_options(given)?;
        } else {
            let names = given.iter().map(|given| given.name.clone());
            self.ignored
                .extend(names.map(|name| (name, "pip installs nothing")));
        }
        Ok(())
    }

    /// What goes together in one way only.
    fn consistent(&self) -> Result<(), &'static str> {
        let installs = self.installs();
        let is_offline = self.ignored.iter().any(|(name, _)| name == "--offline");
        if installs && self.without_pip {
            return Err(
                "--requirements and --with need the environment's pip, which --without-pip leaves out",
            );
        }
        if is_offline && (installs || self.upgrade_deps) {
            return Err("--offline cannot be said to pip: use --no-index and --find-links instead");
        }
        if !self.constraints.is_empty() && !installs && !self.upgrade_deps {
            return Err(
                "--constraints needs --requirements, --with or --upgrade-deps; what deletes an environment first is --clear",
            );
        }
        if self.constraints.iter().any(|file| file == "-") {
            return Err("--constraints takes a file; `-` is not one");
        }
        Ok(())
    }
}

/// A shell that completes options.
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

/// The one definition of the command line, with all that `--help`, the man page and completions say.
pub(crate) fn command() -> Command {
    Args::command().after_help(format!("{}\nExamples:\n{EXAMPLES}", compat::help()))
}

/// A path that may be empty, which is the current directory to `os.path.abspath`.
fn path_or_nothing() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().map(PathBuf::from)
}

/// The mistake that everybody makes once gets the command that was meant.
fn with_hint(error: clap::Error) -> clap::Error {
    let missing = error.get(ContextKind::InvalidArg);
    let missing = missing.is_some_and(|argument| argument.to_string().contains("ENV_DIR"));
    if error.kind() != ErrorKind::MissingRequiredArgument || !missing {
        return error;
    }
    command().error(
        ErrorKind::MissingRequiredArgument,
        "the following arguments are required: ENV_DIR\n\n  tip: `rvenv .venv` makes an environment in .venv",
    )
}
