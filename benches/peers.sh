#!/usr/bin/env bash
# Compares rvenv with `python -m venv`, virtualenv and uv, and prints a Markdown table with the medians and their ratios.
# `benches/chart.py FILE` inserts the table into docs/benchmarks.md and draws docs/benchmark.svg.
#
#     benches/peers.sh [--quick] [--python PATH]
#
# --quick runs each command only a few times; --python is the base Python (default: `python3` on PATH). virtualenv and uv are
# installed from PyPI into a scratch directory, hyperfine with apt. As root two file systems are mounted: an ext4 with a journal
# (from an image, unless the scratch directory is on one) and a tmpfs. RVENV_BENCH_SCRATCH is the scratch directory,
# RVENV_BENCH_RVENV the program to measure instead of a static build of this checkout with the profile `dist`.
set -euo pipefail
checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
scratch=${RVENV_BENCH_SCRATCH:-/var/tmp/rvenv-bench}
python=$(command -v python3)
rounds=5 runs=12 slow_runs=2

while [ $# -gt 0 ]; do
    case $1 in
        --quick) rounds=2 runs=5 slow_runs=1 ;;
        --python) python=$2 && shift ;;
        *) echo "usage: peers.sh [--quick] [--python PATH]" >&2 && exit 2 ;;
    esac
    shift
done
python=$("$python" -c 'import os, sys; print(os.path.realpath(getattr(sys, "_base_executable", sys.executable)))')

note() {
    printf '%s\n' "$*" >&2
}

# --- What is measured -------------------------------------------------------------------------------------------------

