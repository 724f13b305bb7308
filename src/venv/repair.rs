//! Relocates an existing environment, for `--upgrade` and `--relocatable`.

use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::installed::relocate::environment::{Report, Target, environment};
use crate::installed::relocate::{Layout, NewLocation, Relocation};
use crate::installed::scripts::moved;
use crate::interpreter::Interpreter;
use crate::interpreter::platform::Platform;
use crate::stage::Stage;
use crate::sys::signal::Interrupt;
use crate::terminal::log::Log;
use crate::venv::context::Context;

/// The path that the environment was moved from, if its scripts contain another path.
pub(crate) fn moved_from(context: &Context) -> Option<PathBuf> {
    moved::moved_from(Path::new(&context.bin_path), Path::new(&context.env_dir))
}

/// The properties of the environment that relocation needs.
pub(crate) fn layout<'a>(interpreter: &Interpreter, context: &'a Context) -> Layout<'a> {
    let python = context.env_exe.rsplit(['/', '\\']).next();
    Layout {
        bin_name: &context.bin_name,
        python: python.unwrap_or_default(),
        shebang_limit: interpreter.platform.shebang_limit(),
        is_windows: interpreter.platform == Platform::Windows,
    }
}

/// Relocates everything in the stage, from the path `there` or from scripts of another Python to this path, or to no
/// path if it is to be relocatable, which may differ from what it was before.
pub(crate) fn relocate_all(
    stage: &Stage,
    interpreter: &Interpreter,
    context: &Context,
    there: Option<&str>,
    was_relocatable: bool,
    interrupt: &Interrupt,
    log: Log,
) -> Result<(), Error> {
    let (root, here) = (Path::new(&context.env_dir), context.env_dir.as_str());
    let to = if context.relocatable {
        NewLocation::Anywhere
    } else {
        NewLocation::Place(here)
    };
    let old_paths: Vec<_> = there
        .into_iter()
        .chain(context.relocatable.then_some(here))
        .collect();
    let mut relocation = Relocation::new(&old_paths, to, layout(interpreter, context))
        .with_stale_scripts(Path::new(&context.bin_path))
        .with_interrupt(interrupt);
    if was_relocatable && !context.relocatable {
        relocation = relocation.with_relocatable_scripts();
    }
    let new = stage.scratch("new");
    let report = environment(root, &relocation, Target::Tree(stage.tree(), &new))?;
    warn(&report, context, there, log);
    Ok(())
}

/// Makes the packages that pip has installed relocatable.
pub(crate) fn installed(
    interpreter: &Interpreter,
    context: &Context,
    interrupt: &Interrupt,
    log: Log,
) -> Result<(), Error> {
    let (root, here) = (Path::new(&context.env_dir), context.env_dir.as_str());
    let relocation = Relocation::new(&[here], NewLocation::Anywhere, layout(interpreter, context))
        .with_interrupt(interrupt);
    let report = environment(root, &relocation, Target::InPlace)?;
    warn(&report, context, None, log);
    Ok(())
}

/// Says what was changed, and warns of what still contains the old path.
pub(crate) fn warn(report: &Report, context: &Context, there: Option<&str>, log: Log) {
    for name in &report.changed {
        log.say(|| format!("{name}: relocated"));
    }
    if report.mentions.is_empty() {
        return;
    }
    let (here, others) = (&context.env_dir, report.mentions.join(", "));
    log.warn(&match there {
        Some(there) => format!("these files in {here} still contain {there}: {others}"),
        None => format!("these files in {here} contain that path: {others}"),
    });
}
