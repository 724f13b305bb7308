#!/usr/bin/env python3
"""licenses.py FILE [TARGET]: writes the licenses of what is linked into rvenv, with their texts, for archives."""

import json
import pathlib
import subprocess
import sys

output = pathlib.Path(sys.argv[1])
command = ["cargo", "metadata", "--locked", "--format-version", "1"]
if len(sys.argv) > 2:
    command += ["--filter-platform", sys.argv[2]]
metadata = json.loads(subprocess.check_output(command))
packages = {package["id"]: package for package in metadata["packages"]}
nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
# What is only built or tested with is not linked.
linked, waiting = set(), [metadata["resolve"]["root"]]
while waiting:
    for dependency in nodes[waiting.pop()]["deps"]:
        normal = any(kind["kind"] is None for kind in dependency["dep_kinds"])
        if normal and dependency["pkg"] not in linked:
            linked.add(dependency["pkg"])
            waiting.append(dependency["pkg"])
texts = {}
for package in sorted((packages[id] for id in linked), key=lambda package: (package["name"], package["version"])):
    title = "{name} {version} ({license})".format(**package)
    folder = pathlib.Path(package["manifest_path"]).parent
    names = ("LICEN", "COPYING", "NOTICE", "UNLICENSE")
    found = [file for file in sorted(folder.iterdir()) if file.is_file() and file.name.upper().startswith(names)]
    if not found:
        texts.setdefault("The package has no text of its license.\n", []).append(title)
    for file in found:
        texts.setdefault(file.read_text(encoding="utf-8", errors="replace"), []).append(title)
with output.open("w", encoding="utf-8") as file:
    for text, titles in texts.items():
        file.write("{}\n{}\n\n{}\n".format("=" * 80, "\n".join(titles), text.strip("\n")))
