//! One test for each bug that was found, in venv or in rvenv, named after it.

use fs_err as fs;

use crate::{
    env::{PATH, TestEnv},
    interpreters::{Interpreter, each, interpreters, newest},
    oracle::write,
};

crate::harness::trials! {
    modules_in_the_current_folder_are_not_imported_when_python_is_asked(each),
    a_relative_entry_of_path_is_made_absolute,
    a_changed_executable_is_asked_again,
    the_python_of_a_copied_environment_still_finds_its_base,
    closed_streams_do_not_matter,
    many_at_once_make_one_environment,
}

fn modules_in_the_current_folder_are_not_imported_when_python_is_asked(
    python: &'static Interpreter,
) {
    let env = TestEnv::new();
    for name in ["json", "sysconfig", "venv", "platform", "os"] {
        write(&env, format!("{name}.py"), "raise SystemExit(9)\n");
    }
    env.rvenv_for(python, ["--without-pip", "--clear", "env"])
        .var("PYTHONPATH", env.work())
        .succeeds();
}

fn a_relative_entry_of_path_is_made_absolute() {
    // venv writes a link that points nowhere.
    let env = TestEnv::new();
    fs::create_dir(env.at("bin")).unwrap();
    std::os::unix::fs::symlink(&newest().executable, env.at("bin/python3")).unwrap();
    env.rvenv(["--without-pip", "env"])
        .var("PATH", format!("bin:{PATH}"))
        .succeeds();
    let target = fs::read_link(env.at("env/bin/python3")).unwrap();
    assert_eq!(target, env.at("bin/python3"));
    env.run(env.at("env/bin/python"), ["-c", "print(1)"])
        .prints("1\n");
}

fn a_changed_executable_is_asked_again() {
    use std::os::unix::fs::PermissionsExt as _;
    let env = TestEnv::new();
    let path = env.root().join("python3");
    let python = newest().executable.display();
    fs::write(&path, format!("#!/bin/sh\nexec {python} \"$@\"\n")).unwrap();
    fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    let args = [
        "-p",
        path.to_str().unwrap(),
        "--without-pip",
        "--clear",
        "env",
    ];
    env.rvenv(args).succeeds();
    fs::write(&path, "#!/bin/sh\nexit 1\n").unwrap();
    env.rvenv(args).errs(&[path.to_str().unwrap()]);
}

fn the_python_of_a_copied_environment_still_finds_its_base() {
    // gh-99204: `_base_executable` was missing for `--copies`.
    let env = TestEnv::new();
    for python in interpreters().iter().filter(|p| p.copies && p.at_least(11)) {
        env.reset();
        env.rvenv_for(python, ["--without-pip", "--copies", "outer"])
            .succeeds();
        let outer = env.at("outer/bin/python3");
        env.rvenv(["-p", outer.to_str().unwrap(), "--without-pip", "env"])
            .succeeds();
        let script = "import sys; print(sys.base_prefix)";
        let base = env.run(&python.executable, ["-c", script]).stdout();
        fs::remove_dir_all(env.at("outer")).unwrap();
        env.run(env.at("env/bin/python"), ["-c", script])
            .prints(&base);
    }
}

fn closed_streams_do_not_matter() {
    let env = TestEnv::new();
    let python = newest().executable.to_str().unwrap();
    let program = crate::env::program();
    let script = r#""$0" -p "$1" --without-pip env <&- >&- 2>&-"#;
    let args = ["-c", script, program.to_str().unwrap(), python];
    env.run("/bin/sh", args).succeeds();
    assert!(env.at("env/bin/python").exists());
}

fn many_at_once_make_one_environment() {
    let env = TestEnv::new();
    let runs: Vec<_> = (0..8)
        .map(|_| env.rvenv_for(newest(), ["--without-pip", "env"]).start())
        .collect();
    for run in runs {
        let outcome = run.finish();
        outcome.expect_code(0);
        assert_eq!(outcome.stderr, "", "{outcome}");
    }
    env.holds_only(["env"]);
    env.run(env.at("env/bin/python"), ["-c", "print(1)"])
        .prints("1\n");
}
