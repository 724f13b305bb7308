//! Creates everything except packages: directories, `lib64`, `pyvenv.cfg`, the interpreter and the activation scripts.
//!
//! Each function is one of CPython's steps. `builder` calls them.

use std::io;
use std::path::Path;

use crate::error::Error;
use crate::interpreter::platform::Platform;
use crate::interpreter::{self, Interpreter, nested};
use crate::options::{Links, Options};
use crate::repr::repr;
use crate::stage::Stage;
use crate::sys::fs::{Folder, Identity, Mode, write_elsewhere};
use crate::terminal::log::Log;
use crate::venv::activation::{self, Values};
use crate::venv::context::Context;
use crate::venv::executables;
use crate::venv::executables::{Placement, PlacementKind};
use crate::venv::pyvenv_cfg;

const GITIGNORE: &str = "# Created by venv; see https://docs.python.org/3/library/venv.html\n*\n";

/// Creates the directories of the `venv` scheme, and `lib64` if that version has it.
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
            // gh-98975: CPython creates this link even with --copies, and fails on FAT.
            Err(error)
                if links == Links::Copy && error.io_kind() == Some(io::ErrorKind::Unsupported) => {}
            created => created?,
        }
    }
    Ok(())
}

/// Writes `pyvenv.cfg`, and `.gitignore` if that version does.
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

/// The text of the existing `pyvenv.cfg`; empty if there is none.
pub(crate) fn existing_configuration(context: &Context) -> String {
    let path = Path::new(&context.cfg_path);
    if fs_err::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file()) {
        return fs_err::read_to_string(path).unwrap_or_default();
    }
    String::new()
}

/// The request in a `pyvenv.cfg` whose packages are installed.
pub(crate) fn recorded_request(configuration: &str) -> Option<String> {
    let mut pairs = configuration
        .lines()
        .filter_map(|line| line.split_once('='));
    let found = pairs.find(|(found, _)| found.trim() == pyvenv_cfg::REQUEST);
    found.map(|(_, value)| value.trim().to_owned())
}

/// Whether a `pyvenv.cfg` says that the environment is relocatable.
pub(crate) fn is_relocatable(configuration: &str) -> bool {
    let value = interpreter::pyvenv_cfg::value(configuration, pyvenv_cfg::RELOCATABLE);
    value.is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

/// Replaces or removes the recorded request in the complete environment.
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

/// Creates the interpreter under all its names. Existing links to the same base are kept.
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
        // symlink_or_copy copies if a link cannot be created, and cannot replace a copy by a link.
        links = Links::Copy;
    }
    let mut placements = executables::placements(context, interpreter, links);
    if interpreter.windows.is_some() && links == Links::Symlink {
        placements = links_or_copies(stage.tree(), interpreter, context, placements, log)?;
    }
    for placement in placements {
        let existing_path = existing(&placement.name);
        let name = format!("{}/{}", context.bin_name, placement.name);
        match placement.kind {
            PlacementKind::Link(_)
                if base.is_some()
                    && Identity::of(&existing_path) == base
                    && !nested::is_link_into(&existing_path, Path::new(&context.env_dir)) => {}
            PlacementKind::Link(target) => {
                log.say(|| format!("{name} -> {target}"));
                stage.tree().symlink(&target, &name)?;
            }
            PlacementKind::Copy(source) => {
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

/// Creates the links of an environment on Windows. Returns the replacements if the system cannot create links.
///
/// That needs a privilege or the developer mode, so venv continues with copies.
fn links_or_copies(
    tree: &Folder,
    interpreter: &Interpreter,
    context: &Context,
    placements: Vec<Placement>,
    log: Log,
) -> Result<Vec<Placement>, Error> {
    let mut created: Vec<String> = Vec::new();
    for placement in &placements {
        let PlacementKind::Link(target) = &placement.kind else {
            continue;
        };
        let name = format!("{}/{}", context.bin_name, placement.name);
        if tree.symlink(target, &name).is_err() {
            log.warn(&format!(
                "Unable to symlink {} to {}: retrying with copies",
                repr(target),
                repr(&name)
            ));
            for name in created {
                tree.remove_file(&name)?;
            }
            return Ok(
                executables::replace_links(context, interpreter, placements).unwrap_or_default()
            );
        }
        created.push(name);
    }
    Ok(Vec::new())
}

/// Writes the activation scripts of every shell.
pub(crate) fn setup_scripts(
    tree: &Folder,
    interpreter: &Interpreter,
    context: &Context,
    log: Log,
) -> Result<(), Error> {
    let values = Values {
        virtual_env: &context.env_dir,
        prompt: &context.prompt,
        bin_name: &context.bin_name,
        relocatable: context.relocatable,
    };
    for script in activation::scripts(&values, interpreter.platform == Platform::Windows) {
        let name = format!("{}/{}", context.bin_name, script.name);
        tree.write(&name, &script.contents, Mode::Script)?;
        log.say(|| name);
    }
    Ok(())
}
