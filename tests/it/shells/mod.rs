//! Activation in the real shells. This module knows how to start each shell and its syntax; the expectations, which are the
//! same for all shells, are in the modules below.

mod drawn; // the displayed prompt
mod hostile; // names that a careless script would execute, split or lose
mod lifecycle; // variables set, empty and unset; twice; one on another
mod matrix; // every shell, every option, every name
mod moved; // environments that were moved, relocatable or not
mod powershell; // Activate.ps1, where there is a PowerShell
mod random; // random names
mod state; // recorded variables, functions and aliases
mod syntax; // the shells' own checkers
mod users; // definitions of the user are kept

use std::env;

use crate::{
    env::{PATH, Run, TestEnv},
    harness::{Case, Skip, Trials},
};

/// A shell, and how to use it.
pub(super) struct Shell {
    pub(super) name: &'static str,
    /// The program, and arguments with which it reads no configuration of the user.
    command: &'static [&'static str],
    pub(super) grammar: Grammar,
    /// Option lines: each is run first in a run of the matrix, like those of its grammar.
    options: &'static [&'static str],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grammar {
    Sh,
    Csh,
    Fish,
    Nu,
    Xonsh,
}

/// Options of every shell of the sh family.
const SH_OPTIONS: [&str; 7] = [
    ":",
    "set -u",
    "set -e",
    "set -eu",
    "set -euf",
    "set -euC; IFS=/a",
    // ksh93 exports some variables at the first command substitution, so do one before recording.
    "set -a; set -eu; : \"$(:)\"",
];

pub(super) static SHELLS: [Shell; 11] = [
    Shell {
        name: "bash",
        command: &["bash", "--norc", "--noprofile"],
        grammar: Grammar::Sh,
        options: &[
            "set +h; set -euo pipefail",
            "set -o posix; set -eu",
            "shopt -s expand_aliases nullglob failglob",
        ],
    },
    Shell {
        name: "zsh",
        command: &["zsh", "-f"],
        grammar: Grammar::Sh,
        options: &[
            "set +h; setopt ERR_EXIT NO_UNSET PIPE_FAIL",
            "emulate sh; set -eu",
            "emulate ksh; set -eu",
            "setopt KSH_ARRAYS SH_WORD_SPLIT GLOB_SUBST RC_EXPAND_PARAM",
            "setopt RC_QUOTES EXTENDED_GLOB NULL_GLOB",
            "setopt PROMPT_SUBST PROMPT_BANG WARN_CREATE_GLOBAL ERR_RETURN",
        ],
    },
    Shell {
        name: "dash",
        command: &["dash"],
        grammar: Grammar::Sh,
        options: &[],
    },
    Shell {
        name: "ksh93",
        command: &["ksh"],
        grammar: Grammar::Sh,
        options: &["set +h; set -euo pipefail"],
    },
    Shell {
        name: "mksh",
        command: &["mksh"],
        grammar: Grammar::Sh,
        options: &["set +h; set -euo pipefail", "set -o posix; set -eu"],
    },
    Shell {
        name: "yash",
        command: &["yash", "--noprofile", "--norcfile"],
        grammar: Grammar::Sh,
        options: &["set +h; set -eu -o pipefail", "set -eu --posix"],
    },
    Shell {
        name: "busybox ash",
        command: &["busybox", "ash"],
        grammar: Grammar::Sh,
        options: &["set -euo pipefail"],
    },
    Shell {
        name: "tcsh",
        command: &["tcsh", "-f"],
        grammar: Grammar::Csh,
        options: &["", "set backslash_quote", "set noglob noclobber"],
    },
    Shell {
        name: "fish",
        command: &["fish", "--no-config"],
        grammar: Grammar::Fish,
        options: &[""],
    },
    Shell {
        name: "nushell",
        command: &["nu", "-n"],
        grammar: Grammar::Nu,
        options: &[""],
    },
    Shell {
        name: "xonsh",
        command: &["xonsh", "--no-rc"],
        grammar: Grammar::Xonsh,
        options: &[""],
    },
];

/// A trial for each shell.
pub(super) fn each_shell() -> Vec<Case<&'static Shell>> {
    SHELLS.iter().map(Shell::case).collect()
}

/// A trial for each shell of these names.
pub(super) fn named(names: &[&str]) -> Vec<Case<&'static Shell>> {
    let shells = SHELLS.iter().filter(|shell| names.contains(&shell.name));
    shells.map(Shell::case).collect()
}

/// Lists the tests of the modules below.
pub(super) fn trials(list: &mut Trials) {
    drawn::trials(list);
    lifecycle::trials(list);
    matrix::trials(list);
    moved::trials(list);
    powershell::trials(list);
    random::trials(list);
    syntax::trials(list);
    users::trials(list);
}

