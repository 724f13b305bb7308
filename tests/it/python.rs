//! The environment's Python: its properties and uses; and Pythons for which no environment can be created.

use std::{
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
};

use fs_err as fs;

use crate::tree::{assert_same, leftovers, tree};
use crate::{
    env::TestEnv,
    interpreters::{Interpreter, each, each_with_headers, find_python2, newest},
};

crate::harness::trials! {
    every_python_that_is_started_has_the_shim_off,
    a_run_that_may_decline_fails_silently_and_changes_nothing,
    a_run_that_may_decline_leaves_the_upgrade_of_pip_to_its_caller,
    the_prefixes_are_the_environment_and_its_base(each),
    every_name_of_the_python_runs_it(each),
    its_paths_are_in_the_environment(each),
    system_site_packages_are_seen_only_when_asked_for(each),
    multiprocessing_spawns_in_the_environment(each),
    an_extension_in_c_can_be_built(each_with_headers) needs [COMPILER],
    what_is_no_python_is_named_and_nothing_is_created,
    python_2_is_named_and_nothing_is_created needs [PYTHON_2],
    an_implementation_that_is_not_known_makes_its_own_environment(full),
    the_old_environment_is_restored_if_the_own_venv_of_an_implementation_fails,
    the_next_run_restores_the_old_environment_if_the_own_venv_of_an_implementation_was_killed,
}

/// An environment in `env` without pip for this Python, in an empty `work`.
fn make(env: &TestEnv, python: &Interpreter, flags: &[&str]) {
    env.reset();
    let args = [&["--without-pip"], flags, &["env"]].concat();
    env.rvenv_for(python, args).succeeds();
}

/// Runs a script in the environment's `python`.
#[track_caller]
fn ask(env: &TestEnv, script: &str) -> String {
    env.run(env.at("env/bin/python"), ["-c", script]).stdout()
}

/// The kinds of environment that a Python can be asked in.
fn kinds(python: &Interpreter) -> &'static [&'static str] {
    if python.copies {
        &["--symlinks", "--copies"]
    } else {
        &["--symlinks"]
    }
}

fn the_prefixes_are_the_environment_and_its_base(python: &'static Interpreter) {
    let env = TestEnv::new();
    let script = "import sys; print(sys.prefix, sys.exec_prefix, sys.base_prefix, \
                  sys.base_exec_prefix, sys.executable)";
    let base = "import sys; print(sys.base_prefix, sys.base_exec_prefix)";
    let base = env.run(&python.executable, ["-c", base]).stdout();
    for kind in kinds(python) {
        make(&env, python, &[kind]);
        let prefix = env.at("env");
        let prefix = prefix.display();
        let base = base.trim();
        let expected = format!("{prefix} {prefix} {base} {prefix}/bin/python\n");
        assert_eq!(ask(&env, script), expected, "{python:?} {kind}");
    }
}

fn every_name_of_the_python_runs_it(python: &'static Interpreter) {
    let env = TestEnv::new();
    let script = "import sys; print(sys.version_info[:3], sys.prefix)";
    make(&env, python, &[]);
    let (major, minor, micro) = python.version;
    let prefix = env.at("env");
    let expected = format!("({major}, {minor}, {micro}) {}\n", prefix.display());
    let names = crate::env::listing(&env.at("env/bin"));
    let names = names.iter().filter(|name| !name.contains("activate"));
    let names: Vec<_> = names.filter(|name| !name.starts_with("Activate")).collect();
    assert!(names.len() >= 3, "{names:?}");
    for name in names {
        env.run(env.at("env/bin").join(name), ["-c", script])
            .prints(&expected);
    }
}

fn its_paths_are_in_the_environment(python: &'static Interpreter) {
    let env = TestEnv::new();
    let script = "import site, sysconfig\n\
                  for p in site.getsitepackages(): print(p)\n\
                  for n in ('purelib', 'platlib', 'scripts', 'data'): print(sysconfig.get_path(n))\n\
                  import sys; print([p for p in sys.path if p.endswith('site-packages')][0])";
    for kind in kinds(python) {
        make(&env, python, &[kind]);
        let answer = ask(&env, script);
        let prefix = env.at("env");
        for line in answer.lines() {
            assert!(Path::new(line).starts_with(&prefix), "{line} in\n{answer}");
        }
        let folder = python.python_folder();
        let site_packages = prefix.join(format!("lib/{folder}/site-packages"));
        let site_packages = site_packages.to_str().unwrap();
        assert_eq!(answer.lines().last(), Some(site_packages), "{answer}");
        assert!(
            answer
                .lines()
                .any(|line| line == prefix.join("bin").to_str().unwrap())
        );
    }
}

