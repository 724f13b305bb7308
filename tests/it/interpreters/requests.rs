//! Every form of `-p` and `RVENV_PYTHON`, and the Python that is selected.

use std::{
    env as process,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use fs_err as fs;

use crate::{
    env::TestEnv,
    interpreters::layouts::{base_of, keep, keepable, prefix, script, version, without_ensurepip},
    interpreters::{Interpreter, find_pypy},
    oracle::all_agree,
};

crate::harness::trials! {
    every_way_to_write_a_version needs [KEEPABLE],
    the_forms_of_other_tools_are_understood needs [KEEPABLE],
    each_version_specifier_tells_a_python_with_headers_and_one_without needs [KEEPABLE],
    the_first_match_on_path_is_used_before_a_newer_one_elsewhere needs [KEEPABLE],
    of_several_requests_the_first_that_is_found_is_used needs [KEEPABLE],
    a_prefix_or_an_environment_is_its_python needs [KEEPABLE],
    pypy_is_used_only_if_it_is_asked_for_or_called_python needs [PYPY],
    what_is_found_by_version_makes_the_environment_of_its_venv needs [KEEPABLE],
    an_error_says_what_was_searched_for_where_and_what_is_similar needs [KEEPABLE],
    a_broken_link_is_reported_as_one,
}

/// A folder for PATH with these names, each a link to a Python.
fn bin(env: &TestEnv, links: &[(&str, &Interpreter)]) -> PathBuf {
    let folder = env.root().join("bin");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir(&folder).unwrap();
    for (name, python) in links {
        symlink(&python.executable, folder.join(name)).unwrap();
    }
    folder
}

/// Fails unless these requests select this path, or another name of the same file.
#[track_caller]
fn means(env: &TestEnv, path: &Path, requests: &[&str], expected: &Path) {
    let requests = requests.iter().flat_map(|request| ["-p", request]);
    let outcome = env
        .rvenv(requests.chain(["--without-pip", "env"]))
        .var("PATH", path)
        .outcome();
    assert!(outcome.status.success(), "{outcome}");
    assert_eq!(outcome.stderr, "", "{outcome}");
    let found = fs::canonicalize(base_of(env, "env")).unwrap();
    assert_eq!(found, fs::canonicalize(expected).unwrap(), "{outcome}");
}

fn every_way_to_write_a_version() {
    let env = TestEnv::new();
    let kept = keepable();
    let [first, .., last] = kept.as_slice() else {
        return;
    };
    keep(&env.root().join("home/.pyenv/versions"), &kept);
    for python in &kept {
        let (major, minor, micro) = python.version;
        // The requested Python is not the one on PATH.
        let other = if python.version == last.version {
            first
        } else {
            last
        };
        let path = bin(&env, &[("python3", other)]);
        for request in [
            format!("{major}.{minor}"),
            format!("{major}.{minor}.{micro}"),
            format!("{major}{minor}"),
            format!("python{major}.{minor}"),
            format!("cpython{major}.{minor}"),
            format!("cpython@{major}.{minor}"),
            format!("=={major}.{minor}.*"),
            format!("~={major}.{minor}.0"),
            format!(">={major}.{minor},<{major}.{}", minor + 1),
            format!("cpython >={major}.{minor}, <{major}.{}", minor + 1),
        ] {
            means(&env, &path, &[&request], &python.executable);
        }
    }
}

fn the_forms_of_other_tools_are_understood() {
    let env = TestEnv::new();
    let kept = keepable();
    let [first, .., last] = kept.as_slice() else {
        return;
    };
    keep(&env.root().join("home/.pyenv/versions"), &kept);
    for (python, other) in [(first, last), (last, first)] {
        let path = bin(&env, &[("python3", other)]);
        let (short, full) = (python.short_version(), version(python));
        let (machine, system) = (process::consts::ARCH, process::consts::OS);
        for request in [
            format!("cpython-{short}"),
            format!("CPython{short}"),
            format!("CPYTHON@{full}"),
            format!("{short}.*"),
            format!("{short}-64"),
            format!("{full}-64"),
            format!("cpython{short}-64"),
            format!("cpython-{full}-{system}-{machine}-gnu"),
            format!("cpython-{short}-{system}-{machine}"),
            format!("cpython-{short}-any-any-any"),
            format!(" {short} "),
            format!("\t=={full}\n"),
            format!("  python{short}"),
            format!(" {} ", python.executable.display()),
        ] {
            means(&env, &path, &[&request], &python.executable);
        }
        for request in ["any", " any", "CPython", "Python", "cpython-any"] {
            means(&env, &path, &[request], &other.executable);
        }
        for request in [
            format!("{short}-32"),
            format!("{full}rc1"),
            format!("cpython-{short}-{system}-s390x-gnu"),
            format!("cpython-{short}-windows-{machine}-none"),
        ] {
            env.rvenv(["--without-pip", "-p", &request, "env"])
                .var("PATH", &path)
                .errs(&["no Python found for", &request]);
        }
    }
}

fn each_version_specifier_tells_a_python_with_headers_and_one_without() {
    let env = TestEnv::new();
    let kept = keepable();
    let Some(python) = kept.iter().rfind(|python| python.version.2 > 0) else {
        return;
    };
    let with = env.root().join("with");
    symlink(prefix(python), &with).unwrap();
    let without = env.root().join("without");
    let executable = without_ensurepip(python, &without);
    assert!(!without.join("include").exists());
    let (major, minor, micro) = python.version;
    let short = python.short_version();
    let (before, after) = (micro - 1, micro + 1);
    for path in [with.join("bin"), executable.parent().unwrap().into()] {
        for request in [
            format!("{short}.{micro}"),
            format!("=={short}.{micro}"),
            format!("=={short}.*"),
            format!("~={short}.{micro}"),
            format!(">={short}.{micro}"),
            format!(">={short}.{before},<{short}.{after}"),
            format!(">{short}.{before}"),
            format!("<={short}.{micro},>{short}.{before}"),
            format!("!={short}.{before},!={short}.{after},=={short}.*"),
            format!("==={short}.{micro}"),
            format!(">={short},<{major}.{}", minor + 1),
        ] {
            // The first match on PATH, whichever other Pythons there are.
            let taken = taken(&env, &path, &request);
            assert_eq!(taken, Some(path.clone()), "{request}");
        }
        for request in [
            format!("{short}.{after}"),
            format!("=={short}.{after}"),
            format!("!={short}.{micro},=={short}.*"),
            format!("~={short}.{after}"),
            format!(">{short}.{micro},=={short}.*"),
            format!(">={short}.{after},=={short}.*"),
            format!("<{short}.{micro},=={short}.*"),
            format!("==={short}.{before}"),
        ] {
            assert_ne!(
                taken(&env, &path, &request),
                Some(path.clone()),
                "{request}"
            );
        }
    }
}

/// The directory of the base that a request selects, if there is one.
fn taken(env: &TestEnv, path: &Path, request: &str) -> Option<PathBuf> {
    let run = env.rvenv(["--without-pip", "-p", request, "env"]);
    let outcome = run.var("PATH", path).outcome();
    let made = outcome.status.success();
    made.then(|| base_of(env, "env").parent().unwrap().into())
}

fn the_first_match_on_path_is_used_before_a_newer_one_elsewhere() {
    let env = TestEnv::new();
    let kept = keepable();
    let [first, .., last] = kept.as_slice() else {
        return;
    };
    keep(&env.root().join("home/.pyenv/versions"), &kept);
    let path = bin(&env, &[("python3", first), ("python", last)]);
    for request in ["3", "python3", "cpython", "cpython3", ">=3.6"] {
        means(&env, &path, &[request], &first.executable);
    }
    means(&env, &path, &["python"], &last.executable);
    let newest = format!(">={}", last.short_version());
    means(&env, &path, &[&newest, "3"], &last.executable);
    // A unique name is found by listing the directory.
    let name = format!("python{}", last.short_version());
    let path = bin(&env, &[(&name, last)]);
    means(&env, &path, &["3"], &last.executable);
    means(&env, &path, &[], &last.executable);
    // If there is none on PATH, the newest installed one.
    let path = bin(&env, &[]);
    means(&env, &path, &["3"], &last.executable);
}

fn of_several_requests_the_first_that_is_found_is_used() {
    let env = TestEnv::new();
    let kept = keepable();
    let [first, .., last] = kept.as_slice() else {
        return;
    };
    keep(&env.root().join("home/.pyenv/versions"), &kept);
    let path = bin(&env, &[("python3", last)]);
    let (one, other) = (first.short_version(), last.short_version());
    means(&env, &path, &["3.99", &one, &other], &first.executable);
    means(
        &env,
        &path,
        &["/nowhere", "nothing", &other],
        &last.executable,
    );
    env.rvenv(["-p", "3.98", "-p", "3.99", "env"])
        .errs(&["'3.98' or '3.99'"]);
    // The variable has the same syntax, and an option takes precedence.
    let run = |args: &[&str]| {
        let args = args.iter().chain(&["--without-pip", "env"]);
        env.rvenv(args)
            .var("PATH", &path)
            .var("RVENV_PYTHON", format!("=={one}.*"))
            .succeeds();
        fs::canonicalize(base_of(&env, "env")).unwrap()
    };
    assert!(run(&[]).starts_with(prefix(first)));
    assert!(run(&["-p", &other]).starts_with(prefix(last)));
}

fn a_prefix_or_an_environment_is_its_python() {
    let env = TestEnv::new();
    let kept = keepable();
    let Some(python) = kept.last() else { return };
    let path = bin(&env, &[]);
    let prefix = prefix(python);
    means(&env, &path, &[prefix.to_str().unwrap()], &python.executable);
    let folder = prefix.join("bin");
    means(&env, &path, &[folder.to_str().unwrap()], &python.executable);
    env.rvenv_for(python, ["--without-pip", ".outer"])
        .succeeds();
    for request in [".outer", "./.outer", ".outer/", ".outer/bin/python"] {
        means(&env, &path, &[request], &python.executable);
    }
    fs::create_dir(env.at("empty")).unwrap();
    env.rvenv(["-p", "./empty", "env"])
        .errs(&["./empty", "no Python in"]);
}

fn pypy_is_used_only_if_it_is_asked_for_or_called_python() {
    let env = TestEnv::new();
    let pypy = find_pypy().unwrap();
    let short = pypy.short_version();
    let name = format!("pypy{short}");
    let real = pypy.executable.parent().unwrap();
    for request in [
        "pypy".to_owned(),
        "pypy3".to_owned(),
        format!("pypy{short}"),
        format!("pypy@{short}"),
        format!("pp{}", short.replace('.', "")),
        format!("pypy>={short}"),
    ] {
        means(&env, real, &[&request], &pypy.executable);
    }
    let path = bin(&env, &[(&name, pypy)]);
    let range = format!("=={short}.*");
    let outcome = env
        .rvenv(["--without-pip", "-p", &range, "env"])
        .var("PATH", &path)
        .outcome();
    assert!(!outcome.stderr.contains("PyPy"), "{outcome}");
    let _ = fs::remove_dir_all(env.at("env"));
    let path = bin(&env, &[("python3", pypy)]);
    means(&env, &path, &[&range], &pypy.executable);
}

fn what_is_found_by_version_makes_the_environment_of_its_venv() {
    let env = TestEnv::new();
    let kept = keepable();
    keep(&env.root().join("home/.pyenv/versions"), &kept);
    all_agree(kept.iter().map(|python| {
        let short = python.short_version();
        let found = env
            .root()
            .join("home/.pyenv/versions")
            .join(version(python));
        env.oracle(python)
            .invoked_as(found.join("bin").join(format!("python{short}")))
            .requested_as(&short)
            .var("PATH", "/nowhere")
            .args(["--without-pip", "env"])
            .verdict()
    }));
}

fn an_error_says_what_was_searched_for_where_and_what_is_similar() {
    let env = TestEnv::new();
    let kept = keepable();
    let [first, .., last] = kept.as_slice() else {
        return;
    };
    keep(&env.root().join("home/.pyenv/versions"), &kept);
    let path = bin(&env, &[("python3", first)]);
    script(&path.join("python"), "#!/bin/sh\necho no >&2; exit 3\n");
    let found = format!(
        "CPython {} at {}",
        version(first),
        path.join("python3").display()
    );
    let nearest = format!("closest match: CPython {}", version(last));
    env.rvenv(["-p", "3.99", "env"]).var("PATH", &path).errs(&[
        "no Python found for '3.99'",
        path.to_str().unwrap(),
        "pyenv",
        &found,
        &nearest,
        path.join("python").to_str().unwrap(),
        "exit status: 3 (output: no",
    ]);
    env.rvenv(["-p", "nosuch", "env"])
        .var("PATH", &path)
        .errs(&["'nosuch'", path.to_str().unwrap()]);
    env.rvenv(["-p", "./nosuch", "env"])
        .errs(&["./nosuch", "no such file"]);
    env.rvenv(["-p", ">=x", "env"]).errs(&[">=x", "range"]);
    env.holds_only([]);
}

fn a_broken_link_is_reported_as_one() {
    let env = TestEnv::new();
    symlink("/nowhere/python3", env.at("python")).unwrap();
    fs::create_dir_all(env.at("prefix/bin")).unwrap();
    symlink("../gone", env.at("prefix/bin/python3")).unwrap();
    env.rvenv(["-p", "./python", "env"])
        .errs(&["./python", "broken symlink", "/nowhere/python3"]);
    env.rvenv(["-p", "./prefix", "env"]).errs(&[
        "./prefix",
        "bin/python3",
        "broken symlink",
        "../gone",
    ]);
    env.holds_only(["prefix", "python"]);
}
