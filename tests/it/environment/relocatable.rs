//! A relocatable environment works at every path: moved, copied, renamed, or through a link. Its scripts find its Python, and
//! pip installs into it.

use std::{
    collections::{BTreeMap, BTreeSet},
    os::unix::fs::symlink,
};

use fs_err as fs;

use crate::{
    env::TestEnv,
    environment::makers::containing,
    faults::{Mount, nobody},
    harness::some,
    interpreters::{Interpreter, a_few, interpreters_with_pip, newest},
    wheel::write_wheel,
};

crate::harness::trials! {
    pip_works_wherever_the_environment_is(part),
    scripts_find_their_python_through_links(full),
    nothing_in_it_contains_the_path_it_was_created_at,
    what_is_installed_with_it_is_relocatable_too(a_few),
    check_names_what_was_installed_later_and_the_remedy_makes_it_relocatable,
    an_upgrade_keeps_it_relocatable(a_few),
    a_run_without_the_option_makes_an_ordinary_one(a_few, part),
    two_users_read_it_at_two_paths needs [MOUNT, NOBODY],
}

/// A folder name that a shell would split, expand and unquote.
const ELSEWHERE: &str = "it's \"there\" $HOME `x`";

/// A name that works with the oldest pip, which expands variables in the paths of files that it installs.
const ELSEWHERE_FOR_PIP: &str = "it's there (2)";

fn pip_works_wherever_the_environment_is() {
    // pip is slow; its oldest and its newest are the most different.
    let pythons: Vec<_> = interpreters_with_pip().collect();
    let others = pythons.len().saturating_sub(1);
    for python in some(&[pythons[others], pythons[0]], 1) {
        let env = TestEnv::new();
        let wheel = write_wheel(&env, &env.root().join("wheels"), "hello", "1.5");
        env.rvenv_for(python, ["--relocatable", "made"]).succeeds();
        let configuration = fs::read_to_string(env.at("made/pyvenv.cfg")).unwrap();
        assert!(
            configuration.contains("\nrelocatable = true\n"),
            "{configuration}"
        );
        fs::rename(env.at("made"), env.at(ELSEWHERE_FOR_PIP)).unwrap();

        let script = r#". "$0/bin/activate" && pip --version && pip install --no-index -q "$1" && python -m hello"#;
        let place = env.at(ELSEWHERE_FOR_PIP);
        let arguments = [
            "-c",
            script,
            place.to_str().unwrap(),
            wheel.to_str().unwrap(),
        ];
        let outcome = env
            .run("bash", arguments)
            .var("PIP_DISABLE_PIP_VERSION_CHECK", "1")
            .outcome();
        outcome.expect_code(0);
        assert!(
            outcome
                .stdout
                .contains(&format!("from {}/lib/", place.display())),
            "{outcome}"
        );
        assert!(
            outcome
                .stdout
                .ends_with(&format!("1.5 {}\n", place.display())),
            "{outcome}"
        );
    }
}

fn scripts_find_their_python_through_links() {
    let Some(python) = interpreters_with_pip().last() else {
        return;
    };
    let env = TestEnv::new();
    env.rvenv_for(python, ["--relocatable", "made"]).succeeds();
    fs::create_dir(env.at("links")).unwrap();
    fs::rename(env.at("made"), env.at(ELSEWHERE)).unwrap();
    let pip = env.at(ELSEWHERE).join("bin/pip");
    symlink(&pip, env.at("links/absolute")).unwrap();
    symlink(format!("../{ELSEWHERE}/bin/pip"), env.at("links/relative")).unwrap();
    symlink("relative", env.at("links/twice")).unwrap();
    for link in ["absolute", "relative", "twice"] {
        let outcome = env.run(env.at("links").join(link), ["--version"]).outcome();
        outcome.expect_code(0);
        assert!(
            outcome
                .stdout
                .contains(&format!("from {}/lib/", env.at(ELSEWHERE).display())),
            "{outcome}"
        );
    }
}

fn nothing_in_it_contains_the_path_it_was_created_at() {
    let env = TestEnv::new();
    let none: BTreeSet<String> = BTreeSet::new();
    let place = |name: &str| env.at(name).to_str().unwrap().to_owned();
    env.rvenv_for(newest(), ["--relocatable", "made"])
        .shared_cache()
        .succeeds();
    assert_eq!(containing(&env.at("made"), &place("made")), none);
    // An existing environment is changed by running the command again.
    env.rvenv_for(newest(), ["other"]).shared_cache().succeeds();
    assert_ne!(containing(&env.at("other"), &place("other")), none);
    env.rvenv_for(newest(), ["--relocatable", "other"])
        .shared_cache()
        .succeeds();
    assert_eq!(containing(&env.at("other"), &place("other")), none);
}

