//! File systems without symlinks, without the exchange of directories, or without the difference between `A` and `a`.

use std::{
    io::{self, Read as _},
    path::PathBuf,
    process::Command,
};

use fs_err as fs;

use crate::tree::{leftovers, tree};
use crate::{
    env::{TestEnv, listing},
    faults::{Mount, strace, warm},
    interpreters::newest,
    needs::{FAT, ROOT_PATH},
};

crate::harness::trials! {
    without_symlinks needs [FAT, MOUNT],
    in_memory needs [MOUNT],
    overlaid needs [MOUNT],
    where_case_is_no_difference needs [FAT, MOUNT],
    where_a_folder_folds_case needs [CASEFOLD, MOUNT],
    where_folders_cannot_be_exchanged needs [STRACE],
    where_clones_share_their_blocks(full) needs [BTRFS, MOUNT],
    where_a_quota_is_used_up needs [BTRFS, MOUNT],
}

/// Makes an image file with a file system on it.
pub(crate) fn image(env: &TestEnv, size: u64, tool: &str, args: &[&str]) -> PathBuf {
    let path = env.root().join("image");
    let file = fs::File::create(&path).unwrap();
    file.set_len(size << 20).unwrap();
    let mut command = Command::new(tool);
    command.args(args).arg(&path).env("PATH", ROOT_PATH);
    let made = command.output().unwrap();
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    path
}

/// Whether the kernel supports a file system.
pub(crate) fn knows(name: &str) -> bool {
    let list = fs::read_to_string("/proc/filesystems").unwrap_or_default();
    list.lines()
        .any(|line| line.split_whitespace().next_back() == Some(name))
}

/// Creates an environment with pip, runs again, clears and upgrades it: each works and leaves no other files in `folder`.
#[track_caller]
fn all_ways(env: &TestEnv, folder: &str, links: &str) {
    let path = format!("{folder}/env");
    for flags in [&[][..], &[], &["--clear"], &["--upgrade"]] {
        let args = [&[links], flags, &[path.as_str()]].concat();
        let run = env.rvenv_for(newest(), args);
        run.var("RVENV_CACHE_DIR", warm()).succeeds();
        let python = env.at(&path).join("bin/python");
        let prefix = env.run(&python, ["-c", "import sys, pip; print(sys.prefix)"]);
        prefix.prints(&format!("{}\n", env.at(&path).display()));
        assert_eq!(leftovers(&env.at(folder)), [""; 0]);
        assert_eq!(leftovers(&env.at(&path)), [""; 0]);
    }
}

/// FAT with the driver of the kernel, or exFAT with the driver in user space.
fn fat(env: &TestEnv) -> Mount {
    FAT.is_listed();
    if knows("vfat") {
        let image = image(env, 100, "mkfs.vfat", &["-F", "32"]);
        let args = ["-t", "vfat", "-o", "loop", image.to_str().unwrap()];
        return Mount::new(env, "fat", &args);
    }
    let image = image(env, 100, "mkfs.exfat", &[]);
    Mount::new(
        env,
        "fat",
        &["-t", "exfat-fuse", "-o", "loop", image.to_str().unwrap()],
    )
}

fn without_symlinks() {
    let env = TestEnv::new();
    let _mount = fat(&env);
    all_ways(&env, "fat", "--copies");
    let before = tree(&env.at("fat"));
    // Without --copies the fallback is that of venv: copies, and a warning.
    let run = env.rvenv_for(newest(), ["--without-pip", "fat/linked"]);
    let outcome = run.outcome();
    if outcome.status.success() {
        env.run(env.at("fat/linked/bin/python"), ["-c", "1"])
            .succeeds();
    } else {
        outcome.expect_code(1);
        assert!(outcome.stderr.contains("--copies"), "{outcome}");
        assert!(
            outcome
                .stderr
                .contains(env.at("fat/linked").to_str().unwrap()),
            "{outcome}"
        );
        assert_eq!(tree(&env.at("fat")), before, "{outcome}");
    }
    assert_eq!(leftovers(&env.at("fat")), [""; 0]);
}

fn in_memory() {
    let env = TestEnv::new();
    let _mount = Mount::tmpfs(&env, "tmpfs", "size=80M");
    all_ways(&env, "tmpfs", "--symlinks");
}

/// Mounts an overlay at `overlay`, whose lower layer `fill` fills. Directories in it cannot be renamed.
pub(crate) fn overlay(env: &TestEnv, fill: impl FnOnce(&str)) -> [Mount; 2] {
    let mount = Mount::tmpfs(env, "layers", "size=120M");
    for name in ["lower", "upper", "scratch"] {
        fs::create_dir(env.at("layers").join(name)).unwrap();
    }
    fs::create_dir(env.at("overlay")).unwrap();
    fill("layers/lower");
    let layers = env.at("layers");
    let options = ["lowerdir=lower", "upperdir=upper", "workdir=scratch"]
        .map(|option| option.replace('=', &format!("={}/", layers.display())))
        .join(",");
    let args = ["-t", "overlay", "-o", &options, "none"];
    [Mount::new(env, "overlay", &args), mount]
}

