//! What virtualenv and `uv venv` are told that venv is not: options that tools pass without asking whose command it is.
//!
//! Each is written for an option of rvenv's, or means nothing here, or is refused because it would change the environment in a
//! way that rvenv cannot. Only whole names count, so that no prefix of venv's options is taken away. Knows no arguments but these.

use std::fmt::Write as _;

use crate::cli::index_options::Index;

/// What rvenv makes of an option.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Meaning {
    /// It is another name of this option.
    As(&'static str),
    /// Its value is the version of this project that is wanted.
    Version(&'static str),
    /// The environment is the same without it, for this reason.
    Nothing(&'static str),
    /// It says where pip finds what it installs.
    Pip(Index),
    /// It is the same without it for the second reason, unless the value is the first.
    Unless(&'static str, &'static str),
    /// The environment would have to be another one; this is what to do.
    Refused(&'static str),
}

/// Names that mean the same, and what they mean.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) names: &'static [&'static str],
    /// Whether a value follows.
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

/// Variables of virtualenv and uv that rvenv does not read, and what is read instead.
pub(crate) const VARIABLES: [(&str, &str); 4] = [
    ("VIRTUALENV_PYTHON", "-p or RVENV_PYTHON"),
    ("VIRTUALENV_SYSTEM_SITE_PACKAGES", "--system-site-packages"),
    ("VIRTUALENV_PROMPT", "--prompt"),
    ("UV_PYTHON", "-p or RVENV_PYTHON"),
];

const NAME_IT: &str = "name the Python with -p; `rvenv --list-pythons` says where each comes from";
const DOWNLOADS: &str = "rvenv downloads nothing";
const PIP: &str = "pip comes from this Python's own ensurepip";
const NO_PROJECT: &str = "rvenv knows no projects and reads no configuration";
const COPIED: &str = "packages are always copied";

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
        Meaning::Nothing(DOWNLOADS),
    ),
    option(
        &[
            "--no-periodic-update",
            "--reset-app-data",
            "--seed",
            "--refresh",
        ],
        Meaning::Nothing(PIP),
    ),
    option(
        &["--no-wheel"],
        Meaning::Nothing("wheel is never installed"),
    ),
    option(&["--symlink-app-data"], Meaning::Nothing(COPIED)),
    valued(&["--link-mode"], Meaning::Nothing(COPIED)),
    valued(
        &["--activators"],
        Meaning::Nothing("the scripts of all shells are always written"),
    ),
    valued(
        &["--creator", "--discovery"],
        Meaning::Nothing("rvenv has but one way"),
    ),
    option(
        &[
            "--no-site-packages",
            "--allow-existing",
            "--no-venv-redirect",
        ],
        Meaning::Nothing("it is so without it"),
    ),
    option(
        &[
            "--with-traceback",
            "--no-progress",
            "--preview",
            "--no-preview",
        ],
        Meaning::Nothing("it changes no environment"),
    ),
    valued(
        &["--color"],
        Meaning::Nothing("see NO_COLOR and FORCE_COLOR"),
    ),
    option(
        &[
            "--no-python-downloads",
            "--no-managed-python",
            "--offline",
            "--native-tls",
            "--system-certs",
        ],
        Meaning::Nothing(DOWNLOADS),
    ),
    option(
        &["--no-project", "--no-config"],
        Meaning::Nothing(NO_PROJECT),
    ),
    valued(
        &["--project", "--config-file"],
        Meaning::Nothing(NO_PROJECT),
    ),
    valued(
        &["--try-first-with"],
        Meaning::Refused("name the Python with -p; several may be given"),
    ),
    option(&["--managed-python"], Meaning::Refused(NAME_IT)),
    valued(
        &["--python-preference"],
        Meaning::Unless("only-managed", NAME_IT),
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
        Meaning::Nothing("pip always asks the index"),
    ),
    valued(&["--directory"], Meaning::Refused("change to it with cd")),
    option(
        &["--upgrade-embed-wheels"],
        Meaning::Refused(
            "rvenv has no wheels of its own; --upgrade-deps upgrades pip in an environment",
        ),
    ),
    option(
        &["--venv-redirect"],
        Meaning::Refused("make the environment in .venv itself"),
    ),
];

/// Who is meant by this exact name.
pub(crate) fn find(name: &str) -> Option<&'static Accepted> {
    ACCEPTED
        .iter()
        .find(|accepted| accepted.names.contains(&name))
}

/// What `--help` says of them all.
pub(crate) fn help() -> String {
    let mut text = String::from("Accepted for compatibility with virtualenv and uv venv:\n");
    let mut nothing = Vec::new();
    let mut refused = Vec::new();
    let mut pip = Vec::new();
    for accepted in ACCEPTED {
        let names = accepted.names.join(", ");
        match accepted.meaning {
            Meaning::As(option) => line(&mut text, &names, &format!("as {option}")),
            Meaning::Version(project) => {
                let names = format!("{names} VERSION");
                line(&mut text, &names, &format!("as --with {project}==VERSION"));
            }
            Meaning::Pip(_) => pip.extend_from_slice(accepted.names),
            Meaning::Nothing(_) | Meaning::Unless(..) => nothing.extend_from_slice(accepted.names),
            Meaning::Refused(_) => refused.extend_from_slice(accepted.names),
        }
    }
    line(&mut text, "--seeder app-data, pip", "as --seeder auto");
    line(
        &mut text,
        "--no-setuptools",
        "no setuptools, where ensurepip brings it",
    );
    text.push_str("Given to pip, where it installs something:\n");
    wrapped(&mut text, &pip);
    text.push_str("Accepted without effect (-v says why):\n");
    wrapped(&mut text, &nothing);
    text.push_str("Refused, since the environment would have to be another one:\n");
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

/// The options for a version of a project; virtualenv has words for "the one that you bring" and "the newest".
///
/// # Errors
///
/// What to write instead.
pub(crate) fn version(project: &str, version: &str) -> Result<Option<String>, String> {
    match (project, version) {
        ("pip", "bundle" | "embed") | (_, "none") => Ok(None),
        ("pip", "latest") => Ok(Some("--upgrade-deps".into())),
        (_, "bundle" | "embed") => Ok(Some(format!("--with={project}"))),
        (_, "latest") => Err(format!("write --upgrade-deps --with {project}")),
        _ => Ok(Some(format!("--with={project}=={version}"))),
    }
}
