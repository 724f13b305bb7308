//! The table of templates: the file of each script, and how its values are quoted.

use std::borrow::Cow;

use crate::venv::activation::{ActivationScript, Values, prompt, quote};

/// The template of a script, and the rules of its language.
pub(crate) struct Template {
    pub(crate) name: &'static str,
    text: &'static str,
    /// Quotes a string.
    quote: fn(&str) -> String,
    /// The command that activates the environment, for the comment in the script.
    command: fn(&str) -> String,
    /// The value of a placeholder that only this language uses.
    own: fn(&str, &Values<'_>) -> Option<String>,
    systems: Systems,
}

/// The systems that a script is for. venv installs no csh script on Windows, and batch files only there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Systems {
    All,
    Posix,
    Windows,
}

pub(crate) const TEMPLATES: [Template; 9] = [
    Template {
        name: "activate",
        text: include_str!("../../../templates/activate"),
        quote: quote::sh,
        command: |file| format!(". {}", quote::sh(file)),
        own: |placeholder, values| match placeholder {
            "SH_PROMPT" => Some(quote::sh(&prompt::sh(values.prompt))),
            "KSH_PROMPT" => Some(quote::sh(&prompt::ksh(values.prompt))),
            "YASH_PROMPT" => Some(quote::sh(&prompt::yash(values.prompt))),
            "ZSH_PROMPT" => Some(quote::sh(&prompt::zsh(values.prompt))),
            _ => None,
        },
        systems: Systems::All,
    },
    Template {
        name: "activate.csh",
        text: include_str!("../../../templates/activate.csh"),
        quote: quote::csh,
        command: |file| format!("source {}", quote::csh(file)),
        own: |placeholder, values| {
            (placeholder == "CSH_PROMPT").then(|| quote::csh(&prompt::csh(values.prompt)))
        },
        systems: Systems::Posix,
    },
    Template {
        name: "activate.fish",
        text: include_str!("../../../templates/activate.fish"),
        quote: quote::fish,
        command: |file| format!("source {}", quote::fish(file)),
        own: |_, _| None,
        systems: Systems::All,
    },
    Template {
        name: "activate.nu",
        text: include_str!("../../../templates/activate.nu"),
        quote: quote::nu,
        command: |file| format!("overlay use {}", quote::nu(file)),
        own: |_, _| None,
        systems: Systems::All,
    },
    Template {
        name: "activate.xsh",
        text: include_str!("../../../templates/activate.xsh"),
        quote: quote::python,
        command: |file| format!("source {}", quote::python(file)),
        own: |_, _| None,
        systems: Systems::All,
    },
    Template {
        name: "activate_this.py",
        text: include_str!("../../../templates/activate_this.py"),
        quote: quote::python,
        command: |file| format!("runpy.run_path({})", quote::python(file)),
        own: |_, _| None,
        systems: Systems::All,
    },
    Template {
        name: "Activate.ps1",
        text: include_str!("../../../templates/Activate.ps1"),
        quote: quote::powershell,
        command: |file| format!("& {}", quote::powershell(file)),
        own: |_, _| None,
        systems: Systems::All,
    },
    Template {
        name: "activate.bat",
        text: include_str!("../../../templates/activate.bat"),
        quote: quote::cmd,
        command: str::to_owned,
        own: |placeholder, values| match placeholder {
            "RELOCATABLE" => Some(yes_or_no(values.relocatable)),
            "CARRIED" => Some(yes_or_no(batch_carries(values))),
            // A line break in a value would start a new line, where `goto` might find its label.
            "VIRTUAL_ENV" | "PROMPT" | "CMD_PROMPT" if !batch_carries(values) => {
                Some(String::new())
            }
            // The parent of the batch file's directory.
            "VIRTUAL_ENV" if values.relocatable => Some("%~dp0..".to_owned()),
            "CMD_PROMPT" => Some(quote::cmd(&prompt::cmd(values.prompt))),
            "EXCLAIMS" => {
                let path = !values.relocatable && values.virtual_env.contains('!');
                Some(yes_or_no(path || values.prompt.contains('!')))
            }
            _ => None,
        },
        systems: Systems::Windows,
    },
    Template {
        name: "deactivate.bat",
        text: include_str!("../../../templates/deactivate.bat"),
        quote: quote::cmd,
        command: str::to_owned,
        own: |_, _| None,
        systems: Systems::Windows,
    },
];

impl Template {
    /// Whether the script is for this system.
    pub(crate) fn is_for(&self, windows: bool) -> bool {
        match self.systems {
            Systems::All => true,
            Systems::Posix => !windows,
            Systems::Windows => windows,
        }
    }

    /// Replaces every placeholder in one pass, so that a value is never taken for a placeholder.
    pub(crate) fn render(&self, values: &Values<'_>) -> ActivationScript {
        let mut contents = String::with_capacity(self.text.len() + 1024);
        let mut rest = self.text;
        while let Some(at) = placeholder_in(rest) {
            let (placeholder, after) = rest[at + OPENING.len()..]
                .split_once(" }}")
                .expect("a template closes every placeholder it opens");
            contents.push_str(&rest[..at]);
            contents.push_str(&self.value(placeholder, values));
            rest = after;
        }
        contents.push_str(rest);
        ActivationScript {
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
            // Not a placeholder. The unit test below detects misspelled ones.
            other => format!("{OPENING}{other} }}}}"),
        }
    }
}

const OPENING: &str = "{{ ";

/// The offset of the next placeholder. Searching for its first byte is several times faster than searching for all
/// three.
fn placeholder_in(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut from = 0;
    loop {
        from += text[from..].find('{')?;
        if bytes[from..].starts_with(OPENING.as_bytes()) {
            return Some(from);
        }
        from += 1;
    }
}

/// Whether a batch file can contain both values.
fn batch_carries(values: &Values<'_>) -> bool {
    let path = values.relocatable || quote::cmd_carries(values.virtual_env);
    path && quote::cmd_carries(values.prompt)
}

/// A value that `if` can compare.
fn yes_or_no(condition: bool) -> String {
    if condition { "yes" } else { "no" }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_placeholder_of_every_template_is_replaced() {
        for relocatable in [false, true] {
            let values = Values {
                virtual_env: "/work/env",
                prompt: "env",
                bin_name: "bin",
                relocatable,
            };
            for template in &TEMPLATES {
                let script = template.render(&values);
                let text = String::from_utf8(script.contents).unwrap();
                assert!(!text.contains(OPENING), "{}: {text}", script.name);
            }
        }
    }
}
