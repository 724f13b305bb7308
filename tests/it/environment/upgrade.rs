//! `--upgrade`, second runs for another Python, and `--upgrade-deps`.

use std::os::unix::fs::symlink;

use fs_err as fs;

use crate::tree::tree;
use crate::{
    env::{PATH, TestEnv},
    interpreters::layouts::{self, keep, keepable},
    interpreters::{Interpreter, a_few, a_few_with_pip, another, newest},
    oracle::{all_agree, write},
    wheel,
};

crate::harness::trials! {
    links_to_another_python_are_retargeted needs [ANOTHER],
    links_to_a_vanished_python_are_retargeted,
    copies_and_links_can_follow_each_other,
    an_upgrade_keeps_the_version_that_the_environment_was_created_with needs [ANOTHER],
    an_upgrade_changes_the_version_if_asked_to needs [ANOTHER],
    an_upgrade_finds_another_python_of_the_version_if_the_base_is_gone needs [KEEPABLE],
    packages_and_scripts_survive_an_upgrade,
    packages_of_another_version_are_named(full) needs [ANOTHER],
    upgrade_deps_does_what_venvs_does(full),
    upgrade_deps_runs_the_environments_own_pip(a_few),
    upgrade_deps_gives_pip_the_variables_and_folder_that_venv_gives(full),
    rvenv_fails_when_pip_fails(a_few),
    upgrade_deps_without_pip_is_an_error,
}

/// What `bin/python` says its version and prefix are.
fn version(env: &TestEnv, name: &str) -> String {
    let script = "import sys; print('%d.%d' % sys.version_info[:2], sys.prefix)";
    env.run(env.at("env/bin").join(name), ["-c", script])
        .stdout()
}

#[track_caller]
fn is_for(env: &TestEnv, python: &Interpreter) {
    let short = python.short_version();
    let expected = format!("{short} {}\n", env.at("env").display());
    for name in ["python", "python3"] {
        assert_eq!(version(env, name), expected, "{name}");
    }
    let text = fs::read_to_string(env.at("env/pyvenv.cfg")).unwrap();
    let home = format!("home = {}\n", python.executable.parent().unwrap().display());
    assert!(text.starts_with(&home), "{text}");
    assert!(text.contains(&format!("\nversion = {short}.")), "{text}");
}

fn links_to_another_python_are_retargeted() {
    let old = another();
    for flags in [&[][..], &["--upgrade"], &["--clear"]] {
        for links in ["--symlinks", "--copies"] {
            let env = TestEnv::new();
            env.rvenv_for(old, ["--without-pip", links, "env"])
                .succeeds();
            is_for(&env, old);
            let args = [&["--without-pip", links], flags, &["env"]].concat();
            // A warning about packages that are left behind is allowed, a failure is not.
            let outcome = env.rvenv_for(newest(), args).outcome();
            outcome.expect_code(0);
            assert_eq!(outcome.stdout, "", "{outcome}");
            is_for(&env, newest());
        }
    }
}

fn links_to_a_vanished_python_are_retargeted() {
    for flags in [&[][..], &["--upgrade"]] {
        let env = TestEnv::new();
        env.rvenv_for(newest(), ["--without-pip", "env"]).succeeds();
        for name in ["python", "python3"] {
            let path = env.at("env/bin").join(name);
            fs::remove_file(&path).unwrap();
            symlink("/no/such/python", &path).unwrap();
        }
        let args = [&["--without-pip"], flags, &["env"]].concat();
        env.rvenv_for(newest(), args).succeeds();
        is_for(&env, newest());
    }
}

fn copies_and_links_can_follow_each_other() {
    let env = TestEnv::new();
    for links in ["--symlinks", "--copies", "--symlinks", "--copies"] {
        env.rvenv_for(newest(), ["--without-pip", links, "env"])
            .succeeds();
        is_for(&env, newest());
    }
}

/// A PATH on which `python3` is this Python.
fn path_with(env: &TestEnv, python: &Interpreter) -> String {
    let bin = env.root().join("bin");
    fs::create_dir_all(&bin).unwrap();
    let _ = fs::remove_file(bin.join("python3"));
    symlink(&python.executable, bin.join("python3")).unwrap();
    format!("{}:{PATH}", bin.display())
}

fn an_upgrade_keeps_the_version_that_the_environment_was_created_with() {
    let (old, env) = (another(), TestEnv::new());
    let path = path_with(&env, newest());
    for links in ["--symlinks", "--copies"] {
        env.rvenv_for(old, ["--without-pip", links, "env"])
            .succeeds();
        let args = ["--without-pip", links, "--upgrade"];
        env.rvenv([&args[..], &["env"]].concat())
            .var("PATH", &path)
            .succeeds();
        is_for(&env, old);
        // Each of several environments keeps its own prompt.
        env.rvenv_for(newest(), ["--without-pip", links, "other"])
            .succeeds();
        env.rvenv([&args[..], &["env", "other"]].concat())
            .var("PATH", path_with(&env, old))
            .succeeds();
        is_for(&env, old);
        fs::remove_dir_all(env.at("env")).unwrap();
        fs::rename(env.at("other"), env.at("env")).unwrap();
        let text = fs::read_to_string(env.at("env/pyvenv.cfg")).unwrap();
        let expected = format!("\nversion = {}.", newest().short_version());
        assert!(text.contains(&expected), "{text}");
        env.reset();
        path_with(&env, newest());
    }
}

