//! The prompt that the sh script sets. How each shell displays it is tested in `shells`.

use crate::{env::TestEnv, interpreters::newest};

crate::harness::trials! {
    the_default_is_the_name_of_the_environment,
    a_given_prompt_replaces_it,
    a_dot_is_the_name_of_the_current_folder,
    the_current_folder_as_env_dir_gives_its_name,
    nothing_in_a_prompt_is_run_or_replaced,
}

/// Activates `env` in sh and prints `VIRTUAL_ENV_PROMPT` and PS1.
#[track_caller]
fn activated(env: &TestEnv, flags: &[&str], env_dir: &str, cwd: &str) -> (String, String) {
    let args = [&["--without-pip"], flags, &["--", env_dir]].concat();
    env.rvenv_for(newest(), args).cwd(cwd).succeeds();
    let script = r#"PS1='$ '; . "$0/bin/activate"; printf '%s\036%s' "$VIRTUAL_ENV_PROMPT" "$PS1""#;
    let path = env.at(cwd).join(env_dir);
    let args = ["-c", script, path.to_str().unwrap()];
    let text = env.run("/bin/sh", args).stdout();
    let (prompt, ps1) = text.split_once('\x1e').unwrap();
    (prompt.to_owned(), ps1.to_owned())
}

fn the_default_is_the_name_of_the_environment() {
    let env = TestEnv::new();
    for (env_dir, name) in [("env", "env"), ("a/b c/", "b c"), ("./y", "y")] {
        let (prompt, ps1) = activated(&env, &[], env_dir, ".");
        assert_eq!((prompt.as_str(), ps1), (name, format!("({name}) $ ")));
    }
}

fn a_given_prompt_replaces_it() {
    let env = TestEnv::new();
    let (prompt, ps1) = activated(&env, &["--prompt", "mine"], "env", ".");
    assert_eq!((prompt.as_str(), ps1.as_str()), ("mine", "(mine) $ "));
}

fn a_dot_is_the_name_of_the_current_folder() {
    let env = TestEnv::new();
    fs_err::create_dir(env.at("a folder")).unwrap();
    let (prompt, ps1) = activated(&env, &["--prompt", "."], "env", "a folder");
    assert_eq!(
        (prompt.as_str(), ps1.as_str()),
        ("a folder", "(a folder) $ ")
    );
}

fn the_current_folder_as_env_dir_gives_its_name() {
    let env = TestEnv::new();
    let (prompt, _) = activated(&env, &[], ".", ".");
    assert_eq!(prompt, "work");
}

fn nothing_in_a_prompt_is_run_or_replaced() {
    for prompt in [
        "it's",
        "\"q\"",
        "$(touch ran)",
        "`touch ran`",
        "$HOME ${PATH}",
        "a\\b\\n",
        "new\nline",
        "!! %~ %n",
        "__VENV_BIN_NAME__",
        "{{ PROMPT }}",
        "é 環境 😀",
    ] {
        let env = TestEnv::new();
        let (said, _) = activated(&env, &["--prompt", prompt], "env", ".");
        assert_eq!(said, prompt);
        env.holds_only(["env"]);
    }
}
