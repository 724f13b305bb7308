//! `--clear` of what is hard to clear, or must stay where it is: the new environment stands, a warning names what is left, and
//! nothing outside is touched.

use std::{
    os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _, symlink},
    os::unix::net::UnixListener,
    path::Path,
};

use fs_err as fs;

use crate::{
    env::{Outcome, TestEnv},
    faults::{Mount, changes, has, is_root, leftovers, nobody, state},
    interpreters::newest,
};

/// An environment with a file of the user's.
fn environment(env: &TestEnv, path: &str) {
    env.rvenv_for(newest(), ["--without-pip", path]).succeeds();
    fs::write(env.at(path).join("mine"), "mine").unwrap();
}

fn clear(env: &TestEnv, path: &str) -> Outcome {
    env.rvenv_for(newest(), ["--without-pip", "--clear", path])
        .outcome()
}

/// The new environment stands, whatever was said.
#[track_caller]
fn stands(env: &TestEnv, path: &str, outcome: &Outcome) {
    outcome.expect_code(0);
    assert!(!env.at(path).join("mine").exists(), "{outcome}");
    let script = "import sys; print(sys.prefix)";
    let prefix = env.run(env.at(path).join("bin/python"), ["-c", script]);
    prefix.prints(&format!("{}\n", env.at(path).display()));
}

