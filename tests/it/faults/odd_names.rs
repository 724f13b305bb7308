//! Names that are not UTF-8, names of every length, and umasks that remove required permissions.

use std::{
    ffi::OsStr,
    os::unix::{ffi::OsStrExt as _, fs::PermissionsExt as _},
};

use fs_err as fs;

use crate::{
    env::{TestEnv, listing},
    faults::odd_environments::works,
    faults::warm,
    interpreters::newest,
};

crate::harness::trials! {
    with_a_umask_that_takes_everything,
    with_a_name_that_is_not_utf8,
    with_long_names,
}

fn with_a_umask_that_takes_everything() {
    let env = TestEnv::new();
    for umask in [0o777, 0o700, 0o400, 0o300] {
        let run = env.rvenv_for(newest(), ["a/env"]).umask(umask);
        run.errs(&[env.at("a/env").to_str().unwrap(), "umask 022"]);
        env.holds_only([]);
    }
    let run = env.rvenv_for(newest(), ["env"]).umask(0o077);
    run.var("RVENV_CACHE_DIR", warm()).succeeds();
    works(&env, "env");
    let mode = fs::metadata(env.at("env")).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o700);
}

fn with_a_name_that_is_not_utf8() {
    let env = TestEnv::new();
    for name in [&b"caf\xe9"[..], b"\xff/env", b"ok/\xc3\x28"] {
        for flags in [&[][..], &["--clear"], &["--upgrade"]] {
            let name = OsStr::from_bytes(name);
            let args = flags.iter().map(OsStr::new).chain([name]);
            env.rvenv_for(newest(), args)
                .errs(&["UTF-8", "a different name"]);
            env.holds_only([]);
        }
    }
}

fn with_long_names() {
    let env = TestEnv::new();
    // NAME_MAX: the longest possible name, and one byte more; also with two-byte characters.
    for name in ["n".repeat(255), "é".repeat(127)] {
        env.rvenv_for(newest(), ["--without-pip", &name]).succeeds();
        env.rvenv_for(newest(), ["--without-pip", "--clear", &name])
            .succeeds();
        env.run(env.at(&name).join("bin/python"), ["-c", "1"])
            .succeeds();
        assert_eq!(listing(&env.work()), [name.as_str()]);
        env.reset();
    }
    let outcome = env
        .rvenv_for(newest(), ["a/".to_owned() + &"n".repeat(256)])
        .outcome();
    outcome.expect_code(1);
    assert!(
        outcome.stderr.contains("choose a shorter path"),
        "{outcome}"
    );
    env.holds_only([]);

    // PATH_MAX: the longest path with which the environment's files can be created, and longer ones.
    let (mut made, mut refused) = (0, 0);
    for length in [
        3000, 3900, 3990, 4020, 4050, 4070, 4085, 4094, 4095, 4096, 5000,
    ] {
        let mut path = "a".to_owned();
        while env.at(&path).as_os_str().len() < length {
            path.push_str(if path.len() % 200 == 199 { "/d" } else { "d" });
        }
        let run = env.rvenv_for(newest(), ["--without-pip", &path]);
        let outcome = run.outcome();
        if outcome.status.success() {
            made += 1;
            assert!(fs::metadata(env.at(&path).join("pyvenv.cfg")).is_ok());
            env.reset();
        } else {
            refused += 1;
            outcome.expect_code(1);
            assert!(outcome.stderr.starts_with("Error: "), "{outcome}");
            assert!(outcome.stderr.contains("hint: "), "{outcome}");
            env.holds_only([]);
        }
    }
    assert!(made > 0 && refused > 0);
}
