//! The producer against the real `python -m venv`, at the same path, for every Python on the machine.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use fs_err as fs;
use walkdir::WalkDir;

use super::{Production, produce};
use crate::interpreter::Interpreter;
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
        let is_read = entry.file_type().is_file() && !path.ends_with(".pyc");
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
        eprintln!("skipped: {} has no ensurepip", python.display());
        return;
    }
    let output = clean(python)
        .args(["-m", "venv"])
        .arg(path)
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let real = path.with_file_name("real");
    fs::rename(path, &real).unwrap();
    fs::create_dir(path).unwrap();
    let variable = |name: &str| {
        variables
            .iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| (*value).to_string())
    };
    let name = interpreter.base_executable.rsplit('/').next().unwrap();
    let production = Production {
        executable: format!("{}/bin/{name}", path.display()),
        names: Names::from_options(variable("ENSUREPIP_OPTIONS").as_deref()),
        bytecode: Bytecode::for_environment(&interpreter, variable),
    };
    produce(&interpreter, path, &production, &Interrupt::default()).unwrap();

    let (ours, theirs) = (tree(path, &interpreter), tree(&real, &interpreter));
    let names = |tree: &BTreeMap<String, _>| tree.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&ours), names(&theirs), "{}", python.display());
    for (name, (mode, contents)) in &theirs {
        assert_eq!(
            ours[name].0,
            *mode,
            "the mode of {name} for {}",
            python.display()
        );
        let (ours, theirs) = (
            String::from_utf8_lossy(&ours[name].1),
            String::from_utf8_lossy(contents),
        );
        assert_eq!(ours, theirs, "{name} for {}", python.display());
    }
    let is_hashed = variable("SOURCE_DATE_EPOCH").is_some() && interpreter.at_least(3, 7);
    // Before 20.2 pip compiled in the temporary folder that it had unpacked into, and bytecode says so for ever.
    let old = interpreter
        .wheels
        .iter()
        .flatten()
        .any(|wheel| wheel.project == "pip" && wheel.version.starts_with("18."));
    let site_packages = &interpreter.scheme.purelib;
    let output = clean(python)
        .args(["-I", "-S", "-c", COMPARE])
        .args([path.join(site_packages), real.join(site_packages)])
        .args([
            if is_hashed {
                "checked-hash"
            } else {
                "timestamp"
            },
            if old { "elsewhere" } else { "same" },
        ])
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "same\n",
        "{}: {output:?}",
        python.display()
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
