//! `Activate.ps1` in the PowerShell on PATH: plain, in strict mode, and in the constrained language mode of machines with
//! application control. Starting it takes half a second, so one process tests many cases.

use fs_err as fs;

use super::hostile;
use crate::{
    env::{Run, TestEnv},
    harness::whole,
    interpreters::newest,
    needs::{POWERSHELL, on_path},
};

crate::harness::trials! {
    powershell_activates_and_leaves_environments_of_every_name_in_every_mode(part) needs [POWERSHELL],
    powershell_activates_and_leaves_clones_of_every_name needs [POWERSHELL],
    powershell_keeps_what_the_caller_has_when_it_sources_the_script(part) needs [POWERSHELL],
    powershell_changes_nothing_when_the_script_fails(part) needs [POWERSHELL],
    powershell_says_what_is_done_with_verbose_and_takes_an_empty_prompt_for_none(part) needs [POWERSHELL],
    powershell_takes_over_from_the_script_of_venv_and_leaves_a_prompt_alone_when_told_to(part) needs [POWERSHELL],
    powershell_shows_the_examples_of_the_script needs [POWERSHELL],
}

/// The first lines of a script in each mode. The constrained language mode is set before the script is sourced.
const MODES: [(&str, &str); 3] = [
    ("plain", ""),
    ("strict", "Set-StrictMode -Version Latest"),
    ("constrained", ""),
];

/// The quick tier uses the constrained mode, which is the most restrictive.
fn modes() -> &'static [(&'static str, &'static str)] {
    if whole() { &MODES } else { &MODES[2..] }
}

/// Functions of the scripts below. Variables that change by themselves or that the scripts use are not recorded.
const FUNCTIONS: &str = r#"
$ErrorActionPreference = 'Stop'
function global:prompt { 'PS> ' }
function Quoted ($Text) { if ($null -eq $Text) { 'unset' } else { "<$Text>" } }
function Show { (Quoted $env:PATH), (Quoted $env:PYTHONHOME), (Quoted $env:VIRTUAL_ENV), (Quoted $env:VIRTUAL_ENV_PROMPT) -join '|' }
function Recorded {
    foreach ($variable in Get-Variable -Scope Global) {
        if ($variable.Name -notmatch '^([?^$_]|args|before|foreach|shown|count|active|attempt|changed|file|index|Error|PID|input|Matches|MyInvocation|PSItem|PSBoundParameters|StackTrace|LASTEXITCODE|PWD|HOME|ExecutionContext|PSDefaultParameterValues|EnabledExperimentalFeatures|PSVersionTable|_OLD_VIRTUAL_VARIABLES)$') {
            "variable $($variable.Name) = $($variable.Value)"
        }
    }
    foreach ($function in Get-Item -Path Function:*) { "function $($function.Name) = $($function.Definition)" }
    foreach ($variable in Get-Item -Path Env:*) { "env $($variable.Name) = $($variable.Value)" }
    "errors $($Error.Count)"
}
function Same ($Before, $When) {
    $now = @(Recorded)
    # Comparing line by line is slow.
    if (($Before -join "`n") -cne ($now -join "`n")) {
        $difference = Compare-Object $Before $now -CaseSensitive
        throw "changed ${When}: $($difference | ForEach-Object { $_.SideIndicator + $_.InputObject })"
    }
}
"#;

/// A run of this script in this mode, in the PowerShell that is on PATH.
fn run<'a>(env: &'a TestEnv, (mode, first): (&str, &str), script: &str) -> Run<'a> {
    POWERSHELL.is_listed();
    let pwsh = on_path("pwsh").unwrap();
    let file = env.root().join("script.ps1");
    fs::write(&file, format!("{first}\n{FUNCTIONS}\n{script}")).unwrap();
    let constrain = if mode == "constrained" {
        "$ExecutionContext.SessionState.LanguageMode = 'ConstrainedLanguage';"
    } else {
        ""
    };
    let command = format!("{constrain} . '{}'", file.to_str().unwrap());
    let options = ["-NoLogo", "-NoProfile", "-NonInteractive", "-Command"];
    env.run(pwsh, options.into_iter().chain([command.as_str()]))
        .var("PYTHONHOME", "/python/home")
        .var("POWERSHELL_TELEMETRY_OPTOUT", "1")
        .var("NO_COLOR", "1")
        .var("WORK", env.work())
}

