//! The integration tests: one binary, a module per feature. They know the program and the real
//! Pythons, and no module of the crate.
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
#[path = "../harness/mod.rs"]
mod harness; // which trials there are, and what runs

// What the tests stand on.
#[cfg(unix)]
mod bytecode; // are two trees' `.pyc` files the same code?
#[cfg(unix)]
mod bytecode_elsewhere;
#[cfg(unix)]
mod env; // TestEnv: a temporary folder, a clean environment, runs that are judged
#[cfg(unix)]
mod faults; // the state that a broken run left, mounts, users
#[cfg(unix)]
mod interpreters; // every Python on the machine
#[cfg(unix)]
mod layouts; // the ways in which Pythons are kept
#[cfg(unix)]
mod oracle; // the real `python -m venv` and rvenv at one path, one after the other
#[cfg(unix)]
mod references; // what `python -m venv` made before
#[cfg(unix)]
mod scene; // one way to make an environment, killed
#[cfg(unix)]
mod tree; // the differences between two trees
#[cfg(unix)]
mod wheel; // tiny wheels to install

// The oracle's cases.
#[cfg(unix)]
mod oracle_checks; // the oracle itself can fail
#[cfg(unix)]
mod oracle_existing; // environments that are there already
#[cfg(unix)]
mod oracle_flags; // every combination of flags
#[cfg(unix)]
mod oracle_names; // every way to invoke a Python
#[cfg(unix)]
mod oracle_pip; // pip, as ensurepip leaves it
#[cfg(unix)]
mod oracle_shapes; // every shape of ENV_DIR, of umask and of prompt

// The behaviour that is ours to promise.
#[cfg(unix)]
mod activate_this;
#[cfg(unix)]
mod architecture;
#[cfg(unix)]
mod check;
#[cfg(unix)]
mod check_remedies; // each one run through a shell
#[cfg(unix)]
mod clear;
#[cfg(unix)]
mod cli;
#[cfg(unix)]
mod compat; // what tools pass to virtualenv and uv
#[cfg(unix)]
mod completions; // and the man page
#[cfg(unix)]
mod configuration;
#[cfg(unix)]
mod directories;
#[cfg(unix)]
mod discovery;
#[cfg(unix)]
mod interrupt;
#[cfg(unix)]
mod json; // --json of what was made
#[cfg(unix)]
mod list_pythons;
#[cfg(unix)]
mod moved;
#[cfg(unix)]
mod nested; // made anew by its own Python
#[cfg(unix)]
mod no_compile;
#[cfg(unix)]
mod no_ensurepip;
#[cfg(unix)]
mod nothing_to_do;
#[cfg(unix)]
mod pip;
#[cfg(unix)]
mod pip_runs; // pip as a program that rvenv starts
#[cfg(unix)]
mod pip_settings; // pip's variables and configuration files
#[cfg(unix)]
mod prompt;
#[cfg(unix)]
mod python;
#[cfg(unix)]
mod regression;
#[cfg(unix)]
mod relocatable;
#[cfg(unix)]
mod repository; // what the documents and .ci say of the tests
#[cfg(unix)]
mod requests;
#[cfg(unix)]
mod requirements; // -r and --with
#[cfg(unix)]
mod shells;
#[cfg(unix)]
mod shims;
#[cfg(unix)]
mod store; // the cache folder
#[cfg(unix)]
mod terminal; // what a person sees
#[cfg(unix)]
mod upgrade;
#[cfg(unix)]
mod variables; // RVENV_*
#[cfg(unix)]
mod warm_cache;

// An environment or nothing, whatever happens.
#[cfg(unix)]
mod faults_clear;
#[cfg(unix)]
mod faults_in_place;
#[cfg(unix)]
mod faults_kill;
#[cfg(unix)]
mod faults_limits;
#[cfg(unix)]
mod faults_links;
#[cfg(unix)]
mod faults_signals;
#[cfg(unix)]
mod faults_space;
#[cfg(unix)]
mod filesystems;
#[cfg(unix)]
mod installations; // what is never made an environment
#[cfg(unix)]
mod many_at_once;
#[cfg(unix)]
mod odd_environments;
#[cfg(unix)]
mod odd_names;
#[cfg(unix)]
mod shared_parent; // a folder that others write to, too

#[cfg(unix)]
fn main() -> std::process::ExitCode {
    harness::run(
        &[
            oracle_checks::trials,
            oracle_existing::trials,
            oracle_flags::trials,
            oracle_names::trials,
            oracle_pip::trials,
            oracle_shapes::trials,
            activate_this::trials,
            architecture::trials,
            check::trials,
            check_remedies::trials,
            clear::trials,
            cli::trials,
            compat::trials,
            completions::trials,
            configuration::trials,
            directories::trials,
            discovery::trials,
            interrupt::trials,
            json::trials,
            list_pythons::trials,
            moved::trials,
            nested::trials,
            no_compile::trials,
            no_ensurepip::trials,
            nothing_to_do::trials,
            pip::trials,
            pip_runs::trials,
            pip_settings::trials,
            prompt::trials,
            python::trials,
            repository::trials,
            regression::trials,
            relocatable::trials,
            requests::trials,
            requirements::trials,
            shells::trials,
            shims::trials,
            store::trials,
            terminal::trials,
            upgrade::trials,
            variables::trials,
            warm_cache::trials,
            faults_clear::trials,
            faults_in_place::trials,
            faults_kill::trials,
            faults_limits::trials,
            faults_links::trials,
            faults_signals::trials,
            bytecode_elsewhere::trials,
            faults_space::trials,
            filesystems::trials,
            installations::trials,
            many_at_once::trials,
            odd_environments::trials,
            odd_names::trials,
            shared_parent::trials,
        ],
        || {
            let (folder, why) = env::test_folder();
            format!("test folders in {} ({why})", folder.display())
        },
    )
}

#[cfg(not(unix))]
fn main() {}
