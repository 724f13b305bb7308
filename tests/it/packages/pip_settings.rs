//! pip's variables and configuration files are respected, except for those that would install into another place, for another
//! Python, or nothing.

use std::path::{Path, PathBuf};

use fs_err as fs;

use crate::env::{TestEnv, listing};
use crate::harness::some;
use crate::interpreters::newest;
use crate::wheel::write_wheel;

crate::harness::trials! {
    variables_that_send_packages_elsewhere_are_not_passed_to_pip(part),
    configuration_files_that_send_packages_elsewhere_are_read_without_that(part),
    upgrading_pip_ignores_them_too,
    a_configuration_file_that_cannot_be_understood_is_an_error_before_pip_starts,
}

/// Each key, with a value that sends packages elsewhere.
fn keys(env: &TestEnv) -> Vec<(&'static str, String)> {
    let elsewhere = env.root().join("elsewhere").to_str().unwrap().to_owned();
    let python = newest().executable.to_str().unwrap().to_owned();
    vec![
        ("target", elsewhere.clone()),
        ("prefix", elsewhere.clone()),
        ("root", elsewhere),
        ("python", python),
        ("dry-run", "1".into()),
        ("user", "1".into()),
        ("platform", "win_amd64".into()),
        ("python-version", "3.6".into()),
        ("implementation", "pp".into()),
        ("abi", "none".into()),
    ]
}

fn wheels(env: &TestEnv) -> PathBuf {
    let folder = env.root().join("wheels");
    write_wheel(env, &folder, "one", "1.0");
    folder
}

/// Fails unless `one` is in the environment and nothing anywhere else.
#[track_caller]
fn is_in_the_environment(env: &TestEnv) {
    env.run(env.at("env/bin/one"), [""; 0])
        .prints(&format!("1.0 {}\n", env.at("env").display()));
    assert!(!env.root().join("elsewhere").exists());
    assert!(!env.root().join("home/.local").exists());
}

fn variables_that_send_packages_elsewhere_are_not_passed_to_pip() {
    let env = TestEnv::new();
    let wheels = wheels(&env);
    for (key, value) in some(&keys(&env), 2) {
        env.reset();
        let name = format!("PIP_{}", key.to_uppercase().replace('-', "_"));
        env.rvenv_for(newest(), ["--with", "one", "env"])
            .shared_cache()
            .var("PIP_NO_INDEX", "1")
            .var("PIP_FIND_LINKS", &wheels)
            .var(name, value)
            .succeeds();
        is_in_the_environment(&env);
    }
}

fn configuration_files_that_send_packages_elsewhere_are_read_without_that() {
    let env = TestEnv::new();
    let wheels = wheels(&env);
    let home = env.root().join("home");
    let named = env.root().join("named.conf");
    let files = [
        (home.join(".config/pip/pip.conf"), "", ""),
        (home.join(".pip/pip.conf"), "", ""),
        (home.join("xdg/pip/pip.conf"), "XDG_CONFIG_HOME", "xdg"),
        (home.join("all/pip/pip.conf"), "XDG_CONFIG_DIRS", "all"),
        (env.at("env/pip.conf"), "", ""),
        (named, "PIP_CONFIG_FILE", "../named.conf"),
    ];
    for (path, variable, value) in some(&files, 1) {
        // The same file says where to find packages, which must still apply.
        let mut text = format!(
            "[global]\nno-index = yes\nfind-links =\n  {}\n",
            wheels.display()
        );
        for (position, (key, value)) in keys(&env).into_iter().enumerate() {
            if position == 3 {
                text.push_str("[install]\n");
            }
            text += &[key, " = ", &value, "\n"].concat();
        }
        env.reset();
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        let run = env
            .rvenv_for(newest(), ["--with", "one", "env"])
            .shared_cache();
        let run = match *variable {
            "" => run,
            // An empty variable does not override a file.
            name => run.var(name, home.join(value)).var("PIP_TARGET", ""),
        };
        run.succeeds();
        is_in_the_environment(&env);
        fs::remove_file(path).unwrap();
    }
}

fn upgrading_pip_ignores_them_too() {
    let env = TestEnv::new();
    let folder = env.root().join("wheels");
    for project in ["pip", "setuptools"] {
        write_wheel(&env, &folder, project, "99.0");
    }
    let conf = env.root().join("home/.config/pip/pip.conf");
    fs::create_dir_all(conf.parent().unwrap()).unwrap();
    fs::write(conf, "[install]\ndry-run = true\n").unwrap();
    env.rvenv_for(newest(), ["--upgrade-deps", "env"])
        .shared_cache()
        .var("PIP_NO_INDEX", "1")
        .var("PIP_FIND_LINKS", &folder)
        .var("PIP_TARGET", env.root().join("elsewhere"))
        .succeeds();
    let folder = format!("env/lib/{}/site-packages", newest().python_folder());
    let names = listing(&env.at(folder));
    assert!(
        names.contains(&"pip-99.0.dist-info".to_owned()),
        "{names:?}"
    );
    assert!(!env.root().join("elsewhere").exists());
}

fn a_configuration_file_that_cannot_be_understood_is_an_error_before_pip_starts() {
    let env = TestEnv::new();
    let conf = env.root().join("pip.conf");
    fs::write(&conf, "target = /tmp\n").unwrap();
    let shown = conf.to_str().unwrap();
    env.rvenv_for(newest(), ["--with", "one", "env"])
        .shared_cache()
        .var("PIP_CONFIG_FILE", Path::new(&conf))
        .errs(&[shown, "cannot be read"]);
    env.holds_only([]);
}
