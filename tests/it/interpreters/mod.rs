//! Every Python of the machine that has `venv`.

mod discovery;
pub(crate) mod layouts; // the layouts of installed Pythons
mod list_pythons;
mod requests;
mod shims;

use std::{
    collections::BTreeSet,
    env,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
    time::SystemTime,
};

use fs_err as fs;
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use crate::{
    env::{program, shared_cache},
    harness::{Case, Skip, Trials, in_ci},
    needs::ANOTHER,
};

pub(crate) fn trials(list: &mut Trials) {
    discovery::trials(list);
    list_pythons::trials(list);
    requests::trials(list);
    shims::trials(list);
}

/// One Python to test with.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Interpreter {
    /// The path by which it is started.
    pub(crate) executable: PathBuf,
    pub(crate) version: (u32, u32, u32),
    /// `sys.implementation.name`.
    pub(crate) implementation: String,
    /// The folder of its standard library.
    pub(crate) library: PathBuf,
    /// Whether its `ensurepip` can install pip.
    pub(crate) pip: bool,
    /// Whether an extension in C can be compiled for it.
    pub(crate) headers: bool,
    /// Whether its `--copies` works: a distribution's `PyPy` copies all of `/usr/lib` and fails at dangling links of other packages.
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
        let wheels = [self.bundled(), "/usr/share/python-wheels".into()];
        let wheels = wheels.map(|path| folder(&path));
        let dated = wheels.into_iter().flatten().map(|path| {
            let changed = fs::metadata(&path).unwrap().modified().unwrap();
            (path, changed)
        });
        dated.collect()
    }

    /// The folder of the wheels that its own ensurepip has, if there is one.
    pub(crate) fn bundled(&self) -> PathBuf {
        self.library.join("ensurepip/_bundled")
    }

    /// Whether every user can run it, as far as modes tell.
    pub(crate) fn is_for_everyone(&self) -> bool {
        let executable = fs::canonicalize(&self.executable).unwrap();
        let is_open = |path: &Path| fs::metadata(path).is_ok_and(|of| of.mode() & 0o5 == 0o5);
        let can_enter = |path: &Path| fs::metadata(path).is_ok_and(|of| of.mode() & 0o1 == 0o1);
        let paths = [&self.executable, &executable, &self.library];
        let mut all = paths.into_iter();
        all.all(|path| is_open(path) && path.ancestors().all(can_enter))
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
        let answers = answers().iter();
        let usable = answers.filter(|it| it.venv && it.interpreter.version >= (3, 6, 0));
        let mut found: Vec<_> = usable.map(|answer| answer.interpreter.clone()).collect();
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
        found
    })
}

/// The answer of a Python that was queried.
#[derive(Serialize, Deserialize)]
struct Answer {
    interpreter: Interpreter,
    /// Whether it has `venv`, and does not belong to an environment.
    venv: bool,
    /// When its executable and the folder of its standard library were changed last.
    changed: [Option<SystemTime>; 2],
}

/// The times for which an answer is valid.
fn changed(executable: &Path, library: &Path) -> [Option<SystemTime>; 2] {
    [executable, library].map(|path| fs::metadata(path).ok()?.modified().ok())
}

/// The answers of all Pythons of the machine. They are stored for later processes, because listing the tests must be fast and a runner
/// may start a process for each test.
fn answers() -> &'static [Answer] {
    static ANSWERS: OnceLock<Vec<Answer>> = OnceLock::new();
    ANSWERS.get_or_init(|| {
        let list = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pythons.json");
        let kept = fs::read(&list).unwrap_or_default();
        let mut kept: Vec<Answer> = serde_json::from_slice(&kept).unwrap_or_default();
        kept.retain(|it| {
            it.changed == changed(&it.interpreter.executable, &it.interpreter.library)
        });
        let mut asked = false;
        let answers = candidates().into_iter().filter_map(|executable| {
            let known = kept
                .iter()
                .position(|it| it.interpreter.executable == executable);
            known.map(|at| kept.swap_remove(at)).or_else(|| {
                let answer = probe(&executable)?;
                asked = true;
                Some(answer)
            })
        });
        let answers: Vec<_> = answers.collect();
        if asked && let Ok(mut file) = NamedTempFile::new_in(env!("CARGO_TARGET_TMPDIR")) {
            // Including those of another PATH.
            let all: Vec<_> = answers.iter().chain(&kept).collect();
            let written = serde_json::to_writer(&mut file, &all);
            let _ = written.map(|()| file.persist(&list));
        }
        answers
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

/// A trial with each Python whose `--copies` can work.
pub(crate) fn each_with_copies() -> Vec<Case<&'static Interpreter>> {
    only(
        each(),
        |python| python.copies,
        "a Python whose --copies cannot work",
    )
}

/// A trial with each Python that has the headers for extensions in C.
pub(crate) fn each_with_headers() -> Vec<Case<&'static Interpreter>> {
    only(
        each(),
        |python| python.headers,
        "a Python without its headers",
    )
}

/// Skips the Pythons that cannot be used, with a reason.
pub(crate) fn only(
    mut cases: Vec<Case<&'static Interpreter>>,
    can: impl Fn(&Interpreter) -> bool,
    reason: &str,
) -> Vec<Case<&'static Interpreter>> {
    for case in &mut cases {
        if !can(case.value) {
            case.skip = Some(Skip::Absent(reason.to_owned()));
        }
    }
    cases
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

/// A trial with the oldest, a middle one and the newest, for slow checks. The quick tier uses only the newest.
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
    only_in_full(a_few())
}

