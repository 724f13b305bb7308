//! A Python without ensurepip, such as Debian's without `python3-venv`, gets pip nevertheless.

use std::path::{Path, PathBuf};

use fs_err as fs;

use crate::{
    env::{TestEnv, listing},
    harness::some,
    interpreters::layouts::{keepable, prefix, without_ensurepip},
    interpreters::{Interpreter, newest},
};

crate::harness::trials! {
    pip_comes_from_another_python_and_suits_this_one(part) needs [KEEPABLE],
    its_own_wheels_come_first_then_the_given_then_others(full) needs [KEEPABLE],
    the_cache_keeps_a_pip_for_it(full),
    without_any_wheel_the_error_says_what_to_do needs [NO_OTHER_PLACE],
    #[cfg(target_os = "linux")] debians_own_without_its_venv_package needs [DEBIAN_PYTHON],
}

/// A Python without ensurepip in a folder beside `work`.
fn stripped(env: &TestEnv, python: &Interpreter) -> PathBuf {
    let executable = without_ensurepip(python, &env.root().join("stripped"));
    env.run(&executable, ["-m", "venv", "refused"])
        .outcome()
        .expect_code(1);
    env.reset();
    executable
}

/// The folder of a Python's own wheels, and the wheel of pip in it.
fn bundled(python: &Interpreter) -> PathBuf {
    let folder = format!("lib/python{}/ensurepip/_bundled", python.short_version());
    let folder = prefix(python).join(folder);
    let mut names = listing(&folder).into_iter();
    folder.join(names.find(|name| name.starts_with("pip-")).unwrap())
}

fn version(wheel: &Path) -> String {
    let name = wheel.file_name().unwrap().to_str().unwrap();
    name.split('-').nth(1).unwrap().to_owned()
}

/// The version of the pip that works in `env`, whose files are those of its RECORD.
#[track_caller]
fn pip(env: &TestEnv) -> String {
    let said = env.run(env.at("env/bin/pip"), ["--version"]).stdout();
    assert!(said.contains(env.at("env").to_str().unwrap()), "{said}");
    said.split(' ').nth(1).unwrap().to_owned()
}

/// Numbers that can be compared.
fn numbers(version: &str) -> Vec<u32> {
    version.split('.').map(|n| n.parse().unwrap()).collect()
}

fn pip_comes_from_another_python_and_suits_this_one() {
    let kept = keepable();
    let [oldest, .., last] = kept.as_slice() else {
        return;
    };
    for python in some(&[last, oldest], 1) {
        let env = TestEnv::new();
        let executable = stripped(&env, python);
        let path = kept.iter().map(|p| p.executable.parent().unwrap());
        let path = std::env::join_paths(path).unwrap();
        let args = ["-p", executable.to_str().unwrap(), "env"];
        env.rvenv(args).var("PATH", &path).succeeds();
        let version = numbers(&pip(&env));
        // pip 22 needs Python 3.7, as its own metadata says.
        assert_eq!(
            python.at_least(7),
            version >= vec![22],
            "{python:?}: {version:?}"
        );
        // With a filled cache nothing is searched for again.
        env.reset();
        env.rvenv(args).var("PATH", "/nowhere").succeeds();
        assert_eq!(numbers(&pip(&env)), version);
        env.holds_only(["env"]);
    }
}

fn its_own_wheels_come_first_then_the_given_then_others() {
    let env = TestEnv::new();
    let kept = keepable();
    let [.., given, python] = kept.as_slice() else {
        return;
    };
    let executable = stripped(&env, python);
    let executable = executable.to_str().unwrap();
    let (own, given) = (bundled(python), bundled(given));
    let links = env.root().join("links");
    fs::create_dir(&links).unwrap();
    let name = given.file_name().unwrap();
    fs::copy(&given, links.join(name)).unwrap();
    fs::write(links.join("pip-99.0-py3-none-any.whl"), "no wheel").unwrap();
    let links = links.to_str().unwrap();
    let run = |args: &[&str], variable: &str| {
        env.rvenv(["-p", executable, "env"].iter().chain(args))
            .var("RVENV_FIND_LINKS", variable)
            .var("PATH", python.executable.parent().unwrap())
            .succeeds();
        let version = pip(&env);
        env.reset();
        version
    };
    assert_eq!(run(&[], ""), version(&own), "that of the other Python");
    assert_eq!(run(&["--find-links", links], ""), version(&given));
    assert_eq!(
        run(&["--find-links", "/nowhere", "--find-links", links], ""),
        version(&given)
    );
    assert_eq!(run(&[], &format!("/nowhere:{links}")), version(&given));
    // The distribution's folder of wheels is the Python's own.
    let system = env.root().join("stripped/share/python-wheels");
    fs::create_dir_all(&system).unwrap();
    // Not the oldest, as an old pip claims to support every later Python.
    let mut others = kept.iter().rev().map(|python| bundled(python));
    let others = others.find(|wheel| ![version(&own), version(&given)].contains(&version(wheel)));
    let third = others.expect("a third pip");
    fs::copy(&third, system.join(third.file_name().unwrap())).unwrap();
    assert_eq!(run(&["--find-links", links], ""), version(&third));
}

fn the_cache_keeps_a_pip_for_it() {
    let env = TestEnv::new();
    let python = newest();
    env.rvenv_for(python, ["env"]).succeeds();
    let expected = pip(&env);
    let executable = stripped(&env, python);
    env.rvenv(["-p", executable.to_str().unwrap(), "env"])
        .var("PATH", "/nowhere")
        .succeeds();
    assert_eq!(pip(&env), expected);
}

fn without_any_wheel_the_error_says_what_to_do() {
    let env = TestEnv::new();
    let executable = stripped(&env, newest());
    let executable = executable.to_str().unwrap();
    let run = |args: &[&str]| {
        env.rvenv(["-p", executable, "env"].iter().chain(args))
            .var("PATH", "/nowhere")
    };
    run(&["--find-links", "/nowhere"]).errs(&[
        executable,
        "ensurepip",
        "/nowhere",
        "hint: ",
        "-venv",
        "--find-links",
        "--without-pip",
    ]);
    env.holds_only([]);
    run(&["--without-pip"]).succeeds();
    env.holds_only(["env"]);
}

/// Debian's Python without `python3-venv`.
#[cfg(target_os = "linux")]
fn debians_own_without_its_venv_package() {
    let executable = PathBuf::from(std::env::var_os("RVENV_TEST_DEBIAN_PYTHON").unwrap());
    let env = TestEnv::new();
    let refused = env.run(&executable, ["-m", "venv", "env"]).outcome();
    refused.expect_code(1);
    env.reset();
    let args = ["-p", executable.to_str().unwrap(), "env"];
    env.rvenv(args).succeeds();
    assert!(!pip(&env).is_empty());
    env.holds_only(["env"]);
}
