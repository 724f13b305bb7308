//! The cache directory: its contents, who is trusted with it, and that nothing depends on it.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt};
use std::path::{Path, PathBuf};

use fs_err as fs;

use crate::env::{Outcome, TestEnv, filled_cache, listing, store};
use crate::faults::{Mount, strace, strace_log};
use crate::harness::some;
use crate::interpreters::{another, newest};

crate::harness::trials! {
    the_cache_directory_is_private_and_tagged,
    a_warm_run_starts_no_process needs [STRACE],
    a_second_run_reads_no_record_of_what_others_have_installed needs [STRACE],
    a_damaged_image_is_recreated(part),
    a_folder_that_others_can_write_is_not_used(full),
    a_cache_directory_that_cannot_be_created_is_not_an_error(full),
    facts_are_of_the_python_that_a_link_points_to_now needs [ANOTHER],
    facts_of_another_format_are_asked_for_again,
    an_environment_shares_nothing_with_the_next,
    what_was_unused_for_ninety_days_is_deleted_when_something_is_stored,
    the_cache_can_be_emptied(full),
    a_folder_of_other_files_keeps_them,
    other_names_in_the_folder_itself_are_left_alone,
    nothing_is_deleted_from_a_directory_that_rvenv_did_not_create,
    a_named_folder_that_cannot_be_used_is_warned_of_once needs [MOUNT],
    the_default_folder_is_not_warned_of,
    the_cache_is_emptied_by_a_run_that_keeps_nothing_itself,
    several_runs_may_empty_the_cache_at_once,
}

/// A cache directory with everything that `newest()` needs, and an environment `first` that was created with it.
fn filled(env: &TestEnv) -> PathBuf {
    let cache = filled_cache(env, newest());
    make(env, &cache, "first");
    cache
}

fn make(env: &TestEnv, cache: &Path, name: &str) {
    let run = env.rvenv_for(newest(), [name]);
    run.var("RVENV_CACHE_DIR", cache).succeeds();
}

fn verbose(env: &TestEnv, cache: &Path, name: &str) -> String {
    let run = env.rvenv_for(newest(), ["-v", name]);
    let outcome = run.var("RVENV_CACHE_DIR", cache).outcome();
    outcome.expect_code(0);
    outcome.stderr
}

fn image(cache: &Path) -> PathBuf {
    let names = listing(&store(cache));
    let name = names.iter().find(|name| name.starts_with("image-"));
    store(cache).join(name.expect("an image is stored"))
}

fn pip_works(env: &TestEnv, name: &str) {
    let pip = env.at(name).join("bin/pip");
    let said = env.run(pip, ["check"]).stdout();
    assert_eq!(said, "No broken requirements found.\n");
}

fn the_cache_directory_is_private_and_tagged() {
    let env = TestEnv::new();
    let cache = env.root().join("cache");
    make(&env, &cache, "first");
    assert_eq!(listing(&cache), ["rvenv-v1"]);
    assert_eq!(fs::metadata(&cache).unwrap().mode() & 0o7777, 0o700);
    let cache = store(&cache);
    assert_eq!(fs::metadata(&cache).unwrap().mode() & 0o7777, 0o700);
    let tag = fs::read_to_string(cache.join("CACHEDIR.TAG")).unwrap();
    assert!(tag.starts_with("Signature: 8a477f597d28d172789f06886806bc55"));
    let names = listing(&cache);
    let kinds: Vec<_> = names.iter().map(|name| &name[..4]).collect();
    assert_eq!(kinds, ["CACH", "fact", "imag", "pip-"], "{names:?}");
}

fn a_warm_run_starts_no_process() {
    let env = TestEnv::new();
    let cache = filled(&env);
    strace(&env, &["trace=execve"], &["second"])
        .var("RVENV_CACHE_DIR", &cache)
        .succeeds();
    let trace = fs::read_to_string(strace_log(&env)).unwrap();
    assert_eq!(trace.matches("execve(").count(), 1, "{trace}");
    pip_works(&env, "second");
}

