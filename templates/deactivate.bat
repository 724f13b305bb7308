@rem Restores every variable that activate.bat has changed.
@rem If delayed expansion is enabled, "!" is an empty string, and values with an exclamation mark need !NAME!.

@if not defined _OLD_VIRTUAL_PATH exit /b 0
@set "VIRTUAL_ENV="
@set "VIRTUAL_ENV_PROMPT="
@if not defined VIRTUAL_ENV_DISABLE_PROMPT set "PROMPT="
@if "!"=="" goto delayed
@set "PATH=%_OLD_VIRTUAL_PATH%"
@if defined _OLD_VIRTUAL_PROMPT set "PROMPT=%_OLD_VIRTUAL_PROMPT%"
@if defined _OLD_VIRTUAL_PYTHONHOME set "PYTHONHOME=%_OLD_VIRTUAL_PYTHONHOME%"
@if defined _OLD_VIRTUAL_ENV set "VIRTUAL_ENV=%_OLD_VIRTUAL_ENV%"
@if defined _OLD_VIRTUAL_ENV_PROMPT set "VIRTUAL_ENV_PROMPT=%_OLD_VIRTUAL_ENV_PROMPT%"
@goto finish

:delayed
@set "PATH=!_OLD_VIRTUAL_PATH!"
@if defined _OLD_VIRTUAL_PROMPT set "PROMPT=!_OLD_VIRTUAL_PROMPT!"
@if defined _OLD_VIRTUAL_PYTHONHOME set "PYTHONHOME=!_OLD_VIRTUAL_PYTHONHOME!"
@if defined _OLD_VIRTUAL_ENV set "VIRTUAL_ENV=!_OLD_VIRTUAL_ENV!"
@if defined _OLD_VIRTUAL_ENV_PROMPT set "VIRTUAL_ENV_PROMPT=!_OLD_VIRTUAL_ENV_PROMPT!"
@goto finish

:finish
@set "_OLD_VIRTUAL_PATH="
@set "_OLD_VIRTUAL_PROMPT="
@set "_OLD_VIRTUAL_PYTHONHOME="
@set "_OLD_VIRTUAL_ENV="
@set "_OLD_VIRTUAL_ENV_PROMPT="
@exit /b 0
