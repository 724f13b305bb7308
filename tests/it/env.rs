//! `TestEnv`: a temporary directory, clean environment variables, and runs of programs whose exit status, stdout and stderr
//! are all checked.
//!
//! A run is described first. The last method runs it and checks everything:
//!
//! ```ignore
//! let env = TestEnv::new();
//! env.rvenv_for(newest(), ["--without-pip", "env"]).succeeds(); // status 0, no output
//! env.run(env.at("env/bin/python"), ["-c", "print(1)"]).prints("1\n");
//! env.rvenv(["-p", "3.99", "env"]).errs(&["3.99"]); // status 1, and one `Error: …` with this text
//! env.holds_only(["env"]); // and no other files
//! ```
//!
//! A run does not inherit the variables of this process; `var` and `shared_cache` add some. `start` returns a running process, which can
//! be interrupted.

use std::{
    collections::BTreeMap,
    env,
    ffi::{OsStr, OsString},
    fmt::Write as _,
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Mutex, OnceLock, PoisonError},
    thread,
    time::{Duration, UNIX_EPOCH},
};

use fs_err as fs;
use rustix::process::{Pid, Signal};
use tempfile::TempDir;

use crate::{harness, interpreters::Interpreter, oracle::Oracle, oracle::references};

/// Where programs other than rvenv and the Pythons under test are found.
pub(crate) const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// The directories of one test: `work` (the current directory of the programs), `home`, `tmp` and others that the test creates.
pub(crate) struct TestEnv {
    root: PathBuf,
    _folder: TempDir,
    /// Held if the path is a fixed one.
    lock: Option<fs::File>,
}

impl TestEnv {
    pub(crate) fn new() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("rvenv-it-")
            .tempdir_in(test_folder().0)
            .unwrap();
        Self::with(folder, None)
    }

    /// Directories at the same path in every run of this trial, for references that are kept.
    pub(crate) fn fixed() -> Self {
        let references = references::folder();
        let trial = format!("{} {}", references.display(), harness::trial());
        let name = format!("rvenv-it-{}", &references::hash(trial.as_bytes())[..12]);
        let root = test_folder().0.join(&name);
        // Another process may run the same trial.
        let lock = fs::File::create(references.join(format!("{name}.lock"))).unwrap();
        lock.file().lock().unwrap();
        let _ = fs::remove_dir_all(&root);
        let folder = tempfile::Builder::new()
            .prefix(&name)
            .rand_bytes(0)
            .tempdir_in(test_folder().0);
        Self::with(folder.unwrap(), Some(lock))
    }

    /// Whether these folders have the same path in every run.
    pub(crate) fn is_fixed(&self) -> bool {
        self.lock.is_some()
    }

    fn with(folder: TempDir, lock: Option<fs::File>) -> Self {
        // On macOS /var is a link to /private/var, and Pythons use the path that they are given.
        let root = fs::canonicalize(folder.path()).unwrap();
        for name in ["work", "home", "tmp"] {
            fs::create_dir(root.join(name)).unwrap();
        }
        Self {
            root,
            _folder: folder,
            lock,
        }
    }

    /// The folder that holds `work`, `home` and `tmp`.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The current directory of the programs. The oracle compares all of it.
    pub(crate) fn work(&self) -> PathBuf {
        self.root.join("work")
    }

    /// A path in `work`.
    pub(crate) fn at(&self, path: impl AsRef<Path>) -> PathBuf {
        self.work().join(path)
    }

    /// Empties `work`.
    pub(crate) fn reset(&self) {
        fs::remove_dir_all(self.work()).unwrap();
        fs::create_dir(self.work()).unwrap();
    }

    /// Empties TMPDIR.
    pub(crate) fn empty_tmp(&self) {
        let tmp = self.root.join("tmp");
        fs::remove_dir_all(&tmp).unwrap();
        fs::create_dir(&tmp).unwrap();
    }

    /// A run of rvenv.
    pub(crate) fn rvenv<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Run<'_> {
        self.run(program(), args)
    }

    /// A run of rvenv for one Python.
    pub(crate) fn rvenv_for<A: AsRef<OsStr>>(
        &self,
        interpreter: &Interpreter,
        args: impl IntoIterator<Item = A>,
    ) -> Run<'_> {
        let mut run = self.rvenv([OsStr::new("-p"), interpreter.executable.as_os_str()]);
        run.args.extend(args.into_iter().map(|a| a.as_ref().into()));
        run
    }

    /// A run of any program.
    pub(crate) fn run<A: AsRef<OsStr>>(
        &self,
        program: impl AsRef<OsStr>,
        args: impl IntoIterator<Item = A>,
    ) -> Run<'_> {
        Run {
            env: self,
            program: program.as_ref().into(),
            args: args.into_iter().map(|a| a.as_ref().into()).collect(),
            cwd: self.work(),
            umask: 0o022,
            vars: BTreeMap::new(),
        }
    }

    /// A comparison with `python -m venv` of one Python.
    pub(crate) fn oracle<'a>(&'a self, interpreter: &'a Interpreter) -> Oracle<'a> {
        Oracle::new(self, interpreter)
    }

    /// Fails unless `work` contains exactly these names and `tmp` is empty.
    #[track_caller]
    pub(crate) fn holds_only<const N: usize>(&self, names: [&str; N]) {
        assert_eq!(listing(&self.work()), names, "in {}", self.work().display());
        self.left_nothing_in_tmp();
    }

    /// Fails if a run left something in TMPDIR.
    #[track_caller]
    pub(crate) fn left_nothing_in_tmp(&self) {
        assert_eq!(listing(&self.root.join("tmp")), [""; 0], "left in TMPDIR");
    }
}

