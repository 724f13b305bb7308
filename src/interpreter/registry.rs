//! The Pythons in the Windows registry (PEP 514). There are none on other systems.

use std::path::PathBuf;

/// The registered executables, the newest of each company first.
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
        // PEP 514 reserves this name for the launcher.
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

/// There is no registry.
#[cfg(not(windows))]
pub(crate) fn executables() -> Vec<PathBuf> {
    Vec::new()
}
