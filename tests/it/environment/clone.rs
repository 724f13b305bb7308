//! `--clone` creates a copy of an environment that works at its own path, whichever tool created the original, and does not
//! change the original.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use fs_err as fs;
use rustix::process::Signal;
use walkdir::WalkDir;

use crate::env::{TestEnv, listing};
use crate::environment::makers::{Maker, containing};
use crate::faults::nobody;
use crate::harness::{Case, Skip};
use crate::interpreters::newest;
use crate::tree::{leftovers, whole_tree};

crate::harness::trials! {
    is_what_the_original_is(empty_places),
    several_at_once_and_as_json,
    has_the_prompt_of_its_new_name_or_the_given_one(makers),
    keeps_lines_that_the_user_added_to_activation_scripts,
    replaces_an_environment_only_with_clear,
    has_links_that_lead_where_those_of_the_original_lead,
    of_an_environment_that_is_reached_through_a_link_or_was_moved,
    is_refused_for_what_is_no_environment,
    is_refused_within_the_original_and_around_it,
    is_refused_for_sockets_and_fifos_before_anything_is_made,
    is_refused_where_the_base_is_gone,
    is_refused_with_options_that_make_environments,
    gives_no_other_user_more_rights needs [ROOT],
    keeps_a_read_only_folder_read_only needs [NOBODY],
    a_file_that_vanishes_leaves_nothing,
    a_signal_leaves_nothing,
}

fn makers() -> Vec<Case<Maker>> {
    let makers = [Maker::Rvenv, Maker::Venv, Maker::Virtualenv, Maker::Uv];
    let cases = makers.map(|maker| Case {
        label: format!("{maker:?}").to_lowercase(),
        value: maker,
        skip: maker.lack(),
    });
    cases.into()
}

/// What may exist at the path of a clone.
fn empty_places() -> Vec<Case<&'static str>> {
    let cases = ["absent", "empty", "cleared", "cleared in place"].map(|place| Case {
        label: place.to_owned(),
        value: place,
        skip: if place == "cleared in place" {
            Skip::unless_full()
        } else {
            None
        },
    });
    cases.into()
}

/// Everything that a copy must keep: kind, mode, modification time, and the target of links.
pub(super) fn kept(root: &Path) -> BTreeMap<PathBuf, (u32, i64, i64, Option<PathBuf>)> {
    let entries = WalkDir::new(root).into_iter().map(Result::unwrap);
    let entries = entries.map(|entry| {
        let metadata = fs::symlink_metadata(entry.path()).unwrap();
        let path = entry.path().strip_prefix(root).unwrap().to_owned();
        let target = fs::read_link(entry.path()).ok();
        let (seconds, nanoseconds) = (metadata.mtime(), metadata.mtime_nsec());
        (path, (metadata.mode(), seconds, nanoseconds, target))
    });
    entries.collect()
}

fn is_what_the_original_is(place: &'static str) {
    let env = TestEnv::new();
    let made = ["--without-pip", "--prompt=same", "src"];
    env.rvenv_for(newest(), made).succeeds();
    fs::write(env.at("src/first"), "both").unwrap();
    fs::hard_link(env.at("src/first"), env.at("src/second")).unwrap();
    fs::create_dir_all(env.at("src/var/empty")).unwrap();
    let cwd = if place == "cleared in place" {
        "env"
    } else {
        ""
    };
    if place == "empty" {
        fs::create_dir(env.at("env")).unwrap();
    } else if place.starts_with("cleared") {
        env.rvenv_for(newest(), ["--without-pip", "env"]).succeeds();
        fs::write(env.at("env/mine"), "mine").unwrap();
    }
    let source = env.at("src");
    let mut args = vec!["--clone", source.to_str().unwrap()];
    if place.starts_with("cleared") {
        args.push("--clear");
    }
    args.push(if cwd == "env" { "." } else { "env" });
    env.rvenv(args).cwd(cwd).succeeds();
    let (mut originals, mut copies) = (kept(&source), kept(&env.at("env")));
    // The existing directory keeps its time.
    if matches!(place, "empty" | "cleared in place") {
        originals.remove(Path::new(""));
        copies.remove(Path::new(""));
    }
    assert_eq!(originals, copies);
    assert_eq!(fs::metadata(env.at("env/second")).unwrap().nlink(), 1);
    let second = fs::read_to_string(env.at("env/second")).unwrap();
    assert_eq!(second, "both");
    let text = fs::read_to_string(source.join("pyvenv.cfg")).unwrap();
    let own = fs::read_to_string(env.at("env/pyvenv.cfg")).unwrap();
    let (here, there) = (env.at("env"), source.to_str().unwrap());
    assert_eq!(own, text.replace(there, here.to_str().unwrap()));
    env.holds_only(["env", "src"]);
}

