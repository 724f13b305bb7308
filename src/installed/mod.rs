//! What is installed in an environment: distributions with their `RECORD`, scripts and bytecode, and how to relocate
//! it.

pub(crate) mod bytecode;
pub(crate) mod copy;
pub(crate) mod distributions;
pub(crate) mod entry_points;
pub(crate) mod record;
pub(crate) mod relocate;
pub(crate) mod scripts;
