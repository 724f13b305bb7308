//! Python virtual environments: what `python -m venv` makes, in milliseconds, or nothing at all.
//!
//! [`EnvBuilder`] is CPython's class of that name, [`Options`] what it is told, [`Interpreter`] the base Python,
//! [`Context`] what is handed to `post_setup`, and [`Error`] everything that can go wrong.
//!
//! Modules in reading order: `builder` tells the story; `interpreter`, `context`, `tree`, `configuration`, `python`, `activation`
//! and `seed` are its steps; `stage` makes a tree an environment; `store` remembers; `fs` writes.

mod builder;
mod cache;
mod check;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;
mod error;
mod image;
mod installed;
mod interpreter;
mod options;
mod pip;
mod repr;
mod stage;
mod sys;
mod terminal;
mod venv;

pub use crate::interpreter::platform::Platform;
pub use crate::sys::signal::Interrupt;
pub use crate::terminal::color::{Color, ERROR};
pub use crate::venv::context::Context;
pub use builder::EnvBuilder;
pub use check::{Finding, Kind, Report};
pub use error::{Error, Obstacle};
pub use interpreter::{BundledWheel, Interpreter, Scheme};
pub use options::{Cache, Links, OnExisting, Options, Progress, Seeder, Verbosity};

/// Deletes everything that is kept in the cache folder; returns how many bytes that frees.
///
/// # Errors
///
/// The operating system's first refusal.
pub fn prune_cache(cache: &Cache) -> std::io::Result<u64> {
    let log = terminal::log::Log::new(&Options::default());
    cache::Store::new(cache, &sys::env::Env::of_process(), log).prune()
}

/// The folder that [`prune_cache`] empties.
pub fn cache_folder(cache: &Cache) -> Option<std::path::PathBuf> {
    let log = terminal::log::Log::new(&Options::default());
    let store = cache::Store::new(cache, &sys::env::Env::of_process(), log);
    store.path().map(std::path::Path::to_path_buf)
}
