"""Fails unless the packages of an environment work at its place: arguments are its site-packages and where it was made."""

import base64
import csv
import glob
import hashlib
import importlib
import importlib.util
import io
import marshal
import os
import sys
import traceback

site, old = sys.argv[1:]


def read(path):
    with open(path, "rb") as file:
        return file.read()


def bytecode(module):
    """It is that of the source, so that Python takes it."""
    path = module.__cached__
    contents, source = read(path), read(module.__file__)
    start = 8 if sys.version_info < (3, 7) else 12
    word = lambda at: int.from_bytes(contents[at : at + 4], "little")
    if start == 12 and word(4) & 1:
        assert contents[8:16] == importlib.util.source_hash(source), path
    else:
        assert word(start) == len(source), path
        assert word(start - 4) == int(os.stat(module.__file__).st_mtime) & 0xFFFFFFFF, path
    marshal.loads(contents[start + 4 :])


def imports():
    import demo
    import edited
    import inner
    import spaced.part

    naive = importlib.import_module("demo.na\u00efve")
    assert demo.__file__ == os.path.join(site, "demo", "__init__.py"), demo.__file__
    assert naive.name() == naive.__file__ == naive.name.__code__.co_filename, naive.name()
    assert spaced.part.__file__.startswith(site), spaced.part.__file__
    assert inner.__file__ == os.path.join(sys.prefix, "src", "inner", "inner.py"), inner.__file__
    assert edited.here == edited.__file__ and not edited.here.startswith(sys.prefix), edited.here
    assert sys.first == "demo"
    if any(name.startswith("_heapq") for name in os.listdir(os.path.dirname(demo.__file__))):
        importlib.import_module("demo._heapq")
    try:
        demo.fails()
    except ValueError:
        trace = traceback.format_exc()
    assert 'File "%s", line 7, in fails' % demo.__file__ in trace, trace
    assert old not in trace, trace
    return [demo, naive, spaced.part]


def records():
    """Every RECORD is right."""
    found = glob.glob(os.path.join(glob.escape(site), "*.dist-info", "RECORD"))
    assert len(found) > 2, found
    for record in found:
        for path, digest, size in csv.reader(io.open(record, encoding="utf-8", newline="")):
            file = os.path.join(site, path)
            if path.endswith((".pyc", "__pycache__")):
                continue
            assert os.path.exists(file), path
            if digest:
                contents = read(file)
                new = base64.urlsafe_b64encode(hashlib.sha256(contents).digest()).decode().rstrip("=")
                assert digest == "sha256=" + new and int(size) == len(contents), path


for module in imports():
    bytecode(module)
records()
