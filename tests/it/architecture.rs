//! The layers of `src/`: no import goes upward, and no modules import each other in a cycle.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use fs_err as fs;

crate::harness::trials! {
    no_import_runs_upward,
    no_cycle_of_modules,
    few_files_beside_the_folders,
    a_cycle_and_an_upward_import_would_be_found,
}

/// Each may import from those to its right (`docs/architecture.md`).
const LAYERS: [&str; 13] = [
    "main",
    "cli",
    "builder",
    "check",
    "pip",
    "venv",
    "image",
    "installed",
    "stage",
    "interpreter",
    "cache",
    "terminal",
    "sys",
];
/// They may only import each other.
const LEAVES: [&str; 3] = ["options", "error", "repr"];

/// A module's path without `crate`, such as `venv::context`.
type Module = Vec<String>;
type Imports = BTreeMap<Module, BTreeSet<Module>>;

fn no_import_runs_upward() {
    let found = upward(&imports(&sources()));
    assert!(found.is_empty(), "{found:#?}");
}

fn no_cycle_of_modules() {
    let found = cycles(&imports(&sources()));
    assert!(found.is_empty(), "{found:#?}");
}

fn few_files_beside_the_folders() {
    let files = fs::read_dir(src()).unwrap().map(|entry| entry.unwrap());
    let files = files.filter(|entry| entry.file_type().unwrap().is_file());
    let names: Vec<_> = files.map(|entry| entry.file_name()).collect();
    assert!(names.len() <= 6, "{names:?}");
}

fn a_cycle_and_an_upward_import_would_be_found() {
    let module = |path: &str| path.split("::").map(str::to_owned).collect::<Module>();
    let sources = BTreeMap::from([
        (
            module("venv::context"),
            "use crate::venv::layout::{self, Layout};".into(),
        ),
        (
            module("venv::layout"),
            "use crate::{sys::fs, venv::{context::Context}};".into(),
        ),
        (
            module("sys::fs"),
            "fn call() { crate::pip::run::now() }".into(),
        ),
        (
            module("sys::process"),
            "// crate::pip is only named here\n".into(),
        ),
        (
            module("pip::run"),
            "use super::key;\n#[cfg(test)]\nmod tests { use crate::cli; }".into(),
        ),
        (module("pip::key"), String::new()),
        (module("cli"), String::new()),
    ]);
    let imports = imports(&sources);
    assert_eq!(imports[&module("pip::run")], [module("pip::key")].into());
    assert_eq!(upward(&imports), ["sys::fs imports pip::run"]);
    assert_eq!(cycles(&imports), ["venv::context, venv::layout"]);
}

fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The text of every module, without those of tests.
fn sources() -> BTreeMap<Module, String> {
    let files = walkdir::WalkDir::new(src()).into_iter();
    let files = files.map(|entry| entry.unwrap().into_path());
    let files = files.filter(|path| path.extension().is_some_and(|it| it == "rs"));
    files
        .filter_map(|path| {
            let module = path.strip_prefix(src()).unwrap().with_extension("");
            let parts = module.iter().map(|part| part.to_str().unwrap().to_owned());
            let mut module: Module = parts.collect();
            if module.last().is_some_and(|last| last == "mod") {
                module.pop();
            }
            let last = module.last()?.as_str();
            let is_test = last == "tests" || last.starts_with("test_") || last == "lib";
            (!is_test).then(|| (module, fs::read_to_string(&path).unwrap()))
        })
        .collect()
}

/// Which modules each one names with `crate::`, `super::` or `self::`, in imports and elsewhere.
fn imports(sources: &BTreeMap<Module, String>) -> Imports {
    let each = sources.iter().map(|(module, text)| {
        let text = text.split("\nmod tests {").next().unwrap();
        let lines = text.lines().map(|line| line.split("//").next().unwrap());
        let text = lines
            .collect::<Vec<_>>()
            .join("\n")
            .replace("pub(super)", "");
        let mut named = BTreeSet::new();
        for start in ["crate::", "super::", "self::"] {
            for (at, _) in text.match_indices(start) {
                let before = text[..at].chars().next_back();
                if before.is_some_and(|it| it.is_alphanumeric() || it == '_' || it == ':') {
                    continue;
                }
                let mut paths = Vec::new();
                expand(&text[at..], &mut Vec::new(), &mut paths);
                named.extend(paths.into_iter().filter_map(|path| {
                    let mut path = absolute(module, &path);
                    while !path.is_empty() && !sources.contains_key(&path) {
                        path.pop();
                    }
                    (!path.is_empty() && path != *module).then_some(path)
                }));
            }
        }
        (module.clone(), named)
    });
    each.collect()
}

