//! The cache folder: what is in it, who is trusted with it, and that nothing depends on it.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use fs_err as fs;

use crate::env::{TestEnv, listing};
use crate::faults::{has, strace, strace_log};
use crate::interpreters::{another, newest};

/// A cache folder that holds what `newest()` needs.
fn filled(env: &TestEnv) -> PathBuf {
    let cache = env.root().join("cache");
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
    let names = listing(cache);
    let name = names.iter().find(|name| name.starts_with("image-"));
    cache.join(name.expect("an image is stored"))
}

fn pip_works(env: &TestEnv, name: &str) {
    let pip = env.at(name).join("bin/pip");
    let said = env.run(pip, ["check"]).stdout();
    assert_eq!(said, "No broken requirements found.\n");
}

#[test]
fn the_folder_is_the_users_own_and_says_what_it_is() {
    let env = TestEnv::new();
    let cache = filled(&env);
    assert_eq!(fs::metadata(&cache).unwrap().mode() & 0o7777, 0o700);
    let tag = fs::read_to_string(cache.join("CACHEDIR.TAG")).unwrap();
    assert!(tag.starts_with("Signature: 8a477f597d28d172789f06886806bc55"));
    let names = listing(&cache);
    let kinds: Vec<_> = names.iter().map(|name| &name[..4]).collect();
    assert_eq!(kinds, ["CACH", "fact", "imag", "pip-"], "{names:?}");
}

#[test]
fn a_warm_run_starts_no_process() {
    if !has("strace") {
        return;
    }
    let env = TestEnv::new();
    let cache = filled(&env);
    strace(&env, &["trace=execve"], &["second"])
        .var("RVENV_CACHE_DIR", &cache)
        .succeeds();
    let trace = fs::read_to_string(strace_log(&env)).unwrap();
    assert_eq!(trace.matches("execve(").count(), 1, "{trace}");
    pip_works(&env, "second");
}

#[test]
fn a_damaged_image_is_made_anew() {
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
    for (position, (damage, bytes)) in damages.into_iter().enumerate() {
        fs::write(image(&cache), bytes).unwrap();
        let name = format!("env{position}");
        let said = verbose(&env, &cache, &name);
        assert!(said.contains("is damaged"), "{damage}: {said}");
        let said = verbose(&env, &cache, &format!("{name}-again"));
        assert!(!said.contains("damaged"), "{damage}: {said}");
        pip_works(&env, &name);
    }
}

#[test]
fn a_folder_that_others_can_write_is_not_used() {
    let env = TestEnv::new();
    let cache = filled(&env);
    fs::set_permissions(&cache, std::fs::Permissions::from_mode(0o777)).unwrap();
    let said = verbose(&env, &cache, "second");
    assert!(
        said.contains("cache not used") && said.contains("can be written by others"),
        "{said}"
    );
    pip_works(&env, "second");
}

#[test]
fn a_folder_that_cannot_be_made_is_no_obstacle() {
    let env = TestEnv::new();
    let file = env.root().join("file");
    fs::write(&file, "").unwrap();
    let said = verbose(&env, &file.join("cache"), "env");
    assert!(said.contains("nothing is cached"), "{said}");
    pip_works(&env, "env");
}

#[test]
fn facts_are_of_the_python_that_a_link_leads_to_now() {
    let Some(other) = another() else { return };
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

#[test]
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

#[test]
fn what_nobody_used_for_ninety_days_goes_when_something_is_stored() {
    let env = TestEnv::new();
    let cache = filled(&env);
    for (name, days) in [
        ("image-old.zip", "100 days ago"),
        ("image-used.zip", "80 days ago"),
    ] {
        fs::write(cache.join(name), "").unwrap();
        let path = cache.join(name);
        env.run("touch", ["-d".as_ref(), days.as_ref(), path.as_os_str()])
            .succeeds();
    }
    make(&env, &cache, "second");
    assert!(
        cache.join("image-old.zip").exists(),
        "a warm run sweeps nothing"
    );
    fs::remove_file(image_of_pip(&cache)).unwrap();
    make(&env, &cache, "third");
    assert!(!cache.join("image-old.zip").exists());
    assert!(cache.join("image-used.zip").exists());
}

/// The image that is no test's own.
fn image_of_pip(cache: &Path) -> PathBuf {
    let names = listing(cache);
    let name = names
        .iter()
        .find(|name| name.starts_with("image-") && name.len() > 20);
    cache.join(name.expect("an image is stored"))
}

#[test]
fn the_cache_can_be_emptied() {
    let env = TestEnv::new();
    let cache = filled(&env);
    let names = listing(&cache)
        .into_iter()
        .filter(|name| name != "CACHEDIR.TAG");
    let sizes = names.map(|name| fs::metadata(cache.join(name)).unwrap().len());
    let size: u64 = sizes.sum();
    let said = env
        .rvenv(["--prune-cache"])
        .var("RVENV_CACHE_DIR", &cache)
        .stdout();
    assert!(
        said.starts_with(&format!("freed {}.", size / 1_000_000)),
        "{said}"
    );
    assert_eq!(listing(&cache), ["CACHEDIR.TAG"]);
    make(&env, &cache, "second");
    pip_works(&env, "second");
}
