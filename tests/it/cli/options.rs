//! The command line: exit status, stdout and stderr for valid and invalid uses.

use std::path::Path;

use fs_err as fs;

use crate::{
    env::{Outcome, TestEnv, listing},
    interpreters::newest,
};

crate::harness::trials! {
    success_is_silent,
    every_unambiguous_prefix_of_venvs_options_means_the_option,
    an_ambiguous_prefix_is_a_usage_error,
    an_empty_prompt_is_not_an_absent_one,
    a_value_that_looks_like_an_option_needs_an_equals_sign,
    what_follows_two_dashes_is_an_env_dir,
    symlinks_and_copies_exclude_each_other,
    upgrade_and_clear_conflict_with_the_message_of_cpython,
    options_and_env_dirs_may_be_mixed,
    without_env_dir_there_is_a_hint,
    what_is_not_known_is_a_usage_error_that_names_it,
    one_env_dir_that_fails_does_not_stop_the_others,
    an_env_dir_named_twice_is_created_once,
    the_verbose_version_is_for_bug_reports,
    the_version_is_cargos,
    help_is_grouped_and_has_examples,
    short_help_is_one_screen,
    verbose_says_on_stderr_what_was_done,
    the_python_is_named_by_a_variable_or_an_option,
    the_cache_is_in_the_given_directory,
    no_variable_makes_a_run_destructive,
    the_guide_names_every_option,
}

/// venv's own options, with a value where they take one.
const VENV_OPTIONS: [&str; 10] = [
    "--help",
    "--system-site-packages",
    "--symlinks",
    "--copies",
    "--clear",
    "--upgrade",
    "--without-pip",
    "--prompt",
    "--upgrade-deps",
    "--without-scm-ignore-files",
];

/// Runs rvenv without pip for the newest Python.
fn bare(env: &TestEnv, args: &[&str]) -> Outcome {
    let args = [&["--without-pip"], args].concat();
    env.rvenv_for(newest(), args).outcome()
}

#[track_caller]
fn is_environment(path: &Path) {
    assert!(path.join("pyvenv.cfg").is_file(), "{}", path.display());
    assert!(path.join("bin/python").exists(), "{}", path.display());
    assert!(path.join("bin/activate").is_file(), "{}", path.display());
}

fn success_is_silent() {
    let env = TestEnv::new();
    let args = ["--without-pip", "env"];
    env.rvenv_for(newest(), args).succeeds();
    is_environment(&env.at("env"));
    env.holds_only(["env"]);
}

fn every_unambiguous_prefix_of_venvs_options_means_the_option() {
    let env = TestEnv::new();
    for option in VENV_OPTIONS {
        if matches!(option, "--help" | "--upgrade-deps") {
            continue;
        }
        let expected = configuration(&env, option);
        for length in 3..=option.len() {
            let prefix = &option[..length];
            let fits = |o: &&&str| o.starts_with(prefix);
            if prefix == option || VENV_OPTIONS.iter().filter(fits).count() == 1 {
                assert_eq!(configuration(&env, prefix), expected, "{prefix}");
            }
        }
    }
    for prefix in ["--h", "--he", "--hel"] {
        assert!(env.rvenv([prefix]).stdout().contains("ENV_DIR"), "{prefix}");
    }
}

/// The `pyvenv.cfg` that results from an option.
fn configuration(env: &TestEnv, option: &str) -> String {
    let option = if option.starts_with("--p") {
        format!("{option}=a prompt")
    } else {
        option.to_owned()
    };
    env.reset();
    let outcome = bare(env, &[&option, "env"]);
    outcome.expect_code(0);
    fs::read_to_string(env.at("env/pyvenv.cfg")).unwrap()
}

fn an_ambiguous_prefix_is_a_usage_error() {
    let env = TestEnv::new();
    for prefix in [
        "--c",
        "--s",
        "--sy",
        "--w",
        "--without",
        "--without-",
        "--u",
    ] {
        env.rvenv_for(newest(), [prefix, "env"]).fails(2, &[prefix]);
    }
    env.holds_only([]);
}

