//! Unusual surroundings: no current directory, no HOME, no PATH, invalid values in every variable, closed streams. rvenv
//! works if it can, and otherwise fails before it creates anything.

use std::path::PathBuf;

use fs_err as fs;

use crate::tree::{changes, tree};
use crate::{
    env::{Outcome, TestEnv, program},
    faults::{Mount, nobody, warm},
    harness::some,
    interpreters::newest,
};

crate::harness::trials! {
    without_a_current_folder,
    without_variables(part),
    with_nowhere_to_write_but_env_dir(full) needs [NOBODY],
    with_nonsense_for_python(part),
    with_closed_streams(part),
    with_a_pipe_that_nobody_reads,
    with_a_read_only_cache needs [MOUNT],
}

const NONE: [PathBuf; 0] = [];

/// Runs `line` in a shell, in which `"$@"` is rvenv for the newest Python.
fn shell(env: &TestEnv, line: &str, args: &[&str]) -> Outcome {
    let program = program();
    let python = newest().executable.to_str().unwrap();
    let own = ["-c", line, "sh", program.to_str().unwrap(), "-p", python];
    let args = own.into_iter().chain(args.iter().copied());
    let run = env.run("/bin/sh", args);
    run.var("RVENV_CACHE_DIR", warm()).outcome()
}

/// The environment at `name` has a working pip.
#[track_caller]
pub(crate) fn works(env: &TestEnv, name: &str) {
    let path = env.at(name);
    let pip = env
        .run(path.join("bin/python"), ["-m", "pip", "--version"])
        .stdout();
    assert!(pip.contains(path.to_str().unwrap()), "{pip}");
}

fn without_a_current_folder() {
    let env = TestEnv::new();
    let absolute = env.at("env");
    let gone = "mkdir gone && cd gone && rmdir ../gone && exec \"$@\"";
    let outcome = shell(&env, gone, &[absolute.to_str().unwrap()]);
    outcome.expect_code(0);
    assert_eq!(outcome.stderr, "", "{outcome}");
    works(&env, "env");
    for args in [&["relative"][..], &["."], &["--clear", "relative"]] {
        let outcome = shell(&env, gone, args);
        outcome.expect_code(1);
        assert!(outcome.stderr.starts_with("Error: "), "{outcome}");
    }
    env.holds_only(["env"]);
}

fn without_variables() {
    let env = TestEnv::new();
    // Without a cache pip is prepared again.
    let outcome = shell(&env, "exec env -i \"$@\"", &["env"]);
    outcome.expect_code(0);
    assert_eq!(outcome.stderr, "", "{outcome}");
    works(&env, "env");
    let values = [
        ("HOME", "relative"),
        ("TMPDIR", "/proc"),
        ("LC_ALL", "xx_XX.nonsense"),
        ("PATH", ""),
        ("HOME", ""),
        ("HOME", "/no/such/folder"),
        ("TMPDIR", ""),
        ("TMPDIR", "/no/such/folder"),
        ("XDG_CACHE_HOME", "/proc"),
        ("XDG_CACHE_HOME", "relative"),
        ("LC_ALL", "C"),
        ("LANG", "\u{1b}[31m"),
    ];
    for (number, (name, value)) in some(&values, 3).iter().enumerate() {
        let name_of_env = format!("env{number}");
        let run = env.rvenv_for(newest(), [&name_of_env]);
        let run = run.var("RVENV_CACHE_DIR", warm()).var(name, value);
        run.succeeds();
        works(&env, &name_of_env);
    }
}

fn with_nowhere_to_write_but_env_dir() {
    let env = TestEnv::new();
    let nobody = nobody(&env);
    for name in ["home", "tmp"] {
        let path = env.root().join(name);
        fs::os::unix::fs::chown(&path, Some(0), Some(0)).unwrap();
    }
    let line = nobody.line(&["env"]);
    env.run(&line[0], &line[1..]).succeeds();
    works(&env, "env");
    env.holds_only(["env"]);
}

