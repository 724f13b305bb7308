//! `--list-pythons`.

use std::os::unix::fs::symlink;

use fs_err as fs;

use crate::{
    env::TestEnv,
    interpreters::layouts::{Pyenv, keep, keepable, script, version},
    interpreters::{Interpreter, each},
};

crate::harness::trials! {
    every_python_is_listed_once_with_where_it_came_from needs [KEEPABLE],
    what_is_listed_is_what_the_pythons_say(each),
    behind_shims_and_environments_are_their_bases needs [KEEPABLE, PYENV],
    the_list_is_no_environment,
}

fn every_python_is_listed_once_with_where_it_came_from() {
    let env = TestEnv::new();
    let kept = keepable();
    let [one, .., other] = kept.as_slice() else {
        return;
    };
    // On PATH under two names, in two folders that are one, and once more in pyenv.
    let bin = env.root().join("bin");
    fs::create_dir(&bin).unwrap();
    for name in [
        "python3",
        "python",
        &format!("python{}", one.short_version()),
    ] {
        symlink(&one.executable, bin.join(name)).unwrap();
    }
    symlink(&bin, env.root().join("again")).unwrap();
    script(&bin.join("python3.99"), "#!/bin/sh\nexit 1\n");
    keep(&env.root().join("home/.pyenv/versions"), &[one, other]);
    let path = format!("{}:{}", bin.display(), env.root().join("again").display());
    let list = || {
        let list = env.rvenv(["--list-pythons"]).var("PATH", &path).stdout();
        let ours = list.lines().map(str::to_owned);
        let root = env.root().to_str().unwrap();
        ours.filter(|line| line.contains(root)).collect::<Vec<_>>()
    };
    let expected = [
        (one, bin.join("python3"), "PATH"),
        (
            other,
            env.root()
                .join("home/.pyenv/versions")
                .join(version(other))
                .join("bin/python3"),
            "pyenv",
        ),
    ]
    .map(|(python, path, source)| {
        format!("{}\tcpython\t{}\t{source}", version(python), path.display())
    });
    assert_eq!(list(), expected);
    assert_eq!(list(), expected, "from the cache");
    env.holds_only([]);

    // As JSON.
    let json = env
        .rvenv(["--list-pythons", "--json"])
        .var("PATH", &path)
        .stdout();
    let script = "import json, sys\n\
        for p in json.loads(sys.argv[1])['results']:\n    \
        print(p['version'], p['implementation'], p['path'], p['source'], sep='\\t')";
    let lines = env.run(&other.executable, ["-c", script, &json]).stdout();
    let ours = lines
        .lines()
        .filter(|line| line.contains(env.root().to_str().unwrap()));
    assert_eq!(ours.collect::<Vec<_>>(), expected);
}

fn what_is_listed_is_what_the_pythons_say(python: &'static Interpreter) {
    let env = TestEnv::new();
    let bin = env.root().join("bin");
    let _ = fs::remove_dir_all(&bin);
    fs::create_dir(&bin).unwrap();
    symlink(&python.executable, bin.join("python3")).unwrap();
    let list = env.rvenv(["--list-pythons"]).var("PATH", &bin).stdout();
    let line = list.lines().next().unwrap();
    let fields: Vec<_> = line.split('\t').collect();
    let says = fields[0].trim_end_matches(['t', 'd']);
    assert_eq!(says, version(python), "{line}");
    assert_eq!(fields[1], python.implementation, "{line}");
    assert_eq!(fields[2], bin.join("python3").to_str().unwrap());
}

fn behind_shims_and_environments_are_their_bases() {
    let env = TestEnv::new();
    let kept = keepable();
    let [.., python] = kept.as_slice() else {
        return;
    };
    let pyenv = Pyenv::new(&env, &[python]);
    pyenv.global(&version(python));
    let list = |path: &str| {
        let list = env.rvenv(["--list-pythons"]).var("PATH", path).stdout();
        list.lines().next().unwrap().to_owned()
    };
    let base = pyenv.root.join("versions").join(version(python));
    let line = format!(
        "{}\tcpython\t{}\tpyenv",
        version(python),
        base.join("bin/python3").display()
    );
    assert_eq!(list(pyenv.root.join("shims").to_str().unwrap()), line);
    env.rvenv(["--without-pip", "-p", &python.short_version(), "outer"])
        .succeeds();
    let line = list(env.at("outer/bin").to_str().unwrap());
    assert!(line.contains(base.to_str().unwrap()), "{line}");
    assert!(!line.contains("outer"), "{line}");
}

fn the_list_is_no_environment() {
    let env = TestEnv::new();
    env.rvenv(["--list-pythons", "env"]).fails(2, &["env"]);
    env.rvenv(["--json"]).fails(2, &["ENV_DIR"]);
    env.holds_only([]);
}
