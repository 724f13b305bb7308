#!/usr/bin/env python3
"""manifests.py VERSION SHA256SUMS FOLDER: a release's manifests for Homebrew, Scoop and winget, written into FOLDER.

What is said of the program is in Cargo.toml, the checksums are those of the archives.
"""

import json
import pathlib
import re
import sys

version, sums, folder = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
cargo = (pathlib.Path(__file__).parent.parent / "Cargo.toml").read_text(encoding="utf-8")


def said(key):
    return re.search(r'^{} = "(.*)"$'.format(key), cargo, re.M).group(1)


home, license = said("repository"), said("license")
description = "Creates Python virtual environments as python -m venv does, in milliseconds"
download = "{}/releases/download/v{}/".format(home, version)
checksums = {}
for line in sums.read_text(encoding="utf-8").splitlines():
    checksum, name = line.split(maxsplit=1)
    checksums[name.lstrip("*")] = checksum


def archive(target, suffix):
    """The URL and the checksum of a target's archive."""
    name = "rvenv-{}.{}".format(target, suffix)
    if name not in checksums:
        sys.exit("manifests.py: {} has no {}".format(sums, name))
    return download + name, checksums[name]


def homebrew():
    lines = ["class Rvenv < Formula"]
    lines += ['  desc "{}"'.format(description), '  homepage "{}"'.format(home)]
    lines += ['  version "{}"'.format(version), '  license "{}"'.format(license)]
    for system, kind in (("macos", "apple-darwin"), ("linux", "unknown-linux-gnu")):
        lines += ["", "  on_{} do".format(system)]
        for block, machine in (("arm", "aarch64"), ("intel", "x86_64")):
            url, checksum = archive("{}-{}".format(machine, kind), "tar.gz")
            lines += ["    on_{} do".format(block), '      url "{}"'.format(url), '      sha256 "{}"'.format(checksum), "    end"]
        lines += ["  end"]
    lines += [
        "",
        "  def install",
        '    bin.install "rvenv"',
        '    man1.install "share/man/man1/rvenv.1"',
        '    bash_completion.install "share/bash-completion/completions/rvenv"',
        '    zsh_completion.install "share/zsh/site-functions/_rvenv"',
        '    fish_completion.install "share/fish/vendor_completions.d/rvenv.fish"',
        "  end",
        "",
        "  test do",
        '    assert_match version.to_s, shell_output("#{bin}/rvenv --version")',
        "  end",
        "end",
    ]
    return "\n".join(lines) + "\n"


def scoop():
    architecture = {}
    for name, machine in (("64bit", "x86_64"), ("arm64", "aarch64")):
        target = machine + "-pc-windows-msvc"
        url, checksum = archive(target, "zip")
        architecture[name] = {"url": url, "hash": checksum, "extract_dir": "rvenv-" + target}
    manifest = dict(version=version, description=description, homepage=home, license=license)
    manifest.update(architecture=architecture, bin="rvenv.exe", checkver={"github": home})
    manifest["autoupdate"] = {
        "architecture": {
            name: {"url": entry["url"].replace(version, "$version")} for name, entry in architecture.items()
        },
        "hash": {"url": "$baseurl/SHA256SUMS"},
    }
    return json.dumps(manifest, indent=4) + "\n"


def winget(kind, lines):
    head = ["PackageIdentifier: rvenv.rvenv", "PackageVersion: " + version]
    return "\n".join(head + lines + ["ManifestType: " + kind, "ManifestVersion: 1.6.0"]) + "\n"


def winget_installers():
    lines = ["InstallerType: zip", "NestedInstallerType: portable", "Installers:"]
    for name, machine in (("x64", "x86_64"), ("arm64", "aarch64")):
        target = machine + "-pc-windows-msvc"
        url, checksum = archive(target, "zip")
        lines += ["  - Architecture: " + name, "    InstallerUrl: " + url, "    InstallerSha256: " + checksum.upper()]
        lines += ["    NestedInstallerFiles:", "      - RelativeFilePath: rvenv-{}\\rvenv.exe".format(target)]
        lines += ["        PortableCommandAlias: rvenv"]
    return lines


locale = ["PackageLocale: en-US", "Publisher: The rvenv authors", "PackageName: rvenv", "PackageUrl: " + home]
locale += ["License: " + license, "ShortDescription: " + description]
files = {
    "homebrew/rvenv.rb": homebrew(),
    "scoop/rvenv.json": scoop(),
    "winget/rvenv.rvenv.yaml": winget("version", ["DefaultLocale: en-US"]),
    "winget/rvenv.rvenv.installer.yaml": winget("installer", winget_installers()),
    "winget/rvenv.rvenv.locale.en-US.yaml": winget("defaultLocale", locale),
}
for name, text in files.items():
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
