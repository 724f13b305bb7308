//! Odd surroundings: no current folder, no HOME, no PATH, nonsense in every variable, closed streams, hostile umasks and names
//! of every length. What can work works; the rest is an error before anything is made.

use std::{
    ffi::OsStr,
    os::unix::{ffi::OsStrExt as _, fs::PermissionsExt as _},
    path::PathBuf,
};

use fs_err as fs;

use crate::{
    env::{Outcome, TestEnv, listing, program},
    faults::{Mount, changes, has, nobody, state, warm},
    interpreters::newest,
};

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
fn works(env: &TestEnv, name: &str) {
    let path = env.at(name);
    let pip = env
        .run(path.join("bin/python"), ["-m", "pip", "--version"])
        .stdout();
    assert!(pip.contains(path.to_str().unwrap()), "{pip}");
}

#[test]
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

#[test]
fn without_variables() {
    let env = TestEnv::new();
    // No cache then, so pip is made anew.
    let outcome = shell(&env, "exec env -i \"$@\"", &["env"]);
    outcome.expect_code(0);
    assert_eq!(outcome.stderr, "", "{outcome}");
    works(&env, "env");
    for (number, (name, value)) in [
        ("PATH", ""),
        ("HOME", ""),
        ("HOME", "/no/such/folder"),
        ("HOME", "relative"),
        ("TMPDIR", ""),
        ("TMPDIR", "/no/such/folder"),
        ("TMPDIR", "/proc"),
        ("XDG_CACHE_HOME", "/proc"),
        ("XDG_CACHE_HOME", "relative"),
        ("LC_ALL", "C"),
        ("LC_ALL", "xx_XX.nonsense"),
        ("LANG", "\u{1b}[31m"),
    ]
    .into_iter()
    .enumerate()
    {
        let name_of_env = format!("env{number}");
        let run = env.rvenv_for(newest(), [&name_of_env]);
        let run = run.var("RVENV_CACHE_DIR", warm()).var(name, value);
        run.succeeds();
        works(&env, &name_of_env);
    }
}

#[test]
fn with_nowhere_to_write_but_env_dir() {
    let env = TestEnv::new();
    let Some(nobody) = nobody(&env) else { return };
    for name in ["home", "tmp"] {
        let path = env.root().join(name);
        fs::os::unix::fs::chown(&path, Some(0), Some(0)).unwrap();
    }
    let line = nobody.line(&["env"]);
    env.run(&line[0], &line[1..]).succeeds();
    works(&env, "env");
    env.holds_only(["env"]);
}

#[test]
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
    for seeder in ["auto", "wheel"] {
        let run = env.rvenv_for(newest(), ["--clear", "--seeder", seeder, "env"]);
        let all = nonsense.iter();
        let run = all.fold(run, |run, (name, value)| run.var(name, value));
        run.succeeds();
        works(&env, "env");
        env.holds_only(["env"]);
    }
    // Alone, none changes anything; a few of them stop venv itself.
    let made = |variable: Option<(&str, &str)>| {
        let run = env.rvenv_for(newest(), ["--clear", "--without-pip", "env"]);
        let run = variable
            .into_iter()
            .fold(run, |run, (name, value)| run.var(name, value));
        run.succeeds();
        state(&env.at("env"))
    };
    let plain = made(None);
    for variable in nonsense {
        assert_eq!(changes(&made(Some(variable)), &plain), NONE, "{variable:?}");
    }
}

#[test]
fn with_closed_streams() {
    let env = TestEnv::new();
    for closed in ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"] {
        for args in [
            &["env"][..],
            &["--clear", "--no-cache", "env"],
            &["-v", "env"],
        ] {
            let outcome = shell(&env, &format!("exec \"$@\" {closed}"), args);
            outcome.expect_code(0);
            works(&env, "env");
            env.holds_only(["env"]);
        }
        let outcome = shell(&env, &format!("exec \"$@\" {closed}"), &["/dev/null/env"]);
        outcome.expect_code(1);
        // Nobody's words end in a file of the environment.
        let text = fs::read_to_string(env.at("env/pyvenv.cfg")).unwrap();
        assert!(
            text.starts_with("home = ") && !text.contains("Error"),
            "{text}"
        );
        env.reset();
    }
}

