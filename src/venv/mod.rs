//! Everything in an environment except packages: names and paths, directories, `pyvenv.cfg`, the interpreter, and
//! activation scripts.

pub(crate) mod activation;
pub(crate) mod clone;
pub(crate) mod context;
pub(crate) mod executables;
pub(crate) mod fallback;
mod flags;
pub(crate) mod layout;
pub(crate) mod pyvenv_cfg;
pub(crate) mod redirect;
pub(crate) mod repair;