fn an_upgrade_changes_the_version_if_asked_to() {
    let (old, env) = (another(), TestEnv::new());
    let path = path_with(&env, newest());
    let executable = newest().executable.to_str().unwrap();
    for (args, variable) in [
        (&["-p", "python3"][..], ""),
        (&["-p", executable], ""),
        (&[], executable),
        (&[], "python3"),
    ] {
        env.rvenv_for(old, ["--without-pip", "env"]).succeeds();
        let own = ["--without-pip", "--upgrade", "env"];
        env.rvenv([args, &own].concat())
            .var("PATH", &path)
            .var("RVENV_PYTHON", variable)
            .succeeds();
        let text = fs::read_to_string(env.at("env/pyvenv.cfg")).unwrap();
        let expected = format!("\nversion = {}.", newest().short_version());
        assert!(text.contains(&expected), "{args:?} {variable}: {text}");
        env.reset();
    }
}

fn an_upgrade_finds_another_python_of_the_version_if_the_base_is_gone() {
    let kept = keepable();
    let old = kept[0];
    let env = TestEnv::new();
    let path = path_with(&env, newest());
    let gone = env.root().join("gone");
    keep(&gone, &[old]);
    let base = gone.join(layouts::version(old)).join("bin/python3");
    for links in ["--symlinks", "--copies"] {
        let request = base.to_str().unwrap();
        env.rvenv(["--without-pip", links, "-p", request, "env"])
            .succeeds();
        fs::rename(&gone, env.root().join("moved")).unwrap();
        let upgrade = || {
            env.rvenv(["--without-pip", links, "--upgrade", "env"])
                .var("PATH", &path)
        };
        let before = tree(&env.at("env"));
        let short = old.short_version();
        upgrade().errs(&[
            &format!("no Python found for '{short}', the version of"),
            "env",
        ]);
        assert!(tree(&env.at("env")) == before);
        let versions = env.root().join("home/.pyenv/versions");
        keep(&versions, &[old]);
        upgrade().succeeds();
        let text = fs::read_to_string(env.at("env/pyvenv.cfg")).unwrap();
        assert!(text.contains(versions.to_str().unwrap()), "{text}");
        assert!(version(&env, "python").starts_with(&short));
        fs::remove_dir_all(&versions).unwrap();
        fs::rename(env.root().join("moved"), &gone).unwrap();
        env.reset();
    }
}

fn packages_and_scripts_survive_an_upgrade() {
    let env = TestEnv::new();
    let site_packages = format!("env/lib/{}/site-packages", newest().python_folder());
    env.rvenv_for(newest(), ["--without-pip", "env"]).succeeds();
    write(&env, format!("{site_packages}/mine.py"), "x = 1\n");
    write(&env, "env/bin/activate", "edited\n");
    env.rvenv_for(newest(), ["--without-pip", "--upgrade", "env"])
        .succeeds();
    env.run(
        env.at("env/bin/python"),
        ["-c", "import mine; print(mine.x)"],
    )
    .prints("1\n");
    let text = fs::read_to_string(env.at("env/bin/activate")).unwrap();
    assert_eq!(text, "edited\n");
}

fn packages_of_another_version_are_named() {
    let old = another();
    for flags in [&[][..], &["--upgrade"]] {
        let env = TestEnv::new();
        env.rvenv_for(old, ["--without-pip", "env"]).succeeds();
        let behind = format!("env/lib/{}/site-packages", old.python_folder());
        for name in ["Some_Thing-1.0", "pip-1.0", "other-2.0"] {
            write(&env, format!("{behind}/{name}.dist-info/METADATA"), "x\n");
        }
        write(&env, format!("{behind}/other.py"), "x = 1\n");
        let run = || {
            env.rvenv_for(newest(), [flags, &["env"]].concat())
                .outcome()
        };
        let outcome = run();
        outcome.expect_code(0);
        assert_eq!(outcome.stdout, "", "{outcome}");
        // pip is also installed for the new version.
        let folder = env.at(&behind);
        assert!(
            outcome.stderr.contains(folder.to_str().unwrap()),
            "{outcome}"
        );
        let lines: Vec<_> = outcome.stderr.lines().collect();
        let [warning, hint] = lines[..] else {
            panic!("{outcome}");
        };
        assert!(warning.ends_with(": other some-thing"), "{outcome}");
        assert!(
            hint.ends_with(" -m pip install other some-thing`"),
            "{outcome}"
        );
        assert!(env.at(&behind).join("other.py").exists());
        is_for(&env, newest());
        // There is only one warning, as the next run does not change the version.
        let outcome = run();
        outcome.expect_code(0);
        assert_eq!(outcome.stderr, "", "{outcome}");
    }
}

