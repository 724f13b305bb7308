//! Requirements of tests that a machine may not meet, checked before any test runs. The helper that uses one asserts that its
//! test is listed with it.

use std::{env, path::PathBuf};

use fs_err as fs;
use rustix::process::geteuid;

use crate::{
    env::test_folder,
    faults::{filesystems, for_everyone},
    harness::{Need, Skip},
    interpreters::{self, layouts},
};

/// The PATH of root, which includes the programs that create file systems.
pub(crate) const ROOT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A program in one of the usual directories, including those for root.
fn tool(name: &str) -> Option<Skip> {
    let found = env::split_paths(ROOT_PATH).any(|folder| folder.join(name).exists());
    unless(found, || format!("no {name}"))
}

/// The path of a program on the PATH of the tests.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    which::which_in(name, env::var_os("PATH"), "/").ok()
}

fn program(name: &str) -> Option<Skip> {
    unless(on_path(name).is_some(), || format!("no {name} on PATH"))
}

/// CI machines must have it.
fn unless(is_met: bool, reason: impl FnOnce() -> String) -> Option<Skip> {
    (!is_met).then(|| Skip::Missing(reason()))
}

/// CI machines may lack it, too.
fn unless_absent(is_met: bool, reason: &str) -> Option<Skip> {
    (!is_met).then(|| Skip::Absent(reason.to_owned()))
}

pub(crate) static STRACE: Need = Need::new(|| tool("strace"));
pub(crate) static BASH: Need = Need::new(|| tool("bash"));
pub(crate) static COMPILER: Need = Need::new(|| tool("cc"));

pub(crate) static ZSH: Need = Need::new(|| program("zsh"));
pub(crate) static FISH: Need = Need::new(|| program("fish"));
pub(crate) static ELVISH: Need = Need::new(|| program("elvish"));
pub(crate) static NUSHELL: Need = Need::new(|| program("nu"));
pub(crate) static POWERSHELL: Need = Need::new(|| program("pwsh"));
pub(crate) static GROFF: Need = Need::new(|| program("groff"));
pub(crate) static VIRTUALENV: Need = Need::new(|| program("virtualenv"));
pub(crate) static UV: Need = Need::new(|| program("uv"));
pub(crate) static SHELLCHECK: Need = Need::new(|| {
    let lack = program("shellcheck")?;
    // Required only on Linux, as the scripts are the same on every system.
    Some(if cfg!(target_os = "linux") {
        lack
    } else {
        Skip::Absent("no shellcheck on PATH".into())
    })
});

pub(crate) static ROOT: Need =
    Need::new(|| unless(geteuid().is_root(), || "not run as root".into()));

/// The right to mount file systems, which root in a container may not have.
pub(crate) static MOUNT: Need = Need::new(|| {
    const CAP_SYS_ADMIN: u64 = 1 << 21;
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let effective = effective.and_then(|set| u64::from_str_radix(set.trim(), 16).ok());
    let may = effective.is_some_and(|set| set & CAP_SYS_ADMIN != 0);
    ROOT.lack()
        .or_else(|| tool("mount"))
        .or_else(|| unless(may, || "may not mount file systems".into()))
});

/// A user who is not root, and who can run a Python.
pub(crate) static NOBODY: Need = Need::new(|| {
    let python = || {
        unless(for_everyone().is_some(), || {
            "no Python with pip that every user can run".into()
        })
    };
    ROOT.lack().or_else(|| tool("setpriv")).or_else(python)
});

/// A user who is not root: the one who runs the tests, or [`NOBODY`].
pub(crate) static NOT_ROOT: Need = Need::new(|| NOBODY.lack().filter(|_| geteuid().is_root()));

