//! `--check`: breaks an environment in every known way and runs the suggested commands in a shell. Afterwards the environment
//! must be ok, work, and have the same packages.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use fs_err as fs;
use rustix::process::Signal;

use crate::{
    env::{PATH, TestEnv, listing, program},
    faults::{Mount, nobody},
    interpreters::{Interpreter, another, newest},
    wheel::write_wheel,
};

crate::harness::trials! {
    every_remedy_repairs_its_finding,
    an_environment_moved_to_a_name_that_begins_its_old_one_is_repaired,
    a_remedy_keeps_a_prompt_that_is_hard_to_quote,
    home_of_another_python_than_the_links_is_repaired needs [ANOTHER],
    a_left_over_python_of_another_minor_is_not_taken_for_the_base(full) needs [ANOTHER],
    a_record_that_lists_folders_of_bytecode_is_ok,
    an_upgrade_leaves_a_newer_pip_alone,
    a_python_that_cannot_start_is_found_and_repaired,
    what_only_a_person_can_repair_has_no_remedy,
    a_file_of_any_size_is_hashed_in_little_memory(full),
    a_record_of_any_size_is_read_in_little_memory(full),
    a_record_that_is_a_pipe_or_has_a_line_of_no_end_is_no_record,
    an_environment_of_virtualenvs_that_was_moved_is_repaired,
    going_back_to_an_earlier_minor_names_the_scripts_that_do_not_work needs [ANOTHER],
    a_folder_below_a_parent_that_cannot_be_entered_is_not_called_missing needs [NOBODY],
    a_python_on_a_file_system_that_executes_nothing_is_found needs [MOUNT],
    a_python_of_another_user_is_not_started needs [ROOT],
    an_interrupted_check_of_a_file_of_any_size_ends_at_once,
    a_home_inside_the_environment_is_repaired,
    a_script_of_a_python_that_is_gone_does_not_mean_that_it_was_moved_from_the_root,
}

/// The result of `--check` for `name`: exit status, kinds and remedies, parsed with Python.
fn findings(env: &TestEnv, name: &str) -> (i32, Vec<(String, Option<String>)>) {
    let folder = newest().executable.parent().unwrap();
    let outcome = env
        .rvenv(["--check", "--json", name])
        .var("PATH", format!("{}:{PATH}", folder.display()))
        .outcome();
    assert_eq!(outcome.stderr, "", "{outcome}");
    let script = "import json, sys\n\
        answer = json.loads(sys.argv[1])\n\
        for f in answer['results'][0]['problems']:\n    \
        print(f['kind'] + '\\t' + (f['remedy'] or '') + '\\0')";
    let said = env
        .run(&newest().executable, ["-c", script, &outcome.stdout])
        .stdout();
    let pairs = said.split("\0\n").filter(|pair| !pair.is_empty());
    let pairs = pairs.map(|pair| {
        let (kind, remedy) = pair.split_once('\t').unwrap();
        let remedy = (!remedy.is_empty()).then(|| remedy.to_owned());
        (kind.to_owned(), remedy)
    });
    (outcome.status.code().unwrap(), pairs.collect())
}

/// Fails unless these kinds are found. Runs the remedies, and fails unless the environment is ok afterwards.
#[track_caller]
fn breaks_and_is_repaired(env: &TestEnv, name: &str, kinds: &[&str], packages: &str) {
    let (code, found) = findings(env, name);
    assert_eq!(code, 1, "{kinds:?} not found");
    let said: Vec<_> = found.iter().map(|(kind, _)| kind.as_str()).collect();
    assert!(
        kinds.iter().all(|kind| said.contains(kind)),
        "{kinds:?}: {found:?}"
    );
    let bin = env.root().join("program");
    fs::create_dir_all(&bin).unwrap();
    let _ = symlink(program(), bin.join("rvenv"));
    let mut done: Vec<&str> = Vec::new();
    for remedy in found
        .iter()
        .map(|(_, remedy)| remedy.as_deref().expect("a remedy"))
    {
        if done.contains(&remedy) {
            continue;
        }
        done.push(remedy);
        let outcome = env
            .run("/bin/sh", ["-c", remedy])
            .shared_cache()
            .var("PATH", format!("{}:/usr/bin:/bin", bin.display()))
            .var("PIP_NO_INDEX", "1")
            .var("PIP_FIND_LINKS", env.root().join("wheels"))
            .outcome();
        outcome.expect_code(0);
    }
    let (code, found) = findings(env, name);
    assert_eq!(code, 0, "after {done:?}: {found:?}");
    works(env, name, packages);
}

