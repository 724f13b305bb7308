//! Shims: rvenv finds the Python that the tool itself would start, without starting the tool.

use std::{os::unix::fs::symlink, path::Path};

use fs_err as fs;

use crate::{
    env::{PATH, TestEnv},
    interpreters::layouts::{Pyenv, base_of, keep, keepable, prefix, script, version},
    interpreters::{Interpreter, newest},
    oracle::all_agree,
};

crate::harness::trials! {
    pyenv_shims_start_the_python_that_pyenv_chooses needs [KEEPABLE, PYENV],
    through_pyenvs_shims_the_environment_is_venvs needs [KEEPABLE, PYENV],
    a_shim_that_can_be_read_is_not_run needs [KEEPABLE],
    asdfs_shims_lead_to_the_version_in_tool_versions needs [KEEPABLE],
    mises_shims_lead_to_the_configured_version needs [KEEPABLE],
    any_other_script_is_run_and_not_remembered needs [KEEPABLE],
    a_shim_that_starts_itself_is_skipped,
    a_version_that_pyenv_has_not_installed_is_an_error needs [KEEPABLE, PYENV],
    a_version_that_asdf_has_not_installed_is_an_error needs [KEEPABLE],
    a_version_that_mise_has_not_installed_is_an_error needs [KEEPABLE],
}

/// A script that is not a Python, and records that it was started.
fn tripwire(path: &Path) {
    let text = format!("#!/bin/sh\n: >'{}.started'\nexit 127\n", path.display());
    script(path, &text);
}

fn was_started(path: &Path) -> bool {
    Path::new(&format!("{}.started", path.display())).exists()
}

