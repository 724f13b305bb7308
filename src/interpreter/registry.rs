//! The Pythons in the registry of Windows (PEP 514). Elsewhere there are none.

use std::path::PathBuf;

/// The executables that are registered, of each company the newest first.
#[cfg(windows)]
pub(crate) fn executables() -> Vec<PathBuf> {
    use windows_registry::{CURRENT_USER, Key, LOCAL_MACHINE};

    let names = |key: &Key| -> Vec<String> {
        let mut names: Vec<_> = key.keys().into_iter().flatten().collect();
        names.sort_by_cached_key(|name| crate::interpreter::version_folders::numbers(name));
        names.reverse();
        names
    };
    let roots = [
        (CURRENT_USER, r"Software\Python"),
        (LOCAL_MACHINE, r"Software\Python"),
        (LOCAL_MACHINE, r"Software\WOW6432Node\Python"),
    ];
    let mut found = Vec::new();
    for (root, path) in roots {
        let Ok(companies) = root.open(path) else {
            continue;
        };
        // PEP 514 reserves this one for the launcher.
        for company in names(&companies)
            .iter()
            .filter(|name| *name != "PyLauncher")
        {
            let Ok(tags) = companies.open(company) else {
                continue;
            };
            for tag in names(&tags) {
                let Ok(installed) = tags.open(format!(r"{tag}\InstallPath")) else {
                    continue;
                };
                let executable = installed.get_string("ExecutablePath").map(PathBuf::from);
                let folder = installed.get_string("").map(PathBuf::from);
                found
                    .extend(executable.or_else(|_| folder.map(|folder| folder.join("python.exe"))));
            }
        }
    }
    found
}

/// There is none.
#[cfg(not(windows))]
pub(crate) fn executables() -> Vec<PathBuf> {
    Vec::new()
}
