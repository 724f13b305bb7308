//! Tests of which Pythons match which request.

use super::*;

fn traits(implementation: &str, version: &str) -> Traits {
    let bare = version.trim_end_matches(['t', 'd']);
    let mut numbers = bare.split('.').map(|number| number.parse().unwrap());
    Traits {
        implementation: implementation.into(),
        major: numbers.next().unwrap(),
        minor: numbers.next().unwrap(),
        micro: numbers.next(),
        prerelease: String::new(),
        variant: Variant {
            free_threaded: version[bare.len()..].contains('t'),
            debug: version[bare.len()..].contains('d'),
        },
        machine: None,
    }
}

#[test]
fn requests_match_pythons() {
    let (yes, no, unknown) = (Match::Yes, Match::No, Match::Unknown);
    for (request, implementation, version, fits) in [
        ("3", "cpython", "3.12.1", yes),
        ("3", "cpython", "2.7.18", no),
        ("3.12", "cpython", "3.12.1", yes),
        ("3.12", "cpython", "3.12", yes),
        ("3.1", "cpython", "3.12.1", no),
        ("3.12.1", "cpython", "3.12.1", yes),
        ("3.12.1", "cpython", "3.12.2", no),
        ("3.12.1", "cpython", "3.12", unknown),
        ("3.12.1", "cpython", "3.11", no),
        ("312", "cpython", "3.12.1", yes),
        ("39", "cpython", "3.9.18", yes),
        ("310", "cpython", "3.1.0", no),
        ("3.13", "cpython", "3.13.0t", no),
        ("3.13t", "cpython", "3.13.0t", yes),
        ("3.13t", "cpython", "3.13.0", no),
        ("3.13+freethreaded", "cpython", "3.13.0t", yes),
        ("3.12d", "cpython", "3.12.1d", yes),
        ("3.13td", "cpython", "3.13.0td", yes),
        ("3.9", "pypy", "3.9.16", yes),
        ("python", "pypy", "3.9.16", yes),
        ("python3", "cpython", "2.7.18", no),
        ("python3.12", "cpython", "3.12.1", yes),
        ("python312", "cpython", "3.12.1", yes),
        ("py312", "cpython", "3.12.1", yes),
        ("cpython", "cpython", "3.12.1", yes),
        ("cpython3.12", "cpython", "3.12.1", yes),
        ("cp312", "cpython", "3.12.1", yes),
        ("cpython3.9", "pypy", "3.9.16", no),
        ("cpython@3.12", "cpython", "3.12.1", yes),
        ("pypy", "pypy", "3.9.16", yes),
        ("pypy", "cpython", "3.9.18", no),
        ("pypy3.9", "pypy", "3.9.16", yes),
        ("pypy@3.9", "pypy", "3.9.16", yes),
        ("pp39", "pypy", "3.9.16", yes),
        (">=3.10,<3.13", "cpython", "3.12.1", yes),
        (">=3.10,<3.13", "cpython", "3.12", yes),
        (">=3.10,<3.13", "cpython", "3.13.0", no),
        (">=3.12.1", "cpython", "3.12", unknown),
        ("~=3.11", "cpython", "3.13.0", yes),
        ("~=3.11", "cpython", "3.10.13", no),
        ("~=3.11.2", "cpython", "3.11.7", yes),
        ("==3.12.*", "cpython", "3.12", yes),
        ("!=3.12.1", "cpython", "3.12.1", no),
        ("cpython>=3.12", "cpython", "3.12.1", yes),
        ("pypy >=3.9", "pypy", "3.9.16", yes),
        ("CPython3.12", "cpython", "3.12.1", yes),
        ("PyPy3.9", "pypy", "3.9.16", yes),
        (" 3.12\t", "cpython", "3.12.1", yes),
        (" >=3.12 ", "cpython", "3.12.1", yes),
        ("cpython-3.12", "cpython", "3.12.1", yes),
        ("cpython-3.12", "pypy", "3.12.1", no),
        ("3.12.*", "cpython", "3.12.1", yes),
        ("3.12.*", "cpython", "3.11.1", no),
        ("3.*", "cpython", "3.12", yes),
        ("any", "cpython", "3.12", yes),
        ("any", "pypy", "3.9.16", yes),
        ("3.12-64", "cpython", "3.12.1", unknown),
        ("3.12-64", "cpython", "3.11.1", no),
        ("3.12.0rc1", "cpython", "3.12", unknown),
        ("3.12rc1", "cpython", "3.12.0", no),
        ("3.12rc1", "cpython", "3.11", no),
    ] {
        let Ok(Request::Version(wanted)) = Request::parse(request) else {
            panic!("{request} is not understood");
        };
        let known = traits(implementation, version);
        assert_eq!(wanted.matches(&known), fits, "{request}: {known}");
    }
}

