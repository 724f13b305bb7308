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

use crate::builder::EnvBuilder;
use crate::cache;
use crate::check::Report;
use crate::cli::args::Args;
use crate::cli::output::json::Outcome;
use crate::cli::output::{self, print, report};
use crate::cli::{compat, generate};
use crate::interpreter::list::Python;
use crate::options::Cache;
use crate::sys::signal::Interrupt;
use crate::terminal::color::Color;

/// The exit status with `--decline` where nothing was made and everything is as it was.
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
            let _ = print(Outcome::json(&stopped(&args, &error)).as_bytes());
        }
        if args.decline {
            return ExitCode::from(DECLINED);
        }
        report(&error, color)
    });
    if code != ExitCode::SUCCESS {
        // A signal that came when everything was done has undone nothing.
        interrupt.die();
    }
    code
}

/// Whether `--verbose` was given beside `--version`, where clap returns before it has parsed everything.
fn is_verbose() -> bool {
    std::env::args_os().any(|argument| {
        ["-v", "--verbose", "-vV", "-Vv"]
            .iter()
            .any(|it| argument == *it)
    })
}

/// What a bug report should say.
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
            return Ok(worst(reports.iter().map(|report| report.ok)));
        }
        let reports = args.env_dirs.iter().zip(reports);
        outcomes.extend(reports.map(|(env_dir, report)| Outcome::check(env_dir, report)));
    } else if !args.env_dirs.is_empty() {
        // Before anything is made, and before the Python is looked for.
        builder.can_read_requirements()?;
        if args.json {
            outcomes.extend(create_for_a_program(&builder, args, color)?);
        }
    }
    if args.json {
        print(Outcome::json(&outcomes).as_bytes())?;
        return Ok(worst(outcomes.iter().map(Outcome::is_ok)));
    }
    let create = |env_dir: &Path| match builder.create(env_dir) {
        Ok(_) => ExitCode::SUCCESS,
        Err(_) if args.decline => ExitCode::from(DECLINED),
        Err(error) => report(&error.into(), color),
    };
    if args.env_dirs.len() > 1 && !builder.keeps_base() {
        // One that cannot be found is one error, not one for each directory.
        builder.interpreter()?;
    }
    if let [env_dir] = args.env_dirs.as_slice() {
        return Ok(create(env_dir));
    }
    let codes = side_by_side(args, create);
    Ok(worst(codes.iter().map(|code| *code == ExitCode::SUCCESS)))
}

/// The results for an error that stopped everything: one for each directory, or one without a directory.
fn stopped(args: &Args, error: &anyhow::Error) -> Vec<Outcome> {
    if args.env_dirs.is_empty() {
        return vec![Outcome::failure(None, error)];
    }
    let env_dirs = args.env_dirs.iter();
    env_dirs
        .map(|env_dir| Outcome::failure(Some(env_dir), error))
        .collect()
}

/// Creates every environment; errors are printed to stderr as well.
fn create_for_a_program(
    builder: &EnvBuilder,
    args: &Args,
    color: Color,
) -> anyhow::Result<Vec<Outcome>> {
    if !builder.keeps_base() {
        builder.interpreter()?;
    }
    Ok(side_by_side(args, |env_dir| {
        let started = Instant::now();
        let made = builder.interpreter_for(env_dir);
        let made = made.and_then(|interpreter| Ok((builder.make(env_dir)?, interpreter)));
        match made {
            Ok(((context, changed), interpreter)) => {
                Outcome::environment(&context, &interpreter, changed, started.elapsed())
            }
            Err(error) => {
                let error = error.into();
                report(&error, color);
                Outcome::failure(Some(env_dir), &error)
            }
        }
    }))
}

/// What is broken in each directory.
fn check(builder: &EnvBuilder, args: &Args) -> anyhow::Result<Vec<Report>> {
    let reports = args.env_dirs.iter().map(|env_dir| builder.check(env_dir));
    Ok(reports.collect::<Result<_, _>>()?)
}

/// Several environments at once: one that fails does not stop the others. The answers are in the directories' order.
fn side_by_side<T: Send>(args: &Args, create: impl Fn(&Path) -> T + Sync) -> Vec<T> {
    if let [env_dir] = args.env_dirs.as_slice() {
        return vec![create(env_dir)];
    }
    // A hundred directories do not need a hundred threads: packages are unpacked with several threads already.
    let workers = thread::available_parallelism()
        .map_or(1, usize::from)
        .min(args.env_dirs.len());
    let next = AtomicUsize::new(0);
    let answers = Mutex::new(Vec::new());
    let work = || {
        loop {
            let position = next.fetch_add(1, Ordering::Relaxed);
            let Some(env_dir) = args.env_dirs.get(position) else {
                break;
            };
            let answer = create(env_dir);
            let mut answers = answers.lock().unwrap_or_else(PoisonError::into_inner);
            answers.push((position, answer));
        }
    };
    thread::scope(|scope| {
        for _ in 1..workers {
            // If a thread cannot be started the others do its work.
            let _ = thread::Builder::new().spawn_scoped(scope, work);
        }
        work();
    });
    let mut answers = answers.into_inner().unwrap_or_else(PoisonError::into_inner);
    answers.sort_by_key(|(position, _)| *position);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

fn worst(mut good: impl Iterator<Item = bool>) -> ExitCode {
    if good.all(|good| good) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
