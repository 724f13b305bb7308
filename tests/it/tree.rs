//! The differences between the tree that `python -m venv` made and the one that rvenv made. It runs
//! nothing but the comparison of bytecode.

use std::{
    collections::BTreeMap,
    fs::Metadata,
    os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use fs_err as fs;
use walkdir::WalkDir;

use crate::{bytecode, interpreters::Interpreter, references::Reference};

type Tree = BTreeMap<PathBuf, Metadata>;

/// What differs between two trees that were made at the same path, one readable line or more each.
///
/// `actual` must still be where it was made. The differences that the README lists are none here:
/// the text of the activation scripts and more of them, and the last line of `pyvenv.cfg`.
pub(crate) fn differences(
    interpreter: &Interpreter,
    reference: &Reference,
    actual: &Path,
) -> Vec<String> {
    let Reference {
        path: reference,
        made,
    } = reference;
    let (expected, found) = (snapshot(reference), snapshot(actual));
    let mut lines = Vec::new();
    for (path, metadata) in &expected {
        match found.get(path) {
            None if is_below(path, &found) => {}
            None => lines.push(format!("- {} is missing: {}", show(path), kind(metadata))),
            Some(other) => entry(
                (reference, *made),
                actual,
                path,
                (metadata, other),
                &mut lines,
            ),
        }
    }
    for (path, metadata) in &found {
        if expected.contains_key(path) || is_below(path, &expected) {
            continue;
        }
        if is_script(&expected, path) {
            extra_script(&expected, path, metadata, &mut lines);
        } else {
            lines.push(format!("+ {} is too much: {}", show(path), kind(metadata)));
        }
    }
    let compiled: Vec<_> = expected
        .iter()
        .filter(|(path, m)| is_bytecode(path) && m.is_file() && found.contains_key(*path))
        .map(|(path, _)| path.as_path())
        .collect();
    lines.extend(bytecode::differences(
        interpreter,
        reference,
        actual,
        &compiled,
    ));
    lines
}

/// Everything below a folder, the folder itself included, links not followed.
fn snapshot(root: &Path) -> Tree {
    let entries = WalkDir::new(root).into_iter().map(|entry| {
        let path = entry.unwrap().into_path();
        let metadata = fs::symlink_metadata(&path).unwrap();
        (path.strip_prefix(root).unwrap().to_owned(), metadata)
    });
    entries.collect()
}

/// Whether the path's folder is missing in the other tree, which is told already.
fn is_below(path: &Path, other: &Tree) -> bool {
    path.parent()
        .is_some_and(|folder| !other.contains_key(folder))
}

/// Compares one entry that both trees have.
fn entry(
    (reference, made): (&Path, SystemTime),
    actual: &Path,
    path: &Path,
    (expected, found): (&Metadata, &Metadata),
    lines: &mut Vec<String>,
) {
    let mut differs = |what: &str, expected: String, found: String| {
        if expected != found {
            let path = show(path);
            lines.push(format!(
                "~ {path}: {what}\n    venv:  {expected}\n    rvenv: {found}"
            ));
        }
    };
    if kind(expected) != kind(found) {
        return differs("type", kind(expected).into(), kind(found).into());
    }
    if expected.is_symlink() {
        let target = |root: &Path| show(&fs::read_link(root.join(path)).unwrap());
        return differs("link target", target(reference), target(actual));
    }
    differs("mode", mode(expected), mode(found));
    if !expected.is_file() {
        return;
    }
    // An environment must share no inode with the cache or with another environment.
    let names = |m: &Metadata| format!("{} names for one inode", m.nlink());
    differs("hard links", names(expected), names(found));
    // A wheel's own timestamps are years away; those of a Python's templates may be kept by both.
    let (expected_when, found_when) = (when(expected, made), when(found, SystemTime::now()));
    if !(is_script_name(path) && found_when == "now") {
        differs("mtime", expected_when, found_when);
    }
    if is_bytecode(path) || is_script_name(path) && beside_configuration(reference, path) {
        return;
    }
    let (mut wanted, got) = (
        fs::read(reference.join(path)).unwrap(),
        fs::read(actual.join(path)).unwrap(),
    );
    if path.ends_with("pyvenv.cfg") && wanted.starts_with(b"home = ") {
        wanted = configuration(&wanted, &got).into_bytes();
    }
    if wanted != got {
        lines.push(format!("~ {}: bytes\n{}", show(path), text(&wanted, &got)));
    }
}

/// What rvenv makes of venv's `pyvenv.cfg`: a line break in a path or prompt stays within `command`,
/// where venv would let it start a key of its own; and rvenv adds lines.
fn configuration(venv: &[u8], rvenv: &[u8]) -> String {
    let text = str::from_utf8(venv).unwrap();
    let own = own_lines(text, &String::from_utf8_lossy(rvenv));
    let Some((keys, command)) = text.split_once("\ncommand = ") else {
        return text.to_owned() + &own;
    };
    let command = command.trim_end_matches('\n');
    let command = command.replace('\n', "\\n").replace('\r', "\\r");
    let command = command.replace('\u{85}', "\\x85");
    let command = command.replace('\u{2028}', "\\u2028");
    format!("{keys}\ncommand = {command}\n{own}")
}

/// The lines that rvenv adds to venv's. venv does not say which pre-release a Python is; that is taken as rvenv says it.
pub(crate) fn own_lines(venv: &str, rvenv: &str) -> String {
    let value = |text: &str, key: &str| {
        let found = text.lines().find_map(|line| line.strip_prefix(key));
        found.unwrap_or_default().to_owned()
    };
    let version = value(venv, "version = ");
    let stated = value(rvenv, "version_info = ");
    let full = ["final", "alpha", "beta", "candidate"]
        .iter()
        .any(|level| stated.starts_with(&format!("{version}.{level}.")));
    let full = if full {
        stated
    } else {
        format!("{version}.final.0")
    };
    let minor = version.rsplit_once('.').map_or("", |(minor, _)| minor);
    format!(
        "version_info = {full}\npython-version = {minor}\n{}",
        signature()
    )
}

/// The line that signs rvenv's `pyvenv.cfg`.
pub(crate) fn signature() -> String {
    format!("rvenv = {}\n", env!("CARGO_PKG_VERSION"))
}

/// Whether a file was written when the tree was made, or is older.
fn when(metadata: &Metadata, made: SystemTime) -> String {
    let age = made.duration_since(metadata.modified().unwrap());
    let age = age.unwrap_or_default();
    let fresh = age < Duration::from_hours(1);
    if fresh { "now" } else { "long ago" }.into()
}

/// An activation script that venv does not have must look like the one it has.
fn extra_script(expected: &Tree, path: &Path, found: &Metadata, lines: &mut Vec<String>) {
    let sibling = &expected[&path.with_file_name("activate")];
    if (kind(sibling), mode(sibling)) != (kind(found), mode(found)) {
        lines.push(format!("~ {}: {} {}", show(path), kind(found), mode(found)));
    }
}

/// Whether rvenv may add this file: named `activate*` or `deactivate*`, where venv has `activate`.
fn is_script(expected: &Tree, path: &Path) -> bool {
    is_script_name(path) && expected.contains_key(&path.with_file_name("activate"))
}

fn is_script_name(path: &Path) -> bool {
    let name = path.file_name().and_then(|n| n.to_str()).unwrap_or("");
    let name = name.to_ascii_lowercase();
    path.parent().is_some_and(|p| p.ends_with("bin"))
        && (name.starts_with("activate") || name.starts_with("deactivate"))
}

/// Whether the path is in the `bin` of an environment.
fn beside_configuration(root: &Path, path: &Path) -> bool {
    let environment = path.parent().and_then(Path::parent);
    environment.is_some_and(|e| root.join(e).join("pyvenv.cfg").exists())
}

fn is_bytecode(path: &Path) -> bool {
    path.extension().is_some_and(|e| e == "pyc")
}

fn kind(metadata: &Metadata) -> &'static str {
    let kind = metadata.file_type();
    match () {
        () if kind.is_symlink() => "link",
        () if kind.is_dir() => "directory",
        () if kind.is_file() => "file",
        () if kind.is_fifo() => "fifo",
        () => "something else",
    }
}

fn mode(metadata: &Metadata) -> String {
    format!("{:04o}", metadata.permissions().mode() & 0o7777)
}

fn show(path: &Path) -> String {
    match path.to_str() {
        Some("") => ".".into(),
        _ => path.to_string_lossy().escape_debug().to_string(),
    }
}

/// The lines in which two files differ, the first few of them.
fn text(expected: &[u8], found: &[u8]) -> String {
    let (Ok(expected), Ok(found)) = (str::from_utf8(expected), str::from_utf8(found)) else {
        return format!("    {} bytes and {} bytes", expected.len(), found.len());
    };
    let (mut old, mut new) = (expected.split_inclusive('\n'), found.split_inclusive('\n'));
    let mut lines = Vec::new();
    loop {
        match (old.next(), new.next()) {
            (None, None) => break,
            (a, b) if a == b => {}
            (a, b) => {
                lines.extend(a.map(|line| format!("    venv:  {line:?}")));
                lines.extend(b.map(|line| format!("    rvenv: {line:?}")));
            }
        }
    }
    lines.truncate(8);
    lines.join("\n")
}
