//! Names that a careless script would run, split, expand or lose. Each runs `touch canary` where it can be run.

use crate::{env::TestEnv, harness::full, interpreters::newest};

/// What a folder or a prompt can be called.
pub(super) const NAMES: [&str; 42] = [
    "plain",
    "two words",
    " lead and trail ",
    "it's",
    "''",
    "say \"hi\"",
    "a\"b",
    "'\"'\"",
    "$HOME",
    "${HOME}",
    "$(touch canary)",
    "`touch canary`",
    "a`",
    "$((1+1))$[1]",
    "a;touch canary;",
    "a&touch canary&",
    "a|touch canary",
    "a>canary",
    "(touch canary)",
    "<(touch canary)",
    "hey!",
    "!!x!touch!$",
    "100%",
    "%n%~%F{red}%(!.a.b)%1<<",
    "back\\slash",
    "\\",
    "a\\\\n\\",
    "\\033[1m\\u\\w\\$",
    "new\nline",
    "\n",
    "*",
    "[a-z]?",
    "-dash",
    "~",
    "~root",
    "{a,b}",
    "{{ PROMPT }}",
    "#comment",
    "=ls^caret^",
    "tab\there",
    "r#'raw'#",
    "héß 環境 😀 \u{2019}",
];

/// All names, of which the quick tier takes every seventh.
pub(super) fn names() -> Vec<&'static str> {
    let step = if full() { 1 } else { 7 };
    NAMES.into_iter().skip(step / 2).step_by(step).collect()
}

/// Environments in folders of these names, which are then the prompts too, and one without any: path and prompt of each.
pub(super) fn environments(env: &TestEnv, names: &[&str]) -> Vec<(String, String)> {
    let path = |name: &str| {
        env.at("envs")
            .join(name)
            .into_os_string()
            .into_string()
            .unwrap()
    };
    let mut made: Vec<_> = names
        .iter()
        .map(|&name| (path(name), name.to_owned()))
        .collect();
    let args = ["--without-pip", "--"]
        .into_iter()
        .chain(made.iter().map(|(path, _)| path.as_str()));
    env.rvenv_for(newest(), args).succeeds();
    made.push((path("without a prompt"), String::new()));
    env.rvenv_for(
        newest(),
        ["--without-pip", "--prompt=", &made[made.len() - 1].0],
    )
    .succeeds();
    made
}
