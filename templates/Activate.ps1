<#
.Synopsis
Activates the virtual environment in the PowerShell session that runs this script.

.Description
The environment is the one that this script lies in. Nothing is written into the script when an environment is made, so
that it can be signed: what it needs to know it reads from pyvenv.cfg.

.Parameter VenvDir
The folder of the environment, if it is not the parent of the folder that this script is in.

.Parameter Prompt
The name shown before the prompt, if it is not the one that pyvenv.cfg gives, or the name of the folder.

.Example
bin/Activate.ps1
Activates the environment; `deactivate` leaves it.
#>
Param(
    [Parameter(Mandatory = $false)]
    [String]
    $VenvDir,
    [Parameter(Mandatory = $false)]
    [String]
    $Prompt
)

<#
.Synopsis
Puts every variable back as it was before the environment was activated.

.Parameter NonDestructive
Keeps this function, for the environment that is about to be activated.
#>
function global:deactivate ([switch]$NonDestructive) {
    # What was not set has no entry, what was empty has an empty one: PowerShell itself cannot say that a variable is
    # empty before version 7.5.
    if (Test-Path -LiteralPath Variable:global:_OLD_VIRTUAL_VARIABLES) {
        foreach ($entry in $global:_OLD_VIRTUAL_VARIABLES.GetEnumerator()) {
            if ($null -eq $entry.Value) {
                Remove-Item -LiteralPath "Env:$($entry.Key)" -ErrorAction SilentlyContinue
            }
            else {
                [System.Environment]::SetEnvironmentVariable($entry.Key, $entry.Value)
            }
        }
        Remove-Variable -Name _OLD_VIRTUAL_VARIABLES -Scope Global -Force
    }

    if (Test-Path -LiteralPath Function:_OLD_VIRTUAL_PROMPT) {
        # Unless the user has set another prompt meanwhile.
        if ("$function:prompt".Contains('_OLD_VIRTUAL_PROMPT')) {
            Set-Item -LiteralPath Function:global:prompt -Value $function:_OLD_VIRTUAL_PROMPT
        }
        Remove-Item -LiteralPath Function:_OLD_VIRTUAL_PROMPT -Force
    }

    if (-not $NonDestructive) {
        Remove-Item -LiteralPath Function:deactivate -Force
    }
}

<#
.Synopsis
Reads the settings of pyvenv.cfg: lines of the form "key = value".
#>
function Read-Configuration ([String]$Folder) {
    $settings = @{}
    $file = [System.IO.Path]::Combine($Folder, 'pyvenv.cfg')
    if ([System.IO.File]::Exists($file)) {
        foreach ($line in [System.IO.File]::ReadAllLines($file)) {
            $key, $value = $line -split '=', 2
            if ($null -ne $value) {
                $settings[$key.Trim()] = $value.Trim()
            }
        }
    }
    return $settings
}

<#
.Synopsis
Turns what Python's repr makes of a string back into the string; anything else stays as it is.
#>
function ConvertFrom-Representation ([String]$Text) {
    if ($Text -notmatch '^([''"])(.*)\1$') {
        return $Text
    }
    $escapes = @{ 'n' = "`n"; 'r' = "`r"; 't' = "`t" }
    return [regex]::Replace($Matches[2], '\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|(.))', {
            param($match)
            for ($group = 1; $group -le 3; $group++) {
                if ($match.Groups[$group].Success) {
                    return [char]::ConvertFromUtf32([Convert]::ToInt32($match.Groups[$group].Value, 16))
                }
            }
            $character = $match.Groups[4].Value
            if ($escapes.ContainsKey($character)) { $escapes[$character] } else { $character }
        })
}

# What is given may be relative; the script's own place is taken as it is, with whatever characters it has.
if ($VenvDir) {
    $folder = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($VenvDir.TrimEnd('\', '/'))
}
else {
    $folder = [System.IO.Path]::GetDirectoryName($PSScriptRoot)
}
$binPath = [System.IO.Path]::Combine($folder, [System.IO.Path]::GetFileName($PSScriptRoot))

if (-not [System.IO.Directory]::Exists($binPath)) {
    throw "no environment at ${folder}: it was moved or deleted; make it anew where it is now"
}
if ($folder.Contains([System.IO.Path]::PathSeparator)) {
    throw "PATH cannot hold a folder with $([System.IO.Path]::PathSeparator) in its name: $folder"
}

$name = $Prompt
if (-not $PSBoundParameters.ContainsKey('Prompt')) {
    $settings = Read-Configuration $folder
    if ($settings.ContainsKey('prompt')) {
        $name = ConvertFrom-Representation $settings['prompt']
    }
    else {
        $name = [System.IO.Path]::GetFileName($folder)
    }
}

# Leave what is active in this session before another environment is laid on top.
deactivate -NonDestructive

$global:_OLD_VIRTUAL_VARIABLES = @{}
foreach ($variable in 'PATH', 'PYTHONHOME', 'VIRTUAL_ENV', 'VIRTUAL_ENV_PROMPT') {
    $global:_OLD_VIRTUAL_VARIABLES[$variable] = [System.Environment]::GetEnvironmentVariable($variable)
}

$env:VIRTUAL_ENV = $folder
$env:VIRTUAL_ENV_PROMPT = $name
$env:PATH = if ($env:PATH) { $binPath + [System.IO.Path]::PathSeparator + $env:PATH } else { $binPath }
Remove-Item -LiteralPath Env:PYTHONHOME -ErrorAction SilentlyContinue

if (-not $env:VIRTUAL_ENV_DISABLE_PROMPT) {
    Set-Item -LiteralPath Function:global:_OLD_VIRTUAL_PROMPT -Value $function:prompt
    # The name is read from the variable when the prompt is drawn; it is never part of the code.
    function global:prompt {
        Write-Host -NoNewline -ForegroundColor Green "($env:VIRTUAL_ENV_PROMPT) "
        _OLD_VIRTUAL_PROMPT
    }
}

# Sourced with a dot, the script leaves nothing behind but what deactivate needs.
Remove-Item -LiteralPath 'Function:Read-Configuration', 'Function:ConvertFrom-Representation'
Remove-Variable -Name 'folder', 'binPath', 'name', 'settings', 'variable' -ErrorAction SilentlyContinue
