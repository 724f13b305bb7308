//! Symlinks planted in `ENV_DIR`: nothing is written or deleted through them, and those that cannot be replaced are an error.

use std::os::unix::fs::symlink;

use fs_err as fs;

use crate::tree::{leftovers, tree};
use crate::{
    env::{TestEnv, listing},
    faults::warm,
    interpreters::newest,
};

crate::harness::trials! {
    links_in_the_place_of_directories_are_refused,
    links_in_the_place_of_files_are_replaced,
    files_that_are_folders_are_refused,
    a_planted_stage_is_never_used,
    the_stage_of_a_running_process_is_kept(full),
}

/// Plants `name -> ../elsewhere/target` in an environment, runs, and fails if anything changed elsewhere. Returns what the run
/// said if it failed.
fn planted(name: &str, flags: &[&str], is_folder: bool) -> Option<String> {
    let env = TestEnv::new();
    env.rvenv_for(newest(), ["--without-pip", "env"]).succeeds();
    fs::create_dir(env.at("elsewhere")).unwrap();
    fs::create_dir(env.at("elsewhere/folder")).unwrap();
    fs::write(env.at("elsewhere/folder/python"), "mine").unwrap();
    fs::write(env.at("elsewhere/file"), "home = /mine\n").unwrap();
    let path = env.at("env").join(name);
    if fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_dir()) {
        fs::remove_dir_all(&path).unwrap();
    } else {
        let _ = fs::remove_file(&path);
    }
    let up = "../".repeat(name.split('/').count());
    let target = if is_folder { "folder" } else { "file" };
    symlink(format!("{up}elsewhere/{target}"), &path).unwrap();
    let elsewhere = tree(&env.at("elsewhere"));
    let before = tree(&env.at("env"));

    let args = [flags, &["env"]].concat();
    let run = env.rvenv_for(newest(), args).var("RVENV_CACHE_DIR", warm());
    let outcome = run.outcome();
    assert_eq!(tree(&env.at("elsewhere")), elsewhere, "{name}: {outcome}");
    assert_eq!(leftovers(&env.at("env")), [""; 0]);
    if outcome.status.success() {
        let python = env.run(
            env.at("env/bin/python"),
            ["-c", "import sys; print(sys.prefix)"],
        );
        assert_eq!(python.stdout().trim_end(), env.at("env").to_str().unwrap());
        return None;
    }
    outcome.expect_code(1);
    assert_eq!(tree(&env.at("env")), before, "{outcome}");
    assert!(outcome.stderr.contains(path.to_str().unwrap()), "{outcome}");
    Some(outcome.stderr)
}

fn links_in_the_place_of_directories_are_refused() {
    let python = newest().python_folder();
    for name in ["bin", "lib", "include", &format!("lib/{python}")] {
        for flags in [&[][..], &["--upgrade"]] {
            let said = planted(name, flags, true).expect("it should be refused");
            assert!(
                said.starts_with("Error: Unable to create directory "),
                "{said}"
            );
        }
        // Removing the old environment removes the link, not its target.
        assert_eq!(planted(name, &["--clear"], true), None);
    }
}

fn links_in_the_place_of_files_are_replaced() {
    for name in [
        "pyvenv.cfg",
        ".gitignore",
        "bin/activate",
        "bin/pip",
        "bin/python3",
    ] {
        assert_eq!(planted(name, &[], false), None, "{name}");
    }
}

fn files_that_are_folders_are_refused() {
    let env = TestEnv::new();
    env.rvenv_for(newest(), ["--without-pip", "env"]).succeeds();
    for name in ["pyvenv.cfg", "bin/activate"] {
        let path = env.at("env").join(name);
        let contents = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        let before = tree(&env.at("env"));
        let run = env.rvenv_for(newest(), ["--without-pip", "env"]);
        run.errs(&[path.to_str().unwrap()]);
        assert_eq!(tree(&env.at("env")), before);
        fs::remove_dir(&path).unwrap();
        fs::write(&path, contents).unwrap();
    }
}

fn a_planted_stage_is_never_used() {
    let env = TestEnv::new();
    // A directory with the name of a stage of `env` and files in it, in a directory that everybody can write to.
    let planted = env.at(".env.rvenv-abcdefghijkl");
    fs::create_dir_all(planted.join("aside/bin")).unwrap();
    fs::write(planted.join("aside/bin/python"), "evil").unwrap();
    symlink(env.root().join("home"), planted.join("new")).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    fs::set_permissions(&planted, mode).unwrap();
    fs::write(env.root().join("home/mine"), "mine").unwrap();
    let link = env.at(".env.rvenv-ABCDEFGHIJKL");
    symlink(env.root().join("home"), &link).unwrap();

    env.rvenv_for(newest(), ["--without-pip", "env"]).succeeds();
    let python = env.run(env.at("env/bin/python"), ["-c", "print(1)"]);
    python.prints("1\n");
    assert_eq!(
        fs::read_to_string(env.root().join("home/mine")).unwrap(),
        "mine"
    );
    // Neither was used as a stage.
    let names = [".env.rvenv-ABCDEFGHIJKL", ".env.rvenv-abcdefghijkl", "env"];
    assert_eq!(listing(&env.work()), names);
}

fn the_stage_of_a_running_process_is_kept() {
    let env = TestEnv::new();
    // A run that is held up while it builds.
    let args = ["--seeder", "ensurepip", "--no-cache", "env"];
    let mut held = env.rvenv_for(newest(), args).start();
    held.until(|| !leftovers(&env.work()).is_empty());
    let stage = leftovers(&env.work());
    held.signal(rustix::process::Signal::STOP);
    env.rvenv_for(newest(), ["--without-pip", "env"]).succeeds();
    assert_eq!(leftovers(&env.work()), stage);
    held.signal(rustix::process::Signal::CONT);
    let outcome = held.finish();
    outcome.expect_code(0);
    env.holds_only(["env"]);
    env.run(env.at("env/bin/pip"), ["--version"]).stdout();
}
