//! A request whose packages are already installed does not start pip, unless something has changed.

use std::path::PathBuf;

use fs_err as fs;

use crate::env::{Run, TestEnv};
use crate::interpreters::{Interpreter, a_few, newest};
use crate::tree::{changes, tree};
use crate::wheel::write_wheel;

crate::harness::trials! {
    the_same_request_again_does_not_start_pip(a_few),
    any_change_of_the_request_starts_pip,
    any_change_of_the_packages_starts_pip,
    what_cannot_change_the_result_does_not_start_pip,
    what_is_not_installed_by_name_always_starts_pip,
    the_value_of_a_variable_is_part_of_the_request,
    the_files_that_variables_name_are_part_of_the_request,
    a_run_without_requirements_keeps_the_recorded_request,
    a_failure_restores_the_recorded_request(full),
    credentials_are_not_part_of_the_request,
}

struct Scene {
    env: TestEnv,
    wheels: PathBuf,
    python: &'static Interpreter,
}

const ARGS: [&str; 5] = ["env", "-r", "r.txt", "-c", "c.txt"];

impl Scene {
    fn new(python: &'static Interpreter) -> Self {
        let env = TestEnv::new();
        let wheels = env.root().join("wheels");
        write_wheel(&env, &wheels, "one", "1.0");
        write_wheel(&env, &wheels, "two", "2.0");
        let scene = Self {
            env,
            wheels,
            python,
        };
        scene.write("r.txt", "-r more.txt\n");
        scene.write("more.txt", "one # by name\n");
        scene.write("c.txt", "two==2.0\n");
        scene
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.env.at(name), text).unwrap();
    }

    fn rvenv(&self, args: &[&str]) -> Run<'_> {
        self.env
            .rvenv_for(self.python, args)
            .shared_cache()
            .var("PIP_NO_INDEX", "1")
            .var("PIP_FIND_LINKS", &self.wheels)
    }

    fn site_packages(&self) -> PathBuf {
        let library = self.env.at("env/lib").join(self.python.python_folder());
        library.join("site-packages")
    }

    /// From now on pip fails if it is started, and so does the run.
    fn break_pip(&self) {
        let main = self.site_packages().join("pip/__main__.py");
        fs::write(main, "raise SystemExit('pip was started')\n").unwrap();
    }

    fn configuration(&self) -> String {
        fs::read_to_string(self.env.at("env/pyvenv.cfg")).unwrap()
    }
}

#[track_caller]
fn starts_pip(run: Run<'_>) {
    run.errs(&["pip was started"]);
}

fn the_same_request_again_does_not_start_pip(python: &'static Interpreter) {
    let scene = Scene::new(python);
    scene.rvenv(&ARGS).succeeds();
    assert!(scene.configuration().contains("\nrvenv-request = "));
    scene.break_pip();
    let before = tree(&scene.env.at("env"));
    scene.rvenv(&ARGS).succeeds();
    let said = format!("1.0 {}\n", scene.env.at("env").display());
    let one = scene.env.at("env/bin/one");
    scene.env.run(one, [""; 0]).prints(&said);
    let json = [&["--json"], &ARGS[..]].concat();
    let said = scene.rvenv(&json).stdout();
    assert!(said.contains("\"changed\": false"), "{said}");
    assert!(before.keys().eq(tree(&scene.env.at("env")).keys()));
}