#[test]
fn with_a_umask_that_takes_everything() {
    let env = TestEnv::new();
    for umask in [0o777, 0o700, 0o400, 0o300] {
        let run = env.rvenv_for(newest(), ["a/env"]).umask(umask);
        run.errs(&[env.at("a/env").to_str().unwrap(), "umask 022"]);
        env.holds_only([]);
    }
    let run = env.rvenv_for(newest(), ["env"]).umask(0o077);
    run.var("RVENV_CACHE_DIR", warm()).succeeds();
    works(&env, "env");
    let mode = fs::metadata(env.at("env")).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o700);
}

#[test]
fn with_a_name_that_is_not_utf8() {
    let env = TestEnv::new();
    for name in [&b"caf\xe9"[..], b"\xff/env", b"ok/\xc3\x28"] {
        for flags in [&[][..], &["--clear"], &["--upgrade"]] {
            let name = OsStr::from_bytes(name);
            let args = flags.iter().map(OsStr::new).chain([name]);
            env.rvenv_for(newest(), args)
                .errs(&["UTF-8", "another name"]);
            env.holds_only([]);
        }
    }
}

#[test]
fn with_long_names() {
    let env = TestEnv::new();
    // NAME_MAX: the longest name there is, and one byte more; in two-byte letters, too.
    for name in ["n".repeat(255), "é".repeat(127)] {
        env.rvenv_for(newest(), ["--without-pip", &name]).succeeds();
        env.rvenv_for(newest(), ["--without-pip", "--clear", &name])
            .succeeds();
        env.run(env.at(&name).join("bin/python"), ["-c", "1"])
            .succeeds();
        assert_eq!(listing(&env.work()), [name.as_str()]);
        env.reset();
    }
    let outcome = env
        .rvenv_for(newest(), ["a/".to_owned() + &"n".repeat(256)])
        .outcome();
    outcome.expect_code(1);
    assert!(
        outcome.stderr.contains("choose a shorter path"),
        "{outcome}"
    );
    env.holds_only([]);

    // PATH_MAX: as long as files of the environment have a name, and then no more.
    let (mut made, mut refused) = (0, 0);
    for length in [
        3000, 3900, 3990, 4020, 4050, 4070, 4085, 4094, 4095, 4096, 5000,
    ] {
        let mut path = "a".to_owned();
        while env.at(&path).as_os_str().len() < length {
            path.push_str(if path.len() % 200 == 199 { "/d" } else { "d" });
        }
        let run = env.rvenv_for(newest(), ["--without-pip", &path]);
        let outcome = run.outcome();
        if outcome.status.success() {
            made += 1;
            assert!(fs::metadata(env.at(&path).join("pyvenv.cfg")).is_ok());
            env.reset();
        } else {
            refused += 1;
            outcome.expect_code(1);
            assert!(outcome.stderr.starts_with("Error: "), "{outcome}");
            assert!(outcome.stderr.contains("hint: "), "{outcome}");
            env.holds_only([]);
        }
    }
    assert!(made > 0 && refused > 0);
}

#[test]
fn with_a_pipe_that_nobody_reads() {
    let env = TestEnv::new();
    // The reader is gone before the first word: rvenv dies of SIGPIPE as other programs do, or has nothing more to say.
    let line = "( \"$@\" ; echo $? >status ) 2>&1 | true; sleep 0.1; while [ ! -s status ]; do :; done; cat status";
    let outcome = shell(&env, line, &["-v", "--without-pip", "env"]);
    let status: i32 = outcome.stdout.trim().parse().unwrap();
    match status {
        0 => assert!(env.at("env/pyvenv.cfg").exists()),
        // 128 + SIGPIPE.
        141 => assert!(!env.at("env").exists()),
        _ => panic!("{outcome}"),
    }
    assert!(
        !listing(&env.work())
            .iter()
            .any(|name| name.contains(".rvenv-"))
    );
}

#[test]
fn with_a_read_only_store() {
    let env = TestEnv::new();
    let Some(mount) = Mount::tmpfs(&env, "store", "size=1M,mode=700") else {
        return;
    };
    mount.remount("ro");
    if !has("mount") {
        return;
    }
    let run = env.rvenv_for(newest(), ["env"]);
    run.var("RVENV_CACHE_DIR", env.at("store")).succeeds();
    works(&env, "env");
}
