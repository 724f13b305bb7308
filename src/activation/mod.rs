//! The activation scripts: which there are, and the values that make each template one environment's own.
//! Knows no file system and no shell but by its grammar: it returns text.

mod prompt;
pub(crate) mod quote;
pub(crate) mod shell;

use std::borrow::Cow;

/// What the scripts of one environment say.
pub(crate) struct Values<'a> {
    /// The final absolute path of the environment.
    pub(crate) virtual_env: &'a str,
    /// The bare name that the prompt shows between parentheses.
    pub(crate) prompt: &'a str,
    /// The folder of the scripts: `bin`, or `Scripts` on Windows.
    pub(crate) bin_name: &'a str,
    /// Whether the scripts find the environment from their own place, and name no path.
    pub(crate) relocatable: bool,
}

/// One rendered file of the folder of scripts.
pub(crate) struct Script {
    /// The name of the file.
    pub(crate) name: &'static str,
    /// What it says, line ends as its readers want them.
    pub(crate) contents: Vec<u8>,
}

/// One kind of script: its file, and the rules of the language that it is written in.
struct Template {
    name: &'static str,
    text: &'static str,
    /// Writes any string as a literal of the language.
    quote: fn(&str) -> String,
    /// The command that activates the environment at a path, written for people.
    command: fn(&str) -> String,
    /// The value of a placeholder that only this language has.
    own: fn(&str, &Values<'_>) -> Option<String>,
    on: On,
}

/// The systems that get a script. venv installs no csh script on Windows, and the batch files nowhere else.
#[derive(Clone, Copy, PartialEq, Eq)]
enum On {
    All,
    Posix,
    Windows,
}

fn batch_carries(values: &Values<'_>) -> bool {
    let path = values.relocatable || quote::cmd_carries(values.virtual_env);
    path && quote::cmd_carries(values.prompt)
}

fn yes_or_no(condition: bool) -> String {
    if condition { "yes" } else { "no" }.to_owned()
}

const TEMPLATES: [Template; 9] = [
    Template {
        name: "activate",
        text: include_str!("../../templates/activate"),
        quote: quote::sh,
        command: |file| format!(". {}", quote::sh(file)),
        own: |placeholder, values| match placeholder {
            "SH_PROMPT" => Some(quote::sh(&prompt::sh(values.prompt))),
            "KSH_PROMPT" => Some(quote::sh(&prompt::ksh(values.prompt))),
            "YASH_PROMPT" => Some(quote::sh(&prompt::yash(values.prompt))),
            "ZSH_PROMPT" => Some(quote::sh(&prompt::zsh(values.prompt))),
            _ => None,
        },
        on: On::All,
    },
    Template {
        name: "activate.csh",
        text: include_str!("../../templates/activate.csh"),
        quote: quote::csh,
        command: |file| format!("source {}", quote::csh(file)),
        own: |placeholder, values| {
            (placeholder == "CSH_PROMPT").then(|| quote::csh(&prompt::csh(values.prompt)))
        },
        on: On::Posix,
    },
    Template {
        name: "activate.fish",
        text: include_str!("../../templates/activate.fish"),
        quote: quote::fish,
        command: |file| format!("source {}", quote::fish(file)),
        own: |_, _| None,
        on: On::All,
    },
    Template {
        name: "activate.nu",
        text: include_str!("../../templates/activate.nu"),
        quote: quote::nu,
        command: |file| format!("overlay use {}", quote::nu(file)),
        own: |_, _| None,
        on: On::All,
    },
    Template {
        name: "activate.xsh",
        text: include_str!("../../templates/activate.xsh"),
        quote: quote::python,
        command: |file| format!("source {}", quote::python(file)),
        own: |_, _| None,
        on: On::All,
    },
    Template {
        name: "activate_this.py",
        text: include_str!("../../templates/activate_this.py"),
        quote: quote::python,
        command: |file| format!("runpy.run_path({})", quote::python(file)),
        own: |_, _| None,
        on: On::All,
    },
    Template {
        name: "Activate.ps1",
        text: include_str!("../../templates/Activate.ps1"),
        quote: quote::powershell,
        command: |file| format!("& {}", quote::powershell(file)),
        own: |_, _| None,
        on: On::All,
    },
    Template {
        name: "activate.bat",
        text: include_str!("../../templates/activate.bat"),
        quote: quote::cmd,
        command: str::to_owned,
        own: |placeholder, values| match placeholder {
            "CARRIED" => Some(yes_or_no(batch_carries(values))),
            // A line break in a value would begin a line of its own, and `goto` looks for its label there.
            "VIRTUAL_ENV" | "PROMPT" | "CMD_PROMPT" if !batch_carries(values) => {
                Some(String::new())
            }
            // The folder above that of the batch file.
            "VIRTUAL_ENV" if values.relocatable => Some("%~dp0..".to_owned()),
            "CMD_PROMPT" => Some(quote::cmd(&prompt::cmd(values.prompt))),
            "EXCLAIMS" => {
                let path = !values.relocatable && values.virtual_env.contains('!');
                Some(yes_or_no(path || values.prompt.contains('!')))
            }
            _ => None,
        },
        on: On::Windows,
    },
    Template {
        name: "deactivate.bat",
        text: include_str!("../../templates/deactivate.bat"),
        quote: quote::cmd,
        command: str::to_owned,
        own: |_, _| None,
        on: On::Windows,
    },
];

/// Renders every activation script of the platform; only `windows` has batch files, and no csh.
pub(crate) fn scripts(values: &Values<'_>, windows: bool) -> Vec<Script> {
    TEMPLATES
        .iter()
        .filter(|template| template.on == On::All || (template.on == On::Windows) == windows)
        .map(|template| template.render(values))
        .collect()
}

impl Template {
    /// Replaces every placeholder in one pass, so that a value that looks like a placeholder stays a value.
    fn render(&self, values: &Values<'_>) -> Script {
        let mut contents = String::with_capacity(self.text.len() + 1024);
        let mut rest = self.text;
        while let Some((before, after)) = rest.split_once("{{ ") {
            let (placeholder, after) = after
                .split_once(" }}")
                .expect("a template closes every placeholder it opens");
            contents.push_str(before);
            contents.push_str(&self.value(placeholder, values));
            rest = after;
        }
        contents.push_str(rest);
        if self.on == On::Windows || self.name == "Activate.ps1" {
            contents = contents.replace('\n', "\r\n");
        }
        Script {
            name: self.name,
            contents: contents.into_bytes(),
        }
    }