/// A relocatable environment `made` with a package `one`, which rvenv has installed.
fn with_one(env: &TestEnv, python: &Interpreter) {
    let wheels = env.root().join("wheels");
    write_wheel(env, &wheels, "one", "1.0");
    env.rvenv_for(python, ["--relocatable", "--with", "one", "made"])
        .shared_cache()
        .var("PIP_NO_INDEX", "1")
        .var("PIP_FIND_LINKS", &wheels)
        .succeeds();
}

fn what_is_installed_with_it_is_relocatable_too(python: &'static Interpreter) {
    let env = TestEnv::new();
    with_one(&env, python);
    let said = env.at("made").to_str().unwrap().to_owned();
    assert_eq!(containing(&env.at("made"), &said), BTreeSet::new());
    fs::rename(env.at("made"), env.at(ELSEWHERE)).unwrap();
    let place = env.at(ELSEWHERE);
    env.run(place.join("bin/one"), [""; 0])
        .prints(&format!("1.0 {}\n", place.display()));
    env.rvenv(["--check", ELSEWHERE])
        .shared_cache()
        .prints(&format!("{ELSEWHERE}: ok\n"));
    // A second run has nothing to do, and undoes nothing.
    let wheels = env.root().join("wheels");
    env.rvenv_for(python, ["--relocatable", "--with", "one", ELSEWHERE])
        .shared_cache()
        .var("PIP_NO_INDEX", "1")
        .var("PIP_FIND_LINKS", &wheels)
        .succeeds();
    env.run(place.join("bin/one"), [""; 0])
        .prints(&format!("1.0 {}\n", place.display()));
}

fn check_names_what_was_installed_later_and_the_remedy_makes_it_relocatable() {
    let env = TestEnv::new();
    env.rvenv_for(newest(), ["--relocatable", "made"])
        .shared_cache()
        .succeeds();
    let wheel = write_wheel(&env, &env.root().join("wheels"), "hello", "1.5");
    let install = ["install", "-q", "--no-index", wheel.to_str().unwrap()];
    env.run(env.at("made/bin/pip"), install)
        .outcome()
        .expect_code(0);
    let outcome = env.rvenv(["--check", "made"]).shared_cache().outcome();
    outcome.expect_code(1);
    let said = "made: it is not relocatable any more: its path is in bin/hello\n";
    let (first, remedy) = outcome
        .stdout
        .split_at(said.len().min(outcome.stdout.len()));
    assert_eq!(first, said);
    let remedy = remedy.trim().strip_prefix("remedy: rvenv ").unwrap();
    assert!(remedy.starts_with("--upgrade "), "{remedy}");
    assert!(remedy.ends_with(" --relocatable made"), "{remedy}");
    env.rvenv(remedy.split(' ')).shared_cache().succeeds();
    env.rvenv(["--check", "made"])
        .shared_cache()
        .prints("made: ok\n");
    fs::rename(env.at("made"), env.at(ELSEWHERE)).unwrap();
    let place = env.at(ELSEWHERE);
    env.run(place.join("bin/hello"), [""; 0])
        .prints(&format!("1.5 {}\n", place.display()));
}

