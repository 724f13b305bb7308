//! Compares an environment of `python -m venv` with one of rvenv, and leaves out the differences that the README lists.

use std::{
    ffi::OsStr,
    fs::Metadata,
    os::unix::{ffi::OsStrExt as _, fs::MetadataExt as _},
    path::Path,
    time::{Duration, SystemTime},
};

use fs_err as fs;

use crate::{
    interpreters::Interpreter,
    oracle::{
        bytecode::{self, MadeBy},
        references::Reference,
    },
    tree::{Entry, Kind, Tree, whole_tree},
};

/// The differences between two trees that were created at the same path, each in one or more lines.
///
/// `actual` must still be where it was made. The differences that the README lists are none here:
/// the text of the activation scripts and more of them, and the last line of `pyvenv.cfg`.
pub(crate) fn differences(
    interpreter: &Interpreter,
    reference: &Reference,
    actual: &Path,
    made_by: MadeBy,
) -> Vec<String> {
    let Reference {
        path: reference,
        made,
    } = reference;
    let (expected, found) = (whole_tree(reference), whole_tree(actual));
    let mut lines = Vec::new();
    for (path, entry) in &expected {
        match found.get(path) {
            None if is_below(path, &found) => {}
            None => lines.push(format!(
                "- {} is missing: {}",
                show(path),
                entry.kind.name()
            )),
            Some(other) => compare((reference, *made), actual, path, (entry, other), &mut lines),
        }
    }
    for (path, entry) in &found {
        if expected.contains_key(path) || is_below(path, &expected) {
            continue;
        }
        if is_script(&expected, path) {
            extra_script(&expected, path, entry, &mut lines);
        } else {
            lines.push(format!(
                "+ {} is too much: {}",
                show(path),
                entry.kind.name()
            ));
        }
    }
    let compiled: Vec<_> = expected
        .iter()
        .filter(|(path, entry)| is_bytecode(path) && is_file(entry) && found.contains_key(*path))
        .map(|(path, _)| path.as_path())
        .collect();
    lines.extend(bytecode::differences(
        &interpreter.executable,
        reference,
        actual,
        made_by,
        &compiled,
    ));
    lines
}

/// Whether the parent of the path is missing in the other tree, which is already reported.
fn is_below(path: &Path, other: &Tree) -> bool {
    path.parent()
        .is_some_and(|folder| !other.contains_key(folder))
}

/// Compares one entry that both trees have.
fn compare(
    (reference, made): (&Path, SystemTime),
    actual: &Path,
    path: &Path,
    (expected, found): (&Entry, &Entry),
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
    if expected.kind != found.kind {
        let name = |entry: &Entry| entry.kind.name().to_owned();
        return differs("type", name(expected), name(found));
    }
    if expected.kind == Kind::Symlink {
        let target = |entry: &Entry| show(Path::new(OsStr::from_bytes(&entry.contents)));
        return differs("link target", target(expected), target(found));
    }
    differs("mode", mode(expected), mode(found));
    if !is_file(expected) {
        return;
    }
    let metadata = |root: &Path| fs::symlink_metadata(root.join(path)).unwrap();
    let (one, other) = (metadata(reference), metadata(actual));
    // An environment must share no inode with the cache or with another environment.
    let names = |m: &Metadata| format!("{} names for one inode", m.nlink());
    differs("hard links", names(&one), names(&other));
    // Timestamps from a wheel are years old; those of a Python's templates may be kept by both.
    let (expected_when, found_when) = (when(&one, made), when(&other, SystemTime::now()));
    if !(is_script_name(path) && found_when == "now") {
        differs("mtime", expected_when, found_when);
    }
    if is_bytecode(path) || is_script_name(path) && beside_configuration(reference, path) {
        return;
    }
    let (mut wanted, got) = (expected.contents.clone(), &found.contents);
    if path.ends_with("pyvenv.cfg") && wanted.starts_with(b"home = ") {
        wanted = configuration(&wanted, got).into_bytes();
    }
    if wanted != *got {
        lines.push(format!("~ {}: bytes\n{}", show(path), text(&wanted, got)));
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

/// The lines that rvenv adds to those of venv. Only rvenv writes whether a Python is a pre-release, so that is taken from its file.
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
        "version_info = {full}\npython-version = {minor}\n{}{}",
        signature(),
        request(rvenv)
    )
}

/// The line about installed requirements: two hashes, if it is there.
fn request(rvenv: &str) -> String {
    let said = rvenv
        .lines()
        .find_map(|line| line.strip_prefix("rvenv-request = "));
    let is_hash =
        |text: &str| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let said = said.filter(|said| said.split(' ').count() == 2 && said.split(' ').all(is_hash));
    said.map_or(String::new(), |said| format!("rvenv-request = {said}\n"))
}

/// The line in `pyvenv.cfg` by which rvenv identifies itself.
pub(crate) fn signature() -> String {
    format!("rvenv = {}\n", env!("CARGO_PKG_VERSION"))
}

/// Whether a file was written when the tree was created, or is older.
fn when(metadata: &Metadata, made: SystemTime) -> String {
    let age = made.duration_since(metadata.modified().unwrap());
    let age = age.unwrap_or_default();
    let fresh = age < Duration::from_hours(1);
    if fresh { "now" } else { "long ago" }.into()
}

/// An activation script that venv does not have must look like the one it has.
fn extra_script(expected: &Tree, path: &Path, found: &Entry, lines: &mut Vec<String>) {
    let sibling = &expected[&path.with_file_name("activate")];
    if (sibling.kind, sibling.mode) != (found.kind, found.mode) {
        let (kind, mode) = (found.kind.name(), mode(found));
        lines.push(format!("~ {}: {kind} {mode}", show(path)));
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

fn is_file(entry: &Entry) -> bool {
    entry.kind == Kind::File
}

fn mode(entry: &Entry) -> String {
    format!("{:04o}", entry.mode)
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
