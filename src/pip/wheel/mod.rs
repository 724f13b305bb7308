//! Installs the bundled wheels into a scratch environment, with the same result as ensurepip, without running pip.

pub(crate) mod archive;
pub(crate) mod distribution;
pub(crate) mod install;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::error::Error;
use crate::installed::bytecode;
use crate::installed::scripts::exe;
use crate::installed::scripts::template::ScriptTemplates;
use crate::interpreter::Interpreter;
use crate::pip::wheel::archive::Archive;
use crate::pip::wheel::distribution::NewDistribution;
use crate::pip::wheel::install::{Production, Target};
use crate::sys::fs::Folder;
use crate::sys::signal::Interrupt;

/// Fills the empty directory `scratch` with what that Python's ensurepip would install.
///
/// # Errors
///
/// [`Error::Wheel`] if a wheel is missing, broken or of an unsupported pip, [`Error::Command`] if the interpreter fails
/// to compile, [`Error::Interrupted`], [`Error::Io`]. The caller deletes `scratch` then.
pub(crate) fn produce(
    interpreter: &Interpreter,
    scratch: &Path,
    production: &Production,
    interrupt: &Interrupt,
) -> Result<(), Error> {
    let wheels = interpreter.wheels.as_deref().unwrap_or_default();
    let mut archives = Vec::new();
    for wheel in wheels {
        archives.push(Archive::open(Path::new(&wheel.path))?);
    }
    // ensurepip runs pip from the wheel that it then installs.
    let Some(pip) = wheels.iter().position(|wheel| wheel.project == "pip") else {
        return Err(Error::Wheel {
            path: interpreter.stdlib.clone().into(),
            reason: "its ensurepip has no pip wheel".into(),
        });
    };
    let templates = templates(&mut archives[pip])?;
    let launcher = match &interpreter.windows {
        Some(windows) => Some(launcher(&mut archives[pip], &windows.machine)?),
        None => None,
    };
    let folder = Folder::open(scratch, scratch)?;
    folder.create_dir_all(interpreter.platform.bin_name())?;
    let target = Target {
        interpreter,
        folder: &folder,
        templates: &templates,
        launcher: launcher.as_deref(),
        production,
    };
    let distributions = install(&target, archives, interrupt)?;
    let sources: Vec<_> = distributions
        .iter()
        .flat_map(|distribution| distribution.sources.iter().cloned())
        .collect();
    let compiled = match &production.bytecode {
        Some(bytecode) => {
            bytecode::compile(interpreter, scratch, &folder, &sources, bytecode, interrupt)?
        }
        None => HashMap::new(),
    };
    for distribution in distributions {
        distribution.finish(&folder, &compiled)?;
    }
    Ok(())
}

/// Installs the wheels in parallel, as far as threads can be started.
fn install(
    target: &Target<'_>,
    archives: Vec<Archive>,
    interrupt: &Interrupt,
) -> Result<Vec<NewDistribution>, Error> {
    let others = archives.len() - 1;
    let left = Mutex::new(archives.into_iter().enumerate());
    let next = || left.lock().unwrap_or_else(PoisonError::into_inner).next();
    let work = || -> Result<Vec<(usize, NewDistribution)>, Error> {
        let mut installed = Vec::new();
        while let Some((position, archive)) = next() {
            installed.push((position, target.install(archive, interrupt)?));
        }
        Ok(installed)
    };
    let installed = thread::scope(|scope| {
        // If a thread cannot be started, the others do its work.
        let spawn = |_| thread::Builder::new().spawn_scoped(scope, work).ok();
        let others: Vec<_> = (0..others).filter_map(spawn).collect();
        let mut installed = vec![work()];
        for other in others {
            let share = other.join();
            installed.push(share.unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        installed
    });
    let installed = installed.into_iter().collect::<Result<Vec<_>, _>>()?;
    let mut installed: Vec<_> = installed.into_iter().flatten().collect();
    installed.sort_by_key(|(position, _)| *position);
    Ok(installed.into_iter().map(|(_, one)| one).collect())
}

/// The launcher for console scripts in this pip wheel, for this kind of Windows.
fn launcher(pip: &mut Archive, machine: &str) -> Result<Vec<u8>, Error> {
    let name = exe::path(machine);
    let entry = pip.entry(name).cloned();
    let entry = entry.ok_or_else(|| pip.broken(format!("it has no {name}")))?;
    pip.read(&entry)
}

/// How the pip in this wheel generates scripts.
fn templates(pip: &mut Archive) -> Result<ScriptTemplates, Error> {
    // The module moved in 20.0.
    let wheel_module = match pip.text("pip/_internal/operations/install/wheel.py")? {
        Some(text) => Some(text),
        None => pip.text("pip/_internal/wheel.py")?,
    };
    let scripts = pip.text("pip/_vendor/distlib/scripts.py")?;
    match (wheel_module, scripts) {
        (Some(wheel_module), Some(scripts)) => {
            ScriptTemplates::read(&wheel_module, &scripts).map_err(|reason| pip.broken(reason))
        }
        _ => Err(pip.broken("its pip is not supported")),
    }
}
