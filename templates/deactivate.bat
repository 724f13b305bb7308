@rem Puts every variable back as it was before activate.bat.
@rem With delayed expansion on, "!" is the empty string, and only !NAME! expands to what may hold an exclamation mark.

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
