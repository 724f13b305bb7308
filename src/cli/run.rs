//! Runs the command: parses the arguments, creates the environments, prints the results.

use std::io::IsTerminal as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use anyhow::Context as _;
use clap::error::ErrorKind;

use crate::builder::{Changed, EnvBuilder};
use crate::cache;
use crate::check::Report;
use crate::cli::args::Args;
use crate::cli::output::json::Outcome;
use crate::cli::output::{self, print, report};
use crate::cli::{compat, generate};
use crate::error::Error;
use crate::interpreter::list::Python;
use crate::options::Cache;
use crate::sys::signal::Interrupt;
use crate::terminal::color::Color;

/// The exit status with `--decline` if nothing was created or changed.
const DECLINED: u8 = 75;

/// Runs the command with the process's arguments.
pub fn main() -> ExitCode {
    let color = Color::from_variables(|name| std::env::var_os(name));
    let args = match Args::read(std::env::args_os()) {
        Ok(args) => args,
        Err(error) if error.kind() == ErrorKind::DisplayVersion && is_verbose() => {
            let text = version_details();
            return print(text.as_bytes()).unwrap_or_else(|error| report(&error, color));
        }
        Err(error) => return output::usage(&error, color),
    };
    let color = args.color(color);
    let interrupt = match Interrupt::listen() {
        Ok(interrupt) => interrupt,
        Err(error) => {
            return report(
                &anyhow::Error::new(error).context("could not install signal handlers"),
                color,
            );
        }
    };
    let code = run(&args, &interrupt, color).unwrap_or_else(|error| {
        if args.json && interrupt.signal().is_none() {
            let _ = print(Outcome::json(&failures(&args, &error)).as_bytes());
        }
        if args.decline.is_some() {
            return ExitCode::from(DECLINED);
        }
        report(&error, color)
    });
    if code != ExitCode::SUCCESS {
        // A signal that arrived after everything was done undoes nothing.
        interrupt.die();
    }
    code
}

/// Whether `--verbose` was given with `--version`, for which clap returns before it has parsed all arguments.
fn is_verbose() -> bool {
    std::env::args_os().any(|argument| {
        ["-v", "--verbose", "-vV", "-Vv"]
            .iter()
            .any(|it| argument == *it)
    })
}

/// The details for bug reports.
fn version_details() -> String {
    let abi = match () {
        () if cfg!(target_env = "gnu") => "-gnu",
        () if cfg!(target_env = "musl") => "-musl",
        () if cfg!(target_env = "msvc") => "-msvc",
        () => "",
    };
    let cache = cache::folder_of(&Cache::Default);
    let cache = cache.map_or("none".into(), |folder| folder.display().to_string());
    format!(
        "rvenv {}\ncommit: {}\ntarget: {}-{}{abi}\ncache: {cache}\n",
        env!("CARGO_PKG_VERSION"),
        // Set by the release workflow.
        option_env!("RVENV_COMMIT").unwrap_or("unknown"),
        std::env::consts::ARCH,
        std::env::consts::OS,
    )
}

fn run(args: &Args, interrupt: &Interrupt, color: Color) -> anyhow::Result<ExitCode> {
    if let Some(shell) = args.completions {
        return print(&generate::completions(shell));
    }
    if args.man {
        return print(&generate::man()?);
    }
    let mut outcomes = Vec::new();
    if args.prune_cache {
        let cache = args.cache_to_prune();
        let freed = cache::prune(&cache).context("could not empty the cache")?;
        if args.json {
            let folder = cache::folder_of(&cache);
            outcomes.push(Outcome::pruned(folder.as_deref(), freed));
        } else {
            let (megabytes, tenths) = (freed / 1_000_000, freed % 1_000_000 / 100_000);
            print(format!("freed {megabytes}.{tenths} MB\n").as_bytes())?;
        }
    }
    let mut builder = EnvBuilder::new(&args.options()?);
    builder
        .interrupt(interrupt.clone())
        .terminal(color, args.progress());
    for request in args.python.iter().filter(|request| !request.is_empty()) {
        builder.python(request);
    }
    for (name, reason) in &args.ignored {
        builder.say(&format!("ignoring {name}: {reason}"));
    }
    for (name, instead) in compat::VARIABLES {
        if std::env::var_os(name).is_some_and(|value| !value.is_empty()) {
            builder.say(&format!("ignoring {name}: use {instead}"));
        }
    }
    if args.warm_cache {
        builder.warm_cache()?;
        outcomes.push(Outcome::cached(builder.interpreter()?));
    }
    if args.list_pythons {
        let pythons = builder.pythons()?;
        if !args.json {
            let text = Python::lines(&pythons, std::io::stdout().is_terminal());
            return print(text.as_bytes());
        }
        outcomes.extend(pythons.into_iter().map(Outcome::from));
    }
    if args.check {
        let reports = check(&builder, args)?;
        if !args.json {
            let text: String = reports.iter().map(Report::lines).collect();
            print(text.as_bytes())?;
            return Ok(exit_code(reports.iter().map(|report| report.ok)));
        }
        let reports = args.env_dirs.iter().zip(reports);
        outcomes.extend(reports.map(|(env_dir, report)| Outcome::check(env_dir, report)));
    } else if !args.env_dirs.is_empty() {
        // Before anything is created and before the Python is searched for.
        builder.check_requirements()?;
        if args.json {
            outcomes.extend(create_for_json(&builder, args, color)?);
        }
    }
    if args.json {
        print(Outcome::json(&outcomes).as_bytes())?;
        return Ok(exit_code(outcomes.iter().map(Outcome::is_ok)));
    }
    let create_or_clone = |env_dir: &Path| match &args.clone {
        Some(source) => builder.clone_environment(source, env_dir),
        None => builder.create(env_dir),
    };
    let create = |env_dir: &Path| match create_or_clone(env_dir) {
        Ok(_) => ExitCode::SUCCESS,
        Err(_) if args.decline.is_some() => ExitCode::from(DECLINED),
        Err(error) => report(&error.into(), color),
    };
    if let Some(version) = args
        .decline
        .as_deref()
        .filter(|version| !version.is_empty())
        && builder.interpreter()?.version_info() != version
    {
        return Ok(ExitCode::from(DECLINED));
    }
    if args.env_dirs.len() > 1 && args.clone.is_none() && !builder.keeps_base() {
        // If it cannot be found, there is one error instead of one for each directory.
        builder.interpreter()?;
    }
    if let [env_dir] = args.env_dirs.as_slice() {
        return Ok(create(env_dir));
    }
    let codes = in_parallel(args, create);
    Ok(exit_code(
        codes.iter().map(|code| *code == ExitCode::SUCCESS),
    ))
}