fn several_at_once_and_as_json() {
    let env = TestEnv::new();
    env.rvenv_for(newest(), ["src"]).shared_cache().succeeds();
    fs::create_dir(env.at("full")).unwrap();
    fs::write(env.at("full/mine"), "").unwrap();
    let names = ["one", "two", "full", "three"];
    let run = env.rvenv(["--json", "--clone", "src"].iter().chain(&names));
    let outcome = run.shared_cache().outcome();
    outcome.expect_code(1);
    assert_eq!(outcome.stderr.matches("Error: ").count(), 1, "{outcome}");
    let document: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    let results = document["results"].as_array().unwrap();
    assert_eq!(results.len(), 4);
    for (name, result) in names.iter().zip(results) {
        assert_eq!(result["path"], env.at(name).to_str().unwrap());
        if *name == "full" {
            assert_eq!(result["kind"], "not_empty");
            continue;
        }
        assert_eq!(result["version"], results[0]["version"]);
        assert!(result["pip"].is_string() && result["changed"] == true);
        let python = env.at(name).join("bin/python");
        let prefix = format!("{}\n", env.at(name).display());
        env.run(python, ["-c", "import sys; print(sys.prefix)"])
            .prints(&prefix);
    }
    assert_eq!(listing(&env.at("full")), ["mine"]);
}

/// What `activate` of an environment shows and sets.
fn prompts(env: &TestEnv, name: &str) -> String {
    let script = r#"PS1='$ '; . "$0/bin/activate"; printf '%s|%s|%s' "$VIRTUAL_ENV" "$VIRTUAL_ENV_PROMPT" "${PS1@P}""#;
    let path = env.at(name);
    env.run("bash", ["-c", script, path.to_str().unwrap()])
        .stdout()
}

fn has_the_prompt_of_its_new_name_or_the_given_one(maker: Maker) {
    let env = TestEnv::new();
    let hostile = "it's $(touch x) \"y\"";
    maker.make_bare(&env, newest(), &env.at("src"));
    for (name, options, prompt) in [
        ("copy", &[][..], "copy"),
        (hostile, &[], hostile),
        ("other", &["--prompt", "given"], "given"),
        ("third", &["--prompt", hostile], hostile),
    ] {
        let args = [&["--clone", "src"], options, &[name]].concat();
        let outcome = env.rvenv(args).shared_cache().outcome();
        outcome.expect_code(0);
        // A batch file cannot contain a path with a quote.
        let is_listed = name == hostile && outcome.stderr.ends_with(": bin/activate.bat\n");
        assert!(outcome.stderr.is_empty() || is_listed, "{outcome}");
        let shown = prompts(&env, name);
        let at = env.at(name).display().to_string();
        let bare = format!("{at}|{prompt}|({prompt}) $ ");
        let old = format!("{at}|({prompt}) |({prompt}) $ ");
        assert!(shown == bare || shown == old, "{maker:?} {name}: {shown}");
        assert!(!env.at("x").exists());
    }
    // A prompt that was given is kept.
    env.rvenv(["--clone", "other", "fourth"])
        .shared_cache()
        .succeeds();
    let shown = prompts(&env, "fourth");
    assert!(shown.ends_with("|(given) $ "), "{shown}");
    env.rvenv(["--clone", "third", "fifth"])
        .shared_cache()
        .succeeds();
    let shown = prompts(&env, "fifth");
    assert!(shown.ends_with(&format!("|({hostile}) $ ")), "{shown}");
}

