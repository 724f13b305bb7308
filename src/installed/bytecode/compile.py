# Compiles the files that standard input names, as compileall would, and answers each line of names with a line.
# A line in: paths relative to argv[1], in UTF-8, separated by NUL. A line out: per path, "+" compiled or "-" not valid
# for this Python; "!" and an errno if writing fails. Nothing but frozen and built-in modules is imported, because the start counts.
import _frozen_importlib_external as external
import marshal
import sys

folder, invalidation, optimize, suffix = sys.argv[1:]
# Not os.fsencode, whose module is not loaded yet; the encoding is the same.
folder = folder.encode(sys.getfilesystemencoding(), "surrogateescape").decode("utf-8") if sys.platform != "win32" else folder
loader = external.SourceFileLoader("<compile>", folder)


def integer(number):
    return (int(number) & 0xFFFFFFFF).to_bytes(4, "little")


def header(path, source):
    # PEP 552; before 3.7 there was no word of flags.
    if invalidation == "checked-hash":
        import _imp

        magic = int.from_bytes(external.MAGIC_NUMBER, "little")
        return external.MAGIC_NUMBER + integer(3) + _imp.source_hash(magic, source)
    flags = integer(0) if sys.version_info >= (3, 7) else b""
    return external.MAGIC_NUMBER + flags + integer(loader.path_stats(path)["mtime"]) + integer(len(source))


def compiled(name):
    filename = folder + "/" + name
    path = filename.encode("utf-8")
    with open(path, "rb", buffering=0) as file:
        source = file.read()
    try:
        code = compile(source, filename, "exec", dont_inherit=True, optimize=int(optimize))
    except MemoryError:
        raise
    except Exception:
        # py_compile.compile and with it pip skip sources that compile() rejects.
        return False
    parent, _, stem = filename.rpartition("/")
    target = parent + "/__pycache__/" + stem[:-3] + suffix
    with open(target.encode("utf-8"), "wb") as file:
        file.write(header(path, source) + marshal.dumps(code))
    return True


for line in sys.stdin.buffer:
    names = line[:-1].decode("utf-8").split("\0")
    try:
        answer = "".join("+" if compiled(name) else "-" for name in names)
    except OSError as error:
        answer = "!%d" % (error.errno or 0)
    sys.stdout.write(answer + "\n")
    sys.stdout.flush()
