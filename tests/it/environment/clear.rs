//! `--clear`: what it deletes, and what it refuses to delete.

use std::os::unix::fs::MetadataExt as _;

use fs_err as fs;

use crate::{
    env::{TestEnv, listing},
    interpreters::newest,
    oracle::write,
};

crate::harness::trials! {
    an_environment_is_recreated,
    a_missing_or_empty_folder_needs_no_clearing,
    what_is_no_environment_is_refused_unless_forced,
    important_directories_are_refused,
    the_current_folder_is_cleared_in_place,
    a_failing_run_leaves_the_old_environment,
}

fn an_environment_is_recreated() {
    let env = TestEnv::new();
    let args = ["--without-pip", "env"];
    env.rvenv_for(newest(), args).succeeds();
    write(&env, "env/lib/stale", "old");
    write(&env, "env/.hidden", "old");
    let args = ["--without-pip", "--clear", "env"];
    env.rvenv_for(newest(), args).succeeds();
    assert!(!env.at("env/lib/stale").exists() && !env.at("env/.hidden").exists());
    assert!(env.at("env/bin/python").exists());
    env.holds_only(["env"]);
}

fn a_missing_or_empty_folder_needs_no_clearing() {
    let env = TestEnv::new();
    fs::create_dir(env.at("empty")).unwrap();
    let args = ["--without-pip", "--clear", "missing", "empty"];
    env.rvenv_for(newest(), args).succeeds();
    env.holds_only(["empty", "missing"]);
}

fn what_is_no_environment_is_refused_unless_forced() {
    let env = TestEnv::new();
    write(&env, "project/src/main.py", "mine");
    let args = ["--without-pip", "--clear", "project"];
    let path = env.at("project");
    env.rvenv_for(newest(), args)
        .errs(&[path.to_str().unwrap(), "--force"]);
    assert_eq!(listing(&path), ["src"]);

    let args = ["--without-pip", "--clear", "--force", "project"];
    env.rvenv_for(newest(), args).succeeds();
    assert!(!path.join("src").exists() && path.join("bin/python").exists());
    env.holds_only(["project"]);
}

fn important_directories_are_refused() {
    let env = TestEnv::new();
    // Even if it contains a pyvenv.cfg.
    let home = env.root().join("home");
    fs::write(home.join("pyvenv.cfg"), "home = /nowhere\n").unwrap();
    fs::write(home.join("mine"), "mine").unwrap();
    let args = ["--without-pip", "--clear", home.to_str().unwrap()];
    env.rvenv_for(newest(), args)
        .errs(&[home.to_str().unwrap(), "--force"]);
    assert!(home.join("mine").exists());

    write(&env, "pyvenv.cfg", "home = /nowhere\n");
    write(&env, "sub/folder/mine", "mine");
    for env_dir in ["..", "../..", "../../"] {
        let args = ["--without-pip", "--clear", env_dir];
        env.rvenv_for(newest(), args)
            .cwd("sub/folder")
            .errs(&["--force"]);
    }
    env.holds_only(["pyvenv.cfg", "sub"]);
    assert!(env.at("sub/folder/mine").exists());

    env.rvenv_for(newest(), ["--without-pip", "--clear", "/"])
        .errs(&["'/'"]);
}

fn the_current_folder_is_cleared_in_place() {
    let env = TestEnv::new();
    write(&env, "env/pyvenv.cfg", "home = /nowhere\n");
    write(&env, "env/stale", "old");
    let before = fs::metadata(env.at("env")).unwrap().ino();
    env.rvenv_for(newest(), ["--without-pip", "--clear", "."])
        .cwd("env")
        .succeeds();
    assert_eq!(fs::metadata(env.at("env")).unwrap().ino(), before);
    assert!(!env.at("env/stale").exists() && env.at("env/bin/python").exists());
    env.holds_only(["env"]);
}

fn a_failing_run_leaves_the_old_environment() {
    let env = TestEnv::new();
    let args = ["--without-pip", "env"];
    env.rvenv_for(newest(), args).succeeds();
    write(&env, "env/lib/mine", "mine");
    let args = ["-p", "/no/such/python", "--clear", "env"];
    env.rvenv(args).errs(&["/no/such/python"]);
    // The Python is found, but without pip `--upgrade-deps` cannot run it.
    let args = ["--without-pip", "--upgrade-deps", "--clear", "env"];
    env.rvenv_for(newest(), args).errs(&["pip"]);
    assert!(env.at("env/lib/mine").exists() && env.at("env/bin/python").exists());
    env.holds_only(["env"]);
}