fn a_second_run_reads_no_record_of_what_others_have_installed() {
    let env = TestEnv::new();
    let cache = filled(&env);
    let folder = format!("first/lib/{}/site-packages", newest().python_folder());
    for number in 0..5 {
        let folder = env.at(&folder).join(format!("other{number}-1.0.dist-info"));
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("METADATA"), "Metadata-Version: 2.1\n").unwrap();
        fs::write(folder.join("RECORD"), "other.py,,\n").unwrap();
    }
    for option in ["--", "-v", "--json", "--upgrade"] {
        strace(&env, &["trace=open,openat,openat2"], &[option, "first"])
            .var("RVENV_CACHE_DIR", &cache)
            .outcome()
            .expect_code(0);
        let log = fs::read_to_string(strace_log(&env)).unwrap();
        assert!(log.contains("pyvenv.cfg"), "{log}");
        let opened = log.lines().filter(|line| line.contains("RECORD"));
        let opened: Vec<_> = opened.filter(|line| line.contains("other")).collect();
        assert_eq!(opened, [""; 0], "{option}");
    }
}

fn a_damaged_image_is_recreated() {
    let env = TestEnv::new();
    let cache = filled(&env);
    let whole = fs::read(image(&cache)).unwrap();
    let flipped = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        bytes
    };
    let damages = [
        ("flipped late", flipped(whole.len() / 2)),
        ("flipped early", flipped(200)),
        ("truncated", whole[..whole.len() / 3].to_vec()),
        ("empty", Vec::new()),
        ("foreign", b"not an image".repeat(1000)),
    ];
    for (position, (damage, bytes)) in some(&damages, 1).iter().enumerate() {
        fs::write(image(&cache), bytes).unwrap();
        let name = format!("env{position}");
        let said = verbose(&env, &cache, &name);
        assert!(said.contains("is damaged"), "{damage}: {said}");
        let said = verbose(&env, &cache, &format!("{name}-again"));
        assert!(!said.contains("damaged"), "{damage}: {said}");
        pip_works(&env, &name);
    }
}

fn a_folder_that_others_can_write_is_not_used() {
    let env = TestEnv::new();
    let cache = filled(&env);
    for (folder, name) in [(cache.clone(), "second"), (store(&cache), "third")] {
        let open = |mode| fs::set_permissions(&folder, PermissionsExt::from_mode(mode)).unwrap();
        open(0o777);
        let said = verbose(&env, &cache, name);
        assert!(
            said.contains("is not used") && said.contains("is writable by others"),
            "{said}"
        );
        pip_works(&env, name);
        open(0o700);
    }
}

fn a_cache_directory_that_cannot_be_created_is_not_an_error() {
    let env = TestEnv::new();
    let file = env.root().join("file");
    fs::write(&file, "").unwrap();
    let said = verbose(&env, &file.join("cache"), "env");
    assert!(said.contains("is not used"), "{said}");
    pip_works(&env, "env");
}

fn facts_are_of_the_python_that_a_link_points_to_now() {
    let other = another();
    let env = TestEnv::new();
    let link = env.root().join("python3");
    for (name, python) in [("one", newest()), ("two", other), ("three", newest())] {
        let _ = fs::remove_file(&link);
        std::os::unix::fs::symlink(&python.executable, &link).unwrap();
        let args = ["--without-pip", "-p", link.to_str().unwrap(), name];
        env.rvenv(args).succeeds();
        let text = fs::read_to_string(env.at(name).join("pyvenv.cfg")).unwrap();
        let version = format!("\nversion = {}.", python.short_version());
        assert!(text.contains(&version), "{name}: {text}");
    }
}

fn facts_of_another_format_are_asked_for_again() {
    let env = TestEnv::new();
    let cache = filled(&env);
    let names = listing(&store(&cache));
    let name = names.iter().find(|name| name.starts_with("facts-"));
    let facts = store(&cache).join(name.expect("facts are stored"));
    let text = fs::read_to_string(&facts).unwrap();
    // Facts without a format version, and with that of a later version.
    for (format, answer) in [("", ""), ("\"format\":999,", "\"prerelease\":\"rc9\",")] {
        let other = text.replacen("\"format\":2,", format, 1);
        let other = other.replacen("\"prerelease\":\"\",", answer, 1);
        assert!(other.len() != text.len());
        fs::write(&facts, other).unwrap();
        make(&env, &cache, "again");
        assert_eq!(fs::read_to_string(&facts).unwrap(), text);
    }
}

fn an_environment_shares_nothing_with_the_next() {
    let env = TestEnv::new();
    let cache = filled(&env);
    let inside = format!(
        "lib/{}/site-packages/pip/__init__.py",
        newest().python_folder()
    );
    let file = env.at("first").join(&inside);
    let before = fs::read(&file).unwrap();
    fs::write(&file, "changed").unwrap();
    fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    make(&env, &cache, "second");
    let other = env.at("second").join(&inside);
    assert!(fs::read(&other).unwrap() == before);
    let metadata = fs::metadata(&other).unwrap();
    assert_eq!((metadata.mode() & 0o777, metadata.nlink()), (0o644, 1));
    assert_ne!(metadata.ino(), fs::metadata(&file).unwrap().ino());
}

