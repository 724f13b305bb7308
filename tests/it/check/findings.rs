//! `--check` distinguishes the ways in which an environment can break, and the suggested command repairs each.

use std::{
    os::unix::fs::{PermissionsExt, symlink},
    path::PathBuf,
};

use fs_err as fs;

use crate::{
    env::{Outcome, TestEnv},
    harness::some,
    interpreters::layouts::{keep, keepable, prefix, version, without_ensurepip},
    interpreters::{Interpreter, a_few, a_few_with_pip, interpreters, newest},
    wheel::write_wheel,
};

crate::harness::trials! {
    what_venv_and_rvenv_create_is_ok(full),
    what_is_no_environment_is_reported,
    a_missing_base_is_replaced_by_one_of_the_same_version needs [KEEPABLE],
    a_base_that_no_longer_works_is_reported needs [KEEPABLE],
    dangling_and_missing_links_are_repaired,
    another_version_of_the_base_is_reported needs [KEEPABLE],
    a_version_in_pyvenv_cfg_that_is_not_the_bases_is_repaired,
    a_moved_environment_is_repaired_with_all_its_scripts(a_few),
    a_copy_of_an_environment_is_told_from_its_original(full),
    a_missing_or_incomplete_pip_is_repaired(a_few, part),
    a_package_that_was_altered_is_named_with_its_version,
}

fn check(env: &TestEnv, name: &str) -> Outcome {
    env.rvenv(["--check", name]).outcome()
}

#[track_caller]
fn is_ok(env: &TestEnv, name: &str) {
    let outcome = check(env, name);
    assert_eq!(outcome.stdout, format!("{name}: ok\n"), "{outcome}");
    outcome.expect_code(0);
}

/// Fails unless the reported problems contain each of these texts. Returns the lines.
#[track_caller]
fn is_broken(env: &TestEnv, name: &str, texts: &[&str]) -> Vec<String> {
    let outcome = check(env, name);
    outcome.expect_code(1);
    assert_eq!(outcome.stderr, "", "{outcome}");
    for text in texts {
        assert!(outcome.stdout.contains(text), "no {text:?} in\n{outcome}");
    }
    let lines = outcome.stdout.lines();
    lines
        .map(|line| {
            let is_below = line.starts_with("  ");
            assert!(is_below || line.starts_with(&format!("{name}: ")), "{line}");
            line.to_owned()
        })
        .collect()
}

/// Runs the commands in the lines, with the program under test as `rvenv`.
#[track_caller]
fn mend(env: &TestEnv, lines: &[String]) {
    let mut commands: Vec<_> = lines
        .iter()
        .filter_map(|line| line.strip_prefix("  remedy: "))
        .collect();
    assert!(!commands.is_empty(), "{lines:?}");
    commands.sort_unstable();
    commands.dedup();
    let bin = env.root().join("program");
    fs::create_dir_all(&bin).unwrap();
    let _ = symlink(crate::env::program(), bin.join("rvenv"));
    for command in commands {
        env.run("/bin/sh", ["-c", command])
            .var("PATH", format!("{}:/usr/bin:/bin", bin.display()))
            .succeeds();
    }
}

fn make(env: &TestEnv, python: &Interpreter, args: &[&str]) {
    env.rvenv_for(python, args).succeeds();
}

/// Fails unless the environment's pip works and belongs to the environment.
#[track_caller]
fn pip_works(env: &TestEnv, name: &str) {
    let said = env
        .run(env.at(name).join("bin/pip"), ["--version"])
        .stdout();
    assert!(said.contains(env.at(name).to_str().unwrap()), "{said}");
}

fn site_packages(env: &TestEnv, name: &str, python: &Interpreter) -> PathBuf {
    let lib = env.at(name).join("lib").join(python.python_folder());
    lib.join("site-packages")
}

fn what_venv_and_rvenv_create_is_ok() {
    let env = TestEnv::new();
    for python in interpreters() {
        make(&env, python, &["--without-pip", "bare"]);
        is_ok(&env, "bare");
        env.reset();
    }
    let mut pythons = a_few_with_pip();
    pythons.reverse();
    for python in pythons {
        make(&env, python, &["with pip"]);
        is_ok(&env, "with pip");
        make(
            &env,
            python,
            &["--relocatable", "--prompt", "it's", "relocatable"],
        );
        is_ok(&env, "relocatable");
        env.run(&python.executable, ["-m", "venv", "venvs"])
            .succeeds();
        is_ok(&env, "venvs");
        symlink("venvs", env.at("link")).unwrap();
        is_ok(&env, "link");
        env.rvenv(["--check", "venvs", "with pip"])
            .prints("venvs: ok\nwith pip: ok\n");
        env.reset();
    }
}

fn what_is_no_environment_is_reported() {
    let env = TestEnv::new();
    fs::create_dir(env.at("empty")).unwrap();
    fs::write(env.at("file"), "").unwrap();
    is_broken(&env, "nothing", &["no such directory", "rvenv nothing"]);
    is_broken(&env, "empty", &["pyvenv.cfg", "rvenv empty"]);
    is_broken(&env, "file", &["not a directory"]);
    make(&env, newest(), &["--without-pip", "env"]);
    let outcome = env.rvenv(["--check", "env", "empty"]).outcome();
    outcome.expect_code(1);
    assert!(outcome.stdout.starts_with("env: ok\nempty: "), "{outcome}");
    env.rvenv(["--check"]).fails(2, &["ENV_DIR"]);
}

