//! Where Pythons are searched for: every kind of PATH, and the directories of the tools that install Pythons.

use std::{
    os::unix::fs::{PermissionsExt, symlink},
    path::PathBuf,
};

use fs_err as fs;

use crate::{
    env::TestEnv,
    interpreters::layouts::{base_of, keep, keepable, prefix, script, version},
    interpreters::{Interpreter, newest},
};

crate::harness::trials! {
    what_cannot_be_read_or_is_no_python_is_passed_over,
    five_hundred_directories_with_duplicates_can_be_on_path needs [KEEPABLE],
    a_relative_folder_on_path_gives_an_absolute_link,
    in_an_activated_environment_its_base_is_used needs [KEEPABLE],
    the_folders_of_every_tool_are_searched needs [KEEPABLE],
    the_newest_final_version_of_a_tool_is_used_and_no_environment needs [KEEPABLE],
    a_python_that_was_replaced_is_asked_again needs [KEEPABLE],
    a_python_that_never_answers_is_skipped(full),
    what_a_python_leaves_running_is_not_waited_for(full),
}

/// A folder with `python3`, a link to a Python.
fn folder(env: &TestEnv, name: &str, python: &Interpreter) -> PathBuf {
    let folder = env.root().join(name);
    fs::create_dir_all(&folder).unwrap();
    symlink(&python.executable, folder.join("python3")).unwrap();
    folder
}

fn join(folders: &[PathBuf]) -> String {
    let folders: Vec<_> = folders.iter().map(|f| f.to_str().unwrap()).collect();
    folders.join(":")
}

/// The base that is selected with this PATH.
#[track_caller]
fn taken(env: &TestEnv, path: &str, args: &[&str]) -> PathBuf {
    env.rvenv(args.iter().chain(&["--without-pip", "env"]))
        .var("PATH", path)
        .succeeds();
    base_of(env, "env")
}

fn what_cannot_be_read_or_is_no_python_is_passed_over() {
    let env = TestEnv::new();
    let python = newest();
    let root = env.root();
    let loops = root.join("loop");
    fs::create_dir(&loops).unwrap();
    symlink("python3", loops.join("python3")).unwrap();
    let dangling = root.join("dangling");
    fs::create_dir(&dangling).unwrap();
    symlink("/nowhere/python3", dangling.join("python3")).unwrap();
    fs::create_dir_all(root.join("directory/python3")).unwrap();
    fs::write(root.join("file"), "").unwrap();
    let text = root.join("text");
    script(&text.join("python3"), "no program\n");
    fs::set_permissions(text.join("python3"), PermissionsExt::from_mode(0o644)).unwrap();
    let foreign = root.join("foreign");
    // The header of an ELF file for an unusual machine.
    let mut elf = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\xf0\xf0".to_vec();
    elf.resize(64, 0);
    script(&foreign.join("python3"), "");
    fs::write(foreign.join("python3"), &elf).unwrap();
    let crashing = root.join("crashing");
    script(&crashing.join("python3"), "#!/bin/sh\nkill -SEGV $$\n");
    let lost = root.join("lost");
    script(&lost.join("python3"), "#!/nowhere/interpreter\n");
    // The error message and exit status of the loader for a missing library.
    let library = root.join("library");
    let words = "error while loading shared libraries: libpython3.99.so.1.0: cannot open";
    let text_of_loader = format!("#!/bin/sh\necho \"$0: {words}\" >&2\nexit 127\n");
    script(&library.join("python3"), &text_of_loader);
    let secret = root.join("secret");
    fs::create_dir(&secret).unwrap();
    fs::set_permissions(&secret, PermissionsExt::from_mode(0o000)).unwrap();
    let good = folder(&env, "good", python);
    let path = join(&[
        loops,
        dangling,
        root.join("directory"),
        root.join("file"),
        root.join("nowhere"),
        text.clone(),
        foreign.clone(),
        crashing.clone(),
        lost.clone(),
        library.clone(),
        secret.clone(),
        good.clone(),
    ]);
    for args in [&[][..], &["-p", "3"], &["-p", "python3"]] {
        let base = taken(&env, &path, args);
        assert_eq!(base, good.join("python3"), "{args:?}");
    }
    // The error lists each of them if there is no other match.
    env.rvenv(["-p", "python3.99", "env"])
        .var("PATH", &path)
        .errs(&["'python3.99'"]);
    fs::remove_file(good.join("python3")).unwrap();
    env.rvenv(["-p", "cpython>=3.99", "env"])
        .var("PATH", &path)
        .errs(&[
            text.to_str().unwrap(),
            "not executable",
            foreign.to_str().unwrap(),
            crashing.to_str().unwrap(),
            "SIGSEGV",
            lost.to_str().unwrap(),
            words,
        ]);
    fs::set_permissions(&secret, PermissionsExt::from_mode(0o755)).unwrap();
}

