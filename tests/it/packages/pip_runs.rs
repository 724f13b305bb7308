//! pip as a program that rvenv starts: its input, how it is ended, which of its output is shown, and what is restored when it
//! fails.

use std::path::{Path, PathBuf};

use fs_err as fs;
use rustix::fs::{Mode, OFlags};
use rustix::process::Signal;

use crate::env::{Run, TestEnv, program};
use crate::interpreters::newest;
use crate::tree::{changes, tree};
use crate::wheel::write_wheel;

crate::harness::trials! {
    requirements_from_standard_input_reach_every_environment(full),
    a_fifo_is_read_once_and_a_signal_ends_the_waiting_for_it,
    an_interrupted_pip_removes_its_temporary_folders,
    the_end_of_a_failing_pips_output_is_shown_and_the_rest_is_counted(full),
    what_a_build_rewrites_in_place_is_put_back_when_pip_fails(full),
    data_files_of_a_package_are_removed_when_pip_fails_after_it,
}

fn wheels(env: &TestEnv) -> PathBuf {
    let folder = env.root().join("wheels");
    write_wheel(env, &folder, "one", "1.0");
    write_wheel(env, &folder, "two", "2.0");
    folder
}

fn offline<'a>(run: Run<'a>, wheels: &Path) -> Run<'a> {
    run.shared_cache()
        .var("PIP_NO_INDEX", "1")
        .var("PIP_FIND_LINKS", wheels)
}

/// A project that is built by the lines of `code`.
fn project(env: &TestEnv, name: &str, code: &str) -> String {
    let folder = env.root().join(name);
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("backend.py"), code).unwrap();
    let text = "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n";
    fs::write(folder.join("pyproject.toml"), text).unwrap();
    folder.to_str().unwrap().to_owned()
}

fn fifo(path: &Path) {
    let status = std::process::Command::new("mkfifo").arg(path).status();
    assert!(status.unwrap().success());
}

fn requirements_from_standard_input_reach_every_environment() {
    for file in ["-", "/dev/stdin"] {
        let env = TestEnv::new();
        let wheels = wheels(&env);
        fs::write(env.at("more.txt"), "two\n").unwrap();
        let script = "printf 'one\\n-r more.txt\\n' | \"$0\" -p \"$1\" -r \"$2\" a b";
        let python = newest().executable.to_str().unwrap();
        let args = ["-c", script, program().to_str().unwrap(), python, file].map(str::to_owned);
        offline(env.run("sh", args), &wheels).succeeds();
        for name in ["a/bin/one", "a/bin/two", "b/bin/one", "b/bin/two"] {
            assert!(env.at(name).exists(), "{file}: {name}");
        }
        env.left_nothing_in_tmp();
    }
}

fn a_fifo_is_read_once_and_a_signal_ends_the_waiting_for_it() {
    let env = TestEnv::new();
    let wheels = wheels(&env);
    let path = env.root().join("fifo");
    fifo(&path);
    let args = ["-r", path.to_str().unwrap(), "a", "b"];
    let run = || offline(env.rvenv_for(newest(), args), &wheels).start();
    let writer = || {
        // Succeeds only while somebody reads.
        let flags = OFlags::WRONLY | OFlags::NONBLOCK;
        rustix::fs::open(&path, flags, Mode::empty())
    };
    let mut waiting = run();
    let open = std::cell::RefCell::new(None);
    waiting.until(|| {
        *open.borrow_mut() = writer().ok();
        open.borrow().is_some()
    });
    waiting.signal(Signal::TERM);
    let outcome = waiting.finish();
    assert_eq!(outcome.signal(), Some(Signal::TERM.as_raw()), "{outcome}");
    drop(open.take());
    env.holds_only([]);

    let running = run();
    fs::write(&path, "one\n").unwrap();
    running.finish().expect_code(0);
    assert!(env.at("a/bin/one").exists() && env.at("b/bin/one").exists());
}

fn an_interrupted_pip_removes_its_temporary_folders() {
    let env = TestEnv::new();
    let wheels = wheels(&env);
    let asked = env.root().join("asked");
    let code = format!(
        "import time\nopen('{}', 'w').close()\ntime.sleep(100)\n",
        asked.display()
    );
    let requirement = project(&env, "slow", &code);
    let args = ["--with", &requirement, "env"];
    let mut run = offline(env.rvenv_for(newest(), args), &wheels).start();
    run.until(|| asked.exists());
    run.signal(Signal::INT);
    let outcome = run.finish();
    assert_eq!(outcome.signal(), Some(Signal::INT.as_raw()), "{outcome}");
    env.holds_only([]);
}

