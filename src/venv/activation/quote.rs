//! Quotes strings for each shell.

use std::fmt::Write as _;

/// For the sh family (bash, zsh, dash, ksh93, mksh, yash, busybox ash): nothing is special in single quotes. The
/// literal never contains two adjacent quotes, which zsh's `RC_QUOTES` would read as one.
pub(crate) fn sh(value: &str) -> String {
    quoted(value, |character| match character {
        '\'' => Some(r"'\''"),
        _ => None,
    })
}

/// For csh and tcsh, where single quotes do not protect `!` and may not contain line breaks. These are written outside
/// of the quotes, after a backslash, which also works with tcsh's `backslash_quote`.
pub(crate) fn csh(value: &str) -> String {
    quoted(value, |character| match character {
        '\'' => Some(r"'\''"),
        '!' => Some(r"'\!'"),
        '\\' => Some(r"'\\'"),
        '\n' => Some("\\\n"),
        _ => None,
    })
}

/// For fish, which has two escapes in single quotes.
pub(crate) fn fish(value: &str) -> String {
    quoted(value, |character| match character {
        '\'' => Some(r"\'"),
        '\\' => Some(r"\\"),
        _ => None,
    })
}

/// For nushell: double quotes with the escapes of JSON, in which nothing is expanded.
pub(crate) fn nu(value: &str) -> String {
    let mut literal = String::with_capacity(value.len() + 2);
    literal.push('"');
    for character in value.chars() {
        match character {
            '"' | '\\' => literal.extend(['\\', character]),
            control if control.is_control() => {
                write!(literal, "\\u{{{:x}}}", u32::from(control))
                    .expect("a String takes everything");
            }
            _ => literal.push(character),
        }
    }
    literal.push('"');
    literal
}

/// For Python (and xonsh), of any version since 3.6, whatever the encoding of the file.
pub(crate) fn python(value: &str) -> String {
    let mut literal = String::with_capacity(value.len() + 2);
    literal.push('\'');
    for character in value.chars() {
        match character {
            '\'' | '\\' => literal.extend(['\\', character]),
            ' '..='~' => literal.push(character),
            _ => write!(literal, "\\U{:08x}", u32::from(character))
                .expect("a String takes everything"),
        }
    }
    literal.push('\'');
    literal
}

/// For PowerShell, which treats typographic single quotes as single quotes.
pub(crate) fn powershell(value: &str) -> String {
    quoted(value, |character| match character {
        '\'' => Some("''"),
        '\u{2018}' => Some("\u{2018}\u{2018}"),
        '\u{2019}' => Some("\u{2019}\u{2019}"),
        '\u{201a}' => Some("\u{201a}\u{201a}"),
        '\u{201b}' => Some("\u{201b}\u{201b}"),
        _ => None,
    })
}

/// For a batch file, inside of `set "NAME=…"` or other quotes, which end at the last quote of the line. After a quote
/// in the value, operators are escaped with a caret.
pub(crate) fn cmd(value: &str) -> String {
    let mut literal = String::with_capacity(value.len());
    let mut inside = true;
    for character in value.chars() {
        match character {
            '%' => literal.push('%'),
            '"' => inside = !inside,
            '^' | '&' | '|' | '<' | '>' | '(' | ')' if !inside => literal.push('^'),
            _ => {}
        }
        literal.push(character);
    }
    literal
}

/// Whether a batch file can contain the value: a line can contain neither a line end nor an end-of-file character.
pub(crate) fn cmd_carries(value: &str) -> bool {
    !value.contains(['\n', '\r', '\x1a', '\0'])
}

/// `value` in single quotes, where `escape` returns the replacement for a character that must be escaped.
fn quoted(value: &str, escape: impl Fn(char) -> Option<&'static str>) -> String {
    let mut literal = String::with_capacity(value.len() + 2);
    literal.push('\'');
    for character in value.chars() {
        match escape(character) {
            Some(escaped) => literal.push_str(escaped),
            None => literal.push(character),
        }
    }
    literal.push('\'');
    literal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_quoted_for_each_shell() {
        let value = "it's \"$x\" \\ !%\n";
        for (quote, literal) in [
            (sh as fn(&str) -> String, "'it'\\''s \"$x\" \\ !%\n'"),
            (csh, "'it'\\''s \"$x\" '\\\\' '\\!'%\\\n'"),
            (fish, "'it\\'s \"$x\" \\\\ !%\n'"),
            (nu, "\"it's \\\"$x\\\" \\\\ !%\\u{a}\""),
            (python, "'it\\'s \"$x\" \\\\ !%\\U0000000a'"),
            (powershell, "'it''s \"$x\" \\ !%\n'"),
        ] {
            assert_eq!(quote(value), literal);
        }
    }

    #[test]
    fn the_empty_string_is_an_empty_literal() {
        for quote in [sh, csh, fish, python, powershell] {
            assert_eq!(quote(""), "''");
        }
        assert_eq!(nu(""), "\"\"");
        assert_eq!(cmd(""), "");
    }

    #[test]
    fn python_literals_are_ascii() {
        assert_eq!(python("é😀"), r"'\U000000e9\U0001f600'");
    }

    #[test]
    fn powershell_doubles_typographic_quotes() {
        assert_eq!(
            powershell("\u{2018}x\u{2019}"),
            "'\u{2018}\u{2018}x\u{2019}\u{2019}'"
        );
    }

    #[test]
    fn cmd_operators_are_escaped_only_outside_of_quotes() {
        assert_eq!(cmd("100% & ^ !"), "100%% & ^ !");
        assert_eq!(cmd("a\"b&c\"d&e"), "a\"b^&c\"d&e");
    }

    #[test]
    fn cmd_values_have_no_line_break() {
        assert!(cmd_carries("% & \" ^ !"));
        assert!(!cmd_carries("a\nb"));
        assert!(!cmd_carries("a\u{1a}"));
    }
}
