#!/usr/bin/env bash
# Compares how fast environments with pinned and hashed requirements are created by pip, rvenv with packages from its cache
# (`--reuse`), uv and `cp -a`, on ext4 with a journal and on tmpfs. Prints a Markdown table of medians in ms. Needs root to mount.
#
#     benches/reuse.sh [--python PATH] [RUNS]
#
# The packages of benches/requirements are downloaded once. RVENV_BENCH_SCRATCH is the scratch directory, RVENV_BENCH_RVENV the
# program to measure instead of target/dist/rvenv.
set -euo pipefail
checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
scratch=${RVENV_BENCH_SCRATCH:-/var/tmp/rvenv-bench}
rvenv=${RVENV_BENCH_RVENV:-$checkout/target/dist/rvenv}
python=$(command -v python3)
[ "${1-}" != --python ] || { python=$2 && shift 2; }
runs=${1:-7}
python=$("$python" -c 'import os, sys; print(os.path.realpath(getattr(sys, "_base_executable", sys.executable)))')
for tool in hyperfine gcc mkfs.ext4:e2fsprogs /usr/bin/time:time; do
    command -v "${tool%%:*}" >/dev/null || { apt-get update && apt-get install -y --no-install-recommends "${tool#*:}"; } >&2
done
folder=$scratch/reuse
mkdir -p "$scratch/bin" "$scratch/home" "$folder"
leave() {
    ! mountpoint -q "$folder" || umount "$folder"
    rm -f "$scratch/reuse.img"
}
trap leave EXIT
"$python" -m venv --clear "$scratch/peers"
"$scratch/peers/bin/pip" install --quiet --disable-pip-version-check uv >&2
uv=$scratch/peers/bin/uv
gcc -static -O2 -pthread -o "$scratch/bin/floor" "$checkout/benches/floor.c"
for name in pure many; do
    [ -e "$scratch/wheels-$name" ] || {
        "$scratch/peers/bin/pip" download --quiet --disable-pip-version-check --only-binary :all: -d "$scratch/wheels-$name.new" \
            -r "$checkout/benches/requirements/$name.txt" >&2
        mv "$scratch/wheels-$name.new" "$scratch/wheels-$name"
    }
done

# The default limit is a tenth of the free space, which is too little on these small file systems.
clean=(env -i HOME="$scratch/home" PATH=/usr/local/bin:/usr/bin:/bin LANG=C.UTF-8 RVENV_CACHE_SIZE=4GB)
# median RUNS COMMAND: runs a command that creates "$folder/env" several times. The environment is moved away between the runs, so
# that its removal is not measured.
median() {
    "${clean[@]}" hyperfine --style none --warmup "$(($1 > 1))" --runs "$1" --export-json "$scratch/reuse.json" \
        --prepare "sh -c '[ ! -e $folder/env ] || mv $folder/env $folder/old.\$\$'" "$2" >/dev/null 2>"$scratch/hyperfine.log" ||
        { cat "$scratch/hyperfine.log" >&2 && exit 1; }
    sed -nE 's/^ *"median": ([0-9.e-]+),$/\1/p' "$scratch/reuse.json" | awk '{ printf " %.0f |", $1 * 1000 }'
    rm -rf "$folder"/old.*
    sync -f "$folder"
}
# The same command again in the existing environment.
again() {
    "${clean[@]}" hyperfine --style none --warmup 1 --runs "$runs" --export-json "$scratch/reuse.json" "$1" >/dev/null 2>&1
    sed -nE 's/^ *"median": ([0-9.e-]+),$/\1/p' "$scratch/reuse.json" | awk '{ printf " %.1f |", $1 * 1000 }'
}

echo '| | venv + pip | rvenv, first | rvenv, from the cache | nothing to do | uv, bytecode | uv, no bytecode | cp -a | floor | memory (MB) |'
echo '|---|---|---|---|---|---|---|---|---|---|'
for kind in ext4 tmpfs; do
    if [ $kind = tmpfs ]; then
        mount -t tmpfs -o size=6G tmpfs "$folder"
    else
        truncate -s 8G "$scratch/reuse.img"
        mkfs.ext4 -q -F -E lazy_itable_init=0,lazy_journal_init=0 "$scratch/reuse.img"
        mount -o loop "$scratch/reuse.img" "$folder"
    fi
    for name in pure many; do
        file=$checkout/benches/requirements/$name.txt wheels=$scratch/wheels-$name env=$folder/env
        pip="--no-index --find-links $wheels --require-hashes -r $file"
        make="$rvenv --quiet --cache-dir $folder/rvenv -p $python --no-index -f $wheels -r $file $env"
        fill="$uv venv --quiet --cache-dir $folder/uv --no-project --no-config --offline -p $python $env && \
            VIRTUAL_ENV=$env $uv pip sync --quiet --cache-dir $folder/uv --offline --no-index --find-links $wheels --link-mode copy $file"
        row="$kind, $name |"
        row+=$(median 1 "$python -m venv $env && $env/bin/python -m pip --disable-pip-version-check install --quiet $pip")
        "${clean[@]}" "$rvenv" --quiet --cache-dir "$folder/rvenv" -p "$python" "$folder/warm" && rm -rf "$folder/warm"
        row+=$(median 1 "$make")
        row+=$(median "$runs" "$make")
        row+=$(again "$make")
        # The environment that the others are compared with has the same content.
        mv "$env" "$folder/finished"
        row+=$(median 3 "$fill --compile-bytecode")
        row+=$(median "$runs" "$fill")
        row+=$(median "$runs" "cp -a $folder/finished $env")
        "$python" "$checkout/benches/pack.py" "$folder/finished" "$folder/list"
        row+=$(median "$runs" "$scratch/bin/floor $folder/list $env 3")
        rm -rf "$env"
        row+=" $("${clean[@]}" /usr/bin/time -f '%M' sh -c "$make" 2>&1 | tail -n 1 | awk '{ printf "%.0f |", $1 / 1024 }')"
        echo "| $row"
        rm -rf "$env" "$folder/finished" "$folder/list"
    done
    umount "$folder"
    rm -f "$scratch/reuse.img"
done
