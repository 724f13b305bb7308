//! Tests of the oracle itself: two trees of `python -m venv` are equal, and every kind of change in one of them is detected.

use std::{
    os::unix::fs::{PermissionsExt, symlink},
    time::SystemTime,
};

use fs_err as fs;

use crate::{
    env::TestEnv,
    interpreters::{Interpreter, newest},
    oracle::bytecode::MadeBy,
    oracle::differences,
    oracle::references::Reference,
};

crate::harness::trials! {
    two_equal_trees_do_not_differ,
    every_change_is_detected(full),
    other_bytecode_is_seen,
}

/// A tree in `reference` and a changed one in `work`, both with an environment and a compiled module.
struct Pair {
    env: TestEnv,
    python: &'static Interpreter,
}

impl Pair {
    fn new() -> Self {
        let env = TestEnv::new();
        let pair = Self {
            env,
            python: newest(),
        };
        pair.make();
        fs::rename(pair.env.work(), pair.env.root().join("reference")).unwrap();
        fs::create_dir(pair.env.work()).unwrap();
        pair.make();
        let configuration = pair.env.at("env/pyvenv.cfg");
        let text = fs::read_to_string(&configuration).unwrap();
        let own = differences::own_lines(&text, "");
        fs::write(&configuration, text + &own).unwrap();
        fs::write(pair.env.at("env/bin/activate"), "another text").unwrap();
        fs::write(pair.env.at("env/bin/activate.nu"), "another script").unwrap();
        pair
    }

    fn make(&self) {
        let python = &self.python.executable;
        let args = ["-m", "venv", "--without-pip", "env"];
        self.env.run(python, args).succeeds();
        fs::write(self.env.at("env/module.py"), "def f():\n    return 1\n").unwrap();
        self.compile("env/module.py");
    }

    fn compile(&self, path: &str) {
        let script = "import py_compile, sys; py_compile.compile(sys.argv[1], doraise=True)";
        let path = self.env.at(path);
        let args = ["-c", script, path.to_str().unwrap()];
        self.env.run(&self.python.executable, args).succeeds();
    }

    fn differences(&self) -> Vec<String> {
        let reference = Reference {
            path: self.env.root().join("reference"),
            made: SystemTime::now(),
        };
        differences::differences(self.python, &reference, &self.env.work(), MadeBy::Rvenv)
    }

    /// Makes a change and returns the reported differences.
    fn after(change: impl Fn(&TestEnv)) -> String {
        let pair = Self::new();
        change(&pair.env);
        pair.differences().join("\n")
    }

    fn bytecode(&self) -> String {
        let tag = format!("cpython-3{}", self.python.version.1);
        format!("env/__pycache__/module.{tag}.pyc")
    }
}

fn two_equal_trees_do_not_differ() {
    assert_eq!(Pair::new().differences(), [""; 0]);
}

fn every_change_is_detected() {
    let lines = Pair::after(|env| fs::remove_file(env.at("env/bin/python3")).unwrap());
    assert_eq!(lines, "- env/bin/python3 is missing: link");

    let lines = Pair::after(|env| fs::write(env.at("env/bin/extra"), "").unwrap());
    assert_eq!(lines, "+ env/bin/extra is too much: file");

    let lines = Pair::after(|env| fs::create_dir(env.at("activate.d")).unwrap());
    assert_eq!(lines, "+ activate.d is too much: directory");

    let lines = Pair::after(|env| {
        fs::remove_file(env.at("env/bin/python")).unwrap();
        symlink("/bin/sh", env.at("env/bin/python")).unwrap();
    });
    assert!(lines.contains("env/bin/python: link target"), "{lines}");
    assert!(lines.contains("rvenv: /bin/sh"), "{lines}");

    let lines = Pair::after(|env| {
        fs::remove_dir(env.at("env/include")).unwrap_or_else(|_| {
            fs::remove_dir_all(env.at("env/include")).unwrap();
        });
        fs::write(env.at("env/include"), "").unwrap();
    });
    assert!(lines.contains("env/include: type"), "{lines}");

    for path in ["env/bin/activate", "env/bin/activate.nu", "env/lib"] {
        let lines = Pair::after(|env| {
            let mode = fs::symlink_metadata(env.at(path)).unwrap().permissions();
            let mode = PermissionsExt::from_mode(mode.mode() ^ 0o020);
            fs::set_permissions(env.at(path), mode).unwrap();
        });
        assert!(lines.contains(path), "{lines}");
    }

    let lines = Pair::after(|env| {
        let text = fs::read_to_string(env.at("env/pyvenv.cfg")).unwrap();
        let text = text.replace(&differences::signature(), "");
        fs::write(env.at("env/pyvenv.cfg"), text).unwrap();
    });
    assert!(lines.contains("env/pyvenv.cfg: bytes"), "{lines}");
    assert!(lines.contains("venv:  \"rvenv = "), "{lines}");

    let lines = Pair::after(|env| {
        fs::hard_link(env.at("env/module.py"), env.root().join("shared")).unwrap();
    });
    assert!(lines.contains("2 names for one inode"), "{lines}");
}

fn other_bytecode_is_seen() {
    let pair = Pair::new();
    let path = pair.env.at(pair.bytecode());
    let good = fs::read(&path).unwrap();
    let damaged = |position: usize| {
        let mut bytes = good.clone();
        bytes[position] ^= 1;
        fs::write(&path, bytes).unwrap();
        pair.differences().join("\n")
    };
    assert!(damaged(0).contains("magic"));
    assert!(damaged(4).contains("flags"));
    assert!(damaged(8).contains("source mtime"));
    assert!(damaged(12).contains("source size"));
    fs::write(&path, &good).unwrap();
    assert_eq!(pair.differences(), [""; 0]);

    // Different code from a source of the same size, and the same code with another name.
    let source = pair.env.at("env/module.py");
    fs::write(&source, "def f():\n    return 2\n").unwrap();
    pair.compile("env/module.py");
    let lines = pair.differences().join("\n");
    assert!(lines.contains("code co_consts[f] co_consts"), "{lines}");

    fs::write(&source, "def f():\n    return 1\n").unwrap();
    let script = "import py_compile, sys; py_compile.compile(sys.argv[1], sys.argv[2], 'other.py')";
    let args = [
        "-c",
        script,
        source.to_str().unwrap(),
        path.to_str().unwrap(),
    ];
    pair.env.run(&pair.python.executable, args).succeeds();
    let lines = pair.differences().join("\n");
    assert!(lines.contains("code co_filename"), "{lines}");
    assert!(lines.contains("code co_consts[f] co_filename"), "{lines}");
}
