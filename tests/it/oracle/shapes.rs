//! The oracle for different kinds of `ENV_DIR`, umasks, prompts, and several environments at once.

use fs_err as fs;

use crate::{
    env::TestEnv,
    interpreters::{Interpreter, each},
    oracle::{all_agree, write},
};

crate::harness::trials! {
    every_shape_of_env_dir_makes_the_same_environment(each),
    the_current_folder_can_be_the_environment(each),
    an_absolute_env_dir_is_kept_as_given(each),
    a_path_through_a_linked_folder_is_kept_as_given(each),
    several_env_dirs_are_each_the_same_environment(each),
    modes_follow_the_umask(each),
    prompts_are_written_as_python_would(each),
    what_is_in_env_dir_already_is_kept(each),
    a_real_lib64_is_left_alone(each),
}

/// One path component of 120 characters.
fn long_name() -> String {
    "long-name-".repeat(12)
}

fn every_shape_of_env_dir_makes_the_same_environment(python: &'static Interpreter) {
    let env = TestEnv::new();
    let long = long_name();
    let shapes = [
        "env",
        "./env",
        "missing/parents/of/env",
        "a/../env",
        "a//b/./env",
        "env/",
        "env//",
        "with space",
        " leading and trailing ",
        "ünïcödé-環境-😀",
        "it's",
        "\"double\"",
        "both ' and \"",
        "$HOME `id` \\ !",
        "tab\tand\nnewline",
        "-dash",
        "%s {0} %",
        "x=y # z",
        &long,
    ];
    all_agree(shapes.iter().map(move |shape| {
        let args = ["--without-pip", "--", shape];
        env.oracle(python).args(args).verdict()
    }));
}

fn the_current_folder_can_be_the_environment(python: &'static Interpreter) {
    let env = TestEnv::new();
    all_agree([".", "", "./", "../here", "sub/.."].map(|shape| {
        let case = env.oracle(python).cwd("here");
        case.args(["--without-pip", shape]).verdict()
    }));
}

fn an_absolute_env_dir_is_kept_as_given(python: &'static Interpreter) {
    let env = TestEnv::new();
    let path = env.at("env").to_str().unwrap().to_owned();
    let shapes = [
        path.clone(),
        // POSIX leaves the meaning of exactly two slashes to the system, and os.path.abspath keeps them.
        format!("/{path}"),
        format!("//{path}"),
        format!("{path}/../env/."),
    ];
    all_agree(
        shapes.map(move |shape| env.oracle(python).args(["--without-pip", &shape]).verdict()),
    );
}

fn a_path_through_a_linked_folder_is_kept_as_given(python: &'static Interpreter) {
    let env = TestEnv::new();
    all_agree([env
        .oracle(python)
        .before(|env| {
            fs::create_dir(env.at("real")).unwrap();
            std::os::unix::fs::symlink("real", env.at("link")).unwrap();
        })
        .args(["--without-pip", "link/env"])
        .verdict()]);
}

fn several_env_dirs_are_each_the_same_environment(python: &'static Interpreter) {
    let env = TestEnv::new();
    let args = ["--without-pip", "--system-site-packages", "--prompt=."];
    let args = [&args[..], &["a", "b/c", "d e", "."]].concat();
    all_agree([env.oracle(python).cwd("here").args(args).verdict()]);
}

fn modes_follow_the_umask(python: &'static Interpreter) {
    let env = TestEnv::new();
    let kinds = if python.copies { 2 } else { 1 };
    let links = &["--symlinks", "--copies"][..kinds];
    all_agree([0o000, 0o002, 0o027, 0o077].iter().flat_map(|umask| {
        links.iter().map(|links| {
            env.oracle(python)
                .umask(*umask)
                .args(["--without-pip", links, "parents/env"])
                .verdict()
        })
    }));
}

fn prompts_are_written_as_python_would(python: &'static Interpreter) {
    let env = TestEnv::new();
    let prompts = [
        "",
        ".",
        "..",
        "plain",
        " spaces ",
        "it's",
        "\"double\"",
        "it's \"both\" $HOME",
        "new\nline\ttab\rreturn",
        "back\\slash",
        "é ñ 環境 😀",
        "\u{1}\u{7f}\u{85}\u{a0}\u{ad}\u{200b}\u{202e}\u{2028}\u{e000}\u{feff}\u{e0100}",
        "-x",
        "__VENV_BIN_NAME__",
        "{{ PROMPT }} %s {}",
    ];
    all_agree(prompts.iter().map(move |prompt| {
        let prompt = format!("--prompt={prompt}");
        let case = env.oracle(python).cwd("it's here");
        case.args(["--without-pip", &prompt, "env"]).verdict()
    }));
}

fn what_is_in_env_dir_already_is_kept(python: &'static Interpreter) {
    let env = TestEnv::new();
    all_agree([&[][..], &["--upgrade"], &["--clear"]].map(|flags| {
        env.oracle(python)
            .before(|env| {
                write(env, "env/notes.txt", "mine\n");
                write(env, "env/bin/tool", "mine\n");
                write(env, "env/lib/other/file", "mine\n");
                write(env, "env/include/mine.h", "mine\n");
                // Without this `--clear` would refuse a directory that is not an environment.
                write(env, "env/pyvenv.cfg", "prompt = 'old'\n");
                fs::create_dir_all(env.at("env/empty")).unwrap();
                std::os::unix::fs::symlink("nowhere", env.at("env/dangling")).unwrap();
            })
            .args([&["--without-pip"][..], flags, &["env"]].concat())
            .verdict()
    }));
}

fn a_real_lib64_is_left_alone(python: &'static Interpreter) {
    let env = TestEnv::new();
    all_agree([env
        .oracle(python)
        .before(|env| write(env, "env/lib64/mine", "mine\n"))
        .args(["--without-pip", "env"])
        .verdict()]);
}