fn five_hundred_directories_with_duplicates_can_be_on_path() {
    let env = TestEnv::new();
    let kept = keepable();
    let [first, .., last] = kept.as_slice() else {
        return;
    };
    let mut folders = Vec::new();
    for number in 0..250 {
        let empty = env.root().join(format!("empty/{number}"));
        fs::create_dir_all(&empty).unwrap();
        folders.extend([empty.clone(), empty]);
    }
    let bin = folder(&env, "bin", first);
    let other = folder(&env, "other", last);
    folders.extend([
        bin.clone(),
        bin.clone(),
        other.clone(),
        bin.join("../bin"),
        other.clone(),
    ]);
    let path = join(&folders);
    assert_eq!(taken(&env, &path, &[]), bin.join("python3"));
    let request = last.short_version();
    assert_eq!(taken(&env, &path, &["-p", &request]), other.join("python3"));
    env.rvenv(["-p", "3.99", "env"])
        .var("PATH", &path)
        .errs(&["252 directories"]);
}

fn a_relative_folder_on_path_gives_an_absolute_link() {
    let env = TestEnv::new();
    let python = newest();
    let bin = folder(&env, "bin", python);
    assert_eq!(taken(&env, "../bin", &[]), bin.join("python3"));
}

fn in_an_activated_environment_its_base_is_used() {
    let env = TestEnv::new();
    let kept = keepable();
    let [first, .., last] = kept.as_slice() else {
        return;
    };
    env.rvenv_for(first, ["--without-pip", "outer"]).succeeds();
    let other = folder(&env, "other", last);
    let path = join(&[env.at("outer/bin"), other]);
    let base = fs::canonicalize(taken(&env, &path, &[])).unwrap();
    assert_eq!(base, fs::canonicalize(&first.executable).unwrap());
}

fn the_folders_of_every_tool_are_searched() {
    let env = TestEnv::new();
    let kept = keepable();
    let [.., python] = kept.as_slice() else {
        return;
    };
    let root = env.root();
    let name = version(python);
    let short = python.short_version();
    let triple = format!("cpython-{name}-linux-x86_64-gnu");
    let formula = format!("python@{short}");
    for (folder, variable, value, source) in [
        ("home/.pyenv/versions/1", "", "", "pyenv"),
        ("pyenv/versions/1", "PYENV_ROOT", "pyenv", "pyenv"),
        ("home/.asdf/installs/python/1", "", "", "asdf"),
        ("asdf/installs/python/1", "ASDF_DATA_DIR", "asdf", "asdf"),
        ("home/.local/share/mise/installs/python/1", "", "", "mise"),
        (
            "data/mise/installs/python/1",
            "XDG_DATA_HOME",
            "data",
            "mise",
        ),
        ("mise/installs/python/1", "MISE_DATA_DIR", "mise", "mise"),
        (
            &format!("home/.local/share/uv/python/{triple}"),
            "",
            "",
            "uv",
        ),
        (&format!("uv/{triple}"), "UV_PYTHON_INSTALL_DIR", "uv", "uv"),
        ("home/miniconda3", "", "", "conda"),
        ("home/miniforge3/envs/1", "", "", "conda"),
        ("conda", "CONDA_PREFIX", "conda", "conda"),
        ("conda", "CONDA_EXE", "conda/bin/conda", "conda"),
        (
            &format!("brew/opt/{formula}"),
            "HOMEBREW_PREFIX",
            "brew",
            "Homebrew",
        ),
        (
            &format!("home/Library/Frameworks/Python.framework/Versions/{short}"),
            "",
            "",
            "framework",
        ),
    ] {
        let at = root.join(folder);
        fs::create_dir_all(at.parent().unwrap()).unwrap();
        symlink(prefix(python), &at).unwrap();
        let run = |args: &[&str]| {
            let run = env.rvenv(args).var("PATH", "/nowhere");
            if variable.is_empty() {
                run
            } else {
                run.var(variable, root.join(value))
            }
        };
        let list = run(&["--list-pythons"]).stdout();
        let line = list.lines().find(|line| line.contains(folder));
        let line = line.unwrap_or_else(|| panic!("{folder} is not in\n{list}"));
        assert!(line.ends_with(source), "{line}");
        run(&["-p", &name, "--without-pip", "env"]).succeeds();
        let base = base_of(&env, "env");
        assert!(base.starts_with(&at), "{folder}: {}", base.display());
        fs::remove_file(&at).unwrap();
    }
    // conda records its environments in a file.
    let noted = root.join("noted");
    symlink(prefix(python), &noted).unwrap();
    fs::create_dir(root.join("home/.conda")).unwrap();
    let list = root.join("home/.conda/environments.txt");
    fs::write(list, format!("{}\n", noted.display())).unwrap();
    assert!(taken(&env, "/nowhere", &["-p", &name]).starts_with(&noted));
}

