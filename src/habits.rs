//! argparse's habits that clap does not share, as a pass over the arguments before clap sees them.
//!
//! Unambiguous prefixes of long options are completed, venv's own options first, so that no option of rvenv's takes a prefix
//! away from them; what argparse takes for a directory although it begins with a dash is moved behind `--`.

use std::ffi::{OsStr, OsString};

/// venv's own long options (`venv/__init__.py`, `main`).
const VENV: [&str; 10] = [
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
/// rvenv's.
const RVENV: [&str; 13] = [
    "--python",
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
    "--verbose",
    "--version",
];
/// Options whose value may be the next argument.
const VALUED: [&str; 6] = [
    "--prompt",
    "--python",
    "--seeder",
    "--find-links",
    "--cache-dir",
    "-p",
];

/// Completes prefixes and sorts out what is a directory.
///
/// # Errors
///
/// argparse's sentence for a prefix of several options.
pub(crate) fn expand(
    arguments: impl IntoIterator<Item = OsString>,
) -> Result<Vec<OsString>, String> {
    let mut arguments = arguments.into_iter();
    let mut expanded: Vec<OsString> = arguments.next().into_iter().collect();
    let mut directories = Vec::new();
    while let Some(argument) = arguments.next() {
        if argument == "--" {
            directories.extend(arguments.by_ref());
        } else if is_directory(&argument) {
            let valued = expanded
                .last_mut()
                .filter(|last| VALUED.iter().any(|option| last.as_os_str() == *option));
            match valued {
                Some(option) => {
                    option.push("=");
                    option.push(argument);
                }
                None => directories.push(argument),
            }
        } else {
            let before = expanded.last().and_then(|last| last.to_str());
            if let Some(option) = before.filter(|last| VALUED.contains(last))
                && is_option(&argument)
            {
                return Err(format!(
                    "argument {option}: expected one argument; a value that begins with a dash is written {option}=VALUE"
                ));
            }
            expanded.push(complete(argument)?);
        }
    }
    if !directories.is_empty() {
        expanded.push("--".into());
        expanded.append(&mut directories);
    }
    Ok(expanded)
}

/// A token with a space in it is no option, whatever it begins with; nor is a negative number.
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
mod tests {
    use super::*;

    fn expanded(arguments: &[&str]) -> Result<Vec<OsString>, String> {
        expand(
            std::iter::once("rvenv")
                .chain(arguments.iter().copied())
                .map(OsString::from),
        )
    }

    #[test]
    fn prefixes_of_venvs_own_options_come_first() {
        for (given, meant) in [
            (
                vec!["--without-p", "e"],
                vec!["rvenv", "--without-pip", "e"],
            ),
            (vec!["--p", "q", "e"], vec!["rvenv", "--prompt", "q", "e"]),
            (vec!["--pro=x", "e"], vec!["rvenv", "--prompt=x", "e"]),
            (vec!["--py", "q", "e"], vec!["rvenv", "--python", "q", "e"]),
            (vec!["--upgrade", "e"], vec!["rvenv", "--upgrade", "e"]),
            (vec!["-a b"], vec!["rvenv", "--", "-a b"]),
            (
                vec!["--prompt", "-a b", "e"],
                vec!["rvenv", "--prompt=-a b", "e"],
            ),
            (
                vec!["--prompt=a b", "e"],
                vec!["rvenv", "--prompt=a b", "e"],
            ),
            (vec!["--", "--cl"], vec!["rvenv", "--", "--cl"]),
            (vec!["-1"], vec!["rvenv", "--", "-1"]),
            (vec!["--prompt", "-.5"], vec!["rvenv", "--prompt=-.5"]),
        ] {
            assert_eq!(expanded(&given).unwrap(), meant, "{given:?}");
        }
        let error = expanded(&["--prompt", "-x", "e"]).unwrap_err();
        assert!(error.starts_with("argument --prompt: expected one argument"));
        assert_eq!(
            expanded(&["--c"]).unwrap_err(),
            "ambiguous option: --c could match --copies, --clear"
        );
    }
}
