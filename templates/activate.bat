@rem Activates the virtual environment in the current command prompt. To leave it, run `deactivate`.
@rem Without `echo off`, which would affect a batch file that calls this one. Variables cannot be empty in cmd.
@rem If delayed expansion is enabled, "!" is an empty string, and values with an exclamation mark need !NAME!.

@if {{ CARRIED }}==no goto not_carried
@if "!"=="" if {{ EXCLAIMS }}==yes goto not_carried
@for /f "tokens=2 delims=:." %%c in ('"%SystemRoot%\System32\chcp.com"') do @set "_OLD_CODEPAGE=%%c"
@if defined _OLD_CODEPAGE "%SystemRoot%\System32\chcp.com" 65001 > nul
@if not exist "{{ VIRTUAL_ENV }}\{{ BIN_NAME }}\." goto moved

@set "_OLD_VIRTUAL_HERE={{ VIRTUAL_ENV }}"
@if {{ RELOCATABLE }}==yes for %%v in ("{{ VIRTUAL_ENV }}") do @set "_OLD_VIRTUAL_HERE=%%~fv"
@if "!"=="" goto delayed
@rem Deactivate the active environment first. Not with `call`, which would expand percent signs in a path again.
@if defined _OLD_VIRTUAL_PATH set "VIRTUAL_ENV=%_OLD_VIRTUAL_ENV%"
@if defined _OLD_VIRTUAL_PATH set "VIRTUAL_ENV_PROMPT=%_OLD_VIRTUAL_ENV_PROMPT%"
@if defined _OLD_VIRTUAL_PATH set "PATH=%_OLD_VIRTUAL_PATH%"
@if defined _OLD_VIRTUAL_PATH set "PROMPT=%_OLD_VIRTUAL_PROMPT%"
@if defined _OLD_VIRTUAL_PYTHONHOME set "PYTHONHOME=%_OLD_VIRTUAL_PYTHONHOME%"
@if defined VIRTUAL_ENV set "_OLD_VIRTUAL_ENV=%VIRTUAL_ENV%"
@if defined VIRTUAL_ENV_PROMPT set "_OLD_VIRTUAL_ENV_PROMPT=%VIRTUAL_ENV_PROMPT%"
@if defined PYTHONHOME set "_OLD_VIRTUAL_PYTHONHOME=%PYTHONHOME%"
@if defined PROMPT set "_OLD_VIRTUAL_PROMPT=%PROMPT%"
@set "_OLD_VIRTUAL_PATH=%PATH%"
@set "VIRTUAL_ENV=%_OLD_VIRTUAL_HERE%"
@set "PATH=%VIRTUAL_ENV%\{{ BIN_NAME }};%PATH%"
@if not defined VIRTUAL_ENV_DISABLE_PROMPT if defined PROMPT set "PROMPT={{ CMD_PROMPT }}%PROMPT%"
@goto finish

:delayed
@if defined _OLD_VIRTUAL_PATH set "VIRTUAL_ENV=!_OLD_VIRTUAL_ENV!"
@if defined _OLD_VIRTUAL_PATH set "VIRTUAL_ENV_PROMPT=!_OLD_VIRTUAL_ENV_PROMPT!"
@if defined _OLD_VIRTUAL_PATH set "PATH=!_OLD_VIRTUAL_PATH!"
@if defined _OLD_VIRTUAL_PATH set "PROMPT=!_OLD_VIRTUAL_PROMPT!"
@if defined _OLD_VIRTUAL_PYTHONHOME set "PYTHONHOME=!_OLD_VIRTUAL_PYTHONHOME!"
@if defined VIRTUAL_ENV set "_OLD_VIRTUAL_ENV=!VIRTUAL_ENV!"
@if defined VIRTUAL_ENV_PROMPT set "_OLD_VIRTUAL_ENV_PROMPT=!VIRTUAL_ENV_PROMPT!"
@if defined PYTHONHOME set "_OLD_VIRTUAL_PYTHONHOME=!PYTHONHOME!"
@if defined PROMPT set "_OLD_VIRTUAL_PROMPT=!PROMPT!"
@set "_OLD_VIRTUAL_PATH=!PATH!"
@set "VIRTUAL_ENV=!_OLD_VIRTUAL_HERE!"
@set "PATH=!VIRTUAL_ENV!\{{ BIN_NAME }};!PATH!"
@if not defined VIRTUAL_ENV_DISABLE_PROMPT if defined PROMPT set "PROMPT={{ CMD_PROMPT }}!PROMPT!"
@goto finish

:finish
@if not defined VIRTUAL_ENV_DISABLE_PROMPT if not defined PROMPT set "PROMPT={{ CMD_PROMPT }}$P$G"
@set "VIRTUAL_ENV_PROMPT={{ PROMPT }}"
@set "PYTHONHOME="
@set "_OLD_VIRTUAL_HERE="
@if defined _OLD_CODEPAGE "%SystemRoot%\System32\chcp.com" %_OLD_CODEPAGE% > nul
@set "_OLD_CODEPAGE="
@exit /b 0

:moved
@echo activate.bat: no environment at "{{ VIRTUAL_ENV }}": it was moved or deleted; recreate it in its new place 1>&2
@if defined _OLD_CODEPAGE "%SystemRoot%\System32\chcp.com" %_OLD_CODEPAGE% > nul
@set "_OLD_CODEPAGE="
@exit /b 1

:not_carried
@echo activate.bat: the command prompt does not support the name of this environment; activate it from PowerShell 1>&2
@exit /b 1
