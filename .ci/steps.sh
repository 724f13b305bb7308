# shellcheck shell=bash
# Functions that the other scripts in this directory share. Sourced, not executed.

# Everything that is kept between runs (chroot, compiled interpreters, tools) is here, outside of the checkout. Each part is
# created under a temporary name and renamed when it is complete, so that an interrupted run leaves no half-made part.
CI_SCRATCH=${RVENV_CI_SCRATCH:-/var/tmp/rvenv-ci}
mkdir -p "$CI_SCRATCH/bin"

shopt -s inherit_errexit

CI_STEP=
CI_STEP_STARTED=0
CI_TIMES=()

# step NAME: prints the duration of the previous step and starts the next one. Without NAME it only ends the previous one.
step() {
    if [ -n "$CI_STEP" ]; then
        printf -- '-- %s: %d s\n' "$CI_STEP" $((SECONDS - CI_STEP_STARTED))
        CI_TIMES+=("$(printf '%6d s  %s' $((SECONDS - CI_STEP_STARTED)) "$CI_STEP")")
    fi
    CI_STEP=${1-}
    CI_STEP_STARTED=$SECONDS
    if [ -n "$CI_STEP" ]; then
        printf '\n== %s\n' "$CI_STEP"
    fi
}

# show_times: prints a table of the steps so far and their durations. For a background step that is the time spent waiting for it.
show_times() {
    printf '\n== times\n'
    printf '%s\n' "${CI_TIMES[@]}"
    printf '%6d s  in all\n' "$SECONDS"
}

# part NAME COMMAND...: runs a step that is one command.
part() {
    step "$1"
    shift
    "$@"
}

declare -A CI_BEHIND=() CI_BEHIND_LOG=()

# behind NAME COMMAND...: starts a command in the background. `await` shows its output.
behind() {
    local name=$1
    shift
    CI_BEHIND_LOG[$name]=$(mktemp)
    # In its own process group, so that it can be killed with all of its children, and with default signal handlers.
    # shellcheck disable=SC2016 # The inner shell expands it.
    setsid env --default-signal bash -c 'SECONDS=0; "$@" || exit; echo "-- took $SECONDS s"' behind "$@" \
        >"${CI_BEHIND_LOG[$name]}" 2>&1 &
    CI_BEHIND[$name]=$!
}

# await NAME: waits for a background command, shows its output, and fails if it failed.
await() {
    local status=0
    step "$1"
    wait "${CI_BEHIND[$1]}" || status=$?
    cat "${CI_BEHIND_LOG[$1]}"
    rm -f "${CI_BEHIND_LOG[$1]}"
    unset "CI_BEHIND[$1]" "CI_BEHIND_LOG[$1]"
    [ "$status" -eq 0 ] || die "$1: exit status $status"
}

# stop_behind: kills the background commands that are still running.
stop_behind() {
    local name
    for name in "${!CI_BEHIND[@]}"; do
        kill -- "-${CI_BEHIND[$name]}" 2>/dev/null || true
        wait "${CI_BEHIND[$name]}" || true
        rm -f "${CI_BEHIND_LOG[$name]}"
    done
}

die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# quietly COMMAND...: runs a command and shows its output only if it fails.
quietly() {
    local log status=0
    log=$(mktemp)
    "$@" >"$log" 2>&1 </dev/null || status=$?
    if [ "$status" -ne 0 ]; then
        tail -n 80 "$log" >&2
        printf '%s: exit status %d: %s\n' "${0##*/}" "$status" "$*" >&2
    fi
    rm -f "$log"
    return "$status"
}

twice() {
    quietly "$@" || quietly "$@"
}

