//! Tests with wheels that use every feature of the specification, and with wheels that are not valid.

use std::path::{Path, PathBuf};

use fs_err as fs;
use tempfile::TempDir;

use crate::Error;
use crate::installed::bytecode::settings::Bytecode;
use crate::installed::scripts::template::Names;
use crate::interpreter::{BundledWheel, Interpreter};
use crate::pip::test_wheels::{Wheel, facts, pip, probe, pythons};
use crate::pip::wheel::distribution::relative;
use crate::pip::wheel::install::Production;
use crate::pip::wheel::produce;
use crate::sys::signal::Interrupt;

/// A scratch environment in which these wheels are installed, and compiled by the newest Python if there is one.
struct Scratch {
    interpreter: Interpreter,
    compiles: bool,
    folder: TempDir,
}

impl Scratch {
    fn new(wheels: &[Wheel]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let newest = pythons().pop();
        let unknown = || facts("/nowhere/python");
        let mut interpreter = newest.as_deref().map_or_else(unknown, probe);
        fs::create_dir(folder.path().join("env")).unwrap();
        // purelib and platlib are usually the same directory.
        interpreter.scheme.purelib = "lib/pure".into();
        interpreter.scheme.platlib = "lib64/plat".into();
        let bundled = |wheel: &Wheel| BundledWheel {
            project: wheel.name.into(),
            version: "1.0".into(),
            path: wheel.write(folder.path()).to_str().unwrap().into(),
        };
        interpreter.wheels = Some(wheels.iter().map(bundled).collect());
        Self {
            interpreter,
            compiles: newest.is_some(),
            folder,
        }
    }

    fn produce(&self) -> Result<(), Error> {
        let production = Production {
            executable: "/env/bin/python".into(),
            names: Names::All,
            bytecode: self.compiles.then(Bytecode::default),
        };
        produce(
            &self.interpreter,
            &self.folder.path().join("env"),
            &production,
            &Interrupt::default(),
        )
    }

    fn path(&self, place: &str) -> PathBuf {
        self.folder.path().join("env").join(place)
    }

    fn read(&self, place: &str) -> String {
        fs::read_to_string(self.path(place)).unwrap()
    }
}

fn demo(contents: &[(&str, &str)]) -> Scratch {
    let mut wheel = Wheel::new("demo");
    for (path, text) in contents {
        wheel = wheel.with(path, text);
    }
    Scratch::new(&[wheel, pip()])
}

fn fault(contents: &[(&str, &str)]) -> String {
    demo(contents).produce().unwrap_err().to_string()
}

#[test]
fn data_files_are_installed_in_the_folder_of_their_scheme() {
    let scratch = demo(&[
        ("demo.py", "1\n"),
        ("demo-1.0.data/purelib/pure.py", "2\n"),
        ("demo-1.0.data/platlib/sub/plat.py", "3\n"),
        ("demo-1.0.data/data/share/x", "4\n"),
        ("demo-1.0.data/headers/demo.h", "5\n"),
        ("demo-1.0.data/scripts/tool", "#!python -x\nprint(6)\n"),
        ("demo-1.0.data/scripts/other", "#!/bin/sh\n"),
    ]);
    scratch.produce().unwrap();
    let [major, minor, _] = scratch.interpreter.version;
    let header = format!("include/site/python{major}.{minor}/demo/demo.h");
    for (place, text) in [
        ("lib/pure/demo.py", "1\n"),
        ("lib/pure/pure.py", "2\n"),
        ("lib64/plat/sub/plat.py", "3\n"),
        ("share/x", "4\n"),
        (header.as_str(), "5\n"),
        ("bin/tool", "#!/env/bin/python\nprint(6)\n"),
        ("bin/other", "#!/bin/sh\n"),
    ] {
        assert_eq!(scratch.read(place), text, "{place}");
    }
    let record = scratch.read("lib/pure/demo-1.0.dist-info/RECORD");
    let listed: Vec<&str> = record
        .lines()
        .filter_map(|line| line.split(',').next())
        .collect();
    let tag = scratch.interpreter.cache_tag.as_deref().unwrap();
    let mut expected = vec![
        "../../bin/other".into(),
        "../../bin/tool".into(),
        format!("../../{header}"),
        format!("../../lib64/plat/sub/__pycache__/plat.{tag}.pyc"),
        "../../lib64/plat/sub/plat.py".into(),
        "../../share/x".into(),
        format!("__pycache__/demo.{tag}.pyc"),
        format!("__pycache__/pure.{tag}.pyc"),
        "demo.py".into(),
        "pure.py".into(),
    ];
    expected.extend(
        ["INSTALLER", "RECORD", "REQUESTED", "WHEEL"]
            .map(|name| format!("demo-1.0.dist-info/{name}")),
    );
    expected.retain(|path: &String| scratch.compiles || !path.ends_with(".pyc"));
    expected.sort();
    assert_eq!(listed, expected);
    let row = record
        .lines()
        .find(|line| line.starts_with("../../bin/tool,"))
        .unwrap();
    assert!(
        row.ends_with(",27"),
        "the size is that of the script as it is now: {row}"
    );
    assert_eq!(
        expected
            .iter()
            .filter(|path| !scratch.path("lib/pure").join(path).exists())
            .count(),
        0
    );
}

