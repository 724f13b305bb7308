//! Options of virtualenv and `uv venv`, which tools pass to the command that creates environments.
//!
//! Each is an alias of one of rvenv's options, is passed on to pip, is ignored because it has no effect, or is
//! rejected. Only full names are recognized, so that every prefix still selects venv's option.

use std::fmt::Write as _;

use crate::cli::index_options::Index;

/// How an option is handled.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Meaning {
    /// An alias of this option.
    As(&'static str),
    /// The version of this project to install.
    Version(&'static str),
    /// Ignored, with the reason.
    Ignored(&'static str),
    /// Passed on to pip.
    Pip(Index),
    /// The first value is rejected, any other value is ignored. The second string says what to use instead.
    RefusedValue(&'static str, &'static str),
    /// Not supported. The string says what to use instead.
    Refused(&'static str),
}

/// An option and its aliases.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) names: &'static [&'static str],
    /// Whether the option takes a value.
    pub(crate) has_value: bool,
    pub(crate) meaning: Meaning,
}

const fn option(names: &'static [&'static str], meaning: Meaning) -> Accepted {
    Accepted {
        names,
        has_value: false,
        meaning,
    }
}

const fn valued(names: &'static [&'static str], meaning: Meaning) -> Accepted {
    Accepted {
        has_value: true,
        ..option(names, meaning)
    }
}

/// Variables of virtualenv and uv that rvenv ignores, and what to use instead.
pub(crate) const VARIABLES: [(&str, &str); 4] = [
    ("VIRTUALENV_PYTHON", "-p or RVENV_PYTHON"),
    ("VIRTUALENV_SYSTEM_SITE_PACKAGES", "--system-site-packages"),
    ("VIRTUALENV_PROMPT", "--prompt"),
    ("UV_PYTHON", "-p or RVENV_PYTHON"),
];

const NO_MANAGED_PYTHONS: &str =
    "choose a Python with --python (`rvenv --list-pythons` lists them with their source)";
const DOWNLOADS: &str = "rvenv does not download anything";
const PIP: &str = "pip comes from the Python's own ensurepip";
const NO_PROJECT: &str = "rvenv does not read projects or configuration files";
const ALWAYS_COPIED: &str = "packages are always copied";

/// virtualenv's options, then those of `uv venv`.
pub(crate) const ACCEPTED: &[Accepted] = &[
    option(&["--always-copy"], Meaning::As("--copies")),
    option(&["--no-pip", "--no-seed"], Meaning::As("--without-pip")),
    option(
        &["--no-vcs-ignore"],
        Meaning::As("--without-scm-ignore-files"),
    ),
    option(&["--download"], Meaning::As("--upgrade-deps")),
    valued(&["--extra-search-dir"], Meaning::As("--find-links")),
    valued(&["--app-data"], Meaning::As("--cache-dir")),
    option(&["--read-only-app-data"], Meaning::As("--no-cache")),
    valued(&["--pip"], Meaning::Version("pip")),
    valued(&["--setuptools"], Meaning::Version("setuptools")),
    valued(&["--wheel"], Meaning::Version("wheel")),
    option(&["-n"], Meaning::As("--no-cache")),
    option(
        &["--no-download", "--never-download"],
        Meaning::Ignored(DOWNLOADS),
    ),
    option(
        &[
            "--no-periodic-update",
            "--reset-app-data",
            "--seed",
            "--refresh",
        ],
        Meaning::Ignored(PIP),
    ),
    option(
        &["--no-wheel"],
        Meaning::Ignored("wheel is never installed"),
    ),
    option(&["--symlink-app-data"], Meaning::Ignored(ALWAYS_COPIED)),
    valued(&["--link-mode"], Meaning::Ignored(ALWAYS_COPIED)),
    valued(
        &["--activators"],
        Meaning::Ignored("the activation scripts of all shells are always created"),
    ),
    valued(
        &["--creator", "--discovery"],
        Meaning::Ignored("there is only one"),
    ),
    option(
        &[
            "--no-site-packages",
            "--allow-existing",
            "--no-venv-redirect",
        ],
        Meaning::Ignored("this is the default"),
    ),
    option(
        &[
            "--with-traceback",
            "--no-progress",
            "--preview",
            "--no-preview",
        ],
        Meaning::Ignored("it does not change the environment"),
    ),
    option(
        &[
            "--no-python-downloads",
            "--no-managed-python",
            "--offline",
            "--native-tls",
            "--system-certs",
        ],
        Meaning::Ignored(DOWNLOADS),
    ),
    option(
        &["--no-project", "--no-config"],
        Meaning::Ignored(NO_PROJECT),
    ),
    valued(
        &["--project", "--config-file"],
        Meaning::Ignored(NO_PROJECT),
    ),
    valued(
        &["--try-first-with"],
        Meaning::Refused("use --python, which may be repeated"),
    ),
    option(&["--managed-python"], Meaning::Refused(NO_MANAGED_PYTHONS)),
    valued(
        &["--python-preference"],
        Meaning::RefusedValue("only-managed", NO_MANAGED_PYTHONS),
    ),
    valued(
        &["-i", "--index-url", "--default-index", "--index"],
        Meaning::Pip(Index::Url),
    ),
    valued(&["--extra-index-url"], Meaning::Pip(Index::Extra)),
    option(&["--no-index"], Meaning::Pip(Index::None)),
    valued(
        &["--allow-insecure-host", "--trusted-host"],
        Meaning::Pip(Index::Host),
    ),
    valued(&["--keyring-provider"], Meaning::Pip(Index::Keyring)),
    valued(&["--exclude-newer"], Meaning::Pip(Index::Newer)),
    valued(&["--index-strategy"], Meaning::Pip(Index::Strategy)),
    valued(
        &["--refresh-package"],
        Meaning::Ignored("pip always asks the index"),
    ),
    valued(&["--directory"], Meaning::Refused("use cd")),
    option(
        &["--upgrade-embed-wheels"],
        Meaning::Refused("rvenv has no embedded wheels; use --upgrade-deps to upgrade pip"),
    ),
    option(
        &["--venv-redirect"],
        Meaning::Refused("create the environment in .venv itself"),
    ),
];