fn keeps_lines_that_the_user_added_to_activation_scripts() {
    let env = TestEnv::new();
    let maker = |name: &str| {
        let script = env.at(name).join("bin/activate");
        let text = fs::read_to_string(&script).unwrap();
        let own = format!("{text}\nexport OWN=\"{}/own\"\n", env.at(name).display());
        fs::write(script, own).unwrap();
    };
    env.rvenv_for(newest(), ["--without-pip", "one"]).succeeds();
    let venv = ["-m", "venv", "--without-pip", "two"];
    env.run(&newest().executable, venv).outcome().expect_code(0);
    for name in ["one", "two"] {
        maker(name);
        let copy = format!("{name} copied");
        env.rvenv(["--clone", name, &copy]).outcome().expect_code(0);
        let script = r#". "$0/bin/activate"; printf %s "$OWN""#;
        let run = env.run("bash", ["-c", script, env.at(&copy).to_str().unwrap()]);
        if name == "one" {
            run.prints(&format!("{}/own", env.at(&copy).display()));
        }
    }
}

fn replaces_an_environment_only_with_clear() {
    let env = TestEnv::new();
    env.rvenv_for(newest(), ["--without-pip", "src"]).succeeds();
    env.rvenv_for(newest(), ["--without-pip", "--prompt=old", "env"])
        .succeeds();
    let before = whole_tree(&env.at("env"));
    let hint = "use --clear to delete its contents";
    env.rvenv(["--clone", "src", "env"])
        .errs(&["env' is not empty", hint]);
    assert!(before == whole_tree(&env.at("env")));
    fs::create_dir(env.at("mine")).unwrap();
    fs::write(env.at("mine/file"), "mine").unwrap();
    env.rvenv(["--clone", "src", "mine", "--clear"])
        .errs(&["refusing to clear", "--force"]);
    fs::write(env.at("file"), "mine").unwrap();
    env.rvenv(["--clone", "src", "file"])
        .errs(&["it is a file"]);
    env.rvenv(["--clone", "src", "--clear", "env"]).succeeds();
    assert!(before != whole_tree(&env.at("env")));
    env.rvenv(["--clone", "src", "--clear", "--force", "mine"])
        .succeeds();
    assert_eq!(kept(&env.at("src")), kept(&env.at("mine")));
    env.holds_only(["env", "file", "mine", "src"]);
}

fn has_links_that_lead_where_those_of_the_original_lead() {
    let env = TestEnv::new();
    env.rvenv_for(newest(), ["--without-pip", "deep/src"])
        .succeeds();
    fs::write(env.at("outside"), "outside").unwrap();
    let source = env.at("deep/src");
    let absolute = |path: &str| source.join(path).to_str().unwrap().to_owned();
    let copy = env.at("copy");
    for (name, target, expected) in [
        (
            "lib/in",
            "../pyvenv.cfg".to_owned(),
            "../pyvenv.cfg".to_owned(),
        ),
        (
            "out",
            "../../outside".into(),
            env.at("outside").to_str().unwrap().into(),
        ),
        (
            "lib/out",
            "../../../outside".into(),
            env.at("outside").to_str().unwrap().into(),
        ),
        (
            "around",
            "../src/pyvenv.cfg".into(),
            copy.join("pyvenv.cfg").to_str().unwrap().into(),
        ),
        (
            "whole",
            absolute("pyvenv.cfg"),
            copy.join("pyvenv.cfg").to_str().unwrap().into(),
        ),
        ("self", absolute(""), copy.to_str().unwrap().into()),
        (
            "other",
            absolute("").trim_end_matches('/').to_owned() + "2/x",
            env.at("deep/src2/x").to_str().unwrap().into(),
        ),
        ("gone", "nowhere".into(), "nowhere".into()),
        ("system", "/etc/passwd".into(), "/etc/passwd".into()),
    ] {
        fs::os::unix::fs::symlink(&target, source.join(name)).unwrap();
        let _ = fs::remove_dir_all(&copy);
        env.rvenv(["--clone", "deep/src", "copy"]).succeeds();
        let link = fs::read_link(copy.join(name)).unwrap();
        assert_eq!(
            link.to_str().unwrap().trim_end_matches('/'),
            expected,
            "{name}"
        );
    }
}

