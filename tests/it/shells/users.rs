//! Definitions of the user: aliases and functions with the names of commands that the scripts use, prompts and prompt hooks,
//! remembered commands, and environments of other tools. The scripts must neither run nor lose them.

use std::{fs::Permissions, os::unix::fs::PermissionsExt as _};

use fs_err as fs;

use super::{
    Grammar, Shell, Step, each_shell, named,
    state::{activated, environment, equal, same},
};
use crate::{env::TestEnv, harness::Case, interpreters::newest};

crate::harness::trials! {
    does_not_run_what_a_user_has_defined(each_shell),
    forgets_where_commands_were(each_shell),
    takes_over_from_the_scripts_of_venv(each_shell),
    a_prompt_hook_goes_on_working(with_hooks),
    a_prompt_of_the_user_is_drawn_with_the_statuses_of_the_command_line_and_comes_back(fish),
}

/// One environment in `env`, and `out`.
fn made(env: &TestEnv) -> String {
    env.rvenv_for(newest(), ["--without-pip", "env"]).succeeds();
    fs::create_dir(env.at("out")).unwrap();
    env.at("env").into_os_string().into_string().unwrap()
}

/// Names of commands, and how a user can redefine them in each shell.
fn definitions(shell: &Shell) -> String {
    let commands = [
        "cd", "printf", "echo", "hash", "unalias", "pwd", "basename", "dirname", "realpath",
        "command", "uname", "which",
    ];
    let keywords = ["unset", "export", "eval", "return", "exit"];
    match shell.grammar {
        Grammar::Sh => {
            let aliases = commands
                .iter()
                .chain(&keywords)
                .map(|name| format!("alias {name}='touch canary;'\n"));
            // In all shells functions override commands that are not special builtins; `unalias` only in bash and zsh.
            let functions = [
                "hash", "pwd", "basename", "dirname", "realpath", "uname", "which",
            ]
            .map(|name| format!("\\{name} () {{ touch canary; }}\n"));
            let expand = if shell.name == "bash" {
                "shopt -s expand_aliases\n"
            } else {
                ""
            };
            let own = functions.concat().replace('\\', "");
            format!("{own}{}{expand}", aliases.collect::<String>())
        }
        Grammar::Csh => ["test", "printf", "echo", "rehash", "sh", "pwd"]
            .map(|name| format!("alias {name} 'touch canary; false'\n"))
            .concat(),
        Grammar::Fish => commands
            .iter()
            .filter(|&&name| name != "command")
            .chain(&[
                "functions",
                "set_color",
                "source",
                ".",
                "contains",
                "path",
                "true",
                "false",
            ])
            .map(|name| format!("function {name}; touch canary; end\n"))
            // fish itself calls `source` to autoload a function.
            .chain(["function fish_prompt; end\n".to_owned()])
            .collect(),
        Grammar::Nu => ["ls", "cd", "print"]
            .map(|name| format!("def '{name}' [...rest] {{ touch canary }}\n"))
            .concat(),
        Grammar::Xonsh => ["print", "os", "sys", "env", "path"]
            .map(|name| format!("{name} = None\n"))
            .concat(),
    }
}

fn does_not_run_what_a_user_has_defined(shell: &'static Shell) {
    let env = TestEnv::new();
    let path = made(&env);
    // Recorded before and after the definitions, which would interfere with recording.
    let activate = match shell.grammar {
        Grammar::Sh => "\\. \"$ENV_0/bin/activate\"",
        Grammar::Csh => "source $ENV_0:q/bin/activate.csh",
        Grammar::Fish => "builtin source \"$ENV_0/bin/activate.fish\"",
        Grammar::Nu => &format!("overlay use '{path}/bin/activate.nu'"),
        Grammar::Xonsh => "source @($ENV_0 + '/bin/activate.xsh')",
    };
    let definitions = definitions(shell);
    let steps = [
        Step::Line(&definitions),
        Step::Line(activate),
        Step::Line("/usr/bin/env -0 > active"),
        Step::Deactivate,
        Step::Line("/usr/bin/env -0 > after"),
    ];
    // nushell needs an explicit conversion to write output to a file.
    let steps = if shell.grammar == Grammar::Nu {
        [
            Step::Line(&definitions),
            Step::Line(activate),
            Step::Line("^/usr/bin/env -0 | save --raw active"),
            Step::Deactivate,
            Step::Line("^/usr/bin/env -0 | save --raw after"),
        ]
    } else {
        steps
    };
    shell.run(&env, &steps).var("ENV_0", &path).succeeds();
    env.holds_only(["active", "after", "env", "out"]);
    let [active, after] = ["active", "after"].map(|name| fs::read_to_string(env.at(name)).unwrap());
    assert!(
        active.contains(&format!("\0VIRTUAL_ENV={path}\0")),
        "{}: {active:?}",
        shell.name
    );
    assert!(
        active.contains(&format!("PATH={path}/bin:")),
        "{}: {active:?}",
        shell.name
    );
    assert!(!after.contains("VIRTUAL_ENV"), "{}: {after:?}", shell.name);
    assert!(
        !after.contains(&format!("{path}/bin:")),
        "{}: {after:?}",
        shell.name
    );
}

