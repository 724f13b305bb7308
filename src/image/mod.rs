//! Images: packages in one file, which is unpacked into an environment.

pub(crate) mod destination;
pub(crate) mod finish;
pub(crate) mod format;
pub(crate) mod pack;
pub(crate) mod unpack;