mkdir -p "$scratch/bin" "$scratch/home" "$scratch/results"
rm -f "$scratch"/results/*
for tool in hyperfine gcc mkfs.ext4:e2fsprogs /usr/bin/time:time; do
    command -v "${tool%%:*}" >/dev/null ||
        { apt-get update && apt-get install -y --no-install-recommends "${tool#*:}" libc6-dev; } >&2
done
"$python" -m venv --clear "$scratch/peers"
"$scratch/peers/bin/pip" install --quiet --disable-pip-version-check uv virtualenv >&2
uv=$scratch/peers/bin/uv
virtualenv=$scratch/peers/bin/virtualenv
rvenv=${RVENV_BENCH_RVENV-}
if [ -z "$rvenv" ]; then
    triple=$(rustc -vV | sed -n 's/^host: //p')
    target=${CARGO_TARGET_DIR:-$checkout/target}
    (cd "$checkout" && RUSTFLAGS=-Ctarget-feature=+crt-static cargo build --quiet --profile dist --locked --target "$triple")
    rvenv=$scratch/bin/rvenv
    cp "$target/$triple/dist/rvenv" "$rvenv"
fi
floor=$scratch/bin/floor
gcc -static -O2 -pthread -o "$floor" "$checkout/benches/floor.c"

# The commands run without the caller's variables, in particular SSL_CERT_FILE and SSL_CERT_DIR, which make uv read hundreds of
# certificates.
clean=(env -i HOME="$scratch/home" PATH=/usr/local/bin:/usr/bin:/bin LANG=C.UTF-8)
variables=("${clean[@]}")

# --- Where ------------------------------------------------------------------------------------------------------------

mounted=()
leave() {
    for folder in "${mounted[@]}"; do
        umount "$folder"
    done
    rm -f "$scratch/ext4.img"
}
trap leave EXIT

declare -A place=()
journaled() {
    [ "$(findmnt -no FSTYPE -T "$1")" = ext4 ] &&
        dumpe2fs -h "$(findmnt -no SOURCE -T "$1")" 2>/dev/null | grep -q has_journal
}
mkdir -p "$scratch/ext4" "$scratch/tmpfs"
if journaled "$scratch/ext4"; then
    place[ext4]=$scratch/ext4
else
    truncate -s 6G "$scratch/ext4.img"
    # Initialize everything now. Lazy initialization would continue while the programs are measured.
    if mkfs.ext4 -q -F -E lazy_itable_init=0,lazy_journal_init=0 "$scratch/ext4.img" && mount -o loop "$scratch/ext4.img" "$scratch/ext4"; then
        mounted+=("$scratch/ext4")
        place[ext4]=$scratch/ext4
    else
        note "peers.sh: no ext4 with a journal can be made here: measuring on $(findmnt -no FSTYPE -T "$scratch") instead"
        place[$(findmnt -no FSTYPE -T "$scratch")]=$scratch/ext4
    fi
fi
if mount -t tmpfs -o size=6G tmpfs "$scratch/tmpfs" 2>/dev/null; then
    mounted+=("$scratch/tmpfs")
    place[tmpfs]=$scratch/tmpfs
elif [ "$(findmnt -no FSTYPE -T /dev/shm)" = tmpfs ]; then
    place[tmpfs]=$(mktemp -d /dev/shm/rvenv-bench.XXXXXX)
else
    note 'peers.sh: no tmpfs here: left out'
fi

# --- How --------------------------------------------------------------------------------------------------------------

# Each run has a new directory, and a new cache if it is to start with an empty one. Old ones are moved aside, and deleted when
# nothing is measured: a file system creates files more slowly after it has deleted many.
cat >"$scratch/bin/fresh" <<'FRESH'
#!/bin/sh
for path; do
    [ ! -e "$path" ] || mv "$path" "$(mktemp -d "${path%/*}/old.XXXXXX")/"
done
FRESH
# Recreates the environment and runs pip in it, as many times as the first argument says.
cat >"$scratch/bin/fresh-with-pip" <<'FRESH'
#!/bin/sh
set -e
times=$1 env=$2
shift 2
"${0%-with-pip}" "$env"
"$@" "$env" >/dev/null 2>&1
while [ "$times" -gt 0 ]; do
    "$env/bin/pip" --version >/dev/null
    times=$((times - 1))
done
FRESH
chmod +x "$scratch/bin/fresh" "$scratch/bin/fresh-with-pip"

round=0
# measure ROW TOOL RUNS PREPARE COMMAND...
measure() {
    local row=$1 tool=$2 count=$3 prepare=$4
    shift 4
    "${variables[@]}" hyperfine --style none --shell=none --warmup 1 --runs "$count" --prepare "$prepare" \
        --export-json "$scratch/results/$row.$tool.$round.json" "$(printf '%q ' "$@")" >/dev/null 2>"$scratch/hyperfine.log" ||
        { cat "$scratch/hyperfine.log" >&2 && note "peers.sh: fails: $*" && exit 1; }
}

declare -A command=()
# The commands on one file system. The cache of each tool is on it, too, since hard links need that.
commands_on() {
    local store=$1/store
    command[venv]="$python -m venv"
    command[virtualenv]="$virtualenv --app-data $store/virtualenv -p $python --no-periodic-update"
    command[uv]="$uv venv --cache-dir $store/uv --no-project --no-config --offline --no-python-downloads -p $python"
    command[rvenv]="$rvenv --cache-dir $store/rvenv -p $python"
}

sweep() {
    rm -rf "$1"/old.*
    sync
}

# A directory like that of pyenv, with a shim that is a script and determines which version to start.
shims=$scratch/pyenv
version=$("$python" -c 'import platform; print(platform.python_version())')
mkdir -p "$shims/shims" "$shims/bin" "$shims/versions"
ln -sfn "$("$python" -c 'import sys; print(sys.base_prefix)')" "$shims/versions/$version"
echo "$version" >"$shims/version"
cat >"$shims/bin/pyenv" <<'PYENV'
#!/usr/bin/env bash
set -e
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
version=${PYENV_VERSION:-$(cat "$root/version")}
case $1 in
    exec) shift && program=$1 && shift && exec "$root/versions/$version/bin/$program" "$@" ;;
    root) echo "$root" ;;
    version-name) echo "$version" ;;
    prefix) echo "$root/versions/$version" ;;
    which) echo "$root/versions/$version/bin/$2" ;;
    *) exit 1 ;;
esac
PYENV
for name in python python3 "python${version%.*}"; do
    # shellcheck disable=SC2016 # The shim expands the variables.
    printf '#!/usr/bin/env bash\nset -e\nexport PYENV_ROOT="%s"\nexec "%s/bin/pyenv" exec "${0##*/}" "$@"\n' \
        "$shims" "$shims" >"$shims/shims/$name"
