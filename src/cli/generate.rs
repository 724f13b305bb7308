//! `--completions` and `--man`, generated from the definition of the command line.

use std::io;

use clap::CommandFactory as _;
use clap_complete::{Generator, Shell as Completed, generate};
use clap_complete_nushell::Nushell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

use crate::cli::args::{Args, CompletionShell, EXAMPLES, command};
use crate::cli::compat;

/// The completion script for a shell.
pub(crate) fn completions(shell: CompletionShell) -> Vec<u8> {
    match shell {
        CompletionShell::Bash => script(Completed::Bash),
        CompletionShell::Zsh => script(Completed::Zsh),
        CompletionShell::Fish => script(Completed::Fish),
        CompletionShell::PowerShell => script(Completed::PowerShell),
        CompletionShell::Elvish => script(Completed::Elvish),
        CompletionShell::Nushell => script(Nushell),
    }
}

fn script(generator: impl Generator) -> Vec<u8> {
    let mut text = Vec::new();
    generate(generator, &mut command(), "rvenv", &mut text);
    text
}

/// The man page, in roff.
///
/// # Errors
///
/// None: it is written into memory.
pub(crate) fn man() -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    let page = Man::new(Args::command());
    page.render_title(&mut text)?;
    page.render_name_section(&mut text)?;
    page.render_synopsis_section(&mut text)?;
    page.render_description_section(&mut text)?;
    page.render_options_section(&mut text)?;
    // Columns must not be filled into paragraphs.
    for (heading, lines) in [
        ("COMPATIBILITY", compat::help()),
        ("EXAMPLES", EXAMPLES.into()),
    ] {
        let mut section = Roff::new();
        section.control("SH", [heading]).control("nf", []);
        for line in lines.lines() {
            section.text([roman(line)]);
        }
        section.control("fi", []).to_writer(&mut text)?;
    }
    page.render_version_section(&mut text)?;
    Ok(text)
}