fn the_end_of_a_failing_pips_output_is_shown_and_the_rest_is_counted() {
    let env = TestEnv::new();
    let wheels = wheels(&env);
    let code = "import sys\nfor number in range(100000): print('noise', number)\n\
                sys.exit('the reason')\n";
    let requirement = project(&env, "loud", code);
    let args = ["--with", &requirement, "env"];
    let outcome = offline(env.rvenv_for(newest(), args), &wheels).outcome();
    outcome.expect_code(1);
    assert!(outcome.stderr.contains("the reason"), "{outcome}");
    assert!(outcome.stderr.contains("bytes omitted]"), "{outcome}");
    assert!(outcome.stderr.len() < 100_000, "{}", outcome.stderr.len());
}

fn what_a_build_rewrites_in_place_is_put_back_when_pip_fails() {
    let env = TestEnv::new();
    let wheels = wheels(&env);
    offline(env.rvenv_for(newest(), ["--with", "one", "env"]), &wheels).succeeds();
    let site_packages = format!("env/lib/{}/site-packages", newest().python_folder());
    fs::write(env.at(&site_packages).join("easy-install.pth"), "/one\n").unwrap();
    fs::create_dir_all(env.at("env/man")).unwrap();
    fs::write(env.at("env/man/page"), "page\n").unwrap();
    let before = tree(&env.at("env"));
    let code = format!(
        "import os\n\
         names = ['{0}/easy-install.pth', '{0}/one-1.0.dist-info/METADATA', 'env/bin/one',\n\
         \x20        'env/bin/activate', 'env/man/page', 'env/pyvenv.cfg']\n\
         for name in names:\n\
         \x20   path = os.path.join({1:?}, name)\n\
         \x20   assert os.stat(path).st_nlink == 1, path\n\
         \x20   open(path, 'r+').write('#')\n\
         \x20   os.chmod(path, 0o700)\n\
         for name in ['env/lib/libnew.so', 'env/include/new.h', 'env/share/new/new', 'env/man/new']:\n\
         \x20   path = os.path.join({1:?}, name)\n\
         \x20   os.makedirs(os.path.dirname(path), exist_ok=True)\n\
         \x20   open(path, 'w').close()\n\
         raise SystemExit('rewritten')\n",
        site_packages,
        env.work().to_str().unwrap()
    );
    let requirement = project(&env, "rewrites", &code);
    for flag in ["--upgrade", "-q"] {
        let args = [flag, "--with", "two", "--with", &requirement, "env"];
        offline(env.rvenv_for(newest(), args), &wheels).errs(&["rewritten"]);
        let now = tree(&env.at("env"));
        assert_eq!(changes(&before, &now), [""; 0].map(PathBuf::from), "{flag}");
    }
}

fn data_files_of_a_package_are_removed_when_pip_fails_after_it() {
    let env = TestEnv::new();
    let wheels = wheels(&env);
    offline(env.rvenv_for(newest(), ["env"]), &wheels).succeeds();
    // A wheel with data in directories that environments have, and in another one.
    let script = "import sys, zipfile\n\
        with zipfile.ZipFile(sys.argv[1] + '/data-1.0-py3-none-any.whl', 'w') as z:\n\
        \x20   record = ''\n\
        \x20   for name, text in [('data-1.0.data/data/lib/libx.so', ''), ('data-1.0.data/data/man/x', ''),\n\
        \x20       ('data-1.0.data/data/other/folder/x', ''), ('data-1.0.data/headers/x.h', ''),\n\
        \x20       ('data-1.0.dist-info/METADATA', 'Metadata-Version: 2.1\\nName: data\\nVersion: 1.0\\n'),\n\
        \x20       ('data-1.0.dist-info/WHEEL', 'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')]:\n\
        \x20       z.writestr(name, text)\n\
        \x20       record += name + ',,\\n'\n\
        \x20   z.writestr('data-1.0.dist-info/RECORD', record + 'data-1.0.dist-info/RECORD,,\\n')\n";
    env.run(
        &newest().executable,
        ["-c", script, wheels.to_str().unwrap()],
    )
    .succeeds();
    // This pip installs the packages and then fails.
    let site_packages = format!("env/lib/{}/site-packages", newest().python_folder());
    let main = env.at(site_packages).join("pip/__main__.py");
    let text = fs::read_to_string(&main).unwrap();
    let broken = text.replace("sys.exit(_main())", "_main(); sys.exit(3)");
    assert_ne!(text, broken);
    fs::write(&main, &broken).unwrap();
    let before = tree(&env.at("env"));
    let args = ["--with", "data", "env"];
    offline(env.rvenv_for(newest(), args), &wheels).errs(&["exit status: 3", "data-1.0"]);
    let now = tree(&env.at("env"));
    let changed = changes(&before, &now);
    let is_pips = |path: &PathBuf| path.to_string_lossy().contains("__main__");
    assert!(changed.iter().all(is_pips), "{changed:?}");
}