fn an_upgrade_keeps_it_relocatable(python: &'static Interpreter) {
    let env = TestEnv::new();
    with_one(&env, python);
    let written = || {
        let names = ["pyvenv.cfg", "bin/activate", "bin/activate.fish", "bin/one"];
        names.map(|name| fs::read_to_string(env.at("made").join(name)).unwrap())
    };
    let before = written();
    // A package that pip has installed in between is made relocatable, too.
    let wheel = write_wheel(&env, &env.root().join("wheels"), "hello", "1.5");
    let install = ["install", "-q", "--no-index", wheel.to_str().unwrap()];
    env.run(env.at("made/bin/pip"), install)
        .var("PIP_DISABLE_PIP_VERSION_CHECK", "1")
        .outcome()
        .expect_code(0);
    env.rvenv_for(python, ["--upgrade", "made"])
        .shared_cache()
        .succeeds();
    let without_request = |text: &str| {
        let is_other =
            |line: &&str| !line.starts_with("rvenv-request") && !line.starts_with("command");
        text.lines()
            .filter(is_other)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    for (before, after) in before.iter().zip(&written()) {
        assert_eq!(without_request(before), without_request(after));
    }
    let said = env.at("made").to_str().unwrap().to_owned();
    assert_eq!(containing(&env.at("made"), &said), BTreeSet::new());
    // Also after it was moved.
    fs::rename(env.at("made"), env.at(ELSEWHERE)).unwrap();
    let place = env.at(ELSEWHERE);
    env.rvenv_for(python, ["--upgrade", ELSEWHERE])
        .shared_cache()
        .succeeds();
    assert_eq!(containing(&place, place.to_str().unwrap()), BTreeSet::new());
    for (script, version) in [("one", "1.0"), ("hello", "1.5")] {
        env.run(place.join("bin").join(script), [""; 0])
            .prints(&format!("{version} {}\n", place.display()));
    }
    env.rvenv(["--check", ELSEWHERE])
        .shared_cache()
        .prints(&format!("{ELSEWHERE}: ok\n"));
}

fn a_run_without_the_option_makes_an_ordinary_one(python: &'static Interpreter) {
    // The second path cannot be in a shebang.
    for &name in some(&["made", "it's here"], 1) {
        let env = TestEnv::new();
        let wheels = env.root().join("wheels");
        write_wheel(&env, &wheels, "one", "1.0");
        let make = |options: &[&str]| {
            let args = [options, &["--with", "one", name]].concat();
            env.rvenv_for(python, args)
                .shared_cache()
                .var("PIP_NO_INDEX", "1")
                .var("PIP_FIND_LINKS", &wheels)
                .succeeds();
        };
        let scripts = || -> BTreeMap<String, String> {
            let mut scripts = BTreeMap::new();
            for entry in fs::read_dir(env.at(name).join("bin")).unwrap() {
                let entry = entry.unwrap();
                if entry.file_type().unwrap().is_file() {
                    let text = fs::read_to_string(entry.path()).unwrap();
                    // Old versions of distlib write two newlines after the first line.
                    let (first, rest) = text.split_once('\n').unwrap();
                    let text = [first, rest.trim_start_matches('\n')].join("\n");
                    scripts.insert(entry.file_name().into_string().unwrap(), text);
                }
            }
            scripts
        };
        make(&[]);
        let ordinary = scripts();
        make(&["--clear", "--relocatable"]);
        let place = env.at(name).to_str().unwrap().to_owned();
        assert_eq!(containing(&env.at(name), &place), BTreeSet::new());
        make(&[]);
        assert_eq!(scripts(), ordinary, "{name}");
        let configuration = fs::read_to_string(env.at(name).join("pyvenv.cfg")).unwrap();
        assert!(!configuration.contains("relocatable"), "{configuration}");
        env.run(env.at(name).join("bin/one"), [""; 0])
            .prints(&format!("1.0 {place}\n"));
        env.rvenv(["--check", name])
            .shared_cache()
            .prints(&format!("{name}: ok\n"));
    }
}

fn two_users_read_it_at_two_paths() {
    let env = TestEnv::new();
    let nobody = nobody(&env);
    with_one(&env, nobody.python);
    let made = env.at("made");
    let mount = Mount::new(&env, "mounted", &["-o", "bind,ro", made.to_str().unwrap()]);
    let place = env.at("mounted");
    let script = "from one import main; main()\nimport pip, sys; print(pip.__file__)\n\
                  assert main.__code__.co_filename.startswith(sys.prefix), main.__code__\n";
    for (before, place) in [(&nobody.before[..], &place), (&[][..], &made)] {
        let line = |script: &str, args: &[&str]| {
            let script = place.join("bin").join(script).into_os_string();
            let line = before.iter().cloned().chain([script]);
            let line: Vec<_> = line.chain(args.iter().map(Into::into)).collect();
            env.run(&line[0], &line[1..])
                .var("PYTHONDONTWRITEBYTECODE", "1")
        };
        let said = format!("1.0 {}\n", place.display());
        line("one", &[]).prints(&said);
        let printed = line("python", &["-c", script]).stdout();
        let pip = format!("{said}{}/lib/", place.display());
        assert!(printed.starts_with(&pip), "{printed}");
    }
    drop(mount);
}