/// Creates a file that was last used this many days ago.
fn used(env: &TestEnv, folder: &Path, name: &str, days: u32) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, name).unwrap();
    let date = format!("{days} days ago");
    let args = ["-d".as_ref(), date.as_ref(), path.as_os_str()];
    env.run("touch", args).succeeds();
    path
}

/// The name of an image, which repeats one digit.
fn image_name(digit: char) -> String {
    format!("image-{}.zip", digit.to_string().repeat(32))
}

fn what_was_unused_for_ninety_days_is_deleted_when_something_is_stored() {
    let env = TestEnv::new();
    let cache = filled(&env);
    let of_pip = image(&cache);
    let old = used(&env, &store(&cache), &image_name('a'), 100);
    let recent = used(&env, &store(&cache), &image_name('b'), 80);
    make(&env, &cache, "second");
    assert!(old.exists(), "a warm run sweeps nothing");
    fs::remove_file(of_pip).unwrap();
    make(&env, &cache, "third");
    assert!(!old.exists() && recent.exists());
}

fn the_cache_can_be_emptied() {
    let env = TestEnv::new();
    let cache = filled(&env);
    let names = listing(&store(&cache))
        .into_iter()
        .filter(|name| name != "CACHEDIR.TAG");
    let sizes = names.map(|name| fs::metadata(store(&cache).join(name)).unwrap().len());
    let size: u64 = sizes.sum();
    let said = env
        .rvenv(["--prune-cache"])
        .var("RVENV_CACHE_DIR", &cache)
        .stdout();
    assert!(
        said.starts_with(&format!("freed {}.", size / 1_000_000)),
        "{said}"
    );
    assert_eq!(listing(&store(&cache)), ["CACHEDIR.TAG"]);
    make(&env, &cache, "second");
    pip_works(&env, "second");
}

/// Every way to empty a cache folder.
fn prune(env: &TestEnv, cache: &Path) {
    let folder = cache.to_str().unwrap();
    for args in [
        ["--cache-dir", folder, "--prune-cache"],
        ["--app-data", folder, "--prune-cache"],
    ] {
        env.rvenv(args).stdout();
    }
    let run = env.rvenv(["--prune-cache"]);
    run.var("RVENV_CACHE_DIR", cache).stdout();
}

fn a_folder_of_other_files_keeps_them() {
    let env = TestEnv::new();
    let folder = env.root().join("Pictures");
    fs::create_dir(&folder).unwrap();
    let key = "0123456789abcdef0123456789abcdef";
    let mut names = vec![
        "image-001.jpg".to_owned(),
        "facts-of-2024.json".into(),
        ".new-folder".into(),
        ".new-aB3dE9".into(),
        "pip-23.2.1-py3-none-any.whl".into(),
        "pip-tools-7.4.1-py3-none-any.whl".into(),
        format!("image-{key}.zip"),
        format!("facts-{key}.json"),
    ];
    for name in &names {
        used(&env, &folder, name, 400);
    }
    make(&env, &folder, "first");
    names.push("rvenv-v1".into());
    names.sort();
    assert_eq!(listing(&folder), names);
    prune(&env, &folder);
    assert_eq!(listing(&folder), names);
    assert_eq!(listing(&store(&folder)), ["CACHEDIR.TAG"]);
}

fn other_names_in_the_folder_itself_are_left_alone() {
    let env = TestEnv::new();
    let cache = filled(&env);
    let names = [
        "image-001.jpg",
        "image-holiday.zip",
        "pip-notes.txt",
        ".new-folder-1",
    ];
    let of_pip = image(&cache);
    let files = names.map(|name| used(&env, &store(&cache), name, 400));
    fs::remove_file(of_pip).unwrap();
    make(&env, &cache, "second");
    prune(&env, &cache);
    for file in files {
        assert!(file.exists(), "{}", file.display());
    }
}