/// A step of a script.
pub(super) enum Step<'a> {
    /// Records the variables of the shell and of its children to files of this name.
    Record(&'a str),
    /// Activates the environment at this path, which the script finds in a variable if it can.
    Activate(&'a str),
    Deactivate,
    /// A line in the syntax of the shell.
    Line(&'a str),
}

impl Shell {
    /// The trial with this shell, which CI machines must have.
    fn case(&'static self) -> Case<&'static Self> {
        let reason = || format!("no {} on PATH", self.name);
        let skip = match self.program() {
            Some(_) => None,
            // Homebrew has no busybox.
            None if cfg!(target_os = "macos") && self.name == "busybox ash" => {
                Some(Skip::Absent(reason()))
            }
            None => Some(Skip::Missing(reason())),
        };
        Case {
            label: self.name.replace(' ', "-"),
            value: self,
            skip,
        }
    }

    /// The path of the program.
    pub(super) fn program(&self) -> Option<std::path::PathBuf> {
        env::split_paths(&env::var_os("PATH")?)
            .map(|folder| folder.join(self.command[0]))
            .find(|file| file.is_file())
    }

    /// The program and its arguments.
    pub(super) fn argv(&self) -> Vec<String> {
        let program = self
            .program()
            .unwrap()
            .into_os_string()
            .into_string()
            .unwrap();
        let arguments = self.command[1..]
            .iter()
            .map(|&argument| argument.to_owned());
        [program].into_iter().chain(arguments).collect()
    }

    pub(super) fn options(&self) -> impl Iterator<Item = &'static str> {
        let shared: &[&str] = if self.grammar == Grammar::Sh {
            &SH_OPTIONS
        } else {
            &[]
        };
        shared.iter().chain(self.options).copied()
    }

    /// The name of the script that it sources.
    pub(super) fn script_name(&self) -> &'static str {
        match self.grammar {
            Grammar::Sh => "activate",
            Grammar::Csh => "activate.csh",
            Grammar::Fish => "activate.fish",
            Grammar::Nu => "activate.nu",
            Grammar::Xonsh => "activate.xsh",
        }
    }

    /// A run of a script with these steps. The directory `out` must exist.
    pub(super) fn run<'a>(&self, env: &'a TestEnv, steps: &[Step<'_>]) -> Run<'a> {
        let mut text = String::new();
        let mut vars = Vec::new();
        for step in steps {
            let line = match step {
                Step::Line(line) => (*line).to_owned(),
                Step::Record(file) => self.record(file),
                Step::Deactivate => "deactivate".to_owned(),
                Step::Activate(env_dir) => {
                    let name = format!("ENV_{}", vars.len());
                    let line = self.activate(&name, env_dir);
                    vars.push((name, (*env_dir).to_owned()));
                    line
                }
            };
            text.push_str(&line);
            text.push('\n');
        }
        let file = env.root().join(format!("script{}", self.extension()));
        fs_err::write(&file, text).unwrap();
        let argv = self.argv();
        let arguments = argv[1..]
            .iter()
            .map(String::as_str)
            .chain([file.to_str().unwrap()]);
        let run = env
            .run(&argv[0], arguments)
            .var("PATH", PATH)
            .var("OUT", env.at("out"));
        vars.iter()
            .fold(run, |run, (name, value)| run.var(name, value))
    }

    fn extension(&self) -> &'static str {
        match self.grammar {
            Grammar::Nu => ".nu",
            Grammar::Xonsh => ".xsh",
            _ => "",
        }
    }

    /// Activates the environment whose path is in a variable. nushell needs a literal path.
    fn activate(&self, variable: &str, env_dir: &str) -> String {
        match self.grammar {
            Grammar::Sh => format!(". \"${variable}/bin/activate\""),
            Grammar::Csh => format!("source ${variable}:q/bin/activate.csh"),
            Grammar::Fish => format!("source \"${variable}/bin/activate.fish\""),
            Grammar::Nu => format!("overlay use r######'{env_dir}/bin/activate.nu'######"),
            Grammar::Xonsh => format!("source @(${variable} + '/bin/activate.xsh')"),
        }
    }

    /// Writes the environment of a child, the variables, and the functions and aliases.
    fn record(&self, file: &str) -> String {
        match self.grammar {
            Grammar::Sh => format!(
                "/usr/bin/env -0 > \"$OUT/{file}.env\"\n\
                 set > \"$OUT/{file}.variables\"\n\
                 {{ typeset -f; alias; }} > \"$OUT/{file}.names\" 2> /dev/null || :"
            ),
            Grammar::Csh => format!(
                "/usr/bin/env -0 > $OUT/{file}.env\n\
                 set > $OUT/{file}.variables\n\
                 alias > $OUT/{file}.names"
            ),
            Grammar::Fish => format!(
                "/usr/bin/env -0 > $OUT/{file}.env\n\
                 set > $OUT/{file}.variables\n\
                 functions -a > $OUT/{file}.names\n\
                 functions fish_prompt | string match -v '#*' >> $OUT/{file}.names"
            ),
            Grammar::Nu => format!(
                "^/usr/bin/env -0 | save --raw $'($env.OUT)/{file}.env'\n\
                 $env | columns | sort | to text | save $'($env.OUT)/{file}.variables'\n\
                 [(overlay list | where active).name (scope aliases).name (scope commands | where type == custom).name]\n\
                 | flatten | to text | save $'($env.OUT)/{file}.names'"
            ),
            Grammar::Xonsh => format!(
                "/usr/bin/env -0 > @($OUT + '/{file}.env')\n\
                 with open($OUT + '/{file}.variables', 'w') as _f: _ = _f.write(repr(sorted(set(globals()) - {{'_', '_f'}})))\n\
                 with open($OUT + '/{file}.names', 'w') as _f: _ = _f.write(repr(sorted(aliases)))"
            ),
        }
    }
}
