//! Replaces the path in activation scripts of any tool. Each shell has its own quoting.

use memchr::memmem;

/// A form of quoting.
struct Quoting {
    /// The opening and closing quotes.
    marks: [char; 2],
    /// The escape sequence for a character; `None` for the character itself.
    escaped: fn(char) -> Option<&'static str>,
    /// Whether a text can be quoted in this form.
    carries: fn(&str) -> bool,
}

/// Whether a file in the scripts directory is an activation script.
pub(super) fn is_script(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default();
    matches!(
        stem.to_ascii_lowercase().as_str(),
        "activate" | "deactivate" | "activate_this"
    )
}

/// Replaces each of `olds` by `new`, if it is quoted in the script, or not quoted and does not need to be.
pub(super) fn replace_paths(
    contents: Vec<u8>,
    name: &str,
    old_paths: &[String],
    new: &str,
) -> Vec<u8> {
    let Ok(mut text) = String::from_utf8(contents.clone()) else {
        return contents;
    };
    for old in old_paths {
        for quoting in quotings(name) {
            if !(quoting.carries)(old) || !(quoting.carries)(new) {
                continue;
            }
            let ([open, close], inner) = (quoting.marks, quoting.quote_within(old));
            let new = format!("{open}{}", quoting.quote_within(new));
            let is_end = |rest: &str| rest.starts_with([close, '/', '\\']);
            text = replace(&text, &format!("{open}{inner}"), &new, |_| true, is_end);
        }
        if is_plain(old) && is_plain(new) {
            let is_in_name = |c: char| c.is_alphanumeric() || "._-~".contains(c);
            let is_begin = |before: &str| !before.ends_with(|c| c == '/' || is_in_name(c));
            let is_end = |rest: &str| !rest.starts_with(is_in_name);
            text = replace(&text, old, new, is_begin, is_end);
        }
    }
    text.into_bytes()
}

impl Quoting {
    fn quote_within(&self, text: &str) -> String {
        let mut quoted = String::with_capacity(text.len());
        for character in text.chars() {
            match (self.escaped)(character) {
                Some(escaped) => quoted.push_str(escaped),
                None => quoted.push(character),
            }
        }
        quoted
    }
}

/// Replaces `old` if the characters before and after it allow that.
fn replace(
    text: &str,
    old: &str,
    new: &str,
    is_begin: impl Fn(&str) -> bool,
    is_end: impl Fn(&str) -> bool,
) -> String {
    let mut replaced = String::with_capacity(text.len());
    let mut copied = 0;
    for at in memmem::find_iter(text.as_bytes(), old) {
        if at < copied || !is_begin(&text[..at]) || !is_end(&text[at + old.len()..]) {
            continue;
        }
        replaced.push_str(&text[copied..at]);
        replaced.push_str(new);
        copied = at + old.len();
    }
    replaced.push_str(&text[copied..]);
    replaced
}

/// Whether no shell needs quotes for a path.
fn is_plain(path: &str) -> bool {
    path.chars()
        .all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c))
}

const NO_ESCAPE: fn(char) -> Option<&'static str> = |_| None;
const ANY_TEXT: fn(&str) -> bool = |_| true;
const ONE_LINE: fn(&str) -> bool = |text| !text.contains(char::is_control);

