//! The oracle: runs the real `python -m venv` and then rvenv, at the same path with the same flags, and compares the whole
//! trees. Which differences are allowed is decided in `differences`.
//!
//! A case is described and then checked. There are no written expectations: `python -m venv` is the expectation.
//!
//! ```ignore
//! fn a_prompt_is_kept_by_upgrade(python: &'static Interpreter) {
//!     let env = TestEnv::new();
//!     let case = env.oracle(python).args(["--prompt=x", "env"]).args(["--upgrade", "env"]);
//!     all_agree([case.verdict()]);
//! }
//! ```
//!
//! Each `args` is one run in the same directory; `before` prepares that directory for both; `var`, `umask` and `cwd` apply to both.

pub(crate) mod bytecode; // compares `.pyc` files
pub(crate) mod differences;
mod existing; // existing environments
mod flags; // every combination of flags
mod names; // every way to start a Python
mod pip; // environments with pip
pub(crate) mod references; // kept results of `python -m venv`
mod self_checks; // tests of the oracle
mod shapes; // every shape of ENV_DIR, of umask and of prompt // between what both have created

use std::{
    ffi::{OsStr, OsString},
    fmt::Write as _,
    path::{Path, PathBuf},
    time::SystemTime,
};

use fs_err as fs;

use crate::{
    env::{Outcome, Run, TestEnv},
    harness::Trials,
    interpreters::Interpreter,
    oracle::{bytecode::MadeBy, references::Reference},
};

pub(crate) fn trials(list: &mut Trials) {
    self_checks::trials(list);
    existing::trials(list);
    flags::trials(list);
    names::trials(list);
    pip::trials(list);
    shapes::trials(list);
}

/// The result of a comparison: nothing, or a readable list of the differences.
pub(crate) type Verdict = Result<(), String>;

type Prepare<'a> = Box<dyn Fn(&TestEnv) + 'a>;

/// A case: described by its first methods, run and checked by the last one.
#[must_use = "nothing is compared until the verdict is asked for"]
pub(crate) struct Oracle<'a> {
    env: &'a TestEnv,
    interpreter: &'a Interpreter,
    /// The path or name by which the Python is started.
    program: OsString,
    /// The argument of `-p`, or nothing if rvenv must find the Python on PATH.
    request: Option<OsString>,
    /// The arguments of one run or more.
    steps: Vec<Vec<OsString>>,
    vars: Vec<(OsString, OsString)>,
    umask: u32,
    cwd: PathBuf,
    /// Whether venv may print something on success.
    noisy: bool,
    shares_cache: bool,
    prepare: Option<Prepare<'a>>,
}

impl<'a> Oracle<'a> {
    pub(crate) fn new(env: &'a TestEnv, interpreter: &'a Interpreter) -> Self {
        Self {
            env,
            interpreter,
            program: interpreter.executable.clone().into(),
            request: Some(interpreter.executable.clone().into()),
            steps: Vec::new(),
            vars: Vec::new(),
            umask: 0o022,
            cwd: env.work(),
            noisy: false,
            shares_cache: false,
            prepare: None,
        }
    }

    /// Starts the Python by another path or name.
    pub(crate) fn invoked_as(mut self, program: impl AsRef<OsStr>) -> Self {
        self.program = program.as_ref().into();
        self.request = Some(self.program.clone());
        self
    }

    /// Passes another argument to `-p` than the path by which the Python is started.
    pub(crate) fn requested_as(mut self, request: &str) -> Self {
        self.request = Some(request.into());
        self
    }

    /// Does not pass `-p`: rvenv must find the Python with this name on PATH.
    pub(crate) fn found_as(mut self, name: &str) -> Self {
        self = self.invoked_as(name);
        self.request = None;
        self
    }

