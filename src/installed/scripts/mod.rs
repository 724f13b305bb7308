//! Console scripts: their shebang, their text, and the launchers of Windows.

pub(crate) mod exe;
pub(crate) mod moved;
pub(crate) mod shebang;
pub(crate) mod template;
