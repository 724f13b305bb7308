//! Installs pip with the base's own `ensurepip` in a scratch environment.
//!
//! This is slow but always correct. It is used if unpacking the wheels is not enough.

use std::path::Path;

use walkdir::{DirEntry, WalkDir};

use crate::error::Error;
use crate::installed::{distributions, record};
use crate::interpreter::Interpreter;
use crate::options::Options;
use crate::sys::env::Env;
use crate::sys::fs::{Folder, remove_tree};
use crate::sys::process;
use crate::sys::signal::Interrupt;
use crate::venv::context::Context;
use crate::venv::executables;
use crate::venv::executables::PlacementKind;

/// Creates a bare environment at `scratch`, which must not exist, and runs ensurepip in it (`venv/__init__.py`,
/// `_setup_pip`).
///
/// # Errors
///
/// [`Error::Command`] with ensurepip's own output (gh-89830).
pub(crate) fn produce(
    interpreter: &Interpreter,
    environment: &Env,
    scratch: &Path,
    interrupt: &Interrupt,
) -> Result<(), Error> {
    let bin = interpreter.platform.bin_name();
    fs_err::create_dir(scratch).map_err(Error::io("create directory", scratch))?;
    let tree = Folder::open(scratch, scratch)?;
    for folder in [bin, &interpreter.scheme.purelib, "tmp"] {
        tree.create_dir_all(folder)?;
    }
    let context = Context::new(scratch, interpreter, &Options::default(), None)?;
    let configuration = format!(
        "home = {}\ninclude-system-site-packages = false\n",
        context.python_dir
    );
    tree.write(
        "pyvenv.cfg",
        configuration.as_bytes(),
        crate::sys::fs::Mode::Plain,
    )?;
    let links = Options::default().links;
    for placement in executables::placements(&context, interpreter, links) {
        let name = format!("{bin}/{}", placement.name);
        match placement.kind {
            PlacementKind::Link(target) => tree.symlink(&target, &name)?,
            PlacementKind::Copy(source) => tree.copy_executable(Path::new(&source), &name)?,
        }
    }
    let executable = &context.env_exe;

    let isolated = !interpreter.at_least(3, 10);
    let mut command = process::python(executable);
    // gh-98251: since 3.10 not isolated, but without variables that would make it install elsewhere.
    command.arg(if isolated { "-Im" } else { "-m" }).args([
        "ensurepip",
        "--upgrade",
        "--default-pip",
    ]);
    command
        .env("VIRTUAL_ENV", scratch)
        .env("TMPDIR", scratch.join("tmp"))
        .current_dir(scratch);
    for variable in [
        "PYTHONHOME",
        "PYTHONPATH",
        "PYTHONPYCACHEPREFIX",
        "PYTHONSTARTUP",
        "PYTHONINSPECT",
    ] {
        command.env_remove(variable);
    }
    for (name, _) in environment.starting_with("PIP_") {
        command.env_remove(name);
    }
    let output = process::run(&mut command, None, interrupt)?;
    if output.status.success() {
        return if interpreter.at_least(3, 9) {
            Ok(())
        } else {
            compile_in_place(&context, interrupt)
        };
    }
    Err(Error::Command {
        program: process::command_line(&command),
        status: output.status.to_string(),
        output: output.text(),
    })
}

/// Removes what `pip install --no-compile` would not have written to `site_packages`.
///
/// # Errors
///
/// [`Error::Io`].
pub(crate) fn remove_bytecode(site_packages: &Path) -> Result<(), Error> {
    let entries = WalkDir::new(site_packages).into_iter();
    let folders = entries
        .flatten()
        .filter(|entry| entry.file_type().is_dir() && entry.file_name() == "__pycache__");
    let folders: Vec<_> = folders.map(DirEntry::into_path).collect();
    for folder in folders {
        remove_tree(&folder).map_err(|(path, error)| Error::io("remove", &path)(error))?;
    }
    for one in distributions::read(site_packages) {
        let Some(mut rows) = one.rows(site_packages) else {
            continue;
        };
        rows.retain(|row| !row.path.ends_with(".pyc"));
        let path = site_packages.join(&one.dist_info).join("RECORD");
        fs_err::write(&path, record::render(&mut rows)).map_err(Error::io("write", &path))?;
    }
    Ok(())
}

/// Compiles everything again. Old versions of pip, bundled up to 3.8, compile in a temporary directory and move the
/// result, whose `co_filename` is then a random path that does not exist.
fn compile_in_place(context: &Context, interrupt: &Interrupt) -> Result<(), Error> {
    let mut command = process::python(&context.env_exe);
    command.args(["-Im", "compileall", "-q", "-f", &context.lib_path]);
    // With pip, a file that does not compile has no bytecode either, so the exit status is ignored.
    process::run(&mut command, None, interrupt).map(drop)
}
