//! An environment that was cloned, moved and repaired, or made relocatable and moved, for every tool that creates
//! environments and every kind of package.

use std::{
    collections::BTreeSet,
    ffi::OsStr,
    io::Read as _,
    path::{Path, PathBuf},
};

use fs_err as fs;
use rustix::process::Signal;

use crate::{
    env::{TestEnv, copy_tree, program},
    environment::clone::kept,
    environment::makers::{
        Maker, containing, furnished, install_editable, listed, packages, packages_work, pip_works,
        site_packages,
    },
    harness::Case,
    interpreters::{Interpreter, each_full, each_newest_quick, installed, newest},
    tree::{leftovers, whole_tree},
};

crate::harness::trials! {
    what_rvenv_made_works_in_another_place(each_full),
    what_venv_made_works_in_another_place(each_full),
    what_virtualenv_made_works_in_another_place(each_for_virtualenv) needs [VIRTUALENV],
    what_uv_made_works_in_another_place(each_for_uv) needs [UV],
    files_of_any_size_are_searched_in_little_memory(full),
    an_upgrade_that_reads_a_file_of_any_size_can_be_interrupted(full),
}

fn what_rvenv_made_works_in_another_place(python: &'static Interpreter) {
    works_in_another_place(Maker::Rvenv, python, "an \u{f6}ld/place", "new");
}

fn what_venv_made_works_in_another_place(python: &'static Interpreter) {
    works_in_another_place(Maker::Venv, python, "\u{f6}ld", "a new/place");
}

fn each_for_virtualenv() -> Vec<Case<&'static Interpreter>> {
    Maker::Virtualenv.supports(each_newest_quick())
}

fn what_virtualenv_made_works_in_another_place(python: &'static Interpreter) {
    works_in_another_place(Maker::Virtualenv, python, "\u{f6}ld", "new \u{f6}ld/place");
}

fn each_for_uv() -> Vec<Case<&'static Interpreter>> {
    Maker::Uv.supports(each_newest_quick())
}

fn what_uv_made_works_in_another_place(python: &'static Interpreter) {
    works_in_another_place(Maker::Uv, python, "an \u{f6}ld", "a new\u{eb}r");
}

fn move_to(from: &Path, to: &Path) {
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    fs::rename(from, to).unwrap();
}

/// How an environment gets another path.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Cloned,
    MovedAndUpgraded,
    RelocatableAndMoved,
}

impl Way {
    const ALL: [Self; 3] = [
        Self::Cloned,
        Self::MovedAndUpgraded,
        Self::RelocatableAndMoved,
    ];

    /// The way after which pip is also run under all of its names, which takes most of the time. It is chosen so that each is combined
    /// with every maker and every Python.
    fn with_pip(maker: Maker, python: &Interpreter) -> Self {
        let mut pythons = installed().iter().filter(|it| it.pip);
        let place = pythons.position(|it| it.executable == python.executable);
        Self::ALL[(maker as usize + place.unwrap()) % Self::ALL.len()]
    }
}

