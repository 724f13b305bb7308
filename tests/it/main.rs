//! The integration tests: one binary, a module per feature. They know the program and the real
//! Pythons, and no module of the crate.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]
#![expect(clippy::print_stderr, reason = "a skipped check says so")]

// What the tests stand on.
mod bytecode; // are two trees' `.pyc` files the same code?
mod env; // TestEnv: a temporary folder, a clean environment, runs that are judged
mod faults; // the state that a broken run left, mounts, users
mod interpreters; // every Python on the machine
mod layouts; // the ways in which Pythons are kept
mod oracle; // the real `python -m venv` and rvenv at one path, one after the other
mod scene; // one way to make an environment, killed
mod tree; // the differences between two trees
mod wheel; // tiny wheels to install

// The oracle's cases.
mod oracle_checks; // the oracle itself can fail
mod oracle_existing; // environments that are there already
mod oracle_flags; // every combination of flags
mod oracle_names; // every way to invoke a Python
mod oracle_pip; // pip, as ensurepip leaves it
mod oracle_shapes; // every shape of ENV_DIR, of umask and of prompt

// The behaviour that is ours to promise.
mod activate_this;
mod check;
mod clear;
mod cli;
mod compat; // what tools pass to virtualenv and uv
mod completions; // and the man page
mod configuration;
mod directories;
mod discovery;
mod interrupt;
mod json; // --json of what was made
mod list_pythons;
mod no_ensurepip;
mod pip;
mod prompt;
mod python;
mod regression;
mod relocatable;
mod requests;
mod requirements; // -r and --with
mod shells;
mod shims;
mod store; // the cache folder
mod terminal; // what a person sees
mod upgrade;
mod variables; // RVENV_*
mod warm_cache;

// An environment or nothing, whatever happens.
mod faults_clear;
mod faults_in_place;
mod faults_kill;
mod faults_limits;
mod faults_links;
mod faults_signals;
mod faults_space;
mod filesystems;
mod many_at_once;
mod odd_environments;
mod odd_names;
