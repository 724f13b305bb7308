<#
.Synopsis
Activates a virtual environment in the current PowerShell session.

.Description
Activate.ps1 [[-VenvDir] <String>] [[-Prompt] <String>] [<CommonParameters>]

Adds the programs of the environment to the front of PATH, sets VIRTUAL_ENV and VIRTUAL_ENV_PROMPT, unsets PYTHONHOME,
and shows the name of the environment before the prompt. The function "deactivate" undoes all of this.

-VenvDir is the directory of the environment. By default it is the parent of the directory of this script.

-Prompt is the name to show before the prompt. If it is not given or empty, the prompt of pyvenv.cfg is used, or else
the name of the environment's directory. If VIRTUAL_ENV_DISABLE_PROMPT is set, the prompt is not changed.

.Example
Activate.ps1
Activates the environment that this script belongs to.

.Example
Activate.ps1 -Verbose
Activates the environment that this script belongs to, and prints what it does.

.Example
Activate.ps1 -VenvDir C:\Users\Me\project\.venv
Activates the environment in the given directory.

.Example
Activate.ps1 -Prompt "my project"
Activates the environment that this script belongs to, and shows "(my project)" before the prompt.

.Notes
This script is the same in every environment, so that it can be signed. On Windows, the execution policy may have to
allow scripts first:

Set-ExecutionPolicy -ExecutionPolicy RemoteSigned -Scope CurrentUser
#>

# A script that is sourced with a dot runs in the scope of its caller, parameters included; the block has its own scope.
# In constrained language mode, which is enabled on computers with application control, only methods of a few types may
# be called. This file is ASCII because Windows PowerShell 5.1 reads it in the code page of the system.
& {
    [CmdletBinding()]
    Param(
        [String]
        $VenvDir,
        [String]
        $Prompt
    )

    # An error before the first change must leave everything as it was.
    $ErrorActionPreference = 'Stop'

    function Get-ConfiguredPrompt ([String]$File) {
        # Cmdlets treat a backslash as a separator on every system; .NET does not.
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

    # Parses a string that Python's repr has quoted. Other text is returned unchanged.
    function ConvertFrom-Representation ([String]$Text) {
        if ($Text -notmatch '^([''"])(.*)\1$') {
            return $Text
        }
        # Every second part is an escape sequence.
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

    # Deactivate the active environment first, whichever tool created it.
    if ("$function:deactivate".Contains('_OLD_VIRTUAL')) {
        Write-Verbose "Deactivating $env:VIRTUAL_ENV"
        & $function:deactivate -NonDestructive
    }

    # An unset variable is null here, and assigning null unsets it.
    $global:_OLD_VIRTUAL_VARIABLES = @{
        PATH               = $env:PATH
        PYTHONHOME         = $env:PYTHONHOME
        VIRTUAL_ENV        = $env:VIRTUAL_ENV
        VIRTUAL_ENV_PROMPT = $env:VIRTUAL_ENV_PROMPT
    }

    # Restores everything that was changed. With -NonDestructive this function itself is kept, for the environment that
    # is about to be activated.
    function global:deactivate ([switch]$NonDestructive) {
        if (Test-Path -LiteralPath Variable:global:_OLD_VIRTUAL_VARIABLES) {
            $env:PATH = $global:_OLD_VIRTUAL_VARIABLES.PATH
            $env:PYTHONHOME = $global:_OLD_VIRTUAL_VARIABLES.PYTHONHOME
            $env:VIRTUAL_ENV = $global:_OLD_VIRTUAL_VARIABLES.VIRTUAL_ENV
            $env:VIRTUAL_ENV_PROMPT = $global:_OLD_VIRTUAL_VARIABLES.VIRTUAL_ENV_PROMPT
            Remove-Variable -Name _OLD_VIRTUAL_VARIABLES -Scope Global -Force
        }
        # Unless another prompt has been defined in the meantime.
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
        Write-Verbose 'The prompt is not changed'
        return
    }
    Write-Verbose "The prompt begins with ($name)"
    if ($null -ne $function:prompt) { $function:global:_OLD_VIRTUAL_PROMPT = $function:prompt }
    # The name is read from the variable when the prompt is shown, and is never part of the code.
    function global:prompt {
        Write-Host -NoNewline -ForegroundColor Green "($env:VIRTUAL_ENV_PROMPT) "
        if ($null -ne $function:_OLD_VIRTUAL_PROMPT) { _OLD_VIRTUAL_PROMPT } else { 'PS> ' }
    }
} @args
