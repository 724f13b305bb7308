//! Hints: runs the command of a hint in a shell. The run that failed must then succeed.

use std::ffi::OsString;
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};

use fs_err as fs;

use crate::{
    env::{Outcome, Run, TestEnv, program},
    faults::{Mount, nobody},
    interpreters::{another, layouts::without_ensurepip, newest, with_old_pip},
    wheel::write_wheel,
};

crate::harness::trials! {
    a_file_in_the_way_can_be_removed_with_the_command_of_the_hint,
    a_directory_in_the_way_can_be_removed_with_the_command_of_the_hint,
    a_directory_can_be_cleared_with_the_command_of_the_hint,
    a_mount_point_can_be_unmounted_with_the_command_of_the_hint needs [MOUNT],
    a_umask_can_be_changed_with_the_command_of_the_hint,
    limits_can_be_raised_with_the_command_of_the_hint(full),
    the_closest_python_can_be_used_with_the_command_of_the_hint,
    pip_can_be_left_out_with_the_command_of_the_hint needs [NO_OTHER_PLACE],
    pip_can_be_upgraded_with_the_command_of_the_hint needs [OLD_PIP],
    a_requirements_file_can_be_made_readable_with_the_command_of_the_hint(full) needs [NOBODY],
    packages_of_another_version_can_be_reinstalled_with_the_command_of_the_hint(full) needs [ANOTHER],
    an_error_and_its_hint_are_one_line_each,
    a_hint_has_no_command_if_that_would_show_a_password,
    a_hint_never_offers_a_command_that_deletes_the_home_directory,
}

/// A run of a shell: `setup`, then `line`, in which `"$@"` is rvenv with these arguments.
fn shell<'a>(env: &'a TestEnv, setup: &str, line: &str, args: &[&str]) -> Run<'a> {
    let script = format!("{setup}\n{line}");
    let words = ["-c", &script, "sh"].map(OsString::from);
    let args = args.iter().map(OsString::from);
    let words: Vec<_> = words.into_iter().chain([program()]).chain(args).collect();
    env.run("/bin/sh", words).shared_cache()
}

/// The command in the only hint.
#[track_caller]
fn command(outcome: &Outcome) -> String {
    let mut hints = outcome
        .stderr
        .lines()
        .filter_map(|line| line.strip_prefix("  hint: "));
    let hint = hints
        .next()
        .unwrap_or_else(|| panic!("no hint:\n{outcome}"));
    assert_eq!(hints.next(), None, "{outcome}");
    let (_, rest) = hint
        .split_once('`')
        .unwrap_or_else(|| panic!("no command:\n{outcome}"));
    rest.rsplit_once('`').unwrap().0.to_owned()
}

/// The commands after a failed run: that of the hint, and the run again, unless the hint repeats it.
#[track_caller]
fn solution(outcome: &Outcome, expected: &str) -> String {
    outcome.expect_code(1);
    assert!(outcome.stderr.starts_with("Error: "), "{outcome}");
    let command = command(outcome);
    assert!(command.contains(expected), "no {expected:?}: {command}");
    if command.contains(program().to_str().unwrap()) {
        command
    } else {
        format!("{command} && exec \"$@\"")
    }
}

/// Fails unless a run fails, has a hint with a command that contains `expected`, and succeeds with it.
#[track_caller]
fn is_solved(env: &TestEnv, setup: &str, args: &[&str], expected: &str) {
    let failed = shell(env, setup, "exec \"$@\"", args).outcome();
    let line = solution(&failed, expected);
    let outcome = shell(env, setup, &line, args).outcome();
    assert!(outcome.status.success(), "{line}\n{outcome}");
    let name = args.last().unwrap();
    assert!(env.at(name).join("bin/python").exists(), "{line}");
}

fn python() -> &'static str {
    newest().executable.to_str().unwrap()
}

fn a_file_in_the_way_can_be_removed_with_the_command_of_the_hint() {
    let env = TestEnv::new();
    let args = |name| ["-p", python(), "--without-pip", name];
    for name in ["env", "it's an env", "$(id);`x` & \"y\"", "ä\\b"] {
        fs::write(env.at(name), "").unwrap();
        is_solved(&env, "", &args(name), "rm ");
        fs::remove_dir_all(env.at(name)).unwrap();
        symlink("/nowhere", env.at(name)).unwrap();
        is_solved(&env, "", &args(name), "rm ");
        fs::remove_dir_all(env.at(name)).unwrap();
        fs::create_dir(env.at(name)).unwrap();
        fs::write(env.at(name).join("bin"), "").unwrap();
        is_solved(&env, "", &args(name), "rm ");
    }
}

