//! `--json`: one schema for every mode, for success and failure.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;

use fs_err as fs;
use serde_json::Value;

use crate::env::{Outcome, TestEnv};
use crate::interpreters::newest;

crate::harness::trials! {
    json_describes_what_was_created,
    json_results_are_in_the_order_of_the_directories_and_an_error_is_one_of_them,
    json_of_what_stops_every_mode_is_an_error_in_the_same_schema,
    json_of_a_check_names_what_is_wrong,
    json_of_the_cache_and_of_the_list_have_the_same_schema,
    json_has_a_path_that_is_not_utf_8_as_python_decodes_it,
    pip_prints_nothing_into_json,
    json_without_env_dir_is_a_usage_error,
    what_cannot_be_written_to_stdout_is_an_error,
}

const ENVIRONMENT: [&str; 9] = [
    "bin",
    "changed",
    "implementation",
    "milliseconds",
    "ok",
    "path",
    "pip",
    "python",
    "version",
];
const CHECK: [&str; 3] = ["ok", "path", "problems"];
const PYTHON: [&str; 5] = ["implementation", "ok", "path", "source", "version"];
const CACHED: [&str; 4] = ["implementation", "ok", "path", "version"];
const PRUNED: [&str; 3] = ["freed", "ok", "path"];
const ERROR: [&str; 7] = ["errno", "filename", "hint", "kind", "message", "ok", "path"];

/// The results, after checking the keys and the types of values of each kind of result.
#[track_caller]
fn results(outcome: &Outcome) -> Vec<Value> {
    let document: Value =
        serde_json::from_str(&outcome.stdout).unwrap_or_else(|error| panic!("{error}: {outcome}"));
    assert_eq!(keys(&document), ["results", "schema"], "{outcome}");
    assert_eq!(document["schema"], 1, "{outcome}");
    let results = document["results"].as_array().unwrap().clone();
    for result in &results {
        judge(result);
    }
    let ok = results.iter().all(|result| result["ok"] == true);
    outcome.expect_code(i32::from(!ok));
    results
}

fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<_> = value.as_object().unwrap().keys().collect();
    keys.sort();
    keys.into_iter().map(String::as_str).collect()
}

#[track_caller]
fn judge(result: &Value) {
    let keys = keys(result);
    let text = |key: &str| {
        let text = result[key].as_str();
        text.unwrap_or_else(|| panic!("no text {key}: {result}"))
            .to_owned()
    };
    let is_absolute = |key: &str| result[key].is_null() || text(key).starts_with('/');
    assert!(is_absolute("path"), "{result}");
    if keys == ERROR {
        assert_eq!(result["ok"], false, "{result}");
        let kind = text("kind");
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        assert!(kind.chars().all(is_plain), "{result}");
        assert!(!text("message").is_empty(), "{result}");
        assert!(
            result["errno"].is_null() || result["errno"].is_i64(),
            "{result}"
        );
        assert!(is_absolute("filename"), "{result}");
        assert!(
            result["hint"].is_null() || result["hint"].is_string(),
            "{result}"
        );
    } else if keys == CHECK {
        let problems = result["problems"].as_array().unwrap();
        assert_eq!(result["ok"], problems.is_empty(), "{result}");
        for problem in problems {
            for key in ["kind", "message"] {
                assert!(problem[key].is_string(), "{result}");
            }
            for key in ["remedy", "hint"] {
                let value = problem.get(key).expect("a text, or null");
                assert!(value.is_string() || value.is_null(), "{result}");
            }
        }
    } else {
        assert_eq!(result["ok"], true, "{result}");
        if keys == PRUNED {
            assert!(result["freed"].is_u64(), "{result}");
            return;
        }
        assert!(text("version").starts_with(char::is_numeric), "{result}");
        assert!(!text("implementation").is_empty(), "{result}");
        if keys == ENVIRONMENT {
            assert!(is_absolute("python") && is_absolute("bin"), "{result}");
            assert!(result["milliseconds"].as_f64().unwrap() > 0.0, "{result}");
            assert!(
                result["pip"].is_null() || result["pip"].is_string(),
                "{result}"
            );
        } else {
            assert!(keys == PYTHON || keys == CACHED, "{result}");
        }
    }
}

