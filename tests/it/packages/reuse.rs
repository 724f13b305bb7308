//! `--reuse`: packages that pip has installed for a pinned request are restored from the cache, exactly as pip would install
//! them.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use fs_err as fs;
use rustix::process::Signal;

use crate::env::{Outcome, Run, Started, TestEnv, filled_cache, listing, store};
use crate::harness::{some, whole};
use crate::interpreters::{Interpreter, a_few_full, each_with_pip, newest};
use crate::oracle::bytecode::MadeBy;
use crate::oracle::differences::differences;
use crate::oracle::references::Reference;
use crate::tree::{changes, leftovers, tree};

crate::harness::trials! {
    packages_from_the_cache_are_equal_to_those_of_pip(each_with_pip),
    packages_from_the_cache_are_equal_to_those_of_pip_at_an_unusual_path(a_few_full),
    a_request_without_hashes_is_kept_only_if_that_is_asked_for(full),
    a_source_distribution_is_kept_only_if_that_is_asked_for(full),
    the_cache_is_not_used_if_that_is_disabled(full),
    what_contains_the_path_of_the_environment_is_not_kept(full),
    an_existing_environment_is_never_filled_or_kept(full),
    the_same_request_again_does_not_start_pip_in_a_filled_environment(full),
    a_damaged_image_is_replaced_and_pip_installs(full),
    a_crowd_that_asks_for_the_same_installs_it_once,
    two_requests_for_one_directory_end_with_one_of_them(part),
    a_run_that_is_killed_leaves_a_whole_environment_or_none(part),
    a_cache_that_is_full_of_images_loses_the_oldest(full),
    an_image_that_is_too_large_is_not_kept,
}

pub(super) const ARGS: [&str; 4] = ["-v", "env", "-r", "r.txt"];
pub(super) const FILLED: &str = "from the cache";
pub(super) const KEPT: &str = "kept in the cache";

/// Creates wheels with everything that a wheel can contain, and a requirements file.
pub(super) const WHEELS: &str = r##"
import base64, hashlib, os, sys, zipfile

folder = sys.argv[1]

def write(name, version, files, tag="py3-none-any"):
    info = "%s-%s.dist-info" % (name, version)
    files = dict(files)
    files[info + "/METADATA"] = "Metadata-Version: 2.1\nName: %s\nVersion: %s\n" % (name, version)
    files[info + "/WHEEL"] = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: %s\n" % tag
    path = os.path.join(folder, "%s-%s-%s.whl" % (name, version, tag))
    rows = ""
    with zipfile.ZipFile(path, "w") as wheel:
        for file, contents in files.items():
            mode = 0o755 if file.endswith((".so", ".sh")) or "/scripts/" in file else 0o644
            entry = zipfile.ZipInfo(file, (2020, 1, 1, 0, 0, 0))
            entry.external_attr = (0o100000 | mode) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            digest, size = hashlib.sha256(), 0
            with wheel.open(entry, "w", force_zip64=True) as out:
                blocks = [contents] if isinstance(contents, (str, bytes)) else contents
                for block in blocks:
                    block = block.encode() if isinstance(block, str) else block
                    digest.update(block)
                    size += len(block)
                    out.write(block)
            digest = base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode()
            quoted = '"%s"' % file.replace('"', '""') if "," in file or '"' in file else file
            rows += "%s,sha256=%s,%d\n" % (quoted, digest, size)
        wheel.writestr(info + "/RECORD", rows + info + "/RECORD,,\n")
    with open(path, "rb") as wheel:
        digest = hashlib.sha256()
        for block in iter(lambda: wheel.read(1 << 20), b""):
            digest.update(block)
    return "%s==%s --hash=sha256:%s\n" % (name, version, digest.hexdigest())

