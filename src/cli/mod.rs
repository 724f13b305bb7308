//! The command line interface.

mod argparse;
mod args;
mod compat;
mod generate;
mod index_options;
mod output;
mod run;

pub use run::main;
