//! The shebang of console scripts: a `#!` line, or `/bin/sh` where that would be too long or has spaces (distlib's rule).

/// A whole script: `body` as `ScriptTemplates::body` made it, started by `executable`.
pub(crate) fn render(executable: &str, body: &str, limit: usize) -> String {
    let shebang = shebang(executable, limit);
    // Where the old distlib ended the shebang twice, the three lines had no end of their own.
    let body = if is_simple(executable, limit) {
        body
    } else {
        body.strip_prefix('\n').unwrap_or(body)
    };
    format!("{shebang}{body}")
}

/// The first lines of a script, with the end of the last one, by distlib's rule (`ScriptMaker._build_shebang`).
///
/// Unlike distlib: where a character of the path would end the line, be a coding cookie, or be expanded by the shell,
/// Python is found beside the script instead, because nothing in a name is ever executed.
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

/// distlib's condition for a plain `#!` line: three more bytes are the `#!` and the line's end.
fn is_simple(executable: &str, limit: usize) -> bool {
    !executable.contains(' ') && executable.len() + 3 <= limit
}

/// First lines that start the Python beside the script, wherever both are: for `--relocatable`.
///
/// A symlink to the script is followed by `readlink` alone, because `realpath` is missing on older systems. The whole is
/// a string to Python, so there is no backslash and no `'''` within it.
pub(crate) fn launcher(executable: &str) -> String {
    let name = executable.rsplit('/').next().unwrap_or_default();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '+');
    // Every environment has a `python`; a name that the shell would read otherwise is not worth quoting.
    let name = if !name.is_empty() && name.chars().all(is_plain) {
        name
    } else {
        "python"
    };
    format!(
        r#"#!/bin/sh
''':'
script=$0
case $script in /*) ;; *) script=./$script ;; esac
while [ -h "$script" ]; do
    target=$(readlink "$script" && echo .)
    target=${{target%??}}
    case $target in /*) script=$target ;; *) script=${{script%/*}}/$target ;; esac
done
exec "${{script%/*}}/{name}" "$0" "$@"
' '''
"#
    )
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