fn with_nonsense_for_python() {
    let env = TestEnv::new();
    let nonsense = [
        ("PYTHONHOME", "/nonsense"),
        ("PYTHONPATH", "/nonsense:/proc"),
        ("PYTHONSTARTUP", "/nonsense"),
        ("PYTHONOPTIMIZE", "nonsense"),
        ("PYTHONDONTWRITEBYTECODE", "1"),
        ("PYTHONPYCACHEPREFIX", "/nonsense"),
        ("PYTHONHASHSEED", "nonsense"),
        ("PYTHONIOENCODING", "nonsense"),
        ("PYTHONUTF8", "nonsense"),
        ("PYTHONMALLOC", "nonsense"),
        ("PYTHONWARNINGS", "nonsense"),
        ("PYTHONINSPECT", "1"),
        ("PYTHONBREAKPOINT", "nonsense"),
        ("PYTHONUSERBASE", "/nonsense"),
        ("PYTHONPLATLIBDIR", "nonsense"),
        ("PYTHONCOERCECLOCALE", "nonsense"),
        ("PYTHONINTMAXSTRDIGITS", "nonsense"),
        ("PYTHONTRACEMALLOC", "nonsense"),
        ("PYTHONVERBOSE", "1"),
        ("PYTHONDEBUG", "1"),
        ("PYTHONPROFILEIMPORTTIME", "1"),
        ("PIP_INDEX_URL", "nonsense"),
        ("PIP_PREFIX", "/nonsense"),
        ("PIP_TARGET", "/nonsense"),
        ("PIP_REQUIRE_VIRTUALENV", "1"),
        ("VIRTUAL_ENV", "/nonsense"),
        ("LD_LIBRARY_PATH", "/nonsense"),
    ];
    for seeder in some(&["auto", "wheel"], 1) {
        let run = env.rvenv_for(newest(), ["--clear", "--seeder", seeder, "env"]);
        let all = nonsense.iter();
        let run = all.fold(run, |run, (name, value)| run.var(name, value));
        run.succeeds();
        works(&env, "env");
        env.holds_only(["env"]);
    }
    // None of them changes anything; with a few of them venv itself fails.
    let made = |variable: Option<(&str, &str)>| {
        let run = env.rvenv_for(newest(), ["--clear", "--without-pip", "env"]);
        let run = variable
            .into_iter()
            .fold(run, |run, (name, value)| run.var(name, value));
        run.succeeds();
        tree(&env.at("env"))
    };
    let plain = made(None);
    for variable in nonsense {
        assert_eq!(changes(&made(Some(variable)), &plain), NONE, "{variable:?}");
    }
}

fn with_closed_streams() {
    let env = TestEnv::new();
    for closed in some(&["<&- >&- 2>&-", "<&-", ">&-", "2>&-"], 1) {
        let ways = [
            &["env"][..],
            &["-v", "env"],
            &["--clear", "--no-cache", "env"],
        ];
        for &args in some(&ways, 2) {
            let outcome = shell(&env, &format!("exec \"$@\" {closed}"), args);
            outcome.expect_code(0);
            works(&env, "env");
            env.holds_only(["env"]);
        }
        let outcome = shell(&env, &format!("exec \"$@\" {closed}"), &["/dev/null/env"]);
        outcome.expect_code(1);
        // Output of other programs does not end up in a file of the environment.
        let text = fs::read_to_string(env.at("env/pyvenv.cfg")).unwrap();
        assert!(
            text.starts_with("home = ") && !text.contains("Error"),
            "{text}"
        );
        env.reset();
    }
}

fn with_a_pipe_that_nobody_reads() {
    let env = TestEnv::new();
    // The reader of the output is gone: like in CPython, the environment is created nevertheless.
    let line =
        "( \"$@\" ; echo $? >status ) 2>&1 | true; while [ ! -s status ]; do :; done; cat status";
    let outcome = shell(&env, line, &["-v", "--without-pip", "env"]);
    assert_eq!(outcome.stdout.trim(), "0", "{outcome}");
    assert!(env.at("env/pyvenv.cfg").exists());
    env.holds_only(["env", "status"]);
}

fn with_a_read_only_cache() {
    let env = TestEnv::new();
    let mount = Mount::tmpfs(&env, "store", "size=1M,mode=700");
    mount.remount("ro");
    let run = env.rvenv_for(newest(), ["env"]);
    let outcome = run.var("RVENV_CACHE_DIR", env.at("store")).outcome();
    outcome.expect_code(0);
    assert_eq!(outcome.stderr.lines().count(), 1, "{outcome}");
    assert!(outcome.stderr.contains("Read-only"), "{outcome}");
    works(&env, "env");
}
