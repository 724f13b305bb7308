//! Shared parts of the fault tests: a cache, and programs that inject faults.

mod clear;
pub(crate) mod filesystems;
mod in_place;
mod interrupt;
mod kill;
mod limits;
mod links;
mod many_at_once;
mod odd_environments;
mod odd_names;
pub(crate) mod scene; // kills while an environment is created
mod shared_parent; // a directory to which others write, too
mod signals;
mod space;

use std::{
    ffi::OsString,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

use fs_err as fs;

use crate::{
    env::{Run, TestEnv, program, shared_cache},
    harness::{Trials, missing},
    interpreters::{Interpreter, installed, newest},
    needs::{MOUNT, NOBODY, STRACE},
};

pub(crate) fn trials(list: &mut Trials) {
    clear::trials(list);
    filesystems::trials(list);
    in_place::trials(list);
    interrupt::trials(list);
    kill::trials(list);
    limits::trials(list);
    links::trials(list);
    many_at_once::trials(list);
    odd_environments::trials(list);
    odd_names::trials(list);
    shared_parent::trials(list);
    signals::trials(list);
    space::trials(list);
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

/// rvenv for the newest Python under `strace`, each of `expressions` after an `-e`; what it traces is in [`strace_log`].
pub(crate) fn strace<'a>(env: &'a TestEnv, expressions: &[&str], args: &[&str]) -> Run<'a> {
    STRACE.is_listed();
    let log = strace_log(env);
    let program = program();
    let own = ["-f", "-qq", "-o", log.to_str().unwrap()];
    let expressions = expressions.iter().flat_map(|expression| ["-e", expression]);
    let python = ["-p", newest().executable.to_str().unwrap()];
    // A clone has the base of its original.
    let python = python.into_iter().filter(|_| !args.contains(&"--clone"));
    let rvenv = [program.to_str().unwrap()].into_iter().chain(python);
    let line = own.into_iter().chain(expressions).chain(rvenv);
    env.run("strace", line.chain(args.iter().copied()))
}

/// Where [`strace`] writes.
pub(crate) fn strace_log(env: &TestEnv) -> PathBuf {
    env.root().join("log")
}

/// A file system that is mounted for one test.
pub(crate) struct Mount(PathBuf);

impl Mount {
    /// Mounts at a new directory `name` in `work`. Skips the test if the kernel does not support it.
    pub(crate) fn new(env: &TestEnv, name: &str, args: &[&str]) -> Self {
        let path = env.at(name);
        fs::create_dir_all(&path).unwrap();
        MOUNT.is_listed();
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
        // A test may have moved and unmounted it.
        let _ = command
            .arg("-l")
            .arg(&self.0)
            .stderr(Stdio::null())
            .status();
    }
}

/// A user who is not root: the command prefix to run as this user, and programs that this user can execute.
pub(crate) struct Nobody {
    pub(crate) before: Vec<OsString>,
    pub(crate) program: PathBuf,
    pub(crate) python: &'static Interpreter,
}

/// The Python that a user who is not root runs.
pub(crate) fn for_everyone() -> Option<&'static Interpreter> {
    let mut pythons: Vec<_> = installed().iter().filter(|python| python.pip).collect();
    // Others take long to start.
    pythons.sort_by_key(|python| python.implementation != "cpython");
    pythons.into_iter().find(|python| python.is_for_everyone())
}

/// Prepares `env` for a user who is not root.
pub(crate) fn nobody(env: &TestEnv) -> Nobody {
    NOBODY.is_listed();
    Nobody::prepare(env)
}

impl Nobody {
    /// Like [`nobody`], for a test that runs as root.
    pub(crate) fn prepare(env: &TestEnv) -> Self {
        const ID: u32 = 65534;
        let before: Vec<OsString> = [
            "setpriv",
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
        ]
        .map(OsString::from)
        .into();
        let python = for_everyone().unwrap();
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
        Self {
            before,
            program: own,
            python,
        }
    }

    /// The command line of rvenv as this user.
    pub(crate) fn line(&self, args: &[&str]) -> Vec<OsString> {
        let own = [
            self.program.as_os_str(),
            "-p".as_ref(),
            self.python.executable.as_os_str(),
        ];
        let own = own.into_iter().map(OsString::from);
        let args = args.iter().map(OsString::from);
        self.before.iter().cloned().chain(own).chain(args).collect()
    }
}
