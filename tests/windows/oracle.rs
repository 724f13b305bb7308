//! Environments are equal to those of `python -m venv`, and their programs work.

use std::path::Path;

use fs_err as fs;

use crate::{
    differences,
    place::{Place, agree, each, newest, succeeds},
};

crate::harness::trials! {
    bare_environments_are_venvs(each),
    environments_with_pip_are_venvs(each),
    both_producers_make_the_same(each),
    console_scripts_are_pips_to_the_byte(each),
    python_and_pip_of_the_environment_run(each),
}

fn bare_environments_are_venvs(python: &'static Path) {
    let place = Place::new();
    let mut lines = Vec::new();
    let bare = "--without-pip";
    let cases: [&[&[&str]]; 11] = [
        &[&[bare, "env"]],
        &[&[bare, "--system-site-packages", "env"]],
        &[&[bare, "--copies", "env"]],
        &[&[bare, "--prompt", "it's", "env"]],
        &[&[bare, "with spaces in it"]],
        &[&[bare, r"below\folders\ünïcode"]],
        &[&[bare, "one", "two"]],
        &[&[bare, "a & b^c 50% of it!"]],
        &[&[bare, "env"], &[bare, "env"]],
        &[&[bare, "env"], &[bare, "--clear", "env"]],
        &[&[bare, "env"], &[bare, "--upgrade", "env"]],
    ];
    for steps in cases {
        lines.extend(place.compare(python, steps));
    }
    agree(&lines);
}

fn environments_with_pip_are_venvs(python: &'static Path) {
    let place = Place::new();
    let mut lines = Vec::new();
    let mut cases: Vec<&[&[&str]]> = vec![&[&["env"]]];
    if python == newest() {
        // venv keeps the pip of the first step, and rvenv has it in its cache.
        cases.push(&[&["--system-site-packages", "a folder & its ünïcode^! name"]]);
        cases.push(&[&["env"], &["--upgrade", "env"]]);
    }
    for steps in cases {
        lines.extend(place.compare(python, steps));
        for entry in fs::read_dir(&place.work).unwrap() {
            let site_packages = entry.unwrap().path().join("Lib").join("site-packages");
            lines.extend(differences::wrong_hashes(&site_packages));
        }
    }
    agree(&lines);
}

fn both_producers_make_the_same(python: &'static Path) {
    let place = Place::new();
    let mut lines = Vec::new();
    succeeds(
        place
            .rvenv(python)
            .args(["--no-cache", "--seeder", "wheel", "env"]),
    );
    let reference = place.folder.path().join("wheel");
    if reference.exists() {
        fs::remove_dir_all(&reference).unwrap();
    }
    fs::rename(place.work.join("env"), &reference).unwrap();
    succeeds(
        place
            .rvenv(python)
            .args(["--no-cache", "--seeder", "ensurepip", "env"]),
    );
    lines.extend(differences::differences(
        python,
        &reference,
        &place.work.join("env"),
    ));
    fs::remove_dir_all(place.work.join("env")).unwrap();
    agree(&lines);
}

/// Compares console scripts including their times, which `SOURCE_DATE_EPOCH` sets.
fn console_scripts_are_pips_to_the_byte(python: &'static Path) {
    const EPOCH: (&str, &str) = ("SOURCE_DATE_EPOCH", "1700000000");
    let place = Place::new();
    let scripts = || {
        let folder = fs::read_dir(place.work.join("env").join("Scripts")).unwrap();
        let files = folder.map(|entry| entry.unwrap().path());
        let programs = files.filter(|path| path.extension().is_some_and(|end| end == "exe"));
        programs
            .map(|path| (path.clone(), fs::read(path).unwrap()))
            .collect::<std::collections::BTreeMap<_, _>>()
    };
    let mut venv = place.command(python);
    succeeds(
        venv.args(["-m", "venv", "--clear", "env"])
            .env(EPOCH.0, EPOCH.1),
    );
    let expected = scripts();
    assert!(expected.len() >= 5, "{:?}", expected.keys());
    succeeds(
        place
            .rvenv(python)
            .args(["--clear", "env"])
            .env(EPOCH.0, EPOCH.1),
    );
    let found = scripts();
    assert!(expected.keys().eq(found.keys()), "{:?}", found.keys());
    for (path, contents) in expected {
        assert!(found[&path] == contents, "{} differs", path.display());
    }
}

fn python_and_pip_of_the_environment_run(python: &'static Path) {
    let place = Place::new();
    succeeds(place.rvenv(python).args(["--clear", "env"]));
    let scripts = place.work.join("env").join("Scripts");
    let script = "import sys; print(sys.prefix); print(sys.prefix != sys.base_prefix)";
    let output = succeeds(
        place
            .command(scripts.join("python.exe"))
            .args(["-c", script]),
    );
    let text = String::from_utf8(output.stdout).unwrap();
    let mut said = text.lines();
    let prefix = said.next().unwrap().to_lowercase();
    assert_eq!(
        prefix,
        place.work.join("env").to_str().unwrap().to_lowercase()
    );
    assert_eq!(said.next(), Some("True"));
    let output = succeeds(place.command(scripts.join("pip.exe")).arg("--version"));
    assert!(output.stdout.starts_with(b"pip "), "{output:?}");
}
