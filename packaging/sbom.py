#!/usr/bin/env python3
"""sbom.py FILE [TARGET]: writes a CycloneDX 1.5 document with the crates that are linked into rvenv, for archives."""

import json
import re
import sys

from dependencies import ROOT, linked


def checksums():
    """The SHA-256 of each package's archive in Cargo's registry."""
    lock = (ROOT / "Cargo.lock").read_text(encoding="utf-8")
    pattern = r'^name = "(.*)"\nversion = "(.*)"\nsource = .*\nchecksum = "(.*)"$'
    return {(name, version): checksum for name, version, checksum in re.findall(pattern, lock, re.M)}


def component(package, kind, known):
    purl = "pkg:cargo/{name}@{version}".format(**package)
    described = {"type": kind, "bom-ref": purl, "name": package["name"], "version": package["version"], "purl": purl}
    if package["license"]:
        # Cargo also accepts the slash of older versions.
        described["licenses"] = [{"expression": package["license"].replace("/", " OR ")}]
    checksum = known.get((package["name"], package["version"]))
    if checksum:
        described["hashes"] = [{"alg": "SHA-256", "content": checksum}]
    if package["repository"]:
        described["externalReferences"] = [{"type": "vcs", "url": package["repository"]}]
    return described


def write(output, target=None):
    packages, known = linked(target), checksums()
    components = [component(package, "library", known) for package, _ in packages[1:]]
    main = component(packages[0][0], "application", known)
    if target:
        main["properties"] = [{"name": "cargo:target", "value": target}]
    graph = [
        {
            "ref": "pkg:cargo/{name}@{version}".format(**package),
            "dependsOn": sorted({"pkg:cargo/{name}@{version}".format(**dependency) for dependency in dependencies}),
        }
        for package, dependencies in packages
    ]
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": main},
        "components": components,
        "dependencies": graph,
    }
    with open(str(output), "w", encoding="utf-8") as file:
        json.dump(document, file, indent=2)
        file.write("\n")


if __name__ == "__main__":
    write(*sys.argv[1:])
