//! Scripts that contain the path of a Python.

use std::io;
use std::path::Path;

use crate::installed::relocate::{New, NewLocation, Relocated, Relocation};
use crate::installed::scripts::exe::{self, Program};
use crate::installed::scripts::moved::{self, Start};
use crate::installed::scripts::shebang::{launcher, shebang, with_option};

impl Relocation<'_> {
    /// Relocates a script in the scripts directory; `None` if it does not belong to this environment.
    pub(super) fn script(&self, path: &Path) -> io::Result<Option<Relocated>> {
        let belongs = |start: &Start| {
            let is_stale = |bin: &Path| moved::is_stale(&start.interpreter, bin);
            self.is_own(&start.interpreter) || self.stale.as_deref().is_some_and(is_stale)
        };
        let beside = || self.fixes_relocatable.then(|| moved::parse_launcher(path));
        let start = moved::parse_start(path).filter(belongs);
        let Some(start) = start.or_else(|| beside().flatten()) else {
            return Ok(None);
        };
        let named = start.interpreter.file_name().and_then(|it| it.to_str());
        let beside = |name: &str| path.with_file_name(name).exists();
        let name = named
            .filter(|name| beside(name))
            .unwrap_or(self.layout.python);
        let mut lines = match self.to {
            NewLocation::Place(new) => {
                let bin = self.layout.bin_name;
                shebang(&format!("{new}/{bin}/{name}"), self.layout.shebang_limit)
            }
            NewLocation::Anywhere => launcher(name),
        };
        if !start.options.is_empty() {
            match with_option(&lines, &start.options) {
                Some(with_option) => lines = with_option,
                None => return Ok(Some(Relocated::Mentions)),
            }
        }
        if moved::starts_with(path, &lines)? {
            // This path cannot be in a script.
            return Ok(Some(Relocated::Unchanged));
        }
        let mut new = New {
            head: lines.into_bytes(),
            rest: start.body,
            mentions: false,
        };
        new.mentions = self.is_in(&mut new.rest_of(path)?)?;
        Ok(Some(Relocated::Changed(new)))
    }

    /// Relocates a program on Windows, which is a launcher with a script.
    pub(super) fn program(&self, program: &[u8]) -> Option<Vec<u8>> {
        let read = Program::read(program)?;
        let name = read.executable.rsplit(['\\', '/']).next()?;
        let is_beside = self.fixes_relocatable && read.is_beside();
        if !is_beside && !self.is_own(Path::new(read.executable)) {
            return None;
        }
        let executable = match self.to {
            NewLocation::Place(new) => format!("{new}\\{}\\{name}", self.layout.bin_name),
            NewLocation::Anywhere => exe::beside(read.launcher, name)?,
        };
        Some(read.with_interpreter(&executable))
    }

    /// Whether this Python is in the scripts directory of the old path.
    fn is_own(&self, interpreter: &Path) -> bool {
        let bin = self.layout.bin_name;
        let old_paths = self.old_paths.iter();
        old_paths
            .map(|old| Path::new(old).join(bin))
            .any(|folder| interpreter.parent() == Some(&folder))
    }
}
