//! Compares an environment of `python -m venv` with one of rvenv, and leaves out the differences that the README lists: the
//! activation scripts, and the last lines of `pyvenv.cfg`.

use std::{ffi::OsStr, path::Path};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fs_err as fs;
use sha2::{Digest as _, Sha256};

use crate::{
    bytecode::{self, MadeBy},
    tree::{Kind, whole_tree},
};

/// The differences, one line each. Both trees were created at `actual`, and `reference` was moved away.
pub(crate) fn differences(python: &Path, reference: &Path, actual: &Path) -> Vec<String> {
    let (expected, found) = (whole_tree(reference), whole_tree(actual));
    let mut lines = Vec::new();
    for path in found.keys() {
        if !expected.contains_key(path) && !is_script(path) {
            lines.push(format!("+ {} is too much", path.display()));
        }
    }
    let mut compiled = Vec::new();
    for (path, old) in &expected {
        let Some(new) = found.get(path) else {
            lines.push(format!("- {} is missing", path.display()));
            continue;
        };
        if old.kind != new.kind {
            let (old, new) = (old.kind.name(), new.kind.name());
            lines.push(format!("~ {}: {old} and {new}", path.display()));
        } else if old.kind != Kind::File || is_script(path) {
        } else if path.extension().is_some_and(|extension| extension == "pyc") {
            compiled.push(path.as_path());
        } else if contents(path, &old.contents) != contents(path, &new.contents) {
            lines.push(format!("~ {}: bytes", path.display()));
            lines.extend(first_lines(&old.contents, &new.contents));
        }
    }
    let made_by = MadeBy::Rvenv;
    lines.extend(bytecode::differences(
        python, reference, actual, made_by, &compiled,
    ));
    lines
}

/// The bytes of a file, without those that may differ.
fn contents(path: &Path, bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if path.ends_with("pyvenv.cfg") {
        // The Pythons are final versions.
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let version = text
            .lines()
            .find_map(|line| line.strip_prefix("version = "));
        let version = version.unwrap_or_default().trim_end();
        let minor = version.rsplit_once('.').map_or("", |(minor, _)| minor);
        let signature = format!(
            "version_info = {version}.final.0\r\npython-version = {minor}\r\nrvenv = {}\r\n",
            env!("CARGO_PKG_VERSION")
        );
        if bytes.ends_with(signature.as_bytes()) {
            bytes.truncate(bytes.len() - signature.len());
        }
    } else if path.extension().is_some_and(|extension| extension == "exe") {
        // A console script is a launcher, a shebang and a zip archive that holds the time it was made at. With
        // SOURCE_DATE_EPOCH all of it is compared, in `console_scripts_are_pips_to_the_byte`.
        for (signature, time) in [(b"PK\x03\x04", 10), (b"PK\x01\x02", 12)] {
            if let Some(at) = bytes.windows(4).rposition(|window| window == signature) {
                bytes[at + time..at + time + 4].fill(0);
            }
        }
    }
    if path.ends_with("RECORD") {
        bytes = without_hashes_of_programs(&bytes);
    }
    bytes
}

/// A RECORD without the hashes of console scripts, which differ each time.
fn without_hashes_of_programs(record: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(record);
    let rows =
        text.split_inclusive("\r\n")
            .map(|row| match row.split(',').collect::<Vec<_>>()[..] {
                [path, _, size] if path.ends_with(".exe") && path.starts_with("../") => {
                    format!("{path},{size}")
                }
                _ => row.to_owned(),
            });
    rows.collect::<String>().into_bytes()
}

/// The console scripts whose hash in RECORD is wrong.
pub(crate) fn wrong_hashes(site_packages: &Path) -> Vec<String> {
    let mut wrong = Vec::new();
    for (path, entry) in whole_tree(site_packages) {
        if !path.ends_with("RECORD") {
            continue;
        }
        let record = String::from_utf8(entry.contents).unwrap();
        for row in record.lines() {
            let [path, hash, size] = row.split(',').collect::<Vec<_>>()[..] else {
                panic!("{row}");
            };
            if path.ends_with(".exe") && path.starts_with("../") {
                let program = fs::read(site_packages.join(path)).unwrap();
                let digest = URL_SAFE_NO_PAD.encode(Sha256::digest(&program));
                if hash != format!("sha256={digest}") || size != program.len().to_string() {
                    wrong.push(row.to_owned());
                }
            }
        }
    }
    wrong
}

/// The first line in which two texts differ, from each.
fn first_lines(old: &[u8], new: &[u8]) -> Vec<String> {
    let (old, new) = (String::from_utf8_lossy(old), String::from_utf8_lossy(new));
    let pair = old
        .split('\n')
        .zip(new.split('\n'))
        .find(|(old, new)| old != new);
    let Some((old, new)) = pair else {
        return vec![format!("    {} and {} bytes", old.len(), new.len())];
    };
    let shown = |text: &str| text.chars().take(200).collect::<String>();
    vec![
        format!("    venv:  {:?}", shown(old)),
        format!("    rvenv: {:?}", shown(new)),
    ]
}

fn is_script(path: &Path) -> bool {
    let name = path
        .file_name()
        .and_then(OsStr::to_str)
        .unwrap_or("")
        .to_ascii_lowercase();
    let in_scripts = path
        .parent()
        .is_some_and(|folder| folder.ends_with("Scripts"));
    in_scripts && (name.starts_with("activate") || name.starts_with("deactivate"))
}