fn system_site_packages_are_seen_only_when_asked_for(python: &'static Interpreter) {
    let env = TestEnv::new();
    let script = "import sys; print(sum('-packages' in p for p in sys.path))";
    make(&env, python, &[]);
    assert_eq!(ask(&env, script), "1\n");
    make(&env, python, &["--system-site-packages"]);
    assert_ne!(ask(&env, script), "1\n");
}

fn multiprocessing_spawns_in_the_environment(python: &'static Interpreter) {
    let env = TestEnv::new();
    let script = "import multiprocessing, sys\n\
                  def prefix(_):\n    return sys.prefix\n\
                  if __name__ == '__main__':\n    \
                  multiprocessing.set_start_method('spawn')\n    \
                  with multiprocessing.Pool(1) as pool:\n        \
                  print(pool.map(prefix, [0])[0])\n";
    make(&env, python, &[]);
    fs::write(env.at("spawn.py"), script).unwrap();
    env.run(env.at("env/bin/python"), ["spawn.py"])
        .prints(&format!("{}\n", env.at("env").display()));
}

fn an_extension_in_c_can_be_built(python: &'static Interpreter) {
    const SOURCE: &str = "#include <Python.h>\n\
        static PyObject *f(PyObject *m, PyObject *a) { return PyLong_FromLong(42); }\n\
        static PyMethodDef methods[] = {{\"f\", f, METH_NOARGS, 0}, {0}};\n\
        static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, \"spam\", 0, -1, methods};\n\
        PyMODINIT_FUNC PyInit_spam(void) { return PyModule_Create(&module); }\n";
    let env = TestEnv::new();
    make(&env, python, &[]);
    let script = "import sysconfig as s; print(s.get_path('include'));\
                  print(s.get_config_var('EXT_SUFFIX'))";
    let answer = ask(&env, script);
    let (include, suffix) = answer.trim().split_once('\n').unwrap();
    fs::write(env.at("spam.c"), SOURCE).unwrap();
    let (include, module) = (format!("-I{include}"), format!("spam{suffix}"));
    let mut args = vec!["-shared", "-fPIC", &include, "spam.c", "-o", &module];
    if cfg!(target_os = "macos") {
        args.push("-undefined");
        args.push("dynamic_lookup");
    }
    env.run("cc", args).succeeds();
    assert_eq!(ask(&env, "import spam; print(spam.f())"), "42\n");
}

/// Writes an executable that cannot be queried.
fn impostor(env: &TestEnv, name: &str, content: &str) -> String {
    let path = env.root().join(name);
    fs::write(&path, content).unwrap();
    fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path.to_str().unwrap().to_owned()
}

fn what_is_no_python_is_named_and_nothing_is_created() {
    let env = TestEnv::new();
    let python = newest().executable.display();
    let mut impostors = vec![
        "/bin/echo".to_owned(),
        "/bin/false".to_owned(),
        impostor(&env, "silent", "#!/bin/sh\nexit 0\n"),
        impostor(&env, "fails", "#!/bin/sh\necho no >&2\nexit 3\n"),
        impostor(&env, "crashes", "#!/bin/sh\nkill -SEGV $$\n"),
        impostor(&env, "rubbish", "#!/bin/sh\necho '{\"version\": [3'\n"),
        impostor(&env, "binary", "#!/bin/sh\nhead -c 100000 /dev/urandom\n"),
        impostor(&env, "json", "#!/bin/sh\necho '{}'\n"),
        impostor(&env, "text", "this is no program\n"),
        impostor(&env, "empty", ""),
        impostor(&env, "lost", "#!/no/such/interpreter\n"),
        impostor(
            &env,
            "dies",
            &format!("#!/bin/sh\n{python} \"$@\"\nexit 1\n"),
        ),
        env.root().join("home").to_str().unwrap().to_owned(),
        env.root().join("no-such-file").to_str().unwrap().to_owned(),
    ];
    let plain = env.root().join("plain");
    fs::write(&plain, "#!/bin/sh\n").unwrap();
    impostors.push(plain.to_str().unwrap().to_owned());
    for impostor in impostors {
        for flags in [&["--without-pip"][..], &[]] {
            let args = [&["-p", &impostor], flags, &["a/env"]].concat();
            env.rvenv(args).errs(&[&impostor]);
            env.holds_only([]);
        }
    }
    env.rvenv(["-p", "no-such-python", "env"])
        .errs(&["no-such-python"]);
    env.rvenv(["--without-pip", "env"])
        .var("PATH", env.root().join("home"))
        .errs(&["python3"]);
    env.holds_only([]);
}

fn python_2_is_named_and_nothing_is_created() {
    let python2 = find_python2().unwrap();
    let env = TestEnv::new();
    let python2 = python2.to_str().unwrap();
    env.rvenv(["-p", python2, "env"]).errs(&[python2, "2.7"]);
    env.holds_only([]);
}

