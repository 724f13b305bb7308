//! Detects the shell that rvenv was started from, and the command that activates an environment in it.

use crate::venv::activation::quote;

/// A shell with its own activation command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CurrentShell {
    /// bash and zsh, with `source`.
    Bash,
    /// Other shells of the sh family.
    Sh,
    Csh,
    Fish,
    Nu,
    Xonsh,
    Pwsh,
    Cmd,
}

impl CurrentShell {
    /// Detects the shell from the file name of the parent process's executable, if the system provides it, and
    /// otherwise from variables. The parent has priority, since a variable may be inherited from another shell.
    pub(crate) fn detect(
        parent: Option<&str>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Option<Self> {
        if let Some(shell) = parent.and_then(Self::named) {
            return Some(shell);
        }
        if variable("NU_VERSION").is_some() {
            Some(Self::Nu)
        } else if variable("XONSH_VERSION").is_some() {
            Some(Self::Xonsh)
        } else if let Some(shell) = variable("SHELL") {
            Self::named(&shell)
        } else if variable("PSModulePath").is_some() && variable("PROMPT").is_none() {
            Some(Self::Pwsh)
        } else if variable("ComSpec").is_some() {
            Some(Self::Cmd)
        } else {
            None
        }
    }

    /// The shell with this program name or path, without a login shell's dash and a version.
    fn named(program: &str) -> Option<Self> {
        let name = program.rsplit(['/', '\\']).next().unwrap_or(program);
        let name = name
            .strip_suffix(".exe")
            .unwrap_or(name)
            .trim_start_matches('-');
        match name.trim_end_matches(|character: char| {
            character.is_ascii_digit() || matches!(character, '.' | '-')
        }) {
            "bash" | "zsh" => Some(Self::Bash),
            "sh" | "dash" | "ash" | "ksh" | "mksh" | "lksh" | "oksh" | "loksh" | "pdksh"
            | "yash" | "busybox" => Some(Self::Sh),
            "csh" | "tcsh" | "bsd-csh" => Some(Self::Csh),
            "fish" => Some(Self::Fish),
            "nu" => Some(Self::Nu),
            "xonsh" => Some(Self::Xonsh),
            "pwsh" | "pwsh-preview" | "powershell" => Some(Self::Pwsh),
            "cmd" => Some(Self::Cmd),
            _ => None,
        }
    }
}

/// The command that activates the environment whose scripts are in `bin_path`.
pub(crate) fn activation_command(shell: CurrentShell, bin_path: &str) -> String {
    let (command, name, quote): (_, _, fn(&str) -> String) = match shell {
        CurrentShell::Bash => ("source ", "activate", quote::sh),
        CurrentShell::Sh => (". ", "activate", quote::sh),
        CurrentShell::Csh => ("source ", "activate.csh", quote::csh),
        CurrentShell::Fish => ("source ", "activate.fish", quote::fish),
        CurrentShell::Nu => ("overlay use ", "activate.nu", quote::nu),
        CurrentShell::Xonsh => ("source ", "activate.xsh", quote::python),
        CurrentShell::Pwsh => ("& ", "Activate.ps1", quote::powershell),
        // At the prompt, unlike in a batch file, a percent sign is not doubled.
        CurrentShell::Cmd => ("", "activate.bat", |file| format!("\"{file}\"")),
    };
    let separator = if shell == CurrentShell::Cmd {
        '\\'
    } else {
        '/'
    };
    let file = format!("{bin_path}{separator}{name}");
    if plain(&file) {
        format!("{}{file}", command.trim_start_matches("& "))
    } else {
        format!("{command}{}", quote(&file))
    }
}

/// Whether a path needs no quotes in any shell.
fn plain(file: &str) -> bool {
    file.starts_with('/')
        && file.chars().all(|character| {
            character.is_ascii_alphanumeric() || matches!(character, '/' | '.' | '_' | '-' | '+')
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn detected(parent: Option<&str>, variables: &[(&str, &str)], shell: Option<CurrentShell>) {
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        assert_eq!(CurrentShell::detect(parent, variable), shell);
    }

    #[test]
    fn the_parent_process_determines_the_shell() {
        let zsh = [("SHELL", "/bin/zsh"), ("NU_VERSION", "0.100.0")];
        for (parent, shell) in [
            ("/usr/bin/bash", CurrentShell::Bash),
            ("-zsh", CurrentShell::Bash),
            ("zsh-5.9", CurrentShell::Bash),
            ("dash", CurrentShell::Sh),
            ("ksh93", CurrentShell::Sh),
            ("busybox", CurrentShell::Sh),
            ("tcsh", CurrentShell::Csh),
            ("/opt/homebrew/bin/fish", CurrentShell::Fish),
            ("nu", CurrentShell::Nu),
            (r"C:\Windows\System32\cmd.exe", CurrentShell::Cmd),
            ("powershell.exe", CurrentShell::Pwsh),
        ] {
            detected(Some(parent), &zsh, Some(shell));
        }
    }

    #[test]
    fn variables_determine_the_shell_if_the_parent_is_not_one() {
        for parent in [None, Some("make"), Some("python3.12")] {
            detected(
                parent,
                &[("SHELL", "/usr/bin/fish")],
                Some(CurrentShell::Fish),
            );
            detected(
                parent,
                &[("SHELL", "/bin/zsh"), ("NU_VERSION", "0.100.0")],
                Some(CurrentShell::Nu),
            );
            detected(
                parent,
                &[("SHELL", "/bin/zsh"), ("XONSH_VERSION", "0.20")],
                Some(CurrentShell::Xonsh),
            );
            detected(
                parent,
                &[
                    ("ComSpec", "cmd.exe"),
                    ("PSModulePath", "x"),
                    ("PROMPT", "$P$G"),
                ],
                Some(CurrentShell::Cmd),
            );
            detected(
                parent,
                &[("ComSpec", "cmd.exe"), ("PSModulePath", "x")],
                Some(CurrentShell::Pwsh),
            );
            detected(parent, &[("SHELL", "/bin/false")], None);
            detected(parent, &[], None);
        }
    }

    #[test]
    fn the_command_is_quoted_only_if_necessary() {
        for (shell, plain, quoted) in [
            (
                CurrentShell::Bash,
                "source /e/bin/activate",
                r"source '/it'\''s/activate'",
            ),
            (
                CurrentShell::Sh,
                ". /e/bin/activate",
                r". '/it'\''s/activate'",
            ),
            (
                CurrentShell::Csh,
                "source /e/bin/activate.csh",
                r"source '/it'\''s/activate.csh'",
            ),
            (
                CurrentShell::Fish,
                "source /e/bin/activate.fish",
                r"source '/it\'s/activate.fish'",
            ),
            (
                CurrentShell::Nu,
                "overlay use /e/bin/activate.nu",
                "overlay use \"/it's/activate.nu\"",
            ),
            (
                CurrentShell::Xonsh,
                "source /e/bin/activate.xsh",
                r"source '/it\'s/activate.xsh'",
            ),
            (
                CurrentShell::Pwsh,
                "/e/bin/Activate.ps1",
                "& '/it''s/Activate.ps1'",
            ),
        ] {
            assert_eq!(activation_command(shell, "/e/bin"), plain);
            assert_eq!(activation_command(shell, "/it's"), quoted);
        }
        let line = activation_command(CurrentShell::Cmd, r"C:\100%\Scripts");
        assert_eq!(line, "\"C:\\100%\\Scripts\\activate.bat\"");
    }
}
