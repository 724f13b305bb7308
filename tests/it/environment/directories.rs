//! `ENV_DIR`: what may exist there, what is refused, and what is not changed.

use std::os::unix::fs::{PermissionsExt as _, symlink};

use fs_err as fs;
use rustix::process::geteuid;

use crate::{
    env::TestEnv,
    faults::Nobody,
    interpreters::{Interpreter, each, newest},
    needs::NOT_ROOT,
    oracle::write,
};

crate::harness::trials! {
    a_file_in_the_way_is_named_and_kept,
    a_symlink_in_the_way_is_named_and_its_target_kept,
    a_file_or_link_inside_is_named_and_nothing_is_changed,
    nothing_is_written_through_a_link,
    a_gitignore_of_ones_own_is_kept,
    the_path_separator_is_refused_where_venv_refuses_it(each),
    a_name_that_is_not_utf8_is_refused_before_anything_is_created,
    a_name_that_is_too_long_is_an_error,
    a_folder_that_cannot_be_written_is_named needs [NOT_ROOT],
    a_file_system_that_cannot_be_written_is_named,
    missing_parents_follow_the_umask_and_are_removed_when_it_fails,
    it_works_without_a_home_and_without_a_cache,
    a_file_on_the_way_to_the_directory_is_named_in_plain_words,
    a_directory_without_permission_is_not_reported_as_removed,
    a_rewritten_configuration_keeps_its_mode,
}

/// Runs rvenv without pip for the newest Python and expects an error with these texts.
#[track_caller]
fn errs(env: &TestEnv, args: &[&str], texts: &[&str]) {
    let args = [&["--without-pip"], args].concat();
    env.rvenv_for(newest(), args).errs(texts);
}

fn succeeds(env: &TestEnv, args: &[&str]) {
    let args = [&["--without-pip"], args].concat();
    env.rvenv_for(newest(), args).succeeds();
}

fn a_file_in_the_way_is_named_and_kept() {
    let env = TestEnv::new();
    fs::write(env.at("it's"), "mine").unwrap();
    let said = format!(
        "Unable to create directory \"{}\"",
        env.at("it's").display()
    );
    for flags in [
        &[][..],
        &["--upgrade"],
        &["--clear"],
        &["--clear", "--force"],
    ] {
        errs(&env, &[flags, &["it's"]].concat(), &[&said]);
        errs(&env, &[flags, &["it's/below"]].concat(), &["it's"]);
    }
    env.holds_only(["it's"]);
    assert_eq!(fs::read_to_string(env.at("it's")).unwrap(), "mine");
}

fn a_symlink_in_the_way_is_named_and_its_target_kept() {
    let env = TestEnv::new();
    write(&env, "real/pyvenv.cfg", "home = /nowhere\n");
    write(&env, "real/precious", "mine");
    symlink("real", env.at("link")).unwrap();
    symlink("nowhere", env.at("dangling")).unwrap();
    let said = format!("Unable to create directory '{}'", env.at("link").display());
    for flags in [
        &[][..],
        &["--upgrade"],
        &["--clear"],
        &["--clear", "--force"],
    ] {
        errs(&env, &[flags, &["link"]].concat(), &[&said]);
        errs(&env, &[flags, &["link/"]].concat(), &[&said]);
        errs(&env, &[flags, &["dangling"]].concat(), &["dangling"]);
    }
    env.holds_only(["dangling", "link", "real"]);
    assert_eq!(
        crate::env::listing(&env.at("real")),
        ["precious", "pyvenv.cfg"]
    );
}

fn a_file_or_link_inside_is_named_and_nothing_is_changed() {
    for name in ["bin", "include", "lib"] {
        let env = TestEnv::new();
        write(&env, "outside/file", "mine");
        for make in [0, 1, 2] {
            env.reset();
            write(&env, "outside/file", "mine");
            write(&env, "env/mine", "mine");
            let path = env.at("env").join(name);
            match make {
                0 => fs::write(&path, "mine").unwrap(),
                1 => symlink("../outside", &path).unwrap(),
                _ => symlink("../nowhere", &path).unwrap(),
            }
            errs(&env, &["env"], &[path.to_str().unwrap()]);
            assert_eq!(crate::env::listing(&env.at("outside")), ["file"]);
            let mut left = vec![name, "mine"];
            left.sort_unstable();
            assert_eq!(crate::env::listing(&env.at("env")), left);
            env.holds_only(["env", "outside"]);
        }
    }
}

fn nothing_is_written_through_a_link() {
    let names = [
        "pyvenv.cfg",
        "bin/activate",
        "bin/activate.csh",
        "bin/activate.fish",
        "bin/Activate.ps1",
        ".gitignore",
    ];
    for name in names {
        let env = TestEnv::new();
        write(&env, "outside", "mine");
        write(&env, "env/bin/tool", "mine");
        symlink(env.at("outside"), env.at("env").join(name)).unwrap();
        let args = ["--without-pip", "env"];
        let outcome = env.rvenv_for(newest(), args).outcome();
        assert_eq!(
            fs::read_to_string(env.at("outside")).unwrap(),
            "mine",
            "{outcome}"
        );
        env.holds_only(["env", "outside"]);
    }
}

fn a_gitignore_of_ones_own_is_kept() {
    let env = TestEnv::new();
    write(&env, ".gitignore", "target/\n");
    for flags in [&[][..], &["--upgrade"]] {
        succeeds(&env, &[flags, &["."]].concat());
        let text = fs::read_to_string(env.at(".gitignore")).unwrap();
        assert_eq!(text, "target/\n");
    }
}