module = "import sys\n\ndef main():\n    print(__file__, sys.prefix)\n"
lines = write("one", "1.0", {
    "one/__init__.py": module,
    "one/data.json": "{}",
    "one/bin.so": b"\x7fELF" + bytes(range(256)) * 2000,
    "one/large.bin": bytes(range(256)) * 9000,
    "one/empty.py": "",
    "one/na\u00efve \u6f22.txt": "\u00e9",
    'one/a,"b".txt': "quoted",
    "one/broken.py": "this is (no Python",
    "one/templates/x.py-tpl": "{{ x }}",
    "one/run.sh": "#!/bin/sh\nexit 0\n",
    "one-1.0.data/headers/one.h": "#define ONE 1\n",
    "one-1.0.data/data/share/one/x.txt": "data",
    "one-1.0.data/data/share/one/code.py": "X = 1\n",
    "one-1.0.data/data/Top/x.txt": "sorts first",
    "one-1.0.data/scripts/one-script": "#!python\nimport one\none.main()\n",
    "one-1.0.data/scripts/one-tool.py": "#!python\nimport one\n\nif __name__ == '__main__':\n    one.main()\n",
    "one-1.0.data/scripts/one-shell": "#!/bin/sh\necho shell\n",
    "one-1.0.dist-info/entry_points.txt": "[console_scripts]\none = one:main\none-more = one:main\n\n[gui_scripts]\none-gui = one:main\n",
})
lines += write("two", "2.0", {
    "space/two/__init__.py": module,
    "two.pth": "import sys; sys.two = 1\n",
    "two_vendor/x-1.dist-info/RECORD": "x.py,,\n",
    "two_vendor/__init__.py": "",
    "-odd/x.py": "X = 2\n",
})
lines += write("three", "3.0", {
    "space/three/__init__.py": module,
    "space/three/deep/er/x.py": "def f():\n    return lambda: [x for x in (1, 2)]\n",
})
with open(os.path.join(folder, "r.txt"), "w") as file:
    file.write(lines)
"##;

/// Creates a source distribution and prints its requirement.
pub(super) const SOURCE: &str = r#"
import hashlib, io, os, sys, tarfile

path = os.path.join(sys.argv[1], "src-1.0.tar.gz")
files = {
    "PKG-INFO": "Metadata-Version: 2.1\nName: src\nVersion: 1.0\n",
    "pyproject.toml": "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n",
    "backend.py": '''
import zipfile
def build_wheel(folder, config_settings=None, metadata_directory=None):
    name, info = "src-1.0-py3-none-any.whl", "src-1.0.dist-info/"
    files = {"src.py": "", info + "METADATA": "Metadata-Version: 2.1\\\\nName: src\\\\nVersion: 1.0\\\\n",
             info + "WHEEL": "Wheel-Version: 1.0\\\\nGenerator: x\\\\nRoot-Is-Purelib: true\\\\nTag: py3-none-any\\\\n"}
    import base64, hashlib
    with zipfile.ZipFile(folder + "/" + name, "w") as wheel:
        rows = ""
        for path, text in files.items():
            text = text.replace("\\\\n", chr(10))
            wheel.writestr(path, text)
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
            rows += "%s,sha256=%s,%d" % (path, digest, len(text)) + chr(10)
        wheel.writestr(info + "RECORD", rows + info + "RECORD,," + chr(10))
    return name
''',
}
with tarfile.open(path, "w:gz") as tar:
    for name, text in files.items():
        entry = tarfile.TarInfo("src-1.0/" + name)
        entry.size = len(text.encode())
        tar.addfile(entry, io.BytesIO(text.encode()))
with open(path, "rb") as file:
    print("src==1.0 --hash=sha256:" + hashlib.sha256(file.read()).hexdigest())
"#;

/// A cache that contains only the image of pip, and a directory of wheels.
pub(super) struct Scene {
    pub(super) env: TestEnv,
    python: &'static Interpreter,
}

impl Scene {
    pub(super) fn new(python: &'static Interpreter) -> Self {
        let env = TestEnv::new();
        let wheels = env.root().join("wheels");
        fs::create_dir(&wheels).unwrap();
        let args = ["-c", WHEELS, wheels.to_str().unwrap()];
        env.run(&newest().executable, args).succeeds();
        fs::copy(wheels.join("r.txt"), env.at("r.txt")).unwrap();
        filled_cache(&env, python);
        Self { env, python }
    }

    pub(super) fn wheels(&self) -> PathBuf {
        self.env.root().join("wheels")
    }

    pub(super) fn cache(&self) -> PathBuf {
        self.env.root().join("cache")
    }