/// The program under test: Cargo's, unless `RVENV_TEST_PROGRAM` names another build of it.
pub(crate) fn program() -> OsString {
    env::var_os("RVENV_TEST_PROGRAM").unwrap_or_else(|| env!("CARGO_BIN_EXE_rvenv").into())
}

/// Where test directories are created, and why: `RVENV_TEST_TMPDIR`; or else a tmpfs if it has enough space and is not mounted
/// noexec, because thousands of environments would mostly wait for a disk; or else the system's temporary directory.
pub(crate) fn test_folder() -> (&'static Path, &'static str) {
    static FOLDER: OnceLock<(PathBuf, &str)> = OnceLock::new();
    let (folder, why) = FOLDER.get_or_init(|| {
        if let Some(folder) = env::var_os("RVENV_TEST_TMPDIR") {
            return (folder.into(), "RVENV_TEST_TMPDIR");
        }
        let memory = PathBuf::from("/dev/shm");
        if cfg!(target_os = "linux") && has_room(&memory) && starts_programs(&memory) {
            sweep(&memory);
            return (memory, "memory; RVENV_TEST_TMPDIR names another");
        }
        (env::temp_dir(), "RVENV_TEST_TMPDIR names another")
    });
    (folder, why)
}

/// Whether there is enough space for the tests that run at the same time on a few processors.
fn has_room(folder: &Path) -> bool {
    const ROOM: u64 = 2 << 30;
    rustix::fs::statvfs(folder).is_ok_and(|of| of.f_bavail * of.f_frsize >= ROOM)
}

/// Whether programs in a directory can be executed.
fn starts_programs(folder: &Path) -> bool {
    let Ok(place) = tempfile::Builder::new()
        .prefix("rvenv-it-")
        .tempdir_in(folder)
    else {
        return false;
    };
    let program = place.path().join("true");
    let copied = fs::copy("/bin/true", &program);
    copied.is_ok() && Command::new(program).status().is_ok_and(|s| s.success())
}

