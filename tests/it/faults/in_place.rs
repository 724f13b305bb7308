//! `--clear` where `ENV_DIR` itself cannot be replaced, and recovery from a run that was killed between two renames.

use std::{
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::Path,
};

use fs_err as fs;

use crate::tree::{changes, leftovers, tree};
use crate::{
    env::TestEnv,
    faults::clear::{clear, environment, stands},
    faults::filesystems::overlay,
    faults::{Mount, nobody, strace},
    interpreters::newest,
};

crate::harness::trials! {
    a_parent_that_cannot_be_written needs [NOBODY],
    mode_and_owner_stay,
    a_mount_point needs [MOUNT],
    what_a_killed_run_moved_away_is_restored needs [STRACE],
    what_cannot_be_put_back_is_kept_for_the_next_run needs [STRACE],
    a_failed_clear_of_a_lower_layer_is_undone_with_modes_and_empty_folders needs [MOUNT, STRACE],
    a_run_killed_while_it_clears_a_lower_layer_loses_nothing needs [MOUNT, STRACE],
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

fn what_a_killed_run_moved_away_is_restored() {
    let env = TestEnv::new();
    // If directories cannot be exchanged there is a moment between two renames; in place there are several.
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
        let whole = tree(&env.at("env"));
        let mut new = whole.clone();
        new.remove(Path::new("mine"));
        let mut broken = 0;
        let calls = ["rename", "renameat"].into_iter();
        for (call, when) in calls.flat_map(|call| (1..9).map(move |when| (call, when))) {
            let kill = format!("inject={call}:signal=KILL:when={when}");
            let args = [&["--without-pip"][..], &args].concat();
            let run = strace(&env, &[inject, &kill, "signal=none"], &args);
            let outcome = run.cwd(cwd).outcome();
            let now = tree(&env.at("env"));
            let is_complete = now.contains_key(Path::new("pyvenv.cfg"));
            broken += u32::from(!is_complete);
            if is_complete && now != whole {
                let differing = changes(&now, &new);
                // Which says the command line.
                assert_eq!(differing, [Path::new("pyvenv.cfg")], "after {call} {when}");
            }
            // A run that only recovers from the killed one.
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

fn what_cannot_be_put_back_is_kept_for_the_next_run() {
    let env = TestEnv::new();
    environment(&env, "env");
    let whole = tree(&env.at("env"));
    // Moving the last of six entries away fails, and then moving any of them back fails.
    let args = ["--without-pip", "--clear", "."];
    let inject = ["rename", "renameat"].map(|call| format!("inject={call}:error=EIO:when=6+"));
    let run = strace(&env, &[&inject[0], &inject[1]], &args);
    let outcome = run.cwd("env").outcome();
    outcome.expect_code(1);
    assert!(!env.at("env/pyvenv.cfg").exists(), "{outcome}");
    assert_eq!(leftovers(&env.at("env")).len(), 1, "{outcome}");
    env.rvenv_for(newest(), ["--without-pip", "env"]).succeeds();
    let mut differing = changes(&tree(&env.at("env")), &whole);
    // Which says the command line.
    differing.retain(|path| path != "pyvenv.cfg");
    assert_eq!(differing, [""; 0].map(Path::new));
    assert_eq!(leftovers(&env.at("env")), [""; 0]);
}

/// An environment with folders of the user's: closed, empty, and without write permission.
fn with_folders(env: &TestEnv, path: &str) {
    environment(env, path);
    let root = env.at(path);
    fs::create_dir_all(root.join("lib/mine/empty/er")).unwrap();
    fs::create_dir(root.join("own")).unwrap();
    for name in ["lib/mine/one", "lib/mine/two", "own/three", "own/four"] {
        fs::write(root.join(name), name).unwrap();
    }
    for (name, mode) in [
        ("lib/mine/empty/er", 0o711),
        ("lib/mine/empty", 0o2700),
        ("lib/mine", 0o555),
        ("own", 0o1777),
    ] {
        fs::os::unix::fs::chown(root.join(name), Some(1234), Some(4321)).unwrap();
        fs::set_permissions(root.join(name), std::fs::Permissions::from_mode(mode)).unwrap();
    }
}

fn a_failed_clear_of_a_lower_layer_is_undone_with_modes_and_empty_folders() {
    let env = TestEnv::new();
    let _overlay = overlay(&env, |lower| with_folders(&env, &format!("{lower}/env")));
    let owner = |name: &str| {
        let metadata = fs::metadata(env.at("overlay/env").join(name)).unwrap();
        (metadata.uid(), metadata.gid())
    };
    let whole = tree(&env.at("overlay/env"));
    // The first call is the exchange, which this file system does not support; this one is in the middle of the fallback.
    let inject = "inject=renameat2:error=EIO:when=4";
    let args = ["--without-pip", "--clear", "overlay/env"];
    let outcome = strace(&env, &[inject], &args).outcome();
    outcome.expect_code(1);
    assert!(outcome.stderr.contains("rename to"), "{outcome}");
    let differing = changes(&tree(&env.at("overlay/env")), &whole);
    assert_eq!(differing, [""; 0].map(Path::new), "{outcome}");
    assert_eq!(owner("lib/mine/empty/er"), (1234, 4321));
    assert_eq!(owner("own"), (1234, 4321));
    assert_eq!(leftovers(&env.at("overlay/env")), [""; 0]);
}

fn a_run_killed_while_it_clears_a_lower_layer_loses_nothing() {
    let env = TestEnv::new();
    let kills = [
        ("rename", 4),
        ("rename", 9),
        ("rename", 15),
        ("renameat2", 3),
    ];
    let _overlay = overlay(&env, |lower| {
        for (call, when) in kills {
            with_folders(&env, &format!("{lower}/{call}{when}"));
        }
    });
    let mut killed = 0;
    for (call, when) in kills {
        let path = format!("overlay/{call}{when}");
        let whole = tree(&env.at(&path));
        let kill = format!("inject={call}:signal=KILL:when={when}");
        let args = ["--without-pip", "--clear", &path];
        let outcome = strace(&env, &[&kill, "signal=none"], &args).outcome();
        let is_killed = !env.at(&path).join("pyvenv.cfg").exists();
        assert!(is_killed || call == "rename", "{outcome}");
        killed += u32::from(is_killed);
        // A run that recovers by restoring the previous entries.
        env.rvenv_for(newest(), ["--without-pip", &path]).succeeds();
        if is_killed {
            let mut differing = changes(&tree(&env.at(&path)), &whole);
            // They contain the path of the environment, which has changed since it was created in the lower layer.
            differing.retain(|path| {
                let name = path.to_string_lossy();
                name != "pyvenv.cfg" && !name.starts_with("bin/activate")
            });
            assert_eq!(differing, [""; 0].map(Path::new), "{path}");
        }
        assert_eq!(leftovers(&env.at(&path)), [""; 0]);
    }
    assert!(killed > 2, "only {killed} runs were killed");
}
