//! The names and paths of an environment, as CPython names them, computed without accessing the file system.
//!
//! These are the final absolute paths, which scripts and `pyvenv.cfg` contain. Files are written relative to the stage.

use std::path::Path;

use crate::error::Error;
use crate::interpreter::Interpreter;
use crate::interpreter::platform::Platform;
use crate::options::Options;

/// The names and paths of an environment, which CPython passes to `EnvBuilder`'s hooks.
///
/// All paths are absolute and UTF-8, since `pyvenv.cfg` and the scripts contain them.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Context {
    /// The environment's directory, normalized as by `os.path.abspath`.
    pub env_dir: String,
    /// Its last component.
    pub env_name: String,
    /// The prompt without parentheses: `--prompt`, or `env_name`.
    pub prompt: String,
    /// The base executable that `env_exe` links to.
    pub executable: String,
    /// The directory of `executable`: `home` in `pyvenv.cfg`.
    pub python_dir: String,
    /// The file name of `executable` as invoked.
    pub python_exe: String,
    /// The directory for headers.
    pub inc_path: String,
    /// `site-packages`.
    pub lib_path: String,
    /// The directory of executables.
    pub bin_path: String,
    /// The name of `bin_path`: `bin` or `Scripts`.
    pub bin_name: String,
    /// The environment's interpreter.
    pub env_exe: String,
    /// `pyvenv.cfg`.
    pub cfg_path: String,
    /// Whether its files are not to contain `env_dir`.
    pub(crate) relocatable: bool,
}

impl Context {
    /// Computes the context of `env_dir` for a base Python (`venv/__init__.py`, `ensure_directories`).
    ///
    /// # Errors
    ///
    /// [`Error::NotUtf8`]; [`Error::PathSeparator`] for a base of 3.11 or later, as in CPython.
    pub(crate) fn new(
        env_dir: &Path,
        interpreter: &Interpreter,
        options: &Options,
        cwd: Option<&Path>,
    ) -> Result<Self, Error> {
        let platform = interpreter.platform;
        let env_dir = utf8(env_dir)?;
        let separator = platform.path_separator();
        if interpreter.at_least(3, 11) && env_dir.contains(separator) {
            return Err(Error::PathSeparator {
                path: env_dir.into(),
                separator,
            });
        }
        let is_separator =
            |character| character == '/' || (platform == Platform::Windows && character == '\\');
        let env_name = env_dir
            .rsplit(is_separator)
            .next()
            .unwrap_or_default()
            .to_owned();
        let executable = interpreter.base_executable.clone();
        let (python_dir, python_exe) = split(&executable, is_separator);
        let env_python = if platform == Platform::Windows && interpreter.at_least(3, 13) {
            // "Always create the simplest name": a launcher finds the base in pyvenv.cfg, not by its own name.
            Platform::simplest_name(python_exe)
        } else {
            python_exe
        };
        let bin_name = platform.bin_name().to_owned();
        let bin_path = platform.join(&env_dir, &bin_name);
        Ok(Self {
            prompt: prompt(options, interpreter, cwd).unwrap_or_else(|| env_name.clone()),
            inc_path: platform.join(&env_dir, &interpreter.scheme.include),
            lib_path: platform.join(&env_dir, &interpreter.scheme.purelib),
            env_exe: platform.join(&bin_path, env_python),
            cfg_path: platform.join(&env_dir, "pyvenv.cfg"),
            python_dir: python_dir.to_owned(),
            python_exe: python_exe.to_owned(),
            executable,
            env_dir,
            env_name,
            bin_path,
            bin_name,
            relocatable: options.relocatable,
        })
    }
}

/// `--prompt`; since 3.9 `.` is the name of the current directory (bpo-38901).
fn prompt(options: &Options, interpreter: &Interpreter, cwd: Option<&Path>) -> Option<String> {
    match options.prompt.as_deref() {
        Some(".") if interpreter.at_least(3, 9) => Some(
            cwd.and_then(Path::file_name)
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default(),
        ),
        given => given.map(str::to_owned),
    }
}

/// Splits off the last component. The root keeps its separator.
fn split(path: &str, is_separator: impl Fn(char) -> bool) -> (&str, &str) {
    match path.rfind(is_separator) {
        Some(0) => path.split_at(1),
        Some(at) => (&path[..at], &path[at + 1..]),
        None => ("", path),
    }
}

/// The path as text: every file that contains it is UTF-8.
fn utf8(path: &Path) -> Result<String, Error> {
    path.to_str()
        .map(str::to_owned)
        .ok_or_else(|| Error::NotUtf8 { path: path.into() })
}