/// Removes directories of killed tests.
fn sweep(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let age = entry.metadata().and_then(|m| m.modified());
        let age = age.map(|modified| modified.elapsed().unwrap_or_default());
        let ours = entry.file_name().to_string_lossy().starts_with("rvenv-it-");
        if ours && age.is_ok_and(|age| age > Duration::from_hours(6)) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// A cache that all tests share, whichever process they run in, so that each Python's pip is prepared once.
pub(crate) fn shared_cache() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        // A name for each build of the program, as it must not use images of another build.
        let built = fs::metadata(program()).unwrap().modified().unwrap();
        let built = built.duration_since(UNIX_EPOCH).unwrap().as_nanos();
        let (parent, name) = (
            Path::new(env!("CARGO_TARGET_TMPDIR")),
            format!("store-{built}"),
        );
        for old in fs::read_dir(parent).into_iter().flatten().flatten() {
            let (old, path) = (old.file_name().into_string().unwrap(), old.path());
            if old.starts_with("store-") && old != name {
                // Another process may be doing the same.
                let _ = fs::remove_dir_all(path);
            }
        }
        parent.join(name)
    })
}

/// Creates a separate cache for one test that contains the facts and the image of pip for a Python. It is a copy, as preparing pip
/// takes seconds.
pub(crate) fn filled_cache(env: &TestEnv, interpreter: &Interpreter) -> PathBuf {
    static LOCK: Mutex<()> = Mutex::new(());
    let name = references::hash(interpreter.executable.as_os_str().as_encoded_bytes());
    let original = shared_cache().join(format!("filled-{}", &name[..12]));
    {
        fs::create_dir_all(shared_cache()).unwrap();
        // Another thread or process may be creating it.
        let _threads = LOCK.lock().unwrap_or_else(PoisonError::into_inner);
        let lock = fs::File::create(original.with_added_extension("lock")).unwrap();
        lock.file().lock().unwrap();
        if !original.exists() {
            let stage = original.with_added_extension("new");
            let run = env.rvenv_for(interpreter, ["--warm-cache"]);
            let outcome = run.var("RVENV_CACHE_DIR", &stage).outcome();
            outcome.expect_code(0);
            fs::rename(stage, &original).unwrap();
        }
    }
    let cache = env.root().join("cache");
    copy_tree(&original, &cache);
    cache
}

/// Copies a directory with modes, times and links.
pub(crate) fn copy_tree(from: &Path, to: &Path) {
    let mut copy = Command::new("cp");
    let status = copy.arg("-a").args([from, to]).status();
    assert!(status.unwrap().success());
}

/// The folder in a cache folder that is rvenv's own.
pub(crate) fn store(cache: &Path) -> PathBuf {
    cache.join("rvenv-v1")
}

/// The names in a folder, sorted.
pub(crate) fn listing(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// A run of a program: described by its first methods, started and checked by the last one.
#[must_use = "nothing runs until the outcome is judged"]
pub(crate) struct Run<'a> {
    env: &'a TestEnv,
    program: OsString,
    args: Vec<OsString>,
    cwd: PathBuf,
    umask: u32,
    vars: BTreeMap<OsString, OsString>,
}

