//! The errors, with their messages and hints.
//!
//! Where CPython has a message for the same condition it is used word for word.

use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};

/// Why no environment was made. Nothing is left behind when one of these is returned.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or a symlink stands where a directory must be (`venv/__init__.py`, `ensure_directories`).
    #[error("Unable to create directory {}", repr(path))]
    UnableToCreateDirectory {
        /// The existing file.
        path: PathBuf,
        /// What it is.
        obstacle: Obstacle,
    },
    /// `ENV_DIR` could not be put on PATH (gh-99889; CPython refuses since 3.11).
    #[error("Refusing to create a venv in {} because it contains the PATH separator {separator}.", path.display())]
    PathSeparator {
        /// The absolute path of the environment.
        path: PathBuf,
        /// `os.pathsep`.
        separator: char,
    },
    /// `--upgrade` with `--clear`.
    #[error("you cannot supply --upgrade and --clear together.")]
    UpgradeWithClear,
    /// `pyvenv.cfg` is UTF-8 and cannot contain this path.
    #[error("the path {} is not valid UTF-8, as pyvenv.cfg requires", repr(path))]
    NotUtf8 {
        /// The offending path.
        path: PathBuf,
    },
    /// `--clear` would delete what is not an environment.
    #[error("refusing to clear {}: {reason}", repr(path))]
    RefusingToClear {
        /// The absolute path of the environment.
        path: PathBuf,
        /// What makes it precious.
        reason: &'static str,
    },
    /// An installation of Python is neither made an environment nor cleared.
    #[error(
        "refusing to change {}, which is a Python installation: {reason}",
        repr(path)
    )]
    Installation {
        /// The absolute path of the environment.
        path: PathBuf,
        /// What tells that it is one.
        reason: String,
    },
    /// What is mounted in an environment would be left over from it.
    #[error("refusing to clear {}: {} is a mount point", repr(path), repr(mount))]
    MountBelow {
        /// The absolute path of the environment.
        path: PathBuf,
        /// Where something is mounted.
        mount: PathBuf,
    },
    /// The umask would make an environment that its own maker cannot use.
    #[error(
        "with umask {umask:04o} the owner would have no access to {}",
        repr(path)
    )]
    Umask {
        /// The absolute path of the environment.
        path: PathBuf,
        /// The process's umask.
        umask: u32,
    },
    /// Nothing answers to what `-p` asked for.
    #[error("no Python found for {request}: {searched}")]
    PythonNotFound {
        /// What was asked for.
        request: String,
        /// Where it was sought and what was found there.
        searched: String,
        /// The found one that is the least different from it.
        nearest: Option<String>,
    },
    /// An environment's base would be in the environment itself.
    #[error(
        "the base Python {} is inside the environment {}",
        repr(base),
        repr(path)
    )]
    BaseInside {
        /// The absolute path of the environment.
        path: PathBuf,
        /// The base executable.
        base: PathBuf,
    },
    /// The value of `--python` is not valid.
    #[error("{reason}")]
    Request {
        /// The value, and what is expected.
        reason: String,
    },
    /// An executable was found, but it is no Python that can be used.
    #[error("{} cannot be used as the base Python: {reason}", repr(path))]
    UnusablePython {
        /// The executable, as it was invoked.
        path: PathBuf,
        /// What it did instead of answering.
        reason: String,
    },
    /// A program that was started failed; its own words follow.
    #[error("{program} failed with {status}{}", indented(output))]
    Command {
        /// The command line.
        program: String,
        /// How it ended.
        status: String,
        /// What it printed.
        output: String,
    },
    /// pip could not be provided by any means.
    #[error("pip cannot be installed into {}: {reason}", repr(path))]
    NoPip {
        /// The absolute path of the environment.
        path: PathBuf,
        /// What was tried.
        reason: String,
        /// What would provide it.
        remedy: String,
    },
    /// The environment's pip is too old for what was asked.
    #[error("pip {version} does not support {option}: it needs pip {needed} or later")]
    OldPip {
        /// Its version.
        version: String,
        /// What it does not know.
        option: String,
        /// The first version that does.
        needed: &'static str,
    },
    /// What should be remembered cannot be.
    #[error("could not fill the cache {}: {reason}", repr(path))]
    Cache {
        /// The cache folder.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// A wheel breaks the wheel specification.
    #[error("the wheel {} cannot be installed: {reason}", repr(path))]
    Wheel {
        /// The wheel file.
        path: PathBuf,
        /// The rule that it breaks.
        reason: String,
    },
    /// An image of the store is truncated, altered or foreign.
    #[error("the image {} is damaged: {reason}", repr(path))]
    DamagedImage {
        /// The image file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The operating system refused something.
    #[error("could not {action} {}", repr(path))]
    Io {
        /// A verb with its object: `create directory`.
        action: &'static str,
        /// What it was done to.
        path: PathBuf,
        /// The system's own words.
        source: io::Error,
    },
    /// A signal asked the run to end.
    #[error("interrupted by signal {signal}")]
    Interrupted {
        /// The signal's number.
        signal: i32,
    },
    /// A caller's own `post_setup` failed.
    #[error("post_setup failed for {}", repr(path))]
    PostSetup {
        /// The absolute path of the environment.
        path: PathBuf,
        /// The caller's error.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// What is in the place of a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obstacle {
    /// A regular file.
    File,
    /// A symlink, whatever it leads to.
    Symlink,
    /// A device, a socket or a pipe.
    Other,
}

impl Error {
    /// What is at `path` is no directory.
    pub(crate) fn no_directory(path: &Path, metadata: &Metadata) -> Self {
        let obstacle = if metadata.is_symlink() {
            Obstacle::Symlink
        } else if metadata.is_file() {
            Obstacle::File
        } else {
            Obstacle::Other
        };
        Self::UnableToCreateDirectory {
            path: path.into(),
            obstacle,
        }
    }

    /// Its name in what `--json` prints.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::UnableToCreateDirectory { .. } => "unable_to_create_directory",
            Self::PathSeparator { .. } => "path_separator",
            Self::UpgradeWithClear => "upgrade_with_clear",
            Self::NotUtf8 { .. } => "not_utf8",
            Self::RefusingToClear { .. } => "refusing_to_clear",
            Self::Installation { .. } => "installation",
            Self::MountBelow { .. } => "mount_below",
            Self::BaseInside { .. } => "base_inside",
            Self::Umask { .. } => "umask",
            Self::PythonNotFound { .. } => "python_not_found",
            Self::Request { .. } => "request",
            Self::UnusablePython { .. } => "unusable_python",
            Self::Command { .. } => "command",
            Self::NoPip { .. } => "no_pip",
            Self::Cache { .. } => "cache",
            Self::Wheel { .. } => "wheel",
            Self::DamagedImage { .. } => "damaged_image",
            Self::Io { .. } => "io",
            Self::Interrupted { .. } => "interrupted",
            Self::PostSetup { .. } => "post_setup",
            Self::OldPip { .. } => "old_pip",
        }
    }

    /// The file, folder or program that it is about.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::UnableToCreateDirectory { path, .. }
            | Self::PathSeparator { path, .. }
            | Self::NotUtf8 { path }
            | Self::RefusingToClear { path, .. }
            | Self::Installation { path, .. }
            | Self::BaseInside { path, .. }
            | Self::MountBelow { mount: path, .. }
            | Self::Umask { path, .. }
            | Self::UnusablePython { path, .. }
            | Self::NoPip { path, .. }
            | Self::Cache { path, .. }
            | Self::Wheel { path, .. }
            | Self::DamagedImage { path, .. }
            | Self::Io { path, .. }
            | Self::PostSetup { path, .. } => {
                Some(path).filter(|path| !path.as_os_str().is_empty())
            }
            Self::UpgradeWithClear
            | Self::PythonNotFound { .. }
            | Self::Request { .. }
            | Self::Command { .. }
            | Self::OldPip { .. }
            | Self::Interrupted { .. } => None,
        }
        .map(PathBuf::as_path)
    }

    /// What the user can do about it, as one sentence, where that is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::UnableToCreateDirectory { obstacle, .. } => {
                let what = match obstacle {
                    Obstacle::Symlink => "it is a symlink",
                    Obstacle::File => "it is a file",
                    Obstacle::Other => "it is not a directory",
                };
                Some(format!("{what}: remove it or choose another directory"))
            }
            Self::PathSeparator { .. } | Self::NotUtf8 { .. } => {
                Some("choose a directory with a different name".into())
            }
            Self::RefusingToClear { .. } => {
                Some("use --force to delete its contents, or choose another directory".into())
            }
            Self::Installation { .. } => Some("choose another directory".into()),
            Self::MountBelow { .. } => Some("unmount it first".into()),
            Self::Umask { .. } => Some("run `umask 022` first".into()),
            Self::PythonNotFound { nearest, .. } => Some(match nearest {
                Some(nearest) => format!("closest match: {nearest}"),
                None => "choose one with --python, or add one to PATH".into(),
            }),
            Self::BaseInside { .. } => {
                Some("choose another Python with --python, or another directory".into())
            }
            Self::Request { .. } => {
                Some("--python takes a version, a name or a path; see --help".into())
            }
            Self::UnusablePython { .. } => Some("choose another Python with --python".into()),
            Self::NoPip { remedy, .. } => Some(format!(
                "{remedy}; or use --find-links with a directory that has a pip wheel; or use --without-pip"
            )),
            Self::OldPip { .. } => Some("use --upgrade-deps to upgrade pip first".into()),
            Self::Cache { .. } => Some("use --cache-dir with a writable directory".into()),
            Self::Io { source, .. } => io_hint(source),
            _ => None,
        }
    }

    /// Wraps an [`io::Error`] with what was done and to what.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }

    /// Whether something has run out that no other way of doing it would find more of.
    pub(crate) fn is_shortage(&self) -> bool {
        use io::ErrorKind::{
            FileTooLarge, QuotaExceeded, ReadOnlyFilesystem, StorageFull, WouldBlock,
        };
        matches!(
            self.io_kind(),
            Some(FileTooLarge | QuotaExceeded | ReadOnlyFilesystem | StorageFull | WouldBlock)
        )
    }

    /// Whether a limit of this process was reached, which is not the fault of the program that was to be started.
    pub(crate) fn is_limit(&self) -> bool {
        matches!(self, Self::Io { source, .. } if {
            let kind = source.kind();
            matches!(kind, io::ErrorKind::WouldBlock | io::ErrorKind::OutOfMemory)
                || is_out_of_files(source)
        })
    }

    /// The kind of the system's refusal, if it was one.
    pub(crate) fn io_kind(&self) -> Option<io::ErrorKind> {
        match self {
            Self::Io { source, .. } => Some(source.kind()),
            _ => None,
        }
    }
}

