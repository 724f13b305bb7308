//! `-r` and `--with`: the environment's own pip installs the packages, and a failure changes nothing.

use std::path::PathBuf;

use fs_err as fs;
use rustix::process::Signal;

use crate::env::{Run, TestEnv, listing};
use crate::interpreters::{Interpreter, a_few, newest};
use crate::tree::{changes, leftovers, tree};
use crate::wheel::write_wheel;

crate::harness::trials! {
    requirements_are_installed_by_the_environments_pip(a_few),
    several_files_and_several_directories_work(full),
    a_failure_of_pip_leaves_nothing_of_a_new_environment,
    a_failure_of_pip_restores_the_old_environment,
    what_was_installed_before_the_failure_is_undone_in_an_existing_environment(full),
    keep_keeps_the_environment_when_pip_fails(full),
    a_signal_ends_pip_and_undoes_all,
    without_pip_nothing_can_be_installed,
    a_missing_file_is_reported_before_anything_is_created,
    an_implementation_that_is_not_known_installs_them_too(full),
    constraints_limit_what_is_installed(full),
    no_short_option_deletes_an_environment,
    a_project_is_installed_in_editable_mode,
    groups_and_lock_files_go_to_a_pip_that_knows_them,
    a_pip_that_lacks_an_option_is_named_with_its_version,
}

/// A folder with the wheels of `one` and `two`, and a broken one of `bad`.
fn wheels(env: &TestEnv) -> PathBuf {
    let folder = env.root().join("wheels");
    write_wheel(env, &folder, "one", "1.0");
    write_wheel(env, &folder, "two", "2.0");
    fs::write(folder.join("bad-1.0-py3-none-any.whl"), "no wheel").unwrap();
    folder
}

fn offline<'a>(run: Run<'a>, wheels: &PathBuf) -> Run<'a> {
    run.shared_cache()
        .var("PIP_NO_INDEX", "1")
        .var("PIP_FIND_LINKS", wheels)
}

/// A requirement whose setup script reports that it runs, and then runs long enough to be interrupted.
fn slow(env: &TestEnv) -> (String, PathBuf) {
    let (folder, asked) = (env.root().join("slow"), env.root().join("asked"));
    fs::create_dir(&folder).unwrap();
    let said = asked.display();
    let asks = format!("import time\nopen('{said}', 'w').close()\ntime.sleep(100)\n");
    fs::write(folder.join("backend.py"), asks).unwrap();
    let text = "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n";
    fs::write(folder.join("pyproject.toml"), text).unwrap();
    (folder.to_str().unwrap().to_owned(), asked)
}

fn requirements_are_installed_by_the_environments_pip(python: &'static Interpreter) {
    let env = TestEnv::new();
    let wheels = wheels(&env);
    fs::create_dir(env.at("deps")).unwrap();
    fs::write(env.at("deps/all.txt"), "-r more.txt\n").unwrap();
    fs::write(env.at("deps/more.txt"), "one==1.0\n").unwrap();
    // pip must not import modules from the current directory.
    fs::write(env.at("tempfile.py"), "raise SystemExit('the wrong one')\n").unwrap();
    let args = ["-r", "deps/all.txt", "--with", "two", "env"];
    offline(env.rvenv_for(python, args), &wheels)
        .var("PYTHONPATH", env.work())
        .succeeds();
    let prefix = env.at("env");
    let said = |version: &str| format!("{version} {}\n", prefix.display());
    env.run(prefix.join("bin/one"), [""; 0])
        .prints(&said("1.0"));
    env.run(prefix.join("bin/two"), [""; 0])
        .prints(&said("2.0"));
    env.left_nothing_in_tmp();
}

fn several_files_and_several_directories_work() {
    let env = TestEnv::new();
    let wheels = wheels(&env);
    fs::write(env.at("1.txt"), "one\n").unwrap();
    fs::write(env.at("2.txt"), "two\n").unwrap();
    let args = ["-r1.txt", "--requirements=2.txt", "a", "b"];
    offline(env.rvenv_for(newest(), args), &wheels).succeeds();
    for name in ["a/bin/one", "a/bin/two", "b/bin/one", "b/bin/two"] {
        assert!(env.at(name).exists(), "{name}");
    }
}

