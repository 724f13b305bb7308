#!/usr/bin/env bash
# The instructions that two warm runs take, without pip and with it, as callgrind counts them: unlike times, they are the same
# in each run (within 0.02 %). Prints what they depend on, then a line for each.
#
#     benches/instructions.sh [PROGRAM [PYTHON]]
set -euo pipefail
shopt -s inherit_errexit
cd "$(dirname "${BASH_SOURCE[0]}")/.."
program=$(realpath "${1:-target/release/rvenv}")
python=${2:-/usr/bin/python3}
scratch=$(mktemp -d /tmp/rvenv-instructions.XXXXXX)
trap 'rm -rf "$scratch"' EXIT

rustc=$(rustc --version)
libc=$(getconf GNU_LIBC_VERSION)
valgrind=$(valgrind --version)
version=$("$python" -c 'import sys; print(sys.version.split()[0])')
# libc has functions for each CPU.
cpu=$(grep -m 1 ^flags /proc/cpuinfo | cut -d : -f 2 | tr ' ' '\n' | sort | sha256sum | cut -c 1-16)
printf '%s\n' "rustc ${rustc#rustc }" "libc $libc" "valgrind ${valgrind#valgrind-}" "python $version" "cpu $cpu"

# One environment for all, since its variables are read, and one core, since each thread takes some.
run() {
    env -i PATH=/usr/bin:/bin HOME="$scratch" RVENV_CACHE_DIR="$scratch/cache" taskset -c 0 "$@"
}

# The least of three: threads that wait for each other take a few instructions more or less.
count() {
    local least='' instructions
    for number in 1 2 3; do
        run valgrind --tool=callgrind --callgrind-out-file=/dev/null "$program" -p "$python" "$@" "$scratch/env$number" \
            2>"$scratch/log" || { cat "$scratch/log" >&2; exit 1; }
        instructions=$(sed -nE 's/.*Collected : ([0-9]+).*/\1/p' "$scratch/log")
        if [ -z "$least" ] || [ "$instructions" -lt "$least" ]; then least=$instructions; fi
    done
    rm -rf "$scratch"/env?
    echo "$least"
}

run "$program" -p "$python" "$scratch/warm"
without=$(count --without-pip)
with=$(count)
printf '%s\n' "without-pip $without" "with-pip $with"
