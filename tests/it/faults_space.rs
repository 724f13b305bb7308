//! No space, no inodes, no quota, no open files, no permission, and a parent that vanishes: an error that names a path and says
//! what to do, and everything as before.

use std::{collections::BTreeMap, ffi::OsString, path::Path};

use fs_err as fs;

use crate::{
    env::{Outcome, TestEnv, program},
    faults::{Mount, has, leftovers, nobody, state, warm},
    interpreters::newest,
};

/// Fails unless this is one error that names something below `path` and has a hint.
#[track_caller]
fn is_clear(outcome: &Outcome, path: &Path) {
    outcome.expect_code(1);
    assert_eq!(outcome.stdout, "", "{outcome}");
    assert!(outcome.stderr.starts_with("Error: "), "{outcome}");
    assert_eq!(outcome.stderr.matches("Error: ").count(), 1, "{outcome}");
    assert!(outcome.stderr.contains(path.to_str().unwrap()), "{outcome}");
    assert!(outcome.stderr.contains("\n  hint: "), "{outcome}");
}

/// On a file system that is too small: new, and in place of an old environment.
fn too_small(options: &str, text: &str) {
    let env = TestEnv::new();
    let Some(mount) = Mount::tmpfs(&env, "small", options) else {
        return;
    };
    let path = env.at("small");
    let failing = |args: &[&str]| {
        let before = state(&path);
        let run = env.rvenv_for(newest(), args).var("RVENV_CACHE_DIR", warm());
        let outcome = run.outcome();
        is_clear(&outcome, &path);
        assert!(outcome.stderr.contains(text), "{outcome}");
        assert_eq!(state(&path), before, "{outcome}");
        assert_eq!(leftovers(&path), [""; 0], "{outcome}");
    };
    failing(&["small/env"]);
    failing(&["--copies", "small/a/b/env"]);
    env.rvenv_for(newest(), ["--without-pip", "small/env"])
        .succeeds();
    failing(&["--clear", "small/env"]);
    failing(&["--upgrade", "small/env"]);
    failing(&["--no-cache", "small/env"]);
    // The environment that was there still works, and with room there is one.
    env.run(path.join("env/bin/python"), ["-c", "1"]).succeeds();
    mount.remount("size=60M,nr_inodes=9000");
    let run = env.rvenv_for(newest(), ["--clear", "small/env"]);
    run.var("RVENV_CACHE_DIR", warm()).succeeds();
    env.run(path.join("env/bin/pip"), ["--version"]).stdout();
}

#[test]
fn no_space() {
    too_small("size=3M", "free some space");
}

#[test]
fn no_inodes() {
    too_small("size=60M,nr_inodes=200", "free some space");
}

#[test]
fn a_full_store_is_no_obstacle() {
    let env = TestEnv::new();
    let Some(_mount) = Mount::tmpfs(&env, "store", "size=100k,mode=700") else {
        return;
    };
    let run = env.rvenv_for(newest(), ["env"]);
    run.var("RVENV_CACHE_DIR", env.at("store")).succeeds();
    env.run(env.at("env/bin/pip"), ["--version"]).stdout();
    assert!(
        !crate::env::listing(&env.at("store"))
            .iter()
            .any(|name| name.starts_with(".new"))
    );
}

#[test]
fn a_read_only_file_system() {
    let env = TestEnv::new();
    let Some(mount) = Mount::tmpfs(&env, "ro", "size=60M") else {
        return;
    };
    env.rvenv_for(newest(), ["--without-pip", "ro/env"])
        .succeeds();
    mount.remount("ro");
    for args in [
        &["ro/new"][..],
        &["ro/env"],
        &["--clear", "ro/env"],
        &["--upgrade", "ro/env"],
    ] {
        let args = [&["--without-pip"], args].concat();
        is_clear(&env.rvenv_for(newest(), args).outcome(), &env.at("ro"));
    }
}

#[test]
fn limits_of_a_process() {
    let env = TestEnv::new();
    let shell = |limit: &str, args: &[&str]| {
        let line = format!("{limit}; exec \"$@\"");
        let program = program();
        let own = ["-c", &line, "bash", program.to_str().unwrap()];
        let python = ["-p", newest().executable.to_str().unwrap()];
        let args = own.into_iter().chain(python).chain(args.iter().copied());
        env.run("bash", args)
            .var("RVENV_CACHE_DIR", warm())
            .outcome()
    };
    if !has("bash") {
        return;
    }
    // Blocks of 1024 bytes: pip has longer files.
    for args in [&["a/env"][..], &["--no-cache", "a/env"]] {
        let outcome = shell("ulimit -f 20", args);
        is_clear(&outcome, &env.root().join(""));
        assert!(outcome.stderr.contains("ulimit -f"), "{outcome}");
        env.holds_only([]);
    }
    // As few as a process can be expected to have.
    for args in [
        &["env"][..],
        &["--clear", "env"],
        &["--no-cache", "--clear", "env"],
    ] {
        let outcome = shell("ulimit -n 16", args);
        outcome.expect_code(0);
        env.run(env.at("env/bin/pip"), ["--version"]).stdout();
        env.holds_only(["env"]);
    }
    fs::remove_dir_all(env.at("env")).unwrap();
    for files in 3..10 {
        let outcome = shell(&format!("ulimit -n {files}"), &["env"]);
        if !outcome.status.success() && outcome.stderr.starts_with("Error: ") {
            env.holds_only([]);
        } else if !outcome.status.success() {
            // The program itself could not be loaded.
            assert!(
                outcome.stderr.contains("shared librar") || outcome.signal().is_some(),
                "{outcome}"
            );
        } else {
            fs::remove_dir_all(env.at("env")).unwrap();
        }
    }
}