fn the_path_separator_is_refused_where_venv_refuses_it(python: &'static Interpreter) {
    let env = TestEnv::new();
    env.reset();
    let run = env.rvenv_for(python, ["--without-pip", "a:b"]);
    if python.at_least(11) {
        let said = format!(
            "Refusing to create a venv in {} because it contains the PATH separator :.",
            env.at("a:b").display()
        );
        run.errs(&[&said]);
        env.holds_only([]);
    } else {
        run.succeeds();
        env.holds_only(["a:b"]);
    }
}

fn a_name_that_is_not_utf8_is_refused_before_anything_is_created() {
    use std::os::unix::ffi::OsStringExt as _;
    let env = TestEnv::new();
    let name = std::ffi::OsString::from_vec(b"bad\xff".to_vec());
    env.rvenv_for(newest(), ["--without-pip".as_ref(), name.as_os_str()])
        .errs(&["UTF-8"]);
    env.holds_only([]);
}

fn a_name_that_is_too_long_is_an_error() {
    let env = TestEnv::new();
    let name = "x".repeat(300);
    errs(&env, &[&name], &[&name]);
    errs(&env, &[&format!("missing/{name}")], &[&name]);
    // Directories that were created for it are removed again.
    env.holds_only([]);
}

fn a_folder_that_cannot_be_written_is_named() {
    let env = TestEnv::new();
    fs::create_dir(env.at("closed")).unwrap();
    let closed = std::fs::Permissions::from_mode(0o555);
    fs::set_permissions(env.at("closed"), closed).unwrap();
    let args = ["--without-pip", "closed/env"];
    NOT_ROOT.is_listed();
    let run = if geteuid().is_root() {
        let line = Nobody::prepare(&env).line(&args);
        env.run(&line[0], &line[1..])
    } else {
        env.rvenv_for(newest(), args)
    };
    run.errs(&["closed", "ermission denied"]);
    assert_eq!(crate::env::listing(&env.at("closed")), [""; 0]);
}

fn a_file_system_that_cannot_be_written_is_named() {
    let env = TestEnv::new();
    errs(&env, &["/proc/rvenv/env"], &["/proc/rvenv"]);
    env.holds_only([]);
}

fn missing_parents_follow_the_umask_and_are_removed_when_it_fails() {
    let env = TestEnv::new();
    env.rvenv(["-p", "/no/such/python", "a/b/env"])
        .errs(&["/no/such/python"]);
    env.holds_only([]);
    env.rvenv_for(newest(), ["--without-pip", "a/b/env"])
        .umask(0o027)
        .succeeds();
    for path in ["a", "a/b", "a/b/env"] {
        let mode = fs::metadata(env.at(path)).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o750, "{path}");
    }
}

fn it_works_without_a_home_and_without_a_cache() {
    let env = TestEnv::new();
    let nowhere = env.root().join("file");
    fs::write(&nowhere, "").unwrap();
    for (name, value) in [("HOME", ""), ("HOME", "/nowhere"), ("XDG_CACHE_HOME", "")] {
        env.reset();
        env.rvenv_for(newest(), ["--without-pip", "env"])
            .var(name, value)
            .succeeds();
        assert!(env.at("env/bin/python").exists());
    }
    env.reset();
    env.rvenv_for(newest(), ["--without-pip", "env"])
        .var("XDG_CACHE_HOME", nowhere.join("below"))
        .var("HOME", nowhere.join("below"))
        .succeeds();
    env.holds_only(["env"]);
}

fn a_file_on_the_way_to_the_directory_is_named_in_plain_words() {
    let env = TestEnv::new();
    fs::write(env.at("file"), "mine").unwrap();
    let outcome = env
        .rvenv_for(newest(), ["--without-pip", "file/env"])
        .outcome();
    outcome.expect_code(1);
    assert!(outcome.stderr.contains("Not a directory"), "{outcome}");
    assert!(
        outcome.stderr.contains("a parent is not a directory"),
        "{outcome}"
    );
    assert!(!outcome.stderr.contains("metadata"), "{outcome}");
    env.holds_only(["file"]);
}

fn a_directory_without_permission_is_not_reported_as_removed() {
    if cfg!(target_os = "linux") {
        let env = TestEnv::new();
        let outcome = env
            .rvenv_for(newest(), ["--without-pip", "/proc/x"])
            .outcome();
        outcome.expect_code(1);
        assert!(outcome.stderr.contains("'/proc/x'"), "{outcome}");
        assert!(!outcome.stderr.contains("removed meanwhile"), "{outcome}");
    }
}

fn a_rewritten_configuration_keeps_its_mode() {
    let env = TestEnv::new();
    let mode = |name: &str| {
        let metadata = fs::metadata(env.at(name).join("pyvenv.cfg")).unwrap();
        metadata.permissions().mode() & 0o7777
    };
    let python = newest().executable.as_os_str();
    for (first, second) in [(0o022, 0o077), (0o077, 0o022)] {
        for umask in [first, second] {
            let args = ["-m", "venv", "--without-pip", "theirs"];
            env.run(python, args).umask(umask).succeeds();
            let run = env.rvenv_for(newest(), ["--without-pip", "--prompt=x", "ours"]);
            run.umask(umask).succeeds();
            assert_eq!(mode("ours"), mode("theirs"), "{umask:o}");
        }
        env.reset();
    }
}
