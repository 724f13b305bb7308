//! Checks installed packages against their `RECORD`.

use std::path::Path;

use fs_err as fs;

use super::remedy::{remove, word};
use super::{Environment, Kind, Maker};
use crate::error::Error;
use crate::installed::distributions;
use crate::installed::distributions::{Damage, Installed};
use crate::interpreter::discovery::Discovery;
use crate::sys::fs::text;

/// The maximum number of names in one message.
const MAX_NAMES: usize = 3;

impl Environment {
    /// Whether the environment was created with pip; if that is unknown, whether pip is installed.
    pub(super) fn was_created_with_pip(&self) -> bool {
        let flags = self.flags();
        if self
            .value("command")
            .is_some_and(|it| it.contains(" -m venv "))
        {
            return !flags.contains(&"--without-pip");
        }
        let site_packages = self.site_packages();
        let has_pip =
            site_packages.is_some_and(|folder| distributions::find(&folder, "pip").is_some());
        has_pip || self.bin.join("pip").is_file()
    }

    pub(super) fn check_packages(&mut self, discovery: &Discovery<'_>) -> Result<(), Error> {
        let upgrade = self.upgrade();
        let Some(site_packages) = self.site_packages() else {
            let message = "it has no site-packages directory for the version that created it";
            self.report(Kind::FolderMissing, message, upgrade);
            return Ok(());
        };
        let installed = distributions::read(&site_packages);
        let has_package = site_packages.join("pip").join("__init__.py").is_file();
        let has_pip = installed.iter().any(|one| one.name == "pip");
        if has_pip && !has_package {
            let pip = installed.iter().filter(|one| one.name == "pip");
            let folders: Vec<_> = pip.map(|one| site_packages.join(&one.dist_info)).collect();
            let folders: Vec<_> = folders.iter().map(AsRef::as_ref).collect();
            let remedy = remove(&folders).zip(upgrade.as_ref());
            let remedy = remedy.map(|(remove, upgrade)| format!("{remove} && {upgrade}"));
            self.report(Kind::PipIncomplete, "pip is only partly installed", remedy);
        } else if has_package && !has_pip {
            self.report(Kind::PipIncomplete, "pip is only partly installed", upgrade);
        } else if !has_pip && self.wants_pip {
            self.report(Kind::PipMissing, "pip is missing", upgrade);
        }
        let mut done: Vec<&str> = Vec::new();
        for one in &installed {
            if done.contains(&one.name.as_str()) {
                continue;
            }
            done.push(&one.name);
            let all: Vec<_> = installed.iter().filter(|it| it.name == one.name).collect();
            // Already reported.
            if one.name == "pip" && !has_package {
                continue;
            }
            if all.len() > 1 {
                self.check_duplicates(&all, &site_packages, discovery)?;
            } else {
                self.check_package(one, &site_packages, discovery)?;
            }
        }
        self.check_pth(&site_packages);
        Ok(())
    }

    fn check_package(
        &mut self,
        one: &Installed,
        site_packages: &Path,
        discovery: &Discovery<'_>,
    ) -> Result<(), Error> {
        let (name, version) = (&one.name, &one.version_text);
        let damage = one.damage(site_packages, discovery.interrupt)?;
        let (kind, message) = match &damage {
            Some(damage) if damage.is_none() => return Ok(()),
            None => (
                Kind::RecordMissing,
                format!("{name} {version} has no RECORD"),
            ),
            Some(damage) if damage.missing.is_empty() && damage.altered.is_empty() => (
                Kind::NotExecutable,
                format!("{name} {version}: {}", damage_message(damage)),
            ),
            Some(damage) => (
                Kind::Modified,
                format!(
                    "{name} {version} has modified files: {}",
                    damage_message(damage)
                ),
            ),
        };
        let remedy = match damage {
            Some(damage) if kind == Kind::NotExecutable => {
                let paths = damage.not_executable.iter();
                let paths = paths.map(|it| self.bin.join(it.rsplit('/').next().unwrap_or(it)));
                let words: Option<Vec<_>> = paths.map(|path| path.to_str().map(word)).collect();
                words.map(|words| format!("chmod +x {}", words.join(" ")))
            }
            _ if name == "pip" => self.repair_pip(one, site_packages),
            damage => self.reinstall(one, site_packages, damage.is_none()),
        };
        self.report(kind, message, remedy);
        Ok(())
    }

    /// A pip that is newer than the bundled one is deleted first, since an upgrade never replaces a newer one.
    fn repair_pip(&self, pip: &Installed, site_packages: &Path) -> Option<String> {
        let upgrade = self.upgrade()?;
        let folders = [
            site_packages.join("pip"),
            site_packages.join(&pip.dist_info),
        ];
        let is_bundled = self.bundled_pip.as_deref() == Some(&*pip.version_text);
        if is_bundled {
            return Some(upgrade);
        }
        let remove = remove(&[&folders[0], &folders[1]])?;
        Some(format!("{remove} && {upgrade}"))
    }

