//! SIGINT, SIGTERM and SIGHUP at any moment: everything is undone, every child process has ended, and the exit status is that
//! of the signal, unless the environment was already complete.

use std::{
    os::unix::fs::PermissionsExt as _,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use fs_err as fs;
use rustix::process::Signal;

use crate::tree::{leftovers, tree};
use crate::{env::TestEnv, faults::warm, interpreters::newest, wheel};

crate::harness::trials! {
    at_any_moment,
    while_ensurepip_runs,
    sigpipe_ends_nothing(full),
    while_pip_is_compiled,
    while_pip_upgrades_itself,
    a_child_that_ignores_signals_is_killed(full),
    #[cfg(target_os = "linux")] signals_that_the_parent_ignores_stay_ignored,
}

const SIGNALS: [Signal; 3] = [Signal::INT, Signal::TERM, Signal::HUP];

/// How many processes have this text in their command line or current folder.
fn processes(text: &Path) -> usize {
    let text = text.to_str().unwrap();
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let found = entries.filter(|entry| {
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let cwd = fs::read_link(entry.path().join("cwd")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains(text) || cwd.to_string_lossy().contains(text)
    });
    found.count()
}

/// Fails unless the processes that work in `env` end.
#[track_caller]
fn nobody_works(env: &TestEnv) {
    let started = Instant::now();
    while processes(&env.work()) > 0 {
        assert!(
            started.elapsed() < Duration::from_secs(20),
            "a child goes on"
        );
        thread::sleep(Duration::from_millis(5));
    }
}

fn at_any_moment() {
    for (args, cleared) in [
        (&["--without-pip", "a/env"][..], false),
        (&["a/env"], false),
        (&["--clear", "env"], true),
        (&["--clear", "--without-pip", "."], true),
        (&["--upgrade", "env"], true),
    ] {
        let env = TestEnv::new();
        let run = || {
            let cwd = if args.contains(&".") { "env" } else { "" };
            let run = env.rvenv_for(newest(), args).cwd(cwd);
            run.var("RVENV_CACHE_DIR", warm())
        };
        let prepare = || {
            env.reset();
            if cleared {
                let args = ["--without-pip", "--prompt=old", "env"];
                env.rvenv_for(newest(), args).succeeds();
                fs::write(env.at("env/mine"), "mine").unwrap();
            }
            tree(&env.work())
        };
        prepare();
        let started = Instant::now();
        run().succeeds();
        let whole = started.elapsed();
        for moment in 0..12 {
            let signal = SIGNALS[moment as usize % SIGNALS.len()];
            let before = prepare();
            let run = run().start();
            // Only after it has installed its handler. Before that the signal kills it, but nothing has been created.
            thread::sleep(whole * moment / 12);
            run.signal(signal);
            let outcome = run.finish();
            let after = tree(&env.work());
            if outcome.status.success() {
                assert_ne!(before, after, "nothing was done, but {outcome}");
            } else {
                assert_eq!(outcome.signal(), Some(signal.as_raw()), "{outcome}");
                assert_eq!(before, after, "something is left: {outcome}");
            }
            assert_eq!(outcome.stdout + &outcome.stderr, "");
            assert_eq!(leftovers(&env.work()), [""; 0]);
            env.left_nothing_in_tmp();
        }
    }
}

/// Sends a signal while a child process of rvenv works in the stage.
fn while_a_child_works(args: &[&str]) {
    for signal in SIGNALS {
        let env = TestEnv::new();
        let mut run = env.rvenv_for(newest(), args).start();
        run.until(|| processes(&env.at("a")) > 0);
        run.signal(signal);
        let outcome = run.finish();
        assert_eq!(outcome.signal(), Some(signal.as_raw()), "{outcome}");
        assert_eq!(outcome.stdout + &outcome.stderr, "");
        nobody_works(&env);
        env.holds_only([]);
    }
}

fn while_ensurepip_runs() {
    while_a_child_works(&["--seeder", "ensurepip", "--no-cache", "a/env"]);
}

fn while_pip_is_compiled() {
    while_a_child_works(&["--no-cache", "a/env"]);
}

/// SIGPIPE is ignored, as CPython ignores it.
fn sigpipe_ends_nothing() {
    let env = TestEnv::new();
    let args = ["--seeder", "ensurepip", "--no-cache", "a/env"];
    let mut run = env.rvenv_for(newest(), args).start();
    run.until(|| processes(&env.at("a")) > 0);
    run.signal(Signal::PIPE);
    let outcome = run.finish();
    outcome.expect_code(0);
    assert_eq!(outcome.stdout + &outcome.stderr, "");
    env.run(env.at("a/env/bin/pip"), ["--version"]).stdout();
}

fn while_pip_upgrades_itself() {
    for (signal, flags) in SIGNALS.into_iter().zip([&[][..], &["--clear"], &[]]) {
        let env = TestEnv::new();
        let wheels = env.root().join("wheels");
        for name in ["pip", "setuptools"] {
            wheel::write_wheel(&env, &wheels, name, "999.0");
        }
        if !flags.is_empty() {
            env.rvenv_for(newest(), ["--without-pip", "env"]).succeeds();
        }
        let before = tree(&env.work());
        let args = [flags, &["--upgrade-deps", "env"]].concat();
        let run = env.rvenv_for(newest(), args).var("RVENV_CACHE_DIR", warm());
        let run = run.var("PIP_NO_INDEX", "1").var("PIP_FIND_LINKS", wheels);
        let mut run = run.start();
        let pip = || {
            let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
            let mut lines = entries.map(|entry| fs::read(entry.path().join("cmdline")));
            let own = env.at("env");
            lines.any(|line| {
                let line = line.unwrap_or_default();
                let line = String::from_utf8_lossy(&line);
                line.contains("--upgrade\0") && line.contains(own.to_str().unwrap())
            })
        };
        run.until(pip);
        run.signal(signal);
        let outcome = run.finish();
        assert_eq!(outcome.signal(), Some(signal.as_raw()), "{outcome}");
        nobody_works(&env);
        assert_eq!(before, tree(&env.work()), "{outcome}");
        assert_eq!(leftovers(&env.work()), [""; 0]);
    }
}

/// A Python that reports when it is queried and then never answers.
fn hanging(env: &TestEnv) -> String {
    let python = env.root().join("hangs");
    let script = format!(
        "#!/bin/sh\ntrap '' TERM INT HUP\ntouch '{}'\nsleep 1\nsleep 1000\n",
        env.at("asked").display()
    );
    fs::write(&python, script).unwrap();
    fs::set_permissions(&python, std::fs::Permissions::from_mode(0o755)).unwrap();
    python.to_str().unwrap().to_owned()
}

fn a_child_that_ignores_signals_is_killed() {
    let env = TestEnv::new();
    let python = hanging(&env);
    let mut run = env.rvenv(["-p", &python, "env"]).start();
    run.until(|| env.at("asked").exists());
    run.signal(Signal::INT);
    let outcome = run.finish();
    assert_eq!(outcome.signal(), Some(Signal::INT.as_raw()), "{outcome}");
    nobody_works(&env);
}

#[cfg(target_os = "linux")]
fn signals_that_the_parent_ignores_stay_ignored() {
    let env = TestEnv::new();
    let program = crate::env::program();
    let python = newest().executable.to_str().unwrap();
    let line = format!(
        "trap '' HUP INT; exec '{}' \"$@\"",
        program.to_str().unwrap()
    );
    let args = ["-c", &line, "sh", "-p", python, "--no-cache", "env"];
    let mut run = env.run("/bin/sh", args).start();
    run.until(|| !crate::env::listing(&env.work()).is_empty());
    for signal in [Signal::HUP, Signal::INT] {
        run.signal(signal);
    }
    let outcome = run.finish();
    outcome.expect_code(0);
    assert_eq!(outcome.stdout + &outcome.stderr, "");
    env.holds_only(["env"]);
    env.run(env.at("env/bin/pip"), ["--version"]).stdout();
}
