//! Checks that scripts and `activate` name this environment, and not the place that it was moved from.

use std::path::{Path, PathBuf};

use fs_err as fs;

use super::{Environment, Kind};
use crate::installed::scripts::moved::{activates, stale};
use crate::sys::fs::text;

impl Environment {
    pub(super) fn look_at_scripts(&mut self) {
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
                // Not /usr/bin: nobody moves an environment away from there.
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
            self.found(kind, message, upgrade.clone());
        }
        let activate = self.bin.join("activate");
        match text(&activate) {
            Ok(text) if !text.trim().is_empty() => {
                if let Some(said) = activates(&self.bin, &self.env_dir) {
                    let message = format!(
                        "{} activates {} instead of this directory",
                        self.relative(&activate),
                        said.display()
                    );
                    self.found(Kind::Moved, message, upgrade);
                }
            }
            found => {
                let what = if found.is_ok() { "empty" } else { "missing" };
                let message = format!("{} is {what}", self.relative(&activate));
                let again = self.again();
                self.found(Kind::ActivateMissing, message, again);
            }
        }
    }
}
