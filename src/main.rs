//! The `rvenv` command. `cli` reads what was asked for, and `builder` makes it.

use std::process::ExitCode;

fn main() -> ExitCode {
    rvenv::cli::main()
}
