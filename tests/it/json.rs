//! `--json`: what was made, for programs.

use fs_err as fs;
use serde_json::Value;

use crate::env::{Outcome, TestEnv};
use crate::interpreters::newest;

crate::harness::trials! {
    one_environment_is_an_object,
    without_pip_its_version_is_null,
    several_are_an_array_in_their_order_with_the_errors,
    what_concerns_all_is_each_ones_error,
    pip_says_nothing_into_it,
    json_of_nothing_is_a_usage_error,
}

fn parsed(outcome: &Outcome) -> Value {
    serde_json::from_str(&outcome.stdout).unwrap_or_else(|error| panic!("{error}: {outcome}"))
}

fn one_environment_is_an_object() {
    let env = TestEnv::new();
    let outcome = env
        .rvenv_for(newest(), ["--json", "env"])
        .shared_cache()
        .outcome();
    outcome.expect_code(0);
    assert_eq!(outcome.stderr, "", "{outcome}");
    let made = parsed(&outcome);
    let at = |name: &str| env.at(name).to_str().unwrap().to_owned();
    assert_eq!(made["path"], at("env"));
    assert_eq!(made["bin"], at("env/bin"));
    assert_eq!(made["implementation"], "cpython");
    let python = made["python"].as_str().unwrap();
    let says = "import platform, pip; print(platform.python_version(), pip.__version__)";
    let said = env.run(python, ["-c", says]).stdout();
    let expected = format!(
        "{} {}\n",
        made["version"].as_str().unwrap(),
        made["pip"].as_str().unwrap()
    );
    assert_eq!(said, expected);
    assert!(made["milliseconds"].as_f64().unwrap() > 0.0);
    assert_eq!(made.as_object().unwrap().len(), 7, "{made}");
}

fn without_pip_its_version_is_null() {
    let env = TestEnv::new();
    let args = ["--json", "--without-pip", "env"];
    let made = parsed(&env.rvenv_for(newest(), args).outcome());
    assert_eq!(made["pip"], Value::Null);
}

fn several_are_an_array_in_their_order_with_the_errors() {
    let env = TestEnv::new();
    fs::write(env.at("file"), "mine").unwrap();
    let args = ["--json", "--without-pip", "a", "file", "b"];
    let outcome = env.rvenv_for(newest(), args).outcome();
    outcome.expect_code(1);
    let made = parsed(&outcome);
    let made = made.as_array().unwrap();
    assert_eq!(made.len(), 3);
    assert_eq!(made[0]["path"], env.at("a").to_str().unwrap());
    assert_eq!(made[1]["path"], "file");
    assert_eq!(made[2]["path"], env.at("b").to_str().unwrap());
    let error = made[1]["error"].as_str().unwrap();
    assert!(error.starts_with("Unable to create directory"), "{error}");
    assert!(made[1]["hint"].as_str().unwrap().contains("it is a file"));
    assert!(made[0].get("error").is_none());
    // A person who reads along is told as well.
    assert!(outcome.stderr.contains(error), "{outcome}");
    env.holds_only(["a", "b", "file"]);
}

fn what_concerns_all_is_each_ones_error() {
    let env = TestEnv::new();
    for (args, text) in [
        (&["--json", "-p", "9.9", "a", "b"][..], "9.9"),
        (&["--json", "--upgrade", "--clear", "a", "b"], "together"),
        (&["--json", "-r", "missing.txt", "a", "b"], "missing.txt"),
    ] {
        let outcome = env.rvenv(args).outcome();
        outcome.expect_code(1);
        let made = parsed(&outcome);
        for (made, name) in made.as_array().unwrap().iter().zip(["a", "b"]) {
            assert_eq!(made["path"], name);
            assert!(made["error"].as_str().unwrap().contains(text), "{made}");
        }
        assert_eq!(outcome.stderr.matches("Error: ").count(), 1, "{outcome}");
    }
    env.holds_only([]);
}

fn pip_says_nothing_into_it() {
    let env = TestEnv::new();
    let wheel = crate::wheel::write_wheel(&env, &env.root().join("w"), "one", "1.0");
    let args = ["--json", "--with", wheel.to_str().unwrap(), "env"];
    let run = env.rvenv_for(newest(), args).shared_cache();
    let outcome = run.var("PIP_NO_INDEX", "1").outcome();
    outcome.expect_code(0);
    assert_eq!(parsed(&outcome)["path"], env.at("env").to_str().unwrap());
}

fn json_of_nothing_is_a_usage_error() {
    let env = TestEnv::new();
    env.rvenv(["--json"]).fails(2, &["ENV_DIR"]);
    for other in ["--prune-cache", "--warm-cache"] {
        env.rvenv(["--json", other]).fails(2, &[other]);
    }
}