/// Fails unless its Python runs, is that of the environment, and imports `packages`.
#[track_caller]
fn works(env: &TestEnv, name: &str, packages: &str) {
    let script = format!("import sys, {packages}; print(sys.prefix)");
    let prefix = format!("{}\n", env.at(name).display());
    env.run(env.at(name).join("bin/python"), ["-c", &script])
        .prints(&prefix);
}

fn write(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
}

/// An environment with pip and a package `demo`.
fn with_demo(env: &TestEnv, python: &Interpreter, args: &[&str]) {
    let wheel = write_wheel(env, &env.root().join("wheels"), "demo", "1.2");
    env.rvenv_for(python, args).shared_cache().succeeds();
    let name = args.last().unwrap();
    let install = ["install", "-q", "--no-index", wheel.to_str().unwrap()];
    let pip = env.at(name).join("bin/pip");
    env.run(pip, install).outcome().expect_code(0);
    assert_eq!(findings(env, name), (0, Vec::new()));
}

/// The kinds of problems, and how the environment is broken.
type Breakage<'a> = (&'a [&'a str], Box<dyn Fn() + 'a>);

fn every_remedy_repairs_its_finding() {
    let env = TestEnv::new();
    let python = newest();
    with_demo(&env, python, &["env"]);
    let root = env.at("env");
    let packages = root
        .join("lib")
        .join(python.python_folder())
        .join("site-packages");
    let info = packages.join("demo-1.2.dist-info");
    let remove = |path: &str| fs::remove_file(root.join(path)).unwrap();
    let breakages: Vec<Breakage<'_>> = vec![
        (&["python_missing"], Box::new(|| remove("bin/python"))),
        (&["activate_missing"], Box::new(|| remove("bin/activate"))),
        (
            &["activate_missing"],
            Box::new(|| write(&root.join("bin/activate"), "")),
        ),
        (
            &["not_executable"],
            Box::new(|| {
                let mode = PermissionsExt::from_mode(0o644);
                fs::set_permissions(root.join("bin/pip"), mode).unwrap();
            }),
        ),
        (
            &["folder_missing"],
            Box::new(|| fs::remove_dir_all(root.join("include")).unwrap()),
        ),
        (&["configuration"], Box::new(|| remove("pyvenv.cfg"))),
        (
            &["configuration"],
            Box::new(|| write(&root.join("pyvenv.cfg"), "")),
        ),
        (
            &["record_missing"],
            Box::new(|| fs::remove_file(info.join("RECORD")).unwrap()),
        ),
        (
            &["record_missing"],
            Box::new(|| write(&info.join("RECORD"), "")),
        ),
        (
            &["duplicate"],
            Box::new(|| {
                let other = packages.join("demo-1.1.dist-info");
                fs::create_dir(&other).unwrap();
                write(&other.join("METADATA"), "Metadata-Version: 2.1\n");
            }),
        ),
        (
            &["modified"],
            Box::new(|| fs::remove_file(packages.join("demo/__init__.py")).unwrap()),
        ),
        (
            &["modified"],
            Box::new(|| write(&packages.join("pip/__init__.py"), "broken")),
        ),
        (
            &["pip_incomplete"],
            Box::new(|| fs::remove_dir_all(packages.join("pip")).unwrap()),
        ),
        (
            &["broken_link"],
            Box::new(|| {
                remove("bin/python3");
                symlink("/nowhere/python3", root.join("bin/python3")).unwrap();
            }),
        ),
        (
            &["script_broken"],
            Box::new(|| write(&root.join("bin/own"), "#!/gone/python\nprint(1)\n")),
        ),
    ];
    for (kinds, damage) in breakages {
        damage();
        breaks_and_is_repaired(&env, "env", kinds, "demo, pip");
    }
    if root.join("lib64").exists() {
        remove("lib64");
        breaks_and_is_repaired(&env, "env", &["folder_missing"], "demo, pip");
    }
}

fn an_environment_moved_to_a_name_that_begins_its_old_one_is_repaired() {
    let env = TestEnv::new();
    with_demo(&env, newest(), &[".venv-new"]);
    fs::rename(env.at(".venv-new"), env.at(".venv")).unwrap();
    breaks_and_is_repaired(&env, ".venv", &["moved"], "demo, pip");
    let line = format!(
        ". .venv/bin/activate && [ \"$VIRTUAL_ENV\" = '{}' ]",
        env.at(".venv").display()
    );
    env.run("/bin/sh", ["-c", &line]).succeeds();
}

