//! What fits which request.

use super::*;

fn traits(implementation: &str, version: &str) -> Traits {
    let bare = version.trim_end_matches(['t', 'd']);
    let mut numbers = bare.split('.').map(|number| number.parse().unwrap());
    Traits {
        implementation: implementation.into(),
        major: numbers.next().unwrap(),
        minor: numbers.next().unwrap(),
        micro: numbers.next(),
        variant: Variant {
            free_threaded: version[bare.len()..].contains('t'),
            debug: version[bare.len()..].contains('d'),
        },
    }
}

#[test]
fn what_fits_a_request() {
    let yes = Some(true);
    let no = Some(false);
    for (request, implementation, version, fits) in [
        ("3", "cpython", "3.12.1", yes),
        ("3", "cpython", "2.7.18", no),
        ("3.12", "cpython", "3.12.1", yes),
        ("3.12", "cpython", "3.12", yes),
        ("3.1", "cpython", "3.12.1", no),
        ("3.12.1", "cpython", "3.12.1", yes),
        ("3.12.1", "cpython", "3.12.2", no),
        ("3.12.1", "cpython", "3.12", None),
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
        (">=3.12.1", "cpython", "3.12", None),
        ("~=3.11", "cpython", "3.13.0", yes),
        ("~=3.11", "cpython", "3.10.13", no),
        ("~=3.11.2", "cpython", "3.11.7", yes),
        ("==3.12.*", "cpython", "3.12", yes),
        ("!=3.12.1", "cpython", "3.12.1", no),
        ("cpython>=3.12", "cpython", "3.12.1", yes),
        ("pypy >=3.9", "pypy", "3.9.16", yes),
    ] {
        let Ok(Request::Wanted(wanted)) = Request::parse(request) else {
            panic!("{request} is not understood");
        };
        let known = traits(implementation, version);
        assert_eq!(wanted.fits(&known), fits, "{request}: {known}");
    }
}

#[test]
fn what_says_no_version_is_a_path_or_a_name() {
    for path in ["/usr/bin/python3", "./python", "../env", ".", "..", "env/"] {
        assert_eq!(Request::parse(path), Ok(Request::Path(path.into())));
    }
    for name in [
        "mypython",
        ".venv",
        "python-config",
        "3.x",
        "py",
        "3.13rc1",
        "1.2.3.4",
    ] {
        assert_eq!(Request::parse(name), Ok(Request::Name(name.into())));
    }
    for range in [">=", ">=x", "=3.12", "<3.12,,"] {
        assert!(Request::parse(range).is_err(), "{range}");
    }
}

#[test]
fn names_are_tried_from_the_most_telling_to_the_least() {
    for (request, names) in [
        ("3.12", &["python3.12", "python3", "python"][..]),
        ("3.13t", &["python3.13t", "python3", "python"]),
        ("3.12d", &["python3.12d", "python3.12", "python3", "python"]),
        ("2", &["python2", "python"]),
        (">=3.9", &["python3", "python"]),
        ("pypy3.9", &["pypy3.9", "pypy3", "pypy"]),
    ] {
        let Ok(Request::Wanted(wanted)) = Request::parse(request) else {
            panic!("{request} is not understood");
        };
        assert_eq!(wanted.names(), names, "{request}");
    }
}