    /// The command that reinstalls the same version.
    fn reinstall(&self, one: &Installed, site_packages: &Path, lost: bool) -> Option<String> {
        let (name, version) = (&one.name, &one.version_text);
        // A package that was not installed from an index may be a different project there.
        let origin = site_packages.join(&one.dist_info).join("direct_url.json");
        let requirement = if origin.exists() {
            url_requirement(name, &text(&origin).ok()?)?
        } else {
            word(&format!("{name}=={version}"))
        };
        let python = self.python()?;
        if self.wants_pip {
            // Without a RECORD pip cannot uninstall.
            let how = if lost {
                "--ignore-installed"
            } else {
                "--force-reinstall"
            };
            return Some(format!(
                "{python} -m pip install {how} --no-deps {requirement}"
            ));
        }
        (self.maker() == Maker::Uv).then(|| {
            format!("uv pip install --python {python} --reinstall --no-deps {requirement}")
        })
    }

    /// Keeps the one whose files all exist.
    fn check_duplicates(
        &mut self,
        all: &[&Installed],
        site_packages: &Path,
        discovery: &Discovery<'_>,
    ) -> Result<(), Error> {
        let mut whole = Vec::new();
        for one in all {
            let metadata = format!("{}/METADATA", one.dist_info);
            let damage = one.damage(site_packages, discovery.interrupt)?;
            if damage.is_some_and(|damage| damage.is_none()) && one.lists(site_packages, &metadata)
            {
                whole.push(*one);
            }
        }
        let name = &all[0].name;
        let versions: Vec<_> = all.iter().map(|one| one.version_text.as_str()).collect();
        let message = format!(
            "{name} is installed more than once: {}",
            versions.join(", ")
        );
        let keeper = whole.into_iter().max_by(|a, b| a.version.cmp(&b.version));
        let others: Vec<_> = all
            .iter()
            .filter(|one| keeper.is_some_and(|keeper| one.dist_info != keeper.dist_info))
            .map(|one| site_packages.join(&one.dist_info))
            .collect();
        let others: Vec<_> = others.iter().map(AsRef::as_ref).collect();
        if let Some(remedy) = remove(&others) {
            self.report(Kind::Duplicate, message, Some(remedy));
        } else {
            let hint =
                format!("uninstall {name} repeatedly until none is left, then install it again");
            self.report_with_hint(Kind::Duplicate, message, hint);
        }
        Ok(())
    }

    /// Checks for `.pth` files that Python cannot read or that name a directory that does not exist.
    fn check_pth(&mut self, site_packages: &Path) {
        let entries = fs::read_dir(site_packages).into_iter().flatten().flatten();
        let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
        paths.retain(|path| path.extension().is_some_and(|it| it == "pth"));
        paths.sort();
        for path in paths {
            let shown = self.relative(&path);
            let text = match text(&path) {
                Ok(text) if !text.contains(['\0', '\u{fffd}']) => text,
                _ => {
                    let message = format!("{shown} is not readable text");
                    let hint = "reinstall the package that wrote it, or delete it";
                    self.report_with_hint(Kind::BrokenPth, message, hint);
                    continue;
                }
            };
            // site.addpackage
            let lines = text.lines().map(str::trim_end);
            let gone = lines
                .filter(|line| !line.is_empty() && !line.starts_with('#'))
                .filter(|line| !line.starts_with("import ") && !line.starts_with("import\t"))
                .find(|line| !site_packages.join(line).exists());
            if let Some(gone) = gone {
                let message = format!("{shown} names {gone}, which does not exist");
                let hint = "reinstall the package that was there, or delete the line";
                self.report_with_hint(Kind::BrokenPth, message, hint);
            }
        }
    }
}

/// The pip argument that reinstalls a package from its URL (`direct_url.json` specification).
fn url_requirement(name: &str, text: &str) -> Option<String> {
    let origin: serde_json::Value = serde_json::from_str(text).ok()?;
    let url = origin.get("url")?.as_str()?;
    let editable = origin.pointer("/dir_info/editable");
    if editable.and_then(serde_json::Value::as_bool) == Some(true) {
        return Some(format!("-e {}", word(url)));
    }
    let url = match origin.get("vcs_info") {
        Some(vcs) => format!(
            "{}+{url}@{}",
            vcs.get("vcs")?.as_str()?,
            vcs.get("commit_id")?.as_str()?
        ),
        None => url.to_owned(),
    };
    Some(word(&format!("{name} @ {url}")))
}

fn damage_message(damage: &Damage) -> String {
    let some = |paths: &[String], what: &str| {
        let names = paths.iter().take(MAX_NAMES).cloned();
        let more = paths.len().saturating_sub(MAX_NAMES);
        let more = (more > 0).then(|| format!("{more} more"));
        let names = names.chain(more).collect::<Vec<_>>().join(", ");
        (!names.is_empty()).then(|| format!("{names} {what}"))
    };
    let parts = [
        some(&damage.missing, "missing"),
        some(&damage.altered, "modified"),
        some(&damage.not_executable, "not executable"),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}
