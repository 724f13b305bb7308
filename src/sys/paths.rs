//! Path functions that do not access the file system.

use std::path::{Component, Path, PathBuf};

use crate::error::Error;

/// `os.path.abspath`: makes a path absolute and resolves `.` and `..` by name. Exactly two leading slashes are kept.
///
/// # Errors
///
/// [`Error::Io`] if `path` is relative and the current directory does not exist.
pub(crate) fn absolute(path: &Path, cwd: Option<&Path>) -> Result<PathBuf, Error> {
    let joined = match cwd {
        _ if path.is_absolute() => path.to_path_buf(),
        // `C:env` is relative to the current directory of that drive, which only the system knows.
        _ if matches!(path.components().next(), Some(Component::Prefix(_))) => {
            std::path::absolute(path).map_err(Error::io("resolve", path))?
        }
        Some(cwd) => cwd.join(path),
        None => {
            let source = std::io::Error::new(
                std::io::ErrorKind::NotFound,
                "the current directory does not exist",
            );
            return Err(Error::Io {
                action: "make absolute",
                path: path.into(),
                source,
            });
        }
    };
    let mut normal = normal(&joined);
    // In POSIX the meaning of exactly two leading slashes is up to the system, so Python keeps them.
    let bytes = joined.as_os_str().as_encoded_bytes();
    if cfg!(unix) && bytes.starts_with(b"//") && !bytes.starts_with(b"///") {
        let mut kept = std::ffi::OsString::from("/");
        kept.push(normal);
        normal = kept.into();
    }
    Ok(normal)
}

/// Resolves `.` and `..` by name.
pub(crate) fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                normal.pop();
            }
            other => normal.push(other),
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(windows)]
    fn a_path_relative_to_a_drive_is_made_absolute() {
        let cwd = std::env::current_dir().unwrap();
        let drive = cwd.to_str().unwrap()[..2].to_owned();
        let path = absolute(Path::new(&format!("{drive}env")), Some(&cwd)).unwrap();
        assert_eq!(path, cwd.join("env"));
    }

    #[test]
    #[cfg(unix)]
    fn absolute_follows_os_path_abspath() {
        for (path, expected) in [
            ("a/b/../c", "/w/a/c"),
            ("", "/w"),
            (".", "/w"),
            ("a//b/", "/w/a/b"),
            ("/x/../../y", "/y"),
            ("//x/y", "//x/y"),
            ("///x/y", "/x/y"),
        ] {
            assert_eq!(
                absolute(Path::new(path), Some(Path::new("/w"))).unwrap(),
                Path::new(expected),
                "{path}"
            );
        }
    }
}