fn the_newest_final_version_of_a_tool_is_used_and_no_environment() {
    let env = TestEnv::new();
    let kept = keepable();
    let [first, .., last] = kept.as_slice() else {
        return;
    };
    let versions = env.root().join("home/.pyenv/versions");
    keep(&versions, &[first, last]);
    // The name of a pre-release, and a newer one than all others.
    symlink(prefix(first), versions.join("3.99.0rc1")).unwrap();
    env.rvenv_for(first, ["--without-pip", "../home/.pyenv/versions/3.98.0"])
        .succeeds();
    let base = taken(&env, "/nowhere", &["-p", "3"]);
    assert!(base.starts_with(versions.join(version(last))));
    let pythons = env
        .rvenv(["--list-pythons"])
        .var("PATH", "/nowhere")
        .stdout();
    assert!(!pythons.contains("3.98.0"), "{pythons}");
}

fn a_python_that_was_replaced_is_asked_again() {
    let env = TestEnv::new();
    let kept = keepable();
    let [first, .., last] = kept.as_slice() else {
        return;
    };
    let bin = env.root().join("bin");
    fs::create_dir(&bin).unwrap();
    let cfg = env.at("env/pyvenv.cfg");
    for python in [first, last, first] {
        let _ = fs::remove_file(bin.join("python3"));
        symlink(&python.executable, bin.join("python3")).unwrap();
        env.rvenv(["--without-pip", "env"])
            .var("PATH", &bin)
            .succeeds();
        let text = fs::read_to_string(&cfg).unwrap();
        assert!(
            text.contains(&format!("version = {}\n", version(python))),
            "{text}"
        );
        env.reset();
    }
}

fn a_python_that_never_answers_is_skipped() {
    let env = TestEnv::new();
    let python = newest();
    let hanging = env.root().join("hanging");
    script(&hanging.join("python3"), "#!/bin/sh\nexec sleep 600\n");
    symlink("/bin/sleep", hanging.join("sleep")).unwrap();
    let good = folder(&env, "good", python);
    let path = join(&[hanging, good.clone()]);
    assert_eq!(taken(&env, &path, &[]), good.join("python3"));
}

fn what_a_python_leaves_running_is_not_waited_for() {
    let env = TestEnv::new();
    let ended = env.root().join("ended");
    let text = format!(
        "#!/bin/sh\n{{ sleep 30; : >'{}'; }} &\nexec '{}' \"$@\"\n",
        ended.display(),
        newest().executable.display()
    );
    let python = env.root().join("wrapped/python3");
    script(&python, &text);
    let python = python.to_str().unwrap();
    env.rvenv(["--without-pip", "--no-cache", "-p", python, "env"])
        .var("PATH", "/usr/bin:/bin")
        .succeeds();
    // A process that still has the output pipes of Python open.
    assert!(!ended.exists());
}
