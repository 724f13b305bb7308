//! An environment that is recreated with its own Python: its base must be that of the environment, and never inside of it.

use std::{os::unix::fs::symlink, path::Path};

use fs_err as fs;

use crate::tree::tree;
use crate::{
    env::{PATH, Run, TestEnv},
    harness::whole,
    interpreters::layouts::{find_keepable, without_ensurepip},
    interpreters::{Interpreter, newest},
    python::graalpy,
};

crate::harness::trials! {
    an_activated_environment_is_recreated(part),
    an_environment_is_recreated_with_each_name_of_its_own_python(part),
    an_environment_is_recreated_with_the_python_of_one_that_is_based_on_it(part),
    no_environment_is_based_on_a_python_in_itself,
    no_environment_is_based_on_an_unknown_python_in_itself,
}

/// Up to 3.10 a Python in an environment reports itself as the base. The quick tier tests one of these.
fn pythons() -> Vec<&'static Interpreter> {
    let mut old = find_keepable()
        .into_iter()
        .filter(|python| !python.at_least(11));
    let oldest = old.next();
    let last = old.next_back().filter(|_| whole());
    oldest.into_iter().chain(last).chain([newest()]).collect()
}

/// As in a shell that has activated `env`.
fn activated<'a>(env: &'a TestEnv, args: &[&str]) -> Run<'a> {
    env.rvenv([&["--without-pip"], args].concat())
        .var("VIRTUAL_ENV", env.at("env"))
        .var("PATH", format!("{}:{PATH}", env.at("env/bin").display()))
}

/// Fails unless the environment works, with this Python, and its base is not in `without`.
#[track_caller]
fn stands_outside(env: &TestEnv, name: &str, python: &Interpreter, without: &Path, case: &str) {
    let at = env.at(name);
    let text = fs::read_to_string(at.join("pyvenv.cfg")).unwrap();
    let home = text.lines().find_map(|line| line.strip_prefix("home = "));
    assert!(
        !Path::new(home.unwrap()).starts_with(without),
        "{case}\n{text}"
    );
    for entry in fs::read_dir(at.join("bin")).unwrap() {
        let path = entry.unwrap().path();
        if let Ok(target) = fs::read_link(&path) {
            assert!(!target.starts_with(without), "{case}: {}", path.display());
        }
    }
    let script =
        "import sys; print(sys.version_info[:3] == tuple(map(int, sys.argv[1:])), sys.prefix)";
    let (major, minor, micro) = python.version;
    let version = [major, minor, micro].map(|number| number.to_string());
    let args = ["-c", script, &version[0], &version[1], &version[2]];
    let said = env.run(at.join("bin/python"), args).outcome();
    let expected = format!("True {}\n", at.display());
    assert_eq!(said.stdout, expected, "{case}\n{said}");
}

fn an_activated_environment_is_recreated() {
    for python in pythons() {
        let env = TestEnv::new();
        for links in ["--symlinks", "--copies"] {
            for args in [
                &["env"][..],
                &["--clear", "env"],
                &["--upgrade", "env"],
                &["--clear", "-p", "python3", "env"],
                &["--clear", "-p", "python", "env"],
            ] {
                env.rvenv_for(python, ["--without-pip", links, "env"])
                    .succeeds();
                activated(&env, &[&[links], args].concat()).succeeds();
                let case = format!("{python:?} {links} {args:?}");
                stands_outside(&env, "env", python, &env.at("env"), &case);
                env.reset();
            }
        }
    }
}

fn an_environment_is_recreated_with_each_name_of_its_own_python() {
    for python in pythons() {
        let env = TestEnv::new();
        let link = env.root().join("link");
        symlink(env.at("env"), &link).unwrap();
        symlink(env.at("env/bin/python3"), env.root().join("python")).unwrap();
        for request in [
            "env",
            "./env/",
            "env/bin/python",
            "env/bin/python3",
            "../link",
            "../link/bin/python",
            "../python",
        ] {
            for args in [&[][..], &["--clear"], &["--upgrade"]] {
                env.rvenv_for(python, ["--without-pip", "env"]).succeeds();
                let own = ["--without-pip", "-p", request];
                env.rvenv([&own, args, &["env"]].concat()).succeeds();
                let case = format!("{python:?} -p {request} {args:?}");
                stands_outside(&env, "env", python, &env.at("env"), &case);
                env.reset();
            }
        }
        // Also by another path of its parent directory.
        let other = env.root().join("other");
        symlink(env.work(), &other).unwrap();
        env.rvenv_for(python, ["--without-pip", "env"]).succeeds();
        let at = other.join("env");
        env.rvenv([
            "--without-pip",
            "-p",
            "env",
            "--clear",
            at.to_str().unwrap(),
        ])
        .succeeds();
        stands_outside(&env, at.to_str().unwrap(), python, &at, "a link");
        stands_outside(&env, at.to_str().unwrap(), python, &env.at("env"), "a link");
    }
}

fn an_environment_is_recreated_with_the_python_of_one_that_is_based_on_it() {
    for python in pythons() {
        for inner in ["inner", "env/inner"] {
            let env = TestEnv::new();
            env.rvenv_for(python, ["--without-pip", "env"]).succeeds();
            env.run(
                env.at("env/bin/python"),
                ["-m", "venv", "--without-pip", inner],
            )
            .succeeds();
            env.rvenv(["--without-pip", "--clear", "-p", inner, "env"])
                .succeeds();
            let case = format!("{python:?} {inner}");
            stands_outside(&env, "env", python, &env.at("env"), &case);
            if inner == "inner" {
                let said = env.run(env.at("inner/bin/python"), ["-c", "print(1)"]);
                said.prints("1\n");
            }
        }
    }
}

fn no_environment_is_based_on_a_python_in_itself() {
    let env = TestEnv::new();
    env.rvenv_for(newest(), ["--without-pip", "env"]).succeeds();
    let inside = without_ensurepip(newest(), &env.at("env/own"));
    // Bytecode that this Python writes is ignored.
    let now = || {
        let mut state = tree(&env.at("env"));
        state.retain(|path, _| !path.starts_with("own"));
        state
    };
    let before = now();
    for request in ["env/own", inside.to_str().unwrap()] {
        for args in [&[][..], &["--clear"], &["--upgrade"]] {
            let own = ["--without-pip", "-p", request];
            let said = if args == ["--clear"] {
                "installation"
            } else {
                "is inside the environment"
            };
            env.rvenv([&own, args, &["env"]].concat())
                .errs(&["env/own/", said]);
            assert!(now() == before, "{request} {args:?}");
        }
    }
    env.holds_only(["env"]);
}

fn no_environment_is_based_on_an_unknown_python_in_itself() {
    let env = TestEnv::new();
    let python = graalpy(&env);
    let configuration = env.root().join("pyvenv.cfg");
    fs::write(&configuration, "home = /nowhere\n").unwrap();
    for flags in [&[][..], &["--upgrade"]] {
        let own = ["-p", python.to_str().unwrap(), "--without-pip"];
        let env_dir = env.root().to_str().unwrap();
        env.rvenv([&own, flags, &[env_dir]].concat())
            .errs(&[python.to_str().unwrap(), "is inside the environment"]);
        let text = fs::read_to_string(&configuration).unwrap();
        assert_eq!(text, "home = /nowhere\n");
        assert!(!env.root().join("bin").exists());
    }
}
