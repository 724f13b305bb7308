//! The oracle for every combination of flags.

use crate::{
    env::TestEnv,
    interpreters::{Interpreter, each},
    oracle::all_agree,
};

crate::harness::trials! {
    every_combination_of_flags_makes_the_same_bare_environment(each),
    the_order_of_the_flags_does_not_show(each),
    repeated_and_abbreviated_flags_are_the_same_flags(each),
}

const SITE: [&[&str]; 2] = [&[], &["--system-site-packages"]];
const LINKS: [&[&str]; 3] = [&[], &["--symlinks"], &["--copies"]];
const EXISTING: [&[&str]; 3] = [&[], &["--clear"], &["--upgrade"]];
const PROMPT: [&[&str]; 2] = [&[], &["--prompt", "a prompt"]];
const SCM: [&[&str]; 2] = [&[], &["--without-scm-ignore-files"]];

fn every_combination_of_flags_makes_the_same_bare_environment(python: &'static Interpreter) {
    let env = TestEnv::new();
    let scm = if python.at_least(13) {
        &SCM[..]
    } else {
        &SCM[..1]
    };
    let links = if python.copies {
        &LINKS[..]
    } else {
        &LINKS[..2]
    };
    let combinations = product(&[&SITE, links, &EXISTING, &PROMPT, scm]);
    all_agree(combinations.into_iter().map(|flags| {
        let args = [&["--without-pip"][..], &flags, &["env"]].concat();
        env.oracle(python).args(args).verdict()
    }));
}

fn the_order_of_the_flags_does_not_show(python: &'static Interpreter) {
    let env = TestEnv::new();
    let args = [
        "env",
        "--prompt=last",
        "--upgrade",
        "--without-pip",
        if python.copies {
            "--copies"
        } else {
            "--symlinks"
        },
        "--system-site-packages",
    ];
    all_agree([env.oracle(python).args(args).verdict()]);
}

fn repeated_and_abbreviated_flags_are_the_same_flags(python: &'static Interpreter) {
    let env = TestEnv::new();
    let cases: [&[&str]; 4] = [
        &["--without-p", "--sys", "--symlin", "env"],
        &["--without-pip", "--symlinks", "--symlinks", "env"],
        &["--without-pip", "--prompt", "a", "--prompt", "b", "env"],
        &["--without-pip", "--p=x", "--sym", "--cl", "env"],
    ];
    all_agree(cases.map(|args| env.oracle(python).args(args).verdict()));
}

/// Every combination of one choice from each list.
fn product(lists: &[&[&[&'static str]]]) -> Vec<Vec<&'static str>> {
    let mut combinations = vec![Vec::new()];
    for choices in lists {
        combinations = combinations
            .iter()
            .flat_map(|chosen| choices.iter().map(move |more| [chosen, *more].concat()))
            .collect();
    }
    combinations
}
