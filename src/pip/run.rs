//! Runs the environment's own pip, for `upgrade_dependencies` and for requirements.

use std::ffi::{OsStr, OsString};
use std::io::{self, IsTerminal as _};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::error::Error;
use crate::interpreter::Interpreter;
use crate::options::Options;
use crate::pip::features;
use crate::pip::requirements::Requirements;
use crate::pip::settings;
use crate::sys::env::Env;
use crate::sys::fs::Group;
use crate::sys::process;
use crate::sys::signal::Interrupt;
use crate::terminal::log::Log;
use crate::terminal::log::Progress;
use crate::venv::context::Context;

/// The pip of a complete environment.
///
/// On a terminal its progress is shown. Elsewhere it prints nothing unless it fails.
pub(crate) struct Pip<'a> {
    pub(crate) context: &'a Context,
    pub(crate) environment: &'a Env,
    /// Whether it compiles what it installs to bytecode.
    pub(crate) compile: bool,
    /// Other arguments.
    pub(crate) options: &'a [OsString],
    pub(crate) interrupt: &'a Interrupt,
    pub(crate) log: Log,
}

impl Pip<'_> {
    /// Runs `pip install --upgrade` (`venv/__init__.py`, `upgrade_dependencies`).
    ///
    /// # Errors
    ///
    /// [`Error::Command`] with pip's output.
    pub(crate) fn upgrade_dependencies(
        &self,
        interpreter: &Interpreter,
        requirements: &Requirements,
    ) -> Result<(), Error> {
        let context = self.context;
        let mut command = process::python(&context.env_exe);
        command.args(["-m", "pip", "install", "--upgrade"]);
        command.args(self.limits(requirements)).arg("pip");
        // gh-95299: setuptools is not a core dependency since 3.12.
        if !interpreter.at_least(3, 12) {
            command.arg("setuptools");
        }
        // gh-98251: since 3.10 pip runs in the environment's directory, without variables that would make it install
        // elsewhere.
        if interpreter.at_least(3, 10) {
            command
                .current_dir(&context.env_dir)
                .env("VIRTUAL_ENV", &context.env_dir);
            command.env_remove("PYTHONHOME").env_remove("PYTHONPATH");
        }
        self.run("upgrading pip", &mut command)
    }

    /// Runs `pip install` with the requirements that were asked for, in the caller's own directory, since what a requirements
    /// file says is relative to it. pip writes to `report` what it installs.
    ///
    /// # Errors
    ///
    /// [`Error::Command`] with pip's own words.
    pub(crate) fn install_requirements(
        &self,
        requirements: &Requirements,
        options: &Options,
        report: Option<&Path>,
    ) -> Result<(), Error> {
        features::check(self.context, requirements, options)?;
        let mut command = process::python(&self.context.env_exe);
        // -I: neither files in the current directory nor packages on PYTHONPATH may shadow pip's modules.
        command.args(["-I", "-m", "pip", "install", "--disable-pip-version-check"]);
        command.args(self.limits(requirements));
        if let Some(report) = report {
            command.arg(with_value("--report=", report.as_os_str()));
        }
        for file in &requirements.files {
            command.arg("-r").arg(file);
        }
        for project in &options.editables {
            command.arg(with_value("--editable=", project));
        }
        for group in &options.groups {
            command.arg(with_value("--group=", group));
        }
        if !options.packages.is_empty() {
            command.arg("--").args(&options.packages);
        }
        command.env("VIRTUAL_ENV", &self.context.env_dir);
        command.env_remove("PYTHONHOME").env_remove("PYTHONPATH");
        self.run("installing requirements", &mut command)
    }

    /// The options for everything that it installs.
    fn limits<'a>(&'a self, requirements: &'a Requirements) -> impl Iterator<Item = &'a OsStr> {
        let files = requirements.constraints.iter();
        let files = files.flat_map(|file| [OsStr::new("-c"), file]);
        let no_compile = (!self.compile).then_some(OsStr::new("--no-compile"));
        let options = self.options.iter().map(OsString::as_os_str);
        files.chain(no_compile).chain(options)
    }

    fn run(&self, name: &'static str, command: &mut Command) -> Result<(), Error> {
        let (interrupt, log) = (self.interrupt, self.log);
        settings::apply(command, self.context, self.environment, interrupt, log)?;
        let program = process::command_line(command);
        let (status, output) = if log.progress() == Progress::Programs && io::stdout().is_terminal()
        {
            // pip shows its own progress. It may ask for a password, so it stays in the terminal's process group.
            log.step(name, || {
                let mut child = command
                    .stdout(Stdio::inherit())
                    .spawn()
                    .map_err(Error::io("start", self.context.env_exe.as_ref()))?;
                let status = process::wait(&mut child, Group::Ours, None, interrupt, &program)?;
                Ok::<_, Error>((status, String::new()))
            })?
        } else {
            let output = log.wait(name, || process::run(command, None, interrupt))?;
            (output.status, output.text())
        };
        if status.success() {
            return Ok(());
        }
        Err(Error::Command {
            program,
            status: status.to_string(),
            output,
        })
    }
}

/// An option with a value that may begin with a dash.
fn with_value(option: &str, value: &OsStr) -> OsString {
    let mut option = OsString::from(option);
    option.push(value);
    option
}
