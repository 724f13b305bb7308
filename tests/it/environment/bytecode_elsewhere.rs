//! Bytecode in the directory that `PYTHONPYCACHEPREFIX` names: equal to what Python writes there, and removed if the run
//! fails.

use std::path::{Path, PathBuf};

use fs_err as fs;

use crate::env::{Run, TestEnv};
use crate::interpreters::newest;
use crate::tree::tree;

crate::harness::trials! {
    bytecode_in_another_folder_has_the_modes_that_python_gives_it(full),
    bytecode_in_another_folder_is_removed_when_the_run_is_undone(full),
    bytecode_in_another_folder_is_put_back_when_the_run_is_undone(full),
}

fn prefix(env: &TestEnv) -> PathBuf {
    env.root().join("cache/pycache")
}

/// Where the bytecode of `env` is.
fn of(env: &TestEnv, name: &str) -> PathBuf {
    let path = env.at(name);
    prefix(env).join(path.strip_prefix("/").unwrap())
}

/// A run, the pip of which finds nothing to install.
fn with<'a>(env: &'a TestEnv, args: &[&str]) -> Run<'a> {
    let run = env.rvenv_for(newest(), args).shared_cache();
    let run = run.var("PYTHONPYCACHEPREFIX", prefix(env));
    run.var("PIP_NO_INDEX", "1")
}

/// Paths and modes only.
fn modes(root: &Path) -> Vec<(PathBuf, u32)> {
    let entries = tree(root).into_iter();
    entries.map(|(path, entry)| (path, entry.mode)).collect()
}

fn bytecode_in_another_folder_has_the_modes_that_python_gives_it() {
    let env = TestEnv::new();
    for umask in [0o007, 0o022] {
        let python = newest().executable.as_os_str();
        let venv = ["-m", "venv", "env"];
        let run = env.run(python, venv).umask(umask);
        run.var("PYTHONPYCACHEPREFIX", prefix(&env)).succeeds();
        let expected = modes(&of(&env, "env"));
        assert!(expected.len() > 100);
        for folder in [env.at("env"), env.root().join("cache")] {
            fs::remove_dir_all(folder).unwrap();
        }
        with(&env, &["env"]).umask(umask).succeeds();
        assert_eq!(modes(&of(&env, "env")), expected, "{umask:o}");
        for folder in [env.at("env"), env.root().join("cache")] {
            fs::remove_dir_all(folder).unwrap();
        }
    }
}

fn bytecode_in_another_folder_is_removed_when_the_run_is_undone() {
    let env = TestEnv::new();
    with(&env, &["--with", "nothing", "env"]).errs(&["nothing"]);
    env.holds_only([]);
    assert!(!env.root().join("cache").exists());
    // The bytecode of another environment is kept.
    with(&env, &["env"]).succeeds();
    let before = tree(&prefix(&env));
    with(&env, &["--with", "nothing", "other"]).errs(&["nothing"]);
    assert!(tree(&prefix(&env)) == before);
}

fn bytecode_in_another_folder_is_put_back_when_the_run_is_undone() {
    let env = TestEnv::new();
    with(&env, &["env"]).succeeds();
    let folder = of(&env, "env");
    fs::write(folder.join("mine.pyc"), "mine").unwrap();
    let modules = fs::read_dir(folder.join("lib")).unwrap();
    let site_packages = modules.map(|entry| entry.unwrap().path().join("site-packages"));
    let pip = site_packages
        .map(|folder| folder.join("pip"))
        .next()
        .unwrap();
    let first = fs::read_dir(&pip)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let first = first.filter(|path| path.is_file()).min().unwrap();
    fs::write(first, "stale").unwrap();
    let before = tree(&prefix(&env));
    for flag in ["--clear", "--upgrade"] {
        with(&env, &[flag, "--with", "nothing", "env"]).errs(&["nothing"]);
        assert!(tree(&prefix(&env)) == before, "{flag}");
    }
    fs::remove_dir_all(env.at("env")).unwrap();
    with(&env, &["--with", "nothing", "env"]).errs(&["nothing"]);
    assert!(tree(&prefix(&env)) == before);
    // Backups are removed when the run is complete.
    with(&env, &["env"]).succeeds();
    env.holds_only(["env"]);
}
