//! Windows: the real `python -m venv` and rvenv at the same path, and what they made compared; the
//! environments used through cmd. The Pythons are those of `RVENV_TEST_PYTHONS`, else of PATH.
//!
//! Symbolic links are left out: they need a privilege, and Wine reports success and makes none.
#![cfg(windows)]
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]
#![expect(clippy::print_stderr, reason = "a skipped check says so")]

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

#[test]
fn bare_environments_are_venvs() {
    let place = Place::new();
    let mut lines = Vec::new();
    for python in pythons() {
        let bare = "--without-pip";
        let cases: [&[&[&str]]; 11] = [
            &[&[bare, "env"]],
            &[&[bare, "--system-site-packages", "env"]],
            &[&[bare, "--copies", "env"]],
            &[&[bare, "--prompt", "it's", "env"]],
            &[&[bare, "with spaces in it"]],
            &[&[bare, r"below\folders\ünïcode"]],
            &[&[bare, "one", "two"]],
            &[&[bare, "a & b^c 50% of it!"]],
            &[&[bare, "env"], &[bare, "env"]],
            &[&[bare, "env"], &[bare, "--clear", "env"]],
            &[&[bare, "env"], &[bare, "--upgrade", "env"]],
        ];
        for steps in cases {
            lines.extend(place.compare(python, steps));
        }
    }
    agree(&lines);
}

#[test]
fn environments_with_pip_are_venvs() {
    let place = Place::new();
    let mut lines = Vec::new();
    for python in pythons() {
        let mut cases: Vec<&[&[&str]]> = vec![&[&["env"]]];
        if Some(python) == pythons().last() {
            // venv leaves the pip of the first step as it is; rvenv has it from its store by now.
            cases.push(&[&["--system-site-packages", "a folder & its ünïcode^! name"]]);
            cases.push(&[&["env"], &["--upgrade", "env"]]);
        }
        for steps in cases {
            lines.extend(place.compare(python, steps));
            for entry in fs::read_dir(&place.work).unwrap() {
                let site_packages = entry.unwrap().path().join("Lib").join("site-packages");
                lines.extend(tree::wrong_hashes(&site_packages));
            }
        }
    }
    agree(&lines);
}

#[test]
fn both_producers_make_the_same() {
    let place = Place::new();
    let mut lines = Vec::new();
    for python in pythons() {
        succeeds(
            place
                .rvenv(python)
                .args(["--no-cache", "--seeder", "wheel", "env"]),
        );
        let reference = place.folder.path().join("wheel");
        if reference.exists() {
            fs::remove_dir_all(&reference).unwrap();
        }
        fs::rename(place.work.join("env"), &reference).unwrap();
        succeeds(
            place
                .rvenv(python)
                .args(["--no-cache", "--seeder", "ensurepip", "env"]),
        );
        lines.extend(tree::differences(
            python,
            &reference,
            &place.work.join("env"),
        ));
        fs::remove_dir_all(place.work.join("env")).unwrap();
    }
    agree(&lines);
}

/// All of a console script but its time is compared elsewhere; where that is given, all of it is.
#[test]
fn console_scripts_are_pips_to_the_byte() {
    const EPOCH: (&str, &str) = ("SOURCE_DATE_EPOCH", "1700000000");
    let place = Place::new();
    for python in pythons() {
        let scripts = || {
            let folder = fs::read_dir(place.work.join("env").join("Scripts")).unwrap();
            let files = folder.map(|entry| entry.unwrap().path());
            let programs = files.filter(|path| path.extension().is_some_and(|end| end == "exe"));
            programs
                .map(|path| (path.clone(), fs::read(path).unwrap()))
                .collect::<std::collections::BTreeMap<_, _>>()
        };
        let mut venv = place.command(python);
        succeeds(
            venv.args(["-m", "venv", "--clear", "env"])
                .env(EPOCH.0, EPOCH.1),
        );
        let expected = scripts();
        assert!(expected.len() >= 5, "{:?}", expected.keys());
        succeeds(
            place
                .rvenv(python)
                .args(["--clear", "env"])
                .env(EPOCH.0, EPOCH.1),
        );
        let found = scripts();
        assert!(expected.keys().eq(found.keys()), "{:?}", found.keys());
        for (path, contents) in expected {
            assert!(found[&path] == contents, "{} differs", path.display());
        }
    }
}

#[test]
fn python_and_pip_of_the_environment_run() {
    let place = Place::new();
    for python in pythons() {
        succeeds(place.rvenv(python).args(["--clear", "env"]));
        let scripts = place.work.join("env").join("Scripts");
        let script = "import sys; print(sys.prefix); print(sys.prefix != sys.base_prefix)";
        let output = succeeds(
            place
                .command(scripts.join("python.exe"))
                .args(["-c", script]),
        );
        let text = String::from_utf8(output.stdout).unwrap();
        let mut said = text.lines();
        let prefix = said.next().unwrap().to_lowercase();
        assert_eq!(
            prefix,
            place.work.join("env").to_str().unwrap().to_lowercase()
        );
        assert_eq!(said.next(), Some("True"));
        let output = succeeds(place.command(scripts.join("pip.exe")).arg("--version"));
        assert!(output.stdout.starts_with(b"pip "), "{output:?}");
    }
}

