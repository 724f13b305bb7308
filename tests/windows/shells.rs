//! Activation and deactivation in the shells of Windows, with names that contain their syntax.

use fs_err as fs;

use crate::{
    needs::POWERSHELL,
    place::{Place, is_wine, newest, succeeds},
};

crate::harness::trials! {
    cmd_activates_and_deactivates,
    powershell_activates_and_deactivates needs [POWERSHELL],
}

/// Names with characters that are special in both shells.
const NAMES: [&str; 5] = ["env", "with spaces", "a & b", "50% of it", "wow!"];

fn cmd_activates_and_deactivates() {
    let place = Place::new();
    for name in NAMES.into_iter().chain(["(x86)", "a^b"]) {
        if name.contains('%') && is_wine() {
            // Wine's cmd expands the result of an expansion again.
            continue;
        }
        let python = newest();
        succeeds(place.rvenv(python).args(["--without-pip", name]));
        let in_batch = name.replace('%', "%%");
        // Not `call` with the whole path, which would expand text between two percent signs again.
        let batch = format!(
            "@echo off\r\nset PROMPT=before\r\npushd \"{in_batch}\\Scripts\"\r\ncall activate.bat\r\npopd\r\n\
             set VIRTUAL_ENV\r\npython -c \"import sys; print(sys.prefix)\"\r\n\
             call deactivate\r\nif defined VIRTUAL_ENV echo left\r\nset PROMPT\r\n"
        );
        fs::write(place.work.join("activate and back.bat"), batch).unwrap();
        let output = succeeds(
            place
                .command("cmd")
                .args(["/d", "/c", "activate and back.bat"]),
        );
        let text = String::from_utf8(output.stdout).unwrap();
        let env = place.work.join(name);
        let env = env.to_str().unwrap();
        let lines: Vec<_> = text.lines().map(str::trim_end).collect();
        let expected = [
            format!("VIRTUAL_ENV={env}"),
            format!("VIRTUAL_ENV_PROMPT={name}"),
            env.to_owned(),
            "PROMPT=before".to_owned(),
        ];
        assert!(
            lines
                .iter()
                .map(|l| l.to_lowercase())
                .eq(expected.iter().map(|l| l.to_lowercase())),
            "{name}: {lines:#?}\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

fn powershell_activates_and_deactivates() {
    POWERSHELL.is_listed();
    let place = Place::new();
    let python = newest();
    for shell in ["powershell", "pwsh"] {
        for name in NAMES.into_iter().chain(["it's $HOME `y"]) {
            succeeds(place.rvenv(python).args(["--without-pip", "--clear", name]));
            let env = place.work.join(name);
            let quoted = env.to_str().unwrap().replace('\'', "''");
            let script = format!(
                "$before = $env:PATH\n. '{quoted}\\Scripts\\Activate.ps1'\n$env:VIRTUAL_ENV\n\
                 python -c 'import sys; print(sys.prefix)'\ndeactivate\n\
                 \"$($env:VIRTUAL_ENV)|$($env:PATH -eq $before)\"\n"
            );
            let file = place.work.join("activate and back.ps1");
            // With a byte order mark, by which Windows PowerShell detects UTF-8.
            fs::write(&file, format!("\u{feff}{script}")).unwrap();
            let flags = ["-NoProfile", "-ExecutionPolicy", "Bypass", "-File"];
            let output = succeeds(place.command(shell).args(flags).arg(&file));
            let text = String::from_utf8(output.stdout).unwrap().to_lowercase();
            let path = env.to_str().unwrap().to_lowercase();
            let lines: Vec<_> = text.lines().map(str::trim_end).collect();
            assert_eq!(
                lines,
                [path.as_str(), path.as_str(), "|true"],
                "{shell}: {name}"
            );
        }
    }
}
