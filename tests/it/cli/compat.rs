//! Options of virtualenv and `uv venv` that tools pass: accepted if rvenv does the same or they have no effect, and refused
//! otherwise.

use std::path::Path;

use fs_err as fs;

use crate::env::{TestEnv, listing};
use crate::harness::some;
use crate::interpreters::{a_few_with_pip, newest};
use crate::tree::{Tree, tree};

crate::harness::trials! {
    ignored_options_change_nothing_and_print_nothing,
    ignored_options_are_listed_with_verbose,
    another_name_of_an_option_means_the_same(part),
    app_data_is_where_the_cache_is,
    setuptools_stays_out_where_it_is_not_wanted,
    what_cannot_be_done_is_refused_with_what_to_do,
    their_options_shadow_no_prefix_of_an_option,
    an_env_dir_may_be_named_like_one_of_their_options,
    help_lists_them,
    the_command_lines_of_tools_make_an_environment,
    options_for_indexes_go_to_pip(full),
    what_pip_cannot_do_is_refused_where_it_installs,
    variables_of_other_tools_are_listed_with_verbose,
}

/// Options that have no effect in this form.
const IGNORED: &[&[&str]] = &[
    &["--no-download"],
    &["--never-download"],
    &["--no-periodic-update"],
    &["--reset-app-data"],
    &["--seeder", "app-data"],
    &["--seeder=pip"],
    &["--symlink-app-data"],
    &["--activators", "bash,fish"],
    &["--activators="],
    &["--creator", "builtin"],
    &["--creator=venv"],
    &["--discovery", "builtin"],
    &["--no-site-packages"],
    &["--no-venv-redirect"],
    &["--with-traceback"],
    &["--pip", "bundle"],
    &["--pip=embed"],
    &["--no-wheel"],
    &["--no-setuptools"],
    &["--seed"],
    &["--allow-existing"],
    &["--no-project"],
    &["--no-config"],
    &["--offline"],
    &["--no-python-downloads"],
    &["--no-managed-python"],
    &["--link-mode", "hardlink"],
    &["--no-progress"],
    &["--native-tls"],
    &["--system-certs"],
    &["--project", "."],
    &["--config-file", "uv.toml"],
    &["--preview"],
    &["--refresh"],
    &["--index-url", "https://example.invalid"],
    &["-i", "https://example.invalid"],
    &["--default-index=https://example.invalid"],
    &["--index", "a=https://example.invalid"],
    &["--extra-index-url", "https://example.invalid"],
    &["--no-index"],
    &["--python-preference", "system"],
    &["-f", "wheels"],
    &["--exclude-newer", "2026-01-31"],
    &["--index-strategy", "first-index"],
    &["--keyring-provider", "disabled"],
    &["--allow-insecure-host", "example.invalid"],
    &["--refresh-package", "six"],
    &["-q"],
    &["-qq"],
    &["--quiet"],
];

/// Options of other tools, and the equivalent of venv or rvenv.
const SYNONYMS: &[(&[&str], &[&str])] = &[
    (&["--no-pip"], &["--without-pip"]),
    (&["--no-seed"], &["--without-pip"]),
    (&["--always-copy"], &["--copies"]),
    (&["--no-vcs-ignore"], &["--without-scm-ignore-files"]),
    (
        &["--extra-search-dir", "wheels"],
        &["--find-links", "wheels"],
    ),
    (&["--read-only-app-data"], &["--no-cache"]),
    (&["-n"], &["--no-cache"]),
];

/// The environment that these arguments create.
fn created(env: &TestEnv, args: &[&str]) -> Tree {
    env.reset();
    let args = [args, &["env"]].concat();
    env.rvenv_for(newest(), args).shared_cache().succeeds();
    let mut created = tree(&env.at("env"));
    // It contains the arguments.
    let cfg = created.get_mut(Path::new("pyvenv.cfg")).unwrap();
    let text = String::from_utf8_lossy(&cfg.contents).into_owned();
    let lines = text.lines().filter(|line| !line.starts_with("command"));
    cfg.contents = lines
        .collect::<Vec<_>>()
        .join(
            "
",
        )
        .into_bytes();
    created
}

fn ignored_options_change_nothing_and_print_nothing() {
    let env = TestEnv::new();
    // The only one that changes an environment, of a Python whose ensurepip has setuptools.
    let plain = created(&env, &["--no-setuptools"]);
    // All at once: if one of them had an effect, it would be visible.
    let all = IGNORED.concat();
    assert!(created(&env, &all) == plain);
    for args in IGNORED {
        env.reset();
        let args = [args, &["--without-pip", "env"][..]].concat();
        env.rvenv_for(newest(), args).succeeds();
        env.holds_only(["env"]);
    }
}

