#!/usr/bin/env python3
"""licenses.py FILE [TARGET]: writes the licenses of the crates that are linked into rvenv, for archives and wheels."""

import pathlib
import sys

from dependencies import linked


def write(output, target=None):
    texts = {}
    for package, _ in linked(target)[1:]:
        title = "{name} {version} ({license})".format(**package)
        folder = pathlib.Path(package["manifest_path"]).parent
        names = ("LICEN", "COPYING", "NOTICE", "UNLICENSE")
        found = [file for file in sorted(folder.iterdir()) if file.is_file() and file.name.upper().startswith(names)]
        if not found:
            texts.setdefault("The package has no text of its license.\n", []).append(title)
        for file in found:
            texts.setdefault(file.read_text(encoding="utf-8", errors="replace"), []).append(title)
    with open(str(output), "w", encoding="utf-8") as file:
        for text, titles in texts.items():
            file.write("{}\n{}\n\n{}\n".format("=" * 80, "\n".join(titles), text.strip("\n")))


if __name__ == "__main__":
    write(*sys.argv[1:])
