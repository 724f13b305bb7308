//! Creates everything but packages: directories, `lib64`, `pyvenv.cfg`, the interpreter and the activation scripts.
//!
//! Each function is one of CPython's steps; `builder` calls them.

use std::io;
use std::path::Path;

use crate::error::Error;
use crate::interpreter::platform::Platform;
use crate::interpreter::{Interpreter, nested};
use crate::options::{Links, Options};
use crate::repr::repr;
use crate::stage::Stage;
use crate::sys::fs::{Folder, Identity, Mode, write_elsewhere};
use crate::terminal::log::Log;
use crate::venv::activation::{self, Values};
use crate::venv::context::Context;
use crate::venv::executables;
use crate::venv::executables::{How, Placement};
use crate::venv::pyvenv_cfg;

const GITIGNORE: &str = "# Created by venv; see https://docs.python.org/3/library/venv.html\n*\n";

/// The folders of the `venv` scheme, and `lib64` where that version links it.
pub(crate) fn ensure_directories(
    tree: &Folder,
    interpreter: &Interpreter,
    context: &Context,
    links: Links,
) -> Result<(), Error> {
    let scheme = &interpreter.scheme;
    tree.create_dir_all(&scheme.include)?;
    tree.create_dir_all(&scheme.purelib)?;
    if scheme.platlib != scheme.purelib {
        tree.create_dir_all(&scheme.platlib)?;
    }
    tree.create_dir(&context.bin_name)?;
    if interpreter.links_lib64() {
        match tree.symlink("lib", "lib64") {
            // gh-98975: CPython makes this link even with --copies, and fails on FAT.
            Err(error)
                if links == Links::Copy && error.io_kind() == Some(io::ErrorKind::Unsupported) => {}
            made => made?,
        }
    }
    Ok(())
}

/// `pyvenv.cfg`, and `.gitignore` where that version writes one.
pub(crate) fn create_configuration(
    tree: &Folder,
    interpreter: &Interpreter,
    context: &Context,
    options: &Options,
    request: Option<&str>,
    log: Log,
) -> Result<(), Error> {
    if interpreter.at_least(3, 13) && options.scm_ignore_files {
        tree.write(".gitignore", GITIGNORE.as_bytes(), Mode::Plain)?;
        log.say(|| ".gitignore".into());
    }
    let text = pyvenv_cfg::render(context, interpreter, options, request);
    tree.write("pyvenv.cfg", text.as_bytes(), Mode::Plain)?;
    log.say(|| "pyvenv.cfg".into());
    Ok(())
}

/// What the `pyvenv.cfg` that is there says of the request whose packages are installed.
pub(crate) fn recorded_request(context: &Context) -> Option<String> {
    let path = Path::new(&context.cfg_path);
    if !fs_err::symlink_metadata(path).ok()?.is_file() {
        return None;
    }
    let text = fs_err::read_to_string(path).ok()?;
    let mut pairs = text.lines().filter_map(|line| line.split_once('='));
    let found = pairs.find(|(key, _)| key.trim() == pyvenv_cfg::REQUEST);
    found.map(|(_, value)| value.trim().to_owned())
}

/// Replaces that line in the finished environment, or removes it.
pub(crate) fn record_request(context: &Context, request: Option<&str>) -> Result<(), Error> {
    let path = Path::new(&context.cfg_path);
    let read = fs_err::read_to_string(path).map_err(Error::io("read", path))?;
    let permissions = fs_err::metadata(path).map_err(Error::io("read", path))?;
    let is_other = |line: &&str| {
        let key = line.split('=').next().unwrap_or_default();
        key.trim() != pyvenv_cfg::REQUEST
    };
    let mut text: String = read.split_inclusive('\n').filter(is_other).collect();
    if let Some(request) = request {
        text += &[pyvenv_cfg::REQUEST, " = ", request, "\n"].concat();
    }
    write_elsewhere(path, &[text.as_bytes()])?;
    fs_err::set_permissions(path, permissions.permissions()).map_err(Error::io("write", path))
}

/// The interpreter under all its names; those of an existing environment that lead to the same base already stay.
pub(crate) fn setup_python(
    stage: &Stage,
    interpreter: &Interpreter,
    context: &Context,
    links: Links,
    log: Log,
) -> Result<(), Error> {
    let existing = |name: &str| Path::new(&context.bin_path).join(name);
    let base = stage
        .is_merge()
        .then(|| Identity::of(Path::new(&context.executable)))
        .flatten();
    let mut links = links;
    if stage.is_merge()
        && fs_err::symlink_metadata(&context.env_exe).is_ok_and(|metadata| metadata.is_file())
    {
        // symlink_or_copy copies where a link cannot be made, and over a copy it cannot.
        links = Links::Copy;
    }
    let mut placements = executables::placements(context, interpreter, links);
    if interpreter.windows.is_some() && links == Links::Symlink {
        placements = links_or_copies(stage.tree(), interpreter, context, placements, log)?;
    }
    for placement in placements {
        let there = existing(&placement.name);
        let name = format!("{}/{}", context.bin_name, placement.name);
        match placement.how {
            How::Link(_)
                if base.is_some()
                    && Identity::of(&there) == base
                    && !nested::is_link_into(&there, Path::new(&context.env_dir)) => {}
            How::Link(target) => {
                log.say(|| format!("{name} -> {target}"));
                stage.tree().symlink(&target, &name)?;
            }
            How::Copy(source) => {
                log.say(|| format!("{name}: a copy of {source}"));
                stage.tree().copy_executable(Path::new(&source), &name)?;
            }
        }
    }
    if let Some((folder, source)) = executables::tcl(interpreter) {
        stage.tree().create_dir_all(&folder)?;
        let name = format!("{folder}/init.tcl");
        stage.tree().copy_executable(Path::new(source), &name)?;
    }
    Ok(())
}

/// Makes the links of an environment on Windows; returns what is to be made instead if the system makes none of them.
///
/// That takes a privilege or the developer mode, so venv goes on with copies.
fn links_or_copies(
    tree: &Folder,
    interpreter: &Interpreter,
    context: &Context,
    placements: Vec<Placement>,
    log: Log,
) -> Result<Vec<Placement>, Error> {
    let mut made: Vec<String> = Vec::new();
    for placement in &placements {
        let How::Link(target) = &placement.how else {
            continue;
        };
        let name = format!("{}/{}", context.bin_name, placement.name);
        if tree.symlink(target, &name).is_err() {
            log.warn(&format!(
                "Unable to symlink {} to {}: retrying with copies",
                repr(target),
                repr(&name)
            ));
            for name in made {
                tree.remove_file(&name)?;
            }
            return Ok(executables::retreat(context, interpreter, placements).unwrap_or_default());
        }
        made.push(name);
    }
    Ok(Vec::new())
}

/// The activation scripts of every shell.
pub(crate) fn setup_scripts(
    tree: &Folder,
    interpreter: &Interpreter,
    context: &Context,
    options: &Options,
    log: Log,
) -> Result<(), Error> {
    let values = Values {
        virtual_env: &context.env_dir,
        prompt: &context.prompt,
        bin_name: &context.bin_name,
        relocatable: options.relocatable,
    };
    for script in activation::scripts(&values, interpreter.platform == Platform::Windows) {
        let name = format!("{}/{}", context.bin_name, script.name);
        tree.write(&name, &script.contents, Mode::Script)?;
        log.say(|| name);
    }
    Ok(())
}