fn json_describes_what_was_created() {
    let env = TestEnv::new();
    let outcome = env
        .rvenv_for(newest(), ["--json", "env"])
        .shared_cache()
        .outcome();
    assert_eq!(outcome.stderr, "", "{outcome}");
    let [made] = results(&outcome).try_into().unwrap();
    assert_eq!(keys(&made), ENVIRONMENT);
    let at = |name: &str| env.at(name).to_str().unwrap().to_owned();
    assert_eq!(made["path"], at("env"));
    assert_eq!(made["bin"], at("env/bin"));
    let python = made["python"].as_str().unwrap();
    let says = "import platform, pip; print(platform.python_version(), pip.__version__)";
    let said = env.run(python, ["-c", says]).stdout();
    let expected = format!(
        "{} {}\n",
        made["version"].as_str().unwrap(),
        made["pip"].as_str().unwrap()
    );
    assert_eq!(said, expected);
}

fn json_results_are_in_the_order_of_the_directories_and_an_error_is_one_of_them() {
    let env = TestEnv::new();
    fs::write(env.at("file"), "mine").unwrap();
    let args = ["--json", "--without-pip", "a", "x/../file", "b", "file/c"];
    let outcome = env.rvenv_for(newest(), args).outcome();
    let made = results(&outcome);
    let paths: Vec<_> = made.iter().map(|result| result["path"].clone()).collect();
    let expected = ["a", "file", "b", "file/c"].map(|name| env.at(name).to_str().unwrap().into());
    assert_eq!(paths, expected as [Value; 4]);
    assert_eq!(keys(&made[0]), ENVIRONMENT);
    assert_eq!(made[0]["pip"], Value::Null);
    assert_eq!(made[1]["kind"], "unable_to_create_directory");
    assert_eq!(made[1]["errno"], Value::Null);
    let message = made[1]["message"].as_str().unwrap();
    assert!(message.starts_with("Unable to create"), "{outcome}");
    assert!(made[1]["hint"].as_str().unwrap().contains("it is a file"));
    assert_eq!(made[3]["kind"], "io");
    assert_eq!(made[3]["errno"], 20, "ENOTDIR: {outcome}");
    assert_eq!(made[3]["filename"], paths[3]);
    // The message is also printed to stderr.
    assert!(outcome.stderr.contains(message), "{outcome}");
    env.holds_only(["a", "b", "file"]);
}

fn json_of_what_stops_every_mode_is_an_error_in_the_same_schema() {
    let env = TestEnv::new();
    fs::write(env.at("file"), "mine").unwrap();
    for (args, kind, count) in [
        (&["-p", "9.9", "a", "b"][..], "python_not_found", 2),
        (&["--upgrade", "--clear", "a", "b"], "upgrade_with_clear", 2),
        (&["-r", "missing.txt", "a", "b"], "requirements_file", 2),
        (
            &["--list-pythons", "--upgrade", "--clear"],
            "upgrade_with_clear",
            1,
        ),
        (&["--warm-cache", "-p", "9.9"], "python_not_found", 1),
        (&["--warm-cache", "--cache-dir", "file"], "cache", 1),
    ] {
        let outcome = env.rvenv([&["--json"], args].concat()).outcome();
        let made = results(&outcome);
        assert_eq!(made.len(), count, "{outcome}");
        for (made, name) in made.iter().zip(["a", "b"]) {
            assert_eq!(made["kind"], kind, "{outcome}");
            if args.contains(&"a") {
                assert_eq!(made["path"], env.at(name).to_str().unwrap());
            }
        }
        if args.contains(&"missing.txt") {
            assert_eq!(made[0]["errno"], 2, "ENOENT: {outcome}");
        }
        assert_eq!(outcome.stderr.matches("Error: ").count(), 1, "{outcome}");
    }
    env.holds_only(["file"]);
}

