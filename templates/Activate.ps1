<#
.Synopsis
Activates a virtual environment in the current PowerShell session.

.Description
Activate.ps1 [[-VenvDir] <String>] [[-Prompt] <String>] [<CommonParameters>]

Puts the programs of the environment first on PATH, sets VIRTUAL_ENV and VIRTUAL_ENV_PROMPT, unsets PYTHONHOME, and
shows the name of the environment before the prompt. The function "deactivate" undoes all of this.

-VenvDir is the folder of the environment. By default it is the one that contains the folder of this script.

-Prompt is the name to show before the prompt. By default, and if it is empty, it is the one that pyvenv.cfg gives,
or else the name of the environment's folder. If VIRTUAL_ENV_DISABLE_PROMPT is set, none is shown.

.Example
Activate.ps1
Activates the environment that this script belongs to.

.Example
Activate.ps1 -Verbose
Activates the environment that this script belongs to, and says what is done.

.Example
Activate.ps1 -VenvDir C:\Users\Me\project\.venv
Activates the environment in the given folder.

.Example
Activate.ps1 -Prompt "my project"
Activates the environment that this script belongs to, and shows "(my project)" before the prompt.

.Notes
This script is the same in every environment, so that it can be signed. On Windows, scripts may have to be allowed
first:

Set-ExecutionPolicy -ExecutionPolicy RemoteSigned -Scope CurrentUser
#>