/// An environment of a Python whose prefix can be removed.
fn with_a_base_of_its_own(env: &TestEnv, python: &Interpreter, args: &[&str]) {
    let base = env.root().join("base");
    let executable = without_ensurepip(python, &base);
    let request = ["-p", executable.to_str().unwrap(), "--without-pip"];
    env.rvenv(request.iter().chain(args)).succeeds();
}

fn a_missing_base_is_replaced_by_one_of_the_same_version() {
    let env = TestEnv::new();
    let kept = keepable();
    let [other, .., python] = kept.as_slice() else {
        return;
    };
    with_a_base_of_its_own(&env, python, &["env"]);
    is_ok(&env, "env");
    fs::rename(env.root().join("base"), env.root().join("moved")).unwrap();
    let short = python.short_version();
    // There is no other Python that could replace it.
    let lines = is_broken(
        &env,
        "env",
        &["does not exist", &format!("install Python {short}")],
    );
    assert_eq!(lines.len(), 2, "{lines:?}");
    keep(&env.root().join("home/.pyenv/versions"), &[other, python]);
    let lines = is_broken(
        &env,
        "env",
        &["does not exist", &version(python), "--upgrade"],
    );
    mend(&env, &lines);
    is_ok(&env, "env");
}

fn a_base_that_no_longer_works_is_reported() {
    let env = TestEnv::new();
    let kept = keepable();
    let Some(python) = kept.last() else { return };
    with_a_base_of_its_own(&env, python, &["env"]);
    let base = env.root().join("base/bin/python3");
    fs::write(&base, "#!/bin/sh\nexit 9\n").unwrap();
    is_broken(&env, "env", &["does not work", "exit status: 9"]);
    fs::set_permissions(&base, PermissionsExt::from_mode(0o644)).unwrap();
    is_broken(&env, "env", &["does not work"]);
}

fn dangling_and_missing_links_are_repaired() {
    let env = TestEnv::new();
    let python = newest();
    make(&env, python, &["--without-pip", "env"]);
    let bin = env.at("env/bin");
    fs::remove_file(bin.join("python3")).unwrap();
    symlink("/nowhere/python3", bin.join("python3")).unwrap();
    let lines = is_broken(&env, "env", &["bin/python3", "/nowhere/python3"]);
    mend(&env, &lines);
    is_ok(&env, "env");
    for name in crate::env::listing(&bin) {
        let path = bin.join(name);
        if fs::symlink_metadata(&path).unwrap().is_symlink() {
            fs::remove_file(path).unwrap();
        }
    }
    let lines = is_broken(&env, "env", &["bin/python is missing"]);
    mend(&env, &lines);
    is_ok(&env, "env");
    // It was created without pip, and remains without.
    assert!(!env.at("env/bin/pip").exists());
}

fn another_version_of_the_base_is_reported() {
    let env = TestEnv::new();
    let kept = keepable();
    let [other, .., python] = kept.as_slice() else {
        return;
    };
    let link = env.root().join("current");
    symlink(prefix(python), &link).unwrap();
    let request = link.join("bin/python3");
    env.rvenv(["-p", request.to_str().unwrap(), "--without-pip", "env"])
        .succeeds();
    is_ok(&env, "env");
    // A patch release does not break an environment.
    let cfg = env.at("env/pyvenv.cfg");
    let text = fs::read_to_string(&cfg).unwrap();
    let older = format!("{}.99", python.short_version());
    fs::write(&cfg, text.replace(&version(python), &older)).unwrap();
    is_ok(&env, "env");
    // Another minor version; the old one is in another directory.
    fs::remove_file(&link).unwrap();
    symlink(prefix(other), &link).unwrap();
    is_broken(
        &env,
        "env",
        &[&python.short_version(), &version(other), "install Python"],
    );
    keep(&env.root().join("home/.pyenv/versions"), &[python]);
    let lines = is_broken(
        &env,
        "env",
        &[&python.short_version(), &version(other), ".pyenv"],
    );
    mend(&env, &lines);
    is_ok(&env, "env");
}

fn a_version_in_pyvenv_cfg_that_is_not_the_bases_is_repaired() {
    let env = TestEnv::new();
    let python = newest();
    env.rvenv_for(python, ["--without-pip", "env"]).succeeds();
    let cfg = env.at("env/pyvenv.cfg");
    let text = fs::read_to_string(&cfg).unwrap();
    for key in ["version_info", "python-version"] {
        let stated = format!("{key} = {}", python.short_version());
        assert!(text.contains(&stated), "{text}");
        fs::write(&cfg, text.replace(&stated, &format!("{key} = 3.1"))).unwrap();
        let expected = format!("{key} in pyvenv.cfg is 3.1");
        let lines = is_broken(&env, "env", &[&expected]);
        mend(&env, &lines);
        is_ok(&env, "env");
        assert!(fs::read_to_string(&cfg).unwrap().contains(&stated));
    }
}