fn ignored_options_are_listed_with_verbose() {
    let env = TestEnv::new();
    let args = [
        "-v",
        "--no-download",
        "--activators=bash",
        "--without-pip",
        "env",
    ];
    let outcome = env.rvenv_for(newest(), args).outcome();
    outcome.expect_code(0);
    for name in ["--no-download", "--activators"] {
        let said = outcome.stderr.lines().filter(|line| line.contains(name));
        assert_eq!(said.count(), 1, "{name}: {outcome}");
    }
    assert!(!outcome.stderr.contains("--without-pip means"), "{outcome}");
}

fn another_name_of_an_option_means_the_same() {
    let env = TestEnv::new();
    for (theirs, ours) in some(SYNONYMS, 4) {
        assert!(created(&env, theirs) == created(&env, ours), "{theirs:?}");
    }
}

fn app_data_is_where_the_cache_is() {
    let env = TestEnv::new();
    let folder = env.root().join("data");
    let args = ["--app-data", folder.to_str().unwrap(), "--no-pip", "env"];
    env.rvenv_for(newest(), args).succeeds();
    assert!(!listing(&folder).is_empty());
    assert!(!env.root().join("home/.cache").exists());
}

fn setuptools_stays_out_where_it_is_not_wanted() {
    let pythons = a_few_with_pip().into_iter();
    for python in pythons.filter(|python| !python.at_least(12)) {
        let env = TestEnv::new();
        env.rvenv_for(python, ["--no-setuptools", "--no-wheel", "env"])
            .shared_cache()
            .succeeds();
        let site_packages = env.at(format!("env/lib/{}/site-packages", python.python_folder()));
        let names = listing(&site_packages);
        assert!(
            names.iter().any(|name| name.starts_with("pip-")),
            "{names:?}"
        );
        let rest = |name: &&String| name.contains("setuptools") || name.contains("pkg_resources");
        assert_eq!(names.iter().find(rest), None, "{python:?}");
        let pip = env.run(env.at("env/bin/python"), ["-m", "pip", "check"]);
        pip.outcome().expect_code(0);
    }
}

fn what_cannot_be_done_is_refused_with_what_to_do() {
    let env = TestEnv::new();
    let cases: [(&[&str], &str); 7] = [
        (&["--try-first-with", "python3.8", "env"], "--python"),
        (&["--managed-python", "env"], "--python"),
        (&["--directory", "d", "env"], "cd"),
        (&["--upgrade-embed-wheels"], "--upgrade-deps"),
        (&["--venv-redirect", "env"], ".venv"),
        (&["--setuptools", "latest", "env"], "--with setuptools"),
        (&["--offline", "--with", "six", "env"], "--no-index"),
    ];
    for (args, text) in cases {
        env.rvenv(args).fails(2, &[args[0], text]);
    }
    env.rvenv(["--no-pip=1", "env"])
        .fails(2, &["--no-pip: ignored explicit argument '1'"]);
    for args in [&["--app-data"][..], &["--activators", "--clear", "env"]] {
        env.rvenv(args)
            .fails(2, &[args[0], "expected one argument"]);
    }
    env.holds_only([]);
}

fn their_options_shadow_no_prefix_of_an_option() {
    let env = TestEnv::new();
    for prefix in [
        "--sys",
        "--sym",
        "--without-p",
        "--without-s",
        "--upgrade",
        "--cl",
        "--co",
    ] {
        env.reset();
        let (args, pip) = ([prefix, "env"], ["--without-pip"]);
        let args = [&pip[..], &args[..]].concat();
        env.rvenv_for(newest(), args).succeeds();
    }
    // Nor is an abbreviation of them.
    for prefix in ["--alw", "--no-pi", "--allow"] {
        env.rvenv([prefix, "env"]).fails(2, &[prefix]);
    }
}

fn an_env_dir_may_be_named_like_one_of_their_options() {
    let env = TestEnv::new();
    env.rvenv_for(newest(), ["--no-pip", "--", "--no-pip"])
        .succeeds();
    env.holds_only(["--no-pip"]);
}

fn help_lists_them() {
    let env = TestEnv::new();
    let help = env.rvenv(["--help"]).stdout();
    let (_, section) = help.split_once("Compatibility with virtualenv").unwrap();
    for args in IGNORED
        .iter()
        .chain(SYNONYMS.iter().map(|(theirs, _)| theirs))
    {
        let name = args[0].split('=').next().unwrap();
        if !matches!(name, "-q" | "-qq" | "--quiet") {
            assert!(section.contains(name), "{name} is not in\n{section}");
        }
    }
}