# apt_install PACKAGE...: installs the packages that are missing. Retries once, since downloads sometimes fail.
apt_install() {
    local package missing=()
    for package in "$@"; do
        if ! dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed; then
            missing+=("$package")
        fi
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    [ "$(id -u)" = 0 ] || die "run as root to install: ${missing[*]}"
    if [ ! -e "$CI_SCRATCH/.apt-updated" ] || [ -n "$(find "$CI_SCRATCH/.apt-updated" -mmin +120)" ]; then
        twice apt-get -o DPkg::Lock::Timeout=300 update
        touch "$CI_SCRATCH/.apt-updated"
    fi
    DEBIAN_FRONTEND=noninteractive \
        twice apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "${missing[@]}"
}

# debian_mirror: prints the URL of the mirror that apt is configured to use.
debian_mirror() {
    # shellcheck disable=SC2016 # The placeholders are apt's.
    apt-get indextargets --format '$(REPO_URI) $(COMPONENT)' 'Created-By: Packages' |
        awk '$2 == "main" && $1 !~ /security/ { print $1; exit }'
}

# tools_venv NAME PACKAGE...: installs packages from PyPI into the environment $CI_SCRATCH/NAME.
tools_venv() {
    local name=$1 folder=$CI_SCRATCH/$1
    shift
    [ -e "$folder/.complete" ] && return 0
    (
        # A part that runs at the same time may need the same tools.
        flock 9
        [ -e "$folder/.complete" ] && exit 0
        rm -rf "$folder"
        quietly /usr/bin/python3 -m venv "$folder"
        twice "$folder/bin/python" -m pip install --disable-pip-version-check "$@" ||
            die "$name cannot be installed from PyPI"
        touch "$folder/.complete"
    ) 9>"$CI_SCRATCH/.$name.lock"
}

# cpython_source: fetches CPython's source (Debian trixie's source package) and prints the directory that it is unpacked in.
cpython_source() {
    local folder=$CI_SCRATCH/cpython-source work mirror
    if [ ! -d "$folder" ]; then
        apt_install dpkg-dev debian-archive-keyring xz-utils
        work=$(mktemp -d "$CI_SCRATCH/cpython-source.XXXXXX")
        mirror=$(debian_mirror)
        mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
        # With its own apt configuration, so that the sources of the machine are not changed.
        echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main" >"$work/sources.list"
        local options=(-o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=-
            -o "Dir::State::lists=$work/lists" -o "Dir::Cache=$work/cache" -o APT::Sandbox::User=root)
        twice apt-get "${options[@]}" update
        (cd "$work" && twice apt-get "${options[@]}" source --download-only python3.13) ||
            die "the source package python3.13 of Debian trixie cannot be fetched"
        mkdir "$work/source"
        tar -x --strip-components=1 -C "$work/source" -f "$work"/python3.13_*.orig.tar.xz
        mv "$work/source" "$folder"
        rm -rf "$work"
    fi
    echo "$folder"
}

# tools_npm PACKAGE@VERSION: installs a package from npm below $CI_SCRATCH/npm, without running its install scripts.
tools_npm() {
    [ -e "$CI_SCRATCH/npm/.${1//\//-}" ] && return 0
    mkdir -p "$CI_SCRATCH/npm"
    twice npm install --prefix "$CI_SCRATCH/npm" --ignore-scripts --no-audit --no-fund "$1" || die "$1 cannot be installed from npm"
    touch "$CI_SCRATCH/npm/.${1//\//-}"
}

# install_powershell: installs PowerShell as `pwsh` if there is a copy of it next to the checkout. Otherwise the tests use the one
# on PATH, as no package registry has it.
install_powershell() {
    local program
    [ -x ../shared/pwsh/install ] || return 0
    program=$(../shared/pwsh/install "$CI_SCRATCH/pwsh")
    # Not a link: it looks for its files next to the path that it is started with.
    printf '#!/bin/sh\nexec "%s" "$@"\n' "$program" >"$CI_SCRATCH/bin/pwsh"
    chmod +x "$CI_SCRATCH/bin/pwsh"
}