/// A shell remembers where it found a command, but the environment has another one.
fn forgets_where_commands_were(shell: &'static Shell) {
    let env = TestEnv::new();
    let path = made(&env);
    for (folder, says) in [("usual", "usual"), ("env/bin", "env")] {
        fs::create_dir_all(env.at(folder)).unwrap();
        let tool = env.at(folder).join("tool");
        fs::write(&tool, format!("#!/bin/sh\necho {says}\n")).unwrap();
        fs::set_permissions(&tool, Permissions::from_mode(0o755)).unwrap();
    }
    let steps = [
        Step::Line("tool"),
        Step::Activate(&path),
        Step::Line("tool"),
        Step::Deactivate,
        Step::Line("tool"),
    ];
    let usual = env.at("usual");
    shell
        .run(&env, &steps)
        .var("PATH", format!("{}:/usr/bin:/bin", usual.display()))
        .prints("usual\nenv\nusual\n");
}

/// An environment of `python -m venv` is active. PYTHONHOME and PATH must be restored before they are saved.
fn takes_over_from_the_scripts_of_venv(shell: &'static Shell) {
    if matches!(shell.grammar, Grammar::Nu | Grammar::Xonsh) {
        return; // venv has no scripts for these
    }
    let env = TestEnv::new();
    let path = made(&env);
    let theirs = env.at("theirs").into_os_string().into_string().unwrap();
    env.run(
        &newest().executable,
        ["-m", "venv", "--without-pip", &theirs],
    )
    .succeeds();
    let prompt = match shell.grammar {
        Grammar::Sh => "PS1='$ '",
        Grammar::Csh => "set prompt = '> '",
        _ => "",
    };
    // Its csh script defines an alias that it never removes.
    let tidy = if shell.grammar == Grammar::Csh {
        "unalias pydoc"
    } else {
        ""
    };
    let steps = [
        Step::Line(prompt),
        Step::Record("before"),
        Step::Activate(&theirs),
        Step::Activate(&path),
        Step::Record("active"),
        Step::Deactivate,
        Step::Line(tidy),
        Step::Record("after"),
        Step::Activate(&path),
        Step::Activate(&theirs),
        Step::Deactivate,
        Step::Line(tidy),
        Step::Record("theirs"),
    ];
    shell.run(&env, &steps).succeeds();
    // Its sh script exports PS1 and does not undo that (gh-111501).
    let [before, active, after, theirs] = ["before", "active", "after", "theirs"].map(|name| {
        let mut variables = environment(&env, name);
        variables.remove("PS1");
        variables
    });
    equal(&active, &activated(&before, &path, "env"), shell.name);
    equal(&after, &before, shell.name);
    equal(&theirs, &before, shell.name);
}

/// The shells of the sh family that have prompt hooks.
fn with_hooks() -> Vec<Case<&'static Shell>> {
    named(&["bash", "zsh"])
}

fn a_prompt_hook_goes_on_working(shell: &'static Shell) {
    let (hook, draw) = if shell.name == "bash" {
        (
            "PROMPT_COMMAND='PS1=\"[${VIRTUAL_ENV_PROMPT-}]> \"'",
            "eval \"$PROMPT_COMMAND\"; echo \"${PS1@P}\"",
        )
    } else {
        (
            "precmd() { PS1=\"[${VIRTUAL_ENV_PROMPT-}]> \" }",
            "precmd; print -P -- \"$PS1\"",
        )
    };
    let env = TestEnv::new();
    let path = made(&env);
    let steps = [
        Step::Line(hook),
        Step::Activate(&path),
        Step::Line(draw),
        Step::Deactivate,
        Step::Line(draw),
    ];
    shell.run(&env, &steps).prints("[env]> \n[]> \n");
}

fn fish() -> Vec<Case<&'static Shell>> {
    named(&["fish"])
}

fn a_prompt_of_the_user_is_drawn_with_the_statuses_of_the_command_line_and_comes_back(
    shell: &'static Shell,
) {
    let env = TestEnv::new();
    let path = made(&env);
    let own = "function fish_prompt; echo -n \"$status:$pipestatus> \"; end\nfunction fail; return $argv[1]; end";
    let draw = "fail 3 | fail 4\nfish_prompt; echo\nfail 5\nfish_prompt; echo\nnot fail 6\nfish_prompt; echo";
    let steps = [
        Step::Line(own),
        Step::Record("before"),
        Step::Activate(&path),
        Step::Line(draw),
        Step::Deactivate,
        Step::Line(draw),
        Step::Record("after"),
        Step::Activate(&path),
        Step::Line("function fish_prompt; echo -n 'new> '; end"),
        Step::Deactivate,
        Step::Line("fish_prompt"),
    ];
    let alone = "4:3 4> \n5:5> \n0:6> \n";
    let run = shell.run(&env, &steps).var("TERM", "dumb");
    // After `not` both statuses cannot be restored.
    let active = "(env) 4:3 4> \n(env) 5:5> \n(env) 0:0> \n";
    run.prints(&format!("{active}{alone}new> "));
    same(&env, "before", "after", "fish");
}
