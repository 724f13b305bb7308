//! The functions that parse untrusted input, for the fuzz targets in `fuzz/`. Compiled with `--cfg fuzzing` only.
//!
//! Each function must return for any input. If there is an inverse function, it is checked as well. This module is in
//! `cli` because `cli` may import every other module.
#![allow(
    missing_docs,
    clippy::missing_panics_doc,
    reason = "a panic is what fuzzing finds"
)]

use std::iter;
use std::path::{Path, PathBuf};

use fs_err as fs;

use crate::cli::argparse;
use crate::image::format::Image;
use crate::installed::{entry_points as scripts, record as records, relocate};
use crate::interpreter::request::Request;
use crate::interpreter::{pyvenv_cfg as configurations, shims as managers};
use crate::pip::requirements as files;
use crate::pip::wheel::archive::Archive;
use crate::pip::wheel::install::header;
use crate::repr;
use crate::sys::env::Env;

/// A directory for this process. The caller removes `TMPDIR`.
fn folder() -> PathBuf {
    let folder = std::env::temp_dir().join(format!("rvenv-fuzz-{}", std::process::id()));
    let _ = fs::create_dir(&folder);
    folder
}

/// A wheel: its names, its `RECORD` and each of its entries.
pub fn wheel(data: &[u8]) {
    let file = folder().join("demo-1.0-py3-none-any.whl");
    fs::write(&file, data).expect("a file can be written");
    let Ok(mut archive) = Archive::open(&file) else {
        return;
    };
    let names: Vec<_> = archive.entries().iter().map(|e| e.name.clone()).collect();
    for name in names {
        assert!(
            !name.starts_with('/') && name.split('/').all(|part| part != ".."),
            "{name:?}"
        );
        let _ = archive.text(&name);
    }
}

/// `RECORD`: parsing, rendering and parsing again gives the same rows.
pub fn record(data: &[u8]) {
    let Ok(mut rows) = records::read(data) else {
        return;
    };
    for row in &rows {
        let _ = row.verify(data);
    }
    let text = records::render(&mut rows);
    let again = records::read(text.as_bytes()).expect("what is rendered can be read");
    assert_eq!(again, rows);
}

/// `entry_points.txt`: no script is written outside of its directory.
pub fn entry_points(text: &str) {
    for point in scripts::read(text).into_iter().flatten() {
        let name = point.name;
        assert!(!name.contains(['/', '\\']) && name != "..", "{name:?}");
    }
}

/// The headers of `METADATA` and `WHEEL`.
pub fn metadata(text: &str) {
    for name in ["Name", "Version", "Root-Is-Purelib", "Wheel-Version"] {
        if let Some(value) = header(text, name) {
            assert!(!value.contains('\n'));
        }
    }
}

/// `pyvenv.cfg`, and the prompt in it.
pub fn configuration(text: &str) {
    for key in ["home", "prompt", "version", "include-system-site-packages"] {
        if let Some(value) = configurations::value(text, key) {
            assert_eq!(value, value.trim());
        }
    }
    let _ = repr::unrepr(text);
    let literal = repr::repr(text);
    assert!(!literal.contains(['\n', '\r']), "{literal:?}");
    assert_eq!(repr::unrepr(&literal).as_deref(), Some(text));
}

/// An image.
pub fn image(data: &[u8]) {
    let file = folder().join("image");
    fs::write(&file, data).expect("a file can be written");
    let _ = Image::open(fs::File::open(&file).expect("the file is there"));
}

/// Bytecode: both functions replace the path in the same places, and it can be restored.
pub fn bytecode(data: &[u8]) {
    const OLD: &str = "/build/x.py";
    const NEW: &str = "/somewhere/else/x.py";
    let Some((replaced, positions)) = relocate::bytecode::replace(data, OLD, NEW) else {
        return;
    };
    let mut strings = Vec::new();
    let pieces = relocate::bytecode::replace_at(&replaced, &positions, NEW, &mut strings)
        .expect("strings are where they were written");
    assert_eq!(pieces.concat(), replaced);
    let _ = relocate::bytecode::replace_at(data, &positions, NEW, &mut Vec::new());
}

/// A value of `-p`.
pub fn request(text: &str) {
    if let Ok(Request::Version(wanted)) = Request::parse(text) {
        let _ = (wanted.names(), wanted.may_have_any_minor());
    }
}

/// A requirements file that is read from another directory: it has the same number of lines, and includes have full
/// paths.
pub fn requirements(data: &[u8]) {
    let base = Path::new("/base");
    let once = files::with_paths(data, base);
    let lines = |text: &[u8]| text.iter().filter(|byte| **byte == b'\n').count();
    assert_eq!(lines(data), lines(&once));
    assert_eq!(files::with_paths(&once, base), once);
}

/// The files of version managers. `data` is a shim and then the files that select a version, separated by NUL.
pub fn shims(data: &[u8]) {
    let folder = folder();
    let shims = folder.join("shims");
    let _ = fs::create_dir(&shims);
    let names = [".python-version", ".tool-versions", "mise.toml"];
    let mut parts = data.split(|&byte| byte == 0);
    let python = shims.join("python3");
    fs::write(&python, parts.next().unwrap_or_default()).expect("a file can be written");
    for (name, part) in names.iter().zip(parts.chain(iter::repeat(&b""[..]))) {
        fs::write(folder.join(name), part).expect("a file can be written");
    }
    let mut environment = Env::default();
    environment.cwd = Some(folder);
    let _ = managers::resolve(&python, &environment);
    // mise's shims are links to mise.
    let link = shims.join("python");
    if fs::symlink_metadata(&link).is_err() {
        let _ = fs_err::os::unix::fs::symlink("/nowhere/mise", &link);
    }
    let _ = managers::resolve(&link, &environment);
}

/// The arguments before clap parses them, one per line.
pub fn arguments(text: &str) {
    let arguments = iter::once("rvenv").chain(text.lines());
    let _ = argparse::expand(arguments.map(Into::into));
}
