# Activates the virtual environment in the current fish. This file must be sourced, not executed:
#
#     source bin/activate.fish          (to leave it: deactivate)
#
# `builtin` bypasses functions of the user with the same names. This script does not use `source` or `.` itself.

# The scripts of a relocatable environment do not contain its path: it is derived from the path of this file.
set -g _OLD_VIRTUAL_HERE {{ VIRTUAL_ENV }}
set -g _OLD_VIRTUAL_FILE (builtin status filename | string collect)
if not string match -q -- '*/*' $_OLD_VIRTUAL_FILE
    # Unknown, for example because the script is read from standard input.
    set -g _OLD_VIRTUAL_FILE ''
end
if test -z "$_OLD_VIRTUAL_HERE" -a -n "$_OLD_VIRTUAL_FILE"
    # No path contains two slashes: they mark the end of a path that may end with a newline.
    set -g _OLD_VIRTUAL_FILE (builtin realpath -s -- $_OLD_VIRTUAL_FILE | string collect)
    string replace -r '/[^/]*/[^/]*$' // -- $_OLD_VIRTUAL_FILE | read -z -g -d // _OLD_VIRTUAL_HERE _OLD_VIRTUAL_REFUSAL
end

# The reason why the environment cannot be activated, if there is one. The stack trace is empty if the file is executed.
set -g _OLD_VIRTUAL_REFUSAL
if not builtin status stack-trace | string length -q
    set -g _OLD_VIRTUAL_REFUSAL 'this script must be sourced, not executed: '{{ SOURCE_LINE }}
else if test -z "$_OLD_VIRTUAL_HERE"
    set -g _OLD_VIRTUAL_REFUSAL 'fish does not know the path that this file was read from, so it cannot activate a relocatable environment'
else if not test -d "$_OLD_VIRTUAL_HERE"/{{ BIN_NAME }}
    set -g _OLD_VIRTUAL_REFUSAL "no environment at $_OLD_VIRTUAL_HERE: it was moved or deleted; recreate it in its new place"
else if string match -q -- '*:*' "$_OLD_VIRTUAL_HERE"
    set -g _OLD_VIRTUAL_REFUSAL "PATH cannot contain a directory with a colon in its name: $_OLD_VIRTUAL_HERE"
else if test -n "$_OLD_VIRTUAL_FILE"
    # If this file is in another environment than the one that it names, the environment was moved or copied, too.
    set -g _OLD_VIRTUAL_FILE (string replace -r '/[^/]*$' '/..' -- $_OLD_VIRTUAL_FILE | string collect)
    if test -f "$_OLD_VIRTUAL_FILE"/pyvenv.cfg
        and test (builtin realpath -- "$_OLD_VIRTUAL_FILE" | string collect) != (builtin realpath -- "$_OLD_VIRTUAL_HERE" | string collect)
        set -g _OLD_VIRTUAL_REFUSAL "this environment was created as $_OLD_VIRTUAL_HERE and then moved or copied; recreate it in its new place"
    end
end
if set -q _OLD_VIRTUAL_REFUSAL[1]
    builtin printf 'activate.fish: %s\n' "$_OLD_VIRTUAL_REFUSAL" >&2
    set -eg _OLD_VIRTUAL_HERE
    set -eg _OLD_VIRTUAL_FILE
    set -eg _OLD_VIRTUAL_REFUSAL
    return 1
end

# Restores every variable; `_OLD_VIRTUAL_X` is the old value of X, if it was set. In fish PATH is always set.
function deactivate -d 'Leave the virtual environment'
    if set -q _OLD_VIRTUAL_PATH
        set -eg VIRTUAL_ENV
        set -eg VIRTUAL_ENV_PROMPT
    end
    for name in PATH PYTHONHOME VIRTUAL_ENV VIRTUAL_ENV_PROMPT
        set -l old _OLD_VIRTUAL_$name
        if set -q $old
            set -gx $name $$old
            set -eg $old
        end
    end

    if builtin functions -q _old_fish_prompt
        # Unless the user has defined another prompt in the meantime.
        if builtin functions fish_prompt | string match -q '*_old_fish_prompt*'
            builtin functions -e fish_prompt
            builtin functions -c _old_fish_prompt fish_prompt
        end
        builtin functions -e _old_fish_prompt
        builtin functions -e _old_virtual_status
        set -eg _OLD_FISH_PROMPT_OVERRIDE
    end

    if test "$argv[1]" != nondestructive
        builtin functions -e deactivate
    end
end

# Deactivate the active environment first.
deactivate nondestructive

set -q VIRTUAL_ENV
and set -g _OLD_VIRTUAL_VIRTUAL_ENV $VIRTUAL_ENV
set -q VIRTUAL_ENV_PROMPT
and set -g _OLD_VIRTUAL_VIRTUAL_ENV_PROMPT $VIRTUAL_ENV_PROMPT
set -gx VIRTUAL_ENV $_OLD_VIRTUAL_HERE
set -gx VIRTUAL_ENV_PROMPT {{ PROMPT }}

set -g _OLD_VIRTUAL_PATH $PATH
set -gx PATH $VIRTUAL_ENV/{{ BIN_NAME }} $PATH

if set -q PYTHONHOME
    set -g _OLD_VIRTUAL_PYTHONHOME $PYTHONHOME
    set -eg PYTHONHOME
end

if test -z "$VIRTUAL_ENV_DISABLE_PROMPT"
    and builtin functions -q fish_prompt
    builtin functions -c fish_prompt _old_fish_prompt
    # The script of venv uses it when its environment is activated after this one.
    set -g _OLD_FISH_PROMPT_OVERRIDE $VIRTUAL_ENV

    function _old_virtual_status
        return $argv[1]
    end

    function fish_prompt
        set -l old_status $status $pipestatus
        builtin set_color 4B8BBE
        builtin printf '(%s)' "$VIRTUAL_ENV_PROMPT"
        builtin set_color normal
        builtin printf ' '
        # Restore the exit statuses of the command line for the user's prompt. If the last status differs from that of
        # the last process, it was negated by `not`.
        if test $old_status[1] = $old_status[-1]
            eval (string join ' | ' -- '_old_virtual_status '$old_status[2..-1])'; _old_fish_prompt'
        else
            _old_virtual_status $old_status[1]
            _old_fish_prompt
        end
    end
end

set -eg _OLD_VIRTUAL_HERE
set -eg _OLD_VIRTUAL_FILE
set -eg _OLD_VIRTUAL_REFUSAL
