//! Deactivation restores everything: variables that were set, empty or unset, also if environments were activated twice or
//! one after the other, with or without a prompt.

use super::{
    Grammar, Shell, Step, each_shell, hostile,
    state::{activated, environment, equal, same},
};
use crate::{env::TestEnv, harness::some};

crate::harness::trials! {
    puts_back_set_empty_and_unset_variables(each_shell, part),
    ends_clean_after_many_activations(each_shell),
    is_as_inherited_below_an_activated_shell(each_shell),
    leaves_the_prompt_alone_when_told_to(each_shell),
}

fn puts_back_set_empty_and_unset_variables(shell: &'static Shell) {
    for variable in [
        "PYTHONHOME",
        "VIRTUAL_ENV",
        "VIRTUAL_ENV_PROMPT",
        "PATH",
        "PS1",
    ] {
        for &value in some(&[None, Some(""), Some("/of/the user")], 1) {
            // fish and nushell treat an empty or unset PATH in their own ways.
            if variable == "PATH"
                && value.is_none_or(str::is_empty)
                && matches!(shell.grammar, Grammar::Fish | Grammar::Nu)
            {
                continue;
            }
            let env = TestEnv::new();
            let [(path, prompt), ..] = &environments(&env, &["env"])[..] else {
                unreachable!()
            };
            let steps = [
                Step::Line(&assignment(shell, variable, value)),
                Step::Record("before"),
                Step::Activate(path),
                Step::Record("active"),
                Step::Deactivate,
                Step::Record("after"),
            ];
            shell.run(&env, &steps).succeeds();
            let told = format!("in {} with {variable} {value:?}", shell.name);
            equal(
                &environment(&env, "active"),
                &activated(&environment(&env, "before"), path, prompt),
                &told,
            );
            same(&env, "before", "after", &told);
        }
    }
}

/// Gives an exported variable a value, or none.
fn assignment(shell: &Shell, variable: &str, value: Option<&str>) -> String {
    // PS1 is csh's `prompt`; in the others there is no variable of the kind.
    let prompt = variable == "PS1";
    match (shell.grammar, value) {
        (Grammar::Sh, None) => format!("unset {variable}"),
        (Grammar::Sh, Some(value)) if prompt => format!("{variable}='{value}'"),
        (Grammar::Sh, Some(value)) => format!("export {variable}='{value}'"),
        (Grammar::Csh, None) if prompt => "unset prompt".to_owned(),
        (Grammar::Csh, Some(value)) if prompt => format!("set prompt = '{value}'"),
        (Grammar::Csh, None) => format!("unsetenv {variable}"),
        (Grammar::Csh, Some(value)) => format!("setenv {variable} '{value}'"),
        (Grammar::Fish, None) => format!("set -e {variable}"),
        (Grammar::Fish, Some(value)) => format!("set -gx {variable} '{value}'"),
        (Grammar::Nu, None) => format!("hide-env -i {variable}"),
        (Grammar::Nu, Some(value)) if variable == "PATH" => format!("$env.PATH = ['{value}']"),
        (Grammar::Nu, Some(value)) => format!("$env.{variable} = '{value}'"),
        (Grammar::Xonsh, None) => format!("_ = ${{...}}.pop('{variable}', None)"),
        (Grammar::Xonsh, Some(value)) => format!("${variable} = '{value}'"),
    }
}

/// Activates an environment twice, then another one, then the first again; then `deactivate nondestructive` and `deactivate`.
fn ends_clean_after_many_activations(shell: &'static Shell) {
    let env = TestEnv::new();
    let made = environments(&env, &["one", "two $HOME"]);
    let (one, two) = (&made[0], &made[1]);
    let mut steps = vec![
        Step::Line(set_all(shell)),
        Step::Record("before"),
        Step::Activate(&one.0),
        Step::Record("first"),
        Step::Activate(&one.0),
        Step::Record("again"),
        Step::Activate(&two.0),
        Step::Record("second"),
        Step::Activate(&one.0),
        Step::Record("third"),
    ];
    if shell.grammar != Grammar::Nu {
        steps.push(Step::Line("deactivate nondestructive"));
    }
    steps.extend([Step::Deactivate, Step::Record("after")]);
    shell.run(&env, &steps).succeeds();
    let before = environment(&env, "before");
    for (name, (path, prompt)) in [
        ("first", one),
        ("again", one),
        ("second", two),
        ("third", one),
    ] {
        equal(
            &environment(&env, name),
            &activated(&before, path, prompt),
            &format!("in {}, {name}", shell.name),
        );
    }
    same(&env, "again", "first", shell.name);
    same(&env, "before", "after", shell.name);
}