fn pyenv_shims_start_the_python_that_pyenv_chooses() {
    let env = TestEnv::new();
    let kept = keepable();
    let [.., one, other] = kept.as_slice() else {
        return;
    };
    let pyenv = Pyenv::new(&env, &kept);
    let (one, other) = (version(one), version(other));
    let short = |version: &str| version.rsplit_once('.').unwrap().0.to_owned();
    let both = format!("{one}:{other}");
    let lines = format!("# first\n\n{one}\r\n{other} # second\n");
    let prefixed = format!("python-{one}");
    let named = format!("python{}", short(&one));
    let shorts = short(&other);
    let missing = "3.99.1\n".to_owned() + &one;
    // PYENV_VERSION, ./.python-version, ../.python-version, $PYENV_ROOT/version, the program.
    let cases: [([&str; 4], &str); 15] = [
        (["", "", "", &one], "python3"),
        (["", "", "", &other], "python"),
        (["", "", &other, &one], "python3"),
        (["", &one, &other, &other], "python3"),
        ([&other, &one, &one, &one], "python3"),
        ([&both, "", "", ""], "python3"),
        ([&both, "", "", ""], &named),
        (["", &lines, "", ""], "python3"),
        (["", &prefixed, "", &other], "python3"),
        (["", &shorts, "", &one], "python3"),
        (["", "", "", &short(&one)], "python3"),
        (["", &missing, "", ""], "python3"),
        (["", "../../x", "", &one], "python3"),
        (["", "", "", "3.99"], "python3"),
        (["system", &one, "", ""], "python3"),
    ];
    for ([variable, here, above, global], program) in cases {
        for (file, text) in [
            (env.at("deep/.python-version"), here),
            (env.at(".python-version"), above),
            (pyenv.root.join("version"), global),
        ] {
            let _ = fs::remove_file(&file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            if !text.is_empty() {
                fs::write(&file, text).unwrap();
            }
        }
        let case = format!("{variable:?} {here:?} {above:?} {global:?} {program}");
        let said = pyenv
            .run(&env, ["which", program])
            .var("PYENV_VERSION", variable)
            .cwd("deep")
            .outcome();
        let shim = pyenv.shim(program);
        let made = env
            .rvenv(["--without-pip", "-v", "-p", shim.to_str().unwrap(), "env"])
            .var("PYENV_VERSION", variable)
            .var("PATH", &pyenv.path)
            .cwd("deep")
            .outcome();
        // pyenv falls back to the system's Python, which was not requested.
        let is_installed = global != "3.99";
        if said.status.success() && is_installed {
            assert!(made.status.success(), "{case}\n{said}{made}");
            let found = format!("at {}", said.stdout);
            assert!(made.stderr.contains(&found), "{case}\n{said}{made}");
            fs::remove_dir_all(env.at("deep/env")).unwrap();
        } else {
            assert_eq!(made.status.code(), Some(1), "{case}\n{said}{made}");
            assert!(made.stderr.contains("pyenv"), "{case}\n{said}{made}");
            assert!(
                is_installed || made.stderr.contains("3.99"),
                "{case}\n{said}{made}"
            );
        }
    }
}

fn through_pyenvs_shims_the_environment_is_venvs() {
    let env = TestEnv::new();
    let kept = keepable();
    let pyenv = Pyenv::new(&env, &kept);
    all_agree(kept.iter().map(|python| {
        pyenv.global(&version(python));
        env.oracle(python)
            .found_as("python3")
            .var("PATH", &pyenv.path)
            .args(["--without-pip", "env"])
            .verdict()
    }));
}

fn a_shim_that_can_be_read_is_not_run() {
    let env = TestEnv::new();
    let kept = keepable();
    let Some(python) = kept.last() else { return };
    let root = env.root().join("home/.pyenv");
    keep(&root.join("versions"), &kept);
    fs::write(root.join("version"), version(python)).unwrap();
    let libexec = root.join("libexec/pyenv");
    tripwire(&libexec);
    let shim = root.join("shims/python3");
    let text = format!(
        "#!/usr/bin/env bash\nset -e\nprogram=\"${{0##*/}}\"\nexport PYENV_ROOT=\"{}\"\n\
         exec \"{}\" exec \"$program\" \"$@\"\n",
        root.display(),
        libexec.display()
    );
    script(&shim, &text);
    env.rvenv(["--without-pip", "env"])
        .var("PATH", shim.parent().unwrap())
        .succeeds();
    let found = root.join("versions").join(version(python));
    assert_eq!(base_of(&env, "env"), found.join("bin/python3"));
    assert!(!was_started(&libexec));
}

/// Runs rvenv with this directory first on PATH, and compares the selected Python.
#[track_caller]
fn leads_to(env: &TestEnv, shims: &Path, python: &Interpreter, vars: &[(&str, &str)]) {
    let vars: Vec<_> = vars
        .iter()
        .map(|(name, value)| ((*name).into(), (*value).into()))
        .collect();
    env.rvenv(["--without-pip", "env"])
        .var("PATH", format!("{}:{PATH}", shims.display()))
        .vars(&vars)
        .succeeds();
    let real = fs::canonicalize(base_of(env, "env")).unwrap();
    assert!(real.starts_with(prefix(python)), "{}", real.display());
}

fn asdfs_shims_lead_to_the_version_in_tool_versions() {
    let env = TestEnv::new();
    let kept = keepable();
    let [.., one, other] = kept.as_slice() else {
        return;
    };
    let data = env.root().join("home/.asdf");
    keep(&data.join("installs/python"), &kept);
    let asdf = data.join("bin/asdf");
    tripwire(&asdf);
    let shims = data.join("shims");
    let shim = "#!/usr/bin/env bash\n# asdf-plugin: python 3\nexec {} exec \"python3\" \"$@\"\n";
    let shim = shim.replace("{}", asdf.to_str().unwrap());
    script(&shims.join("python3"), &shim);
    let select = |folder: &Path, versions: &str| {
        let text = format!("# tools\nnodejs 20.1.0\npython   {versions} # ours\n");
        fs::write(folder.join(".tool-versions"), text).unwrap();
    };
    select(&env.root().join("home"), &version(one));
    leads_to(&env, &shims, one, &[]);
    select(env.root(), &version(other));
    leads_to(&env, &shims, other, &[]);
    select(&env.work(), &format!("3.99.1 {}", version(one)));
    leads_to(&env, &shims, one, &[]);
    select(&env.work(), &format!("path:{}", prefix(other).display()));
    leads_to(&env, &shims, other, &[]);
    leads_to(&env, &shims, one, &[("ASDF_PYTHON_VERSION", &version(one))]);
    select(&env.work(), "3.99.1");
    let shim = shims.join("python3");
    env.rvenv(["--without-pip", "-p", shim.to_str().unwrap(), "env"])
        .errs(&["asdf", "3.99.1"]);
    assert!(!was_started(&asdf));
}

fn mises_shims_lead_to_the_configured_version() {
    let env = TestEnv::new();
    let kept = keepable();
    let [.., one, other] = kept.as_slice() else {
        return;
    };
    let data = env.root().join("home/.local/share/mise");
    keep(&data.join("installs/python"), &kept);
    let mise = env.root().join("mise");
    tripwire(&mise);
    let shims = data.join("shims");
    fs::create_dir(&shims).unwrap();
    symlink(&mise, shims.join("python3")).unwrap();
    let short = |python: &Interpreter| python.short_version();
    let global = env.root().join("home/.config/mise");
    fs::create_dir_all(&global).unwrap();
    let configure = |file: &Path, value: &str| {
        let text = format!("[env]\nA = 'b'\n\n[tools]\nnode = '20'\npython = {value}\n");
        fs::write(file, text).unwrap();
    };
    configure(&global.join("config.toml"), &format!("'{}'", version(one)));
    leads_to(&env, &shims, one, &[]);
    configure(&env.at("mise.toml"), &format!("\"{}\"", short(other)));
    leads_to(&env, &shims, other, &[]);
    configure(
        &env.at("mise.toml"),
        &format!("[\"{}\", '2']", version(one)),
    );
    leads_to(&env, &shims, one, &[]);
    leads_to(
        &env,
        &shims,
        other,
        &[("MISE_PYTHON_VERSION", &short(other))],
    );
    assert!(!was_started(&mise));
    // If the configuration is not understood, mise itself is run.
    configure(&env.at("mise.toml"), "{ version = \"3\" }");
    env.rvenv(["--without-pip", "-p", "python3", "env"])
        .var("PATH", &shims)
        .outcome();
    assert!(was_started(&mise));
}

fn any_other_script_is_run_and_not_remembered() {
    let env = TestEnv::new();
    let kept = keepable();
    let [.., one, other] = kept.as_slice() else {
        return;
    };
    let wrapper = env.root().join("bin/python3");
    for python in [one, other, one] {
        let text = format!("#!/bin/sh\nexec '{}' \"$@\"\n", python.executable.display());
        script(&wrapper, &text);
        leads_to(&env, wrapper.parent().unwrap(), python, &[]);
    }
}

fn a_shim_that_starts_itself_is_skipped() {
    let env = TestEnv::new();
    let python = newest();
    // Two pyenvs, each of which finds only the shim of the other.
    let mut folders = Vec::new();
    for name in ["one", "two"] {
        let root = env.root().join(name);
        let text = format!(
            "#!/usr/bin/env bash\nexport PYENV_ROOT=\"{0}\"\nexec \"{0}/libexec/pyenv\" exec \"$0\"\n",
            root.display()
        );
        script(&root.join("shims/python3"), &text);
        folders.push(root.join("shims"));
    }
    let loops = format!("{}:{}", folders[0].display(), folders[1].display());
    env.rvenv([
        "--without-pip",
        "-p",
        folders[0].join("python3").to_str().unwrap(),
        "env",
    ])
    .var("PATH", &loops)
    .errs(&["one/shims/python3", "itself"]);
    let bin = env.root().join("bin");
    fs::create_dir(&bin).unwrap();
    symlink(&python.executable, bin.join("python3")).unwrap();
    env.rvenv(["--without-pip", "env"])
        .var("PATH", format!("{loops}:{}", bin.display()))
        .succeeds();
    let base = fs::canonicalize(base_of(&env, "env")).unwrap();
    assert_eq!(base, fs::canonicalize(&python.executable).unwrap());
}

/// Fails unless no Python is selected for this shim, not even a later one on PATH, and the error contains each text.
#[track_caller]
fn takes_no_other(env: &TestEnv, shim: &Path, vars: &[(&str, &str)], texts: &[&str]) {
    let after = env.root().join("after");
    if !after.exists() {
        fs::create_dir(&after).unwrap();
        symlink(&newest().executable, after.join("python3")).unwrap();
    }
    let folder = shim.parent().unwrap();
    let path = format!("{}:{}:{PATH}", folder.display(), after.display());
    let requests = [&[][..], &["-p", "python3"], &["-p", shim.to_str().unwrap()]];
    for request in requests {
        let args = request.iter().chain(&["--without-pip", "env"]);
        let run = env.rvenv(args).var("PATH", &path);
        let run = vars
            .iter()
            .fold(run, |run, (name, value)| run.var(name, value));
        run.errs(texts);
    }
    // A request for a version does not use the shim.
    let request = format!("=={}", version(newest()));
    let run = env.rvenv(["--without-pip", "-p", &request, "env"]);
    let run = run.var("PATH", &path);
    let run = vars
        .iter()
        .fold(run, |run, (name, value)| run.var(name, value));
    run.succeeds();
    let base = fs::canonicalize(base_of(env, "env")).unwrap();
    assert_eq!(base, fs::canonicalize(&newest().executable).unwrap());
}

fn a_version_that_pyenv_has_not_installed_is_an_error() {
    let env = TestEnv::new();
    let kept = keepable();
    let pyenv = Pyenv::new(&env, &kept[..1]);
    let shim = pyenv.shim("python3");
    let variable = [("PYENV_VERSION", "3.99")];
    takes_no_other(&env, &shim, &variable, &["3.99", "PYENV_VERSION"]);
    for file in [
        env.root().join(".python-version"),
        env.at(".python-version"),
    ] {
        fs::write(&file, "3.99.1\n").unwrap();
        takes_no_other(&env, &shim, &[], &["3.99.1", file.to_str().unwrap()]);
        fs::remove_file(&file).unwrap();
    }
    pyenv.global("3.98");
    let file = pyenv.root.join("version");
    takes_no_other(&env, &shim, &[], &["3.98", file.to_str().unwrap()]);
}

fn a_version_that_asdf_has_not_installed_is_an_error() {
    let env = TestEnv::new();
    let data = env.root().join("home/.asdf");
    keep(&data.join("installs/python"), &keepable()[..1]);
    let shim = data.join("shims/python3");
    script(
        &shim,
        "#!/usr/bin/env bash\nexec asdf exec \"python3\" \"$@\"\n",
    );
    let variable = [("ASDF_PYTHON_VERSION", "3.99")];
    takes_no_other(&env, &shim, &variable, &["3.99", "ASDF_PYTHON_VERSION"]);
    for folder in ["home", "work"] {
        let file = env.root().join(folder).join(".tool-versions");
        fs::write(&file, "python 3.99.1\n").unwrap();
        takes_no_other(&env, &shim, &[], &["3.99.1", file.to_str().unwrap()]);
    }
}

fn a_version_that_mise_has_not_installed_is_an_error() {
    let env = TestEnv::new();
    let data = env.root().join("home/.local/share/mise");
    let installs = data.join("installs/python");
    keep(&installs, &keepable()[..1]);
    let mise = env.root().join("mise");
    let shim = data.join("shims/python3");
    fs::create_dir(data.join("shims")).unwrap();
    symlink(&mise, &shim).unwrap();
    let python = newest();
    let system = format!("#!/bin/sh\nexec '{}' \"$@\"\n", python.executable.display());
    // It fails, or falls back to another Python.
    for text in ["#!/bin/sh\nexit 1\n", &system] {
        script(&mise, text);
        let variable = [("MISE_PYTHON_VERSION", "3.99")];
        takes_no_other(&env, &shim, &variable, &["3.99", "MISE_PYTHON_VERSION"]);
        for (name, text) in [
            (".tool-versions", "python 3.98\n"),
            ("mise.toml", "[tools]\npython = '3.97.1'\n"),
        ] {
            let file = env.at(name);
            fs::write(&file, text).unwrap();
            let version = text.rsplit(['\'', ' ']).find(|word| word.contains("3."));
            let texts = [version.unwrap().trim(), file.to_str().unwrap()];
            takes_no_other(&env, &shim, &[], &texts);
            fs::remove_file(&file).unwrap();
        }
    }
    // Pythons that mise installs automatically are used.
    let variable = [("MISE_PYTHON_VERSION", version(python))];
    env.rvenv(["--without-pip", "-p", shim.to_str().unwrap(), "env"])
        .var(variable[0].0, &variable[0].1)
        .succeeds();
}