/// The paths of a tree such as `crate::{sys::fs, venv::{self, context::Context}}`; returns what follows it.
fn expand<'a>(mut text: &'a str, prefix: &mut Module, paths: &mut Vec<Module>) -> &'a str {
    let length = prefix.len();
    loop {
        let end = text.find(|c: char| !c.is_alphanumeric() && c != '_');
        let (name, rest) = text.split_at(end.unwrap_or(text.len()));
        prefix.push(name.to_owned());
        match rest.strip_prefix("::") {
            Some(rest) if rest.starts_with('{') => {
                text = &rest[1..];
                while !text.trim_start().starts_with('}') && !text.trim().is_empty() {
                    text = expand(text.trim_start(), prefix, paths).trim_start();
                    if let Some(alias) = text.strip_prefix("as ") {
                        text = alias.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_');
                    }
                    text = text.trim_start().trim_start_matches(',');
                }
                text = text.trim_start().trim_start_matches('}');
                break;
            }
            Some(rest) => text = rest,
            None => {
                paths.push(prefix.clone());
                text = if name.is_empty() {
                    rest.get(1..).unwrap_or("")
                } else {
                    rest
                };
                break;
            }
        }
    }
    prefix.truncate(length);
    text
}

fn absolute(module: &Module, path: &Module) -> Module {
    let mut path = path.iter().filter(|part| !part.is_empty()).peekable();
    let mut base = match path.next().map(String::as_str) {
        Some("self") => module.clone(),
        Some("super") => module[..module.len() - 1].to_vec(),
        _ => Vec::new(),
    };
    while path.next_if(|part| *part == "super").is_some() {
        base.pop();
    }
    base.extend(path.filter(|part| *part != "self").cloned());
    base
}

fn upward(imports: &Imports) -> Vec<String> {
    let layer = |module: &Module| LAYERS.iter().position(|layer| *layer == module[0]);
    let is_leaf = |module: &Module| LEAVES.contains(&module[0].as_str());
    let mut found = Vec::new();
    for (module, named) in imports {
        for other in named {
            let is_upward = match (layer(module), layer(other)) {
                (Some(own), Some(layer)) => layer < own,
                (None, Some(_)) => true,
                (_, None) => !is_leaf(other),
            };
            if is_upward {
                found.push(format!(
                    "{} imports {}",
                    module.join("::"),
                    other.join("::")
                ));
            }
        }
    }
    found
}

/// The groups of modules that reach each other.
fn cycles(imports: &Imports) -> Vec<String> {
    let reached = |from: &Module| {
        let mut reached: BTreeSet<&Module> = BTreeSet::new();
        let mut next: Vec<&Module> = imports[from].iter().collect();
        while let Some(module) = next.pop() {
            if reached.insert(module) {
                next.extend(imports.get(module).into_iter().flatten());
            }
        }
        reached
    };
    let reached: BTreeMap<_, _> = imports
        .keys()
        .map(|module| (module, reached(module)))
        .collect();
    let mut groups = BTreeSet::new();
    for module in imports.keys() {
        let is_in_circle =
            |other: &&&Module| reached[**other].contains(module) && reached.contains_key(**other);
        let others = reached[module]
            .iter()
            .filter(|other| reached.contains_key(**other));
        let mut group: Vec<String> = others
            .filter(is_in_circle)
            .map(|it| it.join("::"))
            .collect();
        if !group.is_empty() {
            group.sort();
            groups.insert(group.join(", "));
        }
    }
    groups.into_iter().collect()
}