/// A parent process has activated an environment: this shell inherits its variables, but not its `deactivate`.
fn is_as_inherited_below_an_activated_shell(shell: &'static Shell) {
    let env = TestEnv::new();
    let made = environments(&env, &["env"]);
    let steps = [
        Step::Record("before"),
        Step::Activate(&made[0].0),
        Step::Deactivate,
        Step::Record("after"),
    ];
    shell
        .run(&env, &steps)
        .var("VIRTUAL_ENV", "/of/the/parent")
        .var("VIRTUAL_ENV_PROMPT", "parent")
        .var("PATH", "/of/the/parent/bin:/usr/bin:/bin")
        .succeeds();
    assert_eq!(environment(&env, "after")["VIRTUAL_ENV"], "/of/the/parent");
    same(&env, "before", "after", shell.name);
}

fn leaves_the_prompt_alone_when_told_to(shell: &'static Shell) {
    let env = TestEnv::new();
    let made = environments(&env, &["env"]);
    let show = match shell.grammar {
        Grammar::Sh => "PS1='$ '; shown() { printf '<%s>\\n' \"$PS1\"; }",
        Grammar::Csh => "set prompt = '$ '; alias shown 'echo \"<$prompt>\"'",
        Grammar::Fish => {
            "function fish_prompt; echo -n '$ '; end; function shown; echo '<'(fish_prompt | string collect)'>'; end"
        }
        Grammar::Nu => {
            "$env.PROMPT_COMMAND = {|| '$ ' }; def shown [] { print $'<(do $env.PROMPT_COMMAND)>' }"
        }
        Grammar::Xonsh => {
            "$PROMPT = '{env_name}$ '\ndef _shown(args): $PROMPT_FIELDS.reset(); return '<' + __xonsh__.shell.prompt_formatter($PROMPT) + '>\\n'\naliases['shown'] = _shown"
        }
    };
    for (value, shown) in [("1", "<$ >\n<$ >\n"), ("", "<(env) $ >\n<$ >\n")] {
        let steps = [
            Step::Line(show),
            Step::Activate(&made[0].0),
            Step::Line("shown"),
            Step::Deactivate,
            Step::Line("shown"),
        ];
        shell
            .run(&env, &steps)
            .var("VIRTUAL_ENV_DISABLE_PROMPT", value)
            .var("TERM", "dumb")
            .prints(shown);
    }
}

/// Environments of these names, and `out`.
fn environments(env: &TestEnv, names: &[&str]) -> Vec<(String, String)> {
    fs_err::create_dir(env.at("out")).unwrap();
    hostile::environments(env, names)
}

/// Sets the variables that activation changes.
fn set_all(shell: &Shell) -> &'static str {
    match shell.grammar {
        Grammar::Sh => {
            "PS1='$ '; export PYTHONHOME=/python/home VIRTUAL_ENV=old VIRTUAL_ENV_PROMPT='old one'"
        }
        Grammar::Csh => "set prompt = '> '; setenv PYTHONHOME /python/home; setenv VIRTUAL_ENV old",
        Grammar::Fish => "set -gx PYTHONHOME /python/home; set -gx VIRTUAL_ENV old",
        Grammar::Nu => "$env.PYTHONHOME = '/python/home'; $env.VIRTUAL_ENV = 'old'",
        Grammar::Xonsh => "$PYTHONHOME = '/python/home'; $VIRTUAL_ENV = 'old'",
    }
}