/// Fails unless the script prints this in every mode. `%` stands for the current folder of the test.
#[track_caller]
fn prints(env: &TestEnv, script: &str, expected: &str) {
    for &mode in modes() {
        let outcome = run(env, mode, script).outcome();
        let work = env.work().into_os_string().into_string().unwrap();
        assert_eq!(outcome.stderr, "", "{}: {outcome}", mode.0);
        assert_eq!(
            outcome.stdout.replace(&work, "%"),
            expected,
            "{}: {outcome}",
            mode.0
        );
        outcome.expect_code(0);
    }
}

/// An environment called `env`.
fn made(env: &TestEnv, options: &[&str]) {
    let args = [&["--without-pip"], options, &["env"]].concat();
    env.rvenv_for(newest(), args).succeeds();
}

/// Activates and leaves each of these environments, which have a path and a prompt, in these modes.
fn activates_and_leaves(env: &TestEnv, environments: &[(String, String)], modes: &[(&str, &str)]) {
    let script = r#"
$before = @(Recorded)
foreach ($index in 0..([int]$env:COUNT - 1)) {
    $file = (Get-Item "Env:ENV_$index").Value + '/bin/Activate.ps1'
    . $file
    $shown = Show
    Write-Output "$shown|$(prompt 6>&1)`0"
    deactivate
    if ($env:VIRTUAL_ENV -or (prompt) -ne 'PS> ') { throw "left behind by $file" }
}
Same $before 'by one of them'
"#;
    for &mode in modes {
        let mut run = run(env, mode, script)
            .var("PATH", "/usr/bin:/bin")
            .var("COUNT", environments.len().to_string());
        for (index, (path, _)) in environments.iter().enumerate() {
            run = run.var(format!("ENV_{index}"), path);
        }
        let text = run.stdout();
        let mut shown = text.split("\0\n");
        for (path, prompt) in environments {
            let shown = shown.next().unwrap();
            // PowerShell adds a directory to PATH if it includes a runtime.
            let (bin, rest) = shown.split_once(':').unwrap();
            assert_eq!(bin, format!("<{path}/bin"), "{}", mode.0);
            let mut expected = format!("|unset|<{path}>|<{prompt}>|({prompt})  PS> ");
            if prompt.is_empty() && !rest.ends_with(&expected) {
                // .NET before 9 does not support empty variables.
                expected = expected.replace("<>", "unset");
            }
            assert!(
                rest.ends_with(&expected),
                "{}: {path:?}: {shown:?}, not {expected:?}",
                mode.0
            );
        }
        assert_eq!(shown.next(), Some(""), "{}", mode.0);
    }
}

/// PowerShell cannot run a script in a directory whose name is an invalid pattern.
fn folders() -> Vec<&'static str> {
    let names = hostile::NAMES.into_iter();
    names
        .filter(|name| !(name.contains('\\') && name.contains('[')))
        .collect()
}

fn powershell_activates_and_leaves_environments_of_every_name_in_every_mode() {
    let env = TestEnv::new();
    let mut environments = hostile::environments(&env, &folders());
    for (index, name) in hostile::NAMES.iter().enumerate() {
        let path = format!("envs/prompt{index}");
        let args = ["--without-pip", &format!("--prompt={name}"), &path];
        env.rvenv_for(newest(), args).succeeds();
        let path = env.at(path).into_os_string().into_string().unwrap();
        environments.push((path, (*name).to_owned()));
    }
    activates_and_leaves(&env, &environments, modes());
    env.holds_only(["envs"]);
}

fn powershell_activates_and_leaves_clones_of_every_name() {
    let env = TestEnv::new();
    activates_and_leaves(&env, &hostile::clones(&env, &folders()), &MODES[2..]);
    env.holds_only(["clones", "first"]);
}

fn powershell_keeps_what_the_caller_has_when_it_sources_the_script() {
    let env = TestEnv::new();
    made(&env, &[]);
    let script = r#"
$folder = 1; $name = 2; $settings = 3; $variable = 4; $binPath = 5; $VenvDir = 6; $Prompt = 7; $key = 8; $value = 9
$separator = 10; $lines = 11; $parts = 12; $code = 13
function Read-Configuration { 'own' }
'own' -match 'o(w)n' | Out-Null
$before = @(Recorded)
. $env:WORK/env/bin/Activate.ps1 -VenvDir $env:WORK/env -Prompt shown
"$folder $name $settings $variable $binPath $VenvDir $Prompt $key $value $separator $lines $parts $code $($Matches[1])"
deactivate
Same $before 'by activating and leaving'
. $env:WORK/env/bin/Activate.ps1
. $env:WORK/env/bin/Activate.ps1
deactivate
Same $before 'by activating twice'
Test-Path Function:deactivate
"#;
    prints(&env, script, "1 2 3 4 5 6 7 8 9 10 11 12 13 w\nFalse\n");
}

