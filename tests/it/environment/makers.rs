//! The programs that create environments, an environment with every kind of package, and checks that must hold for it at
//! every path.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsStr,
    path::{Path, PathBuf},
};

use fs_err as fs;
use memchr::memmem;
use walkdir::WalkDir;

use crate::{
    env::{Outcome, TestEnv, listing},
    harness::{Case, Skip},
    interpreters::{Interpreter, only},
    needs::{UV, VIRTUALENV, on_path},
};

/// A program that makes environments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Maker {
    Rvenv,
    Venv,
    Virtualenv,
    Uv,
}

impl Maker {
    /// Why this machine cannot use it.
    pub(crate) fn lack(self) -> Option<Skip> {
        match self {
            Self::Rvenv | Self::Venv => None,
            Self::Virtualenv => VIRTUALENV.lack(),
            Self::Uv => UV.lack(),
        }
    }

    /// Skips the Pythons for which it cannot create an environment with pip.
    pub(crate) fn supports(
        self,
        cases: Vec<Case<&'static Interpreter>>,
    ) -> Vec<Case<&'static Interpreter>> {
        match self {
            Self::Rvenv | Self::Venv => cases,
            Self::Virtualenv => only(
                cases,
                |python| python.at_least(9),
                "virtualenv supports no Python before 3.9",
            ),
            // Its bytecode compiler needs a newer standard library.
            Self::Uv => only(
                cases,
                |python| python.at_least(7),
                "uv compiles for no Python before 3.7",
            ),
        }
    }

    /// Makes an environment with pip.
    pub(crate) fn make(self, env: &TestEnv, python: &Interpreter, env_dir: &Path) {
        self.run(env, python, env_dir, &[]);
        if self == Self::Uv {
            let wheels = python.wheels().into_iter().map(|(path, _)| path);
            let is_pip = |path: &PathBuf| {
                let name = path.file_name().unwrap().to_string_lossy();
                name.starts_with("pip-")
            };
            let pip = wheels.into_iter().find(is_pip).unwrap();
            self.install(env, env_dir, [pip.as_os_str()]);
        }
    }

    /// Makes an environment without pip.
    pub(crate) fn make_bare(self, env: &TestEnv, python: &Interpreter, env_dir: &Path) {
        let options: &[&str] = match self {
            Self::Rvenv | Self::Venv => &["--without-pip"],
            Self::Virtualenv => &["--no-seed"],
            Self::Uv => &[],
        };
        self.run(env, python, env_dir, options);
    }

    fn run(self, env: &TestEnv, python: &Interpreter, env_dir: &Path, options: &[&str]) {
        let executable = python.executable.as_os_str();
        let options = options.iter().map(OsStr::new);
        let outcome = match self {
            Self::Rvenv => {
                let run = env.rvenv_for(python, options.chain([env_dir.as_os_str()]));
                return run.shared_cache().succeeds();
            }
            Self::Venv => {
                let args = ["-m", "venv"].map(OsStr::new).into_iter().chain(options);
                let outcome = env
                    .run(executable, args.chain([env_dir.as_os_str()]))
                    .outcome();
                return outcome.expect_code(0);
            }
            Self::Virtualenv => {
                let args = ["--no-periodic-update", "--no-download", "-p"].map(OsStr::new);
                let args = args.into_iter().chain([executable]).chain(options);
                env.run(
                    on_path("virtualenv").unwrap(),
                    args.chain([env_dir.as_os_str()]),
                )
                .outcome()
            }
            Self::Uv => {
                let args = ["venv", "--offline", "--no-config", "--python"].map(OsStr::new);
                let args = args.into_iter().chain([executable]).chain(options);
                env.run(on_path("uv").unwrap(), args.chain([env_dir.as_os_str()]))
                    .outcome()
            }
        };
        outcome.expect_code(0);
    }

    /// Installs local packages, without an index.
    pub(crate) fn install<A: AsRef<OsStr>>(
        self,
        env: &TestEnv,
        env_dir: &Path,
        what: impl IntoIterator<Item = A>,
    ) {
        let python = env_dir.join("bin/python");
        let what: Vec<_> = what.into_iter().map(|it| it.as_ref().to_owned()).collect();
        let options = ["--no-index", "--no-deps", "--no-build-isolation"].map(OsStr::new);
        let options = options.into_iter().chain(what.iter().map(AsRef::as_ref));
        let run = if self == Self::Uv {
            let uv = [
                "pip",
                "install",
                "--offline",
                "--compile-bytecode",
                "--python",
            ];
            let uv = uv.map(OsStr::new).into_iter().chain([python.as_os_str()]);
            env.run(on_path("uv").unwrap(), uv.chain(options))
        } else {
            let pip = ["-m", "pip", "install", "-q"].map(OsStr::new);
            env.run(&python, pip.into_iter().chain(options))
        };
        let run = run.var("PIP_DISABLE_PIP_VERSION_CHECK", "1");
        run.outcome().expect_code(0);
    }
}