done
chmod +x "$shims"/shims/* "$shims/bin/pyenv"

# --- Runs -------------------------------------------------------------------------------------------------------------

# The wheels are downloaded once, with the caller's variables. Afterwards uv is offline.
for fs in "${!place[@]}"; do
    folder=${place[$fs]}
    commands_on "$folder"
    mkdir -p "$folder/store"
    # shellcheck disable=SC2086 # The commands are split into words, and their paths contain no spaces.
    {
        ${command[uv]/ --offline/} --quiet --seed "$folder/warm-uv"
        "${clean[@]}" ${command[virtualenv]} --quiet "$folder/warm-virtualenv"
        "${clean[@]}" ${command[rvenv]} "$folder/warm-rvenv"
        "${clean[@]}" ${command[rvenv]} --without-pip "$folder/warm-bare"
    }
    "$python" "$checkout/benches/pack.py" "$folder/warm-rvenv" "$folder/store/pip.list"
    "$python" "$checkout/benches/pack.py" "$folder/warm-bare" "$folder/store/bare.list"
    # For laying.sh.
    cp "$folder/store/pip.list" "$scratch/pip.list"
    rm -rf "$folder"/warm-*
done

for ((round = 1; round <= rounds; round++)); do
    for fs in "${!place[@]}"; do
        note "round $round of $rounds on $fs"
        folder=${place[$fs]}
        env=$folder/env
        fresh="$scratch/bin/fresh $env"
        commands_on "$folder"
        store=$folder/store
        # shellcheck disable=SC2086
        {
            measure "bare.$fs" floor $((runs * 2)) "$fresh" "$floor" "$store/bare.list" "$env"
            measure "bare.$fs" rvenv $((runs * 2)) "$fresh" ${command[rvenv]} --without-pip "$env"
            measure "bare.$fs" uv $runs "$fresh" ${command[uv]} "$env"
            measure "bare.$fs" venv $runs "$fresh" ${command[venv]} --without-pip "$env"
            measure "bare.$fs" virtualenv $slow_runs "$fresh" ${command[virtualenv]} --no-seed "$env"
            sweep "$folder"
            measure "pip.$fs" floor $runs "$fresh" "$floor" "$store/pip.list" "$env"
            sweep "$folder"
            measure "pip.$fs" floor2 $runs "$fresh" "$floor" "$store/pip.list" "$env" 2
            sweep "$folder"
            measure "pip.$fs" rvenv $runs "$fresh" ${command[rvenv]} "$env"
            sweep "$folder"
            measure "pip.$fs" uv $runs "$fresh" ${command[uv]} --seed "$env"
            sweep "$folder"
            measure "pip.$fs" uv-copy $runs "$fresh" ${command[uv]} --seed --link-mode copy "$env"
            sweep "$folder"
            measure "pip.$fs" virtualenv $slow_runs "$fresh" ${command[virtualenv]} "$env"
            measure "pip.$fs" venv $slow_runs "$fresh" ${command[venv]} "$env"
            sweep "$folder"
            measure "no-compile.$fs" rvenv $runs "$fresh" ${command[rvenv]} --no-compile "$env"
            sweep "$folder"
            # Their environments above have no bytecode, either.
            for tool in virtualenv uv uv-copy; do
                cp "$scratch/results/pip.$fs.$tool.$round.json" "$scratch/results/no-compile.$fs.$tool.$round.json"
            done
        }
        [ "$fs" != tmpfs ] || continue
        # The rest does not depend much on the file system, so one is enough.
        commands_on "$folder/cold"
        mkdir -p "$folder/cold"
        # shellcheck disable=SC2086
        {
            fresh="$fresh $folder/cold/store"
            measure "cold-bare" rvenv $runs "$fresh" ${command[rvenv]} --without-pip "$env"
            measure "cold-bare" uv $runs "$fresh" ${command[uv]} "$env"
            measure "cold-bare" virtualenv $slow_runs "$fresh" ${command[virtualenv]} --no-seed "$env"
            measure "cold-bare" venv $runs "$fresh" ${command[venv]} --without-pip "$env"
            measure "cold-pip" rvenv $slow_runs "$fresh" ${command[rvenv]} "$env"
            measure "cold-pip" virtualenv $slow_runs "$fresh" ${command[virtualenv]} "$env"
            measure "cold-pip" venv $slow_runs "$fresh" ${command[venv]} "$env"
            measure "cold-no-compile" rvenv $slow_runs "$fresh" ${command[rvenv]} --no-compile "$env"
            cp "$scratch/results/cold-pip.virtualenv.$round.json" "$scratch/results/cold-no-compile.virtualenv.$round.json"
            rm -rf "$folder"/cold
            sweep "$folder"

            commands_on "$folder"
            fresh="$scratch/bin/fresh $env"
            variables=("${clean[@]/#PATH=/PATH=$shims/shims:}" PYENV_ROOT="$shims")
            measure "shim" rvenv $runs "$fresh" ${command[rvenv]/ -p $python/} --without-pip "$env"
            measure "shim" uv $slow_runs "$fresh" ${command[uv]/ -p $python/} "$env"
            measure "shim" virtualenv $slow_runs "$fresh" ${command[virtualenv]/ -p $python/ -p $shims/shims/python3} --no-seed "$env"
            measure "shim" venv $runs "$fresh" "$shims/shims/python3" -m venv --without-pip "$env"
            variables=("${clean[@]}")

            for tool in rvenv uv virtualenv venv; do
                seed=
                [ $tool != uv ] || seed=--seed
                for first in 0 1; do
                    measure "pip-version-$((first + 1))" $tool $slow_runs \
                        "$scratch/bin/fresh-with-pip $first $env ${command[$tool]} $seed" "$env/bin/pip" --version
                done
                sweep "$folder"
            done
        }
    done
done

# shellcheck disable=SC2086
for fs in "${!place[@]}"; do
    [ "$fs" != tmpfs ] || continue
    folder=${place[$fs]}
    commands_on "$folder"
    for tool in rvenv uv virtualenv venv; do
        for kind in bare pip; do
            option=
            case $tool.$kind in
                *env.bare) option=--without-pip ;;
                uv.pip) option=--seed ;;
            esac
            [ $tool.$kind != virtualenv.bare ] || option=--no-seed
            "$scratch/bin/fresh" "$folder/env"
            "${clean[@]}" /usr/bin/time -v -o "$scratch/results/memory-$kind.$tool.time" \
                ${command[$tool]} $option "$folder/env" >/dev/null 2>&1
        done
    done
done

# --- The table --------------------------------------------------------------------------------------------------------

"$python" - "$scratch/results" "$version" "$("$uv" --version)" "$("$virtualenv" --version)" "$(nproc)" <<'TABLE'
import glob, json, os, re, statistics, sys

results, version, uv_version, virtualenv_version, cores = sys.argv[1:]
medians = {}
for path in glob.glob(os.path.join(results, "*.json")):
    row, tool, _ = os.path.basename(path)[:-len(".json")].rsplit(".", 2)
    with open(path) as file:
        medians.setdefault((row, tool), []).extend(json.load(file)["results"][0]["times"])
medians = {key: statistics.median(times) * 1000 for key, times in medians.items()}
for path in glob.glob(os.path.join(results, "*.time")):
    row, tool, _ = os.path.basename(path).split(".")
    with open(path) as file:
        medians[row, tool] = int(re.search(r"Maximum resident set size \(kbytes\): (\d+)", file.read())[1]) / 1024

tools = ["rvenv", "venv", "virtualenv", "uv", "uv-copy", "floor", "floor2"]
# Runs with an empty cache first: in CI every run is one.
rows = {"cold-pip": "with pip, empty cache", "cold-no-compile": "with pip, no bytecode, empty cache", "cold-bare": "`--without-pip`, empty cache"}
for fs in sorted({row.split(".")[1] for row, _ in medians if "." in row}):
    rows |= {
        f"pip.{fs}": f"with pip, {fs}",
        f"no-compile.{fs}": f"with pip, no bytecode, {fs}",
        f"bare.{fs}": f"`--without-pip`, {fs}",
    }
rows |= {
    "shim": "`--without-pip`, through a shim",
    "pip-version-1": "first `pip --version` in it",
    "pip-version-2": "second `pip --version` in it",
    "memory-bare": "peak memory in MiB, `--without-pip`",
    "memory-pip": "peak memory in MiB, with pip",
}

def figure(row, tool):
    value = medians.get((row, tool))
    if value is None:
        return ""
    text = f"{value:.{2 if value < 10 else 1 if value < 100 else 0}f}"
    if tool == "rvenv":
        return f"**{text}**"
    return f"{text} ({value / medians[row, 'rvenv']:.{2 if value < 3 * medians[row, 'rvenv'] else 0}f} ×)"

print(f"Medians in milliseconds; in parentheses the multiple of rvenv's time. {cores} cores, Python {version}, which also runs")
print(f"virtualenv {virtualenv_version.split()[1]}; {uv_version.split(' (')[0]} with `--seed --offline`. The cache is warm unless the row says")
print('"empty cache".')
print()
print("| | " + " | ".join(["rvenv", "`python -m venv`", "virtualenv", "`uv venv`", "uv, copying", "floor", "floor, 2 threads"]) + " |")
print("|---" * (len(tools) + 1) + "|")
for row, text in rows.items():
    print(f"| {text} | " + " | ".join(figure(row, tool) for tool in tools) + " |")
TABLE
