//! `RVENV_*` variables, which set what the command line does not.
//!
//! An empty variable counts as unset, and none conflicts with an option.

use std::ffi::OsString;

use clap::ValueEnum as _;

use crate::cli::args::{Args, SeederName};

impl Args {
    /// Sets what no option has set.
    ///
    /// # Errors
    ///
    /// The name of the variable and its invalid value.
    pub(super) fn add_variables(
        &mut self,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<(), String> {
        if self.completions.is_some() || self.man {
            return Ok(());
        }
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let text = |name: &str| {
            let value = variable(name).map(OsString::into_string).transpose();
            value.map_err(|value| {
                format!(
                    "invalid value {} for {name}: it is not UTF-8",
                    value.display()
                )
            })
        };
        if self.python.is_empty() {
            self.python.extend(text("RVENV_PYTHON")?);
        }
        if self.seeder.is_none()
            && let Some(name) = text("RVENV_SEEDER")?
        {
            let seeder = SeederName::from_str(&name, false);
            self.seeder = Some(seeder.map_err(|_| {
                format!("invalid value '{name}' for RVENV_SEEDER (possible values: auto, wheel, ensurepip)")
            })?);
        }
        if self.find_links.is_empty() {
            self.wheels.extend(variable("RVENV_FIND_LINKS"));
        }
        let says_cache = self.cache_dir.is_some() || self.warm_cache;
        self.no_cache |= !says_cache && variable("RVENV_NO_CACHE").is_some_and(|v| is_true(&v));
        if self.cache_dir.is_none() {
            self.cache_dir = variable("RVENV_CACHE_DIR").map(Into::into);
        }
        Ok(())
    }
}

/// As clap parses a boolean variable.
fn is_true(value: &OsString) -> bool {
    let value = value.to_string_lossy().to_lowercase();
    !["n", "no", "f", "false", "off", "0"].contains(&value.as_str())
}