    /// Creates a source distribution with a program like [`SOURCE`], and requires it.
    pub(super) fn has_source(&self, program: &str) {
        let wheels = self.wheels();
        let args = ["-c", program, wheels.to_str().unwrap()];
        let line = self.env.run(&newest().executable, args).stdout();
        fs::write(self.env.at("r.txt"), line).unwrap();
    }

    /// A run that finds the wheels, with a cache of its own.
    pub(super) fn rvenv(&self, args: &[&str]) -> Run<'_> {
        self.found(self.env.rvenv_for(self.python, args))
            .var("RVENV_CACHE_DIR", self.cache())
    }

    fn found<'a>(&self, run: Run<'a>) -> Run<'a> {
        run.var("PIP_NO_INDEX", "1")
            .var("PIP_FIND_LINKS", self.wheels())
            .var("PIP_DISABLE_PIP_VERSION_CHECK", "1")
    }

    /// A run without an index.
    pub(super) fn offline(&self, args: &[&str]) -> Run<'_> {
        self.rvenv(args)
            .var("PIP_FIND_LINKS", self.env.root().join("nowhere"))
    }

    pub(super) fn images(&self) -> Vec<PathBuf> {
        let store = store(&self.cache());
        let names = listing(&store);
        let images = names.iter().filter(|name| name.starts_with("image-"));
        images.map(|name| store.join(name)).collect()
    }

    /// Removes the environment.
    pub(super) fn again(&self) {
        let _ = fs::remove_dir_all(self.env.at("env"));
    }

    /// Whether this Python's pip supports `--report`, and its environments contain only files that a package lists.
    fn has_report(&self) -> bool {
        self.python.at_least(8) && self.python.implementation == "cpython"
    }
}

#[track_caller]
pub(super) fn says(run: Run<'_>, texts: &[&str]) -> Outcome {
    let outcome = run.outcome();
    outcome.expect_code(0);
    for text in texts {
        assert!(outcome.stderr.contains(text), "no {text:?} in\n{outcome}");
    }
    outcome
}

#[track_caller]
fn says_not(run: Run<'_>, text: &str) {
    let outcome = run.outcome();
    outcome.expect_code(0);
    assert!(!outcome.stderr.contains(text), "{text:?} in\n{outcome}");
}

/// Compares what comes from the cache with what `python -m venv` and pip leave at the same path.
fn compare(scene: &Scene, name: &str, umask: u32) {
    let env = &scene.env;
    let path = env.at(name);
    let kept = scene.rvenv(&["-v", "first", "-r", "r.txt"]);
    if !scene.has_report() {
        says(kept, &["are not kept for other environments"]);
        return;
    }
    says(kept, &[KEPT]);
    let venv = ["-m", "venv", path.to_str().unwrap()];
    env.run(&scene.python.executable, venv)
        .umask(umask)
        .succeeds();
    let install = ["-I", "-m", "pip", "install", "-q", "-r", "r.txt"];
    let python = path
        .join("bin")
        .join(scene.python.executable.file_name().unwrap());
    let made = SystemTime::now();
    let outcome = scene.found(env.run(python, install)).umask(umask).outcome();
    outcome.expect_code(0);
    let reference = Reference {
        path: env.root().join("reference"),
        made,
    };
    fs::rename(&path, &reference.path).unwrap();
    fs::remove_dir_all(env.at("first")).unwrap();
    let filled = scene.offline(&["-v", path.to_str().unwrap(), "-r", "r.txt"]);
    says(filled.umask(umask), &[FILLED]);
    let found = differences(scene.python, &reference, &path, MadeBy::Rvenv);
    assert!(found.is_empty(), "{}", found.join("\n"));
    let script = env.run(path.join("bin/one"), [""; 0]).stdout();
    assert!(script.contains(path.to_str().unwrap()), "{script}");
    let pip = path.join("bin/pip");
    env.run(&pip, ["check"])
        .prints("No broken requirements found.\n");
    let uninstall = ["uninstall", "-q", "-y", "one", "two", "three"];
    env.run(&pip, uninstall)
        .var("PIP_ROOT_USER_ACTION", "ignore")
        .outcome()
        .expect_code(0);
    assert!(!path.join("bin/one").exists() && !path.join("share/one/x.txt").exists());
}

