//! The directory and the Pythons of a test on Windows, and the comparison with `python -m venv`.

use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::OnceLock,
};

use fs_err as fs;
use tempfile::TempDir;

use crate::{differences, harness::Case};

/// Every Python to test with.
pub(crate) fn pythons() -> &'static [PathBuf] {
    static FOUND: OnceLock<Vec<PathBuf>> = OnceLock::new();
    FOUND.get_or_init(|| {
        let named =
            env::var_os("RVENV_TEST_PYTHONS").map(|paths| env::split_paths(&paths).collect());
        let found: Vec<PathBuf> = named.unwrap_or_else(|| {
            let path = env::var_os("PATH").unwrap_or_default();
            let on_path = env::split_paths(&path).map(|folder| folder.join("python.exe"));
            on_path.filter(|python| python.is_file()).take(1).collect()
        });
        found
    })
}

/// A folder for one test, deleted after it.
pub(crate) struct Place {
    pub(crate) folder: TempDir,
    pub(crate) work: PathBuf,
}

impl Place {
    pub(crate) fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("rvenv-").tempdir().unwrap();
        let work = folder.path().join("work");
        fs::create_dir(&work).unwrap();
        Self { folder, work }
    }

    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
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
    pub(crate) fn compare(&self, python: &Path, steps: &[&[&str]]) -> Vec<String> {
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
        lines.extend(differences::differences(python, &reference, &self.work));
        lines.truncate(40);
        lines
            .iter()
            .map(|line| format!("{} {steps:?}: {line}", python.display()))
            .collect()
    }

    /// The names in the directory in which the commands run.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.work).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.collect()
    }

    pub(crate) fn rvenv(&self, python: &Path) -> Command {
        let mut command = self.command(env!("CARGO_BIN_EXE_rvenv"));
        command.arg("-p").arg(python);
        command
    }
}

/// The newest Python.
pub(crate) fn newest() -> &'static Path {
    let newest = pythons().last();
    newest.expect("a Python must be installed or named")
}

/// A trial with each Python.
pub(crate) fn each() -> Vec<Case<&'static Path>> {
    let cases = pythons().iter().enumerate().map(|(index, python)| Case {
        label: format!("python{index}"),
        value: python.as_path(),
        skip: None,
    });
    cases.collect()
}

#[track_caller]
pub(crate) fn succeeds(command: &mut Command) -> Output {
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
pub(crate) fn agree(lines: &[String]) {
    assert!(
        lines.is_empty(),
        "rvenv and venv differ:\n{}",
        lines.join("\n")
    );
}

/// Whether this is Wine instead of Windows.
pub(crate) fn is_wine() -> bool {
    Path::new(r"C:\windows\system32\winecfg.exe").exists()
}
