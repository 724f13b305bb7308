//! The prompt that the shell displays is `(name) ` and the user's own, for every name and shell option, and displaying it
//! executes nothing.

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use super::{Grammar, Shell, Step, each_shell, hostile};
use crate::{
    env::{PATH, TestEnv},
    interpreters::newest,
};

crate::harness::trials! {
    draws_the_name(each_shell, part),
}

fn draws_the_name(shell: &'static Shell) {
    let env = TestEnv::new();
    fs_err::create_dir(env.at("out")).unwrap();
    let environments = hostile::environments(&env, hostile::names());
    let modes: &[&str] = match shell.name {
        "bash" => &[":", "set -o posix"],
        "zsh" => &[
            ":",
            "setopt PROMPT_SUBST",
            "setopt PROMPT_BANG",
            "setopt PROMPT_SUBST PROMPT_BANG",
            "emulate sh",
            "emulate ksh",
        ],
        _ => &[""],
    };
    for mode in modes {
        let drawn = match shell.grammar {
            Grammar::Sh | Grammar::Csh => on_a_terminal(&env, shell, mode, &environments),
            Grammar::Fish | Grammar::Nu | Grammar::Xonsh => as_told(&env, shell, &environments),
        };
        for ((_, name), drawn) in environments.iter().zip(drawn) {
            // It can be detected since 1.36. Older versions cannot be distinguished from dash: they interpret backslashes in the
            // value of a variable as escapes, but execute nothing.
            if name.contains('\\') && shell.name == "busybox ash" {
                continue;
            }
            assert_eq!(
                drawn,
                format!("({name}) "),
                "in {} after {mode:?}",
                shell.name
            );
        }
    }
    env.holds_only(["envs", "out"]);
}

/// What an interactive shell writes.
fn on_a_terminal(
    env: &TestEnv,
    shell: &Shell,
    mode: &str,
    environments: &[(String, String)],
) -> Vec<String> {
    let (setup, started) = match shell.name {
        "bash" => (format!("{mode}; PS1=EN\"\"D"), "printf 'STA''RT\\n'"),
        "zsh" => (
            format!("{mode}; unsetopt ZLE PROMPT_CR PROMPT_SP; PS1=EN\"\"D"),
            "printf 'STA''RT\\n'",
        ),
        "tcsh" => (
            "unset edit; set prompt = EN\"\"D".to_owned(),
            "printf 'STA''RT\\n'",
        ),
        _ => ("PS1=EN\"\"D".to_owned(), "printf 'STA''RT\\n'"),
    };
    let variable = |index: usize| format!("ENV_{index}");
    let lines: Vec<_> = (0..environments.len())
        .map(|index| format!("{}; {started}", shell.activate(&variable(index), "")))
        .collect();
    let mut argv = shell.argv();
    argv.insert(
        if shell.name == "busybox ash" { 2 } else { 1 },
        "-i".to_owned(),
    );
    if shell.name == "bash" {
        argv.push("--noediting".to_owned());
        argv.swap_remove(1);
        argv.push("-i".to_owned());
    }
    let task = serde_json::json!({ "argv": argv, "setup": [format!("{setup}; {started}")], "lines": lines });
    let file = env.root().join("draw.py");
    fs_err::write(&file, include_str!("draw.py")).unwrap();
    let mut child = Command::new(&newest().executable)
        .arg(&file)
        .current_dir(env.work())
        .env_clear()
        .env("PATH", PATH)
        .env("HOME", env.root().join("home"))
        .env("TERM", "dumb")
        .env("LC_ALL", "C.UTF-8")
        .envs(
            environments
                .iter()
                .enumerate()
                .map(|(index, (path, _))| (variable(index), path)),
        )
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(task.to_string().as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "{} after {mode:?}: no prompt",
        shell.name
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The result of the shell's prompt function, which is displayed unchanged.
fn as_told(env: &TestEnv, shell: &Shell, environments: &[(String, String)]) -> Vec<String> {
    let (setup, show) = match shell.grammar {
        Grammar::Fish => ("function fish_prompt; end", "fish_prompt; printf '\\0'"),
        Grammar::Nu => (
            "$env.PROMPT_COMMAND = {|| '' }",
            "print --no-newline ((do $env.PROMPT_COMMAND) + (char --integer 0))",
        ),
        _ => (
            "$PROMPT = '{env_name}'",
            "$PROMPT_FIELDS.reset(); print(__xonsh__.shell.shell.prompt, end='\\0')",
        ),
    };
    let mut steps = vec![Step::Line(setup)];
    for (path, _) in environments {
        steps.extend([Step::Activate(path), Step::Line(show)]);
    }
    let text = shell.run(env, &steps).var("TERM", "dumb").stdout();
    text.split_terminator('\0').map(str::to_owned).collect()
}
