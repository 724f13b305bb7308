//! `--clear` of directories that are hard to delete: the new environment is complete, a warning names what is left, and
//! nothing outside is touched.

use std::{
    os::unix::fs::{FileTypeExt as _, PermissionsExt as _, symlink},
    os::unix::net::UnixListener,
    path::Path,
};

use fs_err as fs;

use crate::tree::{leftovers, tree};
use crate::{
    env::{Outcome, TestEnv},
    faults::{Mount, nobody},
    interpreters::newest,
};

crate::harness::trials! {
    folders_that_nobody_can_enter needs [NOBODY],
    an_immutable_file needs [IMMUTABLE],
    a_mount_below_is_refused_before_anything_moves needs [MOUNT],
    links_are_not_followed,
    sockets_and_fifos,
    many_files_and_deep_folders(full),
}

/// An environment with a file of the user's.
pub(crate) fn environment(env: &TestEnv, path: &str) {
    env.rvenv_for(newest(), ["--without-pip", path]).succeeds();
    fs::write(env.at(path).join("mine"), "mine").unwrap();
}

pub(crate) fn clear(env: &TestEnv, path: &str) -> Outcome {
    env.rvenv_for(newest(), ["--without-pip", "--clear", path])
        .outcome()
}

/// Fails unless the new environment is complete.
#[track_caller]
pub(crate) fn stands(env: &TestEnv, path: &str, outcome: &Outcome) {
    outcome.expect_code(0);
    assert!(!env.at(path).join("mine").exists(), "{outcome}");
    let script = "import sys; print(sys.prefix)";
    let prefix = env.run(env.at(path).join("bin/python"), ["-c", script]);
    prefix.prints(&format!("{}\n", env.at(path).display()));
}

fn folders_that_nobody_can_enter() {
    let env = TestEnv::new();
    let nobody = nobody(&env);
    let run = |args: &[&str]| {
        let line = nobody.line(&[&["--without-pip"], args].concat());
        env.run(&line[0], &line[1..]).outcome()
    };
    for path in ["env", "."] {
        run(&["env"]).expect_code(0);
        let closed = env.at("env/lib/closed");
        fs::create_dir_all(closed.join("deep/er")).unwrap();
        for (folder, mode) in [("deep/er", 0o755), ("deep", 0o000), ("", 0o000)] {
            let folder = closed.join(folder);
            fs::os::unix::fs::chown(&folder, Some(65534), Some(65534)).unwrap();
            fs::set_permissions(&folder, std::fs::Permissions::from_mode(mode)).unwrap();
        }
        let line = nobody.line(&["--without-pip", "--clear", path]);
        let cwd = if path == "." { "env" } else { "" };
        let outcome = env.run(&line[0], &line[1..]).cwd(cwd).outcome();
        outcome.expect_code(0);
        assert_eq!(outcome.stderr, "", "{outcome}");
        assert!(!closed.exists());
        env.holds_only(["env"]);
    }
}

fn an_immutable_file() {
    let env = TestEnv::new();
    environment(&env, "env");
    let chattr =
        |flag: &str, path: &Path| env.run("chattr", [flag, path.to_str().unwrap()]).outcome();
    fs::create_dir(env.at("env/sub")).unwrap();
    fs::write(env.at("env/sub/stuck"), "mine").unwrap();
    chattr("+i", &env.at("env/sub/stuck")).expect_code(0);
    let outcome = clear(&env, "env");
    stands(&env, "env", &outcome);
    let left = leftovers(&env.work());
    let [left] = left.as_slice() else {
        panic!("{left:?}")
    };
    let stuck = env.at(left).join("new/sub/stuck");
    assert!(outcome.stderr.starts_with("Warning: "), "{outcome}");
    assert!(
        outcome.stderr.contains(stuck.to_str().unwrap()),
        "{outcome}"
    );
    assert_eq!(fs::read_to_string(&stuck).unwrap(), "mine");
    // Once it can be removed, the next run does so.
    chattr("-i", &stuck).expect_code(0);
    stands(&env, "env", &clear(&env, "env"));
    env.holds_only(["env"]);

    // In place it cannot be moved, so it is kept.
    fs::write(env.at("env/stuck"), "mine").unwrap();
    fs::write(env.at("env/mine"), "mine").unwrap();
    chattr("+i", &env.at("env/stuck")).expect_code(0);
    let run = env
        .rvenv_for(newest(), ["--without-pip", "--clear", "."])
        .cwd("env");
    let outcome = run.outcome();
    chattr("-i", &env.at("env/stuck")).expect_code(0);
    stands(&env, "env", &outcome);
    assert!(
        outcome
            .stderr
            .contains(env.at("env/stuck").to_str().unwrap()),
        "{outcome}"
    );
    assert_eq!(leftovers(&env.at("env")), [""; 0]);
}