fn a_failure_of_pip_leaves_nothing_of_a_new_environment() {
    let env = TestEnv::new();
    let wheels = wheels(&env);
    let args = ["--with", "one", "--with", "bad", "a/env"];
    offline(env.rvenv_for(newest(), args), &wheels).errs(&["-m pip install", "bad"]);
    env.holds_only([]);
}

fn a_failure_of_pip_restores_the_old_environment() {
    let env = TestEnv::new();
    let wheels = wheels(&env);
    let make = |args: &[&str]| offline(env.rvenv_for(newest(), args), &wheels);
    make(&["--with", "one", "env"]).succeeds();
    fs::write(env.at("env/mine"), "mine").unwrap();
    let before = tree(&env.at("env"));
    for way in [&["--clear"][..], &["--upgrade"], &[]] {
        let args = [way, &["--with", "bad", "env"]].concat();
        make(&args).errs(&["bad"]);
        let now = tree(&env.at("env"));
        assert_eq!(
            changes(&before, &now),
            [""; 0].map(PathBuf::from),
            "{way:?}"
        );
        assert_eq!(leftovers(&env.at("env")), [""; 0]);
        env.holds_only(["env"]);
    }
}

fn what_was_installed_before_the_failure_is_undone_in_an_existing_environment() {
    let env = TestEnv::new();
    let wheels = wheels(&env);
    let newer = env.root().join("newer");
    write_wheel(&env, &newer, "one", "1.1");
    offline(
        env.rvenv_for(newest(), ["--with", "one==1.0", "env"]),
        &wheels,
    )
    .succeeds();
    let before = tree(&env.at("env"));
    // This pip installs the packages and then fails.
    let site_packages = env.at(format!(
        "env/lib/{}/site-packages",
        newest().python_folder()
    ));
    let main = site_packages.join("pip/__main__.py");
    let text = fs::read_to_string(&main).unwrap();
    let broken = text.replace("sys.exit(_main())", "_main(); sys.exit(3)");
    assert_ne!(text, broken);
    fs::write(&main, &broken).unwrap();
    let args = ["--with", "one==1.1", "--with", "two", "env"];
    offline(env.rvenv_for(newest(), args), &newer)
        .var(
            "PIP_FIND_LINKS",
            format!("{} {}", newer.display(), wheels.display()),
        )
        .errs(&["exit status: 3", "Successfully installed one-1.1 two-2.0"]);
    assert_eq!(fs::read_to_string(&main).unwrap(), broken);
    fs::write(&main, &text).unwrap();
    let now = tree(&env.at("env"));
    let changed = changes(&before, &now);
    let is_main = |path: &PathBuf| path.to_string_lossy().contains("__main__");
    assert!(changed.iter().all(is_main), "{changed:?}");
    env.run(env.at("env/bin/one"), [""; 0])
        .prints(&format!("1.0 {}\n", env.at("env").display()));
}

fn keep_keeps_the_environment_when_pip_fails() {
    let env = TestEnv::new();
    let wheels = wheels(&env);
    let args = ["--keep", "--with", "bad", "env"];
    offline(env.rvenv_for(newest(), args), &wheels).errs(&["bad"]);
    env.holds_only(["env"]);
    env.run(env.at("env/bin/pip"), ["--version"])
        .outcome()
        .expect_code(0);
    let args = ["--keep", "--clear", "--with", "one", "--with", "bad", "env"];
    fs::write(env.at("env/mine"), "mine").unwrap();
    offline(env.rvenv_for(newest(), args), &wheels).errs(&["bad"]);
    env.holds_only(["env"]);
    assert!(!env.at("env/mine").exists());
}

fn a_signal_ends_pip_and_undoes_all() {
    for signal in [Signal::INT, Signal::TERM] {
        let env = TestEnv::new();
        let wheels = wheels(&env);
        let (requirement, asked) = slow(&env);
        let args = ["--with", &requirement, "env"];
        let mut run = offline(env.rvenv_for(newest(), args), &wheels).start();
        run.until(|| asked.exists());
        assert!(env.at("env/bin/pip").exists());
        run.signal(signal);
        let outcome = run.finish();
        assert_eq!(outcome.signal(), Some(signal.as_raw()), "{outcome}");
        assert_eq!(listing(&env.work()), [""; 0], "{outcome}");
    }
}