fn a_remedy_keeps_a_prompt_that_is_hard_to_quote() {
    let env = TestEnv::new();
    for prompt in ["it's \"quoted\"", "back\\slash", "'ends'", "--without-pip"] {
        let argument = format!("--prompt={prompt}");
        env.rvenv_for(newest(), [argument.as_str(), "a\\b"])
            .shared_cache()
            .succeeds();
        let cfg = env.at("a\\b/pyvenv.cfg");
        let line = |text: &str| {
            let mut lines = text.lines().map(str::to_owned);
            lines.find(|line| line.starts_with("prompt = ")).unwrap()
        };
        let before = line(&fs::read_to_string(&cfg).unwrap());
        fs::remove_file(env.at("a\\b/bin/python")).unwrap();
        breaks_and_is_repaired(&env, "a\\b", &["python_missing"], "pip");
        assert_eq!(line(&fs::read_to_string(&cfg).unwrap()), before);
        env.reset();
    }
}

fn home_of_another_python_than_the_links_is_repaired() {
    let other = another();
    let env = TestEnv::new();
    with_demo(&env, newest(), &["env"]);
    let cfg = env.at("env/pyvenv.cfg");
    let text = fs::read_to_string(&cfg).unwrap();
    let home = |python: &Interpreter| {
        format!("home = {}\n", python.executable.parent().unwrap().display())
    };
    write(&cfg, &text.replace(&home(newest()), &home(other)));
    breaks_and_is_repaired(&env, "env", &["base_mismatch"], "demo, pip");
}

fn a_left_over_python_of_another_minor_is_not_taken_for_the_base() {
    let other = another();
    let env = TestEnv::new();
    with_demo(&env, other, &["env"]);
    for python in [newest(), other] {
        let run = env.rvenv_for(python, ["--upgrade", "env"]).shared_cache();
        let outcome = run.outcome();
        outcome.expect_code(0);
        if python.version == newest().version {
            assert!(outcome.stderr.contains("do not work: demo)"), "{outcome}");
        }
    }
    let left = format!("python{}", newest().short_version());
    let _ = fs::remove_file(env.at("env/bin").join(&left));
    symlink(&newest().executable, env.at("env/bin").join(&left)).unwrap();
    assert_eq!(findings(&env, "env"), (0, Vec::new()));
}

fn a_record_that_lists_folders_of_bytecode_is_ok() {
    let env = TestEnv::new();
    with_demo(&env, newest(), &["env"]);
    let lib = env.at("env/lib").join(newest().python_folder());
    let record = lib.join("site-packages/demo-1.2.dist-info/RECORD");
    let mut text = fs::read_to_string(&record).unwrap();
    text.push_str("demo/gone/__pycache__,,\ndemo/gone.cpython-311.pyc,,\ndemo/__pycache__/x.cpython-399.pyc,sha256=AAAA,4\n");
    write(&record, &text);
    assert_eq!(findings(&env, "env"), (0, Vec::new()));
}

fn an_upgrade_leaves_a_newer_pip_alone() {
    let env = TestEnv::new();
    let python = newest();
    let wheel = write_wheel(&env, &env.root().join("wheels"), "pip", "999.0");
    env.rvenv_for(python, ["env"]).shared_cache().succeeds();
    let install = ["install", "-q", "--no-index", wheel.to_str().unwrap()];
    env.run(env.at("env/bin/pip"), install)
        .outcome()
        .expect_code(0);
    let lib = env.at("env/lib").join(python.python_folder());
    fs::remove_file(lib.join("site-packages/pip-999.0.dist-info/METADATA")).unwrap();
    env.rvenv_for(python, ["--upgrade", "env"])
        .shared_cache()
        .succeeds();
    assert!(lib.join("site-packages/pip-999.0.dist-info").exists());
    breaks_and_is_repaired(&env, "env", &["modified"], "pip");
}

fn a_python_that_cannot_start_is_found_and_repaired() {
    let env = TestEnv::new();
    with_demo(&env, newest(), &["--copies", "env"]);
    write(&env.at("env/bin/python"), "no program");
    breaks_and_is_repaired(&env, "env", &["python_broken"], "demo, pip");
}

