//! Finds and replaces `co_filename` in bytecode.
//!
//! In CPython's `Python/marshal.c` a string is a type byte (with 0x80 set if later objects refer to it), its length,
//! and its bytes. Nothing else in a code object is read or changed.

use memchr::memmem;

/// Type bytes of `marshal.c`, without the reference flag.
const SHORT_ASCII: u8 = b'z';
const SHORT_ASCII_INTERNED: u8 = b'Z';
const ASCII: u8 = b'a';
const ASCII_INTERNED: u8 = b'A';
const UNICODE: u8 = b'u';
const INTERNED: u8 = b't';
const REFERENCE: u8 = 0x80;

/// Replaces every marshalled string `old` by `new`. Returns the bytes and the offsets of the strings.
///
/// Returns `None` if `old` also occurs elsewhere, since the bytecode is then not understood.
pub(crate) fn replace(bytecode: &[u8], old: &str, new: &str) -> Option<(Vec<u8>, Vec<u32>)> {
    let mut result = Vec::with_capacity(bytecode.len());
    let mut positions = Vec::new();
    let mut copied = 0;
    for at in memmem::find_iter(bytecode, old) {
        let start = string_start(bytecode, at, old)?;
        result.extend_from_slice(&bytecode[copied..start]);
        positions.push(u32::try_from(result.len()).ok()?);
        encode(&mut result, bytecode[start], new);
        copied = at + old.len();
    }
    result.extend_from_slice(&bytecode[copied..]);
    Some((result, positions))
}

/// The pieces of `bytecode` with the strings at `positions` replaced by `new`; `None` if there are no strings there.
///
/// Pieces are returned because copying each of a thousand files would take time. `strings` contains the new strings.
pub(crate) fn replace_at<'a>(
    bytecode: &'a [u8],
    positions: &[u32],
    new: &str,
    strings: &'a mut Vec<u8>,
) -> Option<Vec<&'a [u8]>> {
    let mut kept = Vec::with_capacity(positions.len() + 1);
    let mut ends = Vec::with_capacity(positions.len());
    let mut copied = 0;
    strings.clear();
    for &position in positions {
        let start = position as usize;
        let (kind, rest) = bytecode.get(start..)?.split_first()?;
        kept.push(bytecode.get(copied..start)?);
        encode(strings, *kind, new);
        ends.push(strings.len());
        copied = match kind & !REFERENCE {
            SHORT_ASCII | SHORT_ASCII_INTERNED => start + 2 + usize::from(*rest.first()?),
            ASCII | ASCII_INTERNED | UNICODE | INTERNED => {
                start + 5 + u32::from_le_bytes(rest.first_chunk::<4>().copied()?) as usize
            }
            _ => return None,
        };
    }
    let mut pieces = Vec::with_capacity(positions.len() * 2 + 1);
    let mut begin = 0;
    for (piece, end) in kept.into_iter().zip(ends) {
        pieces.extend([piece, &strings[begin..end]]);
        begin = end;
    }
    pieces.push(bytecode.get(copied..)?);
    Some(pieces)
}

/// Replaces the directory at the beginning of source paths by `new`. If `new` is empty, the path becomes relative.
/// `is_source` tells whether a path is that of the source.
///
/// Returns `None` if there is no such path.
pub(crate) fn replace_folder(
    bytecode: &[u8],
    old: &str,
    new: &str,
    is_source: impl Fn(&str) -> bool,
) -> Option<Vec<u8>> {
    let mut result = Vec::new();
    let mut copied = 0;
    for at in memmem::find_iter(bytecode, old) {
        let Some((start, said)) = string_around(bytecode, at) else {
            continue;
        };
        let Some(rest) = said.get(old.len()..) else {
            continue;
        };
        if start < copied || !rest.starts_with(['/', '\\']) || !is_source(said) {
            continue;
        }
        result.extend_from_slice(&bytecode[copied..start]);
        let below = if new.is_empty() { &rest[1..] } else { rest };
        encode(&mut result, bytecode[start], &format!("{new}{below}"));
        copied = at + said.len();
    }
    if copied == 0 {
        return None;
    }
    result.extend_from_slice(&bytecode[copied..]);
    Some(result)
}

/// Whether a marshalled string begins with `old`, and goes on as `is_end` has it.
pub(super) fn says(bytecode: &[u8], old: &str, is_end: impl Fn(&str) -> bool) -> bool {
    memmem::find_iter(bytecode, old).any(|at| {
        string_around(bytecode, at)
            .and_then(|(_, said)| said.get(old.len()..))
            .is_some_and(&is_end)
    })
}

