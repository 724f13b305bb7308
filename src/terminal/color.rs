//! Colors, depending on `NO_COLOR`, `FORCE_COLOR`, `CLICOLOR_FORCE`, `CLICOLOR` and `TERM`.

use std::ffi::OsString;
use std::io::{IsTerminal as _, Write as _};

use anstream::{AutoStream, adapter::strip_str};
use anstyle::{AnsiColor, Style};

use crate::terminal::spinner;

/// The style of `Error:`.
pub(crate) const ERROR: Style = AnsiColor::Red.on_default().bold();
/// The style of `Warning:`.
pub(crate) const WARNING: Style = AnsiColor::Yellow.on_default().bold();

/// When to use color.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Color {
    /// On a terminal.
    Auto,
    /// Everywhere.
    Always,
    /// Nowhere.
    #[default]
    Never,
}

impl Color {
    /// Reads the variables (no-color.org, force-color.org, bixense.com/clicolors). Those that turn color off have
    /// priority.
    pub(crate) fn from_variables(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let is_zero = |name: &str| variable(name).is_some_and(|value| value == "0");
        let is_set = |name: &str| variable(name).is_some();
        if is_set("NO_COLOR") {
            Self::Never
        } else if is_set("FORCE_COLOR") || is_set("CLICOLOR_FORCE") && !is_zero("CLICOLOR_FORCE") {
            Self::Always
        } else if is_zero("CLICOLOR") || variable("TERM").is_some_and(|term| term == "dumb") {
            Self::Never
        } else {
            Self::Auto
        }
    }

    /// Prints styled text to stderr with a single write; without the styles if color is off.
    pub(crate) fn print(self, styled: &str) {
        spinner::print(|| self.write(styled));
    }

    fn write(self, styled: &str) {
        let stderr = std::io::stderr().lock();
        let is_wanted = match self {
            Self::Always => true,
            Self::Auto => stderr.is_terminal(),
            Self::Never => false,
        };
        // A closed stderr is not an error.
        let _ = if is_wanted {
            AutoStream::always(stderr).write_all(styled.as_bytes())
        } else {
            let plain = strip_str(styled).to_string();
            { stderr }.write_all(plain.as_bytes())
        };
    }
}
