//! Renders `pyvenv.cfg`, with CPython's keys in CPython's order. (`interpreter::pyvenv_cfg` reads one.)

use crate::interpreter::Interpreter;
use crate::interpreter::platform::Platform;
use crate::options::Options;
use crate::repr::{escape, repr};
use crate::venv::context::Context;
use crate::venv::flags::flags;

/// The key for the request whose packages are installed.
pub(crate) const REQUEST: &str = "rvenv-request";

/// The key of a relocatable environment.
pub(crate) const RELOCATABLE: &str = "relocatable";

/// Renders the complete file (`venv/__init__.py`, `create_configuration`), with rvenv's own keys at its end.
///
/// `request` is the value of `rvenv-request`, if there is one.
pub(crate) fn render(
    context: &Context,
    interpreter: &Interpreter,
    options: &Options,
    request: Option<&str>,
) -> String {
    let mut text = String::with_capacity(512);
    let mut line = |key: &str, value: &str| {
        text.push_str(key);
        text.push_str(" = ");
        text.push_str(value);
        // Text mode: the line ends of the base's platform.
        text.push_str(if interpreter.platform == Platform::Windows {
            "\r\n"
        } else {
            "\n"
        });
    };
    line("home", &one_line(&context.python_dir));
    line(
        "include-system-site-packages",
        if options.system_site_packages {
            "true"
        } else {
            "false"
        },
    );
    line("version", &interpreter.version_string());
    if options.prompt.is_some() && interpreter.at_least(3, 8) {
        line("prompt", &repr(&context.prompt));
    }
    if interpreter.at_least(3, 11) {
        line("executable", &one_line(&interpreter.real_executable));
        line(
            "command",
            &one_line(&command(context, interpreter, options)),
        );
    }
    if context.relocatable {
        line(RELOCATABLE, "true");
    }
    // For pre-commit, virtualenv and others, and PEP 838.
    line("version_info", &interpreter.version_info());
    line("python-version", &interpreter.minor_version());
    line("rvenv", env!("CARGO_PKG_VERSION"));
    if let Some(request) = request {
        line(REQUEST, request);
    }
    text
}

/// The `… -m venv …` command that CPython would have written, unquoted.
fn command(context: &Context, interpreter: &Interpreter, options: &Options) -> String {
    let mut words = vec![interpreter.executable.clone(), "-m".into(), "venv".into()];
    words.extend(flags(interpreter, options, |prompt| {
        format!("\"{prompt}\"")
    }));
    // A relocatable environment must not contain its path.
    words.push(if context.relocatable {
        context.env_name.clone()
    } else {
        context.env_dir.clone()
    });
    words.join(" ")
}

/// Unlike CPython: a line break in a prompt or path is escaped, as it would start another key.
fn one_line(value: &str) -> String {
    let is_break = |character| {
        matches!(
            character,
            '\n' | '\r' | '\x0b' | '\x0c' | '\x1c'..='\x1e' | '\u{85}' | '\u{2028}' | '\u{2029}'
        )
    };
    if !value.contains(is_break) {
        return value.to_owned();
    }
    value.chars().fold(String::new(), |mut text, character| {
        if is_break(character) {
            escape(&mut text, character);
        } else {
            text.push(character);
        }
        text
    })
}
