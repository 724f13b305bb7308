//! `RVENV_*` variables, which set options that are not given.
//!
//! An empty variable counts as unset, and a variable never conflicts with an option.

use std::ffi::OsString;

use clap::ValueEnum as _;

use crate::cli::args::{Args, ReuseWhen, SeederName};

impl Args {
    /// Sets the options that were not given.
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
        if self.reuse.is_none()
            && let Some(when) = text("RVENV_REUSE")?
        {
            let reuse = ReuseWhen::from_str(&when, false);
            self.reuse = Some(reuse.map_err(|_| {
                format!("invalid value '{when}' for RVENV_REUSE (possible values: hashed, always, never)")
            })?);
        }
        if let Some(size) = text("RVENV_CACHE_SIZE")? {
            let bytes = bytes(&size).ok_or_else(|| {
                format!("invalid value '{size}' for RVENV_CACHE_SIZE (for example 500MB or 20GB)")
            })?;
            self.cache_size = Some(bytes);
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

/// Parses a boolean variable as clap does.
fn is_true(value: &OsString) -> bool {
    let value = value.to_string_lossy().to_lowercase();
    !["n", "no", "f", "false", "off", "0"].contains(&value.as_str())
}

/// A size as people write it: `500MB`, `20 GB`, `1GiB`, or a number of bytes.
fn bytes(text: &str) -> Option<u64> {
    let text = text.trim().to_ascii_uppercase();
    let digits = text.trim_end_matches(|end: char| !end.is_ascii_digit());
    let unit = text[digits.len()..].trim_start();
    let (letter, rest) = unit.split_at(usize::from(!unit.is_empty()));
    let base: u64 = match rest {
        "IB" => 1024,
        "" | "B" => 1000,
        _ => return None,
    };
    let power = match letter {
        "" => 0,
        "B" if rest.is_empty() => 0,
        "K" => 1,
        "M" => 2,
        "G" => 3,
        "T" => 4,
        _ => return None,
    };
    digits
        .parse::<u64>()
        .ok()?
        .checked_mul(base.checked_pow(power)?)
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn sizes_have_decimal_and_binary_units() {
        for (text, expected) in [
            ("0", Some(0)),
            ("12", Some(12)),
            ("12B", Some(12)),
            ("500MB", Some(500_000_000)),
            ("20 gb", Some(20_000_000_000)),
            ("1GiB", Some(1 << 30)),
            ("3K", Some(3000)),
            ("", None),
            ("GB", None),
            ("1XB", None),
            ("1.5GB", None),
            ("99999999999999999999", None),
            ("99999999999TB", None),
        ] {
            assert_eq!(bytes(text), expected, "{text}");
        }
    }
}
