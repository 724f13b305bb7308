#!/bin/bash
# The steps of action.yml: `action.sh install` and `action.sh create`. Inputs are the variables RVENV_INPUT_*.
set -euo pipefail
packaging=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
windows=false
[ "${RUNNER_OS-}" != Windows ] || windows=true

install() {
    local folder=$RUNNER_TEMP/rvenv-bin
    # By default the release that the action belongs to.
    local version=${RVENV_INPUT_VERSION:-latest}
    if $windows; then
        RVENV_INSTALL_DIR=$folder powershell -NoProfile -ExecutionPolicy Bypass -File "$packaging/install.ps1" -Version "$version"
    else
        sh "$packaging/install.sh" --version "$version" --to "$folder"
    fi
    echo "$folder" >>"$GITHUB_PATH"
    # The cached files depend on the Python, so each Python has its own cache.
    local python=${RVENV_INPUT_PYTHON:-python3}
    local key
    key=$(printf '%s|%s' "$python" "$("${RVENV_INPUT_PYTHON:-python3}" -VV 2>/dev/null || true)" | cksum | cut -d ' ' -f 1)
    {
        echo "version=$("$folder/rvenv" --version | cut -d ' ' -f 2)"
        echo "python-key=$key"
        echo "store=$RUNNER_TEMP/rvenv-store"
    } >>"$GITHUB_OUTPUT"
}

create() {
    local env_dir=${RVENV_INPUT_ENV_DIR:-.venv}
    local options=()
    [ -z "${RVENV_INPUT_PYTHON-}" ] || options+=(--python "$RVENV_INPUT_PYTHON")
    local file
    # One file per line.
    while IFS= read -r file; do
        [ -z "$file" ] || options+=(--requirements "$file")
    done <<<"${RVENV_INPUT_REQUIREMENTS-}"
    RVENV_CACHE_DIR=$RUNNER_TEMP/rvenv-store rvenv ${options[@]+"${options[@]}"} -- "$env_dir"
    env_dir=$(cd "$env_dir" && pwd)
    local bin=$env_dir/bin
    if $windows; then
        env_dir=$(cygpath -w "$env_dir")
        bin=$env_dir\\Scripts
    fi
    echo "$bin" >>"$GITHUB_PATH"
    echo "VIRTUAL_ENV=$env_dir" >>"$GITHUB_ENV"
    echo "env-dir=$env_dir" >>"$GITHUB_OUTPUT"
}

"$1"