#[test]
fn folders_that_nobody_can_enter() {
    let env = TestEnv::new();
    let Some(nobody) = nobody(&env) else { return };
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

#[test]
fn a_parent_that_cannot_be_written() {
    let env = TestEnv::new();
    let Some(nobody) = nobody(&env) else { return };
    let line = nobody.line(&["--without-pip", "env"]);
    env.run(&line[0], &line[1..]).succeeds();
    fs::write(env.at("env/mine"), "mine").unwrap();
    fs::set_permissions(env.at("env"), std::fs::Permissions::from_mode(0o700)).unwrap();
    let inode = fs::metadata(env.at("env")).unwrap().ino();
    fs::os::unix::fs::chown(env.work(), Some(0), Some(0)).unwrap();
    let line = nobody.line(&["--without-pip", "--clear", "env"]);
    env.run(&line[0], &line[1..]).succeeds();
    let metadata = fs::metadata(env.at("env")).unwrap();
    assert_eq!((metadata.ino(), metadata.mode() & 0o7777), (inode, 0o700));
    assert!(!env.at("env/mine").exists());
    assert!(env.at("env/bin/python").exists());
    assert_eq!(leftovers(&env.at("env")), [""; 0]);
}

#[test]
fn mode_and_owner_stay() {
    let env = TestEnv::new();
    environment(&env, "env");
    fs::set_permissions(env.at("env"), std::fs::Permissions::from_mode(0o2750)).unwrap();
    let as_root = rustix::process::geteuid().is_root();
    if as_root {
        fs::os::unix::fs::chown(env.at("env"), Some(1234), Some(4321)).unwrap();
        fs::set_permissions(env.at("env"), std::fs::Permissions::from_mode(0o2750)).unwrap();
    }
    let before = fs::metadata(env.at("env")).unwrap();
    stands(&env, "env", &clear(&env, "env"));
    let after = fs::metadata(env.at("env")).unwrap();
    assert_eq!(before.mode(), after.mode());
    assert_eq!((before.uid(), before.gid()), (after.uid(), after.gid()));
}

#[test]
fn an_immutable_file() {
    let env = TestEnv::new();
    if !is_root() || !has("chattr") {
        return;
    }
    environment(&env, "env");
    let chattr =
        |flag: &str, path: &Path| env.run("chattr", [flag, path.to_str().unwrap()]).outcome();
    fs::create_dir(env.at("env/sub")).unwrap();
    fs::write(env.at("env/sub/stuck"), "mine").unwrap();
    if !chattr("+i", &env.at("env/sub/stuck")).status.success() {
        crate::interpreters::must_not_be_missing("a file system with immutable files");
        return;
    }
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

    // In place it cannot be moved, so that it stays.
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

#[test]
fn a_mount_below() {
    let env = TestEnv::new();
    environment(&env, "env");
    let Some(mount) = Mount::tmpfs(&env, "env/sub/data", "size=1M") else {
        return;
    };
    fs::write(env.at("env/sub/data/precious"), "precious").unwrap();
    let outcome = clear(&env, "env");
    stands(&env, "env", &outcome);
    let left = leftovers(&env.work());
    let [left] = left.as_slice() else {
        panic!("{left:?}")
    };
    let data = env.at(left).join("new/sub/data");
    assert_eq!(
        fs::read_to_string(data.join("precious")).unwrap(),
        "precious"
    );
    assert!(outcome.stderr.contains(data.to_str().unwrap()), "{outcome}");
    env.run("umount", [&data]).succeeds();
    drop(mount);
    stands(&env, "env", &clear(&env, "env"));
    env.holds_only(["env"]);
}

#[test]
fn a_mount_point() {
    let env = TestEnv::new();
    let Some(_mount) = Mount::tmpfs(&env, "env", "size=60M,mode=750") else {
        return;
    };
    environment(&env, "env");
    let before = fs::metadata(env.at("env")).unwrap();
    let Some(_below) = Mount::tmpfs(&env, "env/data", "size=1M") else {
        return;
    };
    fs::write(env.at("env/data/precious"), "precious").unwrap();
    let outcome = clear(&env, "env");
    stands(&env, "env", &outcome);
    assert!(
        outcome
            .stderr
            .contains(env.at("env/data").to_str().unwrap()),
        "{outcome}"
    );
    assert!(env.at("env/data/precious").exists());
    let after = fs::metadata(env.at("env")).unwrap();
    assert_eq!((before.ino(), before.mode()), (after.ino(), after.mode()));
    assert_eq!(leftovers(&env.at("env")), [""; 0]);
    env.holds_only(["env"]);
}

#[test]
fn links_are_not_followed() {
    let env = TestEnv::new();
    fs::create_dir_all(env.at("outside/folder")).unwrap();
    fs::write(env.at("outside/folder/file"), "mine").unwrap();
    let outside = state(&env.at("outside"));
    for path in ["env", "."] {
        environment(&env, "env");
        symlink("../outside", env.at("env/link")).unwrap();
        symlink("../../outside/folder", env.at("env/lib/link")).unwrap();
        symlink(env.at("outside"), env.at("env/lib/absolute")).unwrap();
        let cwd = if path == "." { "env" } else { "" };
        let args = ["--without-pip", "--clear", path];
        env.rvenv_for(newest(), args).cwd(cwd).succeeds();
        assert_eq!(state(&env.at("outside")), outside);
        assert!(!env.at("env/link").exists() && !env.at("env/mine").exists());
        env.holds_only(["env", "outside"]);
    }
}

#[test]
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
        // As venv has it: those directly in ENV_DIR stay.
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

#[test]
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

#[test]
fn what_a_killed_run_has_moved_away_comes_back() {
    let env = TestEnv::new();
    if !has("strace") {
        return;
    }
    // Where folders cannot be exchanged there is an instant between two renames; in place there are several.
    for (cwd, args, inject) in [
        ("", ["--clear", "env"], "inject=renameat2:error=EINVAL"),
        (
            "env",
            ["--clear", "."],
            "inject=renameat2:error=EINVAL:when=99",
        ),
    ] {
        env.reset();
        environment(&env, "env");
        let whole = state(&env.at("env"));
        let mut new = whole.clone();
        new.remove(Path::new("mine"));
        let mut broken = 0;
        let calls = ["rename", "renameat"].into_iter();
        for (call, when) in calls.flat_map(|call| (1..9).map(move |when| (call, when))) {
            let kill = format!("inject={call}:signal=KILL:when={when}");
            let own = [
                "-f",
                "-qq",
                "-o",
                "/dev/null",
                "-e",
                inject,
                "-e",
                &kill,
                "-e",
                "signal=none",
            ];
            let program = crate::env::program();
            let python = newest().executable.to_str().unwrap();
            let rest = [program.to_str().unwrap(), "-p", python, "--without-pip"];
            let line = own.into_iter().chain(rest).chain(args);
            let outcome = env.run("strace", line).cwd(cwd).outcome();
            let now = state(&env.at("env"));
            let is_complete = now.contains_key(Path::new("pyvenv.cfg"));
            broken += u32::from(!is_complete);
            if is_complete && now != whole {
                let differing = changes(&now, &new);
                // Which says the command line.
                assert_eq!(differing, [Path::new("pyvenv.cfg")], "after {call} {when}");
            }
            // A run that does nothing of its own but make what is missing.
            env.rvenv_for(newest(), ["--without-pip", "env"]).succeeds();
            let is_old = env.at("env/mine").exists();
            assert!(is_old || is_complete, "after {call} {when}: {outcome}");
            assert_eq!(leftovers(&env.work()), [""; 0]);
            assert_eq!(leftovers(&env.at("env")), [""; 0]);
            fs::write(env.at("env/mine"), "mine").unwrap();
        }
        assert!(broken > 0, "no kill hit the instant");
    }
}