fn a_directory_in_the_way_can_be_removed_with_the_command_of_the_hint() {
    let env = TestEnv::new();
    fs::create_dir_all(env.at("my env/bin/activate/mine")).unwrap();
    let args = ["-p", python(), "--without-pip", "my env"];
    is_solved(&env, "", &args, "rm -r ");
}

fn a_directory_can_be_cleared_with_the_command_of_the_hint() {
    let env = TestEnv::new();
    fs::create_dir_all(env.at("my env/mine")).unwrap();
    let args = ["-p", python(), "--without-pip", "--clear", "my env"];
    is_solved(&env, "", &args, " --force ");
    assert!(!env.at("my env/mine").exists());
}

fn a_mount_point_can_be_unmounted_with_the_command_of_the_hint() {
    let env = TestEnv::new();
    let args = ["-p", python(), "--without-pip", "--clear", "env"];
    shell(&env, "", "exec \"$@\"", &args).succeeds();
    let _mount = Mount::tmpfs(&env, "env/a folder", "size=1m");
    is_solved(&env, "", &args, "umount ");
}

fn a_umask_can_be_changed_with_the_command_of_the_hint() {
    let env = TestEnv::new();
    let args = ["-p", python(), "--without-pip", "env"];
    is_solved(&env, "umask 0777", &args, "umask 022");
}

fn limits_can_be_raised_with_the_command_of_the_hint() {
    let env = TestEnv::new();
    let args = ["-p", python(), "--no-cache", "env"];
    is_solved(&env, "ulimit -S -f 20", &args, "ulimit -f ");
    fs::remove_dir_all(env.at("env")).unwrap();
    // With a lower limit the program cannot be loaded.
    let is_short = |files: &u32| {
        let setup = format!("ulimit -S -n {files}");
        let outcome = shell(&env, &setup, "exec \"$@\"", &args).outcome();
        outcome.stderr.contains("ulimit -n")
    };
    let files = (4..16).find(is_short).expect("too few open files");
    is_solved(&env, &format!("ulimit -S -n {files}"), &args, "ulimit -n ");
}

fn the_closest_python_can_be_used_with_the_command_of_the_hint() {
    let env = TestEnv::new();
    fs::create_dir(env.root().join("my python")).unwrap();
    let link = env.root().join("my python/python3");
    symlink(&newest().executable, link).unwrap();
    let setup = format!("export PATH='{}/my python'", env.root().display());
    for option in [&["-p", "3.99"][..], &["-p3.99"], &["--python=3.99"]] {
        let args = [&["--without-pip"], option, &["env"]].concat();
        is_solved(&env, &setup, &args, " -p ");
        env.reset();
    }
}

fn pip_can_be_left_out_with_the_command_of_the_hint() {
    let env = TestEnv::new();
    let executable = without_ensurepip(newest(), &env.root().join("stripped"));
    let args = ["--no-cache", "-p", executable.to_str().unwrap(), "env"];
    let failed = env.rvenv(args).var("PATH", "/nowhere").outcome();
    // The first command installs what is missing.
    assert!(failed.stderr.contains("  hint: "), "{failed}");
    let (_, again) = failed
        .stderr
        .trim_end()
        .rsplit_once("--without-pip: `")
        .unwrap();
    let again = again.strip_suffix('`').unwrap();
    env.run("/bin/sh", ["-c", again]).succeeds();
    assert!(env.at("env/bin/python").exists());
}

fn pip_can_be_upgraded_with_the_command_of_the_hint() {
    let env = TestEnv::new();
    let old = with_old_pip().unwrap();
    write_wheel(&env, &env.root().join("wheels"), "pip", "99.0");
    let setup = format!(
        "export PIP_NO_INDEX=1 PIP_FIND_LINKS='{}/wheels'",
        env.root().display()
    );
    let python = old.executable.to_str().unwrap();
    let args = ["-p", python, "--group", "dev", "env"];
    is_solved(&env, &setup, &args, " --upgrade-deps ");
}

