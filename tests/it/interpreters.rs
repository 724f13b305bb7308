//! Every Python on the machine that has a `venv`. It does not know rvenv.

use std::{
    collections::BTreeSet,
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
    time::SystemTime,
};

use fs_err as fs;
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use crate::harness::{Case, Skip, absent, in_ci, missing};

/// One Python to test with.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Interpreter {
    /// The path it is invoked by.
    pub(crate) executable: PathBuf,
    pub(crate) version: (u32, u32, u32),
    /// `sys.implementation.name`.
    pub(crate) implementation: String,
    /// Whether its `ensurepip` can install pip.
    pub(crate) pip: bool,
    /// Whether its `--copies` can work: a distribution's `PyPy` takes all of `/usr/lib` for its own
    /// and stumbles over other packages' dangling links in there.
    pub(crate) copies: bool,
}

impl Interpreter {
    /// `3.12`.
    pub(crate) fn short_version(&self) -> String {
        format!("{}.{}", self.version.0, self.version.1)
    }

    /// Whether it is at least Python 3.`minor`.
    pub(crate) fn at_least(&self, minor: u32) -> bool {
        self.version.1 >= minor
    }

    /// The wheels that its ensurepip, or its distributor's, installs: their paths and times.
    pub(crate) fn wheels(&self) -> Vec<(PathBuf, SystemTime)> {
        let script = "import ensurepip, os; print(os.path.dirname(ensurepip.__file__))";
        let bundled = Path::new(ask(&self.executable, script).unwrap().trim()).join("_bundled");
        let wheels = [bundled, "/usr/share/python-wheels".into()].map(|path| folder(&path));
        let dated = wheels.into_iter().flatten().map(|path| {
            let changed = fs::metadata(&path).unwrap().modified().unwrap();
            (path, changed)
        });
        dated.collect()
    }

    /// The folder below the environment's `lib` that holds `site-packages`, asked from the Python.
    pub(crate) fn python_folder(&self) -> String {
        let script = "import sysconfig as s; print(s.get_path('purelib', \
                      'venv' if 'venv' in s.get_scheme_names() else 'posix_prefix', {'base': ''}))";
        let purelib = ask(&self.executable, script).unwrap();
        let folder = Path::new(purelib.trim()).parent().unwrap();
        folder.file_name().unwrap().to_str().unwrap().to_owned()
    }
}

/// Every Python from 3.6 up that has `venv`, oldest first.
///
/// In CI a machine with fewer than `RVENV_TEST_MIN_PYTHONS` (1 if unset) is a failure.
pub(crate) fn installed() -> &'static [Interpreter] {
    static FOUND: OnceLock<Vec<Interpreter>> = OnceLock::new();
    FOUND.get_or_init(|| {
        // A runner that starts a process for each test has listed them before: the Pythons were asked then.
        let list = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pythons.json");
        let runs_one = env::args().any(|argument| argument == "--exact");
        let known = fs::read(&list).ok().filter(|_| runs_one);
        if let Some(known) = known.and_then(|text| serde_json::from_slice(&text).ok()) {
            return known;
        }
        let mut found: Vec<_> = candidates().iter().filter_map(|c| probe(c)).collect();
        found.sort_by(|a, b| (a.version, &a.executable).cmp(&(b.version, &b.executable)));
        let wanted = env::var("RVENV_TEST_MIN_PYTHONS").map_or(1, |n| n.parse().unwrap());
        assert!(
            !in_ci() || found.len() >= wanted,
            "{wanted} Pythons wanted, found {found:#?}"
        );
        let bare = found.iter().find(|python| !python.pip);
        assert!(
            !in_ci() || bare.is_none(),
            "missing in CI: ensurepip of {bare:?}"
        );
        if let Ok(mut file) = NamedTempFile::new_in(env!("CARGO_TARGET_TMPDIR")) {
            let written = serde_json::to_writer(&mut file, &found);
            let _ = written.map(|()| file.persist(&list));
        }
        found
    })
}

/// The Pythons of this tier: every one, or the oldest and the newest `CPython`.
pub(crate) fn interpreters() -> Vec<&'static Interpreter> {
    let of_tier = |python: &&Interpreter| tier(python).is_none();
    installed().iter().filter(of_tier).collect()
}

/// Whether a Python is left to the full tier.
fn tier(python: &Interpreter) -> Option<Skip> {
    let is_cpython = |python: &&Interpreter| python.implementation == "cpython" && python.pip;
    let mut pythons = installed().iter().filter(is_cpython);
    let ends = [pythons.next(), pythons.next_back()];
    let mut ends = ends.iter().flatten();
    if ends.any(|end| end.executable == python.executable) {
        return None;
    }
    Skip::unless_full()
}

/// A trial with each of these Pythons.
fn cases(
    pythons: impl IntoIterator<Item = &'static Interpreter>,
) -> Vec<Case<&'static Interpreter>> {
    let mut cases: Vec<Case<_>> = Vec::new();
    for python in pythons {
        let (major, minor, micro) = python.version;
        let mut label = format!("{}-{major}.{minor}.{micro}", python.implementation);
        while cases.iter().any(|case| case.label == label) {
            label.push('+');
        }
        cases.push(Case {
            label,
            value: python,
            skip: tier(python),
        });
    }
    cases
}

/// A trial with each Python.
pub(crate) fn each() -> Vec<Case<&'static Interpreter>> {
    cases(installed())
}

/// A trial with each Python that can install pip, of which the quick tier takes the newest.
pub(crate) fn each_newest_quick() -> Vec<Case<&'static Interpreter>> {
    let mut cases = each_with_pip();
    for case in &mut cases {
        if case.value.executable != newest().executable {
            case.skip = Skip::unless_full();
        }
    }
    cases
}

