//! The integration tests: one binary with a directory per subject. They run the program and the real Pythons, and use no
//! module of the crate.
#![cfg_attr(
    unix,
    expect(clippy::unwrap_used, reason = "a test may fail where it stands")
)]
#![cfg_attr(
    unix,
    expect(
        clippy::print_stdout,
        clippy::print_stderr,
        reason = "a harness speaks"
    )
)]

#[cfg(unix)]
mod architecture;
#[cfg(unix)]
mod cache;
#[cfg(unix)]
mod check;
#[cfg(unix)]
mod cli;
#[cfg(unix)]
mod documents; // the commands in README.md and docs/
#[cfg(unix)]
mod env; // TestEnv: a temporary directory, a clean environment, checked runs
#[cfg(unix)]
mod environment;
#[cfg(unix)]
mod faults; // an environment or nothing, whatever happens
#[cfg(unix)]
#[path = "../harness/mod.rs"]
mod harness; // lists and runs the tests
#[cfg(unix)]
mod interpreters; // every Python on the machine
#[cfg(unix)]
mod needs; // requirements that a machine may not meet
#[cfg(unix)]
mod oracle; // the real `python -m venv` and rvenv at one path, one after the other
#[cfg(unix)]
mod packages;
#[cfg(unix)]
mod python; // the Python package
#[cfg(unix)]
mod random; // property tests
#[cfg(unix)]
mod repository; // the documentation and .ci agree
#[cfg(unix)]
mod shells;
#[cfg(unix)]
#[path = "../harness/tree.rs"]
mod tree; // what is in a directory, and where two of them differ
#[cfg(unix)]
mod wheel; // tiny wheels to install

#[cfg(unix)]
fn main() -> std::process::ExitCode {
    harness::run(
        &[
            oracle::trials,
            architecture::trials,
            cache::trials,
            check::trials,
            cli::trials,
            documents::trials,
            environment::trials,
            interpreters::trials,
            packages::trials,
            python::trials,
            repository::trials,
            shells::trials,
            faults::trials,
        ],
        || {
            let (folder, why) = env::test_folder();
            format!("test folders in {} ({why})", folder.display())
        },
    )
}

#[cfg(not(unix))]
fn main() {}
