//! `RVENV_*` variables: none conflicts with an option, and an empty one counts as unset.

use fs_err as fs;

use crate::env::{Run, TestEnv, listing, program, store};
use crate::interpreters::newest;

crate::harness::trials! {
    no_variable_conflicts_with_an_option,
    an_option_counts_more_than_a_variable,
    an_empty_variable_counts_as_unset,
    every_question_is_answered_under_python_m,
}

/// All of them set, with the Python given.
fn with_all<'a>(env: &TestEnv, run: Run<'a>, python: &str) -> Run<'a> {
    run.var("RVENV_PYTHON", python)
        .var("RVENV_SEEDER", "wheel")
        .var("RVENV_FIND_LINKS", env.root())
        .var("RVENV_CACHE_DIR", env.root().join("cache"))
        .var("RVENV_NO_CACHE", "1")
}

/// Options that do not create an environment.
const QUESTIONS: [&[&str]; 8] = [
    &["--man"],
    &["--completions", "bash"],
    &["--help"],
    &["--version"],
    &["--list-pythons"],
    &["--list-pythons", "--json"],
    &["--prune-cache"],
    &["--no-cache", "--prune-cache"],
];

fn no_variable_conflicts_with_an_option() {
    let env = TestEnv::new();
    for args in QUESTIONS {
        let outcome = with_all(&env, env.rvenv(args), "/no/such/python").outcome();
        outcome.expect_code(0);
    }
    fs::write(env.at("file"), "").unwrap();
    let options: [&[&str]; 24] = [
        &["--system-site-packages"],
        &["--symlinks"],
        &["--copies"],
        &["--clear"],
        &["--upgrade"],
        &["--without-pip"],
        &["--prompt", "x"],
        &["--upgrade-deps"],
        &["--without-scm-ignore-files"],
        &["-p", "/no/such/python"],
        &["--python=/no/such/python"],
        &["-r", "file"],
        &["-r", "file", "-c", "file"],
        &["--with", "six"],
        &["--keep"],
        &["--force"],
        &["--relocatable"],
        &["--seeder", "ensurepip"],
        &["--find-links", "."],
        &["--cache-dir", "cache"],
        &["--no-cache"],
        &["--json"],
        &["--quiet"],
        &["--verbose"],
    ];
    for args in options {
        // The Python is searched for after the command line was parsed.
        let args = [args, &["env"]].concat();
        let outcome = with_all(&env, env.rvenv(&args), "/no/such/python").outcome();
        outcome.expect_code(1);
        assert!(outcome.stderr.contains("/no/such/python"), "{outcome}");
    }
    let run = with_all(&env, env.rvenv(["--check", "env"]), "/no/such/python");
    run.outcome().expect_code(1);
}

fn an_option_counts_more_than_a_variable() {
    let env = TestEnv::new();
    let python = newest().executable.to_str().unwrap();
    let warm = ["--warm-cache", "--without-pip"];
    with_all(&env, env.rvenv(warm), python).succeeds();
    assert_eq!(listing(&store(&env.root().join("cache"))).len(), 2);
    let run = env.rvenv(["--without-pip", "--cache-dir", "named", "env"]);
    with_all(&env, run, python).succeeds();
    assert!(store(&env.at("named")).exists());
    let run = env.rvenv_for(newest(), warm);
    run.var("RVENV_NO_CACHE", "0").succeeds();
}

fn an_empty_variable_counts_as_unset() {
    let env = TestEnv::new();
    let mut run = env.rvenv_for(newest(), ["--without-pip", "env"]);
    for name in ["PYTHON", "SEEDER", "FIND_LINKS", "CACHE_DIR", "NO_CACHE"] {
        run = run.var(format!("RVENV_{name}"), "");
    }
    run.succeeds();
    assert!(env.root().join("home/.cache/rvenv").exists());
    let run = env.rvenv(["env"]).var("RVENV_SEEDER", "bogus");
    run.fails(2, &["RVENV_SEEDER", "bogus"]);
}

fn every_question_is_answered_under_python_m() {
    let env = TestEnv::new();
    let folder = env.root().join("packages");
    fs::create_dir_all(folder.join("bin")).unwrap();
    let link = |target: &std::path::Path, name: &str| {
        std::os::unix::fs::symlink(target, folder.join(name)).unwrap();
    };
    let package = concat!(env!("CARGO_MANIFEST_DIR"), "/python/rvenv");
    link(package.as_ref(), "rvenv");
    link(program().as_ref(), "bin/rvenv");
    let made: &[&str] = &["--without-pip", "env"];
    for args in QUESTIONS.into_iter().chain([made, &["--check", "env"]]) {
        let args = [&["-B", "-m", "rvenv"], args].concat();
        let run = env.run(&newest().executable, &args);
        let run = with_all(&env, run, "").var("PYTHONPATH", &folder);
        run.outcome().expect_code(0);
    }
}
