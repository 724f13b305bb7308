//! The `rvenv` command: read what was asked for, make every environment, report.

mod cli;
mod habits;

use std::io::{ErrorKind, IsTerminal as _, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use anyhow::Context as _;
use cli::Args;
use rvenv::{EnvBuilder, Error, Interrupt, Python, Report};

fn main() -> ExitCode {
    let args = match Args::read(std::env::args_os()) {
        Ok(args) => args,
        Err(error) => {
            // Help and version go to stdout and are no failure; a closed stream is nobody's error.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let interrupt = match Interrupt::listen() {
        Ok(interrupt) => interrupt,
        Err(error) => {
            return report(&anyhow::Error::new(error).context("could not listen to signals"));
        }
    };
    let code = run(&args, &interrupt).unwrap_or_else(|error| report(&error));
    if code != ExitCode::SUCCESS {
        // A signal that came when everything was done has undone nothing.
        interrupt.die();
    }
    code
}

fn run(args: &Args, interrupt: &Interrupt) -> anyhow::Result<ExitCode> {
    if args.prune_cache {
        let freed = rvenv::prune_cache(&args.cache()).context("could not empty the cache")?;
        let mut out = std::io::stdout().lock();
        let (megabytes, tenths) = (freed / 1_000_000, freed % 1_000_000 / 100_000);
        writeln!(out, "freed {megabytes}.{tenths} MB").context("could not write to stdout")?;
    }
    let builder = EnvBuilder::new(args.options()?).interrupt(interrupt.clone());
    let builder = args
        .python
        .iter()
        .filter(|request| !request.is_empty())
        .fold(builder, |builder, request| builder.python(request));
    if args.list_pythons {
        let pythons = builder.pythons()?;
        return print(&if args.json {
            Python::json(&pythons)
        } else {
            Python::lines(&pythons, std::io::stdout().is_terminal())
        });
    }
    if args.check {
        return check(&builder, args);
    }
    let create = |env_dir: &Path| match builder.create(env_dir) {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => report(&error.into()),
    };
    let [env_dir] = args.env_dirs.as_slice() else {
        return Ok(create_side_by_side(&builder, args, &create)?);
    };
    Ok(create(env_dir))
}

/// What is broken in each directory.
fn check(builder: &EnvBuilder, args: &Args) -> anyhow::Result<ExitCode> {
    let reports = args.env_dirs.iter().map(|env_dir| builder.check(env_dir));
    let reports = reports.collect::<Result<Vec<_>, _>>()?;
    print(&if args.json {
        Report::json(&reports)
    } else {
        reports.iter().map(Report::lines).collect()
    })?;
    Ok(if reports.iter().all(|report| report.sound) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// What was asked for, on stdout; nobody may be listening any more.
fn print(text: &str) -> anyhow::Result<ExitCode> {
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(error).context("could not write to stdout")
        }
        _ => Ok(ExitCode::SUCCESS),
    }
}

/// Several environments at once: one that fails does not stop the others.
fn create_side_by_side(
    builder: &EnvBuilder,
    args: &Args,
    create: &(impl Fn(&Path) -> ExitCode + Sync),
) -> Result<ExitCode, Error> {
    if !args.env_dirs.is_empty() {
        // One that cannot be found is one error, not one for each directory.
        builder.interpreter()?;
    }
    // A hundred directories are not a hundred threads: each one's packages are laid down by several already.
    let workers = thread::available_parallelism()
        .map_or(1, usize::from)
        .min(args.env_dirs.len());
    let next = AtomicUsize::new(0);
    let failed = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(env_dir) = args.env_dirs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if create(env_dir) != ExitCode::SUCCESS {
                        failed.store(true, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    Ok(ExitCode::from(u8::from(failed.into_inner())))
}

/// One error with its causes, and what to do about it.
fn report(error: &anyhow::Error) -> ExitCode {
    let named = error.downcast_ref::<Error>();
    if matches!(named, Some(Error::Interrupted { .. })) {
        // The signal that ends the process says it.
        return ExitCode::FAILURE;
    }
    let hint = named.and_then(Error::hint);
    let hint = hint
        .map(|hint| format!("\n  hint: {hint}"))
        .unwrap_or_default();
    // A closed stderr changes nothing about the exit status.
    let _ = writeln!(std::io::stderr().lock(), "Error: {error:#}{hint}");
    ExitCode::FAILURE
}
