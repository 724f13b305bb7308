//! The environment variables of a shell and its children, recorded by a script.

use std::{collections::BTreeMap, path::Path};

use fs_err as fs;

use crate::env::TestEnv;

/// The environment of a child.
pub(super) type Variables = BTreeMap<String, String>;

/// The recorded environment of a child with this name, without variables that the shell sets for itself, such as the last command.
pub(super) fn environment(env: &TestEnv, name: &str) -> Variables {
    let file = env.at("out").join(format!("{name}.env"));
    let bytes = fs::read(file).unwrap();
    String::from_utf8(bytes)
        .unwrap()
        .split_terminator('\0')
        .map(|entry| entry.split_once('=').unwrap())
        .filter(|(variable, _)| {
            !matches!(
                *variable,
                "_" | "A__z" | "CURRENT_FILE" | "FILE_PWD" | "LAST_EXIT_CODE"
            ) && !variable.starts_with("ENV_")
        })
        .map(|(variable, value)| (variable.to_owned(), value.to_owned()))
        .collect()
}

/// What children must see while the environment is active.
pub(super) fn activated(before: &Variables, env_dir: &str, prompt: &str) -> Variables {
    let mut expected = before.clone();
    let bin = format!("{env_dir}/bin");
    let path = match before.get("PATH").filter(|path| !path.is_empty()) {
        Some(path) => format!("{bin}:{path}"),
        None => bin,
    };
    expected.insert("PATH".to_owned(), path);
    expected.insert("VIRTUAL_ENV".to_owned(), env_dir.to_owned());
    expected.insert("VIRTUAL_ENV_PROMPT".to_owned(), prompt.to_owned());
    expected.remove("PYTHONHOME");
    expected
}

/// Fails unless both are the same; says where they differ.
#[track_caller]
pub(super) fn equal(seen: &Variables, expected: &Variables, told: &str) {
    let lines = |all: &Variables, others: &Variables| -> Vec<String> {
        all.iter()
            .filter(|&(variable, value)| others.get(variable) != Some(value))
            .map(|(variable, value)| format!("{variable}={value:?}"))
            .collect()
    };
    assert_eq!(
        lines(seen, expected),
        lines(expected, seen),
        "the environment {told}"
    );
}

/// Fails unless children and the shell itself see the same under both names.
#[track_caller]
pub(super) fn same(env: &TestEnv, before: &str, after: &str, told: &str) {
    equal(&environment(env, after), &environment(env, before), told);
    for kind in ["variables", "names"] {
        let [old, new] =
            [before, after].map(|name| settled(&env.at("out").join(format!("{name}.{kind}"))));
        assert_eq!(new, old, "{kind} {told}");
    }
}

/// The lines of a list of variables, without variables that change by themselves.
fn settled(file: &Path) -> Vec<String> {
    let changing = [
        "_",
        "BASH_ARGC",
        "BASH_ARGV",
        "BASH_LINENO",
        "BASH_SOURCE",
        "EPOCHREALTIME",
        "EPOCHSECONDS",
        "FUNCNAME",
        "KSH_MATCH",
        "LAST_EXIT_CODE",
        "LINENO",
        "PIPESTATUS",
        "RANDOM",
        "SECONDS",
        "SRANDOM",
        "TTYIDLE",
        "_p9k_",
        "pipestatus",
        "status",
        "history",
        "CMD_DURATION",
        "RETVAL",
        "'?'",
        "?",
    ];
    String::from_utf8_lossy(&fs::read(file).unwrap())
        .lines()
        .filter(|line| !changing.contains(&line.split(['=', ' ', '\t']).next().unwrap()))
        .map(str::to_owned)
        .collect()
}
