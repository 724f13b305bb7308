//! Where Pythons are installed besides PATH: the directories of pyenv, uv, Homebrew and others, in order.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::interpreter::version_folders;
use crate::sys::env::Env;

/// Who put a Python where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// It is named in the request.
    Request,
    Path,
    Pyenv,
    Asdf,
    Mise,
    Uv,
    Conda,
    Homebrew,
    Framework,
    Opt,
    UsrLocal,
    Registry,
    Store,
}

/// A directory in which a tool installs Pythons.
#[derive(Debug)]
pub(crate) struct Location {
    pub(crate) source: Source,
    pub(crate) root: PathBuf,
    /// Relative to `root`, with `*` for all names in a directory: `versions/*/bin`.
    pattern: &'static str,
}

impl Location {
    /// The directories that may contain executables, the newest version first.
    pub(crate) fn folders(&self) -> Vec<PathBuf> {
        let mut folders = vec![self.root.clone()];
        for part in self.pattern.split('/') {
            folders = match part.split_once('*') {
                // On Windows the executables are in the directory of the installation.
                None if part == "bin" && cfg!(windows) => folders,
                None => folders.iter().map(|folder| folder.join(part)).collect(),
                Some((prefix, _)) => folders
                    .iter()
                    .flat_map(|folder| {
                        let mut names = version_folders::newest_first(folder);
                        names.retain(|name| name.starts_with(prefix));
                        names.into_iter().map(|name| folder.join(name))
                    })
                    .collect(),
            };
        }
        folders
    }
}

/// Every place, in search order.
pub(crate) fn all(environment: &Env) -> Vec<Location> {
    let mut places = Vec::new();
    let mut add = |source, root: Option<PathBuf>, pattern| {
        if let Some(root) = root.filter(|root| root.is_absolute()) {
            places.push(Location {
                source,
                root,
                pattern,
            });
        }
    };
    let variable = |name: &str| environment.var(name).map(PathBuf::from);
    let home = |below: &str| environment.home().map(|home| home.join(below));
    let data = || variable("XDG_DATA_HOME").or_else(|| home(".local/share"));

    let pyenv = variable("PYENV_ROOT").or_else(|| home(".pyenv"));
    add(Source::Pyenv, pyenv, "versions/*/bin");
    if cfg!(windows) {
        add(Source::Pyenv, home(".pyenv/pyenv-win"), "versions/*");
    }
    let asdf = variable("ASDF_DATA_DIR").or_else(|| home(".asdf"));
    add(Source::Asdf, asdf, "installs/python/*/bin");
    let mise = variable("MISE_DATA_DIR").or_else(|| data().map(|data| data.join("mise")));
    add(Source::Mise, mise, "installs/python/*/bin");
    let uv = variable("UV_PYTHON_INSTALL_DIR").or_else(|| {
        let data = if cfg!(windows) {
            variable("APPDATA")
        } else {
            data()
        };
        data.map(|data| data.join("uv").join("python"))
    });
    add(Source::Uv, uv, "*/bin");

    for conda in conda_installations(environment) {
        add(Source::Conda, Some(conda.clone()), "bin");
        add(Source::Conda, Some(conda), "envs/*/bin");
    }
    if cfg!(windows) {
        let store = variable("LOCALAPPDATA").map(|data| data.join(r"Microsoft\WindowsApps"));
        add(Source::Store, store, "PythonSoftwareFoundation.Python.*");
    }
    let homebrew = variable("HOMEBREW_PREFIX");
    let default = ["/opt/homebrew", "/home/linuxbrew/.linuxbrew", "/usr/local"].map(PathBuf::from);
    if !cfg!(windows) {
        for prefix in homebrew.into_iter().chain(default) {
            add(Source::Homebrew, Some(prefix), "opt/python@*/bin");
        }
        for library in [Some("/".into()), home("")] {
            let frameworks = library.map(|library: PathBuf| library.join("Library/Frameworks"));
            for name in [
                "Python.framework/Versions/*/bin",
                "PythonT.framework/Versions/*/bin",
            ] {
                add(Source::Framework, frameworks.clone(), name);
            }
        }
        for pattern in ["*/bin", "python/*/bin", "hostedtoolcache/Python/*/*/bin"] {
            add(Source::Opt, Some("/opt".into()), pattern);
        }
        add(Source::UsrLocal, Some("/usr/local".into()), "bin");
        add(Source::UsrLocal, Some("/usr/local".into()), "python*/bin");
    }
    places
}

/// The active environment, the base of the running conda, the environments that it knows, and the default directories
/// of its installers.
fn conda_installations(environment: &Env) -> Vec<PathBuf> {
    let home = environment.home();
    let mut found: Vec<PathBuf> = Vec::new();
    let mut add = |folder: PathBuf| {
        if !found.contains(&folder) {
            found.push(folder);
        }
    };
    for name in ["CONDA_PREFIX", "CONDA_ROOT", "MAMBA_ROOT_PREFIX"] {
        environment.var(name).map(PathBuf::from).map(&mut add);
    }
    for name in ["CONDA_EXE", "MAMBA_EXE"] {
        let executable = environment.var(name).map(Path::new);
        let base = executable.and_then(|path| path.parent()?.parent());
        base.map(Path::to_path_buf).map(&mut add);
    }
    if let Some(home) = &home {
        let noted = fs_err::read_to_string(home.join(".conda").join("environments.txt"));
        let noted = noted.unwrap_or_default();
        noted.lines().map(PathBuf::from).for_each(&mut add);
    }
    let names = [
        "miniconda3",
        "anaconda3",
        "miniforge3",
        "mambaforge",
        "micromamba",
    ];
    for name in names {
        home.iter().map(|home| home.join(name)).for_each(&mut add);
    }
    add("/opt/conda".into());
    found
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Request => "-p",
            Self::Path => "PATH",
            Self::Pyenv => "pyenv",
            Self::Asdf => "asdf",
            Self::Mise => "mise",
            Self::Uv => "uv",
            Self::Conda => "conda",
            Self::Homebrew => "Homebrew",
            Self::Framework => "framework",
            Self::Opt => "/opt",
            Self::UsrLocal => "/usr/local",
            Self::Registry => "registry",
            Self::Store => "Store",
        })
    }
}
