//! Rewrites the arguments before clap parses them, for the features of argparse that clap lacks.
//!
//! Unambiguous prefixes of long options are completed. venv's own options come first, so that rvenv's options never
//! make a prefix ambiguous. Options of other programs are translated. An argument that argparse treats as positional
//! although it begins with a dash is moved after `--`.

use std::ffi::{OsStr, OsString};

use crate::cli::compat::{self, Accepted, Meaning};
use crate::cli::index_options::IndexOption;

/// venv's own long options (`venv/__init__.py`, `main`).
pub(crate) const VENV: [&str; 10] = [
    "--help",
    "--system-site-packages",
    "--symlinks",
    "--copies",
    "--clear",
    "--upgrade",
    "--without-pip",
    "--prompt",
    "--upgrade-deps",
    "--without-scm-ignore-files",
];
/// rvenv's own long options.
pub(crate) const RVENV: [&str; 27] = [
    "--clone",
    "--python",
    "--requirements",
    "--constraints",
    "--editable",
    "--group",
    "--with",
    "--reuse",
    "--no-compile",
    "--keep",
    "--force",
    "--relocatable",
    "--seeder",
    "--find-links",
    "--cache-dir",
    "--no-cache",
    "--prune-cache",
    "--list-pythons",
    "--check",
    "--json",
    "--warm-cache",
    "--completions",
    "--man",
    "--quiet",
    "--verbose",
    "--version",
    "--color",
];
/// Options whose value may be the next argument.
pub(crate) const OPTIONS_WITH_VALUE: [&str; 19] = [
    "--prompt",
    "--clone",
    "--python",
    "-p",
    "--requirements",
    "-r",
    "--constraints",
    "-c",
    "--editable",
    "-e",
    "--group",
    "--with",
    "--reuse",
    "--seeder",
    "--find-links",
    "-f",
    "--cache-dir",
    "--color",
    "--completions",
];

/// The arguments for clap, and the options that were removed from them.
#[derive(Debug, Default)]
pub(crate) struct Expanded {
    pub(crate) arguments: Vec<OsString>,
    /// Options that are ignored, with the reason.
    pub(crate) ignored: Vec<(String, &'static str)>,
    /// Options for pip.
    pub(crate) indexes: Vec<IndexOption>,
}

/// Completes prefixes, translates options of other programs, and separates the directories.
///
/// # Errors
///
/// argparse's message for an ambiguous prefix; the message for an option that is not supported.
pub(crate) fn expand(arguments: impl IntoIterator<Item = OsString>) -> Result<Expanded, String> {
    let mut arguments = arguments.into_iter();
    let mut ignored = Vec::new();
    let mut indexes = Vec::new();
    let mut expanded: Vec<OsString> = arguments.next().into_iter().collect();
    let mut directories = Vec::new();
    while let Some(argument) = arguments.next() {
        if argument == "--" {
            directories.extend(arguments.by_ref());
        } else if is_directory(&argument) {
            let valued = expanded.last_mut().filter(|last| {
                OPTIONS_WITH_VALUE
                    .iter()
                    .any(|option| last.as_os_str() == *option)
            });
            match valued {
                Some(option) => {
                    option.push("=");
                    option.push(argument);
                }
                None => directories.push(argument),
            }
        } else {
            let before = expanded.last().and_then(|last| last.to_str());
            if let Some(option) = before.filter(|last| OPTIONS_WITH_VALUE.contains(last))
                && is_option(&argument)
            {
                return Err(format!(
                    "argument {option}: expected one argument; use {option}=VALUE for a value that begins with a dash"
                ));
            }
            match accepted(&argument) {
                Some((name, given, accepted)) => {
                    let value = value(&name, given, accepted, &mut arguments)?;
                    match translate(&name, value, accepted.meaning)? {
                        Translated::Argument(argument) => expanded.extend(argument),
                        Translated::Ignored(reason) => ignored.push((name, reason)),
                        Translated::Pip(given) => indexes.push(given),
                    }
                }
                None => expanded.push(complete(argument)?),
            }
        }
    }
    if !directories.is_empty() {
        expanded.push("--".into());
        expanded.append(&mut directories);
    }
    Ok(Expanded {
        arguments: expanded,
        ignored,
        indexes,
    })
}

/// An option of another program, with the value after its equals sign.
fn accepted(argument: &OsStr) -> Option<(String, Option<String>, &'static Accepted)> {
    let text = argument.to_str().filter(|text| text.starts_with('-'))?;
    // `-iURL`, as pip and clap accept it.
    if let Some((name, value)) = text.split_at_checked(2)
        && !value.is_empty()
        && let Some(accepted) = compat::find(name).filter(|accepted| accepted.has_value)
    {
        let value = value.strip_prefix('=').unwrap_or(value);
        return Some((name.to_owned(), Some(value.to_owned()), accepted));
    }
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, Some(value.to_owned())),
        None => (text, None),
    };
    Some((name.to_owned(), value, compat::find(name)?))
}

