//! Reference trees that `python -m venv` created, kept below `target/`, because creating one with pip takes seconds.
//!
//! A reference depends on the interpreter (path, time and size of its file, and the wheels of its ensurepip), the arguments, the
//! variables and everything else that describes a case, the previous contents of the directories, and its path: such a test uses a
//! fixed one ([`TestEnv::fixed`]). In each run one random reference is recreated and compared. To recreate all of them, delete
//! `target/tmp/references`, or the directory that `RVENV_TEST_REFERENCES` names. References that were not used for two weeks are
//! deleted.

use std::{
    env,
    fmt::Write as _,
    path::{Path, PathBuf},
    process,
    sync::OnceLock,
    time::{Duration, SystemTime},
};

use fs_err as fs;
use sha2::{Digest as _, Sha256};

use crate::tree::{Tree, tree};
use crate::{
    env::{TestEnv, copy_tree},
    interpreters::Interpreter,
};

/// The result of `python -m venv` for a case.
pub(crate) struct Reference {
    pub(crate) path: PathBuf,
    pub(crate) made: SystemTime,
}

impl Reference {
    /// Whether `python -m venv` created this path, relative to the working directory.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.path.join(path).exists()
    }
}

/// Where references are kept: `RVENV_TEST_REFERENCES`, else below `target/`.
pub(crate) fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = env::var_os("RVENV_TEST_REFERENCES").map_or_else(
            || Path::new(env!("CARGO_TARGET_TMPDIR")).join("references"),
            PathBuf::from,
        );
        fs::create_dir_all(&folder).unwrap();
        delete_unused(&folder);
        folder
    })
}

/// Deletes the references that no run has used for two weeks.
fn delete_unused(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let age = entry.metadata().and_then(|metadata| metadata.modified());
        let age = age.map(|modified| modified.elapsed().unwrap_or_default());
        if age.is_ok_and(|age| age > Duration::from_hours(14 * 24)) {
            // Another process may be deleting it as well.
            let _ = fs::remove_dir_all(entry.path()).or_else(|_| fs::remove_file(entry.path()));
        }
    }
}

/// The name of a case's reference; the case's folders must be as they are before `python -m venv` runs.
pub(crate) fn name(env: &TestEnv, interpreter: &Interpreter, case: &str) -> String {
    let mut text = format!("{case}\n{}\n", env.root().display());
    let real = fs::canonicalize(&interpreter.executable).unwrap();
    let metadata = fs::metadata(&real).unwrap();
    let changed = metadata.modified().unwrap();
    let (real, size) = (real.display(), metadata.len());
    writeln!(text, "{real} {changed:?} {size}").unwrap();
    writeln!(text, "{:?}", interpreter.wheels()).unwrap();
    let before: [Tree; 2] = [env.work(), env.root().join("home")].map(|path| tree(&path));
    writeln!(text, "{before:?}").unwrap();
    hash(text.as_bytes())
}

/// The kept reference of this name.
pub(crate) fn kept(name: &str) -> Option<Reference> {
    let path = folder().join(name);
    let made = fs::metadata(path.join("made")).ok()?.modified().unwrap();
    // Record that it was used now.
    let used = fs::File::open(&path).unwrap();
    used.file().set_modified(SystemTime::now()).unwrap();
    Some(Reference {
        path: path.join("work"),
        made,
    })
}

/// Keeps a tree as the reference of this name, unless another process has just done so.
pub(crate) fn keep(name: &str, tree: &Path) {
    let stage = tempfile::Builder::new()
        .prefix("new-")
        .tempdir_in(folder())
        .unwrap();
    copy_tree(tree, &stage.path().join("work"));
    fs::write(stage.path().join("made"), "").unwrap();
    let path = folder().join(name);
    if path.exists() {
        fs::remove_dir_all(&path).unwrap();
    }
    if fs::rename(stage.path(), path).is_ok() {
        // It has been moved.
        let _ = stage.keep();
    }
}

/// Whether this one is the kept reference that is recreated in this run.
pub(crate) fn is_drawn(name: &str) -> bool {
    static DRAWN: OnceLock<Option<String>> = OnceLock::new();
    let drawn = DRAWN.get_or_init(|| {
        // All processes of a run select the same one.
        let run = env::var("NEXTEST_RUN_ID")
            .unwrap_or_else(|_| format!("{:?} {}", SystemTime::now(), process::id()));
        let entries = fs::read_dir(folder()).into_iter().flatten().flatten();
        let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
        names
            .filter(|name| !name.starts_with("new-") && !name.ends_with(".lock"))
            .min_by_key(|name| hash(format!("{run} {name}").as_bytes()))
    });
    drawn.as_deref() == Some(name)
}

/// A short name for a text.
pub(crate) fn hash(text: &[u8]) -> String {
    let digest = Sha256::digest(text);
    digest[..12].iter().fold(String::new(), |mut name, byte| {
        write!(name, "{byte:02x}").unwrap();
        name
    })
}
