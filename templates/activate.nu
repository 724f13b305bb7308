# Activates the virtual environment in nushell, as an overlay:
#
#     overlay use bin/activate.nu          (to leave it: deactivate)
#
# Deactivating hides the overlay. nushell then restores every variable by itself.

# Runs if this file is executed instead of being used as an overlay.
def main [] {
    error make --unspanned { msg: ('this script must be sourced, not executed: ' + {{ SOURCE_LINE }}) }
}

# The environment that contains this file.
const here = path self ..

export-env {
    # The scripts of a relocatable environment do not contain its path: it is derived from the path of this file.
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

    # If another environment is active, it is replaced. A record is not exported to other programs.
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
    # Null unsets a variable without removing it from the overlays below.
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

# Keeps the current directory.
export alias deactivate = overlay hide activate --keep-env [PWD]