/// An installation that pretends to be another implementation: the binary of the newest Python and links to its library, but with a
/// `sysconfig` that changes the name.
pub(crate) fn graalpy(env: &TestEnv) -> PathBuf {
    let python = newest();
    let library = "import os; print(os.path.dirname(os.__file__))";
    let library = env.run(&python.executable, ["-c", library]).stdout();
    let library = Path::new(library.trim());
    let prefix = env.root().join("graalpy");
    let own = prefix.join("lib").join(library.file_name().unwrap());
    // A package since 3.13, a file before.
    let package = library.join("sysconfig").is_dir();
    let changed = if package {
        "sysconfig/__init__.py"
    } else {
        "sysconfig.py"
    };
    let folder = if package { "sysconfig" } else { "" };
    fs::create_dir_all(own.join(folder)).unwrap();
    fs::create_dir(prefix.join("bin")).unwrap();
    for (from, to) in [
        (library.to_owned(), own.clone()),
        (library.join(folder), own.join(folder)),
    ] {
        for name in crate::env::listing(&from) {
            let place = to.join(&name);
            if name != "__pycache__" && place != own.join(changed) && !place.exists() {
                symlink(from.join(&name), place).unwrap();
            }
        }
    }
    let text = fs::read_to_string(library.join(changed)).unwrap();
    let text = text + "\nimport sys\nsys.implementation.name = 'graalpy'\n";
    fs::write(own.join(changed), text).unwrap();
    let path = prefix
        .join("bin")
        .join(python.executable.file_name().unwrap());
    fs::copy(&python.executable, &path).unwrap();
    path
}

fn the_old_environment_is_restored_if_the_own_venv_of_an_implementation_fails() {
    let env = TestEnv::new();
    let python = graalpy(&env);
    let python = python.to_str().unwrap();
    env.rvenv(["-p", python, "--without-pip", "env"]).succeeds();
    fs::create_dir_all(env.at("env/lib/mine/empty")).unwrap();
    let closed = std::fs::Permissions::from_mode(0o700);
    fs::set_permissions(env.at("env/lib/mine"), closed).unwrap();
    fs::write(env.at("env/mine"), "mine").unwrap();
    let before = tree(&env.at("env"));
    // It creates the environment, but there is no space for the rest.
    let library = env.root().join("graalpy/lib");
    let library = library.join(&crate::env::listing(&library)[0]);
    let venv = library.join("venv");
    let own = fs::read_link(&venv).unwrap();
    fs::remove_file(&venv).unwrap();
    fs::create_dir(&venv).unwrap();
    let text = "import os, sys\n\
         env_dir = sys.argv[-1]\n\
         os.makedirs(os.path.join(env_dir, 'lib', 'python'))\n\
         open(os.path.join(env_dir, 'pyvenv.cfg'), 'w').close()\n\
         sys.exit('no room left')\n";
    fs::write(venv.join("__main__.py"), text).unwrap();
    for (cwd, path) in [("", "env"), ("env", ".")] {
        let run = env.rvenv(["-p", python, "--without-pip", "--clear", path]);
        run.cwd(cwd).errs(&["no room left"]);
        assert!(tree(&env.at("env")) == before, "in {cwd:?}");
        assert_eq!(leftovers(&env.at("env")), [""; 0]);
        env.holds_only(["env"]);
    }
    env.rvenv(["-p", python, "--without-pip", "other"])
        .errs(&["no room left"]);
    env.holds_only(["env"]);
    // Its own venv again.
    fs::remove_dir_all(&venv).unwrap();
    symlink(own, &venv).unwrap();
    for (cwd, path) in [("", "env"), ("env", ".")] {
        fs::write(env.at("env/mine"), "mine").unwrap();
        let run = env.rvenv(["-p", python, "--without-pip", "--clear", path]);
        run.cwd(cwd).succeeds();
        assert!(!env.at("env/mine").exists());
        env.run(env.at("env/bin/python"), ["-c", ""]).succeeds();
        assert_eq!(leftovers(&env.at("env")), [""; 0]);
        env.holds_only(["env"]);
    }
}

