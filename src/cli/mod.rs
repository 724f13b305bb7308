//! The command line interface.

mod argparse;
mod args;
mod compat;
#[cfg(fuzzing)]
pub mod fuzzing;
mod generate;
mod index_options;
mod output;
mod run;

pub use run::main;
