//! An interrupted run: the exit status is that of the signal, and nothing is left behind.

use std::os::unix::fs::PermissionsExt as _;

use fs_err as fs;
use rustix::process::Signal;

use crate::{
    env::{TestEnv, listing},
    interpreters::newest,
};

crate::harness::trials! {
    a_python_that_hangs_can_be_interrupted,
    an_interrupted_clear_leaves_the_old_environment,
}

const SIGNALS: [Signal; 3] = [Signal::INT, Signal::TERM, Signal::HUP];

fn a_python_that_hangs_can_be_interrupted() {
    for signal in SIGNALS {
        let env = TestEnv::new();
        let (python, asked) = (env.root().join("hangs"), env.root().join("asked"));
        let script = format!("#!/bin/sh\ntouch '{}'\nsleep 100\n", asked.display());
        fs::write(&python, script).unwrap();
        fs::set_permissions(&python, std::fs::Permissions::from_mode(0o755)).unwrap();
        let mut run = env.rvenv(["-p", python.to_str().unwrap(), "a/env"]).start();
        run.until(|| asked.exists());
        run.signal(signal);
        let outcome = run.finish();
        assert_eq!(outcome.signal(), Some(signal.as_raw()), "{outcome}");
        assert_eq!(outcome.stdout, "", "{outcome}");
        env.holds_only([]);
    }
}

fn an_interrupted_clear_leaves_the_old_environment() {
    let env = TestEnv::new();
    env.rvenv_for(newest(), ["--without-pip", "env"]).succeeds();
    fs::write(env.at("env/mine"), "mine").unwrap();
    let mut run = env
        .rvenv_for(newest(), ["--clear", "env"])
        .var("RVENV_SEEDER", "ensurepip")
        .start();
    let busy = || listing(&env.work()).len() > 1 || !listing(&env.root().join("tmp")).is_empty();
    run.until(busy);
    run.signal(Signal::TERM);
    let outcome = run.finish();
    assert_eq!(outcome.signal(), Some(Signal::TERM.as_raw()), "{outcome}");
    env.holds_only(["env"]);
    assert!(env.at("env/mine").exists() && env.at("env/bin/python").exists());
}
