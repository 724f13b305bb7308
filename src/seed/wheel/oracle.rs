//! The producer against the real `python -m venv`, at the same path, for every Python on the machine.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use fs_err as fs;
use walkdir::WalkDir;

use super::{Production, produce};
use crate::interpreter::{BundledWheel, Interpreter};
use crate::interrupt::Interrupt;
use crate::seed::bytecode::Bytecode;
use crate::seed::crafted::{clean, probe, pythons};
use crate::seed::generation::Names;

/// Compares the `.pyc` files of two trees by header and by code object, and that each belongs to its source.
const COMPARE: &str = r#"
import marshal, os, sys, types
mine, real, timed = sys.argv[1], sys.argv[2], sys.argv[3] == "timestamp"
skip_filename = sys.argv[4] == "elsewhere"
size = 16 if sys.version_info >= (3, 7) else 12
def facts(code):
    names = [n for n in dir(code) if n.startswith("co_") and n != "co_lnotab"]
    found = {}
    for name in names:
        value = getattr(code, name)
        if name == "co_consts":
            value = [facts(v) if isinstance(v, types.CodeType) else (type(v), repr(sorted(map(repr, v)) if isinstance(v, frozenset) else v)) for v in value]
        elif name == "co_filename" and skip_filename:
            continue
        elif callable(value):
            value = list(value())
        found[name] = value
    return found
for folder, _, names in os.walk(real):
    for name in names:
        if not name.endswith(".pyc"):
            continue
        ours = os.path.join(mine, os.path.relpath(os.path.join(folder, name), real))
        a, b = open(ours, "rb").read(), open(os.path.join(folder, name), "rb").read()
        source = os.path.join(os.path.dirname(os.path.dirname(ours)), name.split(".")[0] + ".py")
        stat = os.stat(source)
        if timed:
            assert a[:size - 8] == b[:size - 8], ours
            assert int.from_bytes(a[size - 8:size - 4], "little") == int(stat.st_mtime), ours
            assert int.from_bytes(a[size - 4:size], "little") == stat.st_size, ours
        else:
            assert a[:size] == b[:size], ours
        assert facts(marshal.loads(a[size:])) == facts(marshal.loads(b[size:])), ours
print("same")
"#;

/// What a tree holds, by relative path: the mode, and the bytes of all but bytecode.
fn tree(root: &Path, interpreter: &Interpreter) -> BTreeMap<String, (u32, Vec<u8>)> {
    let mut found = BTreeMap::new();
    for entry in WalkDir::new(root).min_depth(1) {
        let entry = entry.unwrap();
        let path = entry
            .path()
            .strip_prefix(root)
            .unwrap()
            .to_str()
            .unwrap()
            .to_string();
        let is_script = path.starts_with("bin/pip") || path.starts_with("bin/easy_install");
        let below = format!("{}/", interpreter.scheme.purelib);
        if !is_script && !path.starts_with(&below) {
            continue;
        }
        let is_read = entry.file_type().is_file() && path.strip_suffix(".pyc").is_none();
        let contents = if is_read {
            fs::read(entry.path()).unwrap()
        } else {
            Vec::new()
        };
        found.insert(path, (entry.metadata().unwrap().mode(), contents));
    }
    found
}

/// Makes an environment at `path` both ways and compares.
fn compare(python: &Path, path: &Path, variables: &[(&str, &str)]) {
    let interpreter = probe(python);
    if interpreter.wheels.is_none() {
        skip(&format!("{} has no ensurepip", python.display()));
        return;
    }
    let mut venv = clean(python);
    venv.args(["-m", "venv"]).arg(path);
    venv.envs(variables.iter().copied());
    finish(&mut venv);
    compare_with(&interpreter, path, variables);
}

/// Says why something is not tested, which must not happen where everything is there.
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn skip(reason: &str) {
    assert!(std::env::var_os("CI").is_none(), "{reason}");
    eprintln!("skipped: {reason}");
}

fn finish(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {output:?}");
}