fn an_empty_prompt_is_not_an_absent_one() {
    let env = TestEnv::new();
    for args in [["--prompt", ""].as_slice(), &["--prompt="]] {
        env.reset();
        bare(&env, &[args, &["env"]].concat()).expect_code(0);
        let text = fs::read_to_string(env.at("env/pyvenv.cfg")).unwrap();
        assert!(text.contains("\nprompt = ''\n"), "{text}");
    }
    env.reset();
    bare(&env, &["env"]).expect_code(0);
    let text = fs::read_to_string(env.at("env/pyvenv.cfg")).unwrap();
    assert!(!text.contains("\nprompt"), "{text}");
}

fn a_value_that_looks_like_an_option_needs_an_equals_sign() {
    let env = TestEnv::new();
    bare(&env, &["--prompt=-x", "env"]).expect_code(0);
    let text = fs::read_to_string(env.at("env/pyvenv.cfg")).unwrap();
    assert!(text.contains("\nprompt = '-x'\n"), "{text}");
    env.reset();
    env.rvenv_for(newest(), ["--without-pip", "--prompt", "-x", "env"])
        .fails(2, &["--prompt"]);
    env.holds_only([]);
}

fn what_follows_two_dashes_is_an_env_dir() {
    let env = TestEnv::new();
    let args = ["--without-pip", "--", "-dash", "--clear"];
    env.rvenv_for(newest(), args).succeeds();
    env.holds_only(["--clear", "-dash"]);
    is_environment(&env.at("-dash"));
    is_environment(&env.at("--clear"));
}

fn symlinks_and_copies_exclude_each_other() {
    let env = TestEnv::new();
    for args in [["--symlinks", "--copies"], ["--copies", "--symlinks"]] {
        let args = [&args[..], &["env"]].concat();
        env.rvenv_for(newest(), args)
            .fails(2, &["--symlinks", "--copies"]);
    }
    env.holds_only([]);
}

fn upgrade_and_clear_conflict_with_the_message_of_cpython() {
    let env = TestEnv::new();
    for args in [["--upgrade", "--clear"], ["--clear", "--upgrade"]] {
        let outcome = bare(&env, &[&args[..], &["env"]].concat());
        outcome.expect_code(1);
        assert_eq!(outcome.stdout, "");
        assert_eq!(
            outcome.stderr,
            "Error: you cannot supply --upgrade and --clear together.\n"
        );
    }
    env.holds_only([]);
}

fn options_and_env_dirs_may_be_mixed() {
    let env = TestEnv::new();
    let args = ["a", "--without-pip", "b", "--prompt", "q", "c", "--clear"];
    env.rvenv_for(newest(), args).succeeds();
    env.holds_only(["a", "b", "c"]);
    for name in ["a", "b", "c"] {
        is_environment(&env.at(name));
        let text = fs::read_to_string(env.at(name).join("pyvenv.cfg")).unwrap();
        assert!(text.contains("\nprompt = 'q'\n"), "{text}");
    }
}

fn without_env_dir_there_is_a_hint() {
    let env = TestEnv::new();
    for args in [&[][..], &["--clear"], &["--copies", "--prompt", "x"]] {
        env.rvenv(args).fails(2, &["ENV_DIR", "rvenv .venv"]);
    }
    env.holds_only([]);
}

fn what_is_not_known_is_a_usage_error_that_names_it() {
    let env = TestEnv::new();
    let cases: [(&[&str], &str); 5] = [
        (&["--bogus", "env"], "--bogus"),
        (&["env", "-x"], "-x"),
        (&["--clear=1", "env"], "--clear"),
        (&["--prompt"], "--prompt"),
        (&["--python", "--clear", "env"], "--python"),
    ];
    for (args, name) in cases {
        env.rvenv(args).fails(2, &[name]);
    }
    env.holds_only([]);
}

