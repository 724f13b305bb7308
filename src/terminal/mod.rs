//! Output on stderr: messages, colors, the spinner.

pub(crate) mod color;
pub(crate) mod log;
pub(crate) mod spinner;
