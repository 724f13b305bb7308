//! What is installed in an environment, against what its RECORDs say.
//!
//! Knows `.dist-info` folders; how a RECORD is read and a file compared with it is `seed`'s business.

use std::path::PathBuf;

use super::{Environment, Kind, word};
use crate::interpreter::traits::Traits;
use crate::seed::installed::{self, Damage};

/// More names than this in one line nobody reads.
const SHOWN: usize = 3;

impl Environment {
    pub(super) fn look_at_packages(&mut self, upgrade: &str) {
        let Some(site_packages) = self.site_packages() else {
            let problem = "it has no site-packages of the version that made it";
            self.found(Kind::Pip, problem, upgrade);
            return;
        };
        let installed = installed::read(&site_packages);
        let has_pip = installed.iter().any(|one| one.name == "pip");
        let has_package = site_packages.join("pip").join("__init__.py").is_file();
        let was_wanted = self
            .value("command")
            .is_some_and(|command| !command.contains(" --without-pip"));
        let has_script = self.bin.join("pip").is_file();
        if has_pip != has_package {
            let problem = "pip is half-installed";
            self.found(Kind::Pip, problem, upgrade);
        } else if !has_pip && (was_wanted || has_script) {
            self.found(Kind::Pip, "pip is missing", upgrade);
        }
        for one in &installed {
            let name = &one.name;
            let damage = match one.damage(&site_packages) {
                Some(damage) if damage.is_none() => continue,
                // That has been said.
                _ if name == "pip" && !has_package => continue,
                Some(damage) => damage,
                None if name == "pip" => {
                    self.found(
                        Kind::Pip,
                        "pip is half-installed: it has no RECORD",
                        upgrade,
                    );
                    continue;
                }
                // Only installers that record what they install can be held to it.
                None => continue,
            };
            let version = &one.version_text;
            let problem = format!(
                "{name} {version} is not as it was installed: {}",
                say(&damage)
            );
            let remedy = if name == "pip" {
                upgrade.to_owned()
            } else {
                let python = word(&self.bin.join("python"));
                format!("{python} -m pip install --force-reinstall --no-deps {name}=={version}")
            };
            self.found(Kind::Record, problem, remedy);
        }
    }

    /// The folder of packages that the version in `pyvenv.cfg` has.
    fn site_packages(&self) -> Option<PathBuf> {
        if cfg!(windows) {
            let folder = self.env_dir.join("Lib").join("site-packages");
            return folder.is_dir().then_some(folder);
        }
        let [major, minor, _] = self.version()?;
        let folders = ["python", "pypy"]
            .into_iter()
            .flat_map(|word| ["", "t"].map(|t| format!("lib/{word}{major}.{minor}{t}")));
        folders
            .map(|folder| self.env_dir.join(folder).join("site-packages"))
            .find(|folder| folder.is_dir())
    }

    /// The folder of packages that a Python would have here.
    pub(super) fn site_packages_of(&self, traits: &Traits) -> PathBuf {
        let lib = if cfg!(windows) {
            "Lib".to_owned()
        } else {
            traits.library()
        };
        self.env_dir.join(lib).join("site-packages")
    }
}

fn say(damage: &Damage) -> String {
    let some = |paths: &[String]| {
        let names = paths.iter().take(SHOWN).cloned();
        let more = paths.len().saturating_sub(SHOWN);
        let more = (more > 0).then(|| format!("{more} more"));
        names.chain(more).collect::<Vec<_>>().join(", ")
    };
    match (damage.missing.as_slice(), damage.altered.as_slice()) {
        (missing, []) => format!("{} missing", some(missing)),
        ([], altered) => format!("{} altered", some(altered)),
        (missing, altered) => format!("{} missing, {} altered", some(missing), some(altered)),
    }
}