fn without_pip_nothing_can_be_installed() {
    let env = TestEnv::new();
    for args in [["--with", "one"], ["-r", "all.txt"]] {
        let args = [&args[..], &["--without-pip", "env"]].concat();
        env.rvenv(args).fails(2, &["--without-pip", "pip"]);
    }
    env.rvenv(["--with"]).fails(2, &["--with"]);
    env.holds_only([]);
}

fn a_missing_file_is_reported_before_anything_is_created() {
    let env = TestEnv::new();
    let run = env.rvenv_for(newest(), ["-r", "missing.txt", "env"]);
    run.errs(&[
        "could not open requirements file 'missing.txt': No such file",
        "hint: check the path",
    ]);
    env.holds_only([]);
    // Not even the Python was queried.
    assert!(!env.root().join("home/.cache").exists());
}

fn an_implementation_that_is_not_known_installs_them_too() {
    let env = TestEnv::new();
    let wheels = wheels(&env);
    let python = crate::python::graalpy(&env);
    let python = python.to_str().unwrap();
    let make = |args: &[&str]| offline(env.rvenv([&["-p", python], args].concat()), &wheels);
    make(&["--with", "bad", "env"]).errs(&["bad"]);
    env.holds_only([]);
    make(&["--with", "one", "env"]).succeeds();
    env.run(env.at("env/bin/one"), [""; 0])
        .prints(&format!("1.0 {}\n", env.at("env").display()));
    make(&["--with", "bad", "env"]).errs(&["bad"]);
    assert!(env.at("env/bin/one").exists());
}

fn constraints_limit_what_is_installed() {
    let env = TestEnv::new();
    let wheels = wheels(&env);
    write_wheel(&env, &wheels, "one", "1.1");
    fs::write(env.at("r.txt"), "one\n").unwrap();
    fs::write(env.at("c.txt"), "one==1.0\n").unwrap();
    fs::write(env.at("d.txt"), "two<9\n").unwrap();
    let said = format!("1.0 {}\n", env.at("env").display());
    for args in [
        &["env", "-r", "r.txt", "-c", "c.txt"][..],
        &[
            "--clear",
            "--with=one",
            "-cc.txt",
            "--constraint=d.txt",
            "env",
        ],
    ] {
        offline(env.rvenv_for(newest(), args), &wheels).succeeds();
        env.run(env.at("env/bin/one"), [""; 0]).prints(&said);
    }
    env.holds_only(["c.txt", "d.txt", "env", "r.txt"]);
    // `pip install --upgrade pip` runs in another directory.
    fs::write(env.at("c.txt"), "pip==99\n").unwrap();
    let args = ["--upgrade-deps", "-c", "c.txt", "env"];
    offline(env.rvenv_for(newest(), args), &wheels).errs(&["pip==99"]);
}

fn no_short_option_deletes_an_environment() {
    let env = TestEnv::new();
    let bare = |args: &[&str]| env.rvenv_for(newest(), [&["--without-pip"], args].concat());
    bare(&["env"]).succeeds();
    fs::write(env.at("env/mine"), "mine").unwrap();
    fs::write(env.at("c.txt"), "").unwrap();
    env.rvenv(["-c", "env"]).fails(2, &["ENV_DIR"]);
    env.rvenv(["-c", "c.txt", "env"])
        .fails(2, &["--constraints", "--clear"]);
    env.rvenv(["-r", "c.txt", "-c", "missing.txt", "env"])
        .errs(&["missing.txt"]);
    for letter in (b'a'..=b'z').chain(b'A'..=b'Z').map(char::from) {
        let _ = bare(&[&format!("-{letter}"), "env"]).outcome();
        let _ = bare(&["env", &format!("-{letter}")]).outcome();
        assert!(env.at("env/mine").exists(), "-{letter}");
    }
}

