//! Renders the activation scripts.

pub(crate) mod current_shell;
mod prompt;
pub(crate) mod quote;
pub(crate) mod templates;

/// The values for the activation scripts of an environment.
pub(crate) struct Values<'a> {
    /// The final absolute path of the environment.
    pub(crate) virtual_env: &'a str,
    /// The prompt prefix without parentheses.
    pub(crate) prompt: &'a str,
    /// The directory of the scripts: `bin`, or `Scripts` on Windows.
    pub(crate) bin_name: &'a str,
    /// Whether the scripts find the environment relative to their own path.
    pub(crate) relocatable: bool,
}

/// A rendered activation script.
pub(crate) struct ActivationScript {
    /// The name of the file.
    pub(crate) name: &'static str,
    /// The text, with the line ends of its shell.
    pub(crate) contents: Vec<u8>,
}

/// Renders every activation script of the platform. Batch files are only for Windows, and the csh script is not.
pub(crate) fn scripts(values: &Values<'_>, windows: bool) -> Vec<ActivationScript> {
    templates::TEMPLATES
        .iter()
        .filter(|template| template.is_for(windows))
        .map(|template| template.render(values))
        .collect()
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
    fn csh_scripts_are_for_posix_and_batch_files_for_windows() {
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
    fn a_value_that_looks_like_a_placeholder_is_not_replaced() {
        let activate = text(&VALUES, "activate");
        assert!(activate.contains("='/e {{ PROMPT }}'\n"));
        assert!(activate.contains("='{{ VIRTUAL_ENV }}'\n"));
    }

    #[test]
    fn every_placeholder_is_replaced() {
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
    fn the_powershell_script_is_the_same_on_all_systems() {
        let other = Values {
            virtual_env: "/other",
            prompt: "other",
            ..VALUES
        };
        assert_eq!(text(&VALUES, "Activate.ps1"), text(&other, "Activate.ps1"));
    }

    #[test]
    fn the_powershell_script_is_ascii() {
        // Windows PowerShell reads it in the system's code page.
        assert!(text(&VALUES, "Activate.ps1").is_ascii());
    }

    #[test]
    fn line_ends_are_those_of_each_shell() {
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
    fn batch_files_contain_only_what_cmd_supports() {
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
