//! Files that share blocks with other files until one of them is written ("reflinks"), as on btrfs and XFS.

use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use fs_err as fs;

#[cfg(target_os = "linux")]
use system::{copy_range, share_blocks};
#[cfg(not(target_os = "linux"))]
use unsupported::{copy_range, share_blocks};

/// Whether two file systems, which may be the same, let files share blocks, as far as that is known.
#[derive(Debug, Default)]
pub(crate) struct Sharing {
    works: AtomicBool,
    is_refused: AtomicBool,
    has_ranges: OnceLock<bool>,
}

impl Sharing {
    /// Whether files have been shared.
    pub(crate) fn is_working(&self) -> bool {
        self.works.load(Ordering::Relaxed)
    }

    /// Lets `to`, which is empty, share all blocks of `from`. Returns `false` if that is not possible.
    pub(crate) fn file(&self, from: &fs::File, to: &fs::File) -> bool {
        if self.is_refused.load(Ordering::Relaxed) {
            return false;
        }
        match share_blocks(from, to) {
            Ok(()) => self.works.store(true, Ordering::Relaxed),
            Err(error) => {
                let kind = error.kind();
                if matches!(
                    kind,
                    io::ErrorKind::Unsupported | io::ErrorKind::CrossesDevices
                ) {
                    self.is_refused.store(true, Ordering::Relaxed);
                }
                return false;
            }
        }
        true
    }

    /// Lets `to`, which is empty, share the blocks of `size` bytes at `offset` of `from`; bytes that do not fill a block are
    /// copied. Returns `false`, and leaves `to` empty, if the file system has no shared blocks.
    ///
    /// `copy_file_range` does not report whether it shared blocks or copied. Therefore the first call tests whether the whole file
    /// can be shared.
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
        let mut done = 0;
        while done < size {
            match copy_range(from, offset + done, to, done, size - done) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => done += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }
}

#[cfg(target_os = "linux")]
mod system {
    use std::io;

    use fs_err as fs;
    use rustix::io::Errno;

    pub(super) fn share_blocks(from: &fs::File, to: &fs::File) -> io::Result<()> {
        rustix::fs::ioctl_ficlone(to.file(), from.file()).map_err(|errno| match errno {
            // The file system does not know the call.
            Errno::NOTTY => io::ErrorKind::Unsupported.into(),
            errno => errno.into(),
        })
    }

    pub(super) fn copy_range(
        from: &fs::File,
        mut read_at: u64,
        to: &fs::File,
        mut write_at: u64,
        size: u64,
    ) -> io::Result<u64> {
        let (from, to) = (from.file(), to.file());
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let (read_at, write_at) = (Some(&mut read_at), Some(&mut write_at));
        let copied = rustix::fs::copy_file_range(from, read_at, to, write_at, size)?;
        Ok(copied as u64)
    }
}

#[cfg(not(target_os = "linux"))]
mod unsupported {
    use std::io;

    use fs_err as fs;

    pub(super) fn share_blocks(_from: &fs::File, _to: &fs::File) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn copy_range(
        _from: &fs::File,
        _read_at: u64,
        _to: &fs::File,
        _write_at: u64,
        _size: u64,
    ) -> io::Result<u64> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
