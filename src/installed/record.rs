//! Reads and renders `RECORD` as pip does (recording installed projects specification; Python's `csv`).

use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use csv::{QuoteStyle, ReaderBuilder, Terminator, WriterBuilder};
use sha2::{Digest as _, Sha256, Sha384, Sha512};

/// How much of a file is read at once.
const BLOCK: usize = 1 << 16;
/// The maximum length of a line, in bytes. No path is that long.
const LONGEST_LINE: usize = 1 << 20;

/// A row of `RECORD`. The fields are in the order by which pip sorts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Row {
    /// Relative to the directory that contains `.dist-info`, with `/`.
    pub(crate) path: String,
    /// `algorithm=digest`; empty for bytecode and for `RECORD` itself.
    pub(crate) hash: String,
    /// In bytes, or empty.
    pub(crate) size: String,
}

impl Row {
    /// A row without hash and size, as for bytecode.
    pub(crate) fn unhashed(path: String) -> Self {
        Self {
            path,
            hash: String::new(),
            size: String::new(),
        }
    }

    /// The row of a file that the installer wrote.
    pub(crate) fn hashed(path: String, contents: &[u8]) -> Self {
        let digest = URL_SAFE_NO_PAD.encode(Sha256::digest(contents));
        Self {
            path,
            hash: format!("sha256={digest}"),
            size: contents.len().to_string(),
        }
    }

