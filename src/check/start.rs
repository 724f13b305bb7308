//! The last check: whether the environment's own Python starts.
//!
//! It is started with `-I -S`, so that no installed code runs, and only if this user or root owns it.

use std::time::Duration;

use super::{Environment, Kind};
use crate::error::Error;
use crate::interpreter::discovery::Discovery;
use crate::sys::fs;
use crate::sys::process;

/// The time limit.
const TIMEOUT: Duration = Duration::from_secs(10);
const PROGRAM: &str = "import sys; sys.stdout.write('%d.%d' % sys.version_info[:2])";

impl Environment {
    pub(super) fn check_start(&mut self, discovery: &Discovery<'_>) -> Result<(), Error> {
        let python = self
            .bin
            .join("python")
            .with_extension(std::env::consts::EXE_EXTENSION);
        if !fs::is_owned(&python) {
            return Ok(());
        }
        let mut command = process::python(&python);
        command.args(["-I", "-S", "-c", PROGRAM]);
        let message = match process::run(&mut command, Some(TIMEOUT), discovery.interrupt) {
            Err(error @ Error::Interrupted { .. }) => return Err(error),
            Err(error) if error.is_limit() => return Err(error),
            Err(Error::Io { source, .. }) => super::system_message(&source),
            Err(Error::Command { status, .. }) => status,
            Err(error) => error.to_string(),
            Ok(output) if !output.status.success() => {
                let text = output.text();
                let last = text.lines().rfind(|line| !line.trim().is_empty());
                let last = last.map(|line| format!(": {line}")).unwrap_or_default();
                format!("it exited with {}{last}", output.status)
            }
            Ok(output) => {
                let output_text = String::from_utf8_lossy(&output.stdout).into_owned();
                match self.minor {
                    Some([major, minor]) if output_text != format!("{major}.{minor}") => {
                        format!("it is Python {output_text}")
                    }
                    _ => return Ok(()),
                }
            }
        };
        let message = format!("{} does not work: {message}", self.relative(&python));
        if fs::is_mounted_noexec(&python) {
            let hint = "the file system is mounted noexec: remount it, or create the \
                        environment elsewhere";
            self.report_with_hint(Kind::PythonBroken, message, hint);
        } else {
            let remedy = self.upgrade();
            self.report(Kind::PythonBroken, message, remedy);
        }
        Ok(())
    }
}
