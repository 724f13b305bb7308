//! The name and version of the operating system.

/// Its name, release, version and machine; `None` where it has no such names.
#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "as on Windows")]
pub(crate) fn names() -> Option<[String; 4]> {
    let names = rustix::system::uname();
    let parts = [
        names.sysname(),
        names.release(),
        names.version(),
        names.machine(),
    ];
    Some(parts.map(|part| part.to_string_lossy().into_owned()))
}

/// Windows has other ones.
#[cfg(windows)]
pub(crate) fn names() -> Option<[String; 4]> {
    None
}