/// The operating system's number for the refusal that is the cause of an error.
pub(crate) fn errno(error: &(dyn std::error::Error + 'static)) -> Option<i32> {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let refusal = causes
        .filter_map(|error| error.downcast_ref::<io::Error>())
        .last()?;
    // fs_err has the number in its text only.
    refusal.raw_os_error().or_else(|| {
        let text = refusal.to_string();
        let (_, number) = text.rsplit_once(" (os error ")?;
        number.strip_suffix(')')?.parse().ok()
    })
}

fn io_hint(source: &io::Error) -> Option<String> {
    use io::ErrorKind::{
        AlreadyExists, FileTooLarge, InvalidFilename, IsADirectory, NotADirectory, NotFound,
        PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull, Unsupported, WouldBlock,
    };
    if is_out_of_files(source) {
        return Some("raise the limit of open files (`ulimit -n`)".into());
    }
    // ERROR_ACCESS_DENIED and ERROR_SHARING_VIOLATION: Windows neither replaces nor moves what a process uses.
    if cfg!(windows) && matches!(errno(source), Some(5 | 32)) {
        let hint = "stop the programs that run from there, or choose a writable directory";
        return Some(hint.into());
    }
    let hint = match source.kind() {
        PermissionDenied | ReadOnlyFilesystem => "choose a writable directory",
        StorageFull => "free some disk space or inodes",
        QuotaExceeded => "free some of your disk quota",
        FileTooLarge => "raise the file size limit (`ulimit -f`)",
        InvalidFilename => "choose a shorter path",
        Unsupported => "use --copies, or choose a directory on another file system",
        NotFound => "it was removed meanwhile: run the command again",
        AlreadyExists | IsADirectory => "remove the existing file or directory",
        NotADirectory => "a parent is not a directory: choose another directory",
        WouldBlock => "raise the limit of processes (`ulimit -u`)",
        _ => return None,
    };
    Some(hint.into())
}

/// EMFILE and ENFILE have no kind of their own; both numbers are the same on every Unix.
fn is_out_of_files(source: &io::Error) -> bool {
    cfg!(unix) && matches!(errno(source), Some(23 | 24))
}

/// Python's `repr` of a path, as CPython's messages quote it.
fn repr(path: &Path) -> String {
    crate::repr::repr(&path.to_string_lossy())
}

fn indented(output: &str) -> String {
    output
        .trim_end()
        .lines()
        .flat_map(|line| ["\n  ", line])
        .collect()
}