fn packages_from_the_cache_are_equal_to_those_of_pip(python: &'static Interpreter) {
    compare(&Scene::new(python), "env", 0o022);
}

fn packages_from_the_cache_are_equal_to_those_of_pip_at_an_unusual_path(
    python: &'static Interpreter,
) {
    let name = format!("a long é name {}", "x".repeat(120));
    compare(&Scene::new(python), &name, 0o027);
}

fn a_request_without_hashes_is_kept_only_if_that_is_asked_for() {
    let scene = Scene::new(newest());
    fs::write(scene.env.at("r.txt"), "one\ntwo\n").unwrap();
    says(scene.rvenv(&ARGS), &["one has no version and hash"]);
    scene.again();
    let always = [&["--reuse=always"], &ARGS[..]].concat();
    says(scene.rvenv(&always), &[KEPT]);
    scene.again();
    // This key contains the URL of the index.
    says_not(scene.rvenv(&ARGS), FILLED);
    scene.again();
    let filled = scene.rvenv(&ARGS).var("RVENV_REUSE", "always");
    says(filled, &[FILLED]);
    scene.again();
    fs::write(scene.env.at("r.txt"), "one\n").unwrap();
    says(scene.rvenv(&always), &[KEPT]);
}

fn a_source_distribution_is_kept_only_if_that_is_asked_for() {
    let scene = Scene::new(newest());
    scene.has_source(SOURCE);
    says(scene.rvenv(&ARGS), &["src was built"]);
    let always = [&["--reuse=always"], &ARGS[..]].concat();
    scene.again();
    says(scene.rvenv(&always), &[KEPT]);
    scene.again();
    says_not(scene.rvenv(&ARGS), FILLED);
    scene.again();
    says(scene.rvenv(&always), &[FILLED]);
}

fn the_cache_is_not_used_if_that_is_disabled() {
    let scene = Scene::new(newest());
    for more in [
        "--reuse=never",
        "--no-cache",
        "--relocatable",
        "--system-site-packages",
    ] {
        let args = [&[more], &ARGS[..]].concat();
        says_not(scene.rvenv(&args), KEPT);
        scene.again();
    }
    says_not(scene.rvenv(&ARGS).var("PIP_NO_CACHE_DIR", "1"), KEPT);
    scene.again();
    says(scene.rvenv(&ARGS), &[KEPT]);
    for more in [
        "--reuse=never",
        "--no-cache",
        "--relocatable",
        "--no-compile",
    ] {
        scene.again();
        let args = [&[more], &ARGS[..]].concat();
        says_not(scene.rvenv(&args), FILLED);
    }
    scene.again();
    says(scene.offline(&ARGS), &[FILLED]);
    scene
        .rvenv(&["--reuse=sometimes", "x"])
        .fails(2, &["hashed, always, never"]);
    scene
        .rvenv(&["x"])
        .var("RVENV_REUSE", "x")
        .fails(2, &["RVENV_REUSE"]);
    scene
        .rvenv(&["x"])
        .var("RVENV_CACHE_SIZE", "much")
        .fails(2, &["RVENV_CACHE_SIZE"]);
}

fn what_contains_the_path_of_the_environment_is_not_kept() {
    let scene = Scene::new(newest());
    let path = scene.env.at("env");
    let program = WHEELS.replace(
        "\"two_vendor/__init__.py\": \"\"",
        "\"two_vendor/place.txt\": os.environ['PLACE']",
    );
    let wheels = scene.wheels();
    let args = ["-c", &program, wheels.to_str().unwrap()];
    let run = scene.env.run(&newest().executable, args);
    run.var("PLACE", &path).succeeds();
    fs::copy(wheels.join("r.txt"), scene.env.at("r.txt")).unwrap();
    says(
        scene.rvenv(&ARGS),
        &["two_vendor/place.txt: it contains the environment's path"],
    );
    // In another environment it is ordinary text.
    says(scene.rvenv(&["-v", "other", "-r", "r.txt"]), &[KEPT]);
}

