//! Checks that scripts and `activate` contain the path of this environment, not one that it was moved from.

use std::path::{Path, PathBuf};

use fs_err as fs;

use super::{Environment, Kind};
use crate::installed::scripts::moved::{activates, is_stale, scripts, stale};
use crate::sys::fs::text;
use crate::venv::pyvenv_cfg::RELOCATABLE;

impl Environment {
    pub(super) fn check_scripts(&mut self) {
        let stale = stale(&self.bin);
        let mut places: Vec<PathBuf> = Vec::new();
        for script in &stale {
            let place = script.interpreter.parent().map(Path::to_path_buf);
            if let Some(place) = place.filter(|place| !places.contains(place)) {
                places.push(place);
            }
        }
        let upgrade = self.upgrade();
        for folder in places {
            let names: Vec<_> = stale
                .iter()
                .filter(|script| script.interpreter.parent() == Some(&folder))
                .map(|script| script.name.as_str())
                .collect();
            let names = names.join(", ");
            let is_here = fs::canonicalize(&folder).ok() == fs::canonicalize(&self.bin).ok();
            let place = folder
                .parent()
                .filter(|_| folder.file_name() == self.bin.file_name());
            let (kind, message) = match place {
                _ if is_here => (
                    Kind::ScriptBroken,
                    format!("the scripts {names} are started by a Python that is not in bin"),
                ),
                // Not /usr/bin: no environment is moved from there.
                Some(place) if place.parent().is_some() => (
                    Kind::Moved,
                    format!(
                        "the environment was moved from {}: the scripts {names} still start the Python there",
                        place.display()
                    ),
                ),
                _ => (
                    Kind::ScriptBroken,
                    format!(
                        "the scripts {names} are started by a Python in {}, which does not exist",
                        folder.display()
                    ),
                ),
            };
            self.report(kind, message, upgrade.clone());
        }
        let activate = self.bin.join("activate");
        match text(&activate) {
            Ok(text) if !text.trim().is_empty() => {
                if let Some(other) = activates(&self.bin, &self.env_dir) {
                    let message = format!(
                        "{} activates {} instead of this directory",
                        self.relative(&activate),
                        other.display()
                    );
                    self.report(Kind::Moved, message, upgrade);
                }
            }
            found => {
                let what = if found.is_ok() { "empty" } else { "missing" };
                let message = format!("{} is {what}", self.relative(&activate));
                let again = self.recreate();
                self.report(Kind::ActivateMissing, message, again);
            }
        }
    }

    /// Whether a relocatable environment still is relocatable: packages that are installed later contain its path.
    pub(super) fn check_relocatability(&mut self) {
        if self.value(RELOCATABLE) != Some("true") {
            return;
        }
        let is_here = |interpreter: &Path| !is_stale(interpreter, &self.bin);
        let is_own = |interpreter: &Path| {
            let folder = interpreter.parent().map(fs::canonicalize);
            folder.is_some_and(|folder| folder.ok() == fs::canonicalize(&self.bin).ok())
        };
        let mut names: Vec<_> = scripts(&self.bin)
            .filter(|(_, interpreter)| is_here(interpreter) && is_own(interpreter))
            .map(|(name, _)| self.relative(&self.bin.join(name)))
            .collect();
        names.extend(self.absolute_pth());
        names.sort();
        if !names.is_empty() {
            let message = format!(
                "it is not relocatable any more: its path is in {}",
                names.join(", ")
            );
            let upgrade = self.upgrade();
            self.report(Kind::NotRelocatable, message, upgrade);
        }
    }

    /// The `.pth` files with the path of a folder in the environment.
    fn absolute_pth(&self) -> Vec<String> {
        let folder = self.site_packages();
        let entries = folder
            .into_iter()
            .flat_map(fs::read_dir)
            .flatten()
            .flatten();
        let paths = entries.map(|entry| entry.path());
        let names_it = |path: &PathBuf| {
            let text = text(path).unwrap_or_default();
            text.lines()
                .any(|line| Path::new(line.trim_end()).starts_with(&self.env_dir))
        };
        paths
            .filter(|path| path.extension().is_some_and(|it| it == "pth"))
            .filter(names_it)
            .map(|path| self.relative(&path))
            .collect()
    }
}
