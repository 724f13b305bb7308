//! The shells' own checkers, and shellcheck, on scripts with and without names that need quoting.

use std::env;

use super::{Grammar, Shell, for_each_shell};
use crate::{
    env::TestEnv,
    interpreters::{interpreters, newest},
};

/// An environment with a plain name, one with a name of every special character, and a relocatable one.
fn environments(env: &TestEnv) -> [&'static str; 3] {
    let names = [
        "plain",
        " !\"#$%&'()*+,-.;<=>?@[\\]^`{|}~\té",
        "relocatable",
    ];
    env.rvenv_for(newest(), ["--without-pip", "--", names[0], names[1]])
        .succeeds();
    env.rvenv_for(newest(), ["--without-pip", "--relocatable", names[2]])
        .succeeds();
    names
}

for_each_shell! { parses_its_script }

fn parses_its_script(shell: &Shell) {
    let env = TestEnv::new();
    for name in environments(&env) {
        let file = format!("./{name}/bin/{}", shell.script_name());
        let argv = shell.argv();
        match shell.grammar {
            Grammar::Sh | Grammar::Csh | Grammar::Fish => {
                let arguments = argv[1..].iter().map(String::as_str).chain(["-n", &file]);
                env.run(&argv[0], arguments).succeeds();
            }
            Grammar::Nu => {
                let line = format!("if (nu-check r######'{file}'######) {{ print parsed }}");
                env.run(&argv[0], ["-n", "-c", &line]).prints("parsed\n");
            }
            Grammar::Xonsh => {
                let line = "import sys; _ = __xonsh__.execer.parse(open($FILE).read(), ctx=set()); print('parsed')";
                env.run(&argv[0], ["--no-rc", "-c", line])
                    .var("FILE", &file)
                    .prints("parsed\n");
            }
        }
    }
}

#[test]
fn shellcheck_finds_nothing() {
    if which("shellcheck").is_none() {
        // It is asked for where the project is developed; the other systems have the same scripts.
        assert!(
            env::var_os("CI").is_none() || cfg!(not(target_os = "linux")),
            "no shellcheck on PATH"
        );
        eprintln!("skipped: no shellcheck on PATH");
        return;
    }
    let env = TestEnv::new();
    for name in environments(&env) {
        let file = format!("./{name}/bin/activate");
        for dialect in ["sh", "bash", "dash", "ksh"] {
            env.run(which("shellcheck").unwrap(), ["-s", dialect, &file])
                .succeeds();
        }
    }
}

#[test]
fn every_python_compiles_activate_this() {
    for python in interpreters() {
        let env = TestEnv::new();
        for name in environments(&env) {
            let code = "import sys; f = open(sys.argv[1], 'rb'); compile(f.read(), f.name, 'exec'); f.close()";
            let file = format!("{name}/bin/activate_this.py");
            env.run(&python.executable, ["-W", "error", "-c", code, &file])
                .succeeds();
        }
    }
}

/// The path of a program.
fn which(program: &str) -> Option<std::path::PathBuf> {
    env::split_paths(&env::var_os("PATH")?)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}