/// The value of an option, which may be the next argument.
fn value(
    name: &str,
    given: Option<String>,
    accepted: &Accepted,
    rest: &mut impl Iterator<Item = OsString>,
) -> Result<Option<OsString>, String> {
    match (accepted.has_value, given) {
        (true, Some(value)) => Ok(Some(value.into())),
        (true, None) => match rest.next().filter(|next| !is_option(next)) {
            None => Err(format!("argument {name}: expected one argument")),
            next => Ok(next),
        },
        (false, Some(value)) => Err(format!(
            "argument {name}: ignored explicit argument '{value}'"
        )),
        (false, None) => Ok(None),
    }
}

enum Translated {
    Argument(Option<OsString>),
    Ignored(&'static str),
    Pip(IndexOption),
}

fn translate(name: &str, value: Option<OsString>, meaning: Meaning) -> Result<Translated, String> {
    Ok(match meaning {
        Meaning::As(option) => {
            let mut argument = OsString::from(option);
            if let Some(value) = value {
                argument.push("=");
                argument.push(value);
            }
            Translated::Argument(Some(argument))
        }
        Meaning::Version(project) => {
            let value = value.unwrap_or_default();
            let version = compat::version(project, &value.to_string_lossy());
            let argument = version.map_err(|instead| refusal(name, &instead))?;
            Translated::Argument(argument.map(OsString::from))
        }
        Meaning::Pip(index) => Translated::Pip(IndexOption {
            name: name.to_owned(),
            index,
            value: value.unwrap_or_default(),
        }),
        Meaning::RefusedValue(refused, instead) if value.is_some_and(|value| value == refused) => {
            return Err(refusal(name, instead));
        }
        Meaning::RefusedValue(_, instead) => Translated::Ignored(instead),
        Meaning::Ignored(reason) => Translated::Ignored(reason),
        Meaning::Refused(instead) => return Err(refusal(name, instead)),
    })
}

fn refusal(name: &str, instead: &str) -> String {
    format!("{name} is not supported: {instead}")
}

/// argparse treats a word that contains a space, and a negative number, as positional arguments.
fn is_directory(argument: &OsStr) -> bool {
    let text = argument.to_string_lossy();
    let name = text.split('=').next().unwrap_or_default();
    text.strip_prefix('-')
        .is_some_and(|rest| name.contains(' ') || is_number(rest))
}

/// argparse's `_negative_number_matcher`, without the sign.
fn is_number(text: &str) -> bool {
    let (whole, fraction) = text.split_once('.').unwrap_or(("", text));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    digits(whole) && digits(fraction) && !fraction.is_empty()
}

fn is_option(argument: &OsStr) -> bool {
    argument.as_encoded_bytes().starts_with(b"-") && argument != "-"
}

fn complete(argument: OsString) -> Result<OsString, String> {
    let Some(text) = argument
        .to_str()
        .filter(|text| text.len() > 2 && text.starts_with("--"))
    else {
        return Ok(argument);
    };
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (text, None),
    };
    if VENV.contains(&name) || RVENV.contains(&name) {
        return Ok(argument);
    }
    let beginning = |options: &[&'static str]| -> Vec<&'static str> {
        options
            .iter()
            .copied()
            .filter(|option| option.starts_with(name))
            .collect()
    };
    let mut matches = beginning(&VENV);
    if matches.is_empty() {
        matches = beginning(&RVENV);
    }
    match matches.as_slice() {
        [] => Ok(argument),
        [option] => Ok(value.map_or_else(
            || (*option).into(),
            |value| format!("{option}={value}").into(),
        )),
        several => Err(format!(
            "ambiguous option: {name} could match {}",
            several.join(", ")
        )),
    }
}

#[cfg(test)]
mod tests;
