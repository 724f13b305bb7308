//! Renders the activation scripts.

pub(crate) mod current_shell;
mod prompt;
pub(crate) mod quote;
pub(crate) mod templates;

/// The values in the scripts of an environment.
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
pub(crate) struct ActivationScript {
    /// The name of the file.
    pub(crate) name: &'static str,
    /// The text, with the line ends that its shell needs.
    pub(crate) contents: Vec<u8>,
}

/// Renders every activation script of the platform; only `windows` has batch files, and no csh.
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
    fn the_script_for_powershell_is_ascii() {
        // Windows PowerShell reads it in the code page of the system.
        assert!(text(&VALUES, "Activate.ps1").is_ascii());
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