    fn value(&self, placeholder: &str, values: &Values<'_>) -> String {
        if let Some(value) = (self.own)(placeholder, values) {
            return value;
        }
        let virtual_env = if values.relocatable {
            ""
        } else {
            values.virtual_env
        };
        match placeholder {
            "VIRTUAL_ENV" => (self.quote)(virtual_env),
            "PROMPT" => (self.quote)(values.prompt),
            "BIN_NAME" => (self.quote)(values.bin_name),
            "SOURCE_LINE" => {
                let file: Cow<'_, str> = if values.relocatable {
                    format!("{}/{}", values.bin_name, self.name).into()
                } else {
                    format!("{virtual_env}/{}/{}", values.bin_name, self.name).into()
                };
                (self.quote)(&(self.command)(&file))
            }
            unknown => unreachable!(
                "a template uses only the placeholders of its table entry, not {unknown}"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUES: Values<'_> = Values {
        virtual_env: "/e {{ PROMPT }}",
        prompt: "{{ VIRTUAL_ENV }}",
        bin_name: "bin",
        relocatable: false,
    };

    fn names(windows: bool) -> Vec<&'static str> {
        scripts(&VALUES, windows)
            .iter()
            .map(|script| script.name)
            .collect()
    }

    fn text(values: &Values<'_>, name: &str) -> String {
        let script = scripts(values, name.ends_with(".bat"))
            .into_iter()
            .find(|script| script.name == name)
            .unwrap();
        String::from_utf8(script.contents).unwrap()
    }

