//! The `rvenv` command. `cli` parses the arguments, `builder` creates the environment.

use std::process::ExitCode;

fn main() -> ExitCode {
    rvenv::cli::main()
}