/// As [`each_with_pip`], in the full tier only.
pub(crate) fn each_full() -> Vec<Case<&'static Interpreter>> {
    only_in_full(each_with_pip())
}

fn only_in_full(mut cases: Vec<Case<&'static Interpreter>>) -> Vec<Case<&'static Interpreter>> {
    for case in &mut cases {
        case.skip = Skip::unless_full();
    }
    cases
}

/// The Pythons that can install pip.
pub(crate) fn interpreters_with_pip() -> impl Iterator<Item = &'static Interpreter> {
    interpreters().into_iter().filter(|python| python.pip)
}

/// The oldest, a middle one and the newest, for slow checks.
pub(crate) fn a_few_with_pip() -> Vec<&'static Interpreter> {
    let all: Vec<_> = interpreters_with_pip().collect();
    let places = BTreeSet::from([0, all.len() / 2, all.len().saturating_sub(1)]);
    places
        .into_iter()
        .filter_map(|i| all.get(i).copied())
        .collect()
}

/// The newest `CPython`, for checks that do not depend on the version.
pub(crate) fn newest() -> &'static Interpreter {
    installed()
        .iter()
        .rfind(|python| python.implementation == "cpython" && python.pip)
        .expect("a CPython with venv and ensurepip must be installed")
}

/// The `CPython` before the newest, for checks that need two of them.
pub(crate) fn another() -> &'static Interpreter {
    ANOTHER.is_listed();
    find_another().unwrap()
}

pub(crate) fn find_another() -> Option<&'static Interpreter> {
    let newest = newest();
    installed().iter().rfind(|python| {
        python.implementation == "cpython" && python.version.1 < newest.version.1 && python.pip
    })
}

/// A `CPython` 3.`minor` that can install pip.
pub(crate) fn find_cpython(minor: u32) -> Option<&'static Interpreter> {
    let mut found = installed().iter().filter(|python| python.pip);
    found.find(|python| python.implementation == "cpython" && python.version.1 == minor)
}

/// The newest `PyPy`.
pub(crate) fn find_pypy() -> Option<&'static Interpreter> {
    let mut pythons = installed().iter();
    pythons.rfind(|python| python.implementation == "pypy")
}

/// The newest `CPython` from 3.9 up whose ensurepip has a pip before 25.
pub(crate) fn with_old_pip() -> Option<&'static Interpreter> {
    let is_old = |wheel: &PathBuf| {
        let name = wheel.file_name().unwrap().to_str().unwrap();
        let numbers = name.strip_prefix("pip-").map(|rest| rest.split('.'));
        numbers.is_some_and(|mut it| it.next().unwrap().parse::<u32>().unwrap() < 25)
    };
    installed().iter().rfind(|python| {
        let is_usual = python.implementation == "cpython" && python.pip && python.at_least(9);
        is_usual && python.wheels().iter().any(|(wheel, _)| is_old(wheel))
    })
}

/// A Python 2.7.
pub(crate) fn find_python2() -> Option<PathBuf> {
    let mut answers = answers().iter();
    let found = answers.find(|answer| answer.interpreter.version.0 == 2);
    found.map(|answer| answer.interpreter.executable.clone())
}

/// The Pythons that rvenv lists with an empty PATH, from well-known directories.
pub(crate) fn in_other_places() -> String {
    let mut command = Command::new(program());
    command.arg("--list-pythons").env_clear().current_dir("/");
    for (name, folder) in [("PATH", "/nowhere"), ("HOME", "/nowhere")] {
        command.env(name, folder);
    }
    let output = command.env("RVENV_CACHE_DIR", shared_cache()).output();
    String::from_utf8(output.unwrap().stdout).unwrap()
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

/// `python3.12`, `python3.13t`, `python2.7`, `pypy3`; not `python3.12-config`, nor `pypy3compile`.
fn named_like_a_python(path: &Path) -> bool {
    let name = path.file_name().and_then(|n| n.to_str()).unwrap_or("");
    let pypy = name.strip_prefix("pypy").filter(|v| v.starts_with('3'));
    let Some(version) = name
        .strip_prefix("python")
        .filter(|v| v.contains('.'))
        .or(pypy)
    else {
        return false;
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

/// Queries a Python, which may be a version 2. `None` if it is not a Python.
fn probe(executable: &Path) -> Option<Answer> {
    let script = "import os, sys, sysconfig\n\
                  def has(name):\n    \
                      try:\n        __import__(name)\n        return True\n    \
                      except ImportError:\n        return False\n\
                  for number in sys.version_info[:3]: print(number)\n\
                  print(sys.implementation.name if sys.version_info > (3, 3) else 'cpython')\n\
                  print(os.path.dirname(os.__file__))\n\
                  print(sys.prefix)\n\
                  print(has('venv') and sys.prefix == getattr(sys, 'base_prefix', sys.prefix))\n\
                  print(has('ensurepip.__main__'))\n\
                  print(os.path.exists(os.path.join(sysconfig.get_path('include'), 'Python.h')))";
    let answer = ask(executable, script)?;
    let mut lines = answer.lines();
    let mut number = || lines.next()?.parse().ok();
    let version = (number()?, number()?, number()?);
    let implementation = lines.next()?.to_owned();
    let library = PathBuf::from(lines.next()?);
    let copies = lines.next()? != "/usr" || implementation != "pypy";
    let mut is_true = || Some(lines.next()? == "True");
    Some(Answer {
        venv: is_true()?,
        changed: changed(executable, &library),
        interpreter: Interpreter {
            executable: executable.to_owned(),
            version,
            implementation,
            library,
            pip: is_true()?,
            headers: is_true()?,
            copies,
        },
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
