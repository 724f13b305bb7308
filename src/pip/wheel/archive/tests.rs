//! Tests with wheels that are not valid.

use std::path::Path;

use fs_err as fs;

use crate::pip::test_wheels::Wheel;
use crate::pip::wheel::archive::Archive;

/// The error for a wheel when all of it is read.
fn fault(bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("demo-1.0-py3-none-any.whl");
    fs::write(&path, bytes).unwrap();
    match read(&path) {
        Ok(()) => "nothing".into(),
        Err(error) => {
            assert!(
                error.to_string().contains("demo-1.0-py3-none-any.whl"),
                "{error}"
            );
            error.to_string()
        }
    }
}

fn read(path: &Path) -> Result<(), crate::Error> {
    let mut archive = Archive::open(path)?;
    for entry in archive.entries().to_vec() {
        archive.read(&entry)?;
    }
    Ok(())
}

fn demo() -> Wheel {
    Wheel::new("demo").with("demo/__init__.py", "pass\n")
}

#[test]
fn a_valid_wheel_is_read() {
    let wheel = demo()
        .with_mode("demo/", "", 0o040_755)
        .with_mode("demo/tool", "", 0o100_755);
    assert_eq!(fault(&wheel.bytes()), "nothing");
    let without_modes = demo().with_mode("demo/a.py", "", 0);
    assert_eq!(fault(&without_modes.bytes()), "nothing");
    let sha512 = "sha512=z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg_SpIdNs6c5H0NE8XYXysP-DGNKHfuwvY7kxvUdBeoGlODJ6-SfaPg";
    assert_eq!(
        fault(&demo().with_row("demo/empty", "", sha512, "").bytes()),
        "nothing"
    );
}

#[test]
fn only_executable_bits_of_regular_files_are_used() {
    let folder = tempfile::tempdir().unwrap();
    let wheel = demo()
        .with_mode("demo/tool", "", 0o100_755)
        .with_mode("demo/untyped", "", 0o755);
    let archive = Archive::open(&wheel.write(folder.path())).unwrap();
    let executable = |name| archive.entry(name).unwrap().is_executable;
    assert!(executable("demo/tool"));
    assert!(!executable("demo/untyped") && !executable("demo/__init__.py"));
}

#[test]
fn a_name_outside_of_the_wheel_is_refused() {
    for (name, reason) in [
        ("/etc/demo", "is absolute"),
        ("../demo.py", "`..`"),
        ("demo/../../x.py", "`..`"),
        ("demo/..", "`..`"),
        ("./demo/x.py", "`.`"),
        ("demo//x.py", "empty component"),
        ("demo\\x.py", "backslash"),
        ("..\\x.py", "backslash"),
        ("C:/x.py", "colon"),
        ("demo/x.py:stream", "colon"),
        ("demo/x\0.py", "control character"),
        ("demo/x\n.py", "control character"),
        ("demo/x\u{85}.py", "control character"),
    ] {
        let fault = fault(&demo().with(name, "x").bytes());
        assert!(fault.contains(reason), "{name:?}: {fault}");
    }
}

#[test]
fn special_files_are_refused() {
    for mode in [
        0o120_777, 0o010_644, 0o020_644, 0o060_644, 0o140_644, 0o040_755,
    ] {
        let fault = fault(&demo().with_mode("demo/link", "/etc/passwd", mode).bytes());
        assert!(
            fault.contains("neither a regular file nor a directory"),
            "{mode:o}: {fault}"
        );
    }
    let fault = fault(&demo().with_mode("demo/", "", 0o120_777).bytes());
    assert!(
        fault.contains("neither a regular file nor a directory"),
        "{fault}"
    );
}

#[test]
fn two_entries_of_one_name_are_refused() {
    let wheel = demo().with("demo/twin1", "a").with("demo/twin2", "b");
    let mut bytes = wheel.bytes();
    while let Some(at) = bytes.windows(10).position(|window| window == b"demo/twin2") {
        bytes[at + 9] = b'1';
    }
    assert!(fault(&bytes).contains("two entries with the same name"));
    let fault_of = |wheel: Wheel| fault(&wheel.bytes());
    assert!(fault_of(demo().with("demo", "x")).contains("demo"));
    assert!(fault_of(demo().with("file", "x").with("file/b", "x")).contains("which is a file"));
    assert!(fault_of(demo().with("file/b", "x").with("file", "x")).contains("two entries named"));
}

#[test]
fn files_that_are_not_in_record_are_refused() {
    let good = "sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU";
    for (hash, size, reason) in [
        ("", "", "no hash"),
        ("md5=1B2M2Y8AsgTpgAmY7PhCfg", "0", "insecure"),
        ("sha1=2jmj7l5rSw0yVb_vlWAYkK_YBwk", "0", "insecure"),
        (good, "1", "RECORD has 1"),
        ("sha256=AAAA", "0", "differs from RECORD"),
    ] {
        let fault = fault(&demo().with_row("demo/a", "", hash, size).bytes());
        assert!(fault.contains(reason), "{fault}");
    }
    let mut missing = demo();
    missing.rows.push(crate::pip::wheel::archive::Row::unhashed(
        "demo/gone.py".into(),
    ));
    assert!(fault(&missing.bytes()).contains("which does not exist"));
    let mut twice = demo();
    twice.rows.push(crate::pip::wheel::archive::Row::hashed(
        "demo/__init__.py".into(),
        b"pass\n",
    ));
    twice.rows.push(crate::pip::wheel::archive::Row::hashed(
        "demo/__init__.py".into(),
        b"pass\n",
    ));
    assert!(fault(&twice.bytes()).contains("twice"));
    let mut unlisted = demo().with("demo/a", "x");
    unlisted.rows.push(crate::pip::wheel::archive::Row::hashed(
        "demo/a".into(),
        b"x",
    ));
    let mut bytes = unlisted.bytes();
    // The row is for another file of the same length.
    let at = bytes
        .windows(15)
        .rposition(|window| window == b"demo/a,sha256=L")
        .unwrap();
    bytes[at + 5] = b'b';
    assert!(fault(&bytes).contains("RECORD"), "{}", fault(&bytes));
}

#[test]
fn damaged_archives_are_refused() {
    let bytes = demo()
        .with("demo/text", "the quick brown fox jumps")
        .bytes();
    let at = bytes
        .windows(5)
        .position(|window| window == b"quick")
        .unwrap_or(60);
    for flipped in [at, at + 3] {
        let mut bytes = bytes.clone();
        bytes[flipped] ^= 1;
        assert_ne!(fault(&bytes), "nothing");
    }
    for length in [0, 10, bytes.len() / 2, bytes.len() - 1] {
        assert_ne!(fault(&bytes[..length]), "nothing");
    }
}

#[test]
fn the_metadata_must_match_the_file_name() {
    let other = Wheel::new("other").bytes();
    assert!(fault(&other).contains("other-1.0.dist-info"));
    let two = demo().with("other-1.0.dist-info/WHEEL", "x");
    assert!(fault(&two.bytes()).contains("one .dist-info directory, not 2"));
}