/// Files of a wheel, with their contents; `{}` is the name of the module that was compiled, if there is one.
const DEMO: [(&str, &str); 15] = [
    (
        "demo/__init__.py",
        "import sys\n\ndef main():\n    print(sys.prefix)\n\ndef fails():\n    raise ValueError('in demo')\n",
    ),
    ("demo/na\u{ef}ve.py", "def name():\n    return __file__\n"),
    ("demo/data/gr\u{f6}\u{df}e.txt", "data\n"),
    ("spaced/part/__init__.py", "NAME = __name__\n"),
    ("demo-first.pth", "import sys; sys.first = 'demo'\n"),
    (
        "demo-1.0.data/data/share/demo/gr\u{f6}\u{df}e.txt",
        "data\n",
    ),
    ("demo-1.0.data/data/etc/demo.conf", "[demo]\n"),
    ("demo-1.0.data/headers/demo.h", "#define DEMO 1\n"),
    (
        "demo-1.0.data/scripts/demo-script",
        "#!python\nimport sys\nprint(sys.prefix)\n",
    ),
    (
        "demo-1.0.data/scripts/d\u{e9}mo-gui",
        "#!pythonw\nimport sys\nprint(sys.prefix)\n",
    ),
    (
        "demo-1.0.data/scripts/demo-shell",
        "#!/bin/sh\nprintf '%s\\n' \"${0%/bin/*}\"\n",
    ),
    (
        "demo-1.0.dist-info/METADATA",
        "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n",
    ),
    (
        "demo-1.0.dist-info/WHEEL",
        "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    ),
    (
        "demo-1.0.dist-info/entry_points.txt",
        "[console_scripts]\ndemo = demo:main\n[gui_scripts]\ndemo-window = demo:main\n",
    ),
    ("demo-1.0.dist-info/top_level.txt", "demo\nspaced\n"),
];

/// The scripts that print the path of their environment.
const SCRIPTS: [&str; 5] = [
    "demo",
    "demo-window",
    "demo-script",
    "d\u{e9}mo-gui",
    "demo-shell",
];

/// Zips a folder into a wheel with a compiled module of this Python's, and writes its RECORD.
const ZIP: &str = "import base64, glob, hashlib, importlib.machinery, os, sys, sysconfig, zipfile\n\
top, wheel = sys.argv[1:]\n\
suffix = importlib.machinery.EXTENSION_SUFFIXES[0]\n\
built = os.path.join(sysconfig.get_path('stdlib'), 'lib-dynload', '_heapq' + suffix)\n\
rows = []\n\
with zipfile.ZipFile(wheel, 'w') as z:\n\
\x20   def add(name, contents):\n\
\x20       info = zipfile.ZipInfo(name)\n\
\x20       info.external_attr = (0o100755 if '.data/scripts' in name else 0o100644) << 16\n\
\x20       z.writestr(info, contents)\n\
\x20       digest = base64.urlsafe_b64encode(hashlib.sha256(contents).digest()).decode().rstrip('=')\n\
\x20       rows.append('%s,sha256=%s,%d\\n' % (name, digest, len(contents)))\n\
\x20   for folder, _, names in os.walk(top):\n\
\x20       for name in sorted(names):\n\
\x20           path = os.path.join(folder, name)\n\
\x20           with open(path, 'rb') as file:\n\
\x20               add(os.path.relpath(path, top), file.read())\n\
\x20   if os.path.exists(built):\n\
\x20       with open(built, 'rb') as file:\n\
\x20           add('demo/_heapq' + suffix, file.read())\n\
\x20   rows.append('demo-1.0.dist-info/RECORD,,\\n')\n\
\x20   z.writestr('demo-1.0.dist-info/RECORD', ''.join(rows))\n";

/// A backend that installs its project in editable mode.
const BACKEND: &str = "import os, zipfile\n\
def prepare_metadata_for_build_editable(folder, config_settings=None):\n\
\x20   os.mkdir(os.path.join(folder, 'mine-1.0.dist-info'))\n\
\x20   with open(os.path.join(folder, 'mine-1.0.dist-info/METADATA'), 'w') as f:\n\
\x20       f.write('Metadata-Version: 2.1\\nName: mine\\nVersion: 1.0\\n')\n\
\x20   return 'mine-1.0.dist-info'\n\
def build_editable(folder, config_settings=None, metadata_directory=None):\n\
\x20   name = 'mine-1.0-py3-none-any.whl'\n\
\x20   with zipfile.ZipFile(os.path.join(folder, name), 'w') as z:\n\
\x20       z.writestr('mine.pth', os.getcwd() + '\\n')\n\
\x20       z.writestr('mine-1.0.dist-info/METADATA', 'Metadata-Version: 2.1\\nName: mine\\nVersion: 1.0\\n')\n\
\x20       z.writestr('mine-1.0.dist-info/WHEEL', 'Wheel-Version: 1.0\\nGenerator: t\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')\n\
\x20       z.writestr('mine-1.0.dist-info/RECORD', 'mine.pth,,\\nmine-1.0.dist-info/METADATA,,\\nmine-1.0.dist-info/WHEEL,,\\n'\n\
\x20                  'mine-1.0.dist-info/RECORD,,\\n')\n\
\x20   return name\n";

const WRITTEN: &str = include_str!("written.py");
const WORKS: &str = include_str!("works.py");

/// Whether this pip can install a project that has only `pyproject.toml` in editable mode.
fn takes_editables(env: &TestEnv, maker: Maker, env_dir: &Path) -> bool {
    let said = env
        .run(env_dir.join("bin/python"), ["-m", "pip", "--version"])
        .outcome();
    let version = said.stdout.split_whitespace().nth(1).unwrap().to_owned();
    let mut numbers = version.split('.').map(|number| number.parse().unwrap_or(0));
    let version: (u32, u32) = (numbers.next().unwrap(), numbers.next().unwrap_or(0));
    maker == Maker::Uv || version >= (21, 3)
}

/// The folder of packages.
pub(crate) fn site_packages(python: &Interpreter, env_dir: &Path) -> PathBuf {
    let folder = env_dir.join("lib").join(python.python_folder());
    folder.join("site-packages")
}

/// Creates an environment at `env_dir` with `maker`, with every kind of package and the files that they write.
pub(crate) fn furnished(env: &TestEnv, maker: Maker, python: &Interpreter, env_dir: &Path) {
    maker.make(env, python, env_dir);
    let unpacked = env.root().join("demo");
    for (name, text) in DEMO {
        let path = unpacked.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let wheel = env.root().join("demo-1.0-py3-none-any.whl");
    let words = [
        OsStr::new("-c"),
        ZIP.as_ref(),
        unpacked.as_ref(),
        wheel.as_ref(),
    ];
    env.run(&python.executable, words).succeeds();
    maker.install(env, env_dir, [&wheel]);
    let project = env.root().join("edited");
    fs::create_dir(&project).unwrap();
    fs::write(project.join("edited.py"), "here = __file__\n").unwrap();
    let site_packages = site_packages(python, env_dir);
    let words = [
        OsStr::new("-c"),
        WRITTEN.as_ref(),
        site_packages.as_ref(),
        project.as_ref(),
    ];
    env.run(env_dir.join("bin/python"), words).succeeds();
}

/// Installs a project in editable mode, if this pip supports it.
pub(crate) fn install_editable(env: &TestEnv, maker: Maker, env_dir: &Path) {
    if !takes_editables(env, maker, env_dir) {
        return;
    }
    let project = env.root().join("project");
    fs::create_dir(&project).unwrap();
    let text = "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n\
                [project]\nname = 'mine'\nversion = '1.0'\n";
    fs::write(project.join("pyproject.toml"), text).unwrap();
    fs::write(project.join("backend.py"), BACKEND).unwrap();
    fs::write(project.join("mine.py"), "NAME = 1\n").unwrap();
    maker.install(env, env_dir, [OsStr::new("-e"), project.as_ref()]);
}

/// The files below a directory that contain a text, also as a JSON string.
pub(crate) fn containing(root: &Path, text: &str) -> BTreeSet<String> {
    let escaped = serde_json::to_string(text).unwrap();
    let ascii: String = escaped
        .trim_matches('"')
        .chars()
        .map(|c| match c {
            ' '..='~' => c.to_string(),
            c => format!("\\u{:04x}", u32::from(c)),
        })
        .collect();
    let entries = WalkDir::new(root).into_iter().map(Result::unwrap);
    let files = entries.filter(|entry| {
        let contents = || fs::read(entry.path()).unwrap();
        let has = |contents: &[u8], text: &str| memmem::find(contents, text.as_bytes()).is_some();
        entry.file_type().is_file() && {
            let contents = contents();
            has(&contents, text) || has(&contents, &ascii)
        }
    });
    files
        .map(|entry| {
            let name = entry.path().strip_prefix(root).unwrap();
            name.to_str().unwrap().to_owned()
        })
        .collect()
}

/// The files that a warning lists.
pub(crate) fn listed(outcome: &Outcome) -> BTreeSet<String> {
    let lines: Vec<_> = outcome.stderr.lines().collect();
    assert!(lines.len() <= 1, "one warning, no more: {outcome}");
    let names = lines.first().map_or("", |line| {
        let (_, names) = line.rsplit_once(": ").unwrap();
        names
    });
    names
        .split(", ")
        .filter(|it| !it.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Fails unless the packages in the environment at `env_dir`, which was created at `old`, work.
pub(crate) fn packages_work(env: &TestEnv, python: &Interpreter, env_dir: &Path, old: &Path) {
    let place = env_dir.to_str().unwrap();
    for script in SCRIPTS {
        env.run(env_dir.join("bin").join(script), [""; 0])
            .prints(&format!("{place}\n"));
    }
    let site_packages = site_packages(python, env_dir);
    let words = [
        OsStr::new("-B"),
        "-c".as_ref(),
        WORKS.as_ref(),
        site_packages.as_ref(),
        old.as_ref(),
    ];
    env.run(env_dir.join("bin/python"), words).succeeds();
    env.rvenv([OsStr::new("--check"), env_dir.as_ref()])
        .shared_cache()
        .prints(&format!("{place}: ok\n"));
}

/// Fails unless pip of the environment at `env_dir`, which was created at `old`, works under each of its names, and finds all packages.
pub(crate) fn pip_works(env: &TestEnv, python: &Interpreter, env_dir: &Path, old: &Path) {
    let (place, said) = (env_dir.to_str().unwrap(), old.to_str().unwrap());
    for name in listing(&env_dir.join("bin")) {
        if name.starts_with("pip") {
            let outcome = env
                .run(env_dir.join("bin").join(name), ["--version"])
                .outcome();
            outcome.expect_code(0);
            assert!(outcome.stdout.contains(place), "{outcome}");
        }
    }
    let own = env_dir.join("bin/python");
    env.run(&own, ["-m", "pip", "check"])
        .prints("No broken requirements found.\n");
    let packages = packages(env, env_dir);
    let demo = &packages["demo"];
    assert_eq!(demo[1], site_packages(python, env_dir).to_str().unwrap());
    let named = packages.values().flatten().find(|it| it.contains(said));
    assert_eq!(named, None, "{packages:?}");
    if env.root().join("project").exists() {
        let run = env.run(&own, ["-B", "-c", "import mine; print(mine.__file__)"]);
        run.prints(&format!("{}/project/mine.py\n", env.root().display()));
    }
}

/// The packages that pip lists: version and location by name.
pub(crate) fn packages(env: &TestEnv, env_dir: &Path) -> BTreeMap<String, [String; 2]> {
    let words = ["-m", "pip", "list", "-v", "--format=json"];
    let run = env.run(env_dir.join("bin/python"), words);
    let run = run.var("PIP_DISABLE_PIP_VERSION_CHECK", "1");
    let outcome = run.outcome();
    outcome.expect_code(0);
    let rows: Vec<serde_json::Value> = serde_json::from_str(&outcome.stdout).unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let rows = rows.iter().map(|row| {
        let about = [text(&row["version"]), text(&row["location"])];
        (text(&row["name"]), about)
    });
    rows.collect()
}
