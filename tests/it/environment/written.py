"""Writes what programs write into their environment when they are run, and what pip leaves of a project in editable mode.

Arguments are the environment's site-packages and the project.
"""

import json
import os
import sys

site, project = sys.argv[1:]
kernel = {"argv": [sys.executable, "-m", "demo", "-f", "{connection_file}"], "language": "python"}
names = ("METADATA", "INSTALLER", "RECORD", "../__editable__.edited.pth")
record = "".join(os.path.normpath("edited-1.dist-info/" + name) + ",,\r\n" for name in names)
url = {"dir_info": {"editable": True}, "url": "file://" + project}
for path, text in (
    (sys.prefix + "/share/jupyter/kernels/own/kernel.json", json.dumps(kernel)),
    (sys.prefix + "/src/inner/inner.py", "NAME = 1\n"),
    (sys.prefix + "/etc/mention.conf", "prefix=" + sys.prefix + "\n"),
    (site + "/inner.pth", sys.prefix + "/src/inner\n"),
    (site + "/demo/prefix.txt", "prefix=" + sys.prefix + "\n"),
    (site + "/demo/other.txt", "not " + sys.prefix + "2 nor /my" + sys.prefix + "/x\n"),
    (site + "/edited-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: edited\nVersion: 1\n"),
    (site + "/edited-1.dist-info/INSTALLER", "pip\n"),
    (site + "/edited-1.dist-info/direct_url.json", json.dumps(url)),
    (site + "/edited-1.dist-info/RECORD", record),
    (site + "/__editable__.edited.pth", project + "\n"),
):
    folder = os.path.dirname(path)
    if not os.path.isdir(folder):
        os.makedirs(folder)
    with open(path, "wb") as file:
        file.write(text.encode())
os.makedirs(sys.prefix + "/var/empty")
