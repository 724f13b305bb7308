//! Errors, with their messages and hints.
//!
//! CPython's message is used if it has one for the same condition.

use std::ffi::OsString;
use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};

use crate::repr::shell_word;

/// Why `--clear` refuses a directory that is not an environment.
pub(crate) const NOT_AN_ENVIRONMENT: &str =
    "it is not empty and has no pyvenv.cfg, so it is not a virtual environment";

/// Why no environment was created. Nothing is left behind if one of these is returned.
///
/// ```
/// use rvenv::{EnvBuilder, Error, Obstacle, Options};
///
/// let file = tempfile::NamedTempFile::new()?;
/// let error = EnvBuilder::new(&Options::new()).create(&file).unwrap_err();
/// assert!(matches!(error, Error::UnableToCreateDirectory { obstacle: Obstacle::File, .. }));
/// assert_eq!(error.kind(), "unable_to_create_directory");
/// assert_eq!(error.path(), Some(file.path()));
/// eprintln!("{error}; {}", error.hint().unwrap_or_default());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or a symlink exists where a directory is needed (`venv/__init__.py`, `ensure_directories`).
    #[error("Unable to create directory {}", repr(path))]
    UnableToCreateDirectory {
        /// The existing file.
        path: PathBuf,
        /// What kind of file it is.
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
        /// The path.
        path: PathBuf,
    },
    /// `--clear` would delete a directory that is not an environment.
    #[error("refusing to clear {}: {reason}", repr(path))]
    RefusingToClear {
        /// The absolute path of the environment.
        path: PathBuf,
        /// Why it is not deleted.
        reason: &'static str,
    },
    /// The directory is a Python installation.
    #[error(
        "refusing to change {}, which is a Python installation: {reason}",
        repr(path)
    )]
    Installation {
        /// The absolute path of the environment.
        path: PathBuf,
        /// How it was recognized.
        reason: String,
    },
    /// A file system is mounted inside the environment.
    #[error("refusing to clear {}: {} is a mount point", repr(path), repr(mount))]
    MountBelow {
        /// The absolute path of the environment.
        path: PathBuf,
        /// The mount point.
        mount: PathBuf,
    },
    /// With this umask, the owner could not use the environment.
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
    /// No Python matches the request.
    #[error("no Python found for {request}: {searched}")]
    PythonNotFound {
        /// The request.
        request: String,
        /// Where it was searched for and what was found there.
        searched: String,
        /// The closest match: its version and its executable.
        closest: Option<(String, PathBuf)>,
    },
    /// The base Python is inside the environment.
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
    /// What was to be copied is not an environment.
    #[error("{} is not a virtual environment: {reason}", repr(path))]
    NotAnEnvironment {
        /// The absolute path of what was to be copied.
        path: PathBuf,
        /// What tells that it is none.
        reason: &'static str,
    },
    /// The Python that an environment was created with is not there.
    #[error(
        "the base Python of {} does not exist or is another version: {}",
        repr(path),
        repr(base)
    )]
    BaseGone {
        /// The absolute path of the environment.
        path: PathBuf,
        /// Where the base was.
        base: PathBuf,
    },
    /// A copy would be in what is copied, or the reverse.
    #[error("cannot copy {} to {}: {reason}", repr(source_dir), repr(path))]
    Overlap {
        /// The absolute path of the environment.
        path: PathBuf,
        /// The absolute path of the environment that was to be copied.
        source_dir: PathBuf,
        /// Which is in which.
        reason: &'static str,
    },
    /// A directory that was to become a copy holds something.
    #[error("the directory {} is not empty", repr(path))]
    NotEmpty {
        /// The absolute path of the environment.
        path: PathBuf,
    },
    /// A socket, a FIFO or a device cannot be copied.
    #[error("could not copy {}: it is a {what}", repr(path))]
    SpecialFile {
        /// The absolute path of the file.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// The value of `--python` is not valid.
    #[error("{reason}")]
    Request {
        /// The value and what is wrong with it.
        reason: String,
    },
    /// An executable was found, but it is not a usable Python.
    #[error("{} cannot be used as the base Python: {reason}", repr(path))]
    UnusablePython {
        /// The executable, as it was invoked.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A program failed.
    #[error("{program} failed with {status}{}", indented(output))]
    Command {
        /// The command line.
        program: String,
        /// Its exit status.
        status: String,
        /// Its output.
        output: String,
    },
    /// pip cannot be installed.
    #[error("pip cannot be installed into {}: {reason}", repr(path))]
    NoPip {
        /// The absolute path of the environment.
        path: PathBuf,
        /// What was tried.
        reason: String,
        /// The command or package that provides it.
        remedy: String,
    },
    /// The environment's pip is too old for an option.
    #[error("pip {version} does not support {option}: it needs pip {needed} or later")]
    OldPip {
        /// Its version.
        version: String,
        /// The option.
        option: String,
        /// The first version that supports it.
        needed: &'static str,
    },
    /// The cache cannot be filled.
    #[error("could not fill the cache {}: {reason}", repr(path))]
    Cache {
        /// The cache directory.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// A wheel is not valid.
    #[error("the wheel {} cannot be installed: {reason}", repr(path))]
    Wheel {
        /// The wheel file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// An image in the cache is truncated, modified or has another format.
    #[error("the image {} is damaged: {reason}", repr(path))]
    DamagedImage {
        /// The image file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// An operation failed.
    #[error("could not {action} {}", repr(path))]
    Io {
        /// The operation, such as `create directory`.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A requirements or constraints file cannot be read.
    #[error("could not open requirements file {}", repr(path))]
    RequirementsFile {
        /// The file as given.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The run was interrupted by a signal.
    #[error("interrupted by signal {signal}")]
    Interrupted {
        /// The signal's number.
        signal: i32,
    },
    /// The caller's `post_setup` failed.
    #[error("post_setup failed for {}", repr(path))]
    PostSetup {
        /// The absolute path of the environment.
        path: PathBuf,
        /// The caller's error.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// What exists in place of a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obstacle {
    /// A regular file.
    File,
    /// A symlink to anything.
    Symlink,
    /// A device, a socket or a pipe.
    Other,
}

impl Error {
    /// The error for an existing `path` that is not a directory.
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

    /// The name of the kind of error in `--json`.
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
            Self::NotAnEnvironment { .. } => "not_an_environment",
            Self::BaseGone { .. } => "base_gone",
            Self::Overlap { .. } => "overlap",
            Self::NotEmpty { .. } => "not_empty",
            Self::SpecialFile { .. } => "special_file",
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
            Self::RequirementsFile { .. } => "requirements_file",
            Self::Interrupted { .. } => "interrupted",
            Self::PostSetup { .. } => "post_setup",
            Self::OldPip { .. } => "old_pip",
        }
    }

    /// The file, directory or program that the error is about.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::UnableToCreateDirectory { path, .. }
            | Self::PathSeparator { path, .. }
            | Self::NotUtf8 { path }
            | Self::RefusingToClear { path, .. }
            | Self::Installation { path, .. }
            | Self::BaseInside { path, .. }
            | Self::MountBelow { mount: path, .. }
            | Self::NotAnEnvironment { path, .. }
            | Self::BaseGone { path, .. }
            | Self::Overlap { path, .. }
            | Self::NotEmpty { path }
            | Self::SpecialFile { path, .. }
            | Self::Umask { path, .. }
            | Self::UnusablePython { path, .. }
            | Self::NoPip { path, .. }
            | Self::Cache { path, .. }
            | Self::Wheel { path, .. }
            | Self::DamagedImage { path, .. }
            | Self::Io { path, .. }
            | Self::RequirementsFile { path, .. }
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

    /// What the user can do about it, if known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::UnableToCreateDirectory { path, obstacle } => {
                let what = match obstacle {
                    Obstacle::Symlink => "it is a symlink",
                    Obstacle::File => "it is a file",
                    Obstacle::Other => "it is not a directory",
                };
                let command = with_command("rm", path);
                Some(format!(
                    "{what}: remove it{command}, or choose another directory"
                ))
            }
            Self::PathSeparator { .. } | Self::NotUtf8 { .. } => {
                Some("choose a directory with a different name".into())
            }
            Self::RefusingToClear { .. } => {
                Some("choose another directory, or use --force to delete its contents".into())
            }
            Self::Installation { .. } | Self::Overlap { .. } => {
                Some("choose another directory".into())
            }
            Self::MountBelow { mount, .. } => {
                let command = with_command("umount", mount);
                Some(format!("unmount it first{command}"))
            }
            Self::Umask { .. } => Some("run `umask 022` first".into()),
            Self::PythonNotFound { closest, .. } => Some(match closest {
                Some((version, path)) => format!("closest match: {version} at {}", path.display()),
                None => "add a Python to PATH, or choose another one with --python".into(),
            }),
            Self::BaseInside { .. } => {
                Some("choose another Python with --python, or another directory".into())
            }
            Self::NotAnEnvironment { .. } => Some(
                "--clone takes the directory of an environment, the one with pyvenv.cfg".into(),
            ),
            Self::BaseGone { path, .. } => {
                let command = with_command("rvenv --upgrade", path);
                Some(format!("repair the environment first{command}"))
            }
            Self::NotEmpty { .. } => {
                Some("choose another directory, or use --clear to delete its contents".into())
            }
            Self::SpecialFile { .. } => Some("remove it from the environment".into()),
            Self::Request { .. } => {
                Some("--python takes a version, a name or a path; see --help".into())
            }
            Self::UnusablePython { .. } => Some("choose another Python with --python".into()),
            Self::NoPip { remedy, .. } => Some(format!(
                "{remedy}; or use --find-links with a directory that contains a pip wheel; or use --without-pip"
            )),
            Self::OldPip { option, .. } => Some(if is_for_packages_only(option) {
                "use --upgrade-deps to upgrade pip first".into()
            } else {
                format!("use --upgrade-deps without {option} to upgrade pip first")
            }),
            Self::Cache { .. } => Some("use --cache-dir with a writable directory".into()),
            Self::Io {
                action,
                source,
                path,
            } if *action == "read" && source.kind() == io::ErrorKind::PermissionDenied => {
                let command = with_command("chmod u+r", path);
                Some(format!("make it readable{command}"))
            }
            Self::Io { source, path, .. } => io_hint(source, path),
            Self::RequirementsFile { source, path } => match source.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
                    Some("check the path: it is relative to the current directory".into())
                }
                io::ErrorKind::IsADirectory => Some("it is a directory: use a file".into()),
                io::ErrorKind::PermissionDenied => {
                    let command = with_command("chmod u+r", path);
                    Some(format!("make it readable{command}"))
                }
                _ => io_hint(source, path),
            },
            _ => None,
        }
    }

    /// The options that make the same command succeed, if there are any.
    pub(crate) fn options(&self) -> Vec<OsString> {
        match self {
            Self::RefusingToClear { reason, .. } if *reason == NOT_AN_ENVIRONMENT => {
                vec!["--force".into()]
            }
            Self::PythonNotFound {
                closest: Some((_, path)),
                ..
            } => vec!["-p".into(), path.into()],
            Self::NoPip { .. } => vec!["--without-pip".into()],
            Self::OldPip { option, .. } if is_for_packages_only(option) => {
                vec!["--upgrade-deps".into()]
            }
            Self::Io { source, .. } if source.kind() == io::ErrorKind::Unsupported => {
                vec!["--copies".into()]
            }
            _ => Vec::new(),
        }
    }

    /// Adds the operation and the path to an [`io::Error`].
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io {
            action,
            source: without_path(source, &path),
            path,
        }
    }

    /// Adds the path to an [`io::Error`] about a requirements file.
    pub(crate) fn requirements_file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::RequirementsFile {
            source: without_path(source, &path),
            path,
        }
    }

    /// Whether a resource is exhausted, so that another method would fail as well.
    pub(crate) fn is_shortage(&self) -> bool {
        use io::ErrorKind::{
            FileTooLarge, QuotaExceeded, ReadOnlyFilesystem, StorageFull, WouldBlock,
        };
        matches!(
            self.io_kind(),
            Some(FileTooLarge | QuotaExceeded | ReadOnlyFilesystem | StorageFull | WouldBlock)
        )
    }

    /// Whether a limit of this process was reached, so that the program that was to be started is not at fault.
    pub(crate) fn is_limit(&self) -> bool {
        matches!(self, Self::Io { source, .. } if {
            let kind = source.kind();
            matches!(kind, io::ErrorKind::WouldBlock | io::ErrorKind::OutOfMemory)
                || is_out_of_files(source)
        })
    }

    /// The kind of the system's error, if it is one.
    pub(crate) fn io_kind(&self) -> Option<io::ErrorKind> {
        match self {
            Self::Io { source, .. } => Some(source.kind()),
            _ => None,
        }
    }
}

