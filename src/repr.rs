//! Python's `repr` of a string, and back.

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

/// The string that a literal of [`repr`] represents; `None` if `literal` is not valid.
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

/// Appends the escape that stands for `character` in a literal.
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