fn of_an_environment_that_is_reached_through_a_link_or_was_moved() {
    let env = TestEnv::new();
    fs::create_dir(env.at("real")).unwrap();
    fs::os::unix::fs::symlink("real", env.at("link")).unwrap();
    env.rvenv_for(newest(), ["link/src"])
        .shared_cache()
        .succeeds();
    fs::os::unix::fs::symlink("real/src", env.at("short")).unwrap();
    for (source, copy) in [("link/src", "a"), ("real/src", "b"), ("short", "c")] {
        env.rvenv(["--clone", source, copy])
            .shared_cache()
            .succeeds();
        assert!(fs::symlink_metadata(env.at(copy)).unwrap().is_dir());
        for old in ["link/src", "real/src"] {
            let said = env.at(old);
            assert_eq!(
                containing(&env.at(copy), said.to_str().unwrap()),
                BTreeSet::new(),
                "{source}"
            );
        }
    }
    fs::rename(env.at("real/src"), env.at("moved")).unwrap();
    env.rvenv(["--clone", "moved", "d"])
        .shared_cache()
        .succeeds();
    let said = env.at("link/src");
    assert_eq!(
        containing(&env.at("d"), said.to_str().unwrap()),
        BTreeSet::new()
    );
    let prefix = env.run(env.at("d/bin/pip"), ["--version"]).stdout();
    assert!(prefix.contains(env.at("d").to_str().unwrap()), "{prefix}");
}

fn is_refused_for_what_is_no_environment() {
    let env = TestEnv::new();
    fs::create_dir(env.at("empty")).unwrap();
    fs::write(env.at("file"), "").unwrap();
    fs::create_dir(env.at("bare")).unwrap();
    fs::write(
        env.at("bare/pyvenv.cfg"),
        "home = /usr/bin\nversion = 3.12.1\n",
    )
    .unwrap();
    for (source, reason) in [
        ("empty", "it has no pyvenv.cfg"),
        ("file", "it is not a directory"),
        ("absent", "there is no such directory"),
        ("bare", "it has no Python"),
    ] {
        let said = format!("{source}' is not a virtual environment: {reason}");
        env.rvenv(["--clone", source, "env"])
            .errs(&[&said, "hint: "]);
    }
    env.rvenv_for(newest(), ["--without-pip", "src"]).succeeds();
    fs::write(env.at("src/pyvenv.cfg"), "home = /usr/bin\n").unwrap();
    fs::remove_dir_all(env.at("src/lib")).unwrap();
    env.rvenv(["--clone", "src", "env"])
        .errs(&["names no version of Python"]);
    env.holds_only(["bare", "empty", "file", "src"]);
}

