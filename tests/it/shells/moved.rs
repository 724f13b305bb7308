//! Scripts of environments that were moved, and scripts that are executed instead of sourced: they print an error, fail, and
//! change nothing. Those of a relocatable environment work wherever it is.

use fs_err as fs;

use super::{
    Grammar, Shell, Step, each_shell, hostile, named,
    state::{activated, environment, equal, same},
};
use crate::{env::TestEnv, harness::Case, interpreters::newest};

crate::harness::trials! {
    says_that_an_environment_was_moved(each_shell),
    says_that_an_environment_was_copied(that_tell_the_path),
    activates_a_relocatable_environment_wherever_it_is(each_shell, part),
    finds_a_relocatable_environment_by_a_relative_path(that_tell_every_path),
    says_how_to_source_it_when_it_is_run(each_shell),
}

/// Makes an environment in `made`.
fn make(env: &TestEnv, options: &[&str]) {
    let args = [&["--without-pip", "--prompt=made"], options, &["made"]].concat();
    env.rvenv_for(newest(), args).succeeds();
    fs::create_dir(env.at("out")).unwrap();
}

/// The path of a name in `work`.
fn path(env: &TestEnv, name: &str) -> String {
    env.at(name).into_os_string().into_string().unwrap()
}

/// Fails unless activating the environment at this path fails, with one line that says this, and changes nothing; and unless a
/// script that stops at errors stops there.
#[track_caller]
fn refuses(env: &TestEnv, shell: &Shell, env_dir: &str, says: &str) {
    let told = format!("{} refuses {env_dir:?}", shell.name);
    for (tolerant, strict) in [(true, false), (false, true)] {
        let activate = shell.activate("ENV_0", env_dir);
        let attempt = match (shell.grammar, tolerant) {
            (Grammar::Sh, true) => format!("{activate} || printf '%s\\n' failed"),
            (Grammar::Sh, false) => format!("set -e\n{activate}\nprintf '%s\\n' went on"),
            (Grammar::Csh, _) => format!("{activate}\nif ( $status ) echo failed"),
            (Grammar::Fish, _) => format!("{activate}; or echo failed"),
            (Grammar::Nu, true) => format!(
                "try {{ {activate} }} catch {{|error| print --stderr $error.msg; print failed }}"
            ),
            (Grammar::Xonsh, true) => {
                format!("try:\n    {activate}\nexcept Exception:\n    print('failed')")
            }
            (Grammar::Nu | Grammar::Xonsh, false) => format!("{activate}\nprint('went on')"),
        };
        let gives_up = strict && !matches!(shell.grammar, Grammar::Csh | Grammar::Fish);
        let steps = [
            Step::Record("before"),
            Step::Line(&attempt),
            Step::Record("after"),
        ];
        let outcome = shell.run(env, &steps).var("ENV_0", env_dir).outcome();
        assert_eq!(outcome.status.success(), !gives_up, "{told}: {outcome}");
        assert_eq!(
            outcome.stdout,
            if gives_up { "" } else { "failed\n" },
            "{told}: {outcome}"
        );
        // nushell and xonsh add lines of their own to an error that a file raises; nushell wraps it.
        let stderr = outcome.stderr.replace("\n  | ", " ");
        let lines = stderr.lines().filter(|line| line.contains(says)).count();
        assert_eq!(lines, 1, "{told}: {outcome}");
        if !matches!(shell.grammar, Grammar::Nu | Grammar::Xonsh) {
            assert_eq!(outcome.stderr.lines().count(), 1, "{told}: {outcome}");
        }
        if !gives_up {
            same(env, "before", "after", &told);
        }
        fs::remove_dir_all(env.at("out")).unwrap();
        fs::create_dir(env.at("out")).unwrap();
    }
}

fn says_that_an_environment_was_moved(shell: &'static Shell) {
    let env = TestEnv::new();
    make(&env, &[]);
    fs::rename(env.at("made"), env.at("moved")).unwrap();
    refuses(&env, shell, &path(&env, "moved"), "it was moved or deleted");
}

