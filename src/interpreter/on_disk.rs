//! What the files of an installation tell about its Python: `lib/pythonX.Y`, `include/pythonX.Y/patchlevel.h`.
//!
//! This only selects the executable to query. The result of the query is checked against the request.

use std::path::Path;

use fs_err as fs;

use crate::interpreter::version::{Traits, Variant};

/// The traits of the Python at `executable`; `None` if its files do not tell.
pub(crate) fn read(executable: &Path) -> Option<Traits> {
    let real = fs::canonicalize(executable).ok()?;
    let bin = real.parent()?;
    if cfg!(windows) {
        return windows_installation(bin);
    }
    let prefix = bin.parent()?;
    let mut traits = named(real.file_name()?.to_str()?)
        .filter(|traits| library(prefix, traits))
        .or_else(|| single_version(prefix))?;
    let word = word(&traits);
    let Traits { major, minor, .. } = traits;
    // `m` is an ABI flag up to 3.7.
    for flags in [traits.variant.to_string(), "m".into()] {
        let header = format!("include/{word}{major}.{minor}{flags}/patchlevel.h");
        if let Some((version, prerelease)) = version_in(&prefix.join(header)) {
            if version[..2] == [major, minor] {
                traits.micro = Some(version[2]);
                traits.prerelease = prerelease;
            }
            break;
        }
    }
    Some(traits)
}

/// The traits in the name of an executable: `python3.13t`, `pypy3.9`.
pub(crate) fn named(name: &str) -> Option<Traits> {
    let (implementation, rest) = name
        .strip_prefix("python")
        .map(|rest| ("cpython", rest))
        .or_else(|| name.strip_prefix("pypy").map(|rest| ("pypy", rest)))?;
    let (major, rest) = rest.split_once('.')?;
    let end = rest
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(rest.len());
    let (free_threaded, debug) = match &rest[end..] {
        "" | "m" => (false, false),
        "t" => (true, false),
        "d" | "dm" => (false, true),
        "td" => (true, true),
        _ => return None,
    };
    Some(Traits {
        implementation: implementation.into(),
        major: major.parse().ok()?,
        minor: rest[..end].parse().ok()?,
        micro: None,
        prerelease: String::new(),
        variant: Variant {
            free_threaded,
            debug,
        },
        machine: None,
    })
}

/// The version in `prefix` if there is only one. If there are several, only the executable's name tells which one it
/// is.
fn single_version(prefix: &Path) -> Option<Traits> {
    let entries = fs::read_dir(prefix.join("lib")).ok()?;
    let mut found = entries
        .flatten()
        .filter_map(|entry| named(entry.file_name().to_str()?))
        .filter(|traits| library(prefix, traits));
    let first = found.next()?;
    // The library directory of a debug build has no suffix.
    let header = format!("include/python{}.{}d", first.major, first.minor);
    (found.next().is_none() && !prefix.join(header).exists()).then_some(first)
}

/// Whether the standard library of this version is in `prefix`.
fn library(prefix: &Path, traits: &Traits) -> bool {
    let Traits { major, minor, .. } = traits;
    let t = if traits.variant.free_threaded {
        "t"
    } else {
        ""
    };
    let word = word(traits);
    ["lib", "lib64"].iter().any(|lib| {
        prefix
            .join(format!("{lib}/{word}{major}.{minor}{t}/os.py"))
            .is_file()
    })
}

fn word(traits: &Traits) -> &'static str {
    if traits.implementation == "pypy" {
        "pypy"
    } else {
        "python"
    }
}

/// On Windows the executables are in the prefix, which contains a single version.
fn windows_installation(prefix: &Path) -> Option<Traits> {
    let ([major, minor, micro], prerelease) =
        version_in(&prefix.join("include").join("patchlevel.h"))?;
    // Both builds of 3.13 and later may be in one directory.
    let is_plain = !prefix.join(format!("python{major}.{minor}t.exe")).exists()
        && prefix.join(format!("python{major}{minor}.dll")).exists();
    is_plain.then(|| Traits {
        implementation: "cpython".into(),
        major,
        minor,
        micro: Some(micro),
        prerelease,
        variant: Variant::default(),
        machine: None,
    })
}

/// Parses `#define PY_VERSION "3.14.0rc1"` into the numbers and the rest.
fn version_in(header: &Path) -> Option<([u32; 3], String)> {
    let text = fs::read_to_string(header).ok()?;
    let quoted = text
        .lines()
        .find_map(|line| line.strip_prefix("#define PY_VERSION"))?;
    let mut parts = quoted.split('"').nth(1)?.splitn(3, '.');
    let (major, minor, rest) = (parts.next()?, parts.next()?, parts.next()?);
    let end = rest
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(rest.len());
    let numbers = [
        major.parse().ok()?,
        minor.parse().ok()?,
        rest[..end].parse().ok()?,
    ];
    // The `+` of a development version is not a pre-release.
    Some((numbers, rest[end..].trim_end_matches('+').into()))
}
