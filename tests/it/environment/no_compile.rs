//! `--no-compile` installs pip as `pip install --no-compile` does, and does not compile other packages, either.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use fs_err as fs;

use crate::env::TestEnv;
use crate::harness::{Case, some};
use crate::interpreters::{Interpreter, a_few, only};
use crate::tree::{Kind, tree};
use crate::wheel::write_wheel;

crate::harness::trials! {
    without_bytecode_pip_is_what_pip_itself_installs_without_it(a_few_with_wheels, part),
    without_bytecode_the_rest_of_the_environment_is_the_same(a_few),
    what_pip_installs_is_not_compiled_either(a_few),
}

/// Installs the same packages as a Python's ensurepip, with the pip in its wheels.
const INSTALL: &str = "import ensurepip, glob, os, runpy, sys\n\
    folder = os.path.join(os.path.dirname(ensurepip.__file__), '_bundled')\n\
    wheels = sorted(glob.glob(os.path.join(folder, '*.whl')))\n\
    names = [os.path.basename(w).split('-')[0] for w in wheels]\n\
    sys.path[:0] = wheels\n\
    sys.argv = ['pip', 'install', '-q', '--no-index', '--no-compile', '--find-links', folder] + names\n\
    runpy.run_module('pip', run_name='__main__', alter_sys=True)\n";

fn a_few_with_wheels() -> Vec<Case<&'static Interpreter>> {
    let has_them = |python: &Interpreter| python.bundled().is_dir();
    only(a_few(), has_them, "no wheels in its ensurepip")
}

/// The contents of every file below a folder, and the targets of links.
fn contents(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = tree(root).into_iter();
    let files = entries.filter(|(_, entry)| entry.kind != Kind::Directory);
    files.map(|(path, entry)| (path, entry.contents)).collect()
}

fn is_compiled(path: &Path) -> bool {
    path.components()
        .any(|part| part.as_os_str() == "__pycache__")
}

#[track_caller]
fn are_same(expected: &Path, found: &Path, but: impl Fn(&Path) -> bool) {
    let [expected, found] = [expected, found].map(|root| {
        let mut contents = contents(root);
        contents.retain(|path, _| !but(path));
        contents
    });
    let names = |tree: &BTreeMap<PathBuf, Vec<u8>>| tree.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&expected), names(&found));
    for (path, contents) in &expected {
        let [wanted, got] = [contents, &found[path]].map(|bytes| String::from_utf8_lossy(bytes));
        assert!(wanted == got, "{}:\n{wanted}\n---\n{got}", path.display());
    }
}

fn without_bytecode_pip_is_what_pip_itself_installs_without_it(python: &'static Interpreter) {
    let env = TestEnv::new();
    env.rvenv_for(python, ["--without-pip", "env"]).succeeds();
    // Scripts contain the name by which pip was started.
    let name = python.executable.file_name().unwrap();
    let program = env.at("env/bin").join(name);
    let installed = env.run(program, ["-I", "-B", "-c", INSTALL]);
    installed.outcome().expect_code(0);
    fs::rename(env.at("env"), env.at("expected")).unwrap();
    for &seeder in some(&["wheel", "ensurepip"], 1) {
        env.rvenv_for(
            python,
            ["--no-compile", "--seeder", seeder, "--no-cache", "env"],
        )
        .succeeds();
        are_same(&env.at("expected"), &env.at("env"), |path| {
            path.ends_with("pyvenv.cfg")
        });
        fs::remove_dir_all(env.at("env")).unwrap();
    }
}

fn without_bytecode_the_rest_of_the_environment_is_the_same(python: &'static Interpreter) {
    let env = TestEnv::new();
    env.rvenv_for(python, ["env"]).shared_cache().succeeds();
    fs::rename(env.at("env"), env.at("compiled")).unwrap();
    // With the cache, which also contains the image with bytecode.
    for _ in 0..2 {
        env.rvenv_for(python, ["--no-compile", "env"])
            .shared_cache()
            .succeeds();
        are_same(&env.at("compiled"), &env.at("env"), |path| {
            is_compiled(path) || path.ends_with("RECORD")
        });
        assert!(
            !contents(&env.at("env"))
                .keys()
                .any(|path| is_compiled(path))
        );
        fs::remove_dir_all(env.at("env")).unwrap();
    }
}

fn what_pip_installs_is_not_compiled_either(python: &'static Interpreter) {
    let env = TestEnv::new();
    let wheels = env.root().join("wheels");
    write_wheel(&env, &wheels, "one", "1.0");
    env.rvenv_for(python, ["--no-compile", "--with", "one", "env"])
        .shared_cache()
        .var("PIP_NO_INDEX", "1")
        .var("PIP_FIND_LINKS", &wheels)
        // Importing pip compiles it, unless that is disabled.
        .var("PYTHONDONTWRITEBYTECODE", "1")
        .succeeds();
    let tree = contents(&env.at("env"));
    assert!(tree.keys().any(|path| path.ends_with("one/__init__.py")));
    let compiled: Vec<_> = tree.keys().filter(|path| is_compiled(path)).collect();
    assert!(
        !compiled
            .iter()
            .any(|path| path.to_string_lossy().contains("/one/")),
        "{compiled:?}"
    );
    env.run(env.at("env/bin/one"), [""; 0])
        .prints(&format!("1.0 {}\n", env.at("env").display()));
}
