//! Checks the entries of a wheel: each must be a file or directory, inside of the destination, and not overwrite
//! another one.

use std::collections::HashMap;
use std::io::Cursor;
use std::path::Path;

use zip::ZipArchive;

/// The type bits of a Unix mode, and the two types that are allowed.
const TYPE: u32 = 0o170_000;
const REGULAR: u32 = 0o100_000;
const DIRECTORY: u32 = 0o040_000;

/// A file in a wheel.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) index: usize,
    /// As in the archive, with `/`.
    pub(crate) name: String,
    /// Whether it is executable for anybody.
    pub(crate) is_executable: bool,
}

/// All files of the archive in order, or why an entry is not valid.
pub(crate) fn read(zip: &mut ZipArchive<Cursor<Vec<u8>>>) -> Result<Vec<Entry>, String> {
    let mut entries = Vec::with_capacity(zip.len());
    // Names, and whether each is a file: a file must not also be the directory of another entry.
    let mut taken: HashMap<String, bool> = HashMap::new();
    for index in 0..zip.len() {
        let file = zip.by_index_raw(index).map_err(|error| error.to_string())?;
        let name = std::str::from_utf8(file.name_raw())
            .map_err(|_| "it has an entry whose name is not valid UTF-8".to_string())?;
        let (name, is_file) = name
            .strip_suffix('/')
            .map_or((name, true), |folder| (folder, false));
        check_name(name).map_err(|fault| format!("the name of the entry {name:?} {fault}"))?;
        let mode = file.unix_mode().unwrap_or(0);
        let expected = if is_file { REGULAR } else { DIRECTORY };
        if file.is_symlink() || !matches!(mode & TYPE, 0) && mode & TYPE != expected {
            return Err(format!(
                "the entry {name:?} is neither a regular file nor a directory"
            ));
        }
        if file.encrypted() {
            return Err(format!("the entry {name:?} is encrypted"));
        }
        let folders = name.match_indices('/').map(|(end, _)| &name[..end]);
        let clash = folders
            .map(|folder| (folder, taken.insert(folder.into(), false)))
            .find(|(_, was)| *was == Some(true));
        if let Some((folder, _)) = clash {
            return Err(format!(
                "the entry {name:?} is below {folder:?}, which is a file"
            ));
        }
        match (taken.insert(name.into(), is_file), is_file) {
            (None, _) | (Some(false), false) => {}
            _ => return Err(format!("it has two entries named {name:?}")),
        }
        if is_file {
            entries.push(Entry {
                index,
                name: name.into(),
                is_executable: mode & TYPE == REGULAR && mode & 0o111 != 0,
            });
        }
    }
    Ok(entries)
}

/// Why a name is not valid. The rules are the same on every system.
fn check_name(name: &str) -> Result<(), &'static str> {
    if name.starts_with('/') {
        return Err("is absolute");
    }
    if name.contains('\\') {
        return Err("has a backslash");
    }
    if name.contains(':') {
        return Err("has a colon, as a drive letter or a stream would");
    }
    if name.chars().any(char::is_control) {
        return Err("has a control character");
    }
    if name.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Err("has an empty component, `.` or `..`");
    }
    Ok(())
}

/// The only `.dist-info` directory, which must have the name of the project in the wheel's file name.
pub(crate) fn dist_info(entries: &[Entry], path: &Path) -> Result<String, String> {
    let mut found: Vec<&str> = entries
        .iter()
        .filter_map(|entry| entry.name.split_once('/').map(|(folder, _)| folder))
        .filter(|folder| folder.ends_with(".dist-info"))
        .collect();
    found.sort_unstable();
    found.dedup();
    let [folder] = found[..] else {
        return Err(format!(
            "it must have one .dist-info directory, not {}",
            found.len()
        ));
    };
    let normal = |name: &str| name.to_lowercase().replace(['-', '.'], "_");
    let file_name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut parts = file_name.split('-');
    let expected = format!(
        "{}-{}.dist-info",
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default()
    );
    if normal(folder) == normal(&expected) {
        Ok(folder.into())
    } else {
        Err(format!("its .dist-info directory is {folder:?}"))
    }
}
