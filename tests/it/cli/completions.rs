//! `--completions` and `--man`, with the real shells and groff.

use fs_err as fs;

use crate::env::{PATH, TestEnv};
use crate::needs::on_path;

crate::harness::trials! {
    every_option_is_completed_in_every_shell,
    bash_completes needs [BASH],
    zsh_completes needs [ZSH],
    fish_completes needs [FISH],
    elvish_completes needs [ELVISH],
    nushell_completes needs [NUSHELL],
    powershell_completes needs [POWERSHELL],
    the_man_page_is_right_and_says_every_option needs [GROFF],
}

const SHELLS: [&str; 6] = ["bash", "zsh", "fish", "powershell", "elvish", "nushell"];

/// The script of a shell, in a file.
fn script(env: &TestEnv, shell: &str) -> String {
    let text = env.rvenv(["--completions", shell]).stdout();
    let path = env.root().join(format!("completions.{shell}"));
    fs::write(&path, text).unwrap();
    path.into_os_string().into_string().unwrap()
}

fn every_option_is_completed_in_every_shell() {
    let env = TestEnv::new();
    for shell in SHELLS {
        let text = env.rvenv(["--completions", shell]).stdout();
        for option in [
            "system-site-packages",
            "upgrade-deps",
            "requirements",
            "warm-cache",
        ] {
            assert!(text.contains(option), "{shell}: {option}");
        }
        // No Python is queried and nothing is created.
        env.holds_only([]);
    }
    env.rvenv(["--completions", "pwsh"])
        .outcome()
        .expect_code(0);
    env.rvenv(["--completions", "tcsh"])
        .fails(2, &["tcsh", "nushell"]);
    env.rvenv(["--completions", "bash", "env"])
        .fails(2, &["--completions"]);
}

fn bash_completes() {
    let bash = "bash";
    let env = TestEnv::new();
    let file = script(&env, "bash");
    let test = "set -eu; . \"$1\"; complete -p rvenv > /dev/null\n\
                COMP_WORDS=(rvenv --relo); COMP_CWORD=1; COMPREPLY=()\n\
                _rvenv rvenv --relo rvenv; echo \"${COMPREPLY[@]}\"\n\
                COMP_WORDS=(rvenv --seeder w); COMP_CWORD=2; COMPREPLY=()\n\
                _rvenv rvenv w --seeder; echo \"${COMPREPLY[@]}\"";
    let args = ["--norc", "-c", test, "bash", &file];
    env.run(bash, args).prints("--relocatable\nwheel\n");
}

fn zsh_completes() {
    let zsh = on_path("zsh").unwrap();
    let env = TestEnv::new();
    let file = script(&env, "zsh");
    env.run(&zsh, ["-f", "-n", &file]).succeeds();
    let folder = env.root().join("functions");
    fs::create_dir(&folder).unwrap();
    fs::copy(&file, folder.join("_rvenv")).unwrap();
    // compinit detects it by its first line and assigns it to the command.
    let test = "fpath=($1 $fpath); autoload -Uz compinit; compinit -u -d $2; print -r -- $_comps[rvenv]\n\
                autoload +X _rvenv && print loaded";
    let dump = env.root().join("zcompdump");
    let args = [
        "-f",
        "-c",
        test,
        "zsh",
        folder.to_str().unwrap(),
        dump.to_str().unwrap(),
    ];
    env.run(zsh, args).prints("_rvenv\nloaded\n");
}

fn fish_completes() {
    let fish = on_path("fish").unwrap();
    let env = TestEnv::new();
    let file = script(&env, "fish");
    env.run(&fish, ["--no-config", "--no-execute", &file])
        .succeeds();
    let test = format!("source {file}; complete -C 'rvenv --relo'; complete -C 'rvenv --seeder w'");
    let said = env.run(fish, ["--no-config", "-c", &test]).stdout();
    assert!(said.contains("--relocatable\t"), "{said}");
    assert!(said.contains("wheel\t"), "{said}");
}

fn elvish_completes() {
    let elvish = on_path("elvish").unwrap();
    let env = TestEnv::new();
    let file = script(&env, "elvish");
    // `edit:` exists only in interactive shells; everything else is compiled.
    let text = fs::read_to_string(&file).unwrap();
    assert!(
        text.contains("edit:completion:arg-completer[rvenv]"),
        "{text}"
    );
    fs::write(&file, text.replace("edit:", "E:edit-")).unwrap();
    env.run(elvish, ["-norc", "-compileonly", &file]).succeeds();
}

fn nushell_completes() {
    let nu = on_path("nu").unwrap();
    let env = TestEnv::new();
    let file = script(&env, "nushell");
    let check = format!("if (nu-check {file}) {{ print parsed }}");
    env.run(&nu, ["-n", "-c", &check]).prints("parsed\n");
    let test = format!("source {file}; scope commands | where name == 'rvenv' | length | print");
    env.run(nu, ["-n", "-c", &test]).prints("1\n");
}

fn powershell_completes() {
    let pwsh = on_path("pwsh").unwrap();
    let env = TestEnv::new();
    // groff must not include other files.
    let file = script(&env, "powershell");
    fs::rename(&file, format!("{file}.ps1")).unwrap();
    let test = format!(
        ". {file}.ps1; foreach ($line in 'rvenv --relo', 'rvenv --system-s', 'rvenv -') {{\
         (TabExpansion2 $line $line.Length).CompletionMatches[0].CompletionText }}"
    );
    let args = [
        "-NoLogo",
        "-NoProfile",
        "-NonInteractive",
        "-Command",
        &test,
    ];
    let said = env.run(pwsh, args).stdout();
    let completed: Vec<_> = said.lines().collect();
    assert_eq!(completed[..2], ["--relocatable", "--system-site-packages"]);
    assert!(completed[2].starts_with('-'), "{said}");
}

fn the_man_page_is_right_and_says_every_option() {
    let env = TestEnv::new();
    let page = env.rvenv(["--man"]).stdout();
    let file = env.root().join("rvenv.1");
    fs::write(&file, &page).unwrap();
    let help = env.rvenv(["--help"]).stdout();
    let plain = page.replace("\\-", "-");
    for word in help.split(|c: char| c.is_whitespace() || c == ',') {
        if word.starts_with("--") {
            assert!(plain.contains(word), "{word} is not in\n{plain}");
        }
    }
    let groff = on_path("groff").unwrap();
    let args = ["-man", "-Tutf8", "-ww", "-z", file.to_str().unwrap()];
    env.run(groff, args).var("PATH", PATH).succeeds();
    env.rvenv(["--man", "env"]).fails(2, &["--man"]);
    env.holds_only([]);
}
