//! Names that a careless script would execute, split, expand or lose. Each runs `touch canary` if it is executed.

use crate::{env::TestEnv, harness::some, interpreters::newest};

/// Names of directories and prompts.
pub(super) const NAMES: [&str; 42] = [
    // The worst: each breaks something that the others do not.
    "$(touch canary)",         // a command, where `$` means something
    "`touch canary`",          // and where it is in backquotes
    "'\"'\"",                  // both quotes
    "back\\slash",             // an escape
    "new\nline",               // the end of a line
    " lead and trail ",        // words, and an end that is trimmed
    "!!x!touch!$",             // history
    "%n%~%F{red}%(!.a.b)%1<<", // escapes of prompts
    "-dash",                   // an option
    "héß 環境 😀 \u{2019}",    // other bytes than ASCII, and a quote of PowerShell
    // The others.
    "plain",
    "two words",
    "it's",
    "''",
    "say \"hi\"",
    "a\"b",
    "$HOME",
    "${HOME}",
    "a`",
    "$((1+1))$[1]",
    "a;touch canary;",
    "a&touch canary&",
    "a|touch canary",
    "a>canary",
    "(touch canary)",
    "<(touch canary)",
    "hey!",
    "100%",
    "\\",
    "a\\\\n\\",
    "\\033[1m\\u\\w\\$",
    "\n",
    "*",
    "[a-z]?",
    "~",
    "~root",
    "{a,b}",
    "{{ PROMPT }}",
    "#comment",
    "=ls^caret^",
    "tab\there",
    "r#'raw'#",
];

/// All names, of which the quick tier takes the worst.
pub(super) fn names() -> &'static [&'static str] {
    some(&NAMES, 10)
}

/// Creates clones in directories of these names, which are also the prompts. Returns the path and the prompt of each. Each is a clone of
/// the previous one, so that every name must also be replaced.
pub(super) fn clones(env: &TestEnv, names: &[&str]) -> Vec<(String, String)> {
    let mut source = env.at("first");
    env.rvenv_for(newest(), ["--without-pip", "first"])
        .succeeds();
    let mut made = Vec::new();
    for &name in names {
        let path = env.at("clones").join(name);
        env.rvenv(["--clone".as_ref(), source.as_os_str(), path.as_os_str()])
            .succeeds();
        source.clone_from(&path);
        let path = path.into_os_string().into_string().unwrap();
        made.push((path, name.to_owned()));
    }
    made
}

/// Creates environments in directories of these names, which are also the prompts, and one without a prompt. Returns the path and the
/// prompt of each.
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
