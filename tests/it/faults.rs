//! What the tests of faults share: the state that a broken run left `ENV_DIR` in, a store that all of them use, and programs
//! that inject faults. It does not know what is injected.

use std::{
    collections::BTreeMap,
    env,
    ffi::OsString,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

use fs_err as fs;
use walkdir::WalkDir;

use crate::{
    env::{Run, TestEnv, program, shared_cache},
    harness::missing,
    interpreters::{installed, newest},
};

/// Everything in a folder: for each path its kind and mode, and its contents or target.
pub(crate) type State = BTreeMap<PathBuf, (u32, Vec<u8>)>;

/// The state of a folder; empty if there is none. Stages in it are left out, as are the times in bytecode.
pub(crate) fn state(root: &Path) -> State {
    let mut state = State::new();
    if fs::symlink_metadata(root).is_err() {
        return state;
    }
    let entries = WalkDir::new(root)
        .into_iter()
        .filter_entry(|entry| !entry.file_name().to_string_lossy().contains(".rvenv-"));
    for entry in entries {
        let path = entry.unwrap().into_path();
        let metadata = fs::symlink_metadata(&path).unwrap();
        let mut contents = Vec::new();
        if metadata.is_symlink() {
            contents = fs::read_link(&path)
                .unwrap()
                .into_os_string()
                .into_encoded_bytes();
        } else if metadata.is_file() {
            contents = fs::read(&path).unwrap();
            if path.extension().is_some_and(|e| e == "pyc") && contents.len() > 16 {
                contents[8..12].fill(0);
            }
        }
        let path = path.strip_prefix(root).unwrap().to_owned();
        state.insert(path, (metadata.permissions().mode(), contents));
    }
    state
}

/// Paths in which two states differ: none, or a few of them.
pub(crate) fn changes(one: &State, other: &State) -> Vec<PathBuf> {
    let paths = one.keys().chain(other.keys());
    let differing = paths.filter(|path| one.get(*path) != other.get(*path));
    let mut differing: Vec<_> = differing.cloned().collect();
    differing.sort();
    differing.dedup();
    differing.truncate(9);
    differing
}

/// The entries of a folder that runs of rvenv have left there.
pub(crate) fn leftovers(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| name.contains(".rvenv-")).collect()
}

/// A cache folder that all tests use, so that pip is compiled once; filled for the newest Python.
pub(crate) fn warm() -> &'static Path {
    static STORE: OnceLock<PathBuf> = OnceLock::new();
    STORE.get_or_init(|| {
        let env = TestEnv::new();
        env.rvenv_for(newest(), ["env"]).shared_cache().succeeds();
        shared_cache().to_owned()
    })
}

/// Skips the test where this program is not there.
pub(crate) fn needs(tool: &str) {
    let found = env::split_paths("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        .any(|folder| folder.join(tool).exists());
    if !found {
        missing(format!("no {tool}"));
    }
}

/// rvenv for the newest Python under `strace`, each of `expressions` after an `-e`; what it traces is in [`strace_log`].
pub(crate) fn strace<'a>(env: &'a TestEnv, expressions: &[&str], args: &[&str]) -> Run<'a> {
    let log = strace_log(env);
    let program = program();
    let own = ["-f", "-qq", "-o", log.to_str().unwrap()];
    let expressions = expressions.iter().flat_map(|expression| ["-e", expression]);
    let rvenv = [
        program.to_str().unwrap(),
        "-p",
        newest().executable.to_str().unwrap(),
    ];
    let line = own.into_iter().chain(expressions).chain(rvenv);
    env.run("strace", line.chain(args.iter().copied()))
}

/// Where [`strace`] writes.
pub(crate) fn strace_log(env: &TestEnv) -> PathBuf {
    env.root().join("log")
}

/// Skips the test where root does not run it.
pub(crate) fn needs_root() {
    if !rustix::process::geteuid().is_root() {
        missing("not run as root");
    }
}

/// A file system that is mounted for one test.
pub(crate) struct Mount(PathBuf);

impl Mount {
    /// Mounts at a new folder `name` in `work`; skips the test if that needs root or something else that is not there.
    pub(crate) fn new(env: &TestEnv, name: &str, args: &[&str]) -> Self {
        let path = env.at(name);
        fs::create_dir_all(&path).unwrap();
        needs_root();
        let output = Command::new("mount")
            .args(args)
            .arg(&path)
            .output()
            .unwrap();
        if output.status.success() {
            return Self(path);
        }
        let said = String::from_utf8_lossy(&output.stderr);
        missing(format!("mount {}: {}", args[..2].join(" "), said.trim()));
    }

    /// A small file system in memory.
    pub(crate) fn tmpfs(env: &TestEnv, name: &str, options: &str) -> Self {
        Self::new(env, name, &["-t", "tmpfs", "-o", options, "none"])
    }

    /// Changes its options.
    pub(crate) fn remount(&self, options: &str) {
        let mut command = Command::new("mount");
        let status = command
            .args(["-o", &format!("remount,{options}")])
            .arg(&self.0);
        assert!(status.status().unwrap().success());
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let mut command = Command::new("umount");
        // A test may have unmounted it where it was moved to.
        let _ = command
            .arg("-l")
            .arg(&self.0)
            .stderr(Stdio::null())
            .status();
    }
}

/// Runs as a user who is not root: the words that go before a command line, and what that user can execute.
pub(crate) struct Nobody {
    pub(crate) before: Vec<OsString>,
    pub(crate) program: PathBuf,
    pub(crate) python: PathBuf,
}

/// Prepares `env` for a user who is not root; skips the test where that cannot be.
pub(crate) fn nobody(env: &TestEnv) -> Nobody {
    const ID: u32 = 65534;
    needs_root();
    needs("setpriv");
    let before: Vec<OsString> = [
        "setpriv",
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
    ]
    .map(OsString::from)
    .into();
    let runs = |python: &Path| {
        let mut command = Command::new(&before[0]);
        command.args(&before[1..]).arg(python).args(["-c", "1"]);
        let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    };
    let mut pythons: Vec<_> = installed().iter().collect();
    // The others take long to start.
    pythons.sort_by_key(|python| python.implementation != "cpython");
    let mut pythons = pythons.iter().map(|python| &python.executable);
    let python = pythons.find(|python| runs(python));
    let python = python.unwrap_or_else(|| missing("no Python that every user can run"));
    let own = env.root().join("rvenv");
    fs::copy(program(), &own).unwrap();
    let open = |path: &Path, mode| {
        fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    open(&own, 0o755);
    open(env.root(), 0o755);
    for name in ["work", "home", "tmp"] {
        fs::os::unix::fs::chown(env.root().join(name), Some(ID), Some(ID)).unwrap();
    }
    Nobody {
        before,
        program: own,
        python: python.clone(),
    }
}

impl Nobody {
    /// The command line of rvenv as this user.
    pub(crate) fn line(&self, args: &[&str]) -> Vec<OsString> {
        let own = [
            self.program.as_os_str(),
            "-p".as_ref(),
            self.python.as_os_str(),
        ];
        let own = own.into_iter().map(OsString::from);
        let args = args.iter().map(OsString::from);
        self.before.iter().cloned().chain(own).chain(args).collect()
    }
}
