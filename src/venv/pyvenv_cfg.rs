//! `pyvenv.cfg`: its text, key by key in CPython's order; and what one says.
//!
//! Pure. When it is written, and over what, is decided elsewhere.

use std::fmt::Write as _;

use crate::interpreter::Interpreter;
use crate::interpreter::platform::Platform;
use crate::options::{Links, OnExisting, Options};
use crate::venv::context::Context;

/// Renders the finished file (`venv/__init__.py`, `create_configuration`), with rvenv's own line at its end.
pub(crate) fn render(context: &Context, interpreter: &Interpreter, options: &Options) -> String {
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
    if options.relocatable {
        line("relocatable", "true");
    }
    line("rvenv", env!("CARGO_PKG_VERSION"));
    text
}

/// The value of a key in a file that anybody's venv has written, as `site` reads it.
pub(crate) fn value<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let mut pairs = text.lines().filter_map(|line| line.split_once('='));
    let found = pairs.find(|(found, _)| found.trim().eq_ignore_ascii_case(key));
    found.map(|(_, value)| value.trim())
}

/// The `… -m venv …` line that CPython would have written: its flags in its order, unquoted.
fn command(context: &Context, interpreter: &Interpreter, options: &Options) -> String {
    let mut words = vec![interpreter.executable.clone(), "-m".into(), "venv".into()];
    let mut flag = |given: bool, name: &str| {
        if given {
            words.push(name.to_owned());
        }
    };
    let windows = interpreter.platform == Platform::Windows;
    flag(!windows && options.links == Links::Copy, "--copies");
    flag(windows && options.links == Links::Symlink, "--symlinks");
    flag(!options.with_pip, "--without-pip");
    flag(options.system_site_packages, "--system-site-packages");
    flag(options.on_existing == OnExisting::Clear, "--clear");
    flag(options.on_existing == OnExisting::Upgrade, "--upgrade");
    flag(options.upgrade_deps, "--upgrade-deps");
    if let Some(prompt) = &options.prompt {
        words.push(format!("--prompt=\"{prompt}\""));
    }
    if interpreter.at_least(3, 13) && !options.scm_ignore_files {
        words.push("--without-scm-ignore-files".into());
    }
    words.push(context.env_dir.clone());
    words.join(" ")
}

/// Unlike CPython: a line break in a prompt or path is written as an escape, or it would start a key of its own.
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

/// Python's `repr()` of a string.
pub(crate) fn repr(value: &str) -> String {
    let quote = if value.contains('\'') && !value.contains('"') {
        '"'
    } else {
        '\''
    };
    let mut text = String::with_capacity(value.len() + 2);
    text.push(quote);
    for character in value.chars() {
        if character == quote || character == '\\' {
            text.push('\\');
            text.push(character);
        } else if is_printable(character) {
            text.push(character);
        } else {
            escape(&mut text, character);
        }
    }
    text.push(quote);
    text
}

/// What a literal of [`repr`] stands for; `None` if `literal` is none.
pub(crate) fn unrepr(literal: &str) -> Option<String> {
    let quote = literal.chars().next().filter(|c| ['\'', '"'].contains(c))?;
    let inner = literal.get(1..)?.strip_suffix(quote)?;
    let mut text = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        if character == quote {
            return None;
        }
        if character != '\\' {
            text.push(character);
            continue;
        }
        let digits = match characters.next()? {
            'n' => Err('\n'),
            'r' => Err('\r'),
            't' => Err('\t'),
            same @ ('\\' | '\'' | '"') => Err(same),
            'x' => Ok(2),
            'u' => Ok(4),
            'U' => Ok(8),
            _ => return None,
        };
        text.push(match digits {
            Err(character) => character,
            Ok(count) => {
                let digits: String = characters.by_ref().take(count).collect();
                let code = u32::from_str_radix(&digits, 16).ok();
                char::from_u32(code.filter(|_| digits.len() == count)?)?
            }
        });
    }
    Some(text)
}

fn escape(text: &mut String, character: char) {
    let code = u32::from(character);
    let written = match character {
        '\n' => text.write_str("\\n"),
        '\r' => text.write_str("\\r"),
        '\t' => text.write_str("\\t"),
        _ if code < 0x100 => write!(text, "\\x{code:02x}"),
        _ if code < 0x1_0000 => write!(text, "\\u{code:04x}"),
        _ => write!(text, "\\U{code:08x}"),
    };
    written.expect("writing to a String cannot fail");
}

/// `str.isprintable`. Rust's `escape_debug` is made from the same Unicode categories; a letter in front keeps it from
/// escaping combining characters, which Python shows as they are.
fn is_printable(character: char) -> bool {
    match character {
        '\'' | '"' | '\\' => true,
        _ => {
            ['a', character]
                .iter()
                .collect::<String>()
                .escape_debug()
                .nth(1)
                == Some(character)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_literal_stands_for_nothing() {
        for text in ["", "'", "x", "'a", "a'", "'a'b'", "'\\'", "'\\q'", "'\\x4'"] {
            assert_eq!(unrepr(text), None, "{text}");
        }
    }

    #[test]
    fn repr_is_pythons() {
        for (value, expected) in [
            ("foo", "'foo'"),
            ("it's", "\"it's\""),
            ("it's \"q\" $HOME", "'it\\'s \"q\" $HOME'"),
            ("new\nline", "'new\\nline'"),
            ("é", "'é'"),
            ("", "''"),
            ("a\u{301}", "'a\u{301}'"),
            ("\u{a0}\u{200b}\u{7f}", "'\\xa0\\u200b\\x7f'"),
            ("back\\slash", "'back\\\\slash'"),
            ("\u{1d70b}", "'\u{1d70b}'"),
        ] {
            assert_eq!(repr(value), expected);
            assert_eq!(unrepr(expected).as_deref(), Some(value));
        }
    }
}
