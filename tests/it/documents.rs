//! Runs the commands in the documentation as they are written, and compares their output.
//!
//! A ```` ```console ```` block contains commands after `$ `, each followed by its output. The blocks of a document form one bash session
//! in one directory. In the output `...` matches anything, and versions and times may differ.

use std::fmt::Write as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use fs_err as fs;

use crate::env::{PATH, TestEnv, program, shared_cache};
use crate::interpreters::{find_cpython, newest};
use crate::needs::{CHECKOUT, PYTHON_3_12, PYTHON_3_13};
use crate::wheel::write_wheel;

crate::harness::trials! {
    the_commands_of_the_readme_do_what_it_says needs [CHECKOUT, PYTHON_3_12, PYTHON_3_13],
    the_commands_of_the_guide_do_what_it_says needs [CHECKOUT, PYTHON_3_12, PYTHON_3_13],
    the_commands_of_every_other_document_do_what_it_says needs [CHECKOUT, PYTHON_3_12, PYTHON_3_13],
    the_recording_shows_what_the_program_prints needs [CHECKOUT, PYTHON_3_12, PYTHON_3_13],
    other_blocks_say_why_they_are_not_run needs [CHECKOUT],
}

/// Between the outputs of two commands.
const MARK: char = '\u{1e}';

/// A file of the checkout. The packaged crate does not contain all of them.
fn read(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    CHECKOUT.is_listed();
    fs::read_to_string(path).unwrap()
}

/// README.md and the pages of docs/.
fn documents() -> Vec<String> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let pages = fs::read_dir(docs).unwrap();
    let pages = pages.map(|page| page.unwrap().file_name().into_string().unwrap());
    let pages = pages.filter(|name| Path::new(name).extension() == Some("md".as_ref()));
    let mut names: Vec<_> = pages.map(|name| format!("docs/{name}")).collect();
    names.push("README.md".into());
    names.sort();
    names
}

/// The code blocks of a document: the opening line and the contents of each.
fn blocks(text: &str) -> Vec<(&str, Vec<&str>)> {
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(info) = line.trim_start().strip_prefix("```") {
            let inside = lines.by_ref();
            let inside = inside.take_while(|line| line.trim() != "```");
            blocks.push((info, inside.collect()));
        }
    }
    blocks
}

struct Command<'a> {
    line: &'a str,
    shown: Vec<&'a str>,
}

/// The commands of a document's console blocks.
fn commands(text: &str) -> Vec<Command<'_>> {
    let mut commands: Vec<Command<'_>> = Vec::new();
    for (_, lines) in blocks(text)
        .into_iter()
        .filter(|block| block.0 == "console")
    {
        for (number, line) in lines.into_iter().enumerate() {
            if let Some(line) = line.strip_prefix("$ ") {
                let shown = Vec::new();
                commands.push(Command { line, shown });
            } else {
                assert!(number > 0, "a block begins without a command: {line}");
                commands.last_mut().unwrap().shown.push(line);
            }
        }
    }
    commands
}

/// Prepares a directory as a reader has it, with a requirements file and an index with those packages. Returns a PATH with some Pythons.
fn session(env: &TestEnv) -> String {
    let bin = env.root().join("bin");
    fs::create_dir(&bin).unwrap();
    symlink(program(), bin.join("rvenv")).unwrap();
    symlink(&newest().executable, bin.join("python3")).unwrap();
    PYTHON_3_12.is_listed();
    symlink(
        &find_cpython(12).unwrap().executable,
        bin.join("python3.12"),
    )
    .unwrap();
    write_wheel(env, &env.root().join("wheels"), "demo", "1.0");
    fs::write(env.at("requirements.txt"), "demo\n").unwrap();
    format!(
        "{}:{}:{PATH}",
        bin.display(),
        with_the_module(env).display()
    )
}

/// A folder with a `python3.13` that has the package, as pip installs it: the module, and the program beside the Python.
fn with_the_module(env: &TestEnv) -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/rvenv");
    let prefix = env.root().join("installed");
    PYTHON_3_13.is_listed();
    let python = find_cpython(13).unwrap();
    env.rvenv_for(python, ["--without-pip", prefix.to_str().unwrap()])
        .succeeds();
    let library = prefix.join(format!("lib/{}/site-packages", python.python_folder()));
    symlink(package, library.join("rvenv")).unwrap();
    let bin = prefix.join("bin");
    symlink(program(), bin.join("rvenv")).unwrap();
    bin
}

/// Runs the commands of a document.
fn run(name: &str) {
    run_text(name, &read(name));
}

