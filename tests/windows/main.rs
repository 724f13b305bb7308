//! Windows: the real `python -m venv` and rvenv at the same path, compared; and the environments in cmd and PowerShell. The
//! Pythons are those of `RVENV_TEST_PYTHONS`, or else of PATH.
//!
//! Symbolic links are not tested: they need a privilege, and Wine reports success but creates none.
#![cfg_attr(
    windows,
    expect(clippy::unwrap_used, reason = "a test may fail where it stands")
)]
#![cfg_attr(
    windows,
    expect(
        clippy::print_stdout,
        clippy::print_stderr,
        reason = "a harness speaks"
    )
)]

#[cfg(windows)]
#[allow(dead_code, reason = "tests/it uses more of it")]
#[path = "../it/oracle/bytecode.rs"]
mod bytecode; // compares `.pyc` files
#[cfg(windows)]
mod differences; // compares two environments
#[cfg(windows)]
mod faults; // obstacles
#[cfg(windows)]
#[allow(dead_code, reason = "tests/it uses more of it")]
#[allow(
    clippy::missing_const_for_thread_local,
    reason = "said here of what is const, where the system has no thread-locals of its own"
)]
#[path = "../harness/mod.rs"]
mod harness; // lists and runs the tests
#[cfg(windows)]
mod needs; // requirements that a machine may not meet
#[cfg(windows)]
mod oracle; // the real venv and rvenv at one path
#[cfg(windows)]
mod place; // the directory and the Pythons of a test
#[cfg(windows)]
mod shells; // cmd and PowerShell
#[cfg(windows)]
#[allow(dead_code, reason = "tests/it uses more of it")]
#[path = "../harness/tree.rs"]
mod tree; // what is in a directory

#[cfg(windows)]
fn main() -> std::process::ExitCode {
    harness::run(&[faults::trials, oracle::trials, shells::trials], || {
        format!("test folders in {}", std::env::temp_dir().display())
    })
}

#[cfg(not(windows))]
fn main() {}