# rvenv_wheel DIRECTORY: installs maturin, twine and mypy, and copies the wheel of this checkout to the directory. It is built at
# the first call and after a change, with the profile that the tests use, and with the `linux` tag that every pip supports.
rvenv_wheel() {
    local -x CARGO_PROFILE_DEV_DEBUG=0
    local target=${CARGO_TARGET_DIR:-$PWD/target} wheels
    wheels=$target/wheels-of-ci
    tools_venv maturin 'maturin>=1.10,<2' twine mypy
    cargo build --quiet --locked
    if ! ls "$wheels"/*.whl >/dev/null 2>&1 ||
        [ -n "$(find "$target/debug/rvenv" python/rvenv pyproject.toml -newer "$(ls "$wheels"/*.whl)")" ]; then
        rm -rf "$wheels"
        packaging/licenses.py THIRD-PARTY-LICENSES
        quietly "$CI_SCRATCH/maturin/bin/maturin" build --profile dev --locked --compatibility linux --out "$wheels"
        # maturin has moved the program out of cargo's target directory.
        cargo build --quiet --locked
        touch "$wheels"/*.whl
    fi
    mkdir -p "$1"
    cp "$wheels"/*.whl "$1"
}

# run_tests WHERE COMMAND...: runs a test command, shows its output, and appends the number of tests that passed to the file
# $CI_PASSED. Fails if no test was run.
run_tests() {
    # shellcheck disable=SC2016 # The fields are awk's.
    counted '/^test result: / { sum += $4 } / *Summary / { for (i = 2; i <= NF; i++) if ($i ~ /^passed/) sum += $(i - 1) }
        END { print sum + 0 }' "$@"
}

# run_unittest WHERE COMMAND...: like run_tests, for Python's unittest. Skipped tests are allowed.
run_unittest() {
    # shellcheck disable=SC2016 # The fields are awk's.
    counted '/^Ran [0-9]+ tests? in / { ran = $2 }
        /^OK/ { if (match($0, /skipped=[0-9]+/)) ran -= substr($0, RSTART + 8, RLENGTH - 8); passed = ran }
        END { print passed + 0 }' "$@"
}

# counted PROGRAM WHERE COMMAND...: the awk program PROGRAM reads the output of COMMAND and prints how many tests passed.
counted() {
    local program=$1 where=$2 log status=0 passed
    shift 2
    log=$(mktemp)
    # Not through a pipe, which a process that a test leaves running would keep open. With default signal handlers, because
    # children inherit ignored signals.
    env --default-signal "$@" >"$log" 2>&1 || status=$?
    cat "$log"
    passed=$(awk "$program" "$log")
    rm -f "$log"
    [ "$status" -eq 0 ] || die "tests fail ($where)"
    [ "$passed" -gt 0 ] || die "no test was run ($where)"
    [ -z "${CI_PASSED-}" ] || echo "$passed" >>"$CI_PASSED"
}

# For tests of other programs. The array `clean` is the command prefix that gives them a clean environment.
# shellcheck disable=SC2154 # `clean` is of the script that sources this.
run() {
    quietly "${clean[@]}" "$@"
}

output() {
    "${clean[@]}" "$@" 2>/dev/null
}

# same ACTUAL EXPECTED: fails if two values differ.
same() {
    [ "$1" = "$2" ] || die "'$1' is not '$2'"
}

# made_by_rvenv ENV_DIR...: fails unless pyvenv.cfg says that rvenv created the environment.
made_by_rvenv() {
    local folder
    for folder in "$@"; do
        grep -q '^rvenv = ' "$folder/pyvenv.cfg" || die "$folder was not created by rvenv"
    done
}

# milliseconds COMMAND...: runs a command and prints how long it took. For the log only, as other parts run at the same time.
milliseconds() {
    local started
    started=$(date +%s%N)
    run "$@" || return
    echo $((($(date +%s%N) - started) / 1000000))
}