fn run_text(name: &str, text: &str) {
    let commands = commands(text).into_iter();
    let (built, run): (Vec<_>, Vec<_>) =
        commands.partition(|command| command.line.starts_with("cargo "));
    // They take minutes, and CI runs them.
    for Command { line, shown } in built {
        let ci = read(".ci/run");
        assert!(
            ci.lines().any(|ci| ci.ends_with(line)),
            "{name}: .ci/run has no {line}"
        );
        assert!(shown.is_empty(), "{name}: not compared: {line}");
    }
    if run.is_empty() {
        return;
    }
    let env = TestEnv::new();
    let path = session(&env);
    let mut script = String::new();
    for Command { line, .. } in &run {
        // A command finds the status of the one before in `$?`.
        let said = format!("status=$?; printf '{MARK}%s{MARK}' $status; (exit $status)");
        writeln!(script, "{{ {line}\n}} 2>&1; {said}").unwrap();
    }
    let outcome = env
        .run("bash", ["-c", &script])
        .var("PATH", path)
        .var("RVENV_CACHE_DIR", shared_cache())
        .var("PIP_NO_INDEX", "1")
        .var("PIP_FIND_LINKS", env.root().join("wheels"))
        .outcome();
    let parts: Vec<_> = outcome.stdout.split(MARK).collect();
    assert_eq!(parts.len(), run.len() * 2 + 1, "{name}: {outcome}");
    for (Command { line, shown }, part) in run.iter().zip(parts.chunks(2)) {
        // A failure is expected if its error message is shown.
        assert!(
            part[1] == "0" || !shown.is_empty(),
            "{name}: {line}: {outcome}"
        );
        let (shown, printed) = (shown.join("\n"), as_a_reader_has_it(&env, part[0]));
        let is_same = matches(&without_versions(&shown), &without_versions(&printed));
        assert!(
            shown.is_empty() || is_same,
            "{name}: `{line}` prints\n{printed}\nand not\n{shown}"
        );
    }
}

/// The output, with the directory names of a reader.
fn as_a_reader_has_it(env: &TestEnv, printed: &str) -> String {
    let python = fs::canonicalize(&newest().executable).unwrap();
    let names = [
        (env.work(), "/home/me/project"),
        (env.root().join("home"), "/home/me"),
        (env.root().join("bin"), "/usr/local/bin"),
        (python.parent().unwrap().into(), "/usr/local/bin"),
        (
            newest().executable.parent().unwrap().into(),
            "/usr/local/bin",
        ),
    ];
    names.iter().fold(printed.to_owned(), |text, (path, name)| {
        text.replace(path.to_str().unwrap(), name)
    })
}

/// A text with `#` instead of numbers with a dot, such as versions and times, which may differ.
fn without_versions(text: &str) -> Vec<String> {
    let is_number = |c: char| c.is_ascii_digit() || c == '.';
    let plain = |line: &str| {
        let mut plain = String::new();
        let mut rest = line;
        while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
            let (before, number) = rest.split_at(start);
            let end = number.find(|c| !is_number(c)).unwrap_or(number.len());
            let (number, after) = number.split_at(end);
            plain += before;
            plain += if number.contains('.') { "#" } else { number };
            rest = after;
        }
        plain + rest
    };
    text.lines().map(plain).collect()
}

/// Whether the output matches the document, in which `...` matches anything, or any lines if it is a line by itself.
fn matches(shown: &[String], printed: &[String]) -> bool {
    match (shown, printed) {
        ([any, rest @ ..], _) if any == "..." => {
            (0..=printed.len()).any(|skipped| matches(rest, &printed[skipped..]))
        }
        ([line, rest @ ..], [printed, others @ ..]) => {
            matches_line(line, printed) && matches(rest, others)
        }
        _ => shown.is_empty() && printed.is_empty(),
    }
}

fn matches_line(shown: &str, printed: &str) -> bool {
    let Some((start, rest)) = shown.split_once("...") else {
        return shown == printed;
    };
    let Some(printed) = printed.strip_prefix(start) else {
        return false;
    };
    let mut ends = (0..=printed.len()).filter(|end| printed.is_char_boundary(*end));
    ends.any(|end| matches_line(rest, &printed[end..]))
}

fn the_commands_of_the_readme_do_what_it_says() {
    run("README.md");
}

fn the_commands_of_the_guide_do_what_it_says() {
    run("docs/guide.md");
}

fn the_commands_of_every_other_document_do_what_it_says() {
    for name in documents() {
        if !["README.md", "docs/guide.md"].contains(&&*name) {
            run(&name);
        }
    }
}

/// `benches/record.py` has recorded it at a terminal, where the first run prints how to activate the environment, and with other
/// Pythons.
fn the_recording_shows_what_the_program_prints() {
    let picture = read("docs/terminal.svg");
    for foreign in ["<script", "href", "url("] {
        assert!(!picture.contains(foreign), "{foreign}");
    }
    let lines = picture.lines().filter(|line| line.starts_with("<text "));
    let lines = lines.map(|line| line.split(['<', '>']).nth(2).unwrap());
    let mut session = String::from("```console\n");
    let mut command = "";
    for line in lines {
        let is_command = line.starts_with("$ ");
        command = if is_command { line } else { command };
        if is_command || !["$ rvenv .venv", "$ rvenv --list-pythons"].contains(&command) {
            writeln!(session, "{line}").unwrap();
        }
    }
    session += "```\n";
    assert!(session.matches("$ rvenv").count() >= 5, "{session}");
    run_text("docs/terminal.svg", &session);
}

/// Shell commands that no test can run, such as those for another system, are in other kinds of blocks.
fn other_blocks_say_why_they_are_not_run() {
    for name in documents() {
        for (info, lines) in blocks(&read(&name)) {
            let (language, reason) = info.split_once(' ').unwrap_or((info, ""));
            let is_shell = ["sh", "bash", "shell", "powershell", "cmd"].contains(&language);
            assert!(
                !is_shell || reason.len() > 5,
                "{name}: no reason: ```{info}"
            );
            let prompts = lines.iter().any(|line| line.starts_with("$ "));
            assert!(
                !prompts || language == "console",
                "{name}: ```{info} has a prompt"
            );
        }
    }
}