    /// Like [`Row::hashed`], for a stream.
    pub(crate) fn hashed_stream(path: String, mut reader: impl io::Read) -> io::Result<Self> {
        let (mut hash, mut length) = (Sha256::new(), 0);
        let mut block = vec![0; BLOCK];
        loop {
            match reader.read(&mut block) {
                Ok(0) => break,
                Ok(count) => {
                    hash.update(&block[..count]);
                    length += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        let digest = URL_SAFE_NO_PAD.encode(hash.finalize());
        Ok(Self {
            path,
            hash: format!("sha256={digest}"),
            size: length.to_string(),
        })
    }

    /// Checks that `contents` match this row.
    ///
    /// The wheel specification (binary distribution format, "The .dist-info directory") requires sha256 or better for
    /// every file. The size is optional.
    pub(crate) fn verify(&self, contents: &[u8]) -> Result<(), String> {
        let Some((algorithm, digest)) = self.hash.split_once('=') else {
            return Err(format!("RECORD has no hash for {:?}", self.path));
        };
        let actual = match algorithm {
            "sha256" => URL_SAFE_NO_PAD.encode(Sha256::digest(contents)),
            "sha384" => URL_SAFE_NO_PAD.encode(Sha384::digest(contents)),
            "sha512" => URL_SAFE_NO_PAD.encode(Sha512::digest(contents)),
            _ => {
                return Err(format!(
                    "RECORD uses the insecure hash algorithm {algorithm:?} for {:?}",
                    self.path
                ));
            }
        };
        self.compare(&actual, digest, contents.len() as u64)
    }

    /// Like [`Row::verify`], for a stream. `between` is called between two blocks.
    pub(crate) fn verify_stream<E>(
        &self,
        mut reader: impl io::Read,
        mut between: impl FnMut() -> Result<(), E>,
    ) -> Result<Result<(), String>, E> {
        fn digest<D: sha2::Digest, E>(
            reader: &mut impl io::Read,
            between: &mut impl FnMut() -> Result<(), E>,
        ) -> Result<io::Result<(String, u64)>, E> {
            let (mut hash, mut length) = (D::new(), 0);
            let mut block = vec![0; BLOCK];
            loop {
                between()?;
                match reader.read(&mut block) {
                    Ok(0) => return Ok(Ok((URL_SAFE_NO_PAD.encode(hash.finalize()), length))),
                    Ok(count) => {
                        hash.update(&block[..count]);
                        length += count as u64;
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Ok(Err(error)),
                }
            }
        }
        let Some((algorithm, expected)) = self.hash.split_once('=') else {
            return Ok(Err(format!("RECORD has no hash for {:?}", self.path)));
        };
        let actual = match algorithm {
            "sha256" => digest::<Sha256, E>(&mut reader, &mut between)?,
            "sha384" => digest::<Sha384, E>(&mut reader, &mut between)?,
            "sha512" => digest::<Sha512, E>(&mut reader, &mut between)?,
            _ => return Ok(self.verify(&[])),
        };
        Ok(actual
            .map_err(|error| error.to_string())
            .and_then(|(actual, length)| self.compare(&actual, expected, length)))
    }

    fn compare(&self, actual: &str, digest: &str, length: u64) -> Result<(), String> {
        if actual != digest.trim_end_matches('=') {
            return Err(format!("the hash of {:?} differs from RECORD", self.path));
        }
        if !self.size.is_empty() && self.size != length.to_string() {
            return Err(format!(
                "the size of {:?} is {} bytes, RECORD has {}",
                self.path, length, self.size
            ));
        }
        Ok(())
    }
}

/// Reads the rows of a `RECORD` in their order.
///
/// # Errors
///
/// What is wrong with the text, for a caller that knows the path.
pub(crate) fn read(text: &[u8]) -> Result<Vec<Row>, String> {
    rows(text).collect()
}

/// Like [`read`], row by row, for a `RECORD` of any size.
pub(crate) fn rows(text: impl io::Read) -> impl Iterator<Item = Result<Row, String>> {
    let reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(Lines { text, length: 0 });
    reader.into_records().map(|record| {
        let record = record.map_err(|error| format!("RECORD cannot be read: {error}"))?;
        let field = |index| record.get(index).unwrap_or_default().to_string();
        if record.len() > 3 {
            return Err(format!(
                "RECORD has more than three fields for {:?}",
                field(0)
            ));
        }
        Ok(Row {
            path: field(0),
            hash: field(1),
            size: field(2),
        })
    })
}

/// A stream that fails if a line is too long.
struct Lines<R> {
    text: R,
    length: usize,
}

impl<R: io::Read> io::Read for Lines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.text.read(buffer)?;
        let read = &buffer[..count];
        self.length = match read.iter().rposition(|byte| *byte == b'\n') {
            Some(end) => count - end,
            None => self.length + count,
        };
        if self.length > LONGEST_LINE {
            return Err(io::Error::other("it has a line that is too long"));
        }
        Ok(count)
    }
}

/// Renders the rows as pip does: sorted by path, CRLF after each, quotes only where they are needed.
pub(crate) fn render(rows: &mut [Row]) -> String {
    rows.sort_unstable();
    let mut writer = WriterBuilder::new()
        .terminator(Terminator::CRLF)
        .quote_style(QuoteStyle::Necessary)
        .from_writer(Vec::new());
    let written: Result<(), csv::Error> = rows
        .iter()
        .try_for_each(|row| writer.write_record([&row.path, &row.hash, &row.size]));
    let text = written.map_err(io::Error::from).and_then(|()| {
        writer
            .into_inner()
            .map_err(|error| io::Error::other(error.to_string()))
    });
    String::from_utf8(text.expect("memory takes every row of three fields")).expect("rows are text")
}

#[cfg(test)]
mod tests {
    use crate::installed::record::{Row, read, render};

    fn row(path: &str, hash: &str, size: &str) -> Row {
        Row {
            path: path.into(),
            hash: hash.into(),
            size: size.into(),
        }
    }

    #[test]
    fn rows_are_sorted_by_path_and_end_with_crlf() {
        let mut rows = [
            row("pip/__init__.py", "sha256=a", "1"),
            row("../../../bin/pip", "sha256=b", "2"),
        ];
        assert_eq!(
            render(&mut rows),
            "../../../bin/pip,sha256=b,2\r\npip/__init__.py,sha256=a,1\r\n"
        );
    }

    #[test]
    fn only_commas_quotes_and_line_ends_are_quoted() {
        let mut rows = [
            row("a b'c;d", "", ""),
            row("a,b", "", ""),
            row("a\"b", "", ""),
        ];
        assert_eq!(
            render(&mut rows),
            "a b'c;d,,\r\n\"a\"\"b\",,\r\n\"a,b\",,\r\n"
        );
    }

    #[test]
    fn a_rendered_record_can_be_parsed() {
        let mut rows = vec![
            row("a,b", "sha256=x", "3"),
            row("c\"d", "", ""),
            row("é\r\nf", "", ""),
        ];
        let text = render(&mut rows);
        assert_eq!(read(text.as_bytes()), Ok(rows));
    }

    #[test]
    fn a_row_has_one_to_three_fields() {
        assert_eq!(
            read(b"a,sha256=x\nb\n"),
            Ok(vec![row("a", "sha256=x", ""), row("b", "", "")])
        );
        assert!(read(b"a,b,c,d\n").is_err());
    }

    #[test]
    fn the_row_of_installer_equals_the_row_of_pip() {
        let expected = row(
            "x/INSTALLER",
            "sha256=zuuue4knoyJ-UwPPXg8fezS7VCrXJQrAP7zeNuwvFQg",
            "4",
        );
        assert_eq!(Row::hashed("x/INSTALLER".into(), b"pip\n"), expected);
        assert_eq!(expected.verify(b"pip\n"), Ok(()));
    }

    #[test]
    fn a_mismatch_with_a_row_has_a_reason() {
        let good = Row::hashed("a".into(), b"pip\n");
        assert!(
            good.verify(b"pop\n")
                .unwrap_err()
                .contains("differs from RECORD")
        );
        let wrong_size = Row {
            size: "5".into(),
            ..good.clone()
        };
        assert!(
            wrong_size
                .verify(b"pip\n")
                .unwrap_err()
                .contains("RECORD has 5")
        );
        assert!(
            row("a", "md5=x", "4")
                .verify(b"pip\n")
                .unwrap_err()
                .contains("insecure")
        );
        assert!(
            row("a", "", "4")
                .verify(b"pip\n")
                .unwrap_err()
                .contains("no hash")
        );
    }
}
