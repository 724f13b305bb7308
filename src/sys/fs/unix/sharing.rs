//! Files that share blocks with other files until one of them is written ("reflinks"), as on btrfs and XFS.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use fs_err as fs;

/// Whether two file systems, which may be the same, let files share blocks, as far as that is known.
#[derive(Debug, Default)]
pub(crate) struct Sharing {
    works: AtomicBool,
    #[cfg(target_os = "linux")]
    is_refused: AtomicBool,
    #[cfg(target_os = "linux")]
    has_ranges: std::sync::OnceLock<bool>,
}

impl Sharing {
    /// Whether files have been shared.
    pub(crate) fn is_working(&self) -> bool {
        self.works.load(Ordering::Relaxed)
    }
}

#[cfg(target_os = "linux")]
impl Sharing {
    /// Lets `to`, which is empty, share all blocks of `from`. Returns `false` if that is not possible.
    pub(crate) fn file(&self, from: &fs::File, to: &fs::File) -> bool {
        use rustix::io::Errno;

        if self.is_refused.load(Ordering::Relaxed) {
            return false;
        }
        match rustix::fs::ioctl_ficlone(to.file(), from.file()) {
            Ok(()) => {
                self.works.store(true, Ordering::Relaxed);
                true
            }
            Err(errno) => {
                if matches!(
                    errno,
                    Errno::OPNOTSUPP | Errno::XDEV | Errno::NOTTY | Errno::NOSYS
                ) {
                    self.is_refused.store(true, Ordering::Relaxed);
                }
                false
            }
        }
    }

    /// Lets `to`, which is empty, share the blocks of `size` bytes at `offset` of `from`; bytes that do not fill a block are
    /// copied. Returns `false`, and leaves `to` empty, if the file system has no shared blocks.
    ///
    /// `copy_file_range` shares blocks where it can, and else copies without saying so. Thus the whole file is shared first,
    /// which tells.
    pub(crate) fn range(
        &self,
        from: &fs::File,
        offset: u64,
        size: u64,
        to: &fs::File,
    ) -> io::Result<bool> {
        let has_ranges = if let Some(&has_ranges) = self.has_ranges.get() {
            has_ranges
        } else {
            let is_shared = self.file(from, to);
            to.set_len(0)?;
            *self.has_ranges.get_or_init(|| is_shared)
        };
        if !has_ranges {
            return Ok(false);
        }
        let (mut read_at, mut write_at) = (offset, 0);
        while write_at < size {
            let rest = usize::try_from(size - write_at).unwrap_or(usize::MAX);
            let (from, to) = (from.file(), to.file());
            match rustix::fs::copy_file_range(
                from,
                Some(&mut read_at),
                to,
                Some(&mut write_at),
                rest,
            ) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(true)
    }
}

#[cfg(not(target_os = "linux"))]
impl Sharing {
    pub(crate) fn file(&self, _from: &fs::File, _to: &fs::File) -> bool {
        false
    }

    pub(crate) fn range(
        &self,
        _from: &fs::File,
        _offset: u64,
        _size: u64,
        _to: &fs::File,
    ) -> io::Result<bool> {
        Ok(false)
    }
}
