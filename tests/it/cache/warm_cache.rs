//! `--warm-cache` stores everything in advance, also for environments in which the cache is read-only.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use fs_err as fs;

use crate::env::{TestEnv, listing, store};
use crate::faults::{Mount, nobody};
use crate::interpreters::layouts;
use crate::interpreters::newest;

crate::harness::trials! {
    it_fills_the_cache_and_creates_nothing,
    without_pip_only_the_facts_are_kept,
    a_cache_that_cannot_be_written_is_an_error,
    a_read_only_cache_is_used(full) needs [MOUNT],
    a_cache_that_root_has_filled_works_for_every_user(full) needs [NOBODY],
    the_image_works_for_a_copy_of_the_same_python,
}

fn kinds(cache: &Path) -> Vec<String> {
    let names = listing(&store(cache)).into_iter();
    names.map(|name| name.chars().take(4).collect()).collect()
}

/// Fails unless a run creates an environment from the cache, without output and without starting Python.
#[track_caller]
fn is_warm(env: &TestEnv, cache: &Path) {
    let before = kinds(cache);
    let run = env.rvenv_for(newest(), ["-v", "env"]);
    let outcome = run.var("RVENV_CACHE_DIR", cache).outcome();
    outcome.expect_code(0);
    for text in ["querying Python", "preparing pip"] {
        assert!(!outcome.stderr.contains(text), "{outcome}");
    }
    assert_eq!(kinds(cache), before);
    env.run(env.at("env/bin/pip"), ["check"])
        .outcome()
        .expect_code(0);
}

fn it_fills_the_cache_and_creates_nothing() {
    let env = TestEnv::new();
    let cache = env.root().join("cache");
    let warm = || {
        let run = env.rvenv_for(newest(), ["--warm-cache"]);
        run.var("RVENV_CACHE_DIR", &cache)
    };
    warm().succeeds();
    env.holds_only([]);
    assert_eq!(kinds(&cache), ["CACH", "fact", "imag", "pip-"]);
    warm().succeeds();
    is_warm(&env, &cache);
}

fn without_pip_only_the_facts_are_kept() {
    let env = TestEnv::new();
    let cache = env.root().join("cache");
    let run = env.rvenv_for(newest(), ["--warm-cache", "--without-pip"]);
    run.var("RVENV_CACHE_DIR", &cache).succeeds();
    assert_eq!(kinds(&cache), ["CACH", "fact"]);
}

fn a_cache_that_cannot_be_written_is_an_error() {
    let env = TestEnv::new();
    let file = env.root().join("file");
    fs::write(&file, "").unwrap();
    let cache = file.join("cache");
    let run = env.rvenv_for(newest(), ["--warm-cache"]);
    run.var("RVENV_CACHE_DIR", &cache)
        .errs(&[cache.to_str().unwrap(), "--cache-dir"]);

    let open = env.root().join("open");
    fs::create_dir(&open).unwrap();
    fs::set_permissions(&open, std::fs::Permissions::from_mode(0o777)).unwrap();
    let run = env.rvenv_for(newest(), ["--warm-cache"]);
    run.var("RVENV_CACHE_DIR", &open)
        .errs(&["is writable by others"]);
    env.holds_only([]);

    env.rvenv(["--warm-cache", "--no-cache"])
        .fails(2, &["--no-cache"]);
    env.rvenv(["--warm-cache", "env"]).fails(2, &["ENV_DIR"]);
}

fn a_read_only_cache_is_used() {
    let env = TestEnv::new();
    let mount = Mount::tmpfs(&env, "store", "size=64m,mode=0755");
    let cache = env.at("store");
    let run = env.rvenv_for(newest(), ["--warm-cache"]);
    run.var("RVENV_CACHE_DIR", &cache).succeeds();
    mount.remount("ro");
    is_warm(&env, &cache);
    // Everything is in the cache, so there is no warning.
    let run = env.rvenv_for(newest(), ["--warm-cache"]);
    run.var("RVENV_CACHE_DIR", &cache).succeeds();
    // This needs another image.
    let run = env.rvenv_for(newest(), ["--warm-cache", "--seeder", "ensurepip"]);
    run.var("RVENV_CACHE_DIR", &cache)
        .errs(&["store", "Read-only file system"]);
}

fn a_cache_that_root_has_filled_works_for_every_user() {
    let env = TestEnv::new();
    let nobody = nobody(&env);
    let cache = env.root().join("cache");
    let python = nobody.python.executable.to_str().unwrap();
    let run = env.run(&nobody.program, ["-p", python, "--warm-cache"]);
    run.var("RVENV_CACHE_DIR", &cache).succeeds();
    for name in listing(&store(&cache)) {
        let path = store(&cache).join(name);
        fs::set_permissions(path, std::fs::Permissions::from_mode(0o644)).unwrap();
    }
    for folder in [&cache, &store(&cache)] {
        fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let before = kinds(&cache);
    let line = nobody.line(&["-v", "env"]);
    let run = env.run(&line[0], &line[1..]);
    let outcome = run.var("RVENV_CACHE_DIR", &cache).outcome();
    outcome.expect_code(0);
    for text in ["querying Python", "preparing pip"] {
        assert!(!outcome.stderr.contains(text), "{outcome}");
    }
    assert_eq!(kinds(&cache), before);
    let line = nobody.line(&["--warm-cache", "--seeder", "ensurepip"]);
    let run = env.run(&line[0], &line[1..]);
    run.var("RVENV_CACHE_DIR", &cache)
        .errs(&["Permission denied"]);
}

/// The layers of a container have new inodes on another file system, but the same names and times.
fn the_image_works_for_a_copy_of_the_same_python() {
    let env = TestEnv::new();
    let root = env.root().join("python");
    let python = layouts::without_ensurepip(newest(), &root);
    let stdlib = format!("lib/python{}", newest().short_version());
    let own = layouts::prefix(newest()).join(&stdlib).join("ensurepip");
    let copied = root.join(&stdlib).join("ensurepip");
    let copy = |from: &Path, to: &Path| {
        let args = ["-a", from.to_str().unwrap(), to.to_str().unwrap()];
        env.run("cp", args).succeeds();
    };
    copy(&own, &copied);
    let cache = env.root().join("cache");
    let python = python.to_str().unwrap();
    let run = |args: &[&str]| {
        let run = env.rvenv([&["-p", python, "-v"], args].concat());
        let outcome = run.var("RVENV_CACHE_DIR", &cache).outcome();
        outcome.expect_code(0);
        outcome.stderr
    };
    let said = run(&["--warm-cache"]);
    assert!(said.contains("preparing pip"), "{said}");
    for path in [&copied, Path::new(python)] {
        let before = path.with_extension("before");
        fs::rename(path, &before).unwrap();
        copy(&before, path);
    }
    let said = run(&["env"]);
    assert!(said.contains("querying Python"), "{said}");
    assert!(!said.contains("preparing pip"), "{said}");
    let said = run(&["again"]);
    assert!(!said.contains("querying Python"), "{said}");
}
