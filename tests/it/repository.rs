//! What the repository says of its tests is what is run.

use std::path::Path;

use fs_err as fs;

use crate::harness::absent;

crate::harness::trials! {
    the_readme_names_the_command_that_ci_runs,
    every_test_is_listed,
    nothing_installs_the_other_project_of_that_name,
}

/// A file of the checkout; the packaged crate has not all of them.
fn read(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    fs::read_to_string(path).unwrap_or_else(|_| absent(format!("no checkout with {name}")))
}

fn the_readme_names_the_command_that_ci_runs() {
    let (readme, ci) = (read("README.md"), read(".ci/run"));
    let command = "cargo test --locked";
    assert!(readme.lines().any(|line| line == format!("$ {command}")));
    let runs = |line: &str| line.starts_with("part ") && line.ends_with(command);
    assert!(ci.lines().any(runs), "{command}");
    assert!(readme.contains("RVENV_TEST_TIER=full"));
    assert!(ci.contains("export RVENV_TEST_TIER=full"));
}

/// What Cargo's own harness would run is dropped without a word by this one.
fn every_test_is_listed() {
    let attribute = concat!("#[", "test]");
    for entry in walkdir::WalkDir::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")) {
        let path = entry.unwrap().into_path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let marked = text.lines().any(|line| line.trim() == attribute);
            assert!(!marked, "{} has {attribute}", path.display());
        }
    }
}

/// `rvenv` on `PyPI` is another project; this one's distribution has a name of its own.
fn nothing_installs_the_other_project_of_that_name() {
    let installers = [
        "pip install",
        "pipx install",
        "pipx run",
        "uv tool install",
        "uvx",
    ];
    for name in [
        "README.md",
        "docs/guide.md",
        "docs/recipes.md",
        "CHANGELOG.md",
        "pyproject.toml",
        "python/rvenv/_find.py",
        ".github/workflows/ci.yml",
        ".github/workflows/release.yml",
    ] {
        for line in read(name).lines() {
            let names_it = |rest: &str| {
                let first = rest
                    .split(['&', ',', '|', '`', '#'])
                    .next()
                    .unwrap_or_default();
                first.split_whitespace().any(|word| word == "rvenv")
            };
            let found = installers
                .iter()
                .filter_map(|installer| line.split_once(installer))
                .any(|(_, rest)| names_it(rest));
            assert!(!found, "{name}: {line}");
        }
    }
    assert!(
        read("pyproject.toml")
            .lines()
            .any(|line| line == "name = \"rvenv-cli\"")
    );
}