fn works_in_another_place(maker: Maker, python: &Interpreter, old: &str, new: &str) {
    let env = TestEnv::new();
    let (old, new, spare) = (env.at(old), env.at(new), env.root().join("spare"));
    let with_pip = Way::with_pip(maker, python);
    furnished(&env, maker, python, &old);
    if with_pip == Way::Cloned {
        install_editable(&env, maker, &old);
    }
    copy_tree(&old, &spare);
    let lib = site_packages(python, Path::new("")).display().to_string();
    let said = old.to_str().unwrap();
    // This file contains text that only looks like the path of the environment.
    let other = format!("{lib}/demo/other.txt");
    let unknown = BTreeSet::from([format!("{lib}/demo/prefix.txt"), "etc/mention.conf".into()]);
    let with_other = |names: &BTreeSet<String>| names | &BTreeSet::from([other.clone()]);
    let works = |way| {
        packages_work(&env, python, &new, &old);
        if way == with_pip {
            pip_works(&env, python, &new, &old);
        }
    };

    let before = (whole_tree(&old), kept(&old));
    let clone = env.rvenv(["--clone".as_ref(), old.as_os_str(), new.as_os_str()]);
    let outcome = clone.shared_cache().outcome();
    outcome.expect_code(0);
    assert_eq!(listed(&outcome), unknown, "{outcome}");
    let after = (whole_tree(&old), kept(&old));
    assert!(before == after, "the original was changed");
    // Modes, times and folders are those of the original, as are the links: none leads into it.
    let copies = kept(&new);
    for (path, original) in &before.1 {
        assert_eq!(copies.get(path), Some(original), "{}", path.display());
    }
    assert_eq!(copies.len(), before.1.len());
    assert_eq!(containing(&new, said), with_other(&unknown));
    works(Way::Cloned);
    if with_pip == Way::Cloned {
        let mut originals = packages(&env, &old);
        for place in originals.values_mut().flatten() {
            *place = place.replace(said, new.to_str().unwrap());
        }
        assert_eq!(packages(&env, &new), originals);
    }

    fs::remove_dir_all(&new).unwrap();
    move_to(&old, &new);
    let upgrade = env.rvenv(["--upgrade".as_ref(), new.as_os_str()]);
    let outcome = upgrade.shared_cache().outcome();
    outcome.expect_code(0);
    assert_eq!(listed(&outcome), unknown, "{outcome}");
    assert_eq!(containing(&new, said), with_other(&unknown));
    works(Way::MovedAndUpgraded);

    fs::remove_dir_all(&new).unwrap();
    move_to(&spare, &old);
    let args = [
        "--upgrade".as_ref(),
        "--relocatable".as_ref(),
        old.as_os_str(),
    ];
    let outcome = env.rvenv(args).shared_cache().outcome();
    outcome.expect_code(0);
    // They are read by programs that do not support relative paths, or by no program on this system.
    let mut expected = unknown;
    expected.insert("share/jupyter/kernels/own/kernel.json".into());
    if maker == Maker::Uv {
        expected.insert("bin/activate.bat".into());
    }
    assert_eq!(listed(&outcome), expected, "{outcome}");
    assert_eq!(containing(&old, said), with_other(&expected));
    move_to(&old, &new);
    works(Way::RelocatableAndMoved);
}

/// A moved environment `env` with a file and a script of these sizes.
fn with_huge_files(env: &TestEnv, size: u64, of_script: u64) -> PathBuf {
    env.rvenv_for(newest(), ["--without-pip", "made"])
        .succeeds();
    let script = env.at("made/bin/own");
    let line = format!("#!{}/bin/python\n", env.at("made").display());
    fs::write(&script, line).unwrap();
    let huge = site_packages(newest(), &env.at("made")).join("huge.bin");
    for (path, size) in [(&huge, size), (&script, of_script)] {
        let file = fs::OpenOptions::new().append(true).create(true).open(path);
        file.unwrap().set_len(size).unwrap();
    }
    fs::rename(env.at("made"), env.at("env")).unwrap();
    site_packages(newest(), &env.at("env")).join("huge.bin")
}

fn files_of_any_size_are_searched_in_little_memory() {
    let env = TestEnv::new();
    with_huge_files(&env, 1 << 30, 1 << 28);
    let script = "import os, resource, sys\n\
        pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)\n\
        _, status, usage = os.wait4(pid, 0)\n\
        print(usage.ru_maxrss)\n\
        sys.exit(os.waitstatus_to_exitcode(status))";
    let program = program();
    let line = [OsStr::new("-c"), script.as_ref(), &program];
    let line = line
        .into_iter()
        .chain(["--upgrade", "--without-pip", "env"].map(OsStr::new));
    let said = env.run(&newest().executable, line).shared_cache().stdout();
    let used: u64 = said.trim().parse().unwrap();
    assert!(used < 30 << 10, "{used} kB");
    let script = env.at("env/bin/own");
    // The new path is one letter shorter.
    assert_eq!(fs::metadata(&script).unwrap().len(), (1 << 28) - 1);
    let line = format!("#!{}/bin/python\n", env.at("env").display());
    let mut start = vec![0; line.len()];
    fs::File::open(script)
        .unwrap()
        .read_exact(&mut start)
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&start), line);
}

fn an_upgrade_that_reads_a_file_of_any_size_can_be_interrupted() {
    let env = TestEnv::new();
    let huge = with_huge_files(&env, 1 << 42, 1 << 10);
    let mut run = env
        .rvenv(["--upgrade", "--without-pip", "env"])
        .shared_cache()
        .start();
    run.until_it_opens(&huge);
    run.signal(Signal::INT);
    let outcome = run.finish();
    assert_eq!(outcome.signal(), Some(Signal::INT.as_raw()), "{outcome}");
    assert_eq!(leftovers(&env.at("env")), [""; 0]);
}
