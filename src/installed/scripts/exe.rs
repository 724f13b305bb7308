//! Console scripts on Windows: pip's launcher, the shebang, and a zip archive with the script (distlib's
//! `ScriptMaker._write_script`).
//!
//! The launchers of uv are not changed: theirs is a path in a resource of the program, whose space is fixed when it is
//! made, so that another path takes an editor for such programs. They are listed with the files that contain the old path.

use std::time::{SystemTime, UNIX_EPOCH};

/// The name of the script in the archive.
const MAIN: &str = "__main__.py";
/// Newer launchers replace this by their own directory.
const FOLDER: &str = r"<launcher_dir>\";
/// The lengths of the fixed parts of a zip archive's records, sections 4.3.7, 4.3.12 and 4.3.16 of its specification.
const LOCAL: usize = 30;
const CENTRAL: usize = 46;
const END: usize = 22;

/// The path of pip's launcher for a Python with this `sysconfig.get_platform()`.
pub(crate) fn path(machine: &str) -> &'static str {
    match machine {
        "win-arm64" => "pip/_vendor/distlib/t64-arm.exe",
        "win32" => "pip/_vendor/distlib/t32.exe",
        _ => "pip/_vendor/distlib/t64.exe",
    }
}

/// A timestamp in a zip archive: date and time, two bytes each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Time {
    date: u16,
    time: u16,
}

impl Time {
    /// `SOURCE_DATE_EPOCH`, or now. Unlike distlib, the time is always in UTC, so that it does not depend on the time
    /// zone.
    pub(crate) fn new(source_date_epoch: Option<&str>) -> Self {
        let given = source_date_epoch.and_then(|value| value.trim().parse().ok());
        given.map_or_else(Self::now, Self::at)
    }

    fn now() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        Self::at(now.unwrap_or_default().as_secs())
    }

    /// From seconds since 1970. The format starts with 1980.
    fn at(seconds: u64) -> Self {
        let (mut year, mut days, second) = (1970, seconds / 86_400, seconds % 86_400);
        let is_leap = |year: u64| {
            year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400)
        };
        while days >= 365 + u64::from(is_leap(year)) {
            days -= 365 + u64::from(is_leap(year));
            year += 1;
        }
        let february = 28 + u64::from(is_leap(year));
        let lengths = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        let mut month = 1;
        for length in lengths {
            if days < length {
                break;
            }
            days -= length;
            month += 1;
        }
        if !(1980..=2107).contains(&year) {
            return Self {
                date: (1 << 5) | 1,
                time: 0,
            };
        }
        let word = |value: u64| u16::try_from(value).unwrap_or(u16::MAX);
        Self {
            date: word(((year - 1980) << 9) | (month << 5) | (days + 1)),
            time: word(((second / 3600) << 11) | ((second / 60 % 60) << 5) | (second % 60 / 2)),
        }
    }
}

/// A program that runs `body` with the Python `executable`.
pub(crate) fn render(launcher: &[u8], executable: &str, body: &str, time: Time) -> Vec<u8> {
    let quote = if executable.contains(' ') { "\"" } else { "" };
    // distlib ends the line as on Unix, does not recognize that on Windows, and ends it again.
    let shebang = format!("#!{quote}{executable}{quote}\n\r\n");
    [launcher, shebang.as_bytes(), &archive(body, time)].concat()
}

/// The path with which a program finds the Python in its own directory; `None` if its launcher is too old.
pub(crate) fn beside(launcher: &[u8], python: &str) -> Option<String> {
    let wide: Vec<u8> = FOLDER.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let knows = |text: &[u8]| launcher.windows(text.len()).any(|window| window == text);
    (knows(&wide) || knows(FOLDER.as_bytes())).then(|| format!("{FOLDER}{python}"))
}

