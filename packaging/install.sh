#!/bin/sh
# Installs the `rvenv` program of a release: one file in ~/.local/bin, without root.
#
#   install.sh [--version VERSION] [--target TARGET] [--to FOLDER] [--from URL_OR_FOLDER] [--add-to-path]
#
# Each option has a variable: RVENV_VERSION, RVENV_TARGET, RVENV_INSTALL_DIR, RVENV_DOWNLOAD. The checksum of the archive must
# match the release's SHA256SUMS. The shell's startup files are changed only with --add-to-path.
set -eu

releases=https://github.com/rvenv/rvenv/releases

fail() {
    printf 'install.sh: %s\n' "$*" >&2
    exit 1
}

need() {
    command -v "$1" >/dev/null 2>&1 || fail "$1 is needed"
}

# The Rust target triple, which is part of the archive's name.
this_target() {
    kernel=$(uname -s)
    machine=$(uname -m)
    case $kernel in
    Linux) system=unknown-linux-gnu ;; # static: it runs with any libc
    Darwin) system=apple-darwin ;;
    *) fail "there is no program for $kernel; on Windows, install.ps1 installs it" ;;
    esac
    case $kernel-$machine in
    *-x86_64 | *-amd64) machine=x86_64 ;;
    *-aarch64 | *-arm64) machine=aarch64 ;;
    Linux-armv7l | Linux-armv8l) machine=armv7 system=unknown-linux-gnueabihf ;;
    Linux-i[3456]86) machine=i686 ;;
    Linux-ppc64le) machine=powerpc64le ;;
    Linux-riscv64) machine=riscv64gc ;;
    Linux-s390x) machine=s390x ;;
    *) fail "there is no program for $kernel on $machine; \`cargo install rvenv\` builds one" ;;
    esac
    # Under Rosetta uname prints x86_64.
    if [ "$system-$machine" = apple-darwin-x86_64 ] && [ "$(sysctl -n hw.optional.arm64 2>/dev/null || true)" = 1 ]; then
        machine=aarch64
    fi
    echo "$machine-$system"
}

# fetch NAME FILE
fetch() {
    case $from in
    http://* | https://*)
        if command -v curl >/dev/null 2>&1; then
            curl --proto '=http,https' -fsSL --retry 2 -o "$2" "$from/$1" || fail "$from/$1 cannot be fetched"
        elif command -v wget >/dev/null 2>&1; then
            wget -q -O "$2" "$from/$1" || fail "$from/$1 cannot be fetched"
        else
            fail 'curl or wget is needed'
        fi
        ;;
    *)
        [ -f "${from#file://}/$1" ] || fail "there is no ${from#file://}/$1"
        cp "${from#file://}/$1" "$2"
        ;;
    esac
}

sum_of() {
    if command -v sha256sum >/dev/null 2>&1; then
        sha256sum "$1" | cut -d ' ' -f 1
    elif command -v shasum >/dev/null 2>&1; then
        shasum -a 256 "$1" | cut -d ' ' -f 1
    else
        fail 'sha256sum or shasum is needed'
    fi
}

# Everything is in a function, so that a truncated download does nothing.
main() {
    version=${RVENV_VERSION:-latest}
    target=${RVENV_TARGET:-}
    folder=${RVENV_INSTALL_DIR:-}
    from=${RVENV_DOWNLOAD:-}
    add_to_path=false
    while [ $# -gt 0 ]; do
        case $1 in
        --add-to-path)
            add_to_path=true
            shift
            continue
            ;;
        --version | --target | --to | --from) [ $# -ge 2 ] || fail "$1 needs a value" ;;
        -h | --help)
            sed -n '2,7s/^# \{0,1\}//p' "$0" 2>/dev/null || true
            return
            ;;
        *) fail "unknown argument: $1" ;;
        esac
        case $1 in
        --version) version=$2 ;;
        --target) target=$2 ;;
        --to) folder=$2 ;;
        --from) from=$2 ;;
        esac
        shift 2
    done
    if [ -z "$folder" ]; then
        [ -n "${HOME:-}" ] || fail 'HOME is not set: name a folder with --to'
        folder=$HOME/.local/bin
    fi
    need tar
    [ -n "$target" ] || target=$(this_target)
    case $target in
    *-windows-*) fail 'install.ps1 installs the program for Windows' ;;
    esac
    if [ -z "$from" ]; then
        if [ "$version" = latest ]; then
            from=$releases/latest/download
        else
            from=$releases/download/v${version#v}
        fi
    fi
    from=${from%/}

    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    trap 'exit 1' HUP INT TERM
    archive=rvenv-$target.tar.gz
    fetch SHA256SUMS "$work/SHA256SUMS"
    expected=$(awk -v name="$archive" '$2 == name || $2 == "*" name { print $1 }' "$work/SHA256SUMS")
    [ -n "$expected" ] || fail "the release has no $archive; it has: $(awk '{ printf "%s ", $2 }' "$work/SHA256SUMS")"
    fetch "$archive" "$work/$archive"
    actual=$(sum_of "$work/$archive")
    [ "$actual" = "$expected" ] || fail "the checksum of $archive is $actual, not $expected: nothing was installed"
    tar -xzf "$work/$archive" -C "$work" "rvenv-$target/rvenv" || fail "there is no program in $archive"
    mkdir -p "$folder" || fail "$folder cannot be created"
    # Written under another name and then renamed, because a running program must not be overwritten.
    new=$folder/.rvenv.$$
    cp "$work/rvenv-$target/rvenv" "$new" || fail "$folder cannot be written to"
    chmod 755 "$new"
    if ! said=$("$new" --version 2>&1); then
        rm -f "$new"
        fail "the program for $target does not run here: $said"
    fi
    if [ "$version" != latest ] && [ "$said" != "rvenv ${version#v}" ]; then
        rm -f "$new"
        fail "this is $said, not ${version#v}: nothing was installed"
    fi
    mv -f "$new" "$folder/rvenv"
    printf '%s is installed: %s\n' "$said" "$folder/rvenv"

    case :$PATH: in
    *:"$folder":*) return ;;
    esac
    # shellcheck disable=SC2016 # PATH is expanded by a later shell.
    line=$(printf 'export PATH=%s:$PATH' "'$(printf %s "$folder" | sed "s/'/'\\\\''/g")'")
    if [ $add_to_path = true ]; then
        [ -n "${HOME:-}" ] || fail 'HOME is not set'
        if ! grep -qxF "$line" "$HOME/.profile" 2>/dev/null; then
            printf '\n%s\n' "$line" >>"$HOME/.profile"
        fi
        printf '%s is put on PATH by ~/.profile, in shells that are started from now on\n' "$folder"
    else
        printf 'It is not on PATH yet. Add this to the startup file of your shell:\n    %s\n' "$line"
    fi
}

main "$@"