/// Immutable files in the directory of the tests.
pub(crate) static IMMUTABLE: Need = Need::new(|| {
    let can = || {
        let file = tempfile::Builder::new()
            .prefix("rvenv-it-")
            .tempfile_in(test_folder().0);
        file.is_ok_and(|file| {
            let chattr = |flag| {
                let mut command = std::process::Command::new("chattr");
                command.arg(flag).arg(file.path());
                command.output().is_ok_and(|output| output.status.success())
            };
            chattr("+i") && chattr("-i")
        })
    };
    let lack = ROOT.lack().or_else(|| tool("chattr"));
    lack.or_else(|| unless(can(), || "a file system without immutable files".into()))
});

/// FAT or exFAT.
pub(crate) static FAT: Need = Need::new(|| {
    let tools: &[&str] = if filesystems::knows("vfat") {
        &["mkfs.vfat"]
    } else {
        &["mount.exfat-fuse", "mkfs.exfat"]
    };
    MOUNT
        .lack()
        .or_else(|| tools.iter().find_map(|name| tool(name)))
});

/// Case-insensitive directories, which not every kernel supports.
pub(crate) static CASEFOLD: Need = Need::new(|| {
    let can = fs::metadata("/sys/fs/ext4/features/casefold").is_ok();
    let lack = unless_absent(can, "this kernel's ext4 cannot fold case").or_else(|| MOUNT.lack());
    lack.or_else(|| ["mkfs.ext4", "chattr"].iter().find_map(|name| tool(name)))
});

pub(crate) static BTRFS: Need = Need::new(|| {
    let mut tools = ["mkfs.btrfs", "btrfs"].iter();
    MOUNT.lack().or_else(|| tools.find_map(|name| tool(name)))
});

/// Two `CPython`s.
pub(crate) static ANOTHER: Need = Need::new(|| {
    unless(interpreters::find_another().is_some(), || {
        "no second CPython".into()
    })
});

/// Two `CPython`s as version managers keep them.
pub(crate) static KEEPABLE: Need = Need::new(|| {
    unless(layouts::find_keepable().len() > 1, || {
        "not two CPythons with prefixes of their own".into()
    })
});

pub(crate) static PYENV: Need =
    Need::new(|| unless(layouts::find_pyenv().is_some(), || "no pyenv".into()));
pub(crate) static PYPY: Need =
    Need::new(|| unless(interpreters::find_pypy().is_some(), || "no PyPy".into()));
pub(crate) static PYTHON_2: Need =
    Need::new(|| unless_absent(interpreters::find_python2().is_some(), "no Python 2.7"));
pub(crate) static PYTHON_3_12: Need = Need::new(|| cpython(12));
pub(crate) static PYTHON_3_13: Need = Need::new(|| cpython(13));

fn cpython(minor: u32) -> Option<Skip> {
    let found = interpreters::find_cpython(minor).is_some();
    unless(found, || format!("no Python 3.{minor}"))
}

/// A Python whose pip is older than those that a test installs.
pub(crate) static OLD_PIP: Need = Need::new(|| {
    let found = interpreters::with_old_pip().is_some();
    unless(found, || "no Python with a pip older than 25".into())
});

/// No Python in any of the places, PATH aside, where rvenv searches for them.
pub(crate) static NO_OTHER_PLACE: Need = Need::new(|| {
    let only = interpreters::in_other_places().is_empty();
    unless_absent(only, "this machine has Pythons in other places than PATH")
});

/// Debian's own Python without `python3-venv`.
#[cfg(target_os = "linux")]
pub(crate) static DEBIAN_PYTHON: Need = Need::new(|| {
    let named = env::var_os("RVENV_TEST_DEBIAN_PYTHON").is_some();
    unless(named, || "RVENV_TEST_DEBIAN_PYTHON is not set".into())
});

/// Files of the checkout that the packaged crate does not contain.
pub(crate) static CHECKOUT: Need = Need::new(|| {
    let ci = concat!(env!("CARGO_MANIFEST_DIR"), "/.ci/run");
    unless_absent(fs::metadata(ci).is_ok(), "no checkout")
});
