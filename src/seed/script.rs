//! Console scripts: their first lines.

/// The lines that start a script with `executable`, by distlib's rule for kernels that read `limit` bytes of a `#!` line.
pub(crate) fn shebang(executable: &str, limit: usize) -> String {
    if !executable.contains(' ') && executable.len() + 3 <= limit {
        return format!("#!{executable}\n");
    }
    let quote = if executable.contains(' ') { "\"" } else { "" };
    format!("#!/bin/sh\n'''exec' {quote}{executable}{quote} \"$0\" \"$@\"\n' '''\n")
}