fn an_existing_environment_is_never_filled_or_kept() {
    let scene = Scene::new(newest());
    scene.rvenv(&["env"]).succeeds();
    says_not(scene.rvenv(&ARGS), KEPT);
    scene.again();
    says(scene.rvenv(&ARGS), &[KEPT]);
    scene.again();
    scene.rvenv(&["env"]).succeeds();
    says_not(scene.rvenv(&ARGS), FILLED);
    let clear = [&["--clear"], &ARGS[..]].concat();
    says(scene.offline(&clear), &[FILLED]);
}

fn the_same_request_again_does_not_start_pip_in_a_filled_environment() {
    let scene = Scene::new(newest());
    says(scene.rvenv(&ARGS), &[KEPT]);
    let before = tree(&scene.env.at("env"));
    says(scene.rvenv(&ARGS), &["installed already"]);
    scene.again();
    says(scene.rvenv(&ARGS), &[FILLED]);
    assert!(before.keys().eq(tree(&scene.env.at("env")).keys()));
    says(scene.rvenv(&ARGS), &["installed already"]);
    let more = ["-v", "env", "-r", "r.txt", "--with=one"];
    says_not(scene.rvenv(&more), "installed already");
}

fn a_damaged_image_is_replaced_and_pip_installs() {
    let scene = Scene::new(newest());
    says(scene.rvenv(&ARGS), &[KEPT]);
    let good = tree(&scene.env.at("env"));
    let images = scene.images();
    let largest = images
        .iter()
        .max_by_key(|path| fs::metadata(path).unwrap().len());
    let image = largest.unwrap();
    let contents = fs::read(image).unwrap();
    let length = contents.len();
    let places: [(usize, usize); 6] = [
        (0, 0),
        (0, length / 2),
        (0, length - 1),
        (length / 3, length),
        (length * 2 / 3, length),
        (length - 1000, length),
    ];
    for (at, end) in places {
        let mut damaged = contents[..end].to_vec();
        let stop = (at + 4096).min(end);
        if end == length {
            for byte in &mut damaged[at..stop] {
                *byte ^= 0x55;
            }
        }
        fs::write(image, damaged).unwrap();
        scene.again();
        let outcome = says(scene.rvenv(&ARGS), &["running pip", KEPT]);
        assert!(!outcome.stderr.contains(FILLED), "{outcome}");
        assert!(good.keys().eq(tree(&scene.env.at("env")).keys()));
        scene.again();
        says(scene.offline(&ARGS), &[FILLED]);
        assert_eq!(leftovers(&scene.env.work()), [""; 0]);
    }
}

fn a_crowd_that_asks_for_the_same_installs_it_once() {
    let scene = Scene::new(newest());
    scene.rvenv(&["env"]).succeeds();
    let names: Vec<_> = (0..6).map(|number| format!("env-{number}")).collect();
    let runs: Vec<_> = names
        .iter()
        .map(|name| scene.rvenv(&["-v", name, "-r", "r.txt"]).start())
        .collect();
    let outcomes: Vec<_> = runs.into_iter().map(Started::finish).collect();
    let count = |text: &str| {
        let said = outcomes
            .iter()
            .filter(|outcome| outcome.stderr.contains(text));
        said.count()
    };
    for outcome in &outcomes {
        outcome.expect_code(0);
    }
    assert_eq!((count(KEPT), count(FILLED)), (1, names.len() - 1));
    for name in &names {
        let said = scene
            .env
            .run(scene.env.at(name).join("bin/one"), [""; 0])
            .stdout();
        assert!(said.contains(&format!("/{name}/")), "{said}");
    }
}

