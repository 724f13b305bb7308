"""The crates that are linked into rvenv for a target, according to Cargo."""

import json
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent


def linked(target=None):
    """The package rvenv and the packages that are linked into it, each with its direct dependencies."""
    tree = ["cargo", "tree", "--locked", "--edges", "normal", "--prefix", "none", "--format", "{p}"]
    command = ["cargo", "metadata", "--locked", "--format-version", "1"]
    if target:
        tree += ["--target", target]
        command += ["--filter-platform", target]
    # Unlike the metadata, the tree does not include features that are enabled only by dev-dependencies.
    lines = subprocess.check_output(tree, cwd=str(ROOT)).decode().splitlines()
    names = {tuple(line.split()[:2]) for line in lines}
    metadata = json.loads(subprocess.check_output(command, cwd=str(ROOT)).decode())
    packages = {package["id"]: package for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    root = metadata["resolve"]["root"]

    def normal(id):
        dependencies = [it["pkg"] for it in nodes[id]["deps"] if any(kind["kind"] is None for kind in it["dep_kinds"])]
        named = lambda id: (packages[id]["name"], "v" + packages[id]["version"])
        return [id for id in dependencies if named(id) in names]

    found, waiting = {}, [root]
    while waiting:
        id = waiting.pop()
        if id not in found:
            found[id] = normal(id)
            waiting += found[id]
    order = sorted(found, key=lambda id: (id != root, packages[id]["name"], packages[id]["version"]))
    return [(packages[id], [packages[dependency] for dependency in found[id]]) for id in order]