fn what_only_a_person_can_repair_has_no_remedy() {
    let env = TestEnv::new();
    with_demo(&env, newest(), &["env"]);
    let lib = env.at("env/lib").join(newest().python_folder());
    for text in ["/gone/folder\n", "\0\n"] {
        write(&lib.join("site-packages/own.pth"), text);
        let expected = vec![("broken_pth".to_owned(), None)];
        assert_eq!(findings(&env, "env"), (1, expected));
    }
    write(&env.at("file"), "");
    let expected = vec![("not_an_environment".to_owned(), None)];
    assert_eq!(findings(&env, "file"), (1, expected));
}

/// A sparse file of this size, and a RECORD that lists it.
fn with_huge_file(env: &TestEnv, size: u64) -> PathBuf {
    let packages = env
        .at("env/lib")
        .join(newest().python_folder())
        .join("site-packages");
    let path = packages.join("demo/huge.bin");
    fs::File::create(&path).unwrap().set_len(size).unwrap();
    let record = packages.join("demo-1.2.dist-info/RECORD");
    let mut text = fs::read_to_string(&record).unwrap();
    text.push_str("demo/huge.bin,sha256=AAAA,\n");
    write(&record, &text);
    path
}

/// The peak memory of `--check env` in kB. Its status and output must be these.
fn memory_of_check(env: &TestEnv, code: i32, text: &str) -> u64 {
    let script = "import os, resource, sys\n\
        pid = os.posix_spawn(sys.argv[1], [sys.argv[1], '--check', 'env'], os.environ)\n\
        _, status, usage = os.wait4(pid, 0)\n\
        print(usage.ru_maxrss, file=sys.stderr)\n\
        sys.exit(os.waitstatus_to_exitcode(status))";
    let program = program();
    let outcome = env
        .run(
            &newest().executable,
            ["-c", script, program.to_str().unwrap()],
        )
        .outcome();
    outcome.expect_code(code);
    assert!(outcome.stdout.contains(text), "{outcome}");
    let used = outcome.stderr.trim().parse().unwrap();
    if cfg!(target_os = "macos") {
        return used / 1024;
    }
    used
}

fn a_file_of_any_size_is_hashed_in_little_memory() {
    let env = TestEnv::new();
    with_demo(&env, newest(), &["env"]);
    with_huge_file(&env, 1 << 30);
    let used = memory_of_check(&env, 1, "demo/huge.bin modified");
    assert!(used < 30 << 10, "{used} kB");
}

fn a_folder_below_a_parent_that_cannot_be_entered_is_not_called_missing() {
    let env = TestEnv::new();
    let nobody = nobody(&env);
    let place = env.at("closed/env");
    fs::create_dir_all(&place).unwrap();
    let mode = PermissionsExt::from_mode(0o700);
    fs::set_permissions(env.at("closed"), mode).unwrap();
    let mut line = nobody.before.clone();
    line.push(nobody.program.into());
    line.extend(["--check", "closed/env"].map(Into::into));
    let outcome = env.run(&line[0], &line[1..]).outcome();
    outcome.expect_code(1);
    assert!(outcome.stdout.contains("Permission denied"), "{outcome}");
    assert!(!outcome.stdout.contains("no such"), "{outcome}");
    assert!(!outcome.stdout.contains("remedy"), "{outcome}");
}

fn a_python_on_a_file_system_that_executes_nothing_is_found() {
    let env = TestEnv::new();
    let mount = Mount::tmpfs(&env, "mount", "size=60M");
    let args = ["--copies", "--without-pip", "mount/env"];
    env.rvenv_for(newest(), args).succeeds();
    assert_eq!(findings(&env, "mount/env"), (0, Vec::new()));
    mount.remount("noexec");
    let expected = vec![("python_broken".to_owned(), None)];
    assert_eq!(findings(&env, "mount/env"), (1, expected));
    mount.remount("exec");
    assert_eq!(findings(&env, "mount/env"), (0, Vec::new()));
}

fn a_python_of_another_user_is_not_started() {
    let env = TestEnv::new();
    env.rvenv_for(newest(), ["--copies", "--without-pip", "env"])
        .succeeds();
    let (python, started) = (env.at("env/bin/python"), env.root().join("started"));
    let script = format!(
        "#!/bin/sh\necho >'{}'\nprintf '{}'\n",
        started.display(),
        newest().short_version()
    );
    write(&python, &script);
    for (owner, is_started) in [(65534, false), (0, true)] {
        fs::os::unix::fs::chown(&python, Some(owner), Some(owner)).unwrap();
        assert_eq!(findings(&env, "env"), (0, Vec::new()));
        assert_eq!(started.exists(), is_started, "owner {owner}");
    }
}

