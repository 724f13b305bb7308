//! Console scripts: shebangs, templates, and Windows launchers.

pub(crate) mod exe;
pub(crate) mod moved;
pub(crate) mod shebang;
pub(crate) mod template;