    /// A run with these arguments; call it again for a second run in the same place.
    pub(crate) fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        let args = args.into_iter().map(|a| a.as_ref().into());
        self.steps.push(args.collect());
        self
    }

    pub(crate) fn var(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.vars
            .push((name.as_ref().into(), value.as_ref().into()));
        self
    }

    pub(crate) fn umask(mut self, umask: u32) -> Self {
        self.umask = umask;
        self
    }

    /// The current directory, below `work`. It is created if it does not exist.
    pub(crate) fn cwd(mut self, cwd: &str) -> Self {
        self.cwd = self.env.at(cwd);
        self
    }

    /// Allows venv, but not rvenv, to print something on success.
    pub(crate) fn noisy(mut self) -> Self {
        self.noisy = true;
        self
    }

    /// Prepares `work` before each of them runs.
    pub(crate) fn before(mut self, prepare: impl Fn(&TestEnv) + 'a) -> Self {
        self.prepare = Some(Box::new(prepare));
        self
    }

    /// Uses the cache that most tests share for rvenv.
    pub(crate) fn shared_cache(mut self) -> Self {
        self.shares_cache = true;
        self
    }

    /// Uses a separate cache directory for rvenv.
    pub(crate) fn cache(&self, name: &str) -> PathBuf {
        self.env.root().join("caches").join(name)
    }

    /// Runs both and compares.
    pub(crate) fn verdict(&self) -> Verdict {
        self.verdict_against(&self.reference()?)
    }

    /// The result of `python -m venv`, kept from an earlier run if the directories of the test are at a fixed path.
    pub(crate) fn reference(&self) -> Result<Reference, String> {
        if !self.env.is_fixed() {
            return self.fresh_reference();
        }
        self.set_up();
        let name = references::name(
            self.env,
            self.interpreter,
            &format!("{self} {}", self.noisy),
        );
        let kept = references::kept(&name);
        if let Some(kept) = kept {
            if !references::is_drawn(&name) {
                return Ok(kept);
            }
            let fresh = self.fresh_reference()?;
            fs::remove_dir(self.env.work()).unwrap();
            fs::rename(&fresh.path, self.env.work()).unwrap();
            let work = self.env.work();
            let mut lines = differences::differences(self.interpreter, &kept, &work, MadeBy::Venv);
            // How rvenv would change venv's file does not matter here.
            lines.retain(|line| !line.contains("pyvenv.cfg: bytes"));
            if lines.is_empty() {
                return Ok(kept);
            }
            let lines = lines.join("\n  ");
            return Err(format!(
                "{self}\n  the kept reference {} is out of date:\n  {lines}",
                kept.path.display()
            ));
        }
        let fresh = self.fresh_reference()?;
        references::keep(&name, &fresh.path);
        Ok(fresh)
    }

    /// Runs `python -m venv`.
    fn fresh_reference(&self) -> Result<Reference, String> {
        let path = self.env.root().join("reference");
        if path.exists() {
            fs::remove_dir_all(&path).unwrap();
        }
        self.set_up();
        for step in &self.steps {
            let args = ["-m", "venv"].map(OsString::from);
            let run = self.env.run(&self.program, args.iter().chain(step));
            let outcome = self.settle(run).outcome();
            if !(self.noisy && outcome.status.success()) {
                self.must_be_silent(&outcome)?;
            }
        }
        fs::rename(self.env.work(), &path).unwrap();
        fs::create_dir(self.env.work()).unwrap();
        Ok(Reference {
            path,
            made: SystemTime::now(),
        })
    }

    /// Runs rvenv and compares the result with that of `python -m venv`.
    pub(crate) fn verdict_against(&self, reference: &Reference) -> Verdict {
        self.set_up();
        for step in &self.steps {
            let request = self.request.iter();
            let request = request.flat_map(|request| [OsStr::new("-p"), request]);
            let step = step.iter().map(OsString::as_os_str);
            let mut run = self.env.rvenv(request.chain(step));
            if self.shares_cache {
                run = run.shared_cache();
            }
            self.must_be_silent(&self.settle(run).outcome())?;
        }
        self.env.left_nothing_in_tmp();
        let lines =
            differences::differences(self.interpreter, reference, &self.env.work(), MadeBy::Rvenv);
        if lines.is_empty() {
            return Ok(());
        }
        let mut account = format!("{self}\n");
        for line in lines.iter().take(40) {
            writeln!(account, "  {line}").unwrap();
        }
        if lines.len() > 40 {
            writeln!(account, "  … and {} more", lines.len() - 40).unwrap();
        }
        Err(account)
    }

    fn set_up(&self) {
        self.env.reset();
        // The ensurepip of some Pythons leaves files there.
        self.env.empty_tmp();
        fs::create_dir_all(&self.cwd).unwrap();
        if let Some(prepare) = &self.prepare {
            prepare(self.env);
        }
    }

    fn settle<'r>(&self, run: Run<'r>) -> Run<'r> {
        run.cwd(&self.cwd).umask(self.umask).vars(&self.vars)
    }

    fn must_be_silent(&self, outcome: &Outcome) -> Verdict {
        let silent = outcome.stdout.is_empty() && outcome.stderr.is_empty();
        if outcome.status.success() && silent {
            return Ok(());
        }
        Err(format!("{self}\n{outcome}"))
    }
}

impl std::fmt::Display for Oracle<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (major, minor, micro) = self.interpreter.version;
        writeln!(f, "{} {major}.{minor}.{micro}", self.program.display())?;
        for step in &self.steps {
            writeln!(f, "  {step:?} in {}", self.cwd.display())?;
        }
        write!(f, "  umask {:03o}, {:?}", self.umask, self.vars)
    }
}

/// Panics with the first few differences if there are any, and if there were no cases.
#[track_caller]
pub(crate) fn all_agree(verdicts: impl IntoIterator<Item = Verdict>) {
    let mut count = 0;
    let mut accounts = Vec::new();
    for verdict in verdicts {
        count += 1;
        accounts.extend(verdict.err());
    }
    assert!(count > 0, "nothing was compared");
    assert!(
        accounts.is_empty(),
        "{} of {count} cases differ:\n\n{}",
        accounts.len(),
        accounts[..accounts.len().min(6)].join("\n")
    );
}

/// Writes a file below `work`, its folders included.
pub(crate) fn write(env: &TestEnv, path: impl AsRef<Path>, content: &str) {
    let path = env.at(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}
