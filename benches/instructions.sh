#!/usr/bin/env bash
# Counts the instructions of two warm runs, without and with pip, with callgrind. Unlike times, the counts are repeatable (within
# 0.02 %). Prints what they depend on, and then a line for each.
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
# libc selects functions according to the CPU's features.
cpu=$(grep -m 1 ^flags /proc/cpuinfo | cut -d : -f 2 | tr ' ' '\n' | sort | sha256sum | cut -c 1-16)
printf '%s\n' "rustc ${rustc#rustc }" "libc $libc" "valgrind ${valgrind#valgrind-}" "python $version" "cpu $cpu"

# The same variables for all runs, since reading them takes instructions, and one core, since threads do, too.
run() {
    env -i PATH=/usr/bin:/bin HOME="$scratch" RVENV_CACHE_DIR="$scratch/cache" taskset -c 0 "$@"
}

# The minimum of three: the count varies a little when threads wait for each other.
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