fn any_change_of_the_request_starts_pip() {
    let scene = Scene::new(newest());
    scene.rvenv(&ARGS).succeeds();
    scene.break_pip();
    for (name, text) in [
        ("r.txt", "-r more.txt\n\n"),
        ("more.txt", "one\n"),
        ("c.txt", "two\n"),
        ("env/pip.conf", "[global]\npre = 1\n"),
    ] {
        let path = scene.env.at(name);
        let before = fs::read(&path).ok();
        scene.write(name, text);
        starts_pip(scene.rvenv(&ARGS));
        match before {
            Some(before) => fs::write(&path, before).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
        scene.rvenv(&ARGS).succeeds();
    }
    for (name, value) in [
        ("PIP_PRE", "1"),
        ("PIP_UPGRADE", "1"),
        ("PIP_CONSTRAINT", "more.txt"),
        ("SOURCE_DATE_EPOCH", "1600000000"),
    ] {
        starts_pip(scene.rvenv(&ARGS).var(name, value));
    }
    for more in [
        "--with=two",
        "--no-compile",
        "--upgrade-deps",
        "--system-site-packages",
    ] {
        starts_pip(scene.rvenv(&[&[more], &ARGS[..]].concat()));
    }
    scene.rvenv(&ARGS).succeeds();
}

fn any_change_of_the_packages_starts_pip() {
    let scene = Scene::new(newest());
    scene.rvenv(&ARGS).succeeds();
    scene.break_pip();
    let site_packages = scene.site_packages();
    let record = site_packages.join("one-1.0.dist-info/RECORD");
    let text = fs::read_to_string(&record).unwrap();
    fs::write(&record, format!("{text}more,,\r\n")).unwrap();
    starts_pip(scene.rvenv(&ARGS));
    fs::write(&record, text).unwrap();
    for name in ["new.pth", "new.egg-link"] {
        fs::write(site_packages.join(name), "").unwrap();
        starts_pip(scene.rvenv(&ARGS));
        fs::remove_file(site_packages.join(name)).unwrap();
    }
    scene.rvenv(&ARGS).succeeds();
    fs::rename(
        record.parent().unwrap(),
        site_packages.join("one-1.1.dist-info"),
    )
    .unwrap();
    starts_pip(scene.rvenv(&ARGS));
}

fn what_cannot_change_the_result_does_not_start_pip() {
    let scene = Scene::new(newest());
    scene.rvenv(&ARGS).succeeds();
    scene.break_pip();
    for (name, value) in [
        ("PIP_TIMEOUT", "9"),
        ("PIP_NO_CACHE_DIR", "1"),
        ("PIP_PRE", ""),
    ] {
        scene.rvenv(&ARGS).var(name, value).succeeds();
    }
    scene
        .rvenv(&[&["--upgrade"], &ARGS[..]].concat())
        .succeeds();
}

fn what_is_not_installed_by_name_always_starts_pip() {
    let scene = Scene::new(newest());
    let wheel = "one-1.0-py3-none-any.whl";
    fs::copy(scene.wheels.join(wheel), scene.env.at(wheel)).unwrap();
    scene.write("r.txt", &format!("./{wheel}\n"));
    let args = ["--clear", "-v", "env", "-r", "r.txt"];
    let outcome = scene.rvenv(&args).outcome();
    outcome.expect_code(0);
    assert!(outcome.stderr.contains("by name"), "{outcome}");
    assert!(!scene.configuration().contains("rvenv-request"));
}

fn the_value_of_a_variable_is_part_of_the_request() {
    let scene = Scene::new(newest());
    scene.write("r.txt", "one==${VERSION}\n");
    scene.rvenv(&ARGS).var("VERSION", "1.0").succeeds();
    scene.break_pip();
    scene.rvenv(&ARGS).var("VERSION", "1.0").succeeds();
    starts_pip(scene.rvenv(&ARGS).var("VERSION", "1"));
}

fn the_files_that_variables_name_are_part_of_the_request() {
    let scene = Scene::new(newest());
    scene.write("more-c.txt", "one==1.0\n");
    let run = || scene.rvenv(&ARGS).var("PIP_CONSTRAINT", "more-c.txt");
    run().succeeds();
    scene.break_pip();
    run().succeeds();
    starts_pip(scene.rvenv(&ARGS));
    scene.write("more-c.txt", "one==1.0 # changed\n");
    starts_pip(run());
}

fn a_run_without_requirements_keeps_the_recorded_request() {
    let scene = Scene::new(newest());
    scene.rvenv(&ARGS).succeeds();
    scene.break_pip();
    let before = scene.configuration();
    scene.rvenv(&["env"]).succeeds();
    assert_eq!(scene.configuration(), before);
    scene.rvenv(&ARGS).succeeds();
    scene.rvenv(&["--clear", "env"]).succeeds();
    assert!(!scene.configuration().contains("rvenv-request"));
}

fn a_failure_restores_the_recorded_request() {
    let scene = Scene::new(newest());
    scene.rvenv(&ARGS).succeeds();
    let before = tree(&scene.env.at("env"));
    scene.write("other.txt", "one\nnot_there\n");
    scene
        .rvenv(&["env", "-r", "other.txt"])
        .errs(&["not_there"]);
    let after = tree(&scene.env.at("env"));
    assert_eq!(changes(&before, &after), [""; 0].map(PathBuf::from));
    scene.break_pip();
    scene.rvenv(&ARGS).succeeds();
    // With --keep nothing is undone, and no request is recorded.
    scene
        .rvenv(&["--keep", "env", "-r", "other.txt"])
        .errs(&["pip was started"]);
    assert!(!scene.configuration().contains("rvenv-request"));
}

fn credentials_are_not_part_of_the_request() {
    let scene = Scene::new(newest());
    let index = |user: &str| format!("https://{user}@127.0.0.1:9/simple");
    scene
        .rvenv(&ARGS)
        .var("PIP_INDEX_URL", index("me:secret"))
        .succeeds();
    scene.break_pip();
    scene
        .rvenv(&ARGS)
        .var("PIP_INDEX_URL", index("you:other"))
        .succeeds();
}
