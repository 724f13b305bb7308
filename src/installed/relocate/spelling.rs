//! The forms in which a file can contain a path, and where they occur.

use std::fmt::Write as _;

use memchr::memmem;

/// A form of the old path and the same form of the new one.
pub(super) struct Spelling {
    old: String,
    new: String,
}

/// The path itself, in JSON, in a URL, and in a Python string.
pub(super) fn spellings(old: &str, new: &str) -> Vec<Spelling> {
    let forms: [fn(&str) -> String; 5] = [str::to_owned, json, ascii_json, url, quoted];
    let mut spellings: Vec<Spelling> = Vec::new();
    for form in forms {
        let old = form(old);
        if spellings.iter().all(|spelling| spelling.old != old) {
            let new = form(new);
            spellings.push(Spelling { old, new });
        }
    }
    spellings
}

impl Spelling {
    pub(super) fn length(&self) -> usize {
        self.old.len().max(self.new.len())
    }

    /// Whether a part of a file contains it.
    pub(super) fn is_in(&self, part: &[u8], is_start: bool, is_end: bool) -> bool {
        self.places(part).any(|at| {
            // A path that is cut off is in the next or the previous part.
            (is_start || at >= 8) && (is_end || at + self.length() < part.len())
        })
    }

    /// Replaces the old path by the new one.
    pub(super) fn replace(&self, contents: &[u8]) -> Vec<u8> {
        let mut replaced = Vec::with_capacity(contents.len());
        let mut copied = 0;
        for at in self.places(contents) {
            replaced.extend_from_slice(&contents[copied..at]);
            replaced.extend_from_slice(self.new.as_bytes());
            copied = at + self.old.len();
        }
        replaced.extend_from_slice(&contents[copied..]);
        replaced
    }

    fn places<'a>(&'a self, text: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
        memmem::find_iter(text, &self.old).filter(move |&at| {
            is_begin(&text[..at])
                && is_end(&text[at + self.old.len()..])
                // The new path may begin with the old one.
                && !text[at..]
                    .strip_prefix(self.new.as_bytes())
                    .is_some_and(|rest| self.new.len() > self.old.len() && is_end(rest))
        })
    }
}

fn is_in_a_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || !byte.is_ascii() || b"._-+~%@".contains(&byte)
}

/// Whether a path can begin after `before`.
fn is_begin(before: &[u8]) -> bool {
    match before.last() {
        None => true,
        Some(b'/') => before.ends_with(b"file://"),
        // `-I/path`
        Some(byte) if byte.is_ascii_alphabetic() => {
            before.len() > 1
                && before[before.len() - 2] == b'-'
                && (before.len() == 2 || b" \t\n'\"=,;:".contains(&before[before.len() - 3]))
        }
        Some(&byte) => !is_in_a_name(byte) && byte != b'\\',
    }
}

/// Whether a path can end before `after`.
pub(super) fn is_end(after: &[u8]) -> bool {
    after.first().is_none_or(|&byte| !is_in_a_name(byte))
}

fn json(path: &str) -> String {
    let text = serde_json::to_string(path).unwrap_or_default();
    text[1..text.len().max(2) - 1].to_owned()
}

/// As Python's `json` does by default.
fn ascii_json(path: &str) -> String {
    let mut text = String::new();
    for character in json(path).chars() {
        if character.is_ascii() {
            text.push(character);
        } else {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                let _ = write!(text, "\\u{unit:04x}");
            }
        }
    }
    text
}

/// As `urllib.parse.quote` does.
fn url(path: &str) -> String {
    let mut text = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/_.-~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

fn quoted(path: &str) -> String {
    let text = crate::repr::repr(path);
    text[1..text.len() - 1].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replaced(old: &str, new: &str, text: &str) -> String {
        let contents = spellings(old, new)
            .iter()
            .fold(text.as_bytes().to_vec(), |text, spelling| {
                spelling.replace(&text)
            });
        String::from_utf8(contents).unwrap()
    }

    #[test]
    fn a_path_is_only_found_as_a_whole() {
        let text = "/app /app2 /my/app/x /app-1 /app/x:/app \"/app\" file:///app/y -I/app/i x-I/app /app.d";
        let expected = "/b /app2 /my/app/x /app-1 /b/x:/b \"/b\" file:///b/y -I/b/i x-I/app /app.d";
        assert_eq!(replaced("/app", "/b", text), expected);
    }

    #[test]
    fn a_new_path_below_the_old_path_is_inserted_once() {
        let text = "/a /a/b /a/b/c";
        let once = replaced("/a", "/a/b", text);
        assert_eq!(once, "/a/b /a/b /a/b/c");
        assert_eq!(replaced("/a", "/a/b", &once), once);
    }

    #[test]
    fn every_form_is_replaced_by_the_same_form() {
        let text = "'/é \"x' file:///%C3%A9%20%22x/y \"/\\u00e9 \\\"x\" \"/é \\\"x\"";
        let expected = "'/ü y' file:///%C3%BC%20y/y \"/\\u00fc y\" \"/ü y\"";
        assert_eq!(replaced("/é \"x", "/ü y", text), expected);
    }
}
