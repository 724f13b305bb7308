//! A way to create an environment, with the state before and the expected state after it, and the same run with kills.
//!
//! ```ignore
//! // Runs once to the end, and then with a kill before each system call: `env` must be complete or as before.
//! Scene::new("cleared", &["--without-pip", "--clear", "env"]).kill_before_calls();
//! ```
//!
//! The name says what was there before: nothing ("new …"), or an environment with a file of the user's, which is replaced
//! ("cleared …") or changed entry by entry ("existing …"), and that names another path if it "was moved" or has none to name; "… in place" starts the run in the environment itself.

use std::{collections::BTreeMap, path::Path, thread, time::Duration, time::Instant};

use fs_err as fs;
use rustix::process::Signal;

use crate::tree::{Tree, changes, leftovers, tree};
use crate::{
    env::{Outcome, Run, TestEnv},
    faults::{strace, strace_log, warm},
    harness::whole,
    interpreters::newest,
    wheel::write_installed,
};

/// System calls that change files; `openat` also creates files.
const CALLS: &str = "openat,write,mkdir,mkdirat,symlinkat,fchmod,fchown,linkat,rename,renameat,renameat2,unlink,unlinkat,rmdir,flock";

/// How many moments are tested for system calls that a run makes more often.
fn moments() -> u32 {
    if whole() { 12 } else { 1 }
}

/// A way to create `env`, with the state before and the expected state after it.
pub(crate) struct Scene {
    env: TestEnv,
    args: Vec<&'static str>,
    before: Tree,
    after: Tree,
    /// For the report.
    name: &'static str,
    /// An existing environment is changed entry by entry: each is either the old one or the new one.
    mixed: bool,
    /// The current directory of the run.
    cwd: &'static str,
}