fn overlaid() {
    let env = TestEnv::new();
    let _overlay = overlay(&env, |lower| {
        let path = format!("{lower}/env");
        env.rvenv_for(newest(), ["--without-pip", &path]).succeeds();
    });
    let run = env.rvenv_for(newest(), ["--clear", "overlay/env"]);
    run.var("RVENV_CACHE_DIR", warm()).succeeds();
    assert_eq!(leftovers(&env.at("overlay")), [""; 0]);
    all_ways(&env, "overlay", "--symlinks");
}

/// Another spelling of `folder/env` is the same environment.
#[track_caller]
fn folds(env: &TestEnv, folder: &str, links: &str) {
    all_ways(env, folder, links);
    fs::write(env.at(folder).join("env/mine"), "mine").unwrap();
    let run = |flags: &[&str], name: &str| {
        let path = format!("{folder}/{name}");
        let args = [&["--without-pip", links], flags, &[path.as_str()]].concat();
        env.rvenv_for(newest(), args).succeeds();
        assert_eq!(listing(&env.at(folder)).len(), 1);
    };
    run(&[], "ENV");
    assert!(env.at(folder).join("env/mine").exists());
    run(&["--clear"], "Env");
    assert!(!env.at(folder).join("Env/mine").exists());
    assert!(env.at(folder).join("Env/bin/python").exists());
}

fn where_case_is_no_difference() {
    let env = TestEnv::new();
    let _mount = fat(&env);
    fs::create_dir(env.at("fat/f")).unwrap();
    folds(&env, "fat/f", "--copies");
}

fn where_a_folder_folds_case() {
    let env = TestEnv::new();
    let image = image(&env, 200, "mkfs.ext4", &["-q", "-O", "casefold"]);
    let args = ["-t", "ext4", "-o", "loop", image.to_str().unwrap()];
    let _mount = Mount::new(&env, "folded", &args);
    fs::create_dir(env.at("folded/f")).unwrap();
    env.run("chattr", ["+F", env.at("folded/f").to_str().unwrap()])
        .succeeds();
    folds(&env, "folded/f", "--symlinks");
}

fn where_folders_cannot_be_exchanged() {
    let env = TestEnv::new();
    for error in ["ENOSYS", "EINVAL"] {
        let inject = format!("inject=renameat2:error={error}");
        for flags in [
            &["--without-pip"][..],
            &["--without-pip"],
            &["--clear"],
            &["--upgrade"],
        ] {
            let run = strace(&env, &[&inject], &[flags, &["env"]].concat());
            run.var("RVENV_CACHE_DIR", warm()).succeeds();
            env.run(env.at("env/bin/python"), ["-c", "1"]).succeeds();
            env.holds_only(["env"]);
        }
        env.run(env.at("env/bin/pip"), ["--version"]).stdout();
        // An existing directory is never replaced by a rename.
        env.reset();
    }
}

fn where_clones_share_their_blocks() {
    let env = TestEnv::new();
    let image = image(&env, 300, "mkfs.btrfs", &["-q"]);
    let args = ["-t", "btrfs", "-o", "loop", image.to_str().unwrap()];
    let _mount = Mount::new(&env, "shared", &args);
    let run = env.rvenv_for(newest(), ["shared/original"]);
    run.var("RVENV_CACHE_DIR", warm()).succeeds();
    // There is no room for another one.
    let random = fs::File::open("/dev/urandom").unwrap();
    let mut large = fs::File::create(env.at("shared/original/large")).unwrap();
    io::copy(&mut random.take(120 << 20), &mut large).unwrap();
    for (from, to) in [("original", "one"), ("one", "two"), ("two", "three")] {
        let paths = [from, to].map(|name| format!("shared/{name}"));
        env.rvenv(["--clone", &paths[0], &paths[1]]).succeeds();
        env.run("cmp", paths.map(|path| format!("{path}/large")))
            .succeeds();
        let said = env.run(env.at("shared").join(to).join("bin/pip"), ["--version"]);
        let said = said.stdout();
        let place = env.at("shared").join(to).join("lib");
        assert!(said.contains(place.to_str().unwrap()), "{said}");
    }
}

fn where_a_quota_is_used_up() {
    let env = TestEnv::new();
    let image = image(&env, 300, "mkfs.btrfs", &["-q"]);
    let args = ["-t", "btrfs", "-o", "loop", image.to_str().unwrap()];
    let _mount = Mount::new(&env, "quota", &args);
    let path = env.at("quota");
    for line in [&["quota", "enable"][..], &["qgroup", "limit", "2M", "0/5"]] {
        let line = line.iter().copied().chain([path.to_str().unwrap()]);
        env.run("btrfs", line).outcome().expect_code(0);
    }
    for args in [&["quota/env"][..], &["--no-cache", "quota/env"]] {
        let run = env.rvenv_for(newest(), args);
        let outcome = run.var("RVENV_CACHE_DIR", warm()).outcome();
        outcome.expect_code(1);
        assert!(outcome.stderr.starts_with("Error: "), "{outcome}");
        assert!(outcome.stderr.contains(path.to_str().unwrap()), "{outcome}");
        assert!(
            outcome.stderr.contains("free some of your disk quota"),
            "{outcome}"
        );
        assert_eq!(listing(&path), [""; 0], "{outcome}");
    }
}
