//! `--clear` where `ENV_DIR` itself must stay, and what a run that was killed between two renames leaves to the next one.

use std::{
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::Path,
};

use fs_err as fs;

use crate::{
    env::TestEnv,
    faults::{Mount, changes, leftovers, needs, nobody, state, strace},
    faults_clear::{clear, environment, stands},
    interpreters::newest,
};

crate::harness::trials! {
    a_parent_that_cannot_be_written,
    mode_and_owner_stay,
    a_mount_point,
    what_a_killed_run_has_moved_away_comes_back,
}

fn a_parent_that_cannot_be_written() {
    let env = TestEnv::new();
    let nobody = nobody(&env);
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

fn a_mount_point() {
    let env = TestEnv::new();
    let _mount = Mount::tmpfs(&env, "env", "size=60M,mode=750");
    environment(&env, "env");
    let before = fs::metadata(env.at("env")).unwrap();
    stands(&env, "env", &clear(&env, "env"));
    let after = fs::metadata(env.at("env")).unwrap();
    assert_eq!((before.ino(), before.mode()), (after.ino(), after.mode()));
    assert_eq!(leftovers(&env.at("env")), [""; 0]);
    env.holds_only(["env"]);
}

fn what_a_killed_run_has_moved_away_comes_back() {
    let env = TestEnv::new();
    needs("strace");
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
            let args = [&["--without-pip"][..], &args].concat();
            let run = strace(&env, &[inject, &kill, "signal=none"], &args);
            let outcome = run.cwd(cwd).outcome();
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
