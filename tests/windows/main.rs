//! Windows: the real `python -m venv` and rvenv at the same path, and what they made compared; the
//! environments used through cmd. The Pythons are those of `RVENV_TEST_PYTHONS`, else of PATH.
//!
//! Symbolic links are left out: they need a privilege, and Wine reports success and makes none.
#![cfg(windows)]
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]
#![expect(clippy::print_stderr, reason = "a skipped check says so")]

mod faults; // what is in the way
mod oracle; // the real venv and rvenv at one path
mod shells; // cmd and PowerShell
mod tree; // the differences between two trees

use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::OnceLock,
};

use fs_err as fs;
use tempfile::TempDir;

/// Every Python to test with; in CI there must be some.
fn pythons() -> &'static [PathBuf] {
    static FOUND: OnceLock<Vec<PathBuf>> = OnceLock::new();
    FOUND.get_or_init(|| {
        let named =
            env::var_os("RVENV_TEST_PYTHONS").map(|paths| env::split_paths(&paths).collect());
        let found: Vec<PathBuf> = named.unwrap_or_else(|| {
            let path = env::var_os("PATH").unwrap_or_default();
            let on_path = env::split_paths(&path).map(|folder| folder.join("python.exe"));
            on_path.filter(|python| python.is_file()).take(1).collect()
        });
        if found.is_empty() {
            assert!(env::var_os("CI").is_none(), "missing in CI: a Python");
            eprintln!("skipped: no Python on this machine");
        }
        found
    })
}

/// A folder for one test, deleted after it.
struct Place {
    folder: TempDir,
    work: PathBuf,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("rvenv-").tempdir().unwrap();
        let work = folder.path().join("work");
        fs::create_dir(&work).unwrap();
        Self { folder, work }
    }

    fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        for (name, _) in env::vars_os() {
            let upper = name.to_string_lossy().to_ascii_uppercase();
            if ["PIP_", "PYTHON", "VIRTUAL_ENV", "RVENV_"]
                .iter()
                .any(|prefix| upper.starts_with(prefix))
            {
                command.env_remove(name);
            }
        }
        command
            .current_dir(&self.work)
            .env("RVENV_CACHE_DIR", self.folder.path().join("cache"));
        command
    }

    /// Runs `python -m venv` and then rvenv with the same arguments at the same place, as often as
    /// there are steps, and says what differs.
    fn compare(&self, python: &Path, steps: &[&[&str]]) -> Vec<String> {
        let reference = self.folder.path().join("reference");
        for path in [&reference, &self.work] {
            if path.exists() {
                fs::remove_dir_all(path).unwrap();
            }
        }
        fs::create_dir(&self.work).unwrap();
        for step in steps {
            succeeds(self.command(python).args(["-m", "venv"]).args(*step));
        }
        fs::rename(&self.work, &reference).unwrap();
        fs::create_dir(&self.work).unwrap();
        let mut lines = Vec::new();
        for step in steps {
            let output = self.rvenv(python).args(*step).output().unwrap();
            let silent = output.stdout.is_empty() && output.stderr.is_empty();
            if !(output.status.success() && silent) {
                lines.push(format!(
                    "{}: {}",
                    output.status,
                    String::from_utf8_lossy(&output.stderr)
                ));
            }
        }
        lines.extend(tree::differences(python, &reference, &self.work));
        lines.truncate(40);
        lines
            .iter()
            .map(|line| format!("{} {steps:?}: {line}", python.display()))
            .collect()
    }

    /// What is in the folder in which the commands run.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.work).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.collect()
    }

    fn rvenv(&self, python: &Path) -> Command {
        let mut command = self.command(env!("CARGO_BIN_EXE_rvenv"));
        command.arg("-p").arg(python);
        command
    }
}

#[track_caller]
fn succeeds(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}{}",
        output.status,
        text(&output.stdout),
        text(&output.stderr)
    );
    output
}

#[track_caller]
fn agree(lines: &[String]) {
    assert!(
        lines.is_empty(),
        "rvenv and venv differ:\n{}",
        lines.join("\n")
    );
}

/// Whether this is no real Windows.
fn is_wine() -> bool {
    Path::new(r"C:\windows\system32\winecfg.exe").exists()
}