/// Finds an option by its full name.
pub(crate) fn find(name: &str) -> Option<&'static Accepted> {
    ACCEPTED
        .iter()
        .find(|accepted| accepted.names.contains(&name))
}

/// The section of `--help` about these options.
pub(crate) fn help() -> String {
    let mut text = String::from("Compatibility with virtualenv and uv venv:\n");
    let mut ignored = Vec::new();
    let mut refused = Vec::new();
    let mut pip = Vec::new();
    for accepted in ACCEPTED {
        let names = accepted.names.join(", ");
        match accepted.meaning {
            Meaning::As(option) => line(&mut text, &names, option),
            Meaning::Version(project) => {
                let names = format!("{names} VERSION");
                line(&mut text, &names, &format!("--with {project}==VERSION"));
            }
            Meaning::Pip(_) => pip.extend_from_slice(accepted.names),
            Meaning::Ignored(_) | Meaning::RefusedValue(..) => {
                ignored.extend_from_slice(accepted.names);
            }
            Meaning::Refused(_) => refused.extend_from_slice(accepted.names),
        }
    }
    line(&mut text, "--seeder app-data, pip", "--seeder auto");
    line(&mut text, "--no-setuptools", "do not install setuptools");
    text.push_str("Passed on to pip if packages are installed, otherwise ignored:\n");
    wrapped(&mut text, &pip);
    text.push_str("Ignored (use -v to see why):\n");
    wrapped(&mut text, &ignored);
    text.push_str("Not supported:\n");
    wrapped(&mut text, &refused);
    text
}

fn line(text: &mut String, names: &str, meaning: &str) {
    let _ = writeln!(text, "  {names:<30}  {meaning}");
}

fn wrapped(text: &mut String, names: &[&str]) {
    const WIDTH: usize = 78;
    let mut column = WIDTH;
    for name in names {
        if column + name.len() + 2 > WIDTH {
            if column != WIDTH {
                text.push('\n');
            }
            text.push(' ');
            column = 1;
        }
        text.push(' ');
        text.push_str(name);
        column += name.len() + 1;
    }
    text.push('\n');
}

/// The option that installs a version of a project. virtualenv has special values for the bundled and the latest
/// version.
///
/// # Errors
///
/// What to use instead.
pub(crate) fn version(project: &str, version: &str) -> Result<Option<String>, String> {
    match (project, version) {
        ("pip", "bundle" | "embed") | (_, "none") => Ok(None),
        ("pip", "latest") => Ok(Some("--upgrade-deps".into())),
        (_, "bundle" | "embed") => Ok(Some(format!("--with={project}"))),
        (_, "latest") => Err(format!("use --upgrade-deps --with {project}")),
        _ => Ok(Some(format!("--with={project}=={version}"))),
    }
}