fn json_of_a_check_names_what_is_wrong() {
    let env = TestEnv::new();
    env.rvenv_for(newest(), ["--without-pip", "env"]).succeeds();
    let outcome = env.rvenv(["--check", "--json", "env", "nothing"]).outcome();
    let checked = results(&outcome);
    for (checked, name) in checked.iter().zip(["env", "nothing"]) {
        assert_eq!(keys(checked), CHECK);
        assert_eq!(checked["path"], env.at(name).to_str().unwrap());
        assert_eq!(checked["ok"], name == "env", "{outcome}");
    }
}

fn json_of_the_cache_and_of_the_list_have_the_same_schema() {
    let env = TestEnv::new();
    let cache = env.root().join("cache");
    let run = |args: &[&str]| {
        let run = env.rvenv_for(newest(), args);
        results(&run.var("RVENV_CACHE_DIR", &cache).outcome())
    };
    let [warm] = run(&["--json", "--warm-cache", "--without-pip"])
        .try_into()
        .unwrap();
    assert_eq!(keys(&warm), CACHED);
    let [pruned] = run(&["--json", "--prune-cache"]).try_into().unwrap();
    assert_eq!(keys(&pruned), PRUNED);
    assert!(pruned["freed"].as_u64().unwrap() > 0, "{pruned}");
    let folder = pruned["path"].as_str().unwrap();
    assert!(folder.starts_with(cache.to_str().unwrap()), "{pruned}");
    let [pruned, made] = run(&["--json", "--prune-cache", "--without-pip", "env"])
        .try_into()
        .unwrap();
    assert_eq!(keys(&pruned), PRUNED);
    assert_eq!(keys(&made), ENVIRONMENT);

    let bin = env.at("bin");
    fs::create_dir(&bin).unwrap();
    symlink(&newest().executable, bin.join("python3")).unwrap();
    let listed = env.rvenv(["--json", "--list-pythons"]).var("PATH", "bin");
    let listed = results(&listed.outcome());
    assert_eq!(keys(&listed[0]), PYTHON);
    let python = bin.join("python3");
    assert_eq!(listed[0]["path"], python.to_str().unwrap());
}

fn json_has_a_path_that_is_not_utf_8_as_python_decodes_it() {
    let env = TestEnv::new();
    let name = OsStr::from_bytes(b"caf\xe9 \"\\ \xc3\xa9");
    for mode in [&["--json"][..], &["--json", "--check"]] {
        let args = mode.iter().map(OsStr::new).chain([name]);
        let outcome = env.rvenv(args).outcome();
        outcome.expect_code(1);
        let script = "import json, os, sys\n\
            path = json.loads(sys.argv[1])['results'][0]['path']\n\
            print(os.fsencode(path) == os.path.join(os.getcwdb(), b'caf\\xe9 \"\\\\ \\xc3\\xa9'))";
        env.run(&newest().executable, ["-c", script, &outcome.stdout])
            .prints("True\n");
    }
}

fn pip_prints_nothing_into_json() {
    let env = TestEnv::new();
    let wheel = crate::wheel::write_wheel(&env, &env.root().join("w"), "one", "1.0");
    let args = ["--json", "--with", wheel.to_str().unwrap(), "env"];
    let run = env.rvenv_for(newest(), args).shared_cache();
    let outcome = run.var("PIP_NO_INDEX", "1").outcome();
    assert_eq!(results(&outcome).len(), 1);
}

fn json_without_env_dir_is_a_usage_error() {
    let env = TestEnv::new();
    env.rvenv(["--json"]).fails(2, &["ENV_DIR"]);
}

fn what_cannot_be_written_to_stdout_is_an_error() {
    let env = TestEnv::new();
    for option in ["--help", "--version", "--man"] {
        let script = r#""$0" "$@" > /dev/full"#;
        let program = crate::env::program();
        let args = ["-c", script, program.to_str().unwrap(), option];
        env.run("/bin/sh", args)
            .fails(1, &["could not write to stdout"]);
    }
}