/// The shells in which a script knows its path. In the others the environment that the file names is activated.
fn that_tell_the_path() -> Vec<Case<&'static Shell>> {
    named(&["bash", "zsh", "ksh93", "fish", "nushell", "xonsh"])
}

/// Those in which it also knows a relative path.
fn that_tell_every_path() -> Vec<Case<&'static Shell>> {
    named(&["bash", "zsh", "ksh93", "fish", "xonsh"])
}

fn says_that_an_environment_was_copied(shell: &'static Shell) {
    let env = TestEnv::new();
    make(&env, &[]);
    env.run("cp", ["-R", "made", "copied"]).succeeds();
    refuses(&env, shell, &path(&env, "copied"), "then moved or copied");
}

fn activates_a_relocatable_environment_wherever_it_is(shell: &'static Shell) {
    let env = TestEnv::new();
    make(&env, &["--relocatable"]);
    if matches!(
        shell.name,
        "dash" | "mksh" | "yash" | "busybox ash" | "tcsh"
    ) {
        return refuses(&env, shell, &path(&env, "made"), "does not know the path");
    }
    let mut at = env.at("made");
    fs::create_dir(env.at("moved")).unwrap();
    let mut places = vec!["made".to_owned()];
    places.extend(hostile::names().iter().map(|name| format!("moved/{name}")));
    for (index, place) in places.iter().enumerate() {
        let now = env.at(place);
        fs::rename(&at, &now).unwrap();
        at = now;
        // Each in a separate shell, but fewer in slow shells.
        if index > 5 && shell.grammar == Grammar::Xonsh {
            continue;
        }
        let steps = [
            Step::Record("before"),
            Step::Activate(at.to_str().unwrap()),
            Step::Record("active"),
            Step::Deactivate,
            Step::Record("after"),
        ];
        shell.run(&env, &steps).succeeds();
        let expected = activated(&environment(&env, "before"), at.to_str().unwrap(), "made");
        equal(&environment(&env, "active"), &expected, shell.name);
        same(&env, "before", "after", shell.name);
        fs::remove_dir_all(env.at("out")).unwrap();
        fs::create_dir(env.at("out")).unwrap();
    }
}

fn finds_a_relocatable_environment_by_a_relative_path(shell: &'static Shell) {
    let env = TestEnv::new();
    make(&env, &["--relocatable"]);
    let source = if shell.grammar == Grammar::Sh {
        "."
    } else {
        "source"
    };
    let file = shell.script_name();
    for (folder, relative) in [
        ("made", "bin/"),
        ("made/bin", "./"),
        ("made/lib", "../bin/"),
        ("made/lib", "../../made/bin/"),
    ] {
        // If CDPATH is set, cd prints the directory.
        let line = format!("{source} {relative}{file}");
        let steps = [Step::Line(&line), Step::Record("active")];
        shell
            .run(&env, &steps)
            .cwd(folder)
            .var("CDPATH", env.work())
            .succeeds();
        assert_eq!(
            environment(&env, "active")["VIRTUAL_ENV"],
            path(&env, "made"),
            "{relative} in {}",
            shell.name
        );
        fs::remove_dir_all(env.at("out")).unwrap();
        fs::create_dir(env.at("out")).unwrap();
    }
}

fn says_how_to_source_it_when_it_is_run(shell: &'static Shell) {
    let env = TestEnv::new();
    env.rvenv_for(newest(), ["--without-pip", "it's $HOME"])
        .succeeds();
    let file = path(&env, &format!("it's $HOME/bin/{}", shell.script_name()));
    let argv = shell.argv();
    let arguments = argv[1..].iter().chain([&file]);
    let (instead, quoted) = match shell.grammar {
        Grammar::Sh => (". '", r"it'\''s $HOME/bin/activate'"),
        Grammar::Csh => ("source '", r"it'\''s $HOME/bin/activate.csh'"),
        Grammar::Fish => ("source '", r"it\'s $HOME/bin/activate.fish'"),
        Grammar::Nu => ("overlay use", "this script must be sourced, not executed"),
        Grammar::Xonsh => ("source '", r"it\'s $HOME/bin/activate.xsh'"),
    };
    env.run(&argv[0], arguments).fails(1, &[instead, quoted]);
}