/// A directory with wheels that are newer than the installed packages.
fn newer_wheels(env: &TestEnv) -> std::path::PathBuf {
    let folder = env.root().join("wheels");
    for name in ["pip", "setuptools"] {
        wheel::write_wheel(env, &folder, name, "999.0");
    }
    folder
}

fn upgrade_deps_does_what_venvs_does() {
    let pythons = a_few_with_pip().into_iter().filter(|p| p.at_least(9));
    all_agree(pythons.map(|python| {
        let env = TestEnv::new();
        let folder = newer_wheels(&env);
        env.oracle(python)
            .shared_cache()
            .noisy()
            .var("PIP_NO_INDEX", "1")
            .var("PIP_FIND_LINKS", folder)
            .var("PIP_DISABLE_PIP_VERSION_CHECK", "1")
            .args(["--upgrade-deps", "--prompt=x", "env"])
            .verdict()
    }));
}

fn upgrade_deps_runs_the_environments_own_pip(python: &'static Interpreter) {
    let env = TestEnv::new();
    let folder = newer_wheels(&env);
    env.rvenv_for(python, ["--upgrade-deps", "env"])
        .shared_cache()
        .var("PIP_NO_INDEX", "1")
        .var("PIP_FIND_LINKS", folder)
        .succeeds();
    env.run(env.at("env/bin/pip"), [""; 0])
        .prints(&format!("999.0 {}\n", env.at("env").display()));
    let folder = format!("env/lib/{}/site-packages", python.python_folder());
    let upgraded = env.at(folder).join("setuptools-999.0.dist-info").exists();
    assert_eq!(upgraded, !python.at_least(12), "{python:?}");
}

fn upgrade_deps_gives_pip_the_variables_and_folder_that_venv_gives() {
    // sitecustomize records how the environment's pip was run.
    let script = "import os, sys\n\
                  if 'install' in getattr(sys, 'argv', ()) or 'pip' in str(getattr(sys, 'orig_argv', '')):\n\
                  \x20   names = ('VIRTUAL_ENV', 'PYTHONPATH', 'PYTHONHOME', 'PIP_MINE')\n\
                  \x20   with open(os.environ['TOLD'], 'a') as f:\n\
                  \x20       print(os.getcwd(), [os.environ.get(n) for n in names],\n\
                  \x20             getattr(sys, 'orig_argv', [''])[1:], file=f)\n";
    let python = newest();
    let site_packages = format!("env/lib/{}/site-packages", python.python_folder());
    let told = |program: &str| {
        let env = TestEnv::new();
        write(&env, format!("{site_packages}/sitecustomize.py"), script);
        let folder = newer_wheels(&env);
        let args = ["--upgrade-deps", "env"];
        let run = if program == "venv" {
            let args = ["-m", "venv"].iter().chain(&args);
            env.run(&python.executable, args)
        } else {
            // The other way to install pip would start more Pythons in the environment.
            env.rvenv_for(python, args).var("RVENV_SEEDER", "wheel")
        };
        let outcome = run
            .var("TOLD", env.root().join("told"))
            .var("PYTHONPATH", "/nowhere")
            .var("PIP_MINE", "1")
            .var("PIP_NO_INDEX", "1")
            .var("PIP_FIND_LINKS", folder)
            .outcome();
        outcome.expect_code(0);
        let text = fs::read_to_string(env.root().join("told")).unwrap();
        let lines = text
            .lines()
            .filter(|line| line.contains("'install', '--upgrade'"));
        let lines: Vec<_> = lines
            .filter(|line| line.contains("'pip'") && !line.contains("--no-index"))
            .map(|line| line.replace(env.root().to_str().unwrap(), "ROOT"))
            .collect();
        assert_eq!(lines.len(), 1, "{text}");
        lines
    };
    assert_eq!(told("rvenv"), told("venv"));
}

fn rvenv_fails_when_pip_fails(python: &'static Interpreter) {
    let env = TestEnv::new();
    let folder = env.root().join("wheels");
    fs::create_dir(&folder).unwrap();
    for name in ["pip", "setuptools"] {
        let path = folder.join(format!("{name}-999.0-py3-none-any.whl"));
        fs::write(path, "this is no wheel").unwrap();
    }
    let outcome = env
        .rvenv_for(python, ["--upgrade-deps", "env"])
        .shared_cache()
        .var("PIP_NO_INDEX", "1")
        .var("PIP_FIND_LINKS", &folder)
        .outcome();
    outcome.expect_code(1);
    assert_eq!(outcome.stdout, "", "{outcome}");
    let said = " -m pip install --upgrade pip";
    assert!(outcome.stderr.starts_with("Error: "), "{outcome}");
    assert!(outcome.stderr.contains(said), "{outcome}");
    // The output of pip is shown.
    let wheels = folder.to_str().unwrap();
    let zip = outcome.stderr.to_lowercase().contains("zip");
    assert!(zip || outcome.stderr.contains(wheels), "{outcome}");
    env.holds_only([]);
}

fn upgrade_deps_without_pip_is_an_error() {
    let env = TestEnv::new();
    env.rvenv_for(newest(), ["--without-pip", "--upgrade-deps", "env"])
        .errs(&["pip"]);
    env.holds_only([]);
}