impl Scene {
    /// `existing` prepares `env` and is called again whenever it has been replaced.
    pub(crate) fn new(name: &'static str, args: &[&'static str]) -> Self {
        let env = TestEnv::new();
        let mut scene = Self {
            env,
            args: args.to_vec(),
            before: Tree::new(),
            after: Tree::new(),
            name,
            mixed: name.starts_with("existing"),
            cwd: if name.contains("in place") { "env" } else { "" },
        };
        scene.prepare();
        scene.before = scene.now();
        scene.run().succeeds();
        scene.after = scene.now();
        assert!(scene.after.len() > 10 && scene.before != scene.after);
        scene
    }

    fn is_clone(&self) -> bool {
        self.args.contains(&"--clone")
    }

    fn is_new(&self) -> bool {
        self.name.starts_with("new")
    }

    /// Restores the state before the run.
    fn prepare(&self) {
        let path = self.env.at("env");
        if self.is_clone() && !self.env.at("src").exists() {
            self.env
                .rvenv_for(newest(), ["--without-pip", "src"])
                .succeeds();
        }
        if self.is_new() {
            let _ = fs::remove_dir_all(path);
            return;
        }
        // A run that restored the old environment in place results in neither of the two states.
        if self.mixed || self.cwd == "env" {
            let _ = fs::remove_dir_all(&path);
        }
        if !path.exists() {
            let made = if self.name.contains("moved") {
                "was"
            } else {
                "env"
            };
            let args = ["--without-pip", "--prompt=old", made];
            self.env.rvenv_for(newest(), args).succeeds();
            if self.name.contains("packages") {
                install(&self.env.at(made));
            }
            if made != "env" {
                fs::rename(self.env.at(made), &path).unwrap();
            }
        }
        fs::write(path.join("mine"), "mine").unwrap();
    }

    fn now(&self) -> Tree {
        tree(&self.env.at("env"))
    }

    fn run(&self) -> Run<'_> {
        let run = if self.is_clone() {
            self.env.rvenv(&self.args)
        } else {
            self.env.rvenv_for(newest(), &self.args)
        };
        let run = run.cwd(self.cwd);
        run.var("RVENV_CACHE_DIR", warm())
    }

    /// A run under `strace`, whose output is in [`strace_log`].
    fn traced(&self, inject: &str) -> Outcome {
        let trace = format!("trace={CALLS}");
        let expressions = [&trace, inject, "signal=none"];
        let run = strace(&self.env, &expressions, &self.args).cwd(self.cwd);
        run.var("RVENV_CACHE_DIR", warm()).outcome()
    }

    /// How often the busiest thread makes each call.
    fn calls(&self) -> BTreeMap<String, u32> {
        self.prepare();
        self.traced("trace=all").expect_code(0);
        let log = fs::read_to_string(strace_log(&self.env)).unwrap();
        let mut counts: BTreeMap<(String, String), u32> = BTreeMap::new();
        for line in log.lines() {
            let mut words = line.splitn(2, char::is_whitespace);
            let thread = words.next().unwrap().to_owned();
            let call = words.next().and_then(|rest| rest.trim().split_once('('));
            if let Some((call, _)) = call.filter(|(call, _)| CALLS.split(',').any(|c| c == *call)) {
                *counts.entry((thread, call.to_owned())).or_default() += 1;
            }
        }
        let mut calls = BTreeMap::new();
        for ((_, call), count) in counts {
            let most = calls.entry(call).or_insert(0);
            *most = count.max(*most);
        }
        calls
    }

    /// Whether the killed run left the previous state (`false`) or a complete environment (`true`). Fails otherwise.
    ///
    /// In place there are a handful of renames between the two, after which the next run puts the old environment back.
    #[track_caller]
    fn judge(&self, moment: &str) -> bool {
        let now = self.now();
        let mut cleared = now.clone();
        // The previous state may be the result of an earlier run, with a file of the user.
        let is_old = cleared.remove(Path::new("mine")).is_some() && cleared == self.after;
        if is_old || now == self.before || now == self.after {
            return now == self.after;
        }
        let path = self.env.at("env");
        if self.cwd == "env" && !path.join("pyvenv.cfg").exists() {
            let args = ["--without-pip", "env"];
            self.env.rvenv_for(newest(), args).succeeds();
            assert!(path.join("mine").exists(), "{}, killed {moment}", self.name);
            return false;
        }
        let (before, after) = (changes(&now, &self.before), changes(&now, &self.after));
        assert!(
            self.mixed,
            "{}, killed {moment}: {} is neither as before (differs in {before:?}) nor complete (differs in {after:?})",
            self.name,
            path.display()
        );
        // Never a partially written file, and no entry that neither state has.
        let torn: Vec<_> = before.iter().filter(|path| after.contains(path)).collect();
        // A folder's own mode and contents are the same; a file is one of the two.
        assert!(
            torn.is_empty(),
            "{}, killed {moment}: torn {torn:?}",
            self.name
        );
        false
    }

    /// The next run works and removes what the killed one left.
    #[track_caller]
    fn run_again(&self, moment: &str) {
        if self.is_clone() && self.is_new() {
            // The path of a clone must not exist.
            self.prepare();
        }
        let outcome = self.run().outcome();
        assert!(
            outcome.status.success(),
            "{}, after {moment}: {outcome}",
            self.name
        );
        let now = self.now();
        let mut differing = changes(&now, &self.after);
        // Files of the user are kept unless the environment is cleared.
        differing.retain(|path| path.to_str() != Some("mine"));
        assert_eq!(
            differing,
            [""; 0].map(std::path::PathBuf::from),
            "{}, after {moment}",
            self.name
        );
        assert_eq!(
            leftovers(&self.env.work()),
            [""; 0],
            "{}, after {moment}",
            self.name
        );
        assert_eq!(
            leftovers(&self.env.at("env")),
            [""; 0],
            "{}, after {moment}",
            self.name
        );
    }

    /// Kills before each changing system call, or before up to [`moments`] of those that a run makes more often.
    pub(crate) fn kill_before_calls(&self) {
        let mut tried = 0;
        for (call, count) in self.calls() {
            let step = count.div_ceil(moments()).max(1);
            for when in (1..=count).step_by(step as usize) {
                self.prepare();
                let moment = format!("before {call} number {when} of {count}");
                let outcome = self.traced(&format!("inject={call}:signal=KILL:when={when}"));
                if outcome.status.success() {
                    // Another thread has made this call in this run.
                    continue;
                }
                assert_eq!(outcome.signal(), Some(Signal::KILL.as_raw()), "{outcome}");
                tried += 1;
                self.judge(&moment);
                self.run_again(&moment);
            }
        }
        let least = if whole() { 20 } else { 3 };
        assert!(tried > least, "{} was killed only {tried} times", self.name);
    }

    /// Kills at 30 evenly spread moments of a run.
    pub(crate) fn kill_at_moments(&self) {
        const TIMES: u32 = 30;
        self.prepare();
        let started = Instant::now();
        self.run().outcome().expect_code(0);
        let whole = started.elapsed();
        for moment in 0..TIMES {
            self.prepare();
            let run = self.run().start();
            thread::sleep(whole * moment / TIMES + Duration::from_micros(200));
            run.signal(Signal::KILL);
            run.finish();
            self.judge(&format!("at moment {moment}"));
        }
        self.run_again("moments");
    }
}

/// Adds a package with a script, bytecode, a kernel and a `.pth` file that name the environment.
fn install(env_dir: &Path) {
    let packages = env_dir.join("lib").join(newest().python_folder());
    let packages = packages.join("site-packages");
    write_installed(&packages, "one", "1.0");
    let said = env_dir.display();
    let script = format!("#!{said}/bin/python\nprint('one')\n");
    fs::write(env_dir.join("bin/one"), script).unwrap();
    fs::write(packages.join("one.pth"), format!("{said}/lib\n")).unwrap();
    let link = env_dir.join("share");
    std::os::unix::fs::symlink(env_dir.join("lib"), link).unwrap();
    let output = std::process::Command::new(&newest().executable)
        .args(["-I", "-m", "compileall", "-q"])
        .arg(packages.join("one"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}