fn one_env_dir_that_fails_does_not_stop_the_others() {
    let env = TestEnv::new();
    fs::write(env.at("file"), "mine").unwrap();
    let outcome = bare(&env, &["a", "file", "b", "file/below", "c/d"]);
    outcome.expect_code(1);
    assert_eq!(outcome.stdout, "", "{outcome}");
    let errors: Vec<_> = outcome
        .stderr
        .lines()
        .filter(|line| line.starts_with("Error: "))
        .collect();
    assert_eq!(errors.len(), 2, "{outcome}");
    let file = env.at("file");
    let file = file.to_str().unwrap();
    assert!(errors.iter().all(|line| line.contains(file)), "{outcome}");
    env.holds_only(["a", "b", "c", "file"]);
    assert_eq!(fs::read_to_string(file).unwrap(), "mine");
    for name in ["a", "b", "c/d"] {
        is_environment(&env.at(name));
    }
}

fn an_env_dir_named_twice_is_created_once() {
    let env = TestEnv::new();
    bare(&env, &["env", "./env", "env/"]).expect_code(0);
    env.holds_only(["env"]);
    is_environment(&env.at("env"));
}

fn the_verbose_version_is_for_bug_reports() {
    let env = TestEnv::new();
    for args in [&["--version", "--verbose"][..], &["-v", "-V"], &["-Vv"]] {
        let text = env.rvenv(args).stdout();
        for word in [env!("CARGO_PKG_VERSION"), "commit: ", "target: ", "rvenv-v"] {
            assert!(text.contains(word), "{word} is not in\n{text}");
        }
        assert!(text.contains(std::env::consts::ARCH), "{text}");
    }
    env.holds_only([]);
}

fn the_version_is_cargos() {
    let env = TestEnv::new();
    let version = concat!("rvenv ", env!("CARGO_PKG_VERSION"), "\n");
    env.rvenv(["-V"]).prints(version);
    env.rvenv(["--version"]).prints(version);
}

fn help_is_grouped_and_has_examples() {
    let env = TestEnv::new();
    let help = env.rvenv(["--help"]).var("COLUMNS", "80").stdout();
    let mut rest = help.as_str();
    // venv's options come first, in venv's order; then what rvenv adds.
    for option in VENV_OPTIONS.iter().filter(|option| **option != "--help") {
        let place = rest.find(&format!("{option}\n"));
        let place = place.or_else(|| rest.find(&format!("{option} ")));
        rest = &rest[place.unwrap_or_else(|| panic!("{option} is out of order in\n{help}"))..];
    }
    for word in [
        "rvenv .venv",
        "CI",
        "Makefile",
        "Cache:",
        "Output:",
        "Maintenance:",
    ] {
        assert!(help.contains(word), "{word} is not in\n{help}");
    }
    env.holds_only([]);
}

fn short_help_is_one_screen() {
    let env = TestEnv::new();
    let help = env.rvenv(["-h"]).var("COLUMNS", "80").stdout();
    assert!(help.lines().count() <= 24, "too long:\n{help}");
    for line in help.lines() {
        assert!(line.chars().count() <= 80, "too wide: {line}");
    }
    // Each option has one line.
    for option in [
        "--clear",
        "--python",
        "--requirements",
        "--check",
        "--version",
    ] {
        let lines = help.lines().filter(|line| line.contains(option));
        assert!(lines.count() <= 2, "{option}:\n{help}");
        assert!(help.contains(option), "{option} is not in\n{help}");
    }
    env.holds_only([]);
}

fn verbose_says_on_stderr_what_was_done() {
    let env = TestEnv::new();
    let python = newest().executable.to_str().unwrap();
    for flag in ["-v", "--verbose"] {
        env.reset();
        let outcome = bare(&env, &[flag, "env"]);
        outcome.expect_code(0);
        assert_eq!(outcome.stdout, "", "{outcome}");
        for text in [python, env.at("env").to_str().unwrap(), " ms"] {
            assert!(outcome.stderr.contains(text), "no {text}: {outcome}");
        }
    }
}

