#!/usr/bin/env bash
# Compares the ways to create the files of an environment: floor.c with one, two and four threads and each of its methods, on ext4
# with a journal, tmpfs, xfs and btrfs. Prints a Markdown table of medians in ms. Needs root to mount.
#
#     benches/laying.sh LIST [RUNS]
#
# LIST is the file pip.list that peers.sh writes to its scratch directory, which RVENV_BENCH_SCRATCH names.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
scratch=${RVENV_BENCH_SCRATCH:-/var/tmp/rvenv-bench}
list=$1 runs=${2:-15}
for tool in gcc hyperfine mkfs.ext4:e2fsprogs mkfs.xfs:xfsprogs mkfs.btrfs:btrfs-progs; do
    command -v "${tool%%:*}" >/dev/null ||
        { apt-get update && apt-get install -y --no-install-recommends "${tool#*:}" libc6-dev; } >&2
done
mkdir -p "$scratch/bin" "$scratch/laying"
floor=$scratch/bin/floor
gcc -static -O2 -pthread -o "$floor" "$here/floor.c"

folder=$scratch/laying
leave() {
    mountpoint -q "$folder" && umount "$folder"
    rm -f "$scratch/laying.img"
}
trap leave EXIT

# One round on the mounted file system: prints the median of every method, in the order of the table's columns.
round() {
    cp "$list" "$folder/list"
    for threads in 1 2 4; do
        for method in relative whole read range; do
            # Not deleted in between, as that would affect the measurement.
            hyperfine --style none --shell=none --warmup 2 --runs "$runs" --export-json "$scratch/laying.json" \
                --prepare "sh -c '[ ! -e $folder/env ] || mv $folder/env \$(mktemp -d $folder/old.XXXXXX)'" \
                "$floor $folder/list $folder/env $threads $method" >/dev/null 2>&1
            sed -nE 's/^ *"median": ([0-9.e-]+),$/\1/p' "$scratch/laying.json" | awk '{ printf " %.1f |", $1 * 1000 }'
        done
        rm -rf "$folder"/old.* "$folder/env"
        sync
    done
    echo
}

echo '| | 1: relative | whole | read | range | 2: relative | whole | read | range | 4: relative | whole | read | range |'
echo '|---|---|---|---|---|---|---|---|---|---|---|---|---|'
for kind in ext4 tmpfs xfs btrfs; do
    if [ $kind = tmpfs ]; then
        mount -t tmpfs -o size=4G tmpfs "$folder"
    else
        truncate -s 4G "$scratch/laying.img"
        case $kind in
            ext4) mkfs.ext4 -q -F -E lazy_itable_init=0,lazy_journal_init=0 "$scratch/laying.img" ;;
            *) mkfs.$kind -q -f "$scratch/laying.img" >/dev/null 2>&1 ;;
        esac
        mount -o loop "$scratch/laying.img" "$folder"
    fi
    echo "| $kind |$(round)"
    umount "$folder"
    rm -f "$scratch/laying.img"
done