/// What Python's `zipfile` writes on Windows for a text: stored, readable only by its owner.
fn archive(body: &str, time: Time) -> Vec<u8> {
    let size = u32::try_from(body.len()).unwrap_or(u32::MAX);
    let name = u16::try_from(MAIN.len()).unwrap_or(u16::MAX);
    // Version 2.0, no flags, stored.
    let mut common = vec![20, 0, 0, 0, 0, 0];
    for word in [time.time, time.date] {
        common.extend(word.to_le_bytes());
    }
    for long in [crc32fast::hash(body.as_bytes()), size, size] {
        common.extend(long.to_le_bytes());
    }
    common.extend(name.to_le_bytes());
    common.extend([0, 0]);

    let mut zip = b"PK\x03\x04".to_vec();
    zip.extend(&common);
    zip.extend(MAIN.bytes());
    zip.extend(body.bytes());
    let directory = zip.len();
    // Made by version 2.0 on MS-DOS.
    zip.extend(b"PK\x01\x02\x14\x00");
    zip.extend(&common);
    // No comment, first disk, no internal attributes; the mode 0600 in the upper half; the first entry.
    zip.extend([0; 6]);
    zip.extend((0o600_u32 << 16).to_le_bytes());
    zip.extend([0; 4]);
    zip.extend(MAIN.bytes());
    let length = zip.len() - directory;
    zip.extend(b"PK\x05\x06\x00\x00\x00\x00\x01\x00\x01\x00");
    for long in [length, directory] {
        zip.extend(u32::try_from(long).unwrap_or(u32::MAX).to_le_bytes());
    }
    zip.extend([0, 0]);
    zip
}

/// The script in a program that [`render`] or distlib created.
pub(crate) fn body(program: &[u8]) -> Option<String> {
    let (start, directory, end) = archive_in(program)?;
    let (zip, entry) = (program.get(start..)?, program.get(directory..end)?);
    // 4.3.12: the name follows the fixed part; the extra field and the comment follow the name.
    let name = short(entry, 28)?;
    let is_ours = zip.starts_with(b"PK\x03\x04")
        && entry.starts_with(b"PK\x01\x02")
        && entry.len() == CENTRAL + name + short(entry, 30)? + short(entry, 32)?
        && short(entry, 10)? == 0
        && entry.get(CENTRAL..CENTRAL + name)? == MAIN.as_bytes();
    // 4.3.7: the local header may have an extra field of its own.
    let contents = LOCAL + short(zip, 26)? + short(zip, 28)?;
    let text = zip.get(contents..)?.get(..long(entry, 24)?)?;
    is_ours.then(|| String::from_utf8(text.to_vec()).ok())?
}

/// The parts of a program that [`render`] or distlib created.
pub(crate) struct Program<'a> {
    pub(crate) launcher: &'a [u8],
    /// The Python that it runs.
    pub(crate) executable: &'a str,
    /// The rest: options, line end and archive.
    rest: &'a [u8],
}

impl<'a> Program<'a> {
    /// Splits a program into its parts; `None` if it contains no path of a Python.
    pub(crate) fn read(program: &'a [u8]) -> Option<Self> {
        let before = &program[..archive_in(program)?.0];
        let at = memchr::memmem::rfind(before, b"#!")?;
        let line = str::from_utf8(&before[at + 2..]).ok()?;
        let (executable, length) = if let Some(quoted) = line.strip_prefix('"') {
            let end = quoted.find('"')?;
            (&quoted[..end], end + 2)
        } else {
            let end = line.find(char::is_whitespace)?;
            (&line[..end], end)
        };
        Some(Self {
            launcher: &before[..at],
            executable,
            rest: &program[at + 2 + length..],
        })
    }

    /// Whether it runs a Python of its own directory, see [`beside`].
    pub(crate) fn is_beside(&self) -> bool {
        self.executable.starts_with(FOLDER)
    }

    /// The same program for another Python.
    pub(crate) fn with_interpreter(&self, executable: &str) -> Vec<u8> {
        let quote = if executable.contains(' ') { "\"" } else { "" };
        let shebang = format!("#!{quote}{executable}{quote}");
        [self.launcher, shebang.as_bytes(), self.rest].concat()
    }
}

/// The offsets of a program's archive, of its central directory, and of the end of that.
fn archive_in(program: &[u8]) -> Option<(usize, usize, usize)> {
    let end = program.len().checked_sub(END)?;
    let is_end = program[end..].starts_with(b"PK\x05\x06");
    let directory = end.checked_sub(long(program, end + 12)?)?;
    let start = directory.checked_sub(long(program, end + 16)?)?;
    is_end.then_some((start, directory, end))
}

/// The 16-bit number at `at`.
fn short(bytes: &[u8], at: usize) -> Option<usize> {
    let number = bytes.get(at..)?.first_chunk::<2>()?;
    Some(u16::from_le_bytes(*number).into())
}