impl Run<'_> {
    pub(crate) fn cwd(mut self, cwd: impl AsRef<Path>) -> Self {
        self.cwd = self.env.work().join(cwd);
        self
    }

    pub(crate) fn umask(mut self, umask: u32) -> Self {
        self.umask = umask;
        self
    }

    pub(crate) fn var(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.vars
            .insert(name.as_ref().into(), value.as_ref().into());
        self
    }

    pub(crate) fn vars<'v>(self, vars: impl IntoIterator<Item = &'v (OsString, OsString)>) -> Self {
        vars.into_iter()
            .fold(self, |run, (name, value)| run.var(name, value))
    }

    /// Uses the cache that most tests share, so that only the first run is slow.
    pub(crate) fn shared_cache(self) -> Self {
        self.var("RVENV_CACHE_DIR", shared_cache())
    }

    /// Runs it and returns the outcome, unchecked.
    pub(crate) fn outcome(self) -> Outcome {
        self.start().finish()
    }

    /// Starts it, to be interrupted.
    pub(crate) fn start(self) -> Started {
        // The umask is a property of the process, so a shell sets it.
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", r#"umask "$0" && exec "$@""#])
            .arg(format!("{:03o}", self.umask))
            .arg(&self.program)
            .args(&self.args);
        let child = command
            .current_dir(&self.cwd)
            .env_clear()
            .env("PATH", PATH)
            .env("LC_ALL", "C.UTF-8")
            .env("HOME", self.env.root.join("home"))
            .env("XDG_CACHE_HOME", self.env.root.join("home/.cache"))
            .env("TMPDIR", self.env.root.join("tmp"))
            .envs(&self.vars)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = self.program.to_string_lossy().into_owned();
        for arg in &self.args {
            write!(line, " {}", arg.to_string_lossy()).unwrap();
        }
        Started { line, child }
    }

    /// Exit status 0, nothing on stdout, nothing on stderr.
    #[track_caller]
    pub(crate) fn succeeds(self) {
        self.prints("");
    }

    /// Exit status 0, this on stdout, nothing on stderr.
    #[track_caller]
    pub(crate) fn prints(self, stdout: &str) {
        let outcome = self.outcome();
        outcome.expect_code(0);
        assert_eq!(outcome.stdout, stdout, "{outcome}");
        assert_eq!(outcome.stderr, "", "{outcome}");
    }

    /// Exit status 0, nothing on stderr; hands back stdout.
    #[track_caller]
    pub(crate) fn stdout(self) -> String {
        let outcome = self.outcome();
        outcome.expect_code(0);
        assert_eq!(outcome.stderr, "", "{outcome}");
        outcome.stdout
    }

    /// This exit status, nothing on stdout, and all these texts on stderr.
    #[track_caller]
    pub(crate) fn fails(self, code: i32, texts: &[&str]) {
        let outcome = self.outcome();
        outcome.expect_code(code);
        assert_eq!(outcome.stdout, "", "{outcome}");
        for text in texts {
            assert!(outcome.stderr.contains(text), "no {text:?} in\n{outcome}");
        }
    }

    /// Exit status 1, nothing on stdout, and one `Error: …` on stderr with all these texts.
    #[track_caller]
    pub(crate) fn errs(self, texts: &[&str]) {
        let outcome = self.outcome();
        outcome.expect_code(1);
        assert_eq!(outcome.stdout, "", "{outcome}");
        assert!(outcome.stderr.starts_with("Error: "), "{outcome}");
        assert_eq!(outcome.stderr.matches("Error: ").count(), 1, "{outcome}");
        for text in texts {
            assert!(outcome.stderr.contains(text), "no {text:?} in\n{outcome}");
        }
    }
}

/// A run that has been started.
pub(crate) struct Started {
    line: String,
    child: Child,
}

impl Started {
    /// Waits until the condition holds, and fails if the run ends before.
    #[track_caller]
    pub(crate) fn until(&mut self, condition: impl Fn() -> bool) {
        while !condition() {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "{} ended too early: {ended:?}", self.line);
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Waits until it has a file open.
    #[track_caller]
    pub(crate) fn until_it_opens(&mut self, path: &Path) {
        let open = format!("/proc/{}/fd", self.child.id());
        self.until(|| {
            let entries = fs::read_dir(&open).into_iter().flatten().flatten();
            let mut targets = entries.map(|entry| fs::read_link(entry.path()));
            targets.any(|target| target.is_ok_and(|target| target == path))
        });
    }

    /// Sends a signal to it.
    pub(crate) fn signal(&self, signal: Signal) {
        rustix::process::kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for its end.
    pub(crate) fn finish(self) -> Outcome {
        let output = self.child.wait_with_output().unwrap();
        Outcome {
            line: self.line,
            status: output.status,
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// The outcome of a run.
pub(crate) struct Outcome {
    line: String,
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Outcome {
    #[track_caller]
    pub(crate) fn expect_code(&self, code: i32) {
        assert_eq!(self.status.code(), Some(code), "{self}");
    }

    /// The signal that ended it.
    pub(crate) fn signal(&self) -> Option<i32> {
        self.status.signal()
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "$ {}", self.line)?;
        writeln!(f, "--- {}", self.status)?;
        writeln!(f, "--- stdout\n{}", self.stdout)?;
        writeln!(f, "--- stderr\n{}", self.stderr)
    }
}