    #[test]
    fn csh_is_for_posix_and_batch_files_are_for_windows() {
        let shared = [
            "activate",
            "activate.fish",
            "activate.nu",
            "activate.xsh",
            "activate_this.py",
            "Activate.ps1",
        ];
        let posix = ["activate.csh"];
        let windows = ["activate.bat", "deactivate.bat"];
        for (system, own, other) in [
            (false, &posix[..], &windows[..]),
            (true, &windows[..], &posix[..]),
        ] {
            let names = names(system);
            assert!(
                shared.iter().chain(own).all(|name| names.contains(name)),
                "{names:?}"
            );
            assert!(!other.iter().any(|name| names.contains(name)), "{names:?}");
        }
    }

    #[test]
    fn a_value_that_looks_like_a_placeholder_stays_a_value() {
        let activate = text(&VALUES, "activate");
        assert!(activate.contains("='/e {{ PROMPT }}'\n"));
        assert!(activate.contains("='{{ VIRTUAL_ENV }}'\n"));
    }

    #[test]
    fn nothing_but_values_is_left_in_double_braces() {
        let values = Values {
            virtual_env: "/e",
            prompt: "p",
            ..VALUES
        };
        for windows in [false, true] {
            for script in scripts(&values, windows) {
                let text = String::from_utf8(script.contents).unwrap();
                assert!(!text.contains("{{ "), "{}", script.name);
            }
        }
    }

    #[test]
    fn a_relocatable_environment_names_no_path() {
        let values = Values {
            virtual_env: "/made/here",
            relocatable: true,
            ..VALUES
        };
        for windows in [false, true] {
            for script in scripts(&values, windows) {
                let text = String::from_utf8(script.contents).unwrap();
                assert!(!text.contains("/made/here"), "{}", script.name);
            }
        }
    }

    #[test]
    fn the_script_for_powershell_is_the_same_for_all() {
        let other = Values {
            virtual_env: "/other",
            prompt: "other",
            ..VALUES
        };
        assert_eq!(text(&VALUES, "Activate.ps1"), text(&other, "Activate.ps1"));
    }

    #[test]
    fn lines_end_as_their_readers_want_them() {
        for (name, windows) in [
            ("activate", false),
            ("activate.fish", false),
            ("Activate.ps1", true),
            ("activate.bat", true),
        ] {
            let text = text(&VALUES, name);
            let ends_in_return = |line: &str| line.ends_with('\r');
            assert!(
                text.split_terminator('\n')
                    .all(|line| ends_in_return(line) == windows),
                "{name}"
            );
        }
    }

    #[test]
    fn batch_files_carry_what_cmd_can_carry() {
        let values = Values {
            virtual_env: r"C:\100% & ^x!",
            prompt: "$p",
            bin_name: "Scripts",
            relocatable: false,
        };
        let batch = text(&values, "activate.bat");
        assert!(
            batch.contains(r#"exist "C:\100%% & ^x!\Scripts\.""#),
            "{batch}"
        );
        assert!(batch.contains(r#"set "PROMPT=($$p) %PROMPT%""#), "{batch}");
        assert!(batch.contains(r#"set "VIRTUAL_ENV_PROMPT=$p""#), "{batch}");
        assert!(batch.contains("@if yes==no goto not_carried"), "{batch}");
        assert!(
            batch.contains(r#"@if "!"=="" if yes==yes goto not_carried"#),
            "{batch}"
        );
        let broken = text(
            &Values {
                prompt: "new\n:not_carried\n@del",
                ..values
            },
            "activate.bat",
        );
        assert!(broken.contains("@if no==no goto not_carried"), "{broken}");
        assert!(!broken.contains("@del"), "{broken}");
    }
}