#[test]
fn what_is_read_only_is_cleared() {
    let place = Place::new();
    let Some(python) = pythons().last() else {
        return;
    };
    succeeds(place.rvenv(python).args(["--without-pip", "env"]));
    let folder = place.work.join("env").join("read only");
    fs::create_dir(&folder).unwrap();
    let file = folder.join("file");
    fs::write(&file, "old").unwrap();
    let mut permissions = fs::metadata(&file).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&file, permissions).unwrap();
    let output = succeeds(
        place
            .rvenv(python)
            .args(["--without-pip", "--clear", "env"]),
    );
    assert!(output.stderr.is_empty(), "{output:?}");
    assert!(!folder.exists());
    assert_eq!(place.names(), ["env"]);
}

/// Windows refuses to move what runs; Wine does not. Either way there is an environment afterwards that works.
#[test]
fn a_python_that_runs_costs_no_environment() {
    let place = Place::new();
    let Some(python) = pythons().last() else {
        return;
    };
    succeeds(place.rvenv(python).args(["--without-pip", "env"]));
    let mine = place.work.join("env").join("Lib").join("mine.py");
    fs::write(&mine, "").unwrap();
    let own = place.work.join("env").join("Scripts").join("python.exe");
    let script = "print('up', flush=True); input()";
    let mut command = place.command(&own);
    let mut running = command
        .args(["-c", script])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let mut up = [0; 2];
    std::io::Read::read_exact(running.stdout.as_mut().unwrap(), &mut up).unwrap();
    for option in ["--clear", "--upgrade"] {
        let output = place
            .rvenv(python)
            .args(["--without-pip", option, "env"])
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        if !output.status.success() {
            assert!(text.contains("end the programs"), "{option}: {text}");
            assert!(mine.exists(), "{option}: {text}");
        }
        succeeds(place.command(&own).args(["-c", "import sys"]));
    }
    drop(running.stdin.take());
    running.wait().unwrap();
    // What could not be deleted while it ran goes with the next run.
    succeeds(
        place
            .rvenv(python)
            .args(["--without-pip", "--clear", "env"]),
    );
    assert_eq!(place.names(), ["env"]);
}

/// The links themselves cannot be shown where the system makes none; that copies stand in for them can.
#[test]
fn where_links_cannot_be_made_copies_are() {
    let place = Place::new();
    for python in pythons() {
        let arguments = ["--without-pip", "--symlinks", "--clear", "env"];
        let output = succeeds(place.rvenv(python).args(arguments));
        let own = place.work.join("env").join("Scripts").join("python.exe");
        let is_link = fs::symlink_metadata(&own).unwrap().is_symlink();
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(text.contains("Unable to symlink"), !is_link, "{text}");
        let script = "import sys; sys.exit(sys.prefix == sys.base_prefix)";
        succeeds(place.command(&own).args(["-c", script]));
    }
}

#[test]
fn a_path_may_be_longer_than_windows_once_allowed() {
    let place = Place::new();
    let Some(python) = pythons().last() else {
        return;
    };
    let long: PathBuf = (0..6).map(|_| "a".repeat(50)).collect();
    let output = place
        .rvenv(python)
        .arg("--without-pip")
        .arg(&long)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(place.work.join(&long).join("pyvenv.cfg").exists());
}

fn is_wine() -> bool {
    Path::new(r"C:\windows\system32\winecfg.exe").exists()
}

#[test]
fn cmd_activates_and_deactivates() {
    let place = Place::new();
    // Names that cmd would take for its own if they were not quoted.
    for name in [
        "env",
        "with spaces",
        "a & b",
        "50% of it",
        "wow!",
        "(x86)",
        "a^b",
    ] {
        if name.contains('%') && is_wine() {
            eprintln!("skipped: Wine's cmd expands what it has just expanded once more");
            continue;
        }
        let Some(python) = pythons().last() else {
            return;
        };
        succeeds(place.rvenv(python).args(["--without-pip", name]));
        let in_batch = name.replace('%', "%%");
        // Not `call` of the whole path: it would expand what is between two percent signs once more.
        let batch = format!(
            "@echo off\r\nset PROMPT=before\r\npushd \"{in_batch}\\Scripts\"\r\ncall activate.bat\r\npopd\r\n\
             set VIRTUAL_ENV\r\npython -c \"import sys; print(sys.prefix)\"\r\n\
             call deactivate\r\nif defined VIRTUAL_ENV echo left\r\nset PROMPT\r\n"
        );
        fs::write(place.work.join("activate and back.bat"), batch).unwrap();
        let output = succeeds(
            place
                .command("cmd")
                .args(["/d", "/c", "activate and back.bat"]),
        );
        let text = String::from_utf8(output.stdout).unwrap();
        let env = place.work.join(name);
        let env = env.to_str().unwrap();
        let lines: Vec<_> = text.lines().map(str::trim_end).collect();
        let expected = [
            format!("VIRTUAL_ENV={env}"),
            format!("VIRTUAL_ENV_PROMPT={name}"),
            env.to_owned(),
            "PROMPT=before".to_owned(),
        ];
        assert!(
            lines
                .iter()
                .map(|l| l.to_lowercase())
                .eq(expected.iter().map(|l| l.to_lowercase())),
            "{name}: {lines:#?}\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

#[test]
fn what_is_no_python_is_refused() {
    let place = Place::new();
    let file = place.work.join("python.exe");
    fs::write(&file, "no program").unwrap();
    let output = place.rvenv(&file).arg("env").output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("python.exe"),
        "{output:?}"
    );
    assert!(!place.work.join("env").exists());
}