fn an_interrupted_check_of_a_file_of_any_size_ends_at_once() {
    let env = TestEnv::new();
    with_demo(&env, newest(), &["env"]);
    // Reading it to the end would take hours.
    let huge = with_huge_file(&env, 1 << 42);
    let line = "ulimit -v 300000; exec \"$0\" --check env";
    let line = ["-c", line, program().to_str().unwrap()].map(str::to_owned);
    let mut run = env.run("/bin/sh", &line).start();
    run.until_it_opens(&huge);
    run.signal(Signal::INT);
    let outcome = run.finish();
    assert_eq!(outcome.signal(), Some(Signal::INT.as_raw()), "{outcome}");
    assert_eq!(outcome.stdout, "", "{outcome}");
}

fn a_home_inside_the_environment_is_repaired() {
    let env = TestEnv::new();
    with_demo(&env, newest(), &["env"]);
    let cfg = env.at("env/pyvenv.cfg");
    let text = fs::read_to_string(&cfg).unwrap();
    let home = format!(
        "home = {}\n",
        newest().executable.parent().unwrap().display()
    );
    assert!(text.contains(&home), "{text}");
    let own = format!("home = {}\n", env.at("env/bin").display());
    write(&cfg, &text.replace(&home, &own));
    breaks_and_is_repaired(&env, "env", &["base_mismatch"], "demo, pip");

    // Like the venv of Python 3.10 creates it when it is run inside of an environment.
    write(&cfg, &text.replace(&home, &own));
    for entry in fs::read_dir(env.at("env/bin")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_symlink() {
            fs::remove_file(&path).unwrap();
            symlink(path.file_name().unwrap(), &path).unwrap();
        }
    }
    breaks_and_is_repaired(&env, "env", &["base_missing"], "demo, pip");
}

fn a_script_of_a_python_that_is_gone_does_not_mean_that_it_was_moved_from_the_root() {
    let env = TestEnv::new();
    env.rvenv_for(newest(), ["--without-pip", "env"]).succeeds();
    for python in ["/gone/python", "/python", "/gone-python/python3"] {
        write(&env.at("env/bin/own"), &format!("#!{python}\n"));
        let outcome = env.rvenv(["--check", "env"]).outcome();
        outcome.expect_code(1);
        assert!(!outcome.stdout.contains("moved"), "{outcome}");
        let folder = Path::new(python).parent().unwrap().display();
        let expected = format!("a Python in {folder}, which does not exist");
        assert!(outcome.stdout.contains(&expected), "{outcome}");
    }
}

fn a_record_of_any_size_is_read_in_little_memory() {
    let env = TestEnv::new();
    with_demo(&env, newest(), &["env"]);
    let lib = env.at("env/lib").join(newest().python_folder());
    let record = lib.join("site-packages/demo-1.2.dist-info/RECORD");
    let mut text = fs::read_to_string(&record).unwrap();
    let row = "demo/__pycache__/one.cpython-399.pyc,,\n";
    text.push_str(&row.repeat((50 << 20) / row.len()));
    write(&record, &text);
    let used = memory_of_check(&env, 0, "env: ok");
    assert!(used < 30 << 10, "{used} kB");
}

fn a_record_that_is_a_pipe_or_has_a_line_of_no_end_is_no_record() {
    let env = TestEnv::new();
    with_demo(&env, newest(), &["env"]);
    let lib = env.at("env/lib").join(newest().python_folder());
    let record = lib.join("site-packages/demo-1.2.dist-info/RECORD");
    fs::remove_file(&record).unwrap();
    env.run("mkfifo", [&record]).succeeds();
    let found = |found: (i32, Vec<(String, Option<String>)>)| (found.0, found.1[0].0.clone());
    let expected = (1, "record_missing".to_owned());
    assert_eq!(found(findings(&env, "env")), expected);
    fs::remove_file(&record).unwrap();
    fs::File::create(&record).unwrap().set_len(1 << 40).unwrap();
    assert_eq!(found(findings(&env, "env")), expected);
    let used = memory_of_check(&env, 1, "has no RECORD");
    assert!(used < 30 << 10, "{used} kB");
}