fn the_next_run_restores_the_old_environment_if_the_own_venv_of_an_implementation_was_killed() {
    let env = TestEnv::new();
    let python = graalpy(&env);
    let python = python.to_str().unwrap();
    env.rvenv(["-p", python, "--without-pip", "env"]).succeeds();
    fs::write(env.at("env/mine"), "mine").unwrap();
    let before = tree(&env.at("env"));
    let library = env.root().join("graalpy/lib");
    let library = library.join(&crate::env::listing(&library)[0]);
    let venv = library.join("venv");
    fs::remove_file(&venv).unwrap();
    fs::create_dir(&venv).unwrap();
    let text = "import os, signal, sys\n\
         env_dir = sys.argv[-1]\n\
         os.makedirs(os.path.join(env_dir, 'lib', 'python'))\n\
         open(os.path.join(env_dir, 'pyvenv.cfg'), 'w').close()\n\
         os.kill(os.getppid(), signal.SIGKILL)\n";
    for (cwd, path) in [("", "env"), ("env", ".")] {
        fs::write(venv.join("__main__.py"), text).unwrap();
        let run = env.rvenv(["-p", python, "--without-pip", "--clear", path]);
        assert!(!run.cwd(cwd).outcome().status.success(), "in {cwd:?}");
        assert!(tree(&env.at("env")) != before, "in {cwd:?}");
        fs::write(
            venv.join("__main__.py"),
            "import sys; sys.exit('no room left')",
        )
        .unwrap();
        env.rvenv(["-p", python, "--without-pip", "--clear", "env"])
            .errs(&["no room left"]);
        assert!(tree(&env.at("env")) == before, "in {cwd:?}");
        assert_eq!(leftovers(&env.at("env")), [""; 0]);
        env.holds_only(["env"]);
    }
}

fn an_implementation_that_is_not_known_makes_its_own_environment() {
    let env = TestEnv::new();
    let python = graalpy(&env);
    let name = "import sysconfig, sys; print(sys.implementation.name, sys.prefix)";
    let prefix = env.root().join("graalpy");
    env.run(&python, ["-c", name])
        .prints(&format!("graalpy {}\n", prefix.display()));
    let python = python.to_str().unwrap();
    for flags in [
        &["--without-pip", "--prompt=x", "--system-site-packages"][..],
        &["--without-pip", "--copies", "--without-scm-ignore-files"],
        &[],
    ] {
        env.reset();
        let args = [&["-m", "venv"], flags, &["env"]].concat();
        env.run(python, args).succeeds();
        let own = env.root().join("own");
        fs::rename(env.at("env"), &own).unwrap();
        let args = [&["-p", python], flags, &["env"]].concat();
        env.rvenv(args).succeeds();
        // Its own venv creates it, including the activation scripts.
        let files = |root: &Path| {
            let mut files = tree(root);
            files.retain(|path, _| path.extension().is_none_or(|e| e != "pyc"));
            files
        };
        assert_same(&files(&env.at("env")), &files(&own), &format!("{flags:?}"));
        env.holds_only(["env"]);
        fs::remove_dir_all(own).unwrap();
    }
}

fn every_python_that_is_started_has_the_shim_off() {
    let env = TestEnv::new();
    let (log, wrapper) = (env.at("log"), env.at("python3"));
    let script = format!(
        "#!/bin/sh\necho \"shim $RVENV_SHIM\" >>'{}'\nexec '{}' \"$@\"\n",
        log.display(),
        newest().executable.display()
    );
    fs::write(&wrapper, script).unwrap();
    fs::set_permissions(&wrapper, PermissionsExt::from_mode(0o755)).unwrap();
    let args = ["--no-cache", "--without-pip", "-p", "./python3", "env"];
    env.rvenv(args).succeeds();
    let said = fs::read_to_string(&log).unwrap();
    assert!(
        !said.is_empty() && said.lines().all(|line| line == "shim 0"),
        "{said}"
    );
}

fn a_run_that_may_decline_fails_silently_and_changes_nothing() {
    let env = TestEnv::new();
    fs::create_dir(env.at("env")).unwrap();
    fs::write(env.at("env/mine"), "mine").unwrap();
    for flags in [
        &["--decline", "--clear"][..],
        &["--decline", "-p", "/no/python"],
        &["--decline=3.1.0.final.0"],
    ] {
        let args = [&["--without-pip"], flags, &["env"]].concat();
        let outcome = env.rvenv(args).outcome();
        outcome.expect_code(75);
        assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("", ""));
        assert_eq!(fs::read_to_string(env.at("env/mine")).unwrap(), "mine");
        assert_eq!(fs::read_dir(env.at("env")).unwrap().count(), 1);
    }
    let said = "import sys; print('.'.join(map(str, sys.version_info)))";
    let said = env.run(&newest().executable, ["-c", said]).stdout();
    let decline = format!("--decline={}", said.trim_end());
    env.rvenv_for(newest(), [&decline, "--without-pip", "new"])
        .succeeds();
}

fn a_run_that_may_decline_leaves_the_upgrade_of_pip_to_its_caller() {
    let env = TestEnv::new();
    let args = ["--decline", "--upgrade-deps", "env"];
    // No index has one: an upgrade would fail.
    env.rvenv_for(newest(), args)
        .var("PIP_INDEX_URL", "http://127.0.0.1:1")
        .var("PIP_RETRIES", "0")
        .succeeds();
    let cfg = fs::read_to_string(env.at("env/pyvenv.cfg")).unwrap();
    assert!(cfg.contains(" --upgrade-deps "), "{cfg}");
}