/// Compares the environment at `path` with what is produced there instead.
fn compare_with(interpreter: &Interpreter, path: &Path, variables: &[(&str, &str)]) {
    let real = path.with_file_name("real");
    fs::rename(path, &real).unwrap();
    fs::create_dir(path).unwrap();
    let variable = |name: &str| {
        let found = variables.iter().find(|(key, _)| *key == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    let name = interpreter.base_executable.rsplit('/').next().unwrap();
    let production = Production {
        executable: format!("{}/bin/{name}", path.display()),
        names: Names::from_options(variable("ENSUREPIP_OPTIONS").as_deref()),
        bytecode: Bytecode::for_environment(interpreter, variable),
    };
    produce(interpreter, path, &production, &Interrupt::default()).unwrap();

    let said = &interpreter.executable;
    let (ours, theirs) = (tree(path, interpreter), tree(&real, interpreter));
    let names = |tree: &BTreeMap<String, _>| tree.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&ours), names(&theirs), "{said}");
    for (name, (mode, contents)) in &theirs {
        assert_eq!(ours[name].0, *mode, "the mode of {name} for {said}");
        let (ours, theirs) = (&ours[name].1, contents);
        let (ours, theirs) = (
            String::from_utf8_lossy(ours),
            String::from_utf8_lossy(theirs),
        );
        assert_eq!(ours, theirs, "{name} for {said}");
    }
    let is_hashed = variable("SOURCE_DATE_EPOCH").is_some() && interpreter.at_least(3, 7);
    // Before 20.2 pip compiled in the temporary folder that it had unpacked into, and its bytecode
    // says so for ever.
    let is_old = ["18.", "19.", "20.0", "20.1"];
    let is_old = |version: &str| is_old.iter().any(|old| version.starts_with(old));
    let mut wheels = interpreter.wheels.iter().flatten();
    let is_elsewhere = wheels.any(|wheel| wheel.project == "pip" && is_old(&wheel.version));
    let site_packages = &interpreter.scheme.purelib;
    let output = clean(Path::new(said))
        .args(["-I", "-S", "-c", COMPARE])
        .args([path.join(site_packages), real.join(site_packages)])
        .arg(if is_hashed {
            "checked-hash"
        } else {
            "timestamp"
        })
        .arg(if is_elsewhere { "elsewhere" } else { "same" })
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "same\n",
        "{said}: {output:?}"
    );
    fs::remove_dir_all(path).unwrap();
    fs::remove_dir_all(&real).unwrap();
}

/// The oldest, the newest and, if there is one, the system's own.
fn some_pythons() -> Vec<PathBuf> {
    let all = pythons();
    let mut some = vec![all[0].clone(), all[all.len() - 1].clone()];
    some.extend(all.into_iter().find(|python| python.starts_with("/usr")));
    some.dedup();
    some
}

#[test]
fn the_result_is_what_venv_leaves() {
    let folder = tempfile::tempdir().unwrap();
    for python in pythons() {
        compare(&python, &folder.path().join("env"), &[]);
    }
}

#[test]
fn the_result_is_what_venv_leaves_where_a_shebang_cannot_say_the_path() {
    let folder = tempfile::tempdir().unwrap();
    for python in some_pythons() {
        compare(&python, &folder.path().join("an env é"), &[]);
        let name = python.file_name().unwrap().len();
        let rest = folder.path().as_os_str().len() + "/".len() + "/bin/".len() + name;
        // The longest path that fits, and the next one.
        for length in [124, 125] {
            compare(&python, &folder.path().join("x".repeat(length - rest)), &[]);
        }
    }
}

#[test]
fn the_result_is_what_venv_leaves_under_the_variables_that_it_hears() {
    let folder = tempfile::tempdir().unwrap();
    for python in some_pythons() {
        for variables in [
            [
                ("SOURCE_DATE_EPOCH", "1700000000"),
                ("ENSUREPIP_OPTIONS", "altinstall"),
            ],
            [("PYTHONOPTIMIZE", "1"), ("ENSUREPIP_OPTIONS", "install")],
            [("PYTHONOPTIMIZE", "2"), ("PYTHONNODEBUGRANGES", "1")],
        ] {
            compare(&python, &folder.path().join("env"), &variables);
        }
    }
}

/// Other pips than those of the Pythons here: wheels in the folder `RVENV_TEST_WHEELS`.
#[test]
fn every_pip_leaves_what_it_leaves_itself() {
    let Some(wheels) = std::env::var_os("RVENV_TEST_WHEELS").map(PathBuf::from) else {
        // No interpreter is missing, so this is none of the skips that must not be.
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    for python in some_pythons() {
        for wheel in fs::read_dir(&wheels).unwrap() {
            let wheel = wheel.unwrap().path();
            let name = wheel.file_name().unwrap().to_str().unwrap();
            let Some(version) = name
                .strip_prefix("pip-")
                .and_then(|rest| rest.split('-').next())
            else {
                continue;
            };
            let path = folder.path().join("env");
            finish(
                clean(&python)
                    .args(["-m", "venv", "--without-pip"])
                    .arg(&path),
            );
            let mut interpreter = probe(&python);
            let executable = interpreter.base_executable.rsplit('/').next().unwrap();
            // The program that ensurepip hands to its child.
            let program = format!(
                "import runpy, sys; sys.path.insert(0, {wheel:?}); sys.argv[1:] = ['install', \
                 '--no-cache-dir', '--no-index', '--find-links', {wheels:?}, '--upgrade', \
                 'pip=={version}']; runpy.run_module('pip', run_name='__main__', alter_sys=True)"
            );
            let mut install = clean(&path.join("bin").join(executable));
            install.args(["-W", "ignore::DeprecationWarning", "-c", &program]);
            if !install
                .env("PIP_CONFIG_FILE", "/dev/null")
                .output()
                .unwrap()
                .status
                .success()
            {
                skip(&format!(
                    "pip {version} does not run on {}",
                    python.display()
                ));
                fs::remove_dir_all(&path).unwrap();
                continue;
            }
            interpreter.wheels = Some(vec![BundledWheel {
                project: "pip".into(),
                version: version.into(),
                path: wheel.to_str().unwrap().into(),
            }]);
            compare_with(&interpreter, &path, &[]);
        }
    }
}
