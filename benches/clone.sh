#!/usr/bin/env bash
# Compares `rvenv --clone` with `cp -a` and virtualenv-clone, for an environment with many packages, on tmpfs, on ext4 with a journal
# and on btrfs, which supports reflinks. Prints a Markdown table of medians in ms. Needs root to mount.
#
#     benches/clone.sh [RUNS]
#
# RVENV_BENCH_SCRATCH is the scratch directory, RVENV_BENCH_RVENV the program to measure instead of target/release/rvenv, and
# RVENV_BENCH_PACKAGES a requirements file (default: some packages with many files).
set -euo pipefail
checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
scratch=${RVENV_BENCH_SCRATCH:-/var/tmp/rvenv-bench}
rvenv=${RVENV_BENCH_RVENV:-$checkout/target/release/rvenv}
runs=${1:-7}
for tool in hyperfine mkfs.ext4:e2fsprogs mkfs.btrfs:btrfs-progs; do
    command -v "${tool%%:*}" >/dev/null || { apt-get update && apt-get install -y --no-install-recommends "${tool#*:}"; } >&2
done
mkdir -p "$scratch/clone"
folder=$scratch/clone
leave() {
    mountpoint -q "$folder" && umount "$folder"
    rm -f "$scratch/clone.img"
}
trap leave EXIT
if [ ! -e "$scratch/clone-tools/.complete" ]; then
    python3 -m venv --clear "$scratch/clone-tools"
    "$scratch/clone-tools/bin/pip" install --quiet --disable-pip-version-check virtualenv-clone >&2
    touch "$scratch/clone-tools/.complete"
fi

# median NAME COMMAND...: runs a command that creates "$folder/copy" several times. The copy is moved away between the runs, so that
# its removal is not measured.
median() {
    hyperfine --style none --shell=none --warmup 1 --runs "$runs" --export-json "$scratch/clone.json" \
        --prepare "sh -c '[ ! -e $folder/copy ] || { rm -rf $folder/copy; sync -f $folder; }'" "$*" >/dev/null 2>&1
    sed -nE 's/^ *"median": ([0-9.e-]+),$/\1/p' "$scratch/clone.json" | awk '{ printf " %.0f |", $1 * 1000 }'
    rm -rf "$folder/copy"
}

echo '| | rvenv --clone | cp -a | cp -a --reflink=never | virtualenv-clone |'
echo '|---|---|---|---|---|'
for kind in tmpfs ext4 btrfs; do
    if [ $kind = tmpfs ]; then
        mount -t tmpfs -o size=4G tmpfs "$folder"
    else
        truncate -s 6G "$scratch/clone.img"
        case $kind in
            ext4) mkfs.ext4 -q -F -E lazy_itable_init=0,lazy_journal_init=0 "$scratch/clone.img" ;;
            btrfs) mkfs.btrfs -q -f "$scratch/clone.img" >/dev/null 2>&1 ;;
        esac
        mount -o loop "$scratch/clone.img" "$folder"
    fi
    if [ -e "$scratch/clone-original" ]; then
        "$rvenv" --quiet --clone "$scratch/clone-original" "$folder/original"
    else
        "$rvenv" "$scratch/clone-original"
        if [ -n "${RVENV_BENCH_PACKAGES-}" ]; then packages=(-r "$RVENV_BENCH_PACKAGES"); else
            packages=(pandas scipy requests flask pytest black sqlalchemy jinja2 rich httpx pydantic)
        fi
        "$scratch/clone-original/bin/pip" install --quiet --disable-pip-version-check "${packages[@]}" >&2
        "$rvenv" --quiet --clone "$scratch/clone-original" "$folder/original"
    fi
    sync -f "$folder"
    echo "| $kind |$(median "$rvenv" --quiet --clone "$folder/original" "$folder/copy"
        median cp -a "$folder/original" "$folder/copy"
        median cp -a --reflink=never "$folder/original" "$folder/copy"
        median "$scratch/clone-tools/bin/virtualenv-clone" "$folder/original" "$folder/copy")"
    umount "$folder"
    rm -f "$scratch/clone.img"
done
echo
echo "$(find "$scratch/clone-original" -type f | wc -l) files, $(du -sm --apparent-size "$scratch/clone-original" | cut -f 1) MB"
