//! A relocatable environment works wherever it is: moved or copied, under another name, through a link; its scripts find its
//! Python, and pip installs into it.

use std::os::unix::fs::symlink;

use fs_err as fs;

use crate::{
    env::TestEnv,
    interpreters::{interpreters_with_pip, newest},
    wheel::write_wheel,
};

crate::harness::trials! {
    pip_works_wherever_the_environment_is,
    scripts_find_their_python_through_links,
    nothing_in_it_names_the_place_it_was_made_in,
}

/// A folder name that a shell would split, expand and unquote.
const ELSEWHERE: &str = "it's \"there\" $HOME `x`";

/// One that the oldest pip can install into: it expands variables in the path of what it installs.
const ELSEWHERE_FOR_PIP: &str = "it's there (2)";

fn pip_works_wherever_the_environment_is() {
    // pip is slow; its oldest and its newest are the most different.
    let pythons: Vec<_> = interpreters_with_pip().collect();
    for python in pythons
        .iter()
        .take(1)
        .chain(pythons.iter().skip(1).next_back())
    {
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

fn nothing_in_it_names_the_place_it_was_made_in() {
    let env = TestEnv::new();
    env.rvenv_for(newest(), ["--relocatable", "--without-pip", "made"])
        .succeeds();
    let place = env.at("made");
    for entry in walkdir::WalkDir::new(&place)
        .into_iter()
        .map(Result::unwrap)
    {
        if !entry.file_type().is_file() || entry.file_name() == "pyvenv.cfg" {
            continue; // the configuration says by what command it was made
        }
        let text = String::from_utf8_lossy(&fs::read(entry.path()).unwrap()).into_owned();
        assert!(
            !text.contains(place.to_str().unwrap()),
            "{}",
            entry.path().display()
        );
    }
}