fn is_refused_within_the_original_and_around_it() {
    let env = TestEnv::new();
    env.rvenv_for(newest(), ["--without-pip", "out/src"])
        .succeeds();
    fs::os::unix::fs::symlink("out", env.at("link")).unwrap();
    let before = whole_tree(&env.at("out"));
    for (target, reason) in [
        ("out/src", "it is the same directory"),
        ("link/src", "it is the same directory"),
        ("out/src/sub/env", "it is inside the environment"),
        ("link/src/env", "it is inside the environment"),
        ("out", "the environment is inside it"),
        (".", "the environment is inside it"),
    ] {
        let run = env.rvenv(["--clone", "out/src", "--clear", "--force", target]);
        run.errs(&[reason, "hint: choose another directory"]);
    }
    assert!(before == whole_tree(&env.at("out")));
    env.holds_only(["link", "out"]);
}

fn is_refused_for_sockets_and_fifos_before_anything_is_made() {
    let env = TestEnv::new();
    env.rvenv_for(newest(), ["--without-pip", "src"]).succeeds();
    let socket = env.at("src/lib/socket");
    let bound = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let run = env.rvenv(["--clone", "src", "parents/env"]);
    run.errs(&[
        &format!("could not copy '{}': it is a socket", socket.display()),
        "hint: remove it",
    ]);
    drop(bound);
    fs::remove_file(&socket).unwrap();
    let fifo = env.at("src/fifo");
    env.run("mkfifo", [&fifo]).succeeds();
    let run = env.rvenv(["--clone", "src", "env"]);
    run.errs(&[&format!(
        "could not copy '{}': it is a FIFO",
        fifo.display()
    )]);
    env.holds_only(["src"]);
}

fn is_refused_where_the_base_is_gone() {
    let env = TestEnv::new();
    env.rvenv_for(newest(), ["--without-pip", "src"]).succeeds();
    let names = listing(&env.at("src/bin"));
    for name in names.iter().filter(|name| name.starts_with("py")) {
        let link = env.at("src/bin").join(name);
        fs::remove_file(&link).unwrap();
        fs::os::unix::fs::symlink("/nowhere/bin/python3", link).unwrap();
    }
    let text = fs::read_to_string(env.at("src/pyvenv.cfg")).unwrap();
    let old = newest().executable.parent().unwrap().to_str().unwrap();
    fs::write(env.at("src/pyvenv.cfg"), text.replace(old, "/nowhere/bin")).unwrap();
    let hint = format!("`rvenv --upgrade {}`", env.at("src").display());
    let run = env.rvenv(["--clone", "src", "env"]);
    run.errs(&["does not exist", "'/nowhere/bin/python3'", &hint]);
    env.holds_only(["src"]);
}

fn is_refused_with_options_that_make_environments() {
    let env = TestEnv::new();
    env.rvenv_for(newest(), ["--without-pip", "src"]).succeeds();
    for option in [
        "--upgrade",
        "--copies",
        "--symlinks",
        "--system-site-packages",
        "--without-pip",
        "--upgrade-deps",
        "--without-scm-ignore-files",
        "--relocatable",
        "--python=3",
        "--requirements=x",
        "--constraints=x",
        "--editable=x",
        "--group=x",
        "--with=x",
        "--find-links=x",
        "--no-compile",
        "--keep",
        "--seeder=auto",
        "--check",
        "--list-pythons",
        "--warm-cache",
    ] {
        let outcome = env.rvenv(["--clone", "src", option, "env"]).outcome();
        outcome.expect_code(2);
        let name = option.split('=').next().unwrap();
        assert!(outcome.stderr.contains(name), "{outcome}");
        assert!(outcome.stderr.contains("cannot be used with"), "{outcome}");
    }
    env.rvenv(["--clone", "src"]).fails(2, &["ENV_DIR"]);
    env.holds_only(["src"]);
    // Variables apply only to new environments.
    let run = env
        .rvenv(["--clone", "src", "env"])
        .var("RVENV_PYTHON", "9.9");
    run.var("RVENV_SEEDER", "wheel")
        .var("RVENV_FIND_LINKS", "x")
        .succeeds();
}