/// A project with a build backend for editable installations.
fn editable(env: &TestEnv, folder: &str) {
    let folder = env.at(folder);
    fs::create_dir(&folder).unwrap();
    let backend = "import os, zipfile\n\
        def build_editable(folder, config_settings=None, metadata_directory=None):\n\
        \x20   name = 'mine-1.0-py3-none-any.whl'\n\
        \x20   with zipfile.ZipFile(os.path.join(folder, name), 'w') as z:\n\
        \x20       z.writestr('mine.pth', os.getcwd() + '\\n')\n\
        \x20       z.writestr('mine-1.0.dist-info/METADATA', 'Metadata-Version: 2.1\\nName: mine\\nVersion: 1.0\\nProvides-Extra: dev\\n'\n\
        \x20                  'Requires-Dist: one; extra == \"dev\"\\n')\n\
        \x20       z.writestr('mine-1.0.dist-info/WHEEL', 'Wheel-Version: 1.0\\nGenerator: t\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')\n\
        \x20       z.writestr('mine-1.0.dist-info/RECORD', 'mine.pth,,\\nmine-1.0.dist-info/METADATA,,\\nmine-1.0.dist-info/WHEEL,,\\n'\n\
        \x20                  'mine-1.0.dist-info/RECORD,,\\n')\n\
        \x20   return name\n";
    fs::write(folder.join("backend.py"), backend).unwrap();
    let text = "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n\
                [project]\nname = 'mine'\nversion = '1.0'\n";
    fs::write(folder.join("pyproject.toml"), text).unwrap();
    fs::write(folder.join("mine.py"), "print('mine')\n").unwrap();
}

fn a_project_is_installed_in_editable_mode() {
    let env = TestEnv::new();
    let wheels = wheels(&env);
    editable(&env, "project");
    for args in [
        &["env", "-e", "project[dev]"][..],
        &["--clear", "-e./project[dev]", "env"],
        &["--clear", "--editable=project[dev]", "env"],
    ] {
        offline(env.rvenv_for(newest(), args), &wheels).succeeds();
        env.run(env.at("env/bin/python"), ["-c", "import mine, one"])
            .prints("mine\n");
    }
    env.rvenv(["-e", "project", "--without-pip", "env"])
        .fails(2, &["--editable"]);
}

/// Makes `env` whose pip says that it is `version`, and writes its arguments to the file `args`.
fn with_a_pip_that_tells(env: &TestEnv, version: &str) {
    env.rvenv_for(newest(), ["env"]).shared_cache().succeeds();
    let library = env.at("env/lib").join(newest().python_folder());
    let site_packages = library.join("site-packages");
    let info = listing(&site_packages)
        .into_iter()
        .find(|name| name.starts_with("pip-"))
        .unwrap();
    let renamed = site_packages.join(format!("pip-{version}.dist-info"));
    fs::rename(site_packages.join(info), renamed).unwrap();
    let tells = format!(
        "import sys\nopen({:?}, 'w').write(' '.join(sys.argv[1:]))\n",
        env.at("args").to_str().unwrap()
    );
    fs::write(site_packages.join("pip/__main__.py"), tells).unwrap();
}

fn groups_and_lock_files_go_to_a_pip_that_knows_them() {
    let env = TestEnv::new();
    with_a_pip_that_tells(&env, "26.1");
    fs::write(env.at("pylock.toml"), "lock-version = '1.0'\n").unwrap();
    let args = ["--group", "dev", "--group=a/pyproject.toml:docs", "env"];
    env.rvenv_for(newest(), args).shared_cache().succeeds();
    let said = fs::read_to_string(env.at("args")).unwrap();
    assert!(
        said.ends_with(" --group=dev --group=a/pyproject.toml:docs"),
        "{said}"
    );
    let args = ["-r", "pylock.toml", "env"];
    env.rvenv_for(newest(), args).shared_cache().succeeds();
    let said = fs::read_to_string(env.at("args")).unwrap();
    assert!(said.ends_with(" -r pylock.toml"), "{said}");
}

fn a_pip_that_lacks_an_option_is_named_with_its_version() {
    let env = TestEnv::new();
    with_a_pip_that_tells(&env, "25.0.1");
    fs::write(env.at("pylock.dev.toml"), "lock-version = '1.0'\n").unwrap();
    for (args, option, needed) in [
        (["--group", "dev", "env"], "--group", "25.1"),
        (["-r", "pylock.dev.toml", "env"], "pylock.toml", "26.1"),
        (
            ["--exclude-newer=2026-01-31T00:00:00Z", "--with=one", "env"],
            "--uploaded-prior-to",
            "26.0",
        ),
    ] {
        let says = format!("pip 25.0.1 does not support {option}: it needs pip {needed} or later");
        env.rvenv_for(newest(), args)
            .shared_cache()
            .errs(&[&says, "--upgrade-deps"]);
    }
    assert!(!env.at("args").exists());
}