/// A trial with each Python that can install pip.
pub(crate) fn each_with_pip() -> Vec<Case<&'static Interpreter>> {
    cases(installed().iter().filter(|python| python.pip))
}

/// A trial with the oldest, a middle one and the newest, of which the quick tier takes the newest: for checks too dear to
/// make with each.
pub(crate) fn a_few() -> Vec<Case<&'static Interpreter>> {
    let all: Vec<_> = installed().iter().filter(|python| python.pip).collect();
    let places = BTreeSet::from([0, all.len() / 2, all.len().saturating_sub(1)]);
    let pythons = places
        .into_iter()
        .filter_map(|place| all.get(place).copied());
    let mut cases = cases(pythons);
    for case in &mut cases {
        if case.value.executable != newest().executable {
            case.skip = Skip::unless_full();
        }
    }
    cases
}

/// As [`a_few`], in the full tier only.
pub(crate) fn a_few_full() -> Vec<Case<&'static Interpreter>> {
    let mut cases = a_few();
    for case in &mut cases {
        case.skip = Skip::unless_full();
    }
    cases
}

/// The Pythons that can install pip.
pub(crate) fn interpreters_with_pip() -> impl Iterator<Item = &'static Interpreter> {
    interpreters().into_iter().filter(|python| python.pip)
}

/// The oldest, a middle one and the newest: for checks too dear to make with each.
pub(crate) fn a_few_with_pip() -> Vec<&'static Interpreter> {
    let all: Vec<_> = interpreters_with_pip().collect();
    let places = BTreeSet::from([0, all.len() / 2, all.len().saturating_sub(1)]);
    places
        .into_iter()
        .filter_map(|i| all.get(i).copied())
        .collect()
}

/// The newest `CPython`, for checks in which the version plays no part.
pub(crate) fn newest() -> &'static Interpreter {
    installed()
        .iter()
        .rfind(|python| python.implementation == "cpython" && python.pip)
        .expect("a CPython with venv and ensurepip must be installed")
}

/// The `CPython` before the newest, for checks that need two of them.
pub(crate) fn another() -> &'static Interpreter {
    let newest = newest();
    let found = installed().iter().rfind(|python| {
        python.implementation == "cpython" && python.version.1 < newest.version.1 && python.pip
    });
    found.unwrap_or_else(|| missing("no second CPython"))
}

/// A Python 2.7, which not every machine of CI can have.
pub(crate) fn python2() -> PathBuf {
    let found = candidates().into_iter().find(|path| {
        ask(path, "import sys; print(sys.version_info[0])").is_some_and(|v| v.trim() == "2")
    });
    found.unwrap_or_else(|| absent("no Python 2.7"))
}

/// Every path that could be a Python, one for each real file.
fn candidates() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = Vec::new();
    if let Some(paths) = env::var_os("RVENV_TEST_PYTHONS") {
        found.extend(env::split_paths(&paths));
    }
    let pyenv = env::var_os("PYENV_ROOT").map_or_else(
        || PathBuf::from(env::var_os("HOME").unwrap_or_default()).join(".pyenv"),
        PathBuf::from,
    );
    for version in folder(&pyenv.join("versions")) {
        found.extend(folder(&version.join("bin")));
    }
    for path in env::split_paths(&env::var_os("PATH").unwrap_or_default())
        .chain(["/usr/local/bin".into(), "/usr/bin".into()])
    {
        // A version manager's shims are not Pythons but scripts that look for one.
        if !path.ends_with("shims") {
            found.extend(folder(&path));
        }
    }
    let mut seen = BTreeSet::new();
    found.retain(|path| {
        named_like_a_python(path) && fs::canonicalize(path).is_ok_and(|real| seen.insert(real))
    });
    found
}

/// `python3.12`, `python3.13t`, `python2.7`, `pypy3`; not `python3.12-config`.
fn named_like_a_python(path: &Path) -> bool {
    let name = path.file_name().and_then(|n| n.to_str()).unwrap_or("");
    let Some(version) = name.strip_prefix("python").filter(|v| v.contains('.')) else {
        return name.starts_with("pypy3") && !name.contains('-');
    };
    let version = version.strip_suffix('t').unwrap_or(version);
    version.chars().all(|c| c.is_ascii_digit() || c == '.')
}

/// The entries of a folder, sorted; none if it cannot be read.
fn folder(path: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

/// What a Python says of itself; `None` if it is none from 3.6 up with a `venv`, or is itself an
/// environment's.
fn probe(executable: &Path) -> Option<Interpreter> {
    let script = "import sys, venv\n\
                  assert sys.prefix == sys.base_prefix\n\
                  print(*sys.version_info[:3], sys.implementation.name)\n\
                  try:\n    import ensurepip.__main__\n    print(1)\n\
                  except ImportError:\n    print(0)\n\
                  print(sys.prefix)";
    let answer = ask(executable, script)?;
    let mut words = answer.split_whitespace();
    let mut number = || words.next()?.parse().ok();
    let version = (number()?, number()?, number()?);
    let implementation = words.next()?.to_owned();
    let pip = words.next()? == "1";
    let copies = implementation != "pypy" || words.next()? != "/usr";
    (version >= (3, 6, 0)).then(|| Interpreter {
        executable: executable.to_owned(),
        version,
        implementation,
        pip,
        copies,
    })
}

/// Runs a script in a Python with a clean environment.
fn ask(executable: &Path, script: &str) -> Option<String> {
    let output = Command::new(executable)
        .args(["-c", script])
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then_some(text)
}