fn a_mount_below_is_refused_before_anything_moves() {
    let env = TestEnv::new();
    environment(&env, "env");
    let _mount = Mount::tmpfs(&env, "env/sub/a folder", "size=1M");
    fs::write(env.at("env/sub/a folder/precious"), "precious").unwrap();
    let before = tree(&env.at("env"));
    for (cwd, args) in [
        ("", &["--clear", "env"][..]),
        ("env", &["--clear", "."]),
        ("", &["--clear", "--force", "env"]),
    ] {
        let args = [&["--without-pip"], args].concat();
        let mount = env.at("env/sub/a folder");
        let run = env.rvenv_for(newest(), args).cwd(cwd);
        run.errs(&[mount.to_str().unwrap(), "unmount it"]);
        assert_eq!(tree(&env.at("env")), before);
        env.holds_only(["env"]);
    }
}

fn links_are_not_followed() {
    let env = TestEnv::new();
    fs::create_dir_all(env.at("outside/folder")).unwrap();
    fs::write(env.at("outside/folder/file"), "mine").unwrap();
    let outside = tree(&env.at("outside"));
    for path in ["env", "."] {
        environment(&env, "env");
        symlink("../outside", env.at("env/link")).unwrap();
        symlink("../../outside/folder", env.at("env/lib/link")).unwrap();
        symlink(env.at("outside"), env.at("env/lib/absolute")).unwrap();
        let cwd = if path == "." { "env" } else { "" };
        let args = ["--without-pip", "--clear", path];
        env.rvenv_for(newest(), args).cwd(cwd).succeeds();
        assert_eq!(tree(&env.at("outside")), outside);
        assert!(!env.at("env/link").exists() && !env.at("env/mine").exists());
        env.holds_only(["env", "outside"]);
    }
}

fn sockets_and_fifos() {
    let env = TestEnv::new();
    for path in ["env", "."] {
        let _ = fs::remove_dir_all(env.at("env"));
        environment(&env, "env");
        let socket = UnixListener::bind(env.at("env/lib/socket")).unwrap();
        let kept = UnixListener::bind(env.at("env/socket")).unwrap();
        env.run("mkfifo", [env.at("env/lib/fifo"), env.at("env/fifo")])
            .succeeds();
        let cwd = if path == "." { "env" } else { "" };
        let args = ["--without-pip", "--clear", path];
        env.rvenv_for(newest(), args).cwd(cwd).succeeds();
        drop((socket, kept));
        // Like in venv, those directly in ENV_DIR are kept.
        assert!(
            fs::symlink_metadata(env.at("env/fifo"))
                .unwrap()
                .file_type()
                .is_fifo()
        );
        assert!(
            fs::symlink_metadata(env.at("env/socket"))
                .unwrap()
                .file_type()
                .is_socket()
        );
        assert!(!env.at("env/lib/fifo").exists() && !env.at("env/lib/socket").exists());
        env.holds_only(["env"]);
    }
}

fn many_files_and_deep_folders() {
    let env = TestEnv::new();
    environment(&env, "env");
    for folder in 0..100 {
        let folder = env.at(format!("env/lib/many/{folder}"));
        fs::create_dir_all(&folder).unwrap();
        for file in 0..1000 {
            fs::write(folder.join(file.to_string()), "").unwrap();
        }
    }
    let mut deep = env.at("env/lib/deep");
    for _ in 0..300 {
        deep.push("folder");
    }
    fs::create_dir_all(&deep).unwrap();
    let program = crate::env::program();
    let python = newest().executable.to_str().unwrap();
    let line = "ulimit -n 64; exec \"$@\"";
    let own = ["-c", line, "sh", program.to_str().unwrap(), "-p", python];
    let args = own.into_iter().chain(["--without-pip", "--clear", "env"]);
    let outcome = env.run("/bin/sh", args).outcome();
    stands(&env, "env", &outcome);
    assert_eq!(outcome.stderr, "", "{outcome}");
    env.holds_only(["env"]);
}