fn gives_no_other_user_more_rights() {
    let env = TestEnv::new();
    env.rvenv_for(newest(), ["--without-pip", "src"]).succeeds();
    let mode = |path: &Path, mode| {
        fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let (own, another) = (env.at("src/bin/own"), env.at("src/bin/another"));
    for path in [&own, &another] {
        fs::write(path, "#!/bin/sh\n").unwrap();
    }
    fs::os::unix::fs::chown(&another, Some(65534), Some(65534)).unwrap();
    mode(&own, 0o6755);
    mode(&another, 0o6755);
    env.rvenv(["--clone", "src", "env"]).succeeds();
    let seen = |name: &str| fs::metadata(env.at("env/bin").join(name)).unwrap().mode() & 0o7777;
    assert_eq!((seen("own"), seen("another")), (0o6755, 0o755));
}

fn keeps_a_read_only_folder_read_only() {
    let env = TestEnv::new();
    let nobody = nobody(&env);
    let run = |args: &[&str]| {
        let words = nobody.before[1..].iter().cloned();
        let words = words.chain([nobody.program.clone().into()]);
        env.run(&nobody.before[0], words.chain(args.iter().map(Into::into)))
    };
    let python = nobody.python.executable.to_str().unwrap();
    run(&["-p", python, "--without-pip", "src"]).succeeds();
    let mode = |path: &str, mode| {
        fs::set_permissions(env.at(path), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    for path in ["src/lib", "src/bin", "src"] {
        let file = fs::File::open(env.at(path)).unwrap();
        file.file().set_modified(long_ago).unwrap();
        mode(path, 0o555);
    }
    fs::create_dir(env.at("empty")).unwrap();
    fs::os::unix::fs::chown(env.at("empty"), Some(65534), Some(65534)).unwrap();
    run(&["--clone", "src", "new", "empty"]).succeeds();
    for name in ["new", "empty"] {
        let (mut originals, mut copies) = (kept(&env.at("src")), kept(&env.at(name)));
        if name == "empty" {
            originals.remove(Path::new(""));
            copies.remove(Path::new(""));
        }
        assert_eq!(originals, copies, "{name}");
    }
}

/// Starts to clone an environment with many files, and stops while files are copied.
fn stopped(env: &TestEnv) -> crate::env::Started {
    let many = env.at("src/many");
    fs::create_dir_all(&many).unwrap();
    for number in 0..8_000 {
        fs::write(many.join(number.to_string()), [b'x'; 100]).unwrap();
    }
    let mut run = env.rvenv(["--clone", "src", "a/env"]).start();
    run.until(|| {
        let stages = leftovers(&env.at("a"));
        let copies = stages
            .first()
            .map(|name| env.at("a").join(name).join("new/many"));
        copies.is_some_and(|copies| fs::read_dir(copies).is_ok_and(|it| it.count() > 0))
    });
    run.signal(Signal::STOP);
    run
}

fn a_file_that_vanishes_leaves_nothing() {
    let env = TestEnv::new();
    env.rvenv_for(newest(), ["--without-pip", "src"]).succeeds();
    let run = stopped(&env);
    fs::remove_dir_all(env.at("src/many")).unwrap();
    run.signal(Signal::CONT);
    let outcome = run.finish();
    outcome.expect_code(1);
    assert!(
        outcome.stderr.starts_with("Error: could not read "),
        "{outcome}"
    );
    assert!(outcome.stderr.contains("/src/many"), "{outcome}");
    assert!(
        outcome.stderr.contains("run the command again"),
        "{outcome}"
    );
    env.holds_only(["src"]);
}

fn a_signal_leaves_nothing() {
    let env = TestEnv::new();
    env.rvenv_for(newest(), ["--without-pip", "src"]).succeeds();
    let run = stopped(&env);
    run.signal(Signal::INT);
    run.signal(Signal::CONT);
    let outcome = run.finish();
    assert_eq!(outcome.signal(), Some(Signal::INT.as_raw()), "{outcome}");
    assert_eq!(outcome.stderr, "");
    env.holds_only(["src"]);
}
