# Activates the virtual environment in the current csh or tcsh. This file must be sourced, not executed:
#
#     source bin/activate.csh          (to leave it: deactivate)
#
# Values are always expanded as $name:q, which prevents splitting and further expansion. Commands with variables that may
# be unset are in an `eval`, because csh expands a whole line before it evaluates the `if` in it.

set _OLD_VIRTUAL_HERE = {{ VIRTUAL_ENV }}
set _OLD_VIRTUAL_REFUSAL = ''
if ( $?0 ) then
    if ( $0:t:q == activate.csh ) \
        set _OLD_VIRTUAL_REFUSAL = 'this script must be sourced, not executed: '{{ SOURCE_LINE }}
endif
if ( $_OLD_VIRTUAL_REFUSAL:q == '' ) then
    if ( $_OLD_VIRTUAL_HERE:q == '' ) then
        set _OLD_VIRTUAL_REFUSAL = 'csh does not know the path of a sourced file, so it cannot activate a relocatable environment'
    else if ( ! -d $_OLD_VIRTUAL_HERE:q/{{ BIN_NAME }} ) then
        set _OLD_VIRTUAL_REFUSAL = 'no environment at '$_OLD_VIRTUAL_HERE:q': it was moved or deleted; recreate it in its new place'
    else if ( $_OLD_VIRTUAL_HERE:q =~ *:* ) then
        set _OLD_VIRTUAL_REFUSAL = 'PATH cannot contain a directory with a colon in its name: '$_OLD_VIRTUAL_HERE:q
    endif
endif
if ( $_OLD_VIRTUAL_REFUSAL:q != '' ) then
    # csh itself cannot write to standard error.
    /bin/sh -c 'printf "activate.csh: %s\n" "$0" >&2; exit 1' $_OLD_VIRTUAL_REFUSAL:q
    unset _OLD_VIRTUAL_HERE _OLD_VIRTUAL_REFUSAL
    exit 1
endif

# Restores every variable; _OLD_VIRTUAL_X is the old value of X, if it was set.
alias deactivate 'if ( $?_OLD_VIRTUAL_NO_PATH ) eval '\''set path = ( $_OLD_VIRTUAL_NO_PATH:q ); unsetenv PATH; unset _OLD_VIRTUAL_NO_PATH; set _OLD_VIRTUAL_ACTIVE'\''; if ( $?_OLD_VIRTUAL_PATH ) eval '\''setenv PATH $_OLD_VIRTUAL_PATH:q; unset _OLD_VIRTUAL_PATH; set _OLD_VIRTUAL_ACTIVE'\''; if ( $?_OLD_VIRTUAL_PYTHONHOME ) eval '\''setenv PYTHONHOME $_OLD_VIRTUAL_PYTHONHOME:q; unset _OLD_VIRTUAL_PYTHONHOME'\''; if ( $?_OLD_VIRTUAL_PROMPT ) eval '\''set prompt = $_OLD_VIRTUAL_PROMPT:q; unset _OLD_VIRTUAL_PROMPT'\''; if ( $?_OLD_VIRTUAL_ACTIVE ) eval '\''unsetenv VIRTUAL_ENV; unsetenv VIRTUAL_ENV_PROMPT; unset _OLD_VIRTUAL_ACTIVE'\''; if ( $?_OLD_VIRTUAL_ENV ) eval '\''setenv VIRTUAL_ENV $_OLD_VIRTUAL_ENV:q; unset _OLD_VIRTUAL_ENV'\''; if ( $?_OLD_VIRTUAL_ENV_PROMPT ) eval '\''setenv VIRTUAL_ENV_PROMPT $_OLD_VIRTUAL_ENV_PROMPT:q; unset _OLD_VIRTUAL_ENV_PROMPT'\''; if ( "\!*" != nondestructive ) unalias deactivate'

# Deactivate the active environment first.
deactivate nondestructive

if ( $?VIRTUAL_ENV ) eval 'set _OLD_VIRTUAL_ENV = $VIRTUAL_ENV:q'
if ( $?VIRTUAL_ENV_PROMPT ) eval 'set _OLD_VIRTUAL_ENV_PROMPT = $VIRTUAL_ENV_PROMPT:q'
setenv VIRTUAL_ENV $_OLD_VIRTUAL_HERE:q
setenv VIRTUAL_ENV_PROMPT {{ PROMPT }}

if ( $?PATH ) then
    set _OLD_VIRTUAL_PATH = $PATH:q
else
    set _OLD_VIRTUAL_NO_PATH = ( $path:q )
    setenv PATH ''
endif
if ( $PATH:q == '' ) then
    setenv PATH $_OLD_VIRTUAL_HERE:q/{{ BIN_NAME }}
else
    setenv PATH $_OLD_VIRTUAL_HERE:q/{{ BIN_NAME }}:$PATH:q
endif

if ( $?PYTHONHOME ) then
    set _OLD_VIRTUAL_PYTHONHOME = $PYTHONHOME:q
    unsetenv PYTHONHOME
endif

# A csh that is not interactive has no prompt.
set _OLD_VIRTUAL_DISABLED = ''
if ( $?VIRTUAL_ENV_DISABLE_PROMPT ) eval 'set _OLD_VIRTUAL_DISABLED = $VIRTUAL_ENV_DISABLE_PROMPT:q'
if ( $?prompt && $_OLD_VIRTUAL_DISABLED:q == '' ) then
    set _OLD_VIRTUAL_PROMPT = $prompt:q
    set prompt = {{ CSH_PROMPT }}$_OLD_VIRTUAL_PROMPT:q
endif
unset _OLD_VIRTUAL_DISABLED _OLD_VIRTUAL_HERE _OLD_VIRTUAL_REFUSAL