/// Changes an environment to look like one of virtualenv: its names and keys, and a pip that is newer than that of the base.
fn as_virtualenv_leaves_it(env: &TestEnv, name: &str) {
    let (root, bin) = (env.at(name), env.at(name).join("bin"));
    let cfg = fs::read_to_string(root.join("pyvenv.cfg")).unwrap();
    let mut lines: Vec<_> = cfg
        .lines()
        .filter(|line| !line.starts_with("rvenv ") && !line.starts_with("command "))
        .collect();
    lines.push("virtualenv = 21.15.11\n");
    let cfg = lines.join("\n");
    write(&root.join("pyvenv.cfg"), &cfg);
    let _ = fs::remove_file(root.join("lib64"));
    fs::rename(bin.join("Activate.ps1"), bin.join("activate.ps1")).unwrap();
    let place = root.display();
    write(
        &bin.join("activate"),
        &format!(
            "if [ ! -d {place} ]; then\n    echo \"Virtual environment directory\" {place} \"does not exist!\" >&2\nfi\n\
             if :; then\n        VIRTUAL_ENV={place}\nfi\nexport VIRTUAL_ENV\nPATH=\"$VIRTUAL_ENV/bin:$PATH\"\n"
        ),
    );
    write(
        &bin.join("activate.csh"),
        &format!("source '{place}'/bin/deactivate.csh\nsetenv VIRTUAL_ENV '{place}'\n"),
    );
    write(
        &bin.join("activate.nu"),
        &format!("export-env {{ let virtual_env = r#'{place}'# }}\n"),
    );
    write(
        &bin.join("activate.bat"),
        &format!("@set \"VIRTUAL_ENV={place}\"\n"),
    );
    write(
        &bin.join("deactivate.csh"),
        &format!("if ($VIRTUAL_ENV == '{place}') unsetenv VIRTUAL_ENV\n"),
    );
    let lib = root
        .join("lib")
        .join(newest().python_folder())
        .join("site-packages");
    let old = listing(&lib)
        .into_iter()
        .find(|it| it.starts_with("pip-"))
        .unwrap();
    let newer = "pip-999.0.dist-info";
    fs::rename(lib.join(&old), lib.join(newer)).unwrap();
    let record = lib.join(newer).join("RECORD");
    let mut text = fs::read_to_string(&record).unwrap().replace(&old, newer);
    text.push_str("pip/__pycache__,,\npip/_internal/__pycache__,,\npip-999.0.dist-info/licenses/__pycache__,,\n");
    write(&record, &text);
}

fn an_environment_of_virtualenvs_that_was_moved_is_repaired() {
    let env = TestEnv::new();
    with_demo(&env, newest(), &["made"]);
    as_virtualenv_leaves_it(&env, "made");
    assert_eq!(findings(&env, "made"), (0, Vec::new()));
    let old = env.at("made").display().to_string();
    fs::rename(env.at("made"), env.at("moved")).unwrap();
    breaks_and_is_repaired(&env, "moved", &["moved"], "demo, pip");
    let line = ". moved/bin/activate && printf '%s\\n' \"$VIRTUAL_ENV\" \"$(command -v python)\"";
    let moved = env.at("moved");
    let expected = format!("{0}\n{0}/bin/python\n", moved.display());
    env.run("/bin/sh", ["-c", line]).prints(&expected);
    for name in listing(&moved.join("bin")) {
        if name.contains("activate") && !name.contains('/') {
            let text = fs::read_to_string(moved.join("bin").join(&name)).unwrap();
            assert!(!text.contains(&old), "{name}: {text}");
        }
    }
    let lib = moved
        .join("lib")
        .join(newest().python_folder())
        .join("site-packages");
    let pips: Vec<_> = listing(&lib)
        .into_iter()
        .filter(|it| it.starts_with("pip-"))
        .collect();
    assert_eq!(pips, ["pip-999.0.dist-info"]);
}

fn going_back_to_an_earlier_minor_names_the_scripts_that_do_not_work() {
    let other = another();
    let env = TestEnv::new();
    let wheels = env.root().join("wheels");
    env.rvenv_for(other, ["env"]).shared_cache().succeeds();
    // Before 3.12 it also has setuptools, which is left behind.
    env.rvenv_for(newest(), ["--upgrade", "env"])
        .shared_cache()
        .outcome()
        .expect_code(0);
    let wheel = write_wheel(&env, &wheels, "later", "1.0");
    let install = ["install", "-q", "--no-index", wheel.to_str().unwrap()];
    env.run(env.at("env/bin/pip"), install)
        .outcome()
        .expect_code(0);
    let outcome = env
        .rvenv_for(other, ["--upgrade", "env"])
        .shared_cache()
        .outcome();
    outcome.expect_code(0);
    assert!(outcome.stderr.contains("do not work: later)"), "{outcome}");
    // It is reported only once.
    env.rvenv_for(other, ["--upgrade", "env"])
        .shared_cache()
        .succeeds();
}
