//! The oracle for the ways to start a Python: by path, by name, through links and linked directories, and from another
//! environment.

use std::{
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use fs_err as fs;

use crate::{
    env::{PATH, TestEnv},
    interpreters::{Interpreter, each},
    oracle::{Verdict, all_agree},
};

crate::harness::trials! {
    every_name_in_the_pythons_own_folder_makes_the_same_links(each),
    links_to_a_python_give_their_names(each),
    a_link_to_a_link_is_kept_as_given(each),
    a_linked_folder_is_kept_as_given(each),
    a_relative_path_is_made_absolute(each),
    a_name_is_looked_up_on_path(each),
    without_a_request_it_is_python3_on_path_then_python(each),
    the_python_of_another_environment_is_resolved_to_its_base(each),
    an_environment_created_through_a_link_uses_its_base(each),
    inside_an_activated_environment_its_own_python_is_asked(each),
    pythons_variables_do_not_reach_the_environment(each),
    the_locale_decides_what_python_can_name(each),
}

/// A directory next to `work` with links to the Python under other names.
fn links(env: &TestEnv, python: &Interpreter, names: &[&str]) -> PathBuf {
    let folder = env.root().join("links");
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    fs::create_dir(&folder).unwrap();
    for name in names {
        symlink(&python.executable, folder.join(name)).unwrap();
    }
    folder
}

/// Another environment beside `work`, made by `python -m venv`.
fn outer(env: &TestEnv, program: &Path, flags: &[&str]) -> PathBuf {
    let folder = env.root().join("outer");
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    let args = [&["-m", "venv", "--without-pip"], flags, &["../outer"]].concat();
    env.run(program, args).succeeds();
    folder
}

fn bare(env: &TestEnv, python: &Interpreter, program: &Path, flags: &[&str]) -> Verdict {
    let args = [&["--without-pip"], flags, &["env"]].concat();
    env.oracle(python).invoked_as(program).args(args).verdict()
}

fn every_name_in_the_pythons_own_folder_makes_the_same_links(python: &'static Interpreter) {
    let env = TestEnv::new();
    let folder = python.executable.parent().unwrap().to_owned();
    let real = fs::canonicalize(&python.executable).unwrap();
    let version = python.short_version();
    let names = ["python", "python3", "pypy", "pypy3"].map(str::to_owned);
    let names = names.into_iter().chain([
        format!("python{version}"),
        format!("python{version}t"),
        format!("pypy{version}"),
    ]);
    let paths = names.map(move |name| folder.join(name));
    let paths = paths.filter(move |p| fs::canonicalize(p).is_ok_and(|p| p == real));
    all_agree(paths.map(|path| bare(&env, python, &path, &[])));
}

fn links_to_a_python_give_their_names(python: &'static Interpreter) {
    let env = TestEnv::new();
    // PyPy finds its library only next to the real file, so other names do not work.
    let names = ["mypython", "python", "python3", "python9.9", "my python"];
    let folder = links(&env, python, &names);
    all_agree(names.map(|name| bare(&env, python, &folder.join(name), &[])));
}

fn a_link_to_a_link_is_kept_as_given(python: &'static Interpreter) {
    let env = TestEnv::new();
    let folder = links(&env, python, &["first"]);
    symlink("first", folder.join("second")).unwrap();
    all_agree([bare(&env, python, &folder.join("second"), &[])]);
}

fn a_linked_folder_is_kept_as_given(python: &'static Interpreter) {
    let env = TestEnv::new();
    let folder = links(&env, python, &[]);
    let bin = python.executable.parent().unwrap();
    symlink(bin, folder.join("bin")).unwrap();
    let name = python.executable.file_name().unwrap();
    let plain = folder.join("bin").join(name);
    let mut verdicts = vec![bare(&env, python, &plain, &[])];
    // Up to 3.10 Python keeps `..` in a path, which rvenv normalizes.
    if python.at_least(11) {
        // Of a real directory, as the parent of a link differs from that of its target.
        let real = fs::canonicalize(&python.executable).unwrap();
        let bin = real.parent().unwrap();
        let folder = bin.file_name().unwrap().to_str().unwrap();
        let dotted = bin
            .join(format!("../{folder}//."))
            .join(real.file_name().unwrap());
        verdicts.push(bare(&env, python, &dotted, &[]));
    }
    all_agree(verdicts);
}

fn a_relative_path_is_made_absolute(python: &'static Interpreter) {
    let env = TestEnv::new();
    let case = |path: &str| {
        env.oracle(python)
            .invoked_as(path)
            .before(|env| {
                fs::create_dir(env.at("tools")).unwrap();
                symlink(&python.executable, env.at("tools/mypython")).unwrap();
            })
            .args(["--without-pip", "env"])
            .verdict()
    };
    all_agree(["tools/mypython", "./tools/mypython"].map(case));
}

fn a_name_is_looked_up_on_path(python: &'static Interpreter) {
    let env = TestEnv::new();
    let folder = links(&env, python, &["mypython"]);
    all_agree([env
        .oracle(python)
        .invoked_as("mypython")
        .var("PATH", format!("{}:{PATH}", folder.display()))
        .args(["--without-pip", "env"])
        .verdict()]);
}

fn without_a_request_it_is_python3_on_path_then_python(python: &'static Interpreter) {
    let env = TestEnv::new();
    let cases: [(&[&str], &str); 3] = [
        (&["python3"], "python3"),
        (&["python"], "python"),
        (&["python", "python3"], "python3"),
    ];
    all_agree(cases.map(|(names, first)| {
        let folder = links(&env, python, names);
        env.oracle(python)
            .found_as(first)
            .var("PATH", &folder)
            .args(["--without-pip", "env"])
            .verdict()
    }));
}

fn the_python_of_another_environment_is_resolved_to_its_base(python: &'static Interpreter) {
    let env = TestEnv::new();
    let mut verdicts = Vec::new();
    let kinds: [&[&str]; 2] = [&[], &["--copies"]];
    for flags in &kinds[..if python.copies { 2 } else { 1 }] {
        let folder = outer(&env, &python.executable, flags).join("bin");
        let own = python.executable.file_name().unwrap();
        for name in ["python".as_ref(), "python3".as_ref(), own] {
            verdicts.push(bare(&env, python, &folder.join(name), &[]));
        }
        if python.copies {
            verdicts.push(bare(&env, python, &folder.join("python"), &["--copies"]));
        }
    }
    all_agree(verdicts);
}

fn an_environment_created_through_a_link_uses_its_base(python: &'static Interpreter) {
    let env = TestEnv::new();
    let folder = links(&env, python, &["mypython"]);
    let folder = outer(&env, &folder.join("mypython"), &[]).join("bin");
    all_agree([bare(&env, python, &folder.join("python3"), &[])]);
}

fn inside_an_activated_environment_its_own_python_is_asked(python: &'static Interpreter) {
    let env = TestEnv::new();
    let folder = outer(&env, &python.executable, &[]);
    all_agree([env
        .oracle(python)
        .found_as("python3")
        .var("VIRTUAL_ENV", &folder)
        .var("PATH", format!("{}:{PATH}", folder.join("bin").display()))
        .args(["--without-pip", "env"])
        .verdict()]);
}

fn pythons_variables_do_not_reach_the_environment(python: &'static Interpreter) {
    let env = TestEnv::new();
    let variables = [
        ("PYTHONPATH", "/nowhere"),
        ("PYTHONWARNINGS", "ignore"),
        ("PYTHONNOUSERSITE", "1"),
        ("PYTHONUTF8", "1"),
        ("PYTHONDONTWRITEBYTECODE", "1"),
        ("PYTHONOPTIMIZE", "2"),
    ];
    all_agree(variables.map(|(name, value)| {
        env.oracle(python)
            .var(name, value)
            .args(["--without-pip", "env"])
            .verdict()
    }));
}

fn the_locale_decides_what_python_can_name(python: &'static Interpreter) {
    let env = TestEnv::new();
    all_agree([env
        .oracle(python)
        .var("LC_ALL", "POSIX")
        .var("PYTHONUTF8", "0")
        .var("PYTHONCOERCECLOCALE", "0")
        .args(["--without-pip", "--prompt=plain", "env"])
        .verdict()]);
}
