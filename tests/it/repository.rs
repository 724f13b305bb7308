//! Asserts that the documentation and CI run the same test commands.

use std::collections::BTreeSet;
use std::path::Path;

use fs_err as fs;

use crate::env::TestEnv;
use crate::interpreters::newest;
use crate::needs::CHECKOUT;

crate::harness::trials! {
    the_readme_names_the_command_that_ci_runs needs [CHECKOUT],
    every_test_is_listed,
    the_picture_in_the_readme_is_drawn_from_the_table_of_benchmarks needs [CHECKOUT],
    nothing_installs_the_other_project_of_that_name needs [CHECKOUT],
    the_changelog_has_a_section_for_the_version needs [CHECKOUT],
    the_version_is_in_one_place needs [CHECKOUT],
    every_kind_of_the_json_output_is_documented needs [CHECKOUT],
}

/// A file of the checkout. The packaged crate does not contain all of them.
fn read(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    CHECKOUT.is_listed();
    fs::read_to_string(path).unwrap()
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

fn the_picture_in_the_readme_is_drawn_from_the_table_of_benchmarks() {
    let picture = read("docs/benchmark.svg");
    let chart = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/chart.py");
    let env = TestEnv::new();
    let drawn = env.run(
        &newest().executable,
        [chart.as_os_str(), "--print".as_ref()],
    );
    assert_eq!(picture, drawn.stdout(), "benches/chart.py draws it");
    assert!(read("README.md").contains("](docs/benchmark.svg)"));
    assert!(read("docs/benchmarks.md").contains("](benchmark.svg)"));
    // It is shown as an image, in which scripts do not run and nothing is loaded.
    for foreign in ["<script", "href", "url("] {
        assert!(!picture.contains(foreign), "{foreign}");
    }
}

/// Tests for Cargo's own harness would be silently ignored.
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

/// `rvenv` on `PyPI` is another project, so this distribution has another name.
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

fn the_changelog_has_a_section_for_the_version() {
    let text = read("CHANGELOG.md");
    let heading = format!("## [{}] - ", env!("CARGO_PKG_VERSION"));
    let mut sections = text.split("\n## ").skip(1);
    // There may be unreleased changes above it.
    let section = sections.find(|section| format!("## {section}").starts_with(&heading));
    let section = section.unwrap_or_else(|| panic!("no {heading}"));
    assert!(section.contains("\n- "), "{heading} is empty");
}

/// The version in `Cargo.toml`, with which all others must agree.
fn the_version_is_in_one_place() {
    let version = env!("CARGO_PKG_VERSION");
    let line = format!("version = \"{version}\"");
    let found = read("Cargo.toml");
    assert_eq!(found.lines().filter(|it| *it == line).count(), 1, "{line}");
    let pyproject = read("pyproject.toml");
    assert!(pyproject.contains("dynamic = [\"version\"]"));
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    // What says to others which version it is; tests and code have versions of other things.
    let places = [
        "README.md",
        "action.yml",
        "pyproject.toml",
        ".github",
        "docs",
        "packaging",
        "python/rvenv",
    ];
    let files = places
        .iter()
        .flat_map(|it| walkdir::WalkDir::new(root.join(it)));
    let files = files.flatten().filter(|entry| entry.file_type().is_file());
    for file in files {
        let name = file.path().display();
        let text = String::from_utf8(fs::read(file.path()).unwrap()).unwrap_or_default();
        let mut around = text.match_indices(version).map(|(start, _)| {
            let before = text[..start].chars().next_back();
            (before, text[start + version.len()..].chars().next())
        });
        // Another number may contain it.
        let is_number = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit() || c == '.');
        let is_there = around.any(|(before, after)| !is_number(before) && !is_number(after));
        assert!(!is_there, "{name} has the version {version}");
    }
}

/// Programs rely on them, so each must be documented.
fn every_kind_of_the_json_output_is_documented() {
    let (errors, problems) = (read("src/error.rs"), read("src/check/report.rs"));
    let document = read("docs/stability.md");
    let start = errors.find("pub fn kind(").unwrap();
    let body = errors[start..].split("\n    }\n").next().unwrap();
    let named = |arm: &str| Some(arm.rsplit_once("=> \"")?.1.split_once('"')?.0.to_owned());
    let of_errors: BTreeSet<_> = body.lines().filter_map(named).collect();
    let start = problems.find("pub enum Kind {").unwrap();
    let body = problems[start..].split("\n}\n").next().unwrap();
    let variant = |line: &str| Some(snake_case(line.trim().strip_suffix(',')?));
    let of_problems: BTreeSet<_> = body.lines().filter_map(variant).collect();
    for (heading, kinds) in [("errors", of_errors), ("problems", of_problems)] {
        let section = document
            .split_once(&format!("\n## Kinds of {heading}\n"))
            .unwrap()
            .1;
        let section = section.split("\n## ").next().unwrap();
        let first = |row: &str| Some(row.strip_prefix("| `")?.split_once('`')?.0.to_owned());
        let documented: BTreeSet<_> = section.lines().filter_map(first).collect();
        assert_eq!(documented, kinds, "{heading}");
        assert!(kinds.len() > 10, "{kinds:?}");
    }
}

/// As serde writes a variant.
fn snake_case(variant: &str) -> String {
    let mut name = String::new();
    for letter in variant.chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.extend(letter.to_lowercase());
    }
    name
}
