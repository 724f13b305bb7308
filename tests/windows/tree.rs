//! The differences between the tree that `python -m venv` made and the one that rvenv made. The
//! ones that the README lists are none: the activation scripts, and the last line of `pyvenv.cfg`.

use std::{
    collections::BTreeSet,
    ffi::OsStr,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fs_err as fs;
use sha2::{Digest as _, Sha256};
use walkdir::WalkDir;

/// What differs, one line each. Both trees were made at `actual`, and `reference` was moved away.
pub(crate) fn differences(python: &Path, reference: &Path, actual: &Path) -> Vec<String> {
    let (expected, found) = (entries(reference), entries(actual));
    let mut lines = Vec::new();
    for path in expected.difference(&found) {
        lines.push(format!("- {} is missing", path.display()));
    }
    for path in found.difference(&expected) {
        if !is_script(path) {
            lines.push(format!("+ {} is too much", path.display()));
        }
    }
    let mut compiled = Vec::new();
    for path in expected.intersection(&found) {
        let (old, new) = (reference.join(path), actual.join(path));
        if old.is_dir() != new.is_dir() {
            lines.push(format!("~ {}: file and folder", path.display()));
        } else if old.is_dir() || is_script(path) {
        } else if path.extension().is_some_and(|extension| extension == "pyc") {
            compiled.push(path.to_str().unwrap());
        } else if contents(path, &old) != contents(path, &new) {
            lines.push(format!("~ {}: bytes", path.display()));
            lines.extend(first_lines(&old, &new));
        }
    }
    lines.extend(bytecode(python, reference, actual, &compiled));
    lines
}

/// Everything below a folder.
fn entries(root: &Path) -> BTreeSet<PathBuf> {
    let entries = WalkDir::new(root).into_iter();
    entries
        .map(|entry| entry.unwrap().path().strip_prefix(root).unwrap().to_owned())
        .collect()
}

/// A file's bytes, without what may differ.
fn contents(path: &Path, file: &Path) -> Vec<u8> {
    let mut bytes = fs::read(file).unwrap();
    if path.ends_with("pyvenv.cfg") {
        // Its Pythons are final versions.
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

/// A RECORD without the hashes of console scripts, which differ as often as these are made.
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

/// The console scripts whose hash in RECORD is not theirs.
pub(crate) fn wrong_hashes(site_packages: &Path) -> Vec<String> {
    let mut wrong = Vec::new();
    for path in entries(site_packages) {
        if !path.ends_with("RECORD") {
            continue;
        }
        let record = fs::read_to_string(site_packages.join(path)).unwrap();
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
fn first_lines(old: &Path, new: &Path) -> Vec<String> {
    let (old, new) = (fs::read(old).unwrap(), fs::read(new).unwrap());
    let (old, new) = (String::from_utf8_lossy(&old), String::from_utf8_lossy(&new));
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

/// What differs in the compiled files, which their own Python compares: equal code need not be equal bytes.
fn bytecode(python: &Path, reference: &Path, actual: &Path, files: &[&str]) -> Vec<String> {
    if files.is_empty() {
        return Vec::new();
    }
    let mut child = Command::new(python)
        .args(["-I", "-S", "-c", include_str!("../it/oracle/bytecode.py")])
        .args([reference, actual])
        .arg("rvenv") // What made the tree that is judged.
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(files.join("\0").as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "bytecode.py: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let answer = String::from_utf8(output.stdout).unwrap();
    let mut lines: Vec<_> = answer.lines().map(str::to_owned).collect();
    let last = lines.pop().unwrap();
    assert_eq!(last, format!("{} files", files.len()), "a file was skipped");
    lines
}