fn nothing_is_deleted_from_a_directory_that_rvenv_did_not_create() {
    let env = TestEnv::new();
    let cache = env.root().join("cache");
    let folder = store(&cache);
    fs::create_dir_all(&folder).unwrap();
    let mine = used(&env, &folder, &image_name('a'), 400);
    let tags = [
        None,
        Some("Signature: 8a477f597d28d172789f06886806bc55\n# by another program\n"),
    ];
    for (tag, name) in tags.into_iter().zip(["one", "two"]) {
        if let Some(tag) = tag {
            fs::write(folder.join("CACHEDIR.TAG"), tag).unwrap();
        }
        let before = listing(&folder);
        let run = env.rvenv_for(newest(), ["--without-pip", name]);
        let outcome = run.var("RVENV_CACHE_DIR", &cache).outcome();
        warns_once(&outcome, &cache, "CACHEDIR.TAG");
        prune(&env, &cache);
        assert_eq!(listing(&folder), before);
        assert!(mine.exists());
    }
    // An empty directory is treated like a missing one.
    fs::remove_dir_all(&folder).unwrap();
    fs::create_dir(&folder).unwrap();
    make(&env, &cache, "three");
    assert!(folder.join("CACHEDIR.TAG").exists());
}

#[track_caller]
fn warns_once(outcome: &Outcome, cache: &Path, reason: &str) {
    outcome.expect_code(0);
    let warnings: Vec<_> = outcome.stderr.lines().collect();
    let [warning] = warnings[..] else {
        panic!("{outcome}");
    };
    for text in ["Warning: ", cache.to_str().unwrap(), reason] {
        assert!(warning.contains(text), "no {text}: {outcome}");
    }
    assert!(!warning.contains(".rvenv-"), "a temporary name: {outcome}");
}

fn a_named_folder_that_cannot_be_used_is_warned_of_once() {
    let env = TestEnv::new();
    let open = env.root().join("open");
    fs::create_dir(&open).unwrap();
    fs::set_permissions(&open, PermissionsExt::from_mode(0o777)).unwrap();
    let file = env.root().join("file");
    fs::write(&file, "").unwrap();
    let warned_of = |cache: &Path, reason| {
        let folder = cache.to_str().unwrap();
        for args in [&["a"][..], &["--clear", "a", "b", "c"]] {
            let args = [&["--without-pip", "--cache-dir", folder], args].concat();
            let outcome = env.rvenv_for(newest(), &args).outcome();
            warns_once(&outcome, cache, reason);
            let args = [&["-q"], &args[..]].concat();
            env.rvenv_for(newest(), args).succeeds();
        }
    };
    warned_of(&open, "is writable by others");
    warned_of(&file, "directory");
    let mount = Mount::tmpfs(&env, "store", "size=1m,mode=0755");
    mount.remount("ro");
    warned_of(&env.at("store"), "Read-only file system");
}

fn the_default_folder_is_not_warned_of() {
    let env = TestEnv::new();
    let cache = env.root().join("home/.cache/rvenv");
    fs::create_dir_all(&cache).unwrap();
    fs::set_permissions(&cache, PermissionsExt::from_mode(0o777)).unwrap();
    let run = |args: &[&str]| env.rvenv_for(newest(), args).outcome();
    let outcome = run(&["--without-pip", "env"]);
    outcome.expect_code(0);
    assert_eq!(outcome.stderr, "");
    let outcome = run(&["-v", "--without-pip", "env"]);
    assert!(
        outcome.stderr.contains("is writable by others"),
        "{outcome}"
    );
    assert!(!outcome.stderr.contains("Warning"), "{outcome}");
}

fn the_cache_is_emptied_by_a_run_that_keeps_nothing_itself() {
    let env = TestEnv::new();
    let cache = filled(&env);
    let (option, variable) = (["--no-cache", "--prune-cache"], ["--prune-cache"]);
    for (args, no_cache) in [(&option[..], ""), (&variable, "1")] {
        let file = store(&cache).join(image_name('a'));
        fs::write(&file, vec![0; 200_000]).unwrap();
        let run = env.rvenv(args).var("RVENV_CACHE_DIR", &cache);
        let said = run.var("RVENV_NO_CACHE", no_cache).stdout();
        assert!(!said.starts_with("freed 0.0"), "{said}");
        assert_eq!(listing(&store(&cache)), ["CACHEDIR.TAG"]);
    }
}

fn several_runs_may_empty_the_cache_at_once() {
    let env = TestEnv::new();
    let cache = filled(&env);
    for number in 0..3000 {
        fs::write(store(&cache).join(format!("image-{number:032}.zip")), "").unwrap();
    }
    let run = || env.rvenv(["--prune-cache"]);
    let runs: Vec<_> = (0..4)
        .map(|_| run().var("RVENV_CACHE_DIR", &cache).start())
        .collect();
    for run in runs {
        let outcome = run.finish();
        outcome.expect_code(0);
        assert_eq!(outcome.stderr, "");
    }
    assert_eq!(listing(&store(&cache)), ["CACHEDIR.TAG"]);
}