/// The 32-bit number at `at`.
fn long(bytes: &[u8], at: usize) -> Option<usize> {
    let number = bytes.get(at..)?.first_chunk::<4>()?;
    usize::try_from(u32::from_le_bytes(*number)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dos_times_are_calendar_times() {
        for (seconds, year, month, day, hour, minute, second) in [
            (0_u64, 1980_u16, 1_u16, 1_u16, 0_u16, 0_u16, 0_u16),
            (1_700_000_000, 2023, 11, 14, 22, 13, 20),
            (951_782_400, 2000, 2, 29, 0, 0, 0),
            (1_735_689_599, 2024, 12, 31, 23, 59, 58),
        ] {
            let expected = Time {
                date: ((year - 1980) << 9) | (month << 5) | day,
                time: (hour << 11) | (minute << 5) | (second / 2),
            };
            assert_eq!(Time::at(seconds), expected, "{seconds}");
        }
    }

    #[test]
    fn a_rendered_program_can_be_parsed() {
        let time = Time::new(Some("1700000000"));
        for (executable, line) in [
            (
                r"C:\env\Scripts\python.exe",
                "#!C:\\env\\Scripts\\python.exe\n\r\n",
            ),
            (r"C:\a b\python.exe", "#!\"C:\\a b\\python.exe\"\n\r\n"),
        ] {
            let program = render(b"MZ launcher", executable, "print('é')\n", time);
            let rest = program.strip_prefix(b"MZ launcher").unwrap();
            assert!(rest.starts_with(line.as_bytes()));
            assert_eq!(body(&program).as_deref(), Some("print('é')\n"));
        }
        assert_eq!(body(b"MZ no archive at all, but some length"), None);
    }

    #[test]
    fn the_script_is_read_from_an_archive_with_extra_fields() {
        let mut zip = archive("pass\n", Time::new(Some("1700000000")));
        let directory = LOCAL + MAIN.len() + "pass\n".len();
        // The later parts first, so that the earlier offsets stay the same.
        let end = zip.len() - END;
        zip[end + 12] += 4;
        zip[end + 16] += 6;
        zip[directory + 30] = 4;
        zip.splice(end..end, *b"\xfe\xca\0\0");
        zip[28] = 6;
        zip.splice(LOCAL + MAIN.len()..LOCAL + MAIN.len(), *b"\xfe\xca\x02\0xx");
        let program = [b"MZ launcher#!python.exe\n\r\n", zip.as_slice()].concat();
        assert_eq!(body(&program).as_deref(), Some("pass\n"));
    }

    #[test]
    fn the_interpreter_of_a_program_can_be_replaced() {
        let time = Time::new(Some("1700000000"));
        let (one, other) = (r"C:\a b\python.exe", r"D:\x\pythonw.exe");
        let made = |python| render(b"MZ launcher", python, "pass\n", time);
        for (from, to) in [(one, other), (other, one)] {
            let program = made(from);
            let read = Program::read(&program).unwrap();
            assert_eq!(read.executable, from);
            assert_eq!(read.with_interpreter(to), made(to));
        }
        assert!(Program::read(b"MZ no archive at all, but some length").is_none());
    }

    #[test]
    #[cfg(unix)]
    fn the_archive_is_the_one_that_python_makes() {
        let program = "import io, sys, zipfile\n\
            stream = io.BytesIO()\n\
            with zipfile.ZipFile(stream, 'w') as archive:\n\
            \x20   info = zipfile.ZipInfo('__main__.py', (2023, 11, 14, 22, 13, 20))\n\
            \x20   info.create_system = 0\n\
            \x20   archive.writestr(info, 'body\\n')\n\
            sys.stdout.buffer.write(stream.getvalue())\n";
        for python in crate::pip::test_wheels::pythons().iter().rev().take(1) {
            let output = crate::pip::test_wheels::clean(python)
                .args(["-c", program])
                .output()
                .unwrap();
            assert!(output.status.success(), "{output:?}");
            assert_eq!(archive("body\n", Time::at(1_700_000_000)), output.stdout);
        }
    }

    #[test]
    fn a_launcher_that_supports_its_own_folder_is_recognized() {
        let wide: Vec<u8> = FOLDER.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let new = [b"MZ", wide.as_slice(), b"rest"].concat();
        let expected = Some(r"<launcher_dir>\python.exe".to_owned());
        assert_eq!(beside(&new, "python.exe"), expected);
        assert_eq!(beside(b"MZ old", "python.exe"), None);
    }
}
