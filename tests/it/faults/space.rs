//! No space, no inodes, no permission, and a parent that is deleted: an error that names a path and a solution, and nothing
//! is changed.

use std::path::Path;

use fs_err as fs;

use crate::tree::{leftovers, tree, whole_tree};
use crate::{
    env::{Outcome, TestEnv},
    faults::{Mount, nobody, warm},
    interpreters::newest,
};

crate::harness::trials! {
    no_space needs [MOUNT],
    no_inodes needs [MOUNT],
    no_space_for_a_clone needs [MOUNT],
    a_full_cache_is_not_an_error needs [MOUNT],
    a_disk_that_fills_up_at_the_end_of_an_image_is_reported_once(full) needs [MOUNT],
    a_read_only_file_system needs [MOUNT],
    no_permission needs [NOBODY],
    a_parent_that_vanishes,
}

/// Fails unless this is one error that names something below `path` and has a hint.
#[track_caller]
pub(crate) fn is_clear(outcome: &Outcome, path: &Path) {
    outcome.expect_code(1);
    assert_eq!(outcome.stdout, "", "{outcome}");
    assert!(outcome.stderr.starts_with("Error: "), "{outcome}");
    assert_eq!(outcome.stderr.matches("Error: ").count(), 1, "{outcome}");
    assert!(outcome.stderr.contains(path.to_str().unwrap()), "{outcome}");
    assert!(outcome.stderr.contains("\n  hint: "), "{outcome}");
}

/// On a file system that is too small: new, and in place of an old environment.
fn too_small(options: &str, text: &str) {
    let env = TestEnv::new();
    let mount = Mount::tmpfs(&env, "small", options);
    let path = env.at("small");
    let failing = |args: &[&str]| {
        let before = tree(&path);
        let run = env.rvenv_for(newest(), args).var("RVENV_CACHE_DIR", warm());
        let outcome = run.outcome();
        is_clear(&outcome, &path);
        assert!(outcome.stderr.contains(text), "{outcome}");
        assert_eq!(tree(&path), before, "{outcome}");
        assert_eq!(leftovers(&path), [""; 0], "{outcome}");
    };
    failing(&["small/env"]);
    failing(&["--copies", "small/a/b/env"]);
    env.rvenv_for(newest(), ["--without-pip", "small/env"])
        .succeeds();
    failing(&["--clear", "small/env"]);
    failing(&["--upgrade", "small/env"]);
    failing(&["--no-cache", "small/env"]);
    // The existing environment still works, and with enough space the new one is created.
    env.run(path.join("env/bin/python"), ["-c", "1"]).succeeds();
    mount.remount("size=60M,nr_inodes=9000");
    let run = env.rvenv_for(newest(), ["--clear", "small/env"]);
    run.var("RVENV_CACHE_DIR", warm()).succeeds();
    env.run(path.join("env/bin/pip"), ["--version"]).stdout();
}

fn no_space() {
    too_small("size=3M", "free some disk space");
}

fn no_inodes() {
    too_small("size=60M,nr_inodes=200", "free some disk space");
}

fn no_space_for_a_clone() {
    let env = TestEnv::new();
    let run = env.rvenv_for(newest(), ["src"]);
    run.var("RVENV_CACHE_DIR", warm()).succeeds();
    let original = whole_tree(&env.at("src"));
    let mount = Mount::tmpfs(&env, "small", "size=3M");
    let path = env.at("small");
    let old = env.rvenv_for(newest(), ["--without-pip", "small/old"]);
    old.succeeds();
    let before = tree(&path);
    for args in [
        &["--clone", "src", "small/env"][..],
        &["--clone", "src", "small/a/b/env"],
        &["--clear", "--clone", "src", "small/old"],
    ] {
        let outcome = env.rvenv(args).outcome();
        is_clear(&outcome, &path);
        assert!(outcome.stderr.contains("free some disk space"), "{outcome}");
        assert_eq!(tree(&path), before, "{outcome}");
        assert_eq!(leftovers(&path), [""; 0], "{outcome}");
    }
    assert_eq!(whole_tree(&env.at("src")), original);
    mount.remount("size=60M");
    let args = ["--clear", "--clone", "src", "small/old"];
    env.rvenv(args).succeeds();
    env.run(path.join("old/bin/pip"), ["--version"]).stdout();
}

