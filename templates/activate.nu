# Activates the virtual environment in nushell, as an overlay:
#
#     overlay use bin/activate.nu          and later          deactivate
#
# Leaving is hiding the overlay: nushell then shows every variable as it was below it, so nothing is put back by hand.

# What runs when this file is run as a program and not used as an overlay.
def main [] {
    error make --unspanned { msg: ('this script must be sourced, not executed: ' + {{ SOURCE_LINE }}) }
}

# The environment that this file lies in.
const here = path self ..

export-env {
    # No path is written into a relocatable environment: it is where this file is.
    const made_as = {{ VIRTUAL_ENV }}
    let virtual_env = if $made_as == '' { $here } else { $made_as }
    let bin = $virtual_env | path join {{ BIN_NAME }}
    if ($bin | path type) != dir {
        error make --unspanned { msg: $"no environment at ($virtual_env): it was moved or deleted; recreate it in its new place" }
    }
    if ($here | path join pyvenv.cfg | path exists) and ($here | path expand) != ($virtual_env | path expand) {
        error make --unspanned { msg: $"this environment was created as ($virtual_env) and then moved or copied; recreate it in its new place" }
    }
    if (char esep) in $virtual_env {
        error make --unspanned { msg: $"PATH cannot contain a directory with (char esep) in its name: ($virtual_env)" }
    }

    # An environment on top of another takes its place. A record is not passed on to other programs.
    let below = $env._OLD_VIRTUAL? | default {
        path: ($env.PATH? | default [] | split row (char esep) | where $it != '')
        prompt: $env.PROMPT_COMMAND?
    }
    let virtual_env_prompt = {{ PROMPT }}
    load-env {
        _OLD_VIRTUAL: $below
        PATH: ($below.path | prepend $bin)
        VIRTUAL_ENV: $virtual_env
        VIRTUAL_ENV_PROMPT: $virtual_env_prompt
    }
    # Null is how a variable is left out without being taken from the overlays below.
    if PYTHONHOME in $env {
        $env.PYTHONHOME = null
    }
    if ($env.VIRTUAL_ENV_DISABLE_PROMPT? | default '' | is-empty) and $below.prompt != null {
        $env.PROMPT_COMMAND = {||
            let prompt = if ($below.prompt | describe) == closure { do $below.prompt } else { $below.prompt }
            '(' + $virtual_env_prompt + ') ' + $"($prompt)"
        }
    }
}

# The folder one is in stays as it is.
export alias deactivate = overlay hide activate --keep-env [PWD]
