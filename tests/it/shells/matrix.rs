//! Activates environments of every name in every shell with every option. Children must see exactly the changes of
//! activation, deactivation must undo them, nothing may be printed, and no part of a name may be executed.

use super::{
    Grammar, Shell, Step, each_shell, hostile,
    state::{activated, environment, equal, same},
};
use crate::{env::TestEnv, harness::some};

crate::harness::trials! {
    activates_and_leaves(each_shell, part),
    activates_and_leaves_clones(each_shell, part),
}

fn activates_and_leaves(shell: &'static Shell) {
    let env = TestEnv::new();
    fs_err::create_dir(env.at("out")).unwrap();
    let environments = hostile::environments(&env, hostile::names());
    let mut options: Vec<_> = shell.options().collect();
    // The options that only one shell has, and the last of the others, are the strictest.
    options.reverse();
    for options in some(&options, 2) {
        check(&env, shell, options, &environments);
        fs_err::remove_dir_all(env.at("out")).unwrap();
        fs_err::create_dir(env.at("out")).unwrap();
    }
    env.holds_only(["envs", "out"]);
}

fn activates_and_leaves_clones(shell: &'static Shell) {
    let env = TestEnv::new();
    fs_err::create_dir(env.at("out")).unwrap();
    let mut names = hostile::names();
    if shell.grammar == Grammar::Xonsh {
        // xonsh needs a second for each.
        names = &names[..10];
    }
    let environments = hostile::clones(&env, names);
    let options = shell.options().last().unwrap();
    check(&env, shell, options, &environments);
    env.holds_only(["clones", "first", "out"]);
}

/// Activates and leaves each of the environments, one after the other in one shell.
pub(super) fn check(
    env: &TestEnv,
    shell: &Shell,
    options: &str,
    environments: &[(String, String)],
) {
    let files: Vec<_> = (0..environments.len())
        .map(|index| (format!("active{index}"), format!("after{index}")))
        .collect();
    let mut steps = vec![
        Step::Line(options),
        Step::Line(variables(shell)),
        Step::Record("before"),
    ];
    for ((path, _), (active, after)) in environments.iter().zip(&files) {
        steps.extend([
            Step::Activate(path),
            Step::Record(active),
            Step::Deactivate,
            Step::Record(after),
        ]);
    }
    shell.run(env, &steps).succeeds();

    let before = environment(env, "before");
    for ((path, prompt), (active, after)) in environments.iter().zip(&files) {
        let told = format!(
            "of {path:?} with prompt {prompt:?} in {} after {options:?}",
            shell.name
        );
        let mut seen = environment(env, active);
        let mut expected = activated(&before, path, prompt);
        // `set -a` exports everything, including PS1 and the saved values.
        if options.contains("set -a") {
            for variables in [&mut seen, &mut expected] {
                variables.retain(|name, _| {
                    name != "PS1"
                        && !name.starts_with("_OLD_VIRTUAL")
                        && !name.starts_with("BASH_FUNC_deactivate")
                });
            }
        }
        equal(&seen, &expected, &told);
        same(env, "before", after, &told);
    }
}

/// Variables that are set when the environment is activated. xonsh itself would not start with this PYTHONHOME.
fn variables(shell: &Shell) -> &'static str {
    match shell.grammar {
        Grammar::Sh => "PS1='$ '; export PYTHONHOME=/python/home",
        Grammar::Csh => "set prompt = '> '; setenv PYTHONHOME /python/home",
        Grammar::Fish => "set -gx PYTHONHOME /python/home",
        Grammar::Nu => "$env.PYTHONHOME = '/python/home'",
        Grammar::Xonsh => "$PYTHONHOME = '/python/home'",
    }
}
