//! A parent directory in which other users create entries: entries that only look like a stage are not touched or followed.

use std::{
    os::unix::fs::{PermissionsExt as _, symlink},
    path::PathBuf,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use fs_err as fs;
use rustix::fs::{RenameFlags, renameat_with};
use rustix::process::Signal;

use crate::tree::{leftovers, tree};
use crate::{
    env::{TestEnv, listing},
    faults::clear::environment,
    interpreters::newest,
    oracle::write,
};

crate::harness::trials! {
    a_user_directory_named_like_a_stage_is_kept,
    a_stage_without_its_marker_is_kept,
    names_like_that_of_a_stage_are_ignored,
    a_stage_of_another_user_is_kept needs [ROOT],
    long_names_that_begin_alike_have_stages_of_their_own,
    removing_does_not_follow_links_that_replace_directories,
}

/// Creates the files that a killed run for `name` leaves behind.
fn killed(env: &TestEnv, name: &str) -> PathBuf {
    let before = leftovers(&env.work());
    let args = ["--seeder", "ensurepip", "--no-cache", name];
    let mut run = env.rvenv_for(newest(), args).start();
    let new = || {
        let mut now = leftovers(&env.work());
        now.retain(|name| !before.contains(name));
        now.pop().map(|name| env.at(name))
    };
    run.until(|| new().is_some_and(|stage| stage.join("new").exists()));
    run.signal(Signal::KILL);
    run.finish();
    new().unwrap()
}

fn run(env: &TestEnv, name: &str) {
    let python = newest().executable.to_str().unwrap();
    let rvenv = crate::env::program();
    let own = ["-s", "KILL", "20", rvenv.to_str().unwrap(), "-p", python];
    let args = own.into_iter().chain(["--without-pip", name]);
    // A run that hangs is killed, and the test fails.
    env.run("timeout", args).succeeds();
}

fn a_user_directory_named_like_a_stage_is_kept() {
    let env = TestEnv::new();
    let names = [
        "..venv.rvenv-before-merge",
        "..venv.rvenv-abcdefghijkl",
        "..venv.rvenv-",
    ];
    for name in names {
        write(&env, format!("{name}/notes.txt"), "mine");
        write(&env, format!("{name}/new/mine"), "mine");
        fs::create_dir(env.at(format!("{name}x"))).unwrap();
    }
    let before = state_with_stages(&env);
    for _ in 0..2 {
        run(&env, ".venv");
        let mut after = state_with_stages(&env);
        after.retain(|name| name != ".venv");
        assert_eq!(after, before);
    }
    for name in names {
        let notes = env.at(name).join("notes.txt");
        assert_eq!(fs::read_to_string(notes).unwrap(), "mine");
    }
}

fn state_with_stages(env: &TestEnv) -> Vec<String> {
    listing(&env.work())
}

fn a_stage_without_its_marker_is_kept() {
    let env = TestEnv::new();
    let stage = killed(&env, "env");
    let marks = fs::read_dir(&stage).unwrap().map(|entry| entry.unwrap());
    for mark in marks.filter(|entry| entry.file_type().unwrap().is_file()) {
        fs::remove_file(mark.path()).unwrap();
    }
    fs::write(stage.join("mine"), "mine").unwrap();
    run(&env, "env");
    assert_eq!(fs::read_to_string(stage.join("mine")).unwrap(), "mine");
}

fn names_like_that_of_a_stage_are_ignored() {
    let env = TestEnv::new();
    let stage = killed(&env, "env");
    fs::remove_dir_all(&stage).unwrap();
    env.run("mkfifo", [&stage]).succeeds();
    run(&env, "env");
    fs::remove_file(&stage).unwrap();
    fs::write(&stage, "mine").unwrap();
    run(&env, "env");
    assert_eq!(fs::read_to_string(&stage).unwrap(), "mine");
    fs::remove_file(&stage).unwrap();
    symlink(env.root().join("home"), &stage).unwrap();
    run(&env, "env");
    assert!(fs::symlink_metadata(&stage).unwrap().is_symlink());
    // The name of stages in older versions.
    env.run("mkfifo", [env.at(".env.rvenv-abcdefghijkl")])
        .succeeds();
    run(&env, "env");
}

fn a_stage_of_another_user_is_kept() {
    let env = TestEnv::new();
    let stage = killed(&env, "env");
    fs::write(stage.join("mine"), "mine").unwrap();
    fs::os::unix::fs::chown(&stage, Some(65534), Some(65534)).unwrap();
    run(&env, "env");
    assert!(stage.join("mine").exists());
    // Nor is a stage to which others can write.
    fs::os::unix::fs::chown(&stage, Some(0), Some(0)).unwrap();
    fs::set_permissions(&stage, std::fs::Permissions::from_mode(0o777)).unwrap();
    run(&env, "env");
    assert!(stage.join("mine").exists());
    fs::set_permissions(&stage, std::fs::Permissions::from_mode(0o700)).unwrap();
    run(&env, "env");
    env.holds_only(["env"]);
}

fn long_names_that_begin_alike_have_stages_of_their_own() {
    let env = TestEnv::new();
    let (one, other) = ("e".repeat(100) + "1", "e".repeat(100) + "2");
    let stage = killed(&env, &one);
    // The files that a killed exchange leaves behind.
    fs::create_dir(stage.join("aside")).unwrap();
    fs::write(stage.join("aside/mine"), "mine").unwrap();
    run(&env, &other);
    assert!(!env.at(&other).join("mine").exists());
    assert!(stage.join("aside/mine").exists());
    run(&env, &one);
    assert!(env.at(&one).join("mine").exists());
    env.holds_only([&one, &other]);
}

fn removing_does_not_follow_links_that_replace_directories() {
    let env = TestEnv::new();
    let outside = env.root().join("outside");
    for number in 0..200 {
        let folder = outside.join(format!("{number}"));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("precious"), "precious").unwrap();
    }
    let before = tree(&outside);
    for round in 0..5 {
        environment(&env, "env");
        let racing = env.at("env/racing");
        for number in 0..200 {
            let folder = racing.join(format!("folder/{number}"));
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("file"), "").unwrap();
        }
        symlink(&outside, racing.join("link")).unwrap();
        let handle = fs::File::open(&racing).unwrap();
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    let (one, other) = ("folder", "link");
                    let flags = RenameFlags::EXCHANGE;
                    let _ = renameat_with(handle.file(), one, handle.file(), other, flags);
                }
            });
            let args = ["--without-pip", "--clear", "env"];
            let outcome = env.rvenv_for(newest(), args).outcome();
            done.store(true, Ordering::Relaxed);
            assert_eq!(outcome.status.code(), Some(0), "round {round}: {outcome}");
        });
        assert_eq!(tree(&outside), before, "round {round}");
        run(&env, "env");
    }
}