fn a_full_cache_is_not_an_error() {
    let env = TestEnv::new();
    let _mount = Mount::tmpfs(&env, "store", "size=100k,mode=700");
    let run = env.rvenv_for(newest(), ["env"]);
    let outcome = run.var("RVENV_CACHE_DIR", env.at("store")).outcome();
    outcome.expect_code(0);
    assert_eq!(outcome.stderr.lines().count(), 1, "{outcome}");
    assert!(outcome.stderr.contains("No space left"), "{outcome}");
    env.run(env.at("env/bin/pip"), ["--version"]).stdout();
    assert!(
        !crate::env::listing(&crate::env::store(&env.at("store")))
            .iter()
            .any(|name| name.starts_with(".new"))
    );
}

fn a_disk_that_fills_up_at_the_end_of_an_image_is_reported_once() {
    let env = TestEnv::new();
    let roomy = env.at("roomy");
    let run = env.rvenv_for(newest(), ["env"]);
    run.var("RVENV_CACHE_DIR", &roomy).succeeds();
    let folder = crate::env::store(&roomy);
    let image = crate::env::listing(&folder)
        .into_iter()
        .find(|name| name.ends_with(".zip"))
        .unwrap();
    let length = fs::metadata(folder.join(image)).unwrap().len();
    // One of these is reached by an entry, the others by what follows them.
    for missing in [4 << 10, 32 << 10, 1 << 20] {
        let name = format!("store-{missing}");
        let options = format!("size={},mode=700", length - missing);
        let _mount = Mount::tmpfs(&env, &name, &options);
        let run = env.rvenv_for(newest(), ["--clear", "env"]);
        let outcome = run.var("RVENV_CACHE_DIR", env.at(&name)).outcome();
        outcome.expect_code(0);
        assert_eq!(outcome.stderr.lines().count(), 1, "{outcome}");
        assert!(outcome.stderr.starts_with("Warning: "), "{outcome}");
        assert!(outcome.stderr.contains("No space left"), "{outcome}");
        assert!(!outcome.stderr.contains("ZipWriter"), "{outcome}");
    }
}

fn a_read_only_file_system() {
    let env = TestEnv::new();
    let mount = Mount::tmpfs(&env, "ro", "size=60M");
    env.rvenv_for(newest(), ["--without-pip", "ro/env"])
        .succeeds();
    mount.remount("ro");
    for args in [
        &["ro/new"][..],
        &["ro/env"],
        &["--clear", "ro/env"],
        &["--upgrade", "ro/env"],
    ] {
        let args = [&["--without-pip"], args].concat();
        is_clear(&env.rvenv_for(newest(), args).outcome(), &env.at("ro"));
    }
}

fn no_permission() {
    let env = TestEnv::new();
    let nobody = nobody(&env);
    fs::create_dir(env.root().join("theirs")).unwrap();
    let theirs = env.root().join("theirs/env");
    let line = nobody.line(&["--without-pip", theirs.to_str().unwrap()]);
    is_clear(&env.run(&line[0], &line[1..]).outcome(), &theirs);
    assert!(!theirs.exists());
}

fn a_parent_that_vanishes() {
    for _ in 0..5 {
        let env = TestEnv::new();
        fs::create_dir(env.at("parent")).unwrap();
        let run = env.rvenv_for(newest(), ["parent/env"]);
        let mut run = run.var("RVENV_CACHE_DIR", warm()).start();
        run.until(|| {
            fs::read_dir(env.at("parent")).is_ok_and(|mut entries| entries.next().is_some())
        });
        // rvenv may be creating files in it, so removing may need several attempts.
        while fs::remove_dir_all(env.at("parent")).is_err() && env.at("parent").exists() {}
        let outcome = run.finish();
        if outcome.status.success() {
            // It was complete before the removal, or started after it.
            continue;
        }
        outcome.expect_code(1);
        assert!(outcome.stderr.starts_with("Error: "), "{outcome}");
        assert!(
            outcome.stderr.contains(env.at("parent").to_str().unwrap()),
            "{outcome}"
        );
        assert!(!env.at("parent/env").exists(), "{outcome}");
    }
}
