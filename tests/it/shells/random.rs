//! Any string at all, drawn from the characters that have a meaning somewhere, as a folder and as a prompt.

use super::{Grammar, Shell, each_shell, matrix};
use crate::{env::TestEnv, harness::full, interpreters::newest};

crate::harness::trials! {
    carries_any_name(each_shell),
}

/// What strings are made of: single characters, and pieces that mean something only as a whole.
const PIECES: [&str; 62] = [
    "a",
    "B",
    "7",
    " ",
    "  ",
    "\t",
    "\n",
    "!",
    "!!",
    "\"",
    "#",
    "$",
    "$$",
    "$HOME",
    "${x}",
    "$(touch canary)",
    "%",
    "%%",
    "%n",
    "%(",
    "&",
    "&&",
    "'",
    "''",
    "(",
    ")",
    "*",
    "**",
    "+",
    ",",
    "-",
    ".",
    "..",
    ";",
    "<",
    ">",
    ">>canary",
    "=",
    "=~",
    "?",
    "@",
    "[",
    "]",
    "\\",
    "\\\\",
    "\\n",
    "\\x1b[0m",
    "^",
    "_",
    "`",
    "`touch canary`",
    "{",
    "}",
    "{{ PROMPT }}",
    "{{",
    "|",
    "~",
    "\u{7f}",
    "é",
    "環",
    "\u{2018}",
    "😀",
];

/// How many strings a shell is given; xonsh takes half a second for each.
fn strings(shell: &Shell) -> usize {
    let all = if shell.grammar == Grammar::Xonsh {
        20
    } else {
        60
    };
    if full() { all } else { all / 10 }
}

/// The same numbers in each run, so that a failure can be looked at again; `RVENV_TEST_SEED` gives others.
struct Numbers(u64);

impl Numbers {
    /// A number below `limit`, by splitmix64.
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) >> 8).unwrap() % limit
    }

    fn string(&mut self) -> String {
        let length = 1 + self.below(12);
        (0..length)
            .map(|_| PIECES[self.below(PIECES.len())])
            .collect()
    }
}

fn carries_any_name(shell: &'static Shell) {
    let seed = std::env::var("RVENV_TEST_SEED").map_or(1, |seed| seed.parse().unwrap());
    let mut numbers = Numbers(seed);
    let env = TestEnv::new();
    fs_err::create_dir(env.at("out")).unwrap();
    fs_err::create_dir(env.at("envs")).unwrap();
    let mut environments = Vec::new();
    while environments.len() < strings(shell) {
        let (mut name, prompt) = (numbers.string(), numbers.string());
        // xonsh expands a `~` that follows a `=` in a folder on PATH, which nothing keeps it from; the script says so.
        if shell.grammar == Grammar::Xonsh {
            name = name.replace("=~", "=").replace('$', "");
        }
        let path = env
            .at("envs")
            .join(format!("{name}{}", environments.len()))
            .into_os_string()
            .into_string()
            .unwrap();
        env.rvenv_for(
            newest(),
            ["--without-pip", &format!("--prompt={prompt}"), "--", &path],
        )
        .succeeds();
        environments.push((
            path,
            if prompt == "." {
                "work".to_owned()
            } else {
                prompt
            },
        ));
    }
    let options = match shell.grammar {
        Grammar::Sh => "set -eu",
        _ => "",
    };
    matrix::check(&env, shell, options, &environments);
    env.holds_only(["envs", "out"]);
}
