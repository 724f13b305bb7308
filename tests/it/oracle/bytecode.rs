//! Compares the code objects in the `.pyc` files of two trees, with the Python that compiled them: equal code objects may
//! have different bytes, as marshal writes references depending on reference counts.

use std::{
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

/// The program that created the tree that is compared with a reference.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum MadeBy {
    Rvenv,
    /// `python -m venv`, as the reference.
    Venv,
}

/// The differences in these files, one line each: header, code object, or time and size of the source.
pub(crate) fn differences(
    python: &Path,
    reference: &Path,
    actual: &Path,
    made_by: MadeBy,
    files: &[&Path],
) -> Vec<String> {
    if files.is_empty() {
        return Vec::new();
    }
    let mut command = Command::new(python);
    // A program on Windows does not start without some of its variables.
    #[cfg(unix)]
    command.env_clear().env("LC_ALL", "C.UTF-8");
    let mut child = command
        .args(["-I", "-S", "-c", include_str!("bytecode.py")])
        .args([reference, actual])
        .arg(if made_by == MadeBy::Venv {
            "venv"
        } else {
            "rvenv"
        })
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let names: Vec<_> = files.iter().map(|f| f.to_str().unwrap()).collect();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(names.join("\0").as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "bytecode.py: {stderr}");
    let answer = String::from_utf8(output.stdout).unwrap();
    let mut lines: Vec<_> = answer.lines().map(str::to_owned).collect();
    let last = lines.pop().unwrap();
    assert_eq!(last, format!("{} files", files.len()), "a file was skipped");
    lines
}
