//! Tests with Pythons that compile, crash and hang.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Instant;

use fs_err as fs;

use crate::Error;
use crate::installed::bytecode::settings::{Bytecode, Invalidation};
use crate::installed::bytecode::{batches, cached, compile};
use crate::interpreter::Interpreter;
use crate::pip::test_wheels::{facts, probe, pythons};
use crate::sys::fs::Folder;
use crate::sys::signal::Interrupt;

/// Compiles one source with a program in the place of Python.
fn compile_with(program: &str, interrupt: &Interrupt) -> Result<usize, Error> {
    let folder = tempfile::tempdir().unwrap();
    let executable = folder.path().join("python");
    fs::write(&executable, program).unwrap();
    fs::set_permissions(&executable, PermissionsExt::from_mode(0o755)).unwrap();
    let interpreter = facts(executable.to_str().unwrap());
    run(&interpreter, folder.path(), interrupt)
}

fn run(interpreter: &Interpreter, root: &Path, interrupt: &Interrupt) -> Result<usize, Error> {
    fs::write(root.join("a.py"), "a = 1\n").unwrap();
    let folder = Folder::open(root, root).unwrap();
    let sources = [("a.py".to_owned(), 6)];
    let compiled = compile(
        interpreter,
        root,
        &folder,
        &sources,
        &Bytecode::default(),
        interrupt,
    )?;
    Ok(compiled.len())
}

#[test]
fn the_error_for_a_failing_python_contains_its_output() {
    for program in [
        "#!/bin/sh\necho no memory >&2\nexit 3\n",
        "#!/bin/sh\nread line\necho no memory >&2\nkill -9 $$\n",
        "#!/bin/sh\necho no memory >&2\nread line\necho ++\n",
    ] {
        let error = compile_with(program, &Interrupt::default()).unwrap_err();
        assert!(error.to_string().contains("no memory"), "{error}");
    }
    let missing = compile_with("#!/nonexistent\n", &Interrupt::default()).unwrap_err();
    assert!(matches!(missing, Error::Io { .. }), "{missing}");
}

#[test]
fn a_signal_ends_a_python_that_does_not_respond() {
    let started = Instant::now();
    let program = "#!/bin/sh\nexec sleep 600\n";
    let error = compile_with(program, &Interrupt::raised(15)).unwrap_err();
    assert!(
        matches!(error, Error::Interrupted { signal: 15 }),
        "{error}"
    );
    assert!(started.elapsed().as_secs() < 300, "nobody waited for it");
}

#[test]
fn a_python_without_a_cache_tag_writes_no_bytecode() {
    let folder = tempfile::tempdir().unwrap();
    let mut interpreter = facts("/nowhere/python");
    assert!(run(&interpreter, folder.path(), &Interrupt::default()).is_err());
    interpreter.cache_tag = None;
    assert_eq!(
        run(&interpreter, folder.path(), &Interrupt::default()).unwrap(),
        0
    );
}

#[test]
fn a_folder_with_any_name_can_be_compiled() {
    let folder = tempfile::tempdir().unwrap();
    for python in pythons() {
        let root = folder.path().join("é \n$(exit 9)");
        fs::create_dir(&root).unwrap();
        assert_eq!(
            run(&probe(&python), &root, &Interrupt::default()).unwrap(),
            1
        );
        let code = fs::read(
            fs::read_dir(root.join("__pycache__"))
                .unwrap()
                .next()
                .unwrap()
                .unwrap()
                .path(),
        );
        let name = root.join("a.py");
        let name = name.to_str().unwrap().as_bytes();
        assert!(
            code.unwrap()
                .windows(name.len())
                .any(|window| window == name)
        );
        fs::remove_dir_all(&root).unwrap();
    }
}

#[test]
fn variables_apply_from_the_python_version_that_supports_them() {
    let mut interpreter = facts("/nowhere/python");
    let all = |name: &str| match name {
        "SOURCE_DATE_EPOCH" | "PYTHONNODEBUGRANGES" => Some("1".to_owned()),
        "PYTHONOPTIMIZE" => Some("2".to_owned()),
        _ => None,
    };
    for (minor, invalidation, optimize, debug_ranges) in [
        (6, Invalidation::Timestamp, 0, true),
        (7, Invalidation::CheckedHash, 0, true),
        (10, Invalidation::CheckedHash, 2, true),
        (11, Invalidation::CheckedHash, 2, false),
    ] {
        interpreter.version = [3, minor, 0];
        let expected = Bytecode {
            invalidation,
            optimize,
            debug_ranges,
        };
        assert_eq!(Bytecode::for_environment(&interpreter, all), expected);
    }
    let word = |name: &str| (name == "PYTHONOPTIMIZE").then(|| "yes".to_owned());
    assert_eq!(Bytecode::for_environment(&interpreter, word).optimize, 1);
    let empty = |_: &str| Some(String::new());
    assert_eq!(
        Bytecode::for_environment(&interpreter, empty),
        Bytecode::default()
    );
}

#[test]
fn large_files_are_compiled_first_and_small_files_in_batches() {
    let sources = [
        ("b", 10),
        ("c", 10),
        ("large", 90_000),
        ("middle", 50_000),
        ("a", 10),
    ];
    let sources = sources.map(|(path, size)| (path.to_owned(), size));
    let expected = [vec!["large"], vec!["middle"], vec!["a", "b", "c"]];
    assert_eq!(batches(&sources), expected);
}

#[test]
fn bytecode_is_in_pycache_beside_its_source() {
    assert_eq!(cached("a/b.py", ".x.pyc"), "a/__pycache__/b.x.pyc");
    assert_eq!(cached("b.c.py", ".x.pyc"), "__pycache__/b.c.x.pyc");
}
