//! Quotes strings, with a function for each shell's grammar.

use std::fmt::Write as _;

/// For the sh family (bash, zsh, dash, ksh93, mksh, yash, busybox ash): everything between single quotes is itself.
/// No two quotes are ever adjacent inside the literal, which zsh's `RC_QUOTES` would read as one.
pub(crate) fn sh(value: &str) -> String {
    quoted(value, |character| match character {
        '\'' => Some(r"'\''"),
        _ => None,
    })
}

/// For csh and tcsh, where single quotes do not stop `!` and may not span a line. What cannot stand inside the quotes
/// stands outside of them, after a backslash, which tcsh's `backslash_quote` reads the same way.
pub(crate) fn csh(value: &str) -> String {
    quoted(value, |character| match character {
        '\'' => Some(r"'\''"),
        '!' => Some(r"'\!'"),
        '\\' => Some(r"'\\'"),
        '\n' => Some("\\\n"),
        _ => None,
    })
}

/// For fish, whose single quotes know two escapes.
pub(crate) fn fish(value: &str) -> String {
    quoted(value, |character| match character {
        '\'' => Some(r"\'"),
        '\\' => Some(r"\\"),
        _ => None,
    })
}

/// For nushell: between double quotes, where it knows the escapes of JSON and expands nothing.
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

/// For Python (xonsh too), of any version from 3.6, whatever the encoding that the file is read in.
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

/// For PowerShell, which takes the typographic single quotes for single quotes.
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

/// For a batch file, within `set "NAME=…"` or another pair of quotes, which end at the last quote of the line: so where
/// the value holds a quote itself, what follows it is outside, and a caret takes the meaning from the operators there.
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

/// Whether a batch file can hold the value at all: a line cannot hold the end of a line, nor the end of a file.
pub(crate) fn cmd_carries(value: &str) -> bool {
    !value.contains(['\n', '\r', '\x1a', '\0'])
}

/// `value` between single quotes, where `escape` returns the replacement of a character that must be escaped.
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
    fn each_grammar_writes_its_own_literal() {
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
    fn nothing_is_an_empty_literal() {
        for quote in [sh, csh, fish, python, powershell] {
            assert_eq!(quote(""), "''");
        }
        assert_eq!(nu(""), "\"\"");
        assert_eq!(cmd(""), "");
    }

    #[test]
    fn python_reads_ascii_only() {
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
    fn cmd_escapes_operators_only_where_a_quote_has_let_them_out() {
        assert_eq!(cmd("100% & ^ !"), "100%% & ^ !");
        assert_eq!(cmd("a\"b&c\"d&e"), "a\"b^&c\"d&e");
    }

    #[test]
    fn cmd_carries_no_line_break() {
        assert!(cmd_carries("% & \" ^ !"));
        assert!(!cmd_carries("a\nb"));
        assert!(!cmd_carries("a\u{1a}"));
    }
}
