//! Random names, as a directory and as a prompt: every shell sees them unchanged.

use fs_err as fs;
use proptest::strategy::Strategy as _;

use super::{Grammar, Shell, each_shell, matrix};
use crate::{env::TestEnv, harness::whole, interpreters::newest, random};

crate::harness::trials! {
    carries_any_name(each_shell, part),
}

/// How many names a shell is tested with. xonsh takes half a second for each.
fn count(shell: &Shell) -> usize {
    let all = if shell.grammar == Grammar::Xonsh {
        20
    } else {
        60
    };
    if whole() { all } else { all / 10 }
}

fn carries_any_name(shell: &'static Shell) {
    let env = TestEnv::new();
    let names = (random::name(), random::name());
    // xonsh always expands a `~` after a `=` in an entry of PATH; the script reports an error.
    let is_xonsh = shell.grammar == Grammar::Xonsh;
    let names = names.prop_map(move |(name, prompt)| {
        let accepted = |name: String| name.replace("=~", "=").replace('$', "");
        (if is_xonsh { accepted(name) } else { name }, prompt)
    });
    random::check(&names, count(shell), |names| {
        env.reset();
        fs::create_dir(env.at("out")).unwrap();
        fs::create_dir(env.at("envs")).unwrap();
        let environments: Vec<_> = names
            .iter()
            .enumerate()
            .map(|(index, (name, prompt))| {
                let path = env.at("envs").join(format!("{name}{index}"));
                let path = path.to_str().unwrap().to_owned();
                let prompt_option = format!("--prompt={prompt}");
                let args = ["--without-pip", &prompt_option, "--", &path];
                env.rvenv_for(newest(), args).succeeds();
                (path, prompt.clone())
            })
            .collect();
        let options = match shell.grammar {
            Grammar::Sh => "set -eu",
            _ => "",
        };
        matrix::check(&env, shell, options, &environments);
        env.holds_only(["envs", "out"]);
    });
}
