//! The umask of the process, from `/proc/self/status` if that exists.

use std::io;
use std::sync::OnceLock;

use fs_err as fs;
use rustix::fs::Mode as Bits;

/// The process's umask, read once.
pub(crate) fn umask_bits() -> Bits {
    static UMASK: OnceLock<Bits> = OnceLock::new();
    *UMASK.get_or_init(|| {
        let said = status_field("Umask:").and_then(|octal| u32::from_str_radix(&octal, 8).ok());
        #[allow(
            clippy::useless_conversion,
            reason = "the width of a mode differs between systems"
        )]
        if let Some(Ok(umask)) = said.map(TryInto::try_into) {
            return Bits::from_raw_mode(umask);
        }
        // On other systems it can only be read by setting it, which other threads might notice.
        let umask = rustix::process::umask(Bits::from_raw_mode(0o077));
        rustix::process::umask(umask);
        umask
    })
}

/// A field of `/proc/self/status`, read once.
pub(crate) fn status_field(name: &str) -> Option<String> {
    static STATUS: OnceLock<String> = OnceLock::new();
    let status = STATUS.get_or_init(|| {
        if !cfg!(target_os = "linux") {
            return String::new();
        }
        // A single read: the size of such a file is unknown.
        let mut buffer = [0; 4096];
        let length = fs::File::open("/proc/self/status")
            .and_then(|mut status| io::Read::read(&mut status, &mut buffer))
            .unwrap_or(0);
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    });
    let value = status.lines().find_map(|line| line.strip_prefix(name))?;
    Some(value.trim().to_owned())
}

/// The process's umask.
pub(crate) fn umask() -> u32 {
    #[allow(
        clippy::useless_conversion,
        reason = "the width of a mode differs between systems"
    )]
    u32::from(umask_bits().bits())
}
