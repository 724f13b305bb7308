//! Converts the command line to the library's `Options`.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use crate::cli::args::{Args, ColorWhen, ReuseWhen, SeederName};
use crate::error::Error;
use crate::options::{Cache, Links, OnExisting, Options, Reuse, Seeder, Verbosity};
use crate::terminal::color::Color;
use crate::terminal::log::Progress;

impl Args {
    /// The library's options.
    ///
    /// # Errors
    ///
    /// [`Error::UpgradeWithClear`], which is no usage error in CPython either.
    pub(crate) fn options(&self) -> Result<Options, Error> {
        let on_existing = match (self.clear, self.upgrade) {
            (true, true) => return Err(Error::UpgradeWithClear),
            (true, false) => OnExisting::Clear,
            (false, true) => OnExisting::Upgrade,
            (false, false) => OnExisting::Keep,
        };
        let defaults = Options::default();
        Ok(Options {
            system_site_packages: self.system_site_packages,
            on_existing,
            links: match (self.symlinks, self.copies) {
                (true, _) => Links::Symlink,
                (_, true) => Links::Copy,
                _ => defaults.links,
            },
            with_pip: !self.without_pip,
            with_setuptools: !self.no_setuptools,
            prompt: self.prompt.clone(),
            compile: !self.no_compile,
            upgrade_deps: self.upgrade_deps,
            caller_upgrades: self.decline.is_some(),
            requirements: self.requirements.clone(),
            constraints: self.constraints.iter().map(|file| absolute(file)).collect(),
            editables: self.editable.clone(),
            groups: self.group.clone(),
            packages: self.with.clone(),
            keep: self.keep,
            scm_ignore_files: !self.without_scm_ignore_files,
            force: self.force,
            relocatable: self.relocatable,
            seeder: match self.seeder.unwrap_or(SeederName::Auto) {
                SeederName::Auto => Seeder::Auto,
                SeederName::Wheel => Seeder::Wheel,
                SeederName::Ensurepip => Seeder::Ensurepip,
            },
            find_links: folders(self.find_links.iter().chain(&self.wheels)).collect(),
            pip_args: self.pip_options(),
            reuse: match self.reuse.unwrap_or(ReuseWhen::Hashed) {
                ReuseWhen::Hashed => Reuse::Hashed,
                ReuseWhen::Always => Reuse::Always,
                ReuseWhen::Never => Reuse::Never,
            },
            cache: self.cache(),
            cache_size: self.cache_size,
            verbosity: match (self.quiet, self.verbose) {
                (true, _) => Verbosity::Quiet,
                (_, true) => Verbosity::Verbose,
                _ => Verbosity::Normal,
            },
        })
    }

    /// `--color`, or what the environment variables set.
    pub(crate) fn color(&self, variables: Color) -> Color {
        match self.color {
            None => variables,
            Some(ColorWhen::Auto) => Color::Auto,
            Some(ColorWhen::Always) => Color::Always,
            Some(ColorWhen::Never) => Color::Never,
        }
    }

    /// The options for pip, including `--find-links`. The variable only applies to what rvenv itself installs.
    fn pip_options(&self) -> Vec<OsString> {
        let addresses = self.find_links.iter().filter(|place| is_address(place));
        let folders = folders(self.find_links.iter()).map(|folder| absolute(folder.as_os_str()));
        let links = addresses.cloned().chain(folders).map(|place| {
            let mut option = OsString::from("--find-links=");
            option.push(place);
            option
        });
        self.pip_options.iter().cloned().chain(links).collect()
    }

    /// Whether progress is shown.
    pub(crate) fn progress(&self) -> Progress {
        let is_dumb = std::env::var_os("TERM").as_deref() == Some(OsStr::new("dumb"));
        if self.quiet || self.json || is_dumb {
            Progress::None
        } else if self.env_dirs.len() > 1 {
            Progress::Spinner
        } else {
            Progress::Programs
        }
    }

    /// The cache to use.
    pub(crate) fn cache(&self) -> Cache {
        if self.no_cache {
            Cache::Off
        } else {
            self.cache_to_prune()
        }
    }

    /// The cache for `--prune-cache`, which `--no-cache` does not disable.
    pub(crate) fn cache_to_prune(&self) -> Cache {
        match &self.cache_dir {
            Some(folder) if !folder.as_os_str().is_empty() => Cache::Folder(folder.clone()),
            _ => Cache::Default,
        }
    }
}

/// The directories in a list. URLs are only passed to pip.
fn folders<'a>(places: impl Iterator<Item = &'a OsString>) -> impl Iterator<Item = PathBuf> {
    places
        .filter(|place| !is_address(place))
        .flat_map(std::env::split_paths)
        .filter(|folder| !folder.as_os_str().is_empty())
}

fn is_address(file: &OsStr) -> bool {
    file.to_string_lossy().contains("://")
}

/// Makes a path absolute, since pip may run in another directory.
fn absolute(file: &OsStr) -> OsString {
    match std::path::absolute(file) {
        Ok(path) if !is_address(file) => path.into_os_string(),
        _ => file.to_owned(),
    }
}
