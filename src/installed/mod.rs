//! What an installed environment consists of: distributions with their RECORD, scripts and bytecode; and how all of it is
//! made to name another path.

pub(crate) mod bytecode;
pub(crate) mod distributions;
pub(crate) mod entry_points;
pub(crate) mod record;
pub(crate) mod relocate;
pub(crate) mod scripts;
