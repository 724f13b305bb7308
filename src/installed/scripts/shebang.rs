//! The shebang of console scripts: a `#!` line, or `/bin/sh` if that line would be too long or contain spaces
//! (distlib's rule).

/// A complete script: `body` as `ScriptTemplates::body` returns it, run by `executable`.
pub(crate) fn render(executable: &str, body: &str, limit: usize) -> String {
    let shebang = shebang(executable, limit);
    // Old versions of distlib end the shebang twice. The three lines then have no line end of their own.
    let body = if is_simple(executable, limit) {
        body
    } else {
        body.strip_prefix('\n').unwrap_or(body)
    };
    format!("{shebang}{body}")
}

/// A script of a wheel, the `#!python` of which pip replaces whatever the path is.
pub(crate) fn one_line(executable: &str, body: &str) -> String {
    format!("#!{executable}\n{body}")
}

/// Whether the first lines of scripts are pip's own for this path.
pub(crate) fn is_written_by_pip(executable: &str, limit: usize) -> bool {
    !executable.contains(['\n', '\r']) && shebang(executable, limit) != launcher(executable)
}

/// The first lines of a script including the last line end, by distlib's rule (`ScriptMaker._build_shebang`).
///
/// Unlike distlib: if a character in the path would end the line, look like a coding cookie, or be expanded by the
/// shell, the script starts the Python in its own directory instead. No part of a name is ever executed.
pub(crate) fn shebang(executable: &str, limit: usize) -> String {
    if is_simple(executable, limit) {
        if executable.contains(['\t', '\n', '\r', '\u{b}', '\u{c}', '\0'])
            || executable.contains("coding:")
            || executable.contains("coding=")
        {
            return launcher(executable);
        }
        return format!("#!{executable}\n");
    }
    let spaced = executable.contains(' ');
    let special: &[char] = if spaced {
        &['"', '$', '`', '\\']
    } else {
        &[
            '"', '$', '`', '\\', '\'', '&', ';', '|', '<', '>', '(', ')', '*', '?', '[', '{', '\t',
            '\n', '\r', '\u{b}', '\u{c}',
        ]
    };
    if executable.contains(special) || executable.contains("'''") {
        return launcher(executable);
    }
    let quote = if spaced { "\"" } else { "" };
    format!("#!/bin/sh\n'''exec' {quote}{executable}{quote} \"$0\" \"$@\"\n' '''\n")
}

/// distlib's condition for a plain `#!` line. The three other bytes are `#!` and the line end.
fn is_simple(executable: &str, limit: usize) -> bool {
    !executable.contains(' ') && executable.len() + 3 <= limit
}

/// The first lines of a script with another option for Python; `None` if they are not understood.
pub(crate) fn with_option(lines: &str, option: &str) -> Option<String> {
    let is_option = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '=' | ':');
    if !option.starts_with('-') || !option.chars().all(is_option) {
        return None;
    }
    Some(match lines.strip_suffix('\n') {
        Some(line) if !line.contains('\n') => format!("{line} {option}\n"),
        _ => lines.replacen("\"$0\" \"$@\"", &format!("{option} \"$0\" \"$@\""), 1),
    })
}

/// The lines of [`launcher`] before the name of the Python.
const LAUNCHER: &str = r#"#!/bin/sh
''':'
script=$0
case $script in /*) ;; *) script=./$script ;; esac
while [ -h "$script" ]; do
    target=$(readlink "$script" && echo .)
    target=${target%??}
    case $target in /*) script=$target ;; *) script=${script%/*}/$target ;; esac
done
exec "${script%/*}/"#;
/// What follows the name, its quote and the options.
const ARGUMENTS: &str = " \"$0\" \"$@\"\n' '''\n";

/// First lines that start the Python in the script's directory, for `--relocatable`.
///
/// Symlinks are resolved with `readlink` only, because older systems have no `realpath`. To Python the lines are a
/// string literal, so they contain neither a backslash nor `'''`.
pub(crate) fn launcher(executable: &str) -> String {
    let name = executable.rsplit('/').next().unwrap_or_default();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '+');
    // Every environment has a `python`, so names with special characters are not quoted.
    let name = if !name.is_empty() && name.chars().all(is_plain) {
        name
    } else {
        "python"
    };
    [LAUNCHER, name, "\"", ARGUMENTS].concat()
}

/// The name of the Python, the options and the length of the first lines that [`launcher`] returns.
pub(crate) fn parse_launcher(script: &[u8]) -> Option<(&str, &str, usize)> {
    let rest = script.strip_prefix(LAUNCHER.as_bytes())?;
    let end =
        rest.iter().position(|byte| *byte == b'\n')? + ARGUMENTS.len() - ARGUMENTS.find('\n')?;
    let lines = str::from_utf8(rest.get(..end)?).ok()?;
    let (name, options) = lines.strip_suffix(ARGUMENTS)?.split_once('"')?;
    Some((name, options.trim(), LAUNCHER.len() + end))
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
