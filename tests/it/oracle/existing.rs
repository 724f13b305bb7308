//! The oracle for second runs in an existing environment, with the flags in every order.
//!
//! Deliberate differences of rvenv are tested elsewhere: links to another Python (`upgrade.rs`) and the user's own `.gitignore`
//! (`directories.rs`).

use fs_err as fs;

use crate::{
    env::TestEnv,
    interpreters::{Interpreter, each, each_with_copies},
    oracle::{all_agree, write},
};

crate::harness::trials! {
    a_second_run_leaves_what_venv_would_leave(each),
    copies_are_recreated_over_copies(each_with_copies),
    what_is_missing_is_recreated_except_scripts_on_upgrade(each),
    clear_removes_all_but_what_is_neither_file_nor_folder(each),
    several_env_dirs_may_be_new_and_old(each),
}

fn a_second_run_leaves_what_venv_would_leave(python: &'static Interpreter) {
    let env = TestEnv::new();
    let second: [&[&str]; 7] = [
        &[],
        &["--symlinks"],
        &["--system-site-packages"],
        &["--prompt", "another"],
        &["--upgrade"],
        &["--upgrade", "--system-site-packages"],
        &["--clear", "--prompt=."],
    ];
    all_agree(second.map(|flags| {
        let first = ["--without-pip", "--prompt=first", "env"];
        let second = [&["--without-pip"], flags, &["env"]].concat();
        env.oracle(python).args(first).args(second).verdict()
    }));
}

fn copies_are_recreated_over_copies(python: &'static Interpreter) {
    let env = TestEnv::new();
    all_agree([&[][..], &["--upgrade"], &["--clear"]].map(|flags| {
        let second = [&["--without-pip", "--copies"], flags, &["env"]].concat();
        env.oracle(python)
            .args(["--without-pip", "--copies", "env"])
            .args(second)
            .verdict()
    }));
}

fn what_is_missing_is_recreated_except_scripts_on_upgrade(python: &'static Interpreter) {
    let env = TestEnv::new();
    all_agree([&[][..], &["--upgrade"]].map(|flags| {
        env.oracle(python)
            .before(|env| {
                let python = &python.executable;
                let args = ["-m", "venv", "--without-pip", "env"];
                env.run(python, args).succeeds();
                fs::remove_file(env.at("env/bin/python3")).unwrap_or_default();
                fs::remove_file(env.at("env/bin/activate")).unwrap();
                fs::remove_file(env.at("env/bin/activate.fish")).unwrap();
                fs::remove_dir_all(env.at("env/include")).unwrap();
                write(env, "env/lib/site.txt", "mine\n");
                write(env, "env/bin/activate.csh", "edited\n");
            })
            .args([&["--without-pip"], flags, &["env"]].concat())
            .verdict()
    }));
}

fn clear_removes_all_but_what_is_neither_file_nor_folder(python: &'static Interpreter) {
    let env = TestEnv::new();
    all_agree([env
        .oracle(python)
        .before(|env| {
            write(env, "env/pyvenv.cfg", "home = /nowhere\n");
            write(env, "env/deep/er/file", "mine\n");
            write(env, "outside/file", "not to be cleared\n");
            std::os::unix::fs::symlink("../outside", env.at("env/link")).unwrap();
            let fifo = env.at("env/fifo");
            env.run("mkfifo", [&fifo]).succeeds();
        })
        .args(["--without-pip", "--clear", "env"])
        .verdict()]);
}

fn several_env_dirs_may_be_new_and_old(python: &'static Interpreter) {
    let env = TestEnv::new();
    all_agree([env
        .oracle(python)
        .args(["--without-pip", "old", "sub/old"])
        .args(["--without-pip", "--clear", "new", "old", "sub/old"])
        .verdict()]);
}
