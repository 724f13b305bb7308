//! `Activate.ps1`, in the PowerShell that is on PATH. The workflow on GitHub has one, and says so with
//! `RVENV_TEST_PWSH=required`; Debian has none.

use std::env;

use super::hostile;
use crate::{env::TestEnv, harness::absent, interpreters::newest};

crate::harness::trials! {
    activates_and_leaves_environments_of_every_name,
}

/// What the script below writes: variables as base64, since PowerShell and names have different ideas of line ends.
const SCRIPT: &str = r#"
Set-StrictMode -Version 3
$ErrorActionPreference = 'Stop'
function global:prompt { "PS> " }
function Show {
    foreach ($name in 'PATH', 'PYTHONHOME', 'VIRTUAL_ENV', 'VIRTUAL_ENV_PROMPT') {
        $value = [System.Environment]::GetEnvironmentVariable($name)
        if ($null -eq $value) { 'unset' } else { [Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes($value)) }
    }
}
$before = (Show) -join ' '
foreach ($index in 0..([int]$env:COUNT - 1)) {
    & ([System.Environment]::GetEnvironmentVariable("ENV_$index") + '/bin/Activate.ps1')
    (Show) -join ' '
    $drawn = [string](prompt 6>&1)
    [Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes($drawn))
    deactivate
    if (((Show) -join ' ') -ne $before) { throw "left behind by $index" }
    if (Test-Path Function:deactivate) { throw 'deactivate is left' }
    if ((prompt) -ne 'PS> ') { throw 'another prompt' }
}
"#;

fn activates_and_leaves_environments_of_every_name() {
    let found = env::split_paths(&env::var_os("PATH").unwrap_or_default())
        .any(|folder| folder.join("pwsh").is_file());
    if !found {
        assert!(
            env::var("RVENV_TEST_PWSH").as_deref() != Ok("required"),
            "no pwsh on PATH"
        );
        absent("no pwsh on PATH");
    }
    let env = TestEnv::new();
    // PowerShell itself runs no script in a folder whose name it takes for a pattern or a path; as a prompt, a name may be
    // anything.
    let patterns = ['\\', '[', '*', '?', '`', '\n'];
    let folders = hostile::NAMES
        .into_iter()
        .filter(|name| !name.contains(patterns));
    let mut environments = hostile::environments(&env, &folders.collect::<Vec<_>>());
    for (index, name) in hostile::NAMES.iter().enumerate() {
        let path = env
            .at(format!("envs/prompt{index}"))
            .into_os_string()
            .into_string()
            .unwrap();
        env.rvenv_for(
            newest(),
            ["--without-pip", &format!("--prompt={name}"), &path],
        )
        .succeeds();
        environments.push((path, (*name).to_owned()));
    }
    let file = env.root().join("script.ps1");
    fs_err::write(&file, SCRIPT).unwrap();
    let mut run = env
        .run(
            "pwsh",
            [
                "-NoLogo",
                "-NoProfile",
                "-NonInteractive",
                "-File",
                file.to_str().unwrap(),
            ],
        )
        .var("PATH", env::var_os("PATH").unwrap())
        .var("PYTHONHOME", "/python/home")
        .var("POWERSHELL_TELEMETRY_OPTOUT", "1")
        .var("COUNT", environments.len().to_string());
    for (index, (path, _)) in environments.iter().enumerate() {
        run = run.var(format!("ENV_{index}"), path);
    }
    let text = run.stdout();
    let mut lines = text.lines();
    for (path, prompt) in &environments {
        let mut shown = lines.next().unwrap().split(' ');
        assert!(
            decoded(shown.next().unwrap()).starts_with(&format!("{path}/bin:")),
            "{path:?}"
        );
        assert_eq!(shown.next(), Some("unset"), "{path:?}");
        assert_eq!(decoded(shown.next().unwrap()), *path);
        // .NET before 9 cannot hold an empty variable.
        let shown_prompt = shown.next().unwrap();
        assert!(
            decoded(shown_prompt) == *prompt || prompt.is_empty() && shown_prompt == "unset",
            "{path:?}"
        );
        assert!(
            decoded(lines.next().unwrap()).contains(&format!("({prompt}) ")),
            "{path:?}"
        );
    }
    env.holds_only(["envs"]);
}

/// The text of a line of base64.
fn decoded(line: &str) -> String {
    use base64::Engine as _;
    String::from_utf8(
        base64::engine::general_purpose::STANDARD
            .decode(line)
            .unwrap(),
    )
    .unwrap()
}
