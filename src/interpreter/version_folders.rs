//! Directories that are named after versions: sorts them, and finds the newest one with a prefix.

use std::path::Path;

use fs_err as fs;

/// The names in `folder`, the newest version first. Pre-releases and links to other versions are last.
pub(crate) fn newest_first(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<_> = entries
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let is_link = entry.file_type().is_ok_and(|kind| kind.is_symlink());
            Some((!is_link, is_final(&name), numbers(&name), name))
        })
        .collect();
    names.sort();
    names.into_iter().rev().map(|(.., name)| name).collect()
}

/// The newest final version in `folder` that starts with `prefix`, as `pyenv latest` and `mise` select it.
///
/// `3.13t` matches `3.13.0t`, and `3.13` does not.
pub(crate) fn latest(folder: &Path, prefix: &str) -> Option<String> {
    let is_threaded = |name: &str| {
        name.strip_suffix('t')
            .is_some_and(|name| name.ends_with(|last: char| last.is_ascii_digit()))
    };
    let wanted = is_threaded(prefix);
    let stem = if wanted {
        &prefix[..prefix.len() - 1]
    } else {
        prefix
    };
    let mut names = newest_first(folder);
    names.retain(|name| {
        let rest = name.strip_prefix(stem);
        rest.is_some_and(|rest| rest.starts_with(['.', '-']))
            && is_final(name)
            && is_threaded(name) == wanted
    });
    names.into_iter().max_by_key(|name| numbers(name))
}

/// `3.13.0` and `pypy3.9-7.3.11`; not `3.14.0rc1`, `3.15-dev`.
fn is_final(name: &str) -> bool {
    let stem = name.trim_end_matches(|last: char| last.is_ascii_digit());
    let is_marked = ["a", "b", "rc"].iter().any(|mark| {
        stem.len() < name.len()
            && stem
                .strip_suffix(mark)
                .is_some_and(|rest| rest.ends_with(|last: char| last.is_ascii_digit()))
    });
    !is_marked
        && !["-dev", "-src", "-latest"]
            .iter()
            .any(|end| name.ends_with(end))
}

/// The numbers in a name: 3, 12 and 1 for `3.12.1`.
pub(crate) fn numbers(name: &str) -> Vec<u64> {
    name.split(|character: char| !character.is_ascii_digit())
        .filter_map(|number| number.parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_selects_its_newest_final_version() {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            "3.9.2",
            "3.9.18",
            "3.9.20rc1",
            "3.13.0",
            "3.13.0t",
            "3.13-dev",
            "3.14.0a1",
            "3.140.0",
            "pypy3.9-7.3.11",
            "pypy3.9-7.3.9",
            "pypy3.9-7.3.12-src",
        ] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        for (prefix, name) in [
            ("3.9", Some("3.9.18")),
            ("3.1", None),
            ("3.13", Some("3.13.0")),
            ("3.13t", Some("3.13.0t")),
            ("3.14", None),
            ("3", Some("3.140.0")),
            ("pypy3.9", Some("pypy3.9-7.3.11")),
        ] {
            assert_eq!(latest(folder.path(), prefix).as_deref(), name, "{prefix}");
        }
        let order = newest_first(folder.path());
        assert_eq!(order[..2], ["3.140.0", "3.13.0t"]);
        let first_that_is_not_final = order.iter().position(|name| name == "3.14.0a1");
        assert_eq!(first_that_is_not_final, Some(7));
    }
}
