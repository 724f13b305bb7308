#!/usr/bin/env python3
"""archive.py PROGRAM TARGET FOLDER: packs a release's archive for a target, rvenv-TARGET.tar.gz or .zip, into FOLDER.

`.ci/data-files` has made rvenv.data, with the man page and the completions, before.
"""

import pathlib
import shutil
import sys
import tarfile
import tempfile
import zipfile

import licenses
import sbom
from dependencies import ROOT


def fill(folder, program, target):
    folder.mkdir()
    shutil.copy(program, str(folder / ("rvenv.exe" if "windows" in target else "rvenv")))
    for name in ("README.md", "LICENSE", "CHANGELOG.md"):
        shutil.copy(str(ROOT / name), str(folder))
    shutil.copytree(str(ROOT / "rvenv.data" / "data" / "share"), str(folder / "share"))
    licenses.write(folder / "THIRD-PARTY-LICENSES", target)
    sbom.write(folder / "rvenv.cdx.json", target)


def of_nobody(entry):
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    executable = entry.isdir() or entry.name.split("/")[1:] == ["rvenv"]
    entry.mode = 0o755 if executable else 0o644
    return entry


def main():
    program, target, output = sys.argv[1:]
    name = "rvenv-" + target
    with tempfile.TemporaryDirectory() as work:
        folder = pathlib.Path(work) / name
        fill(folder, program, target)
        if "windows" in target:
            with zipfile.ZipFile(str(pathlib.Path(output) / (name + ".zip")), "w", zipfile.ZIP_DEFLATED) as archive:
                for file in sorted(path for path in folder.rglob("*") if path.is_file()):
                    archive.write(str(file), file.relative_to(work).as_posix())
        else:
            with tarfile.open(str(pathlib.Path(output) / (name + ".tar.gz")), "w:gz") as archive:
                archive.add(str(folder), name, filter=of_nobody)


main()
