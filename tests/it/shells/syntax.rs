//! Runs the shells' own syntax checkers and shellcheck on the scripts, with and without names that need quoting.

use super::{Grammar, Shell, each_shell};
use crate::{
    env::TestEnv,
    interpreters::{Interpreter, each, newest},
    needs::on_path,
};

crate::harness::trials! {
    parses_its_script(each_shell),
    shellcheck_finds_nothing needs [SHELLCHECK],
    every_python_compiles_activate_this(each),
}

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

fn parses_its_script(shell: &'static Shell) {
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

fn shellcheck_finds_nothing() {
    let env = TestEnv::new();
    for name in environments(&env) {
        let file = format!("./{name}/bin/activate");
        for dialect in ["sh", "bash", "dash", "ksh"] {
            env.run(on_path("shellcheck").unwrap(), ["-s", dialect, &file])
                .succeeds();
        }
    }
}

fn every_python_compiles_activate_this(python: &'static Interpreter) {
    let env = TestEnv::new();
    for name in environments(&env) {
        let code =
            "import sys; f = open(sys.argv[1], 'rb'); compile(f.read(), f.name, 'exec'); f.close()";
        let file = format!("{name}/bin/activate_this.py");
        env.run(&python.executable, ["-W", "error", "-c", code, &file])
            .succeeds();
    }
}
