//! Helpers of unit tests: the Pythons of this machine, and wheels.

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
use crate::interpreter::Interpreter;

/// Every Python 3 that can be found, the oldest first.
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
    assert!(!found.is_empty(), "no Python to compare with");
    let mut found: Vec<PathBuf> = found.into_iter().collect();
    found.sort_by_cached_key(|python| probe(python).version);
    found
}

/// A command that sees nothing of what this process was started with.
pub(crate) fn clean(program: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("LANG", "C.UTF-8");
    command
}

/// Its facts.
pub(crate) fn probe(python: &Path) -> Interpreter {
    let program = include_str!("../interpreter/probe.py");
    let output = clean(python)
        .args(["-I", "-S", "-c", program])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    serde_json::from_str(text.split_once("rvenv-facts ").expect("an answer").1).unwrap()
}

/// A wheel of `name` 1.0 that is about to be written.
pub(crate) struct Wheel {
    /// The project, as ensurepip calls it.
    pub(crate) name: &'static str,
    entries: Vec<(String, Vec<u8>, u32)>,
    /// Rows that replace the true ones, by path.
    pub(crate) rows: Vec<Row>,
}

impl Wheel {
    /// With nothing in it but what must be there.
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

    /// Adds a file, or replaces it.
    pub(crate) fn with(self, path: &str, contents: &str) -> Self {
        self.with_mode(path, contents, 0o100_644)
    }

    /// Adds an entry of any type.
    pub(crate) fn with_mode(mut self, path: &str, contents: &str, mode: u32) -> Self {
        self.entries.retain(|(other, _, _)| other != path);
        self.entries.push((path.into(), contents.into(), mode));
        self
    }

    /// Adds an entry that lies about itself in `RECORD`.
    pub(crate) fn with_row(mut self, path: &str, contents: &str, hash: &str, size: &str) -> Self {
        self.rows.push(Row {
            path: path.into(),
            hash: hash.into(),
            size: size.into(),
        });
        self.with(path, contents)
    }

    /// The bytes of the wheel, with a `RECORD` that is true but for the rows that were given.
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
        // The writer refuses some names and all types, so that they are put in afterwards; stored, so
        // that tests can alter what they find.
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
            // External attributes lie 8 bytes before the name in the central directory; the mode is
            // their upper half.
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

/// As long as `path`, unique, and innocent.
fn placeholder(index: usize, path: &str) -> String {
    format!("{index:x<width$}", width = path.len())
}

/// A wheel that is enough of a pip to be installed by.
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