#[test]
fn no_threads() {
    let env = TestEnv::new();
    let Some(nobody) = nobody(&env) else { return };
    if !has("bash") {
        return;
    }
    // The limit is the user's, so it is set where that user already runs; then for what only makes pip from the store, too.
    for (limit, args) in [(1, &["--no-cache", "env"][..]), (3, &["--no-cache", "env"])] {
        let line = nobody.line(args);
        let shell = format!("ulimit -u {limit}; exec \"$@\"");
        let shell = ["bash", "-c", &shell, "bash"].map(OsString::from);
        let at = nobody.before.len();
        let line: Vec<_> = [&line[..at], &shell, &line[at..]].concat();
        let outcome = env.run(&line[0], &line[1..]).outcome();
        if outcome.status.success() {
            env.run(env.at("env/bin/pip"), ["--version"]).stdout();
            env.reset();
            fs::os::unix::fs::chown(env.work(), Some(65534), Some(65534)).unwrap();
        } else {
            outcome.expect_code(1);
            assert!(outcome.stderr.starts_with("Error: "), "{outcome}");
            env.holds_only([]);
        }
    }
}

#[test]
fn no_permission() {
    let env = TestEnv::new();
    let Some(nobody) = nobody(&env) else { return };
    fs::create_dir(env.root().join("theirs")).unwrap();
    let theirs = env.root().join("theirs/env");
    let line = nobody.line(&["--without-pip", theirs.to_str().unwrap()]);
    is_clear(&env.run(&line[0], &line[1..]).outcome(), &theirs);
    assert!(!theirs.exists());
}

#[test]
fn a_parent_that_vanishes() {
    for _ in 0..5 {
        let env = TestEnv::new();
        fs::create_dir(env.at("parent")).unwrap();
        let run = env.rvenv_for(newest(), ["parent/env"]);
        let mut run = run.var("RVENV_CACHE_DIR", warm()).start();
        run.until(|| {
            fs::read_dir(env.at("parent")).is_ok_and(|mut entries| entries.next().is_some())
        });
        // It may be at work in there, so that not all goes at once.
        while fs::remove_dir_all(env.at("parent")).is_err() && env.at("parent").exists() {}
        let outcome = run.finish();
        if outcome.status.success() {
            // It came after the removal, or was there before.
            continue;
        }
        outcome.expect_code(1);
        assert!(outcome.stderr.starts_with("Error: "), "{outcome}");
        assert!(
            outcome.stderr.contains(env.at("parent").to_str().unwrap()),
            "{outcome}"
        );
        assert!(!env.at("parent/env").exists(), "{outcome}");
    }
}

/// Every call that changes something fails once, each time in another place.
#[test]
fn every_call_fails_once() {
    const CALLS: &str =
        "write,mkdir,mkdirat,symlinkat,fchmod,linkat,rename,renameat2,rmdir,unlinkat";
    if !has("strace") {
        return;
    }
    let env = TestEnv::new();
    let log = env.root().join("log");
    let trace = format!("trace={CALLS}");
    let program = program();
    let run = |inject: &str, args: &[&str]| {
        let own = [
            "-f",
            "-qq",
            "-e",
            &trace,
            "-e",
            inject,
            "-e",
            "signal=none",
            "-o",
        ];
        let rest = [log.to_str().unwrap(), program.to_str().unwrap(), "-p"];
        let python = [newest().executable.to_str().unwrap(), "--without-pip"];
        let args = own
            .into_iter()
            .chain(rest)
            .chain(python)
            .chain(args.iter().copied());
        env.run("strace", args)
            .var("RVENV_CACHE_DIR", warm())
            .outcome()
    };
    for args in [
        &["a/env"][..],
        &["--clear", "env"],
        &["--prompt=new", "env"],
    ] {
        let prepare = || {
            env.reset();
            if args.contains(&"env") {
                env.rvenv_for(newest(), ["--without-pip", "env"]).succeeds();
                fs::write(env.at("env/mine"), "mine").unwrap();
            }
            state(&env.work())
        };
        prepare();
        run("trace=all", args).expect_code(0);
        let mut counts: BTreeMap<String, u32> = BTreeMap::new();
        for line in fs::read_to_string(&log).unwrap().lines() {
            let call = line
                .split_once('(')
                .and_then(|(call, _)| call.rsplit(' ').next());
            if let Some(call) = call.filter(|call| CALLS.split(',').any(|c| c == *call)) {
                *counts.entry(call.to_owned()).or_default() += 1;
            }
        }
        let (mut tried, errors) = (0, ["ENOSPC", "EDQUOT", "EACCES", "EIO"]);
        for (call, count) in counts {
            for when in 1..=count {
                let error = errors[tried % errors.len()];
                let before = prepare();
                let moment = format!("{args:?}, {call} number {when} fails with {error}");
                let outcome = run(&format!("inject={call}:error={error}:when={when}"), args);
                tried += 1;
                if outcome.status.success() {
                    // It found another way, or could not remove what is of no use any more.
                    assert_ne!(state(&env.work()), before, "{moment}");
                    continue;
                }
                outcome.expect_code(1);
                assert!(
                    outcome.stderr.contains(env.root().to_str().unwrap()),
                    "{moment}: {outcome}"
                );
                assert_eq!(state(&env.work()), before, "{moment}: {outcome}");
            }
        }
        assert!(tried > 10);
    }
}
