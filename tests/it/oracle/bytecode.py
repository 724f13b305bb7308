"""Compare the .pyc files of two trees: argv[1] is the reference, argv[2] is judged, argv[3] is what made that, names come on stdin.

Both trees were made at argv[2]; the reference was moved away afterwards, so co_filename must be equal.
"""
import itertools
import marshal
import os
import sys
import types

reference_root, actual_root, made_by = sys.argv[1:4]
renamed = {}
renamed_by_venv = {}
HEADER = 16 if sys.version_info >= (3, 7) else 12


def attributes(code):
    skipped = {"co_lnotab"} if hasattr(code, "co_linetable") else set()
    names = [n for n in dir(code) if n.startswith("co_") and n not in skipped]
    return [n for n in names if not callable(getattr(code, n))]


ATTRIBUTES = attributes(attributes.__code__)


def compare(where, a, b):
    if type(a) is not type(b):
        yield "%s: %r and %r" % (where, type(a), type(b))
    elif isinstance(a, types.CodeType):
        for name in ATTRIBUTES:
            value, other = getattr(a, name), getattr(b, name)
            if name == "co_filename":
                value, other = renamed.get(value, value), renamed_by_venv.get(other, other)
            yield from compare("%s %s" % (where, name), value, other)
    elif isinstance(a, tuple):
        if len(a) != len(b):
            yield "%s: %d and %d items" % (where, len(a), len(b))
        for i, (x, y) in enumerate(zip(a, b)):
            inner = x.co_name if isinstance(x, types.CodeType) else i
            yield from compare("%s[%s]" % (where, inner), x, y)
    elif isinstance(a, frozenset):
        if sorted(map(repr, a)) != sorted(map(repr, b)):
            yield "%s: %r and %r" % (where, a, b)
    elif repr(a) != repr(b):  # repr tells 0.0 from -0.0, and 1 from True
        yield "%s: %.200r and %.200r" % (where, a, b)


def place(name):
    """The source that a compiled file stands for, in the judged tree."""
    if os.path.basename(os.path.dirname(name)) != "__pycache__":
        return None
    stem = os.path.basename(name).split(".")[0]
    return os.path.join(actual_root, os.path.dirname(os.path.dirname(name)), stem + ".py")


def is_temporary(source):
    """pip 18.1 compiles in a temporary folder and moves the result: the name is of no use to anyone, and another one each time."""
    return "/pip-install-" in source and not os.path.exists(source)


def judge(name):
    with open(os.path.join(reference_root, name), "rb") as f:
        reference = f.read()
    with open(os.path.join(actual_root, name), "rb") as f:
        actual = f.read()
    flags = reference[4:HEADER - 8]
    if reference[:4] != actual[:4]:
        yield "magic: %r and %r" % (reference[:4], actual[:4])
        return
    if flags != actual[4:HEADER - 8]:
        yield "flags: %r and %r" % (flags, actual[4:HEADER - 8])
        return
    code = marshal.loads(reference[HEADER:])
    source = code.co_filename
    if is_temporary(source):
        # A file of rvenv's must name what stands beside it.
        renamed[source] = source = place(name)
    if renamed or reference[HEADER:] != actual[HEADER:]:
        judged = marshal.loads(actual[HEADER:])
        if made_by == "venv" and is_temporary(judged.co_filename):
            renamed_by_venv[judged.co_filename] = place(name)
        yield from compare("code", code, judged)
    if any(flags):
        if reference[HEADER - 8:HEADER] != actual[HEADER - 8:HEADER]:
            yield "source hash: %r and %r" % (reference[HEADER - 8:HEADER], actual[HEADER - 8:HEADER])
        return
    # The judged tree is where both were made, so the source is beside it.
    source = os.stat(source)
    mtime = int.from_bytes(actual[HEADER - 8:HEADER - 4], "little")
    size = int.from_bytes(actual[HEADER - 4:HEADER], "little")
    if mtime != int(source.st_mtime) & 0xFFFFFFFF:
        yield "source mtime: %d, but it is %d" % (mtime, int(source.st_mtime))
    if size != source.st_size & 0xFFFFFFFF:
        yield "source size: %d, but it is %d" % (size, source.st_size)


names = sys.stdin.buffer.read().split(b"\0")
for name in names:
    name = name.decode("utf-8", "surrogateescape")
    for line in itertools.islice(judge(name), 2):  # the first ones tell enough
        print(("~ %s: %s" % (name, line)).encode("ascii", "backslashreplace").decode())
print("%d files" % len(names))