fn the_command_lines_of_tools_make_an_environment() {
    let python = newest().executable.to_str().unwrap();
    let lines: [&[&str]; 12] = [
        // virtualenvwrapper
        &["env"],
        &["-p", python, "--system-site-packages", "env"],
        // Poetry
        &[
            "--no-download",
            "--no-periodic-update",
            "--python",
            python,
            "--prompt",
            "p",
            "env",
        ],
        // Pipenv
        &["--prompt=p", "--python", python, "--creator=venv", "env"],
        // Hatch
        &[
            "env",
            "--no-download",
            "--no-periodic-update",
            "--python",
            python,
        ],
        // PDM
        &[
            "env",
            "-p",
            python,
            "--no-pip",
            "--no-setuptools",
            "--no-wheel",
        ],
        // tox 3
        &["--no-download", "--python", python, "--always-copy", "env"],
        // nox
        &["env", "-p", python, "--reset-app-data"],
        // pre-commit
        &["env", "-p", python],
        // PyCharm
        &[
            "--python",
            python,
            "--no-download",
            "--always-copy",
            "--system-site-packages",
            "env",
        ],
        // uv venv, as Hatch and nox start it
        &[
            "env",
            "--python",
            python,
            "--no-project",
            "--seed",
            "--allow-existing",
        ],
        &[
            "-q",
            "--clear",
            "--offline",
            "--no-config",
            "-p",
            python,
            "env",
        ],
    ];
    for line in lines {
        let env = TestEnv::new();
        let path = newest().executable.parent().unwrap().to_str().unwrap();
        env.rvenv(line)
            .shared_cache()
            .var("PATH", format!("{path}:{}", crate::env::PATH))
            .succeeds();
        env.holds_only(["env"]);
        let cfg = fs::read_to_string(env.at("env/pyvenv.cfg")).unwrap();
        assert_eq!(
            cfg.contains("\nprompt = 'p'\n"),
            line.join(" ").contains("prompt"),
            "{cfg}"
        );
        env.run(env.at("env/bin/python"), ["-c", "pass"]).succeeds();
    }
}

fn options_for_indexes_go_to_pip() {
    let env = TestEnv::new();
    let wheels = env.at("wheels");
    crate::wheel::write_wheel(&env, &wheels, "one", "1.0");
    let mut run = env.rvenv_for(
        newest(),
        ["--no-index", "-f", "wheels", "--with=one", "env"],
    );
    run.shared_cache().succeeds();
    assert!(env.at("env/bin/one").exists());

    // A local index: `--index` replaces PyPI instead of adding an index.
    fs::create_dir_all(env.at("simple/one")).unwrap();
    let name = &listing(&wheels)[0];
    let page = format!("<a href=\"../../wheels/{name}\">{name}</a>");
    fs::write(env.at("simple/one/index.html"), page).unwrap();
    let index = format!("file://{}", env.at("simple").display());
    for option in ["-i", "--index-url=", "--default-index=", "--index=own="] {
        let args = ["--clear", "--with=one", &format!("{option}{index}"), "env"];
        run = env.rvenv_for(newest(), args).shared_cache();
        run.var("PIP_INDEX_URL", "https://example.invalid")
            .succeeds();
        assert!(env.at("env/bin/one").exists(), "{option}");
        fs::remove_file(env.at("env/bin/one")).unwrap();
    }
    let missing = ["--clear", "--with=two", "--index", &index, "env"];
    let outcome = env.rvenv_for(newest(), missing).shared_cache().outcome();
    outcome.expect_code(1);
    assert!(!outcome.stderr.contains("pypi.org"), "{outcome}");
    assert!(outcome.stderr.contains("--index-url=file://"), "{outcome}");
}

fn what_pip_cannot_do_is_refused_where_it_installs() {
    let env = TestEnv::new();
    let cases: [(&[&str], &str); 4] = [
        (
            &["--index", "https://a", "-ihttps://b"],
            "--extra-index-url",
        ),
        (&["--index-strategy", "first-index"], "unsafe-best-match"),
        (&["--exclude-newer", "2026-01-31"], "2026-01-31T00:00:00Z"),
        (&["--python-preference", "only-managed"], "-p"),
    ];
    for (args, text) in cases {
        env.rvenv([args, &["--with", "one", "env"]].concat())
            .fails(2, &[text]);
    }
    // If pip does not know an option it reports an error, and everything is undone.
    let oldest = a_few_with_pip()[0];
    let args = ["--exclude-newer=2026-01-31T00:00:00Z", "--with=one", "env"];
    let run = env.rvenv_for(oldest, args).shared_cache();
    run.errs(&["--uploaded-prior-to"]);
    env.holds_only([]);
}

fn variables_of_other_tools_are_listed_with_verbose() {
    let env = TestEnv::new();
    for (verbose, said) in [("-v", 3), ("-q", 0)] {
        let args = [verbose, "--without-pip", "--clear", "env"];
        let run = env
            .rvenv_for(newest(), args)
            .var("VIRTUALENV_PYTHON", "3.8");
        let run = run.var("VIRTUALENV_PROMPT", "x").var("UV_PYTHON", "3.8");
        let outcome = run.var("VIRTUALENV_SYSTEM_SITE_PACKAGES", "").outcome();
        outcome.expect_code(0);
        assert_eq!(outcome.stderr.matches("ignoring ").count(), said);
    }
}