# A script that is sourced with a dot runs in the scope of its caller, and so do its parameters: the block has a scope
# of its own. In constrained language mode, which computers with application control have, only methods of a few types
# may be called. This file is ASCII because Windows PowerShell 5.1 reads it in the code page of the system.
& {
    [CmdletBinding()]
    Param(
        [String]
        $VenvDir,
        [String]
        $Prompt
    )

    # Nothing is changed unless everything up to the first change has succeeded.
    $ErrorActionPreference = 'Stop'

    function Get-ConfiguredPrompt ([String]$File) {
        # Cmdlets take a backslash for a separator on every system, but .NET does not.
        $lines = if ($ExecutionContext.SessionState.LanguageMode -ne 'FullLanguage') {
            if (Test-Path -LiteralPath $File -PathType Leaf) { Get-Content -LiteralPath $File -Encoding UTF8 }
        }
        elseif ([System.IO.File]::Exists($File)) {
            [System.IO.File]::ReadAllLines($File)
        }
        $prompt = $null
        foreach ($line in $lines) {
            $key, $value = $line -split '=', 2
            if ($null -ne $value -and $key.Trim() -eq 'prompt') {
                $prompt = ConvertFrom-Representation $value.Trim()
            }
        }
        return $prompt
    }

    # Turns what Python's repr makes of a string back into the string; anything else stays as it is.
    function ConvertFrom-Representation ([String]$Text) {
        if ($Text -notmatch '^([''"])(.*)\1$') {
            return $Text
        }
        # Every other part is an escape.
        $parts = $Matches[2] -split '(\\(?:x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8}|.))'
        $characters = foreach ($part in $parts) {
            if ($part -notmatch '^\\(.)(.*)$') { $part }
            elseif (-not $Matches[2]) {
                switch ($Matches[1]) {
                    'n' { "`n" }
                    'r' { "`r" }
                    't' { "`t" }
                    default { $_ }
                }
            }
            else {
                $code = [int]"0x$($Matches[2])"
                if ($code -lt 0x10000) { [char]$code } else { [char]::ConvertFromUtf32($code) }
            }
        }
        return -join $characters
    }

    function Test-Protected ([String]$Function) {
        $found = Get-Item -LiteralPath "Function:$Function" -ErrorAction Ignore
        return $null -ne $found -and "$($found.Options)" -match 'ReadOnly|Constant'
    }

    $separator = [System.IO.Path]::DirectorySeparatorChar
    $pathSeparator = [System.IO.Path]::PathSeparator
    $binName = $PSScriptRoot.Substring($PSScriptRoot.LastIndexOf($separator) + 1)
    if ($VenvDir) {
        if (-not (Test-Path -LiteralPath $VenvDir$separator$binName -PathType Container)) {
            throw "no environment at $VenvDir"
        }
        $folder = (Convert-Path -LiteralPath $VenvDir).TrimEnd($separator)
    }
    else {
        $folder = $PSScriptRoot.Substring(0, $PSScriptRoot.LastIndexOf($separator))
    }
    if ($folder.Contains("$pathSeparator")) {
        throw "PATH cannot contain a directory with $pathSeparator in its name: $folder"
    }
    if (Test-Protected 'deactivate') {
        throw 'the function "deactivate" of this session is read-only'
    }

    $name = $Prompt
    if (-not $name) {
        $name = Get-ConfiguredPrompt $folder${separator}pyvenv.cfg
        if ($null -eq $name) {
            $name = $folder.Substring($folder.LastIndexOf($separator) + 1)
        }
    }

    # Leave the environment that is active in this session, whichever tool its scripts are from.
    if ("$function:deactivate".Contains('_OLD_VIRTUAL')) {
        Write-Verbose "Leaving $env:VIRTUAL_ENV"
        & $function:deactivate -NonDestructive
    }

    # A variable that is not set is null here, and null again unsets it.
    $global:_OLD_VIRTUAL_VARIABLES = @{
        PATH               = $env:PATH
        PYTHONHOME         = $env:PYTHONHOME
        VIRTUAL_ENV        = $env:VIRTUAL_ENV
        VIRTUAL_ENV_PROMPT = $env:VIRTUAL_ENV_PROMPT
    }

    # Puts everything back as it was before the environment was activated. With -NonDestructive this function itself
    # stays, for the environment that is about to be activated.
    function global:deactivate ([switch]$NonDestructive) {
        if (Test-Path -LiteralPath Variable:global:_OLD_VIRTUAL_VARIABLES) {
            $env:PATH = $global:_OLD_VIRTUAL_VARIABLES.PATH
            $env:PYTHONHOME = $global:_OLD_VIRTUAL_VARIABLES.PYTHONHOME
            $env:VIRTUAL_ENV = $global:_OLD_VIRTUAL_VARIABLES.VIRTUAL_ENV
            $env:VIRTUAL_ENV_PROMPT = $global:_OLD_VIRTUAL_VARIABLES.VIRTUAL_ENV_PROMPT
            Remove-Variable -Name _OLD_VIRTUAL_VARIABLES -Scope Global -Force
        }
        # Unless another prompt has been set meanwhile.
        if ("$function:prompt".Contains('_OLD_VIRTUAL_PROMPT')) {
            if ($null -eq $function:_OLD_VIRTUAL_PROMPT) { Remove-Item -LiteralPath Function:prompt -Force }
            else { $function:global:prompt = $function:_OLD_VIRTUAL_PROMPT }
        }
        Remove-Item -LiteralPath Function:_OLD_VIRTUAL_PROMPT -Force -ErrorAction Ignore
        if (-not $NonDestructive) {
            Remove-Item -LiteralPath Function:deactivate -Force
        }
    }

    Write-Verbose "VIRTUAL_ENV = $folder"
    $env:VIRTUAL_ENV = $folder
    Write-Verbose "VIRTUAL_ENV_PROMPT = $name"
    $env:VIRTUAL_ENV_PROMPT = $name
    Write-Verbose "PATH begins with $folder$separator$binName"
    $env:PATH = "$folder$separator$binName" + $(if ($env:PATH) { "$pathSeparator$env:PATH" })
    if ($null -ne $env:PYTHONHOME) {
        Write-Verbose 'PYTHONHOME is unset'
        $env:PYTHONHOME = $null
    }

    if ($env:VIRTUAL_ENV_DISABLE_PROMPT -or (Test-Protected 'prompt')) {
        Write-Verbose 'The prompt stays as it is'
        return
    }
    Write-Verbose "The prompt begins with ($name)"
    if ($null -ne $function:prompt) { $function:global:_OLD_VIRTUAL_PROMPT = $function:prompt }
    # The name is read from the variable when the prompt is drawn; it is never part of the code.
    function global:prompt {
        Write-Host -NoNewline -ForegroundColor Green "($env:VIRTUAL_ENV_PROMPT) "
        if ($null -ne $function:_OLD_VIRTUAL_PROMPT) { _OLD_VIRTUAL_PROMPT } else { 'PS> ' }
    }
} @args
