//! Creates Python virtual environments like `python -m venv`, in milliseconds. If that fails, nothing is changed.
//!
//! ```
//! use rvenv::{Cache, EnvBuilder, Options};
//!
//! let folder = tempfile::tempdir()?;
//! let builder = EnvBuilder::new(Options::new().with_pip(false).cache(Cache::Off));
//! println!("base Python: {}", builder.interpreter()?.executable().display());
//! let context = builder.create(folder.path().join(".venv"))?;
//! println!("created {}", context.env_exe);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`EnvBuilder`] is CPython's class of that name, [`Options`] what it is told, [`Interpreter`] the base Python, [`Context`]
//! what `post_setup` gets, and [`Error`] everything that can go wrong. [`EnvBuilder::check`] returns a [`Report`].
//!
//! The source in reading order: `builder` has the order of the steps; `interpreter` finds the base Python; `venv` is what an
//! environment consists of, `pip` how pip gets into it; `stage` publishes it as a whole; `cache` keeps what the next run needs.

#![cfg_attr(
    not(feature = "cli"),
    allow(dead_code, reason = "some of it only the command uses")
)]

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

pub use builder::EnvBuilder;
pub use cache::prune as prune_cache;
pub use check::{Finding, Kind, Report};
pub use error::{Error, Obstacle};
pub use interpreter::Interpreter;
pub use options::{Cache, Links, OnExisting, Options, Reuse, Seeder, Verbosity};
pub use sys::signal::Interrupt;
pub use venv::context::Context;