fn a_moved_environment_is_repaired_with_all_its_scripts(python: &'static Interpreter) {
    let env = TestEnv::new();
    for (name, moved) in [("env", "elsewhere"), ("a b", "c d"), ("one", "spa ce")] {
        make(
            &env,
            python,
            &["--prompt", "my env", "--system-site-packages", name],
        );
        // Files of the user are not repaired.
        let own = env.at(name).join("bin/own");
        fs::write(
            &own,
            format!("#!{}\nprint(1)\n", python.executable.display()),
        )
        .unwrap();
        fs::rename(env.at(name), env.at(moved)).unwrap();
        let old = env.at(name);
        let lines = is_broken(
            &env,
            moved,
            &["was moved", old.to_str().unwrap(), "pip", "activate"],
        );
        assert!(!lines.iter().any(|line| line.contains("own")), "{lines:?}");
        mend(&env, &lines);
        is_ok(&env, moved);
        pip_works(&env, moved);
        let activated = format!(
            ". '{0}/bin/activate' && [ \"$VIRTUAL_ENV\" = '{0}' ]",
            env.at(moved).display()
        );
        env.run("/bin/sh", ["-c", &activated]).succeeds();
        let text = fs::read_to_string(env.at(moved).join("pyvenv.cfg")).unwrap();
        assert!(
            text.contains("include-system-site-packages = true"),
            "{text}"
        );
        assert!(
            !python.at_least(8) || text.contains("prompt = 'my env'"),
            "{text}"
        );
    }
}

fn a_copy_of_an_environment_is_told_from_its_original() {
    let env = TestEnv::new();
    make(&env, newest(), &["env"]);
    env.run("/bin/cp", ["-a", "env", "copy"]).succeeds();
    let lines = is_broken(
        &env,
        "copy",
        &["was moved", env.at("env").to_str().unwrap()],
    );
    is_ok(&env, "env");
    mend(&env, &lines);
    is_ok(&env, "copy");
    is_ok(&env, "env");
    pip_works(&env, "copy");
    pip_works(&env, "env");
}

fn a_missing_or_incomplete_pip_is_repaired(python: &'static Interpreter) {
    let env = TestEnv::new();
    make(&env, python, &["env"]);
    let packages = site_packages(&env, "env", python);
    let dist_info = crate::env::listing(&packages);
    let mut dist_info = dist_info.iter().filter(|name| name.ends_with(".dist-info"));
    let dist_info = dist_info.find(|name| name.starts_with("pip-")).unwrap();
    let dist_info = packages.join(dist_info);
    let damages: [(&str, &dyn Fn()); 6] = [
        ("pip is only partly installed", &|| {
            fs::remove_dir_all(packages.join("pip")).unwrap();
        }),
        ("pip is only partly installed", &|| {
            fs::remove_dir_all(&dist_info).unwrap();
        }),
        ("no RECORD", &|| {
            fs::remove_file(dist_info.join("RECORD")).unwrap();
        }),
        ("pip/__main__.py missing", &|| {
            fs::remove_file(packages.join("pip/__main__.py")).unwrap();
        }),
        ("pip/__init__.py modified", &|| {
            fs::write(packages.join("pip/__init__.py"), "broken").unwrap();
        }),
        ("bin/pip", &|| {
            fs::remove_file(env.at("env/bin/pip")).unwrap();
        }),
    ];
    for (said, damage) in some(&damages, 1) {
        damage();
        let lines = is_broken(&env, "env", &[*said]);
        assert_eq!(lines.len(), 2, "{lines:?}");
        mend(&env, &lines);
        is_ok(&env, "env");
        pip_works(&env, "env");
    }
    // Missing bytecode is not a problem.
    fs::remove_dir_all(packages.join("pip/__pycache__")).unwrap();
    is_ok(&env, "env");
    env.run(env.at("env/bin/pip"), ["uninstall", "-y", "-q", "pip"])
        .outcome()
        .expect_code(0);
    if python.at_least(11) {
        let lines = is_broken(&env, "env", &["pip is missing"]);
        mend(&env, &lines);
        is_ok(&env, "env");
        pip_works(&env, "env");
    }
}

fn a_package_that_was_altered_is_named_with_its_version() {
    let env = TestEnv::new();
    let python = newest();
    make(&env, python, &["env"]);
    let wheel = write_wheel(&env, &env.root().join("wheels"), "demo", "1.2");
    let args = ["install", "-q", "--no-index", wheel.to_str().unwrap()];
    env.run(env.at("env/bin/pip"), args)
        .outcome()
        .expect_code(0);
    is_ok(&env, "env");
    fs::remove_file(site_packages(&env, "env", python).join("demo/__init__.py")).unwrap();
    fs::write(env.at("env/bin/demo"), "altered").unwrap();
    is_broken(
        &env,
        "env",
        &[
            "demo 1.2",
            "demo/__init__.py missing",
            "bin/demo modified",
            "demo @ file://",
        ],
    );
}
