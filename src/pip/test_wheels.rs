//! Helpers for unit tests: wheels, the facts about a Python that need not exist, and the Pythons on this machine for the few tests
//! that compare with them.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use fs_err as fs;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::installed::record;
use crate::installed::record::Row;
use crate::interpreter::platform::Platform;
use crate::interpreter::{Interpreter, Markers, Scheme};

/// Every Python 3 that is found, the oldest first; none is needed but in CI.
pub(crate) fn pythons() -> Vec<PathBuf> {
    static FOUND: OnceLock<Vec<PathBuf>> = OnceLock::new();
    FOUND.get_or_init(find_pythons).clone()
}

fn find_pythons() -> Vec<PathBuf> {
    let root = std::env::var_os("PYENV_ROOT").map(PathBuf::from);
    let root = root.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".pyenv")));
    let mut found = BTreeSet::new();
    let versions = root.map(|root| root.join("versions"));
    for version in versions
        .iter()
        .filter_map(|folder| fs::read_dir(folder).ok())
        .flatten()
    {
        found.insert(version.unwrap().path().join("bin/python3"));
    }
    found.extend(
        std::env::var_os("RVENV_TEST_PYTHONS")
            .iter()
            .flat_map(std::env::split_paths),
    );
    found.insert("/usr/bin/python3".into());
    found.retain(|python| python.exists());
    let is_ci = std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false");
    assert!(!is_ci || !found.is_empty(), "no Python to compare with");
    let mut found: Vec<PathBuf> = found.into_iter().collect();
    found.sort_by_cached_key(|python| probe(python).version);
    found
}

/// A command with a clean environment.
pub(crate) fn clean(program: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("LANG", "C.UTF-8");
    command
}

/// The facts about a Python 3.13 on Linux that is started as `executable`.
pub(crate) fn facts(executable: &str) -> Interpreter {
    let library = "lib/python3.13/site-packages";
    Interpreter {
        executable: executable.into(),
        base_executable: executable.into(),
        real_executable: executable.into(),
        version: [3, 13, 1],
        prerelease: String::new(),
        multiarch: None,
        implementation: "cpython".into(),
        cache_tag: Some("cpython-313".into()),
        magic: "f30d0d0a".into(),
        free_threaded: false,
        debug: false,
        platform: Platform::Posix,
        markers: Markers::default(),
        is_64bit: true,
        utf8_file_system: true,
        scheme: Scheme {
            include: "include/python3.13".into(),
            purelib: library.into(),
            platlib: library.into(),
        },
        stdlib: "/nowhere/lib/python3.13".into(),
        aliases: ["python", "python3", "python3.13"]
            .map(str::to_owned)
            .into(),
        wheels: None,
        witnesses: Vec::new(),
        windows: None,
    }
}

/// The facts about a Python of this machine.
pub(crate) fn probe(python: &Path) -> Interpreter {
    let program = include_str!("../interpreter/probe.py");
    let output = clean(python)
        .args(["-I", "-S", "-c", program])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    serde_json::from_str(text.split_once("rvenv-facts ").expect("an answer").1).unwrap()
}

/// A wheel of `name` 1.0.
pub(crate) struct Wheel {
    /// The name of the project.
    pub(crate) name: &'static str,
    entries: Vec<(String, Vec<u8>, u32)>,
    /// Rows that replace the correct ones, by path.
    pub(crate) rows: Vec<Row>,
}

impl Wheel {
    /// A minimal wheel.
    pub(crate) fn new(name: &'static str) -> Self {
        let wheel = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\n";
        let (entries, rows) = (Vec::new(), Vec::new());
        Self {
            name,
            entries,
            rows,
        }
        .with(&format!("{name}-1.0.dist-info/WHEEL"), wheel)
    }

    /// Adds or replaces a file.
    pub(crate) fn with(self, path: &str, contents: &str) -> Self {
        self.with_mode(path, contents, 0o100_644)
    }

    /// Adds an entry of any type.
    pub(crate) fn with_mode(mut self, path: &str, contents: &str, mode: u32) -> Self {
        self.entries.retain(|(other, _, _)| other != path);
        self.entries.push((path.into(), contents.into(), mode));
        self
    }

    /// Adds an entry with a wrong row in `RECORD`.
    pub(crate) fn with_row(mut self, path: &str, contents: &str, hash: &str, size: &str) -> Self {
        self.rows.push(Row {
            path: path.into(),
            hash: hash.into(),
            size: size.into(),
        });
        self.with(path, contents)
    }

    /// The contents of the wheel, with a `RECORD` that is correct except for the given rows.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let record_path = format!("{}-1.0.dist-info/RECORD", self.name);
        let mut rows = self.rows.clone();
        let true_rows = self
            .entries
            .iter()
            .filter(|(path, _, _)| !path.ends_with('/'));
        for (path, contents, _) in true_rows {
            if !rows.iter().any(|row| row.path == *path) {
                rows.push(Row::hashed(path.clone(), contents));
            }
        }
        rows.push(Row::unhashed(record_path.clone()));
        let mut entries = self.entries.clone();
        entries.push((record_path, record::render(&mut rows).into(), 0o100_644));
        let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
        // The writer rejects some names and all types, so they are changed afterwards. Entries are not compressed, so
        // that tests can modify them.
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        for (index, (path, contents, _)) in entries.iter().enumerate() {
            zip.start_file(placeholder(index, path), options).unwrap();
            zip.write_all(contents).unwrap();
        }
        let mut bytes = zip.finish().unwrap().into_inner();
        for (index, (path, _, mode)) in entries.iter().enumerate() {
            let placeholder = placeholder(index, path);
            let found: Vec<usize> = (0..bytes.len() - placeholder.len())
                .filter(|&at| bytes[at..].starts_with(placeholder.as_bytes()))
                .collect();
            let &[local, central] = &found[..] else {
                panic!("{path}: {found:?}")
            };
            for at in [local, central] {
                bytes[at..at + path.len()].copy_from_slice(path.as_bytes());
            }
            // The external attributes are 8 bytes before the name in the central directory. The mode is their upper
            // half.
            let at = central - 6;
            bytes[at..at + 2].copy_from_slice(&u16::try_from(*mode).unwrap().to_le_bytes());
        }
        bytes
    }

    /// Writes it into `folder`.
    pub(crate) fn write(&self, folder: &Path) -> PathBuf {
        let path = folder.join(format!("{}-1.0-py3-none-any.whl", self.name));
        fs::write(&path, self.bytes()).unwrap();
        path
    }
}

/// A unique valid name of the same length as `path`.
fn placeholder(index: usize, path: &str) -> String {
    format!("{index:x<width$}", width = path.len())
}

/// A wheel with enough of pip to install it.
pub(crate) fn pip() -> Wheel {
    let names = r#"re.match(r"pip(\d+(\.\d+)?)?$", k), sorted(outrows), "REQUESTED""#;
    let text = "from %(module)s import %(import_name)s\n%(func)s()\n";
    Wheel::new("pip")
        .with("pip/_internal/operations/install/wheel.py", names)
        .with(
            "pip/_vendor/distlib/scripts.py",
            &format!("\nSCRIPT_TEMPLATE = r'''{text}'''\n"),
        )
        .with(
            "pip-1.0.dist-info/entry_points.txt",
            "[console_scripts]\npip = pip.main:run\n",
        )
}
