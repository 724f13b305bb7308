//! Repairs the scripts of an environment that was moved, for `--upgrade`.

use std::collections::HashMap;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use fs_err as fs;
use walkdir::WalkDir;

use crate::error::Error;
use crate::installed::distributions;
use crate::installed::record;
use crate::installed::record::Row;
use crate::installed::relocate::{Relocated, Relocation};
use crate::installed::scripts::moved::{self, Stale};
use crate::installed::scripts::shebang::shebang;
use crate::interpreter::Interpreter;
use crate::sys::fs::{Folder, Mode};
use crate::sys::paths::normal;
use crate::terminal::log::Log;
use crate::venv::context::Context;

/// The place that the environment was moved from, if its activation scripts activate another directory.
pub(crate) fn moved_from(context: &Context) -> Option<PathBuf> {
    moved::activates(Path::new(&context.bin_path), Path::new(&context.env_dir))
}

/// Puts the new place for the old one into the activation scripts that only other programs write.
pub(crate) fn activation(
    tree: &Folder,
    context: &Context,
    there: Option<&Path>,
) -> Result<(), Error> {
    let (bin, here) = (Path::new(&context.bin_path), context.env_dir.as_str());
    let Some(there) = there.and_then(Path::to_str) else {
        return Ok(());
    };
    // Each shell quotes other characters in its own way.
    if !is_plain(there) || !is_plain(here) {
        return Ok(());
    }
    for entry in fs::read_dir(bin).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(name) = name.to_str().filter(|name| is_activation(name)) else {
            continue;
        };
        let Ok(text) = fs::read_to_string(entry.path()) else {
            continue;
        };
        let repaired = replace_path(&text, there, here);
        let name = format!("{}/{name}", context.bin_name);
        if repaired != text && write(tree, &name, repaired.as_bytes(), Mode::Plain)? {
            tree.keep_mode(&name, &entry.path())?;
        }
    }
    Ok(())
}

fn is_activation(name: &str) -> bool {
    name.starts_with("activate.") || name.starts_with("deactivate.")
}

/// Whether no shell needs to quote a path.
fn is_plain(path: &str) -> bool {
    path.chars()
        .all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c))
}

/// Replaces a path, but not where it is only the beginning of another name.
fn replace_path(text: &str, old: &str, new: &str) -> String {
    let mut parts = text.split(old);
    let mut replaced = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let is_longer = part.starts_with(|c: char| c.is_ascii_alphanumeric() || "._-".contains(c));
        replaced.push_str(if is_longer { old } else { new });
        replaced.push_str(part);
    }
    replaced
}

/// Rewrites scripts that start the Python of another place, and the RECORDs that list them.
pub(crate) fn scripts(
    tree: &Folder,
    interpreter: &Interpreter,
    context: &Context,
    there: Option<&str>,
    log: Log,
) -> Result<(), Error> {
    let bin = Path::new(&context.bin_path);
    let mut repaired = HashMap::new();
    for stale in moved::stale(bin) {
        let name = format!("{}/{}", context.bin_name, stale.name);
        let Ok(contents) = repair(&stale, interpreter, context) else {
            continue;
        };
        // What pip's own new version has just brought is not to be repaired.
        if write(tree, &name, &contents, Mode::Executable)? {
            tree.keep_mode(&name, &bin.join(&stale.name))?;
            repaired.insert(bin.join(&stale.name), Row::hashed(String::new(), &contents));
        }
    }
    if let Some(there) = there {
        packages(tree, context, there, &mut repaired, log)?;
    }
    if repaired.is_empty() {
        return Ok(());
    }
    let site_packages = Path::new(&context.lib_path);
    for one in distributions::read(site_packages) {
        let path = site_packages.join(&one.dist_info).join("RECORD");
        let Some(mut rows) = fs::read(&path)
            .ok()
            .and_then(|text| record::read(&text).ok())
        else {
            continue;
        };
        let mut is_listed = false;
        for row in &mut rows {
            let path = normal(&site_packages.join(&row.path));
            if let Some(new) = repaired.get(&path)
                // Bytecode has neither.
                && !(row.hash.is_empty() && path.extension().is_some_and(|it| it == "pyc"))
            {
                (row.hash, row.size) = (new.hash.clone(), new.size.clone());
                is_listed = true;
            }
        }
        if is_listed {
            let folder = format!("{}/{}", interpreter.scheme.purelib, one.dist_info);
            tree.create_dir_all(&folder)?;
            let text = record::render(&mut rows);
            let name = format!("{folder}/RECORD");
            if write(tree, &name, text.as_bytes(), Mode::Plain)? {
                tree.keep_mode(&name, &path)?;
            }
        }
    }
    Ok(())
}