/// The results for an error that ended the run: one for each directory, or one without a directory.
fn failures(args: &Args, error: &anyhow::Error) -> Vec<Outcome> {
    if args.env_dirs.is_empty() {
        return vec![Outcome::failure(None, error)];
    }
    let env_dirs = args.env_dirs.iter();
    env_dirs
        .map(|env_dir| Outcome::failure(Some(env_dir), error))
        .collect()
}

/// Creates every environment; errors are printed to stderr as well.
fn create_for_json(
    builder: &EnvBuilder,
    args: &Args,
    color: Color,
) -> anyhow::Result<Vec<Outcome>> {
    if args.clone.is_none() && !builder.keeps_base() {
        builder.interpreter()?;
    }
    Ok(in_parallel(args, |env_dir| {
        let started = Instant::now();
        let create_or_clone = || -> Result<Outcome, Error> {
            if let Some(source) = &args.clone {
                let (context, interpreter) = builder.create_clone(source, env_dir)?;
                let elapsed = started.elapsed();
                return Ok(Outcome::environment(
                    &context,
                    &interpreter,
                    Changed::Yes,
                    elapsed,
                ));
            }
            let interpreter = builder.interpreter_for(env_dir)?;
            let (context, changed) = builder.create_environment(env_dir)?;
            let elapsed = started.elapsed();
            Ok(Outcome::environment(
                &context,
                &interpreter,
                changed,
                elapsed,
            ))
        };
        match create_or_clone() {
            Ok(outcome) => outcome,
            Err(error) => {
                let error = anyhow::Error::from(error);
                report(&error, color);
                Outcome::failure(Some(env_dir), &error)
            }
        }
    }))
}

/// Checks each directory.
fn check(builder: &EnvBuilder, args: &Args) -> anyhow::Result<Vec<Report>> {
    let reports = args.env_dirs.iter().map(|env_dir| builder.check(env_dir));
    Ok(reports.collect::<Result<_, _>>()?)
}

/// Creates several environments in parallel. A failure does not stop the others. The results are in the order of the
/// directories.
fn in_parallel<T: Send>(args: &Args, create: impl Fn(&Path) -> T + Sync) -> Vec<T> {
    if let [env_dir] = args.env_dirs.as_slice() {
        return vec![create(env_dir)];
    }
    // Not one thread for each directory: packages are already unpacked with several threads.
    let workers = thread::available_parallelism()
        .map_or(1, usize::from)
        .min(args.env_dirs.len());
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::new());
    let work = || {
        loop {
            let position = next.fetch_add(1, Ordering::Relaxed);
            let Some(env_dir) = args.env_dirs.get(position) else {
                break;
            };
            let result = create(env_dir);
            let mut results = results.lock().unwrap_or_else(PoisonError::into_inner);
            results.push((position, result));
        }
    };
    thread::scope(|scope| {
        for _ in 1..workers {
            // If a thread cannot be started, the others do its work.
            let _ = thread::Builder::new().spawn_scoped(scope, work);
        }
        work();
    });
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by_key(|(position, _)| *position);
    results.into_iter().map(|(_, result)| result).collect()
}

fn exit_code(mut successes: impl Iterator<Item = bool>) -> ExitCode {
    if successes.all(|successes| successes) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