fn a_requirements_file_can_be_made_readable_with_the_command_of_the_hint() {
    let env = TestEnv::new();
    let nobody = nobody(&env);
    let file = env.at("my requirements.txt");
    fs::write(&file, "").unwrap();
    fs::set_permissions(&file, std::fs::Permissions::from_mode(0o0)).unwrap();
    chown(&file, Some(65534), Some(65534)).unwrap();
    let run = |script: &str| {
        let rvenv = nobody.line(&["--no-cache", "-r", "my requirements.txt", "env"]);
        let (before, rvenv) = rvenv.split_at(nobody.before.len());
        let shell = ["/bin/sh", "-c", script, "sh"].map(OsString::from);
        let words = [before, &shell, rvenv].concat();
        env.run(&words[0], &words[1..]).outcome()
    };
    let line = solution(&run("exec \"$@\""), "chmod ");
    let outcome = run(&line);
    assert!(outcome.status.success(), "{line}\n{outcome}");
}

fn packages_of_another_version_can_be_reinstalled_with_the_command_of_the_hint() {
    let other = another();
    let env = TestEnv::new();
    let wheel = write_wheel(&env, &env.root().join("wheels"), "demo", "1.0");
    // Before 3.12 an environment has it as well.
    write_wheel(&env, &env.root().join("wheels"), "setuptools", "99.0");
    env.rvenv_for(other, ["my env"]).shared_cache().succeeds();
    let install = [
        "-m",
        "pip",
        "install",
        "-q",
        "--no-index",
        wheel.to_str().unwrap(),
    ];
    env.run(env.at("my env/bin/python"), install)
        .outcome()
        .expect_code(0);
    let upgrade = env.rvenv_for(newest(), ["--upgrade", "my env"]);
    let outcome = upgrade.shared_cache().outcome();
    outcome.expect_code(0);
    assert!(outcome.stderr.starts_with("Warning: "), "{outcome}");
    env.run("/bin/sh", ["-c", &command(&outcome)])
        .var("PIP_NO_INDEX", "1")
        .var("PIP_FIND_LINKS", env.root().join("wheels"))
        .outcome()
        .expect_code(0);
    env.run(env.at("my env/bin/python"), ["-c", "import demo"])
        .succeeds();
}

fn an_error_and_its_hint_are_one_line_each() {
    let env = TestEnv::new();
    fs::write(env.at("file"), "").unwrap();
    fs::create_dir_all(env.at("full/mine")).unwrap();
    fs::create_dir(env.at("empty")).unwrap();
    for args in [
        &["file"][..],
        &["--clear", "full"],
        &["--upgrade", "--clear", "env"],
        &["a:b"],
        &["file/env"],
        &["-p", "empty", "env"],
        &["-p", "/bin/true", "env"],
        &["-p", ">=x", "env"],
        &["-r", "missing", "env"],
        &["-r", "full", "env"],
        &["--warm-cache", "--cache-dir", "file"],
        &["--clear", "/"],
        &["/proc/env"],
    ] {
        let mut args = args.to_vec();
        if !args.contains(&"-p") {
            args.extend(["-p", python()]);
        }
        let outcome = env.rvenv(&args).outcome();
        outcome.expect_code(1);
        let lines: Vec<_> = outcome.stderr.lines().collect();
        assert!(lines[0].starts_with("Error: "), "{outcome}");
        assert!(lines.len() <= 2, "{outcome}");
        if let Some(hint) = lines.get(1) {
            assert!(hint.starts_with("  hint: "), "{outcome}");
        }
        for line in lines {
            assert!(
                !line.ends_with(['.', ' ', ':'])
                    || line.contains("venv in")
                    || line.contains("together"),
                "{outcome}"
            );
        }
    }
}

fn a_hint_has_no_command_if_that_would_show_a_password() {
    let env = TestEnv::new();
    fs::create_dir_all(env.at("env/mine")).unwrap();
    let url = "--index-url=https://me:secret@localhost/simple";
    let args = ["--clear", url, "--with=demo", "env"];
    let outcome = env.rvenv_for(newest(), args).outcome();
    outcome.expect_code(1);
    assert!(outcome.stderr.contains("use --force"), "{outcome}");
    assert!(!outcome.stderr.contains("secret"), "{outcome}");
}

fn a_hint_never_offers_a_command_that_deletes_the_home_directory() {
    let env = TestEnv::new();
    let home = env.root().join("home");
    let outcome = env
        .rvenv_for(newest(), ["--clear", home.to_str().unwrap()])
        .outcome();
    outcome.expect_code(1);
    assert!(outcome.stderr.contains("home directory"), "{outcome}");
    assert!(!outcome.stderr.contains('`'), "{outcome}");
}
