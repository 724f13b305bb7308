//! Many processes at once: with the same `ENV_DIR`, with the same empty cache, and together with the environment's pip.

use std::{collections::BTreeSet, path::Path};

use fs_err as fs;

use crate::tree::leftovers;
use crate::{
    env::{Started, TestEnv, listing},
    faults::warm,
    harness::{some, whole},
    interpreters::newest,
};

crate::harness::trials! {
    on_one_directory(part),
    in_one_directory_that_is_cleared_in_place,
    with_one_empty_store(part),
    beside_the_environments_own_pip(part),
}

/// How many at once.
fn many() -> usize {
    if whole() { 32 } else { 6 }
}

/// Waits for all of them. Each must succeed without output.
#[track_caller]
fn all_succeed(runs: Vec<Started>) {
    for run in runs {
        let outcome = run.finish();
        outcome.expect_code(0);
        assert_eq!(outcome.stdout.clone() + &outcome.stderr, "", "{outcome}");
    }
}

/// Fails unless pip works, every file of site-packages is in RECORD and every file of RECORD is there.
#[track_caller]
fn is_whole(env: &TestEnv, path: &Path) {
    let site_packages = path.join(format!("lib/{}/site-packages", newest().python_folder()));
    let pip = env.run(path.join("bin/pip"), ["--version"]).stdout();
    assert!(pip.contains(site_packages.to_str().unwrap()), "{pip}");
    let installed = listing(&site_packages);
    let installed = installed.iter().filter(|name| name.ends_with(".dist-info"));
    let records: String = installed
        .map(|name| fs::read_to_string(site_packages.join(name).join("RECORD")).unwrap())
        .collect();
    let listed: BTreeSet<_> = records
        .lines()
        .map(|line| site_packages.join(line.split(',').next().unwrap()))
        .collect();
    for file in &listed {
        assert!(
            file.exists(),
            "{} is in RECORD, but not there",
            file.display()
        );
    }
    for entry in walkdir::WalkDir::new(&site_packages) {
        let entry = entry.unwrap();
        let is_listed = !entry.file_type().is_file() || listed.contains(entry.path());
        assert!(is_listed, "{} is not in RECORD", entry.path().display());
    }
    assert_eq!(leftovers(&env.work()), [""; 0]);
    assert_eq!(leftovers(path), [""; 0]);
}

fn on_one_directory() {
    let env = TestEnv::new();
    let all = |args: &[&str]| {
        let run = |_| {
            let run = env.rvenv_for(newest(), args);
            run.var("RVENV_CACHE_DIR", warm()).start()
        };
        all_succeed((0..many()).map(run).collect());
        is_whole(&env, &env.at("a/env"));
        assert_eq!(listing(&env.at("a")), ["env"]);
    };
    all(&["a/env"]);
    all(&["--clear", "a/env"]);
    all(&["--upgrade", "a/env"]);
    env.reset();
    all(&["--clear", "a/env"]);
    env.holds_only(["a"]);
}

fn in_one_directory_that_is_cleared_in_place() {
    let env = TestEnv::new();
    env.rvenv_for(newest(), ["--without-pip", "env"]).succeeds();
    let run = |_| {
        let run = env.rvenv_for(newest(), ["--clear", "."]).cwd("env");
        run.var("RVENV_CACHE_DIR", warm()).start()
    };
    for run in (0..4).map(run).collect::<Vec<_>>() {
        let outcome = run.finish();
        // They remove each other's files, which may be an error, but must not result in an incomplete environment.
        assert!(matches!(outcome.status.code(), Some(0 | 1)), "{outcome}");
    }
    run(0).finish().expect_code(0);
    is_whole(&env, &env.at("env"));
}

fn with_one_empty_store() {
    let env = TestEnv::new();
    let names: Vec<_> = (0..many()).map(|number| format!("env{number}")).collect();
    let runs = names
        .iter()
        .map(|name| env.rvenv_for(newest(), [name]).start());
    all_succeed(runs.collect());
    for name in &names[..3] {
        is_whole(&env, &env.at(name));
    }
    // The cache contains one image and no unfinished files.
    let cache = env.root().join("home/.cache");
    assert_eq!(listing(&cache), ["rvenv"]);
    let stored = listing(&crate::env::store(&cache.join("rvenv")));
    let images = stored.iter().filter(|name| name.starts_with("image-"));
    assert_eq!(images.count(), 1, "{stored:?}");
    assert!(
        !stored.iter().any(|name| name.starts_with(".new-")),
        "{stored:?}"
    );
}

fn beside_the_environments_own_pip() {
    let env = TestEnv::new();
    let run = |args: &[&str]| {
        let run = env.rvenv_for(newest(), args);
        run.var("RVENV_CACHE_DIR", warm())
    };
    run(&["env"]).succeeds();
    for flags in some(&[&[][..], &["--upgrade"]], 1) {
        let args = ["freeze", "--all"];
        let pip = || env.run(env.at("env/bin/pip"), args).start();
        let rounds = if whole() { 8 } else { 2 };
        let mut pips: Vec<_> = (0..rounds / 2).map(|_| pip()).collect();
        for _ in 0..rounds {
            run(&[*flags, &["env"]].concat()).succeeds();
            pips.push(pip());
        }
        for pip in pips {
            let outcome = pip.finish();
            outcome.expect_code(0);
            assert!(outcome.stdout.starts_with("pip=="), "{outcome}");
        }
    }
    is_whole(&env, &env.at("env"));
}
