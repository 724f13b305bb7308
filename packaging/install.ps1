<#
.SYNOPSIS
Installs the program `rvenv` of a release, without administrator rights.

.DESCRIPTION
One file in ~\.local\bin. The archive's checksum must be the one in the release's SHA256SUMS. PATH is changed only with
-AddToPath. Each parameter has a variable: RVENV_VERSION, RVENV_TARGET, RVENV_INSTALL_DIR, RVENV_DOWNLOAD.
#>
param(
    [string] $Version = $env:RVENV_VERSION,
    [string] $Target = $env:RVENV_TARGET,
    [string] $To = $env:RVENV_INSTALL_DIR,
    [string] $From = $env:RVENV_DOWNLOAD,
    [switch] $AddToPath
)

# In a function, so that `irm … | iex` leaves no variables behind, and a truncated script does nothing.
function Install-Rvenv([string] $Version, [string] $Target, [string] $To, [string] $From, [bool] $AddToPath) {
    $ErrorActionPreference = 'Stop'
    # Windows PowerShell 5 redraws its progress bar every few bytes, which is slow.
    $ProgressPreference = 'SilentlyContinue'
    $releases = 'https://github.com/rvenv/rvenv/releases'

    if (-not $Version) { $Version = 'latest' }
    $number = $Version -replace '^v', ''
    if (-not $To) { $To = Join-Path (Join-Path $HOME '.local') 'bin' }
    if (-not $Target) {
        if (-not ($env:OS -eq 'Windows_NT')) { throw 'install.ps1: elsewhere than on Windows, install.sh installs it' }
        # The second variable is set in a 32-bit process on a 64-bit system.
        $machine = $env:PROCESSOR_ARCHITEW6432
        if (-not $machine) { $machine = $env:PROCESSOR_ARCHITECTURE }
        switch ($machine) {
            'AMD64' { $Target = 'x86_64-pc-windows-msvc' }
            'ARM64' { $Target = 'aarch64-pc-windows-msvc' }
            default { throw "install.ps1: there is no program for Windows on $machine" }
        }
    }
    if (-not $From) {
        if ($Version -eq 'latest') { $From = "$releases/latest/download" } else { $From = "$releases/download/v$number" }
    }
    $From = $From.TrimEnd('/', '\')

    $work = Join-Path ([IO.Path]::GetTempPath()) ([IO.Path]::GetRandomFileName())
    $null = New-Item -ItemType Directory -Path $work
    try {
        $fetch = {
            param([string] $Name)
            $file = Join-Path $work $Name
            if ($From -match '^https?://') {
                [Net.ServicePointManager]::SecurityProtocol = [Net.ServicePointManager]::SecurityProtocol -bor 3072 # TLS 1.2
                try { Invoke-WebRequest -UseBasicParsing -Uri "$From/$Name" -OutFile $file }
                catch { throw "install.ps1: $From/$Name cannot be fetched: $_" }
            } else {
                $source = Join-Path $From $Name
                if (-not (Test-Path -LiteralPath $source)) { throw "install.ps1: there is no $source" }
                Copy-Item -LiteralPath $source -Destination $file
            }
            $file
        }
        $archive = "rvenv-$Target.zip"
        $expected = ''
        foreach ($line in Get-Content -LiteralPath (& $fetch 'SHA256SUMS')) {
            if ($line -match '^([0-9a-f]{64}) [ *](.+)$' -and $Matches[2] -eq $archive) { $expected = $Matches[1] }
        }
        if (-not $expected) { throw "install.ps1: the release has no $archive" }
        $file = & $fetch $archive
        $actual = (Get-FileHash -LiteralPath $file -Algorithm SHA256).Hash.ToLowerInvariant()
        if ($actual -ne $expected) {
            throw "install.ps1: the checksum of $archive is $actual, not ${expected}: nothing was installed"
        }
        Expand-Archive -LiteralPath $file -DestinationPath $work
        $program = Join-Path (Join-Path $work "rvenv-$Target") 'rvenv.exe'
        if (-not (Test-Path -LiteralPath $program)) { throw "install.ps1: there is no program in $archive" }
        $said = (& $program --version) -join ''
        if ($LASTEXITCODE -ne 0) { throw "install.ps1: the program for $Target does not run here" }
        if ($Version -ne 'latest' -and $said -ne "rvenv $number") {
            throw "install.ps1: this is $said, not ${number}: nothing was installed"
        }
        $null = New-Item -ItemType Directory -Force -Path $To
        $installed = Join-Path $To 'rvenv.exe'
        # A running program can be renamed, but not replaced. The renamed program of an earlier installation is no longer in use.
        $old = "$installed.old"
        if (Test-Path -LiteralPath $old) { Remove-Item -Force -LiteralPath $old -ErrorAction SilentlyContinue }
        if (Test-Path -LiteralPath $installed) { Move-Item -Force -LiteralPath $installed -Destination $old }
        Move-Item -LiteralPath $program -Destination $installed
        if (Test-Path -LiteralPath $old) { Remove-Item -Force -LiteralPath $old -ErrorAction SilentlyContinue }
        "$said is installed: $installed"
    } finally {
        Remove-Item -Recurse -Force -LiteralPath $work -ErrorAction SilentlyContinue
    }

    if (($env:PATH -split [IO.Path]::PathSeparator) -contains $To) { return }
    if ($AddToPath) {
        $path = [Environment]::GetEnvironmentVariable('Path', 'User')
        if (($path -split ';') -notcontains $To) {
            [Environment]::SetEnvironmentVariable('Path', (@($To, $path) -ne '' -join ';'), 'User')
        }
        "$To is on the user's PATH, for programs that are started from now on"
    } else {
        "It is not on PATH yet: run this again with -AddToPath, or add $To yourself"
    }
}

Install-Rvenv $Version $Target $To $From $AddToPath.IsPresent