fn repair(stale: &Stale, interpreter: &Interpreter, context: &Context) -> io::Result<Vec<u8>> {
    let bin = Path::new(&context.bin_path);
    // The same name of Python, if there still is one.
    let named = stale.interpreter.file_name().map(|name| bin.join(name));
    let named = named.filter(|path| path.exists());
    let executable = named.as_deref().and_then(Path::to_str);
    let executable = executable.unwrap_or(&context.env_exe);
    let limit = interpreter.platform.shebang_limit();
    let mut contents = shebang(executable, limit).into_bytes();
    let mut script = fs::File::open(bin.join(&stale.name))?;
    script.seek(SeekFrom::Start(stale.body))?;
    script.read_to_end(&mut contents)?;
    Ok(contents)
}

/// Writes a file of the stage; `false` if the stage has one already.
fn write(tree: &Folder, name: &str, contents: &[u8], mode: Mode) -> Result<bool, Error> {
    match tree.write(name, contents, mode) {
        Err(error) if error.io_kind() == Some(io::ErrorKind::AlreadyExists) => Ok(false),
        written => written.map(|()| true),
    }
}

/// Replaces the path `there` in what packages have brought, adds what is replaced to `repaired`, and warns of the other files
/// that contain it.
fn packages(
    tree: &Folder,
    context: &Context,
    there: &str,
    repaired: &mut HashMap<PathBuf, Row>,
    log: Log,
) -> Result<(), Error> {
    let relocation = Relocation::new(there, &context.env_dir);
    let root = Path::new(&context.env_dir);
    let mut others = Vec::new();
    for entry in WalkDir::new(root).sort_by_file_name() {
        let entry = entry.map_err(|error| Error::io("read", root)(error.into()))?;
        let path = entry.path();
        if !entry.file_type().is_file() || repaired.contains_key(path) {
            continue;
        }
        let Some(name) = path.strip_prefix(root).ok().and_then(Path::to_str) else {
            continue;
        };
        let name = name.replace('\\', "/");
        let in_bin = name.strip_prefix(&format!("{}/", context.bin_name));
        // They are written by others here.
        if name == "pyvenv.cfg"
            || in_bin.is_some_and(|name| name.to_lowercase().contains("activate"))
        {
            continue;
        }
        match relocation.file(path) {
            Ok(Relocated::Changed { contents, mentions }) => {
                if mentions {
                    others.push(name.clone());
                }
                if let Some((folder, _)) = name.rsplit_once('/') {
                    tree.create_dir_all(folder)?;
                }
                if write(tree, &name, &contents, Mode::Plain)? {
                    tree.keep_mode(&name, path)?;
                    repaired.insert(path.into(), Row::hashed(String::new(), &contents));
                }
            }
            Ok(Relocated::Mentions) => others.push(name),
            // What cannot be read is nobody's who upgrades.
            Ok(Relocated::Unchanged) | Err(_) => {}
        }
    }
    if !others.is_empty() {
        let others = others.join(", ");
        log.warn(&format!(
            "these files in {} still contain {there}: {others}",
            context.env_dir
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::venv::repair::replace_path;

    #[test]
    fn a_path_is_not_replaced_where_another_name_begins_with_it() {
        assert_eq!(
            replace_path(
                "/a/env /a/env/bin '/a/env' /a/env-old /a/env2",
                "/a/env",
                "/b"
            ),
            "/b /b/bin '/b' /a/env-old /a/env2"
        );
    }
}
