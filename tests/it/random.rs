//! Property tests: random names, and a runner that tests many values in one batch, because starting a shell or a Python for
//! each would take long.
//!
//! ```ignore
//! // Tests 60 names at once. If that fails, it finds a single name that fails, and simplifies it.
//! random::check(&random::name(), 60, |names| assert!(names.iter().all(|name| works(name))));
//! ```

use std::{
    env,
    fmt::Debug,
    panic::{self, AssertUnwindSafe},
};

use proptest::{
    char,
    collection::vec,
    prop_oneof,
    sample::select,
    strategy::{Strategy, ValueTree},
    test_runner::{Config, RngSeed, TestRunner},
};

use crate::harness::Skip;

/// The parts of names: single characters, and sequences with a meaning in a shell or a file format.
const PIECES: [&str; 66] = [
    "a",
    "B",
    "7",
    " ",
    "  ",
    "\t",
    "\n",
    "\r",
    "\r\n",
    "!",
    "!!",
    "\"",
    "\"\"",
    "#",
    "$",
    "$$",
    "$HOME",
    "${x}",
    "$(touch canary)",
    "%",
    "%%",
    "%n",
    "%(",
    "&",
    "&&",
    "'",
    "''",
    "(",
    ")",
    "*",
    "**",
    "+",
    ",",
    "-",
    ".",
    "..",
    ";",
    "<",
    ">",
    ">>canary",
    "=",
    "=~",
    " = ",
    "?",
    "@",
    "[",
    "]",
    "\\",
    "\\\\",
    "\\n",
    "\\x1b[0m",
    "^",
    "_",
    "`",
    "`touch canary`",
    "{",
    "}",
    "{{ PROMPT }}",
    "{{",
    "|",
    "~",
    "\u{7f}",
    "é",
    "環",
    "\u{2018}",
    "😀",
];

/// File names, without `/`, and without `:`, which a directory on PATH cannot contain.
pub(crate) fn name() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        9 => select(&PIECES[..]).prop_map(str::to_owned),
        1 => char::any()
            .prop_filter("not in a name", |c| !"/:\0".contains(*c))
            .prop_map(String::from),
    ];
    let text = vec(piece, 1..=12).prop_map(|pieces| pieces.concat());
    text.prop_filter("names of directories", |text| text != "." && text != "..")
}

/// Tests `count` values at once.
///
/// They are the same in each run, so that failures are reproducible. `RVENV_TEST_SEED` selects others.
pub(crate) fn check<S>(strategy: &S, count: usize, test: impl Fn(&[S::Value]))
where
    S: Strategy<Value: Clone + Debug>,
{
    let seed = env::var("RVENV_TEST_SEED").map_or(1, |seed| seed.parse().unwrap());
    let mut runner = TestRunner::new(Config {
        rng_seed: RngSeed::Fixed(seed),
        max_shrink_iters: 100,
        failure_persistence: None,
        ..Config::default()
    });
    let trees: Vec<_> = (0..count)
        .map(|_| strategy.new_tree(&mut runner).unwrap())
        .collect();
    let values: Vec<_> = trees.iter().map(ValueTree::current).collect();
    let result = panic::catch_unwind(AssertUnwindSafe(|| test(&values)));
    let Err(payload) = result else {
        return;
    };
    if !payload.is::<Skip>() {
        for tree in trees {
            let alone = runner.run_one(tree, |value| {
                test(&[value]);
                Ok(())
            });
            if let Err(error) = alone {
                panic!("{error}");
            }
        }
    }
    // None of them fails alone.
    panic::resume_unwind(payload);
}
