//! Resource limits, and failures of each system call: an error or a fallback, but never a part of an environment.

use std::{collections::BTreeMap, ffi::OsString};

use fs_err as fs;

use crate::tree::tree;
use crate::{
    env::{TestEnv, program},
    faults::space::is_clear,
    faults::{Nobody, nobody, strace, strace_log, warm},
    harness::{some, whole},
    interpreters::newest,
};

crate::harness::trials! {
    limits_of_a_process(part) needs [BASH],
    no_threads needs [NOBODY, BASH],
    a_limit_of_processes_is_handled_or_named(part) needs [NOBODY, BASH],
    every_call_fails_once needs [STRACE],
}

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
    // Blocks of 1024 bytes: pip has longer files.
    for &args in some(&[&["a/env"][..], &["--no-cache", "a/env"]], 1) {
        let outcome = shell("ulimit -f 20", args);
        is_clear(&outcome, &env.root().join(""));
        assert!(outcome.stderr.contains("ulimit -f"), "{outcome}");
        env.holds_only([]);
    }
    // A limit as low as can be expected.
    let ways = [
        &["env"][..],
        &["--clear", "env"],
        &["--no-cache", "--clear", "env"],
    ];
    for &args in some(&ways, 2) {
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

/// The command line of a run by that user with a limit of processes, which is set where that user already runs.
fn limited(nobody: &Nobody, limit: u32, args: &[&str]) -> Vec<OsString> {
    let line = nobody.line(args);
    let shell = format!("ulimit -u {limit}; exec \"$@\"");
    let shell = ["bash", "-c", &shell, "bash"].map(OsString::from);
    let at = nobody.before.len();
    [&line[..at], &shell, &line[at..]].concat()
}

fn no_threads() {
    let env = TestEnv::new();
    let nobody = nobody(&env);
    // The limit applies to the user, so it is set in a process of this user. It is also tested with pip from the cache.
    for (limit, args) in [(1, &["--no-cache", "env"][..]), (3, &["--no-cache", "env"])] {
        let line = limited(&nobody, limit, args);
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

/// Each system call that changes something fails once.
fn every_call_fails_once() {
    const CALLS: &str =
        "write,mkdir,mkdirat,symlinkat,fchmod,linkat,rename,renameat2,rmdir,unlinkat";
    let env = TestEnv::new();
    let trace = format!("trace={CALLS}");
    let run = |inject: &str, args: &[&str]| {
        let args = [&["--without-pip"], args].concat();
        strace(&env, &[&trace, inject, "signal=none"], &args)
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
            tree(&env.work())
        };
        prepare();
        run("trace=all", args).expect_code(0);
        let mut counts: BTreeMap<String, u32> = BTreeMap::new();
        for line in fs::read_to_string(strace_log(&env)).unwrap().lines() {
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
                    // There was a fallback, or it could not remove temporary files.
                    assert_ne!(tree(&env.work()), before, "{moment}");
                    continue;
                }
                outcome.expect_code(1);
                assert!(
                    outcome.stderr.contains(env.root().to_str().unwrap()),
                    "{moment}: {outcome}"
                );
                assert_eq!(tree(&env.work()), before, "{moment}: {outcome}");
            }
        }
        assert!(tried > 10);
    }
}

/// The limit applies to all processes of a user, so it is reached at different moments.
fn a_limit_of_processes_is_handled_or_named() {
    let env = TestEnv::new();
    let nobody = nobody(&env);
    let (one, three) = (["--no-cache", "a"], ["a", "b", "c"]);
    let limits = |limits: &[u32]| -> Vec<u32> {
        if whole() {
            (0..12).collect()
        } else {
            limits.into()
        }
    };
    for (args, limits) in [(&one[..], limits(&[3])), (&three, limits(&[6]))] {
        for limit in limits {
            let line = limited(&nobody, limit, args);
            let outcome = env.run(&line[0], &line[1..]).outcome();
            if outcome.status.success() {
                for name in args.iter().filter(|arg| !arg.starts_with("--")) {
                    let pip = env.at(name).join("bin/pip");
                    env.run(pip, ["--version"]).stdout();
                }
            } else {
                outcome.expect_code(1);
                assert!(!outcome.stderr.contains("base Python"), "{outcome}");
                for error in outcome.stderr.split("Error: ").skip(1) {
                    assert!(error.contains("`ulimit -u "), "{limit}: {outcome}");
                }
            }
            env.reset();
            fs::os::unix::fs::chown(env.work(), Some(65534), Some(65534)).unwrap();
        }
    }
}
