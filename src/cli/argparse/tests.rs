//! Tests of what the options of other tools are translated to.

use super::*;

fn expanded(arguments: &[&str]) -> Result<Vec<OsString>, String> {
    let arguments = std::iter::once("rvenv").chain(arguments.iter().copied());
    expand(arguments.map(OsString::from)).map(|expanded| expanded.arguments)
}

#[test]
fn the_lists_of_options_equal_those_of_clap() {
    use clap::CommandFactory as _;
    let command = crate::cli::args::Args::command();
    let mut known: Vec<_> = VENV.iter().chain(&RVENV).map(|name| &name[2..]).collect();
    let options = command
        .get_arguments()
        .filter(|option| !option.is_hide_set());
    let mut options: Vec<_> = options.filter_map(clap::Arg::get_long).collect();
    known.sort_unstable();
    options.sort_unstable();
    assert_eq!(known, options);
    for option in command
        .get_arguments()
        .filter(|option| option.get_action().takes_values() && !option.is_require_equals_set())
    {
        let long = option.get_long().map(|name| format!("--{name}"));
        let short = option.get_short().map(|name| format!("-{name}"));
        for name in long.into_iter().chain(short) {
            assert!(OPTIONS_WITH_VALUE.contains(&name.as_str()), "{name}");
        }
    }
}

#[test]
fn options_of_other_tools_are_translated() {
    for (given, meant) in [
        (vec!["--no-pip", "e"], vec!["rvenv", "--without-pip", "e"]),
        (vec!["--seed", "e"], vec!["rvenv", "e"]),
        (vec!["--activators", "bash", "e"], vec!["rvenv", "e"]),
        (
            vec!["--app-data=d", "e"],
            vec!["rvenv", "--cache-dir=d", "e"],
        ),
        (vec!["--pip", "24.0"], vec!["rvenv", "--with=pip==24.0"]),
        (vec!["--pip=bundle"], vec!["rvenv"]),
        (vec!["--", "--no-pip"], vec!["rvenv", "--", "--no-pip"]),
    ] {
        assert_eq!(expanded(&given).unwrap(), meant, "{given:?}");
    }
    for (given, text) in [
        (
            vec!["--app-data"],
            "argument --app-data: expected one argument",
        ),
        (
            vec!["--app-data", "-x"],
            "argument --app-data: expected one argument",
        ),
        (
            vec!["--no-pip=1"],
            "argument --no-pip: ignored explicit argument '1'",
        ),
        (
            vec!["--directory", "d"],
            "--directory is not supported: use cd",
        ),
    ] {
        assert_eq!(expanded(&given).unwrap_err(), text, "{given:?}");
    }
}

#[test]
fn prefixes_of_options_of_venv_come_first() {
    for (given, meant) in [
        (
            vec!["--without-p", "e"],
            vec!["rvenv", "--without-pip", "e"],
        ),
        (vec!["--p", "q", "e"], vec!["rvenv", "--prompt", "q", "e"]),
        (vec!["--pro=x", "e"], vec!["rvenv", "--prompt=x", "e"]),
        (vec!["--py", "q", "e"], vec!["rvenv", "--python", "q", "e"]),
        (vec!["--upgrade", "e"], vec!["rvenv", "--upgrade", "e"]),
        (vec!["-a b"], vec!["rvenv", "--", "-a b"]),
        (
            vec!["--prompt", "-a b", "e"],
            vec!["rvenv", "--prompt=-a b", "e"],
        ),
        (
            vec!["--prompt=a b", "e"],
            vec!["rvenv", "--prompt=a b", "e"],
        ),
        (vec!["--", "--cl"], vec!["rvenv", "--", "--cl"]),
        (vec!["-1"], vec!["rvenv", "--", "-1"]),
        (vec!["--prompt", "-.5"], vec!["rvenv", "--prompt=-.5"]),
    ] {
        assert_eq!(expanded(&given).unwrap(), meant, "{given:?}");
    }
    let error = expanded(&["--prompt", "-x", "e"]).unwrap_err();
    assert!(error.starts_with("argument --prompt: expected one argument"));
    assert_eq!(
        expanded(&["--c"]).unwrap_err(),
        "ambiguous option: --c could match --copies, --clear"
    );
}