fn powershell_changes_nothing_when_the_script_fails() {
    let env = TestEnv::new();
    made(&env, &[]);
    env.run("cp", ["-R", "env", "a:b"]).succeeds();
    let script = r#"
foreach ($active in $false, $true) {
    if ($active) { . $env:WORK/env/bin/Activate.ps1 }
    $before = @(Recorded)
    $count = $Error.Count
    foreach ($attempt in { . $env:WORK/env/bin/Activate.ps1 -VenvDir $env:WORK/gone },
        { . $env:WORK/a:b/bin/Activate.ps1 }, { . $env:WORK/env/bin/Activate.ps1 -Unknown }) {
        try { & $attempt; 'activated' } catch { "$_" }
    }
    $changed = @(Compare-Object $before @(Recorded) -CaseSensitive | ForEach-Object { $_.InputObject })
    if (@($changed -notmatch '^errors ')) { throw "changed: $changed" }
    "$($Error.Count - $count) errors"
}
"#;
    let each = "no environment at %/gone\n\
                PATH cannot contain a directory with : in its name: %/a:b\n\
                A parameter cannot be found that matches parameter name 'Unknown'.\n\
                3 errors\n";
    prints(&env, script, &each.repeat(2));
}

fn powershell_says_what_is_done_with_verbose_and_takes_an_empty_prompt_for_none() {
    let env = TestEnv::new();
    made(&env, &["--prompt=it's \"\\\u{1F600}"]);
    let script = r#"
. $env:WORK/env/bin/Activate.ps1 -Prompt ''
$env:VIRTUAL_ENV_PROMPT
. $env:WORK/env/bin/Activate.ps1 -Prompt 'another' -Verbose 4>&1 | ForEach-Object { "$_" }
$env:VIRTUAL_ENV_PROMPT
. $env:WORK/env/bin/Activate.ps1 -VenvDir env/
$env:VIRTUAL_ENV
deactivate
"#;
    let said = "it's \"\\\u{1F600}\n\
                Deactivating %/env\n\
                VIRTUAL_ENV = %/env\n\
                VIRTUAL_ENV_PROMPT = another\n\
                PATH begins with %/env/bin\n\
                PYTHONHOME is unset\n\
                The prompt begins with (another)\n\
                another\n\
                %/env\n";
    prints(&env, script, said);
}

fn powershell_takes_over_from_the_script_of_venv_and_leaves_a_prompt_alone_when_told_to() {
    let env = TestEnv::new();
    made(&env, &[]);
    env.run(
        &newest().executable,
        ["-m", "venv", "--without-pip", "theirs"],
    )
    .succeeds();
    let script = r#"
$env:VIRTUAL_ENV_DISABLE_PROMPT = '1'
. $env:WORK/env/bin/Activate.ps1
prompt
deactivate
$env:VIRTUAL_ENV_DISABLE_PROMPT = $null
$before = @(Recorded)
. $env:WORK/theirs/bin/Activate.ps1
. $env:WORK/env/bin/Activate.ps1
"$env:VIRTUAL_ENV $($env:PATH.Contains('theirs'))"
deactivate
"$env:VIRTUAL_ENV $($env:PATH.Contains($env:WORK)) $(prompt)"
"#;
    prints(&env, script, "PS> \n%/env False\n False PS> \n");
}

fn powershell_shows_the_examples_of_the_script() {
    let env = TestEnv::new();
    made(&env, &[]);
    let script = "Get-Help $env:WORK/env/bin/Activate.ps1 -Examples";
    let text = run(&env, MODES[0], script).stdout();
    for example in [
        "PS > Activate.ps1\n",
        "PS > Activate.ps1 -Verbose\n",
        "PS > Activate.ps1 -VenvDir ",
        "PS > Activate.ps1 -Prompt ",
    ] {
        assert!(text.contains(example), "no {example:?} in {text}");
    }
}