#[test]
fn a_root_that_is_not_pure_goes_to_platlib() {
    let metadata = "wheel-version: 1.9\nROOT-IS-PURELIB: false\n\nRoot-Is-Purelib: true\n";
    let scratch = demo(&[("demo-1.0.dist-info/WHEEL", metadata), ("demo.py", "")]);
    scratch.produce().unwrap();
    assert!(scratch.path("lib64/plat/demo.py").exists());
    assert!(
        scratch
            .read("lib64/plat/demo-1.0.dist-info/RECORD")
            .contains("demo.py,sha256=")
    );
}

#[test]
fn scripts_of_setuptools_for_entry_points_are_replaced() {
    let scratch = demo(&[
        (
            "demo-1.0.dist-info/entry_points.txt",
            "[console_scripts]\ntool = demo:main\n",
        ),
        ("demo-1.0.data/scripts/tool-script.py", "#!python\nold\n"),
        ("demo-1.0.data/scripts/tool", "#!python\nold\n"),
    ]);
    scratch.produce().unwrap();
    assert_eq!(
        scratch.read("bin/tool"),
        "#!/env/bin/python\nfrom demo import main\nmain()\n"
    );
    assert!(!scratch.path("bin/tool-script.py").exists());
}

#[test]
fn a_source_that_is_not_valid_has_no_bytecode() {
    let scratch = demo(&[
        ("good.py", "1\n"),
        ("bad.py", "print 1\n"),
        ("null.py", "\0\n"),
        ("odd.txt", ""),
    ]);
    scratch.produce().unwrap();
    let record = scratch.read("lib/pure/demo-1.0.dist-info/RECORD");
    if !scratch.compiles {
        assert!(!record.contains(".pyc"), "{record}");
        return;
    }
    assert!(record.contains("__pycache__/good."));
    assert_eq!(record.matches(".pyc,,").count(), 1, "{record}");
    assert_eq!(
        fs::read_dir(scratch.path("lib/pure/__pycache__"))
            .unwrap()
            .count(),
        1
    );
}

#[test]
fn invalid_wheels_are_refused() {
    let info = "demo-1.0.dist-info";
    let wheel = format!("{info}/WHEEL");
    let points = format!("{info}/entry_points.txt");
    let (installer, record) = (
        format!("{info}/INSTALLER"),
        format!("demo-1.0.data/purelib/{info}/RECORD"),
    );
    for (path, text, reason) in [
        (
            wheel.as_str(),
            "Wheel-Version: 2.0\n",
            "Wheel-Version is \"2.0\"",
        ),
        (&wheel, "Root-Is-Purelib: true\n", "Wheel-Version is \"\""),
        (&wheel, "Wheel-Version: 10.0\n", "Wheel-Version is \"10.0\""),
        (
            &points,
            "[console_scripts]\n../x = a:b\n",
            "not a valid entry point",
        ),
        ("demo-1.0.data/file", "x", "not below a directory of"),
        ("demo-1.0.data/secrets/file", "x", "unknown scheme"),
        ("demo-1.0.data/purelib/demo/a.py", "x", "two files would be"),
        (&installer, "me\n", "two files would be"),
        (&record, "x", "two files would be"),
    ] {
        let fault = fault(&[("demo/a.py", "1\n"), (path, text)]);
        assert!(fault.contains(reason), "{path}: {fault}");
    }
}

#[test]
fn wheels_with_a_common_file_or_without_pip_are_refused() {
    let shared = demo(&[("pip/_vendor/distlib/scripts.py", "x")]);
    assert!(shared.produce().is_err());
    let alone = Scratch::new(&[Wheel::new("demo")]);
    assert!(
        alone
            .produce()
            .unwrap_err()
            .to_string()
            .contains("no pip wheel")
    );
    let unknown = Scratch::new(&[Wheel::new("pip").with("pip/__init__.py", "")]);
    assert!(
        unknown
            .produce()
            .unwrap_err()
            .to_string()
            .contains("is not supported")
    );
}

#[test]
fn recorded_paths_are_relative_to_site_packages() {
    assert_eq!(relative("a/b/c.py", "a/b"), "c.py");
    assert_eq!(
        relative("bin/pip", "lib/python3.13/site-packages"),
        "../../../bin/pip"
    );
    assert_eq!(relative("lib64/x", "lib/x"), "../../lib64/x");
    assert!(Path::new(&relative("lib/x", "lib/x/y")).ends_with(".."));
}