fn two_requests_for_one_directory_end_with_one_of_them() {
    let scene = Scene::new(newest());
    let text = fs::read_to_string(scene.env.at("r.txt")).unwrap();
    let lines: Vec<_> = text.lines().collect();
    fs::write(scene.env.at("one.txt"), lines[0]).unwrap();
    fs::write(scene.env.at("two.txt"), lines[1]).unwrap();
    for name in ["one", "two"] {
        let file = format!("{name}.txt");
        says(scene.rvenv(&["-v", name, "-r", &file]), &[KEPT]);
        fs::remove_dir_all(scene.env.at(name)).unwrap();
    }
    let site_packages = scene.env.at("env/lib").join(newest().python_folder());
    let site_packages = site_packages.join("site-packages");
    for () in some(&[(); 10], 3) {
        scene.again();
        let start = |file: &str| scene.rvenv(&["--clear", "env", "-r", file]).start();
        let runs = [start("one.txt"), start("two.txt")];
        for run in runs {
            run.finish().expect_code(0);
        }
        let has = |name: &str| site_packages.join(name).exists();
        let (one, two) = (has("one-1.0.dist-info"), has("two-2.0.dist-info"));
        assert!(one != two, "{one} {two}");
        assert_eq!((has("one"), has("two.pth")), (one, two));
        assert_eq!(leftovers(&scene.env.work()), [""; 0]);
    }
}

fn a_run_that_is_killed_leaves_a_whole_environment_or_none() {
    let scene = Scene::new(newest());
    says(scene.rvenv(&ARGS), &[KEPT]);
    scene.again();
    says(scene.rvenv(&ARGS), &[FILLED]);
    let complete = tree(&scene.env.at("env"));
    let delays: Vec<u64> = if whole() {
        (0..40).collect()
    } else {
        (0..40).step_by(5).collect()
    };
    for delay in delays {
        scene.again();
        let run = scene.rvenv(&ARGS).start();
        std::thread::sleep(std::time::Duration::from_micros(delay * 1500));
        run.signal(Signal::KILL);
        run.finish();
        let path = scene.env.at("env");
        if path.exists() {
            assert!(complete.keys().eq(tree(&path).keys()), "{delay}");
        }
    }
    scene.again();
    says(scene.rvenv(&ARGS), &[FILLED]);
    assert!(
        changes(&complete, &tree(&scene.env.at("env")))
            .iter()
            .all(|path| {
                // Times differ, and thus bytecode.
                complete.contains_key(path)
            })
    );
    assert_eq!(leftovers(&scene.env.work()), [""; 0]);
    scene.env.left_nothing_in_tmp();
}

fn a_cache_that_is_full_of_images_loses_the_oldest() {
    let scene = Scene::new(newest());
    says(scene.rvenv(&ARGS), &[KEPT]);
    let first = scene.images();
    let sizes: u64 = first
        .iter()
        .map(|path| fs::metadata(path).unwrap().len())
        .sum();
    for image in &first {
        let file = fs::OpenOptions::new().write(true).open(image).unwrap();
        let old = SystemTime::now() - std::time::Duration::from_hours(48);
        file.file().set_modified(old).unwrap();
    }
    // Using an image makes it new again.
    let used = |path: &Path| {
        let modified = fs::metadata(path).unwrap().modified().unwrap();
        modified.elapsed().unwrap().as_secs() < 3600
    };
    scene.again();
    says(scene.rvenv(&ARGS), &[FILLED]);
    assert_eq!(first.iter().filter(|path| used(path)).count(), 1);
    let text = fs::read_to_string(scene.env.at("r.txt")).unwrap();
    fs::write(scene.env.at("r.txt"), text.lines().next().unwrap()).unwrap();
    scene.again();
    let small = scene
        .rvenv(&ARGS)
        .var("RVENV_CACHE_SIZE", (sizes * 2).to_string());
    says(small, &[KEPT]);
    assert_eq!(scene.images().len(), 3);
    fs::write(scene.env.at("r.txt"), text.lines().nth(1).unwrap()).unwrap();
    scene.again();
    let small = scene
        .rvenv(&ARGS)
        .var("RVENV_CACHE_SIZE", (sizes * 2).to_string());
    says(small, &[KEPT]);
    let left: u64 = scene
        .images()
        .iter()
        .map(|path| fs::metadata(path).unwrap().len())
        .sum();
    assert!(left <= sizes * 2, "{left} of {sizes}");
}

fn an_image_that_is_too_large_is_not_kept() {
    let scene = Scene::new(newest());
    let small = scene.rvenv(&ARGS).var("RVENV_CACHE_SIZE", "30MB");
    says(small, &["are more than 10 MB"]);
    assert_eq!(scene.images().len(), 1);
}