#[test]
fn requests_without_a_version_are_paths_or_names() {
    for path in ["/usr/bin/python3", "./python", "../env", ".", "..", "env/"] {
        assert_eq!(Request::parse(path), Ok(Request::Path(path.into())));
    }
    for name in [
        "mypython",
        ".venv",
        "python-config",
        "3.x",
        "py",
        "pypy3.9-7.3.11",
        "python-3.12-config",
        "1.2.3.4",
    ] {
        assert_eq!(Request::parse(name), Ok(Request::Name(name.into())));
    }
    for range in [">=", ">=x", "=3.12", "<3.12,,"] {
        assert!(Request::parse(range).is_err(), "{range}");
    }
}

#[test]
fn names_are_tried_from_the_most_specific() {
    for (request, names) in [
        ("3.12", &["python3.12", "python3", "python"][..]),
        ("3.13t", &["python3.13t", "python3", "python"]),
        ("3.12d", &["python3.12d", "python3.12", "python3", "python"]),
        ("2", &["python2", "python"]),
        (">=3.9", &["python3", "python"]),
        ("pypy3.9", &["pypy3.9", "pypy3", "pypy"]),
    ] {
        let Ok(Request::Version(wanted)) = Request::parse(request) else {
            panic!("{request} is not understood");
        };
        assert_eq!(wanted.names(), names, "{request}");
    }
}

#[test]
fn a_range_does_not_exclude_an_unknown_patch_level() {
    let (yes, no, unknown) = (Match::Yes, Match::No, Match::Unknown);
    for (range, with_headers, without) in [
        ("==3.11.2", yes, unknown),
        ("===3.11.2", yes, unknown),
        ("==3.11", no, unknown),
        ("==3.11.*", yes, yes),
        ("==3.12.*", no, no),
        ("!=3.11.2", no, unknown),
        ("!=3.11.9", yes, unknown),
        ("!=3.11.*", no, no),
        ("!=3.12.*", yes, yes),
        ("~=3.11.2", yes, unknown),
        ("~=3.11.0", yes, yes),
        ("~=3.11", yes, yes),
        ("~=3.12.1", no, no),
        (">=3.11.2", yes, unknown),
        (">=3.11", yes, yes),
        (">=3.12", no, no),
        (">3.11.1", yes, unknown),
        (">3.11", yes, unknown),
        (">3.10.9", yes, yes),
        ("<=3.11.2", yes, unknown),
        ("<=3.10", no, no),
        ("<3.11.2", no, unknown),
        ("<3.11", no, no),
        ("<3.12", yes, yes),
        (">=3.11.1,<3.11.9", yes, unknown),
        (">=3.11.3,<3.11.9", no, unknown),
        (">=3.11.2,<3.11.2", no, no),
        (">=3.11.0rc1", yes, unknown),
        (">=3", yes, yes),
        ("<3.11.2,!=3.11.0", no, unknown),
    ] {
        let Ok(Request::Version(wanted)) = Request::parse(range) else {
            panic!("{range} is not understood");
        };
        let known = wanted.matches(&traits("cpython", "3.11.2"));
        assert_eq!(known, with_headers, "{range} with headers");
        let known = wanted.matches(&traits("cpython", "3.11"));
        assert_eq!(known, without, "{range} without headers");
    }
}

#[test]
fn known_prereleases_and_machines_are_distinguished() {
    let mut known = traits("cpython", "3.14.0");
    known.prerelease = "rc1".into();
    known.machine = Some(Machine {
        is_64bit: true,
        architecture: "x86_64".into(),
        libc: Some("gnu".into()),
    });
    let key = |architecture: &str| format!("cpython-3.14-{OS}-{architecture}");
    for (request, fits) in [
        ("3.14rc1".to_owned(), Match::Yes),
        ("3.14.0rc1".into(), Match::Yes),
        ("3.14rc2".into(), Match::No),
        ("3.14".into(), Match::Yes),
        (">=3.14".into(), Match::Yes),
        (">=3.14.0rc1".into(), Match::Yes),
        (">=3.14.0rc2".into(), Match::No),
        ("3.14-64".into(), Match::Yes),
        ("3.14-32".into(), Match::No),
        (key("x86_64-gnu"), Match::Yes),
        (key("amd64"), Match::Yes),
        (key("any-any"), Match::Yes),
        (key("x86_64-musl"), Match::No),
        (key("aarch64-gnu"), Match::No),
        ("cpython-3.14-any-x86_64".into(), Match::Yes),
    ] {
        let Ok(Request::Version(wanted)) = Request::parse(&request) else {
            panic!("{request} is not understood");
        };
        assert_eq!(wanted.matches(&known), fits, "{request}");
    }
}
