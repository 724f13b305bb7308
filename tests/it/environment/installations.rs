//! Installations of Python are never turned into an environment and never cleared.

use fs_err as fs;

use crate::tree::tree;
use crate::{env::TestEnv, interpreters::newest, oracle::write, python::graalpy};

crate::harness::trials! {
    an_installation_is_neither_turned_into_an_environment_nor_cleared,
    the_python_that_an_environment_is_built_on_is_not_cleared,
}

const WAYS: [&[&str]; 4] = [
    &[],
    &["--clear"],
    &["--clear", "--force"],
    &["--upgrade", "--force"],
];

fn an_installation_is_neither_turned_into_an_environment_nor_cleared() {
    let env = TestEnv::new();
    for landmark in [
        "lib/python3.99/os.py",
        "lib/pypy3.99/os.py",
        "lib-python/3/os.py",
        "conda-meta/history",
        "pybuilddir.txt",
    ] {
        env.reset();
        write(&env, format!("inst/{landmark}"), "");
        // With or without a file that an earlier run may have left.
        for _ in 0..2 {
            let before = tree(&env.work());
            for flags in WAYS {
                let args = [&["--without-pip"], flags, &["inst"]].concat();
                let path = env.at("inst");
                let run = env.rvenv_for(newest(), args);
                run.errs(&[path.to_str().unwrap(), "installation"]);
                assert_eq!(tree(&env.work()), before, "{landmark} {flags:?}");
            }
            write(&env, "inst/pyvenv.cfg", "home = /nowhere\n");
        }
    }
}

fn the_python_that_an_environment_is_built_on_is_not_cleared() {
    let env = TestEnv::new();
    // It also pretends to be another implementation, whose own venv would clear it.
    let python = graalpy(&env);
    let prefix = env.root().join("graalpy");
    let ways = [
        (prefix.clone(), &WAYS[..]),
        (prefix.join("lib"), &WAYS[1..3]),
        (env.root().to_path_buf(), &WAYS[2..3]),
    ];
    // Querying it writes its bytecode.
    let files = || {
        let mut files = tree(&prefix);
        files.retain(|path, _| {
            !path
                .components()
                .any(|part| part.as_os_str() == "__pycache__")
        });
        files.remove(std::path::Path::new("lib"));
        files
    };
    for (env_dir, flags) in ways {
        let before = files();
        for flags in flags {
            let own = ["-p", python.to_str().unwrap(), "--without-pip"];
            let args = [&own, *flags, &[env_dir.to_str().unwrap()]].concat();
            let run = env.rvenv(args);
            if env_dir == prefix.join("lib") && !flags.contains(&"--force") {
                run.errs(&[]);
            } else {
                run.errs(&["installation"]);
            }
            assert!(files() == before, "{} {flags:?}", env_dir.display());
        }
        fs::metadata(&python).unwrap();
    }
}
