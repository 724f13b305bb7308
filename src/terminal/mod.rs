//! What a person sees on stderr: messages, colors, progress, the closing summary.

pub(crate) mod color;
pub(crate) mod log;
pub(crate) mod spinner;
