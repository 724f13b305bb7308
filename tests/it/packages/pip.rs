//! pip in the environment works, and has nothing left to do. Its files are compared by the oracle.

use fs_err as fs;
use walkdir::WalkDir;

use crate::{
    env::TestEnv,
    interpreters::{Interpreter, a_few, each_with_pip, newest},
    oracle::write,
    wheel,
};

crate::harness::trials! {
    pip_works_for_every_python(each_with_pip),
    a_wheel_is_installed_run_and_removed(each_with_pip),
    pip_can_uninstall_itself_completely(each_with_pip),
    nothing_is_left_to_compile(each_with_pip),
    what_is_changed_in_one_environment_does_not_reach_the_next,
    without_pip_there_is_no_package(each_with_pip),
    modules_in_env_dir_do_not_take_the_standard_librarys_place(a_few),
    a_wheel_in_env_dir_is_not_taken_for_pip(a_few),
}

/// An environment with pip in `env`.
fn make(env: &TestEnv, python: &Interpreter) {
    env.rvenv_for(python, ["env"]).shared_cache().succeeds();
}

/// Runs the environment's pip, which must succeed. Warnings are ignored.
#[track_caller]
fn pip(env: &TestEnv, args: &[&str]) -> String {
    let args = [&["-m", "pip", "--disable-pip-version-check"], args].concat();
    let outcome = env
        .run(env.at("env/bin/python"), args)
        .var("PIP_NO_INDEX", "1")
        .outcome();
    outcome.expect_code(0);
    outcome.stdout
}

fn pip_works_for_every_python(python: &'static Interpreter) {
    let env = TestEnv::new();
    make(&env, python);
    let version = "import ensurepip; print(ensurepip.version())";
    let version = env.run(&python.executable, ["-c", version]).stdout();
    let expected = format!("pip {} from {}/", version.trim(), env.at("env").display());
    let names = [
        "pip".into(),
        "pip3".into(),
        format!("pip{}", python.short_version()),
    ];
    for name in names {
        let outcome = env
            .run(env.at("env/bin").join(name), ["--version"])
            .outcome();
        outcome.expect_code(0);
        assert!(outcome.stdout.starts_with(&expected), "{outcome}");
        assert_eq!(outcome.stderr, "", "{outcome}");
    }
    assert!(pip(&env, &["check"]).contains("No broken requirements found"));
}

fn a_wheel_is_installed_run_and_removed(python: &'static Interpreter) {
    let env = TestEnv::new();
    let wheel = wheel::write_wheel(&env, &env.root().join("wheels"), "hello", "1.5");
    make(&env, python);
    pip(&env, &["install", wheel.to_str().unwrap()]);
    env.run(env.at("env/bin/hello"), [""; 0])
        .prints(&format!("1.5 {}\n", env.at("env").display()));
    assert!(pip(&env, &["check"]).contains("No broken requirements found"));
    pip(&env, &["uninstall", "--yes", "hello"]);
    assert!(!env.at("env/bin/hello").exists());
}

fn pip_can_uninstall_itself_completely(python: &'static Interpreter) {
    let ways: [&[&str]; 2] = [
        &["-m", "pip", "uninstall", "--yes", "pip"],
        &["-m", "ensurepip._uninstall"],
    ];
    for way in ways {
        let env = TestEnv::new();
        make(&env, python);
        let outcome = env.run(env.at("env/bin/python"), way).outcome();
        outcome.expect_code(0);
        assert!(
            outcome.stdout.contains("Successfully uninstalled pip-"),
            "{outcome}"
        );
        let left = WalkDir::new(env.at("env")).into_iter().flatten();
        let left = left.filter(|entry| entry.file_type().is_file());
        let left: Vec<_> = left
            .map(walkdir::DirEntry::into_path)
            .filter(|path| path.to_string_lossy().contains("/pip"))
            // setuptools, where ensurepip brings it, knows a module of that name.
            .filter(|path| !path.to_string_lossy().contains("/setuptools"))
            .filter(|path| !path.to_string_lossy().contains("/pkg_resources"))
            // Debian's ensurepip puts its wheels into the environment.
            .filter(|path| !path.starts_with(env.at("env/share")))
            .collect();
        assert!(left.is_empty(), "{}: {left:?}", python.executable.display());
    }
}

fn nothing_is_left_to_compile(python: &'static Interpreter) {
    let env = TestEnv::new();
    make(&env, python);
    let times = || {
        let entries = WalkDir::new(env.at("env")).into_iter().map(Result::unwrap);
        let mut times: Vec<_> = entries
            .map(|entry| {
                let modified = fs::symlink_metadata(entry.path()).unwrap().modified();
                (entry.path().to_owned(), modified.unwrap())
            })
            .collect();
        times.sort();
        times
    };
    let before = times();
    pip(&env, &["--version"]);
    pip(&env, &["list"]);
    assert_eq!(before, times(), "{}", python.executable.display());
}

fn what_is_changed_in_one_environment_does_not_reach_the_next() {
    let env = TestEnv::new();
    let python = newest();
    let site_packages = format!("lib/{}/site-packages", python.python_folder());
    env.rvenv_for(python, ["first"]).succeeds();
    let module = format!("{site_packages}/pip/__init__.py");
    let original = fs::read(env.at("first").join(&module)).unwrap();
    for entry in WalkDir::new(env.at("first").join(&site_packages)) {
        let path = entry.unwrap().into_path();
        if path.is_file() {
            fs::write(&path, "changed in place").unwrap();
        }
    }
    env.rvenv_for(python, ["second"]).succeeds();
    assert_eq!(fs::read(env.at("second").join(&module)).unwrap(), original);
    env.run(env.at("second/bin/pip"), ["check"])
        .prints("No broken requirements found.\n");
}

fn without_pip_there_is_no_package(python: &'static Interpreter) {
    let env = TestEnv::new();
    env.reset();
    env.rvenv_for(python, ["--without-pip", "env"]).succeeds();
    let site_packages = format!("env/lib/{}/site-packages", python.python_folder());
    assert_eq!(crate::env::listing(&env.at(site_packages)), [""; 0]);
    assert!(!env.at("env/bin/pip").exists());
}

fn modules_in_env_dir_do_not_take_the_standard_librarys_place(python: &'static Interpreter) {
    // CPython runs ensurepip with ENV_DIR first on sys.path since 3.10.
    for seeder in ["auto", "ensurepip"] {
        let env = TestEnv::new();
        for name in [
            "tempfile",
            "ensurepip",
            "json",
            "sysconfig",
            "zipfile",
            "site",
        ] {
            let text = "open('../../tmp/ran', 'w'); raise SystemExit(9)\n";
            write(&env, format!("{name}.py"), text);
        }
        env.rvenv_for(python, ["."])
            .shared_cache()
            .var("RVENV_SEEDER", seeder)
            .succeeds();
        assert!(env.at("bin/pip").exists());
        env.left_nothing_in_tmp();
    }
}

fn a_wheel_in_env_dir_is_not_taken_for_pip(python: &'static Interpreter) {
    // gh-146310: an empty WHEEL_PKG_DIR meant the current folder.
    for seeder in ["auto", "ensurepip"] {
        let env = TestEnv::new();
        wheel::write_wheel(&env, &env.work(), "pip", "999.0");
        env.rvenv_for(python, ["."])
            .shared_cache()
            .var("RVENV_SEEDER", seeder)
            .succeeds();
        let outcome = env.run(env.at("bin/pip"), ["--version"]).outcome();
        assert!(outcome.stdout.starts_with("pip "), "{outcome}");
        assert!(!outcome.stdout.contains("999.0"), "{outcome}");
    }
}