/// The system's error number of the root cause.
pub(crate) fn errno(error: &(dyn std::error::Error + 'static)) -> Option<i32> {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let refusal = causes
        .filter_map(|error| error.downcast_ref::<io::Error>())
        .last()?;
    // fs_err has the number only in its message.
    refusal.raw_os_error().or_else(|| {
        let text = refusal.to_string();
        let (_, number) = text.rsplit_once(" (os error ")?;
        number.strip_suffix(')')?.parse().ok()
    })
}

/// Removes the path from the message of an error, as `fs_err` adds one and ours names it already.
fn without_path(source: io::Error, path: &Path) -> io::Error {
    let names_it = || {
        source
            .to_string()
            .contains(&format!("`{}`", path.display()))
    };
    match errno(&source) {
        Some(number) if source.raw_os_error().is_none() && names_it() => {
            io::Error::from_raw_os_error(number)
        }
        _ => source,
    }
}

/// Whether an option is passed to pip only for the packages, and not when pip upgrades itself.
fn is_for_packages_only(option: &str) -> bool {
    matches!(option, "--group" | "pylock.toml")
}

fn io_hint(source: &io::Error, path: &Path) -> Option<String> {
    use io::ErrorKind::{
        AlreadyExists, FileTooLarge, InvalidFilename, IsADirectory, NotADirectory, NotFound,
        PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull, Unsupported, WouldBlock,
    };
    if is_out_of_files(source) {
        return Some("raise the limit of open files with `ulimit -n 1024`".into());
    }
    // ERROR_ACCESS_DENIED and ERROR_SHARING_VIOLATION: Windows neither replaces nor moves files that are in use.
    if cfg!(windows) && matches!(errno(source), Some(5 | 32)) {
        let hint = "stop the programs that run from there, or choose a writable directory";
        return Some(hint.into());
    }
    let hint = match source.kind() {
        PermissionDenied | ReadOnlyFilesystem => "choose a writable directory",
        StorageFull => "free some disk space or inodes",
        QuotaExceeded => "free some of your disk quota",
        FileTooLarge => "raise the file size limit with `ulimit -f unlimited`",
        InvalidFilename => "choose a shorter path",
        Unsupported => "choose a directory on another file system, or use --copies",
        NotFound => "it was removed in the meantime: run the command again",
        AlreadyExists => "remove the existing file or directory",
        IsADirectory => {
            let command = with_command("rm -r", path);
            return Some(format!("it is a directory: remove it{command}"));
        }
        NotADirectory => "a parent is not a directory: choose another directory",
        WouldBlock => "raise the limit of processes with `ulimit -u 4096`",
        _ => return None,
    };
    Some(hint.into())
}

/// A shell command for `path`; empty if it cannot be pasted.
fn with_command(program: &str, path: &Path) -> String {
    match path.to_str() {
        Some(path) if !cfg!(windows) && !path.contains(char::is_control) => {
            format!(" with `{program} {}`", shell_word(path))
        }
        _ => String::new(),
    }
}

/// EMFILE and ENFILE have no `ErrorKind`. Both numbers are the same on every Unix.
fn is_out_of_files(source: &io::Error) -> bool {
    cfg!(unix) && matches!(errno(source), Some(23 | 24))
}

/// Python's `repr` of a path, as in CPython's messages.
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