fn the_python_is_named_by_a_variable_or_an_option() {
    let env = TestEnv::new();
    let python = &newest().executable;
    let home = |env: &TestEnv| {
        let text = fs::read_to_string(env.at("env/pyvenv.cfg")).unwrap();
        env.reset();
        text.lines().next().unwrap().to_owned()
    };
    let expected = format!("home = {}", python.parent().unwrap().display());
    env.rvenv(["--without-pip", "env"])
        .var("RVENV_PYTHON", python)
        .succeeds();
    assert_eq!(home(&env), expected);
    for flag in ["-p", "--python", "--py"] {
        let python = python.to_str().unwrap();
        env.rvenv([flag, python, "--without-pip", "env"])
            .var("RVENV_PYTHON", "/no/such/python")
            .succeeds();
        assert_eq!(home(&env), expected);
    }
    let joined = format!("--python={}", python.display());
    env.rvenv([&joined, "--without-pip", "env"]).succeeds();
    assert_eq!(home(&env), expected);
}

fn the_cache_is_in_the_given_directory() {
    let env = TestEnv::new();
    let cache = env.root().join("home/.cache");
    let elsewhere = env.root().join("elsewhere");
    let args = ["--without-pip", "--no-cache", "env"];
    env.rvenv_for(newest(), args).succeeds();
    env.rvenv_for(newest(), ["--without-pip", "--clear", "env"])
        .var("RVENV_NO_CACHE", "1")
        .succeeds();
    assert!(!cache.exists() && !elsewhere.exists());

    let flag = format!("--cache-dir={}", elsewhere.display());
    env.rvenv_for(newest(), ["--without-pip", "--clear", &flag, "env"])
        .succeeds();
    assert!(!cache.exists() && !listing(&elsewhere).is_empty());

    fs::remove_dir_all(&elsewhere).unwrap();
    env.rvenv_for(newest(), ["--without-pip", "--clear", "env"])
        .var("RVENV_CACHE_DIR", &elsewhere)
        .succeeds();
    assert!(!cache.exists() && !listing(&elsewhere).is_empty());

    env.rvenv_for(newest(), ["--without-pip", "--clear", "env"])
        .succeeds();
    assert!(!listing(&cache).is_empty());
}

fn no_variable_makes_a_run_destructive() {
    let env = TestEnv::new();
    fs::create_dir(env.at("env")).unwrap();
    fs::write(env.at("env/mine"), "mine").unwrap();
    let mut run = env.rvenv_for(newest(), ["--without-pip", "env"]);
    for name in ["CLEAR", "FORCE", "UPGRADE", "OVERWRITE"] {
        run = run
            .var(format!("RVENV_{name}"), "1")
            .var(format!("VIRTUALENV_{name}"), "1")
            .var(format!("UV_VENV_{name}"), "1");
    }
    run.succeeds();
    assert_eq!(fs::read_to_string(env.at("env/mine")).unwrap(), "mine");
    is_environment(&env.at("env"));

    fs::remove_file(env.at("env/pyvenv.cfg")).unwrap();
    env.rvenv_for(newest(), ["--without-pip", "--clear", "env"])
        .var("RVENV_FORCE", "1")
        .errs(&[env.at("env").to_str().unwrap()]);
    assert_eq!(fs::read_to_string(env.at("env/mine")).unwrap(), "mine");
}

fn the_guide_names_every_option() {
    let env = TestEnv::new();
    let readme = concat!(
        include_str!("../../../README.md"),
        include_str!("../../../docs/guide.md")
    );
    let help = env.rvenv(["--help"]).stdout();
    let (own, _) = help.split_once("Compatibility with virtualenv").unwrap();
    // Every `--name` in it is an option, except for words of the text.
    let words = own
        .split_whitespace()
        .map(|word| word.trim_end_matches(['.', ',']));
    let options = words.filter(|word| word.starts_with("--"));
    let said_by_venv = &VENV_OPTIONS[1..];
    for option in options.filter(|option| !said_by_venv.contains(option) && *option != "--help") {
        let named =
            readme.contains(&format!("{option}`")) || readme.contains(&format!("{option} "));
        let named = named || readme.contains(&format!("/{option}"));
        assert!(named, "{option} is not in docs/guide.md");
    }
}