/// The marshalled string whose text begins at `at`, and its offset.
fn string_around(bytecode: &[u8], at: usize) -> Option<(usize, &str)> {
    let is = |start: usize, kinds: &[u8]| kinds.contains(&(bytecode[start] & !REFERENCE));
    let text = |length: usize| str::from_utf8(bytecode.get(at..at.checked_add(length)?)?).ok();
    if let Some(start) = at.checked_sub(5)
        && is(start, &[ASCII, ASCII_INTERNED, UNICODE, INTERNED])
        && let Some(length) = bytecode[start + 1..at].first_chunk()
        && let Some(text) = text(u32::from_le_bytes(*length) as usize)
    {
        return Some((start, text));
    }
    let start = at.checked_sub(2)?;
    is(start, &[SHORT_ASCII, SHORT_ASCII_INTERNED])
        .then(|| text(usize::from(bytecode[start + 1])))?
        .map(|text| (start, text))
}

/// The offset of the marshalled string whose bytes are at `at`.
fn string_start(bytecode: &[u8], at: usize, text: &str) -> Option<usize> {
    let is = |start: usize, kinds: &[u8]| kinds.contains(&(bytecode[start] & !REFERENCE));
    if let Some(start) = at.checked_sub(2)
        && is(start, &[SHORT_ASCII, SHORT_ASCII_INTERNED])
        && usize::from(bytecode[start + 1]) == text.len()
    {
        return Some(start);
    }
    let start = at.checked_sub(5)?;
    let length = u32::try_from(text.len()).ok()?.to_le_bytes();
    (is(start, &[ASCII, ASCII_INTERNED, UNICODE, INTERNED]) && bytecode[start + 1..at] == length)
        .then_some(start)
}

/// `w_object` for strings. The form depends on the text. Interning and the reference flag are kept.
fn encode(result: &mut Vec<u8>, kind: u8, text: &str) {
    let interned = matches!(
        kind & !REFERENCE,
        SHORT_ASCII_INTERNED | ASCII_INTERNED | INTERNED
    );
    let form = match (text.is_ascii(), u8::try_from(text.len()), interned) {
        (true, Ok(_), false) => SHORT_ASCII,
        (true, Ok(_), true) => SHORT_ASCII_INTERNED,
        (true, Err(_), false) => ASCII,
        (true, Err(_), true) => ASCII_INTERNED,
        (false, _, false) => UNICODE,
        (false, _, true) => INTERNED,
    };
    result.push(form | kind & REFERENCE);
    let length = u32::try_from(text.len())
        .expect("no path is 4 GiB long")
        .to_le_bytes();
    let short = matches!(form, SHORT_ASCII | SHORT_ASCII_INTERNED);
    result.extend_from_slice(if short { &length[..1] } else { &length });
    result.extend_from_slice(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_get_the_marshal_type_that_fits_their_length() {
        let long = "/".repeat(300);
        for (kind, new, expected) in [
            (b'z', "/a", b"z\x02/a".to_vec()),
            (b'Z' | REFERENCE, "/a", b"\xda\x02/a".to_vec()),
            (b'z', "/\u{e9}", b"u\x03\0\0\0/\xc3\xa9".to_vec()),
            (b'Z', "/\u{e9}", b"t\x03\0\0\0/\xc3\xa9".to_vec()),
            (b'Z', &long, [b"A\x2c\x01\0\0", long.as_bytes()].concat()),
        ] {
            let bytecode = [b"head", [kind, 4].as_slice(), b"/old", b"tail"].concat();
            let (stored, positions) = replace(&bytecode, "/old", "rel").unwrap();
            let mut strings = Vec::new();
            let pieces = replace_at(&stored, &positions, new, &mut strings).unwrap();
            assert_eq!(
                pieces.concat(),
                [b"head".as_slice(), &expected, b"tail"].concat()
            );
        }
    }

    #[test]
    fn a_path_inside_another_string_is_not_replaced() {
        assert_eq!(replace(b"z\x08/old/bar", "/old", "rel"), None);
    }

    #[test]
    fn only_the_source_path_gets_another_folder() {
        let bytecode =
            b"\xda\x0b/old/lib/a.z\x0b/old/lib/bz\x0d/old/lib/a.py\xf5\x0d\0\0\0/old/lib/a.py";
        let replaced = replace_folder(bytecode, "/old", "/new/place", |said| {
            said.ends_with("/a.py")
        });
        let expected = b"\xda\x0b/old/lib/a.z\x0b/old/lib/bz\x13/new/place/lib/a.py\xfa\x13/new/place/lib/a.py";
        assert_eq!(replaced.unwrap(), expected);
        assert_eq!(replace_folder(bytecode, "/ol", "/new", |_| true), None);
    }
}
