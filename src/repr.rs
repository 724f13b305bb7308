//! Quotes strings in messages: as Python's `repr`, which can be parsed back, and as a word of a shell command.

use std::fmt::Write as _;

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

/// `text` as one word of a shell command, quoted if necessary.
pub(crate) fn shell_word(text: &str) -> String {
    let is_plain =
        |c: char| c.is_alphanumeric() || "/._-+=:,@%".contains(c) || (cfg!(windows) && c == '\\');
    if !text.is_empty() && text.chars().all(is_plain) {
        text.to_owned()
    } else if cfg!(windows) {
        format!("\"{text}\"")
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// The string of a literal of [`repr`]; `None` if `literal` is not valid.
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

/// Appends the escape sequence for `character`.
pub(crate) fn escape(text: &mut String, character: char) {
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

/// `str.isprintable`. Rust's `escape_debug` uses the same Unicode categories. After a letter it does not escape
/// combining characters, and neither does Python.
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
    fn unrepr_of_an_invalid_literal_is_none() {
        for text in ["", "'", "x", "'a", "a'", "'a'b'", "'\\'", "'\\q'", "'\\x4'"] {
            assert_eq!(unrepr(text), None, "{text}");
        }
    }

    #[test]
    #[cfg(unix)]
    fn a_word_is_quoted_if_the_shell_would_change_it() {
        for (text, expected) in [
            ("/a/b-1.2_c", "/a/b-1.2_c"),
            ("", "''"),
            ("a b", "'a b'"),
            ("a\\b", "'a\\b'"),
            ("it's", "'it'\\''s'"),
            ("~x", "'~x'"),
            ("--prompt=a\"b\"", "'--prompt=a\"b\"'"),
        ] {
            assert_eq!(shell_word(text), expected);
        }
    }

    #[test]
    fn repr_equals_that_of_python() {
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