/// The forms in which venv, virtualenv, uv and rvenv quote in a script of this name.
fn quotings(name: &str) -> Vec<Quoting> {
    let with = |mark, escaped, carries| Quoting {
        marks: [mark, mark],
        escaped,
        carries,
    };
    let double = || {
        let escaped = |c| match c {
            '"' => Some("\\\""),
            '\\' => Some("\\\\"),
            '$' => Some("\\$"),
            '`' => Some("\\`"),
            _ => None,
        };
        with('"', escaped, ONE_LINE)
    };
    let extension = name.rsplit_once('.').map(|(_, extension)| extension);
    match extension.unwrap_or_default().to_ascii_lowercase().as_str() {
        "fish" => {
            let backslash = |c| match c {
                '\'' => Some("\\'"),
                '\\' => Some("\\\\"),
                _ => None,
            };
            // `shlex.quote` closes and reopens the quotes.
            let no_backslash: fn(&str) -> bool = |text| !text.contains('\\');
            vec![
                with('\'', backslash, ANY_TEXT),
                with('\'', shlex, no_backslash),
                double(),
            ]
        }
        "csh" => {
            let outside = |c| match c {
                '\'' => Some(r"'\''"),
                '!' => Some(r"'\!'"),
                '\\' => Some(r"'\\'"),
                '\n' => Some("\\\n"),
                _ => None,
            };
            let simple: fn(&str) -> bool = |text| !text.contains(['!', '\\', '\n']);
            let plain: fn(&str) -> bool = |text| !text.contains(['"', '$', '`', '!', '\\', '\n']);
            vec![
                with('\'', outside, ANY_TEXT),
                with('\'', shlex, simple),
                with('"', NO_ESCAPE, plain),
            ]
        }
        "nu" => {
            let json = |c| match c {
                '"' => Some("\\\""),
                '\\' => Some("\\\\"),
                _ => None,
            };
            let raw: fn(&str) -> bool = |text| !text.contains(['\'', '\n']);
            vec![with('"', json, ONE_LINE), with('\'', NO_ESCAPE, raw)]
        }
        "ps1" => {
            let doubled = |c| (c == '\'').then_some("''");
            let plain: fn(&str) -> bool = |text| !text.contains(['"', '$', '`', '\n']);
            vec![with('\'', doubled, ANY_TEXT), with('"', NO_ESCAPE, plain)]
        }
        "bat" => {
            let doubled = |c| (c == '%').then_some("%%");
            let carried: fn(&str) -> bool = |text| !text.contains(['"', '\n', '\r']);
            let mut assigned = with('"', doubled, carried);
            assigned.marks[0] = '=';
            vec![with('"', doubled, carried), assigned]
        }
        "py" | "xsh" => {
            let escaped = |c| match c {
                '\'' => Some("\\'"),
                '\\' => Some("\\\\"),
                _ => None,
            };
            let double = |c| match c {
                '"' => Some("\\\""),
                '\\' => Some("\\\\"),
                _ => None,
            };
            vec![with('\'', escaped, ONE_LINE), with('"', double, ONE_LINE)]
        }
        _ => {
            let outside = |c| (c == '\'').then_some(r"'\''");
            vec![
                with('\'', outside, ANY_TEXT),
                with('\'', shlex, ANY_TEXT),
                double(),
            ]
        }
    }
}

/// As Python's `shlex.quote` does.
fn shlex(character: char) -> Option<&'static str> {
    (character == '\'').then_some("'\"'\"'")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(name: &str, old: &str, new: &str, text: &str) -> String {
        let new = replace_paths(text.as_bytes().to_vec(), name, &[old.to_owned()], new);
        String::from_utf8(new).unwrap()
    }

    #[test]
    fn a_path_that_is_only_a_prefix_of_a_name_is_not_replaced() {
        assert_eq!(
            script(
                "activate",
                "/a/env",
                "/b",
                "/a/env /a/env/bin '/a/env' /a/env-old /a/env2 /x/a/env"
            ),
            "/b /b/bin '/b' /a/env-old /a/env2 /x/a/env"
        );
    }

    #[test]
    fn the_new_path_is_quoted_for_each_shell() {
        let (old, new) = ("/it's $x", "/that\"s `y`'s");
        for (name, from, to) in [
            ("activate", r"'/it'\''s $x'", r#"'/that"s `y`'\''s'"#),
            ("activate", r#"'/it'"'"'s $x'"#, r#"'/that"s `y`'"'"'s'"#),
            (
                "activate",
                r#""/it's \$x"/bin"#,
                r#""/that\"s \`y\`'s"/bin"#,
            ),
            ("activate.fish", r"'/it\'s $x'", r#"'/that"s `y`\'s'"#),
            ("activate.nu", r#""/it's $x""#, r#""/that\"s `y`'s""#),
            ("activate.ps1", "'/it''s $x'", "'/that\"s `y`''s'"),
            ("activate_this.py", r#""/it's $x""#, r#""/that\"s `y`'s""#),
            ("activate_this.py", r"'/it\'s $x'", r#"'/that"s `y`\'s'"#),
            (
                "activate.bat",
                "@set \"VIRTUAL_ENV=/it's $x\"",
                "@set \"VIRTUAL_ENV=/it's $x\"",
            ),
            // It cannot be written in these quotes.
            ("activate.csh", "\"/it's $x\"", "\"/it's $x\""),
            ("activate", "/it's $x", "/it's $x"),
        ] {
            assert_eq!(script(name, old, new, from), to, "{name}");
        }
    }
}
