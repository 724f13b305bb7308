"""What Python itself reads in environments: a JSON request comes on stdin, the answer is JSON, too."""
import ast
import csv
import io
import json
import marshal
import os
import sys
import types


def configuration(env_dirs):
    """What site.py finds in each pyvenv.cfg: every key and value, and the home that it keeps."""
    import site

    answers = []
    for env_dir in env_dirs:
        sys.executable = os.path.join(env_dir, "bin", "python")
        found = []

        def trace(frame, event, argument):
            if frame.f_code is not site.venv.__code__:
                return None
            names = frame.f_locals
            # A line's key and value have their last form when the next line is read.
            if "=" in names.get("line", "") and "value" in names:
                if found and found[-1][0] is names["line"]:
                    found.pop()
                found.append((names["line"], names["key"], names["value"]))
            return trace

        prefixes = sys.prefix, sys.exec_prefix
        sys.settrace(trace)
        try:
            site.venv(set())
        finally:
            sys.settrace(None)
        answer = {"prefix": sys.prefix, "home": sys._home, "pairs": [pair[1:] for pair in found]}
        sys.prefix, sys.exec_prefix = prefixes
        answer["prompt"] = dict(answer["pairs"]).get("prompt")
        if answer["prompt"] is not None:
            answer["prompt"] = ast.literal_eval(answer["prompt"])
        answers.append(answer)
    return answers


def write_record(path, rows):
    """Writes a RECORD as pip does."""
    with open(path, "w", newline="", encoding="utf-8") as record:
        csv.writer(record).writerows(sorted(map(tuple, rows)))


def read_record(path):
    """Its rows, and whether Python would write the same bytes."""
    with open(path, newline="", encoding="utf-8") as record:
        text = record.read()
    rows = list(csv.reader(io.StringIO(text, newline="")))
    again = io.StringIO(newline="")
    csv.writer(again).writerows(rows)
    return {"rows": rows, "same": again.getvalue() == text}


def compiled(root):
    """The source and the code of each .pyc below a directory."""
    header = 16 if sys.version_info >= (3, 7) else 12
    for folder, _, names in os.walk(root):
        for name in names:
            if name.endswith(".pyc"):
                source = os.path.join(os.path.dirname(folder), name.split(".")[0] + ".py")
                with open(os.path.join(folder, name), "rb") as file:
                    bytecode = file.read()
                yield source, bytecode[header - 8:header], marshal.loads(bytecode[header:])


def file_names(code):
    """What code and the functions in it say of their source."""
    yield code.co_filename
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            for name in file_names(constant):
                yield name


def bytecode(roots, largest):
    """How many .pyc there are, and those that are not what Python would compile; larger ones are not compiled again."""
    count, wrong = 0, []
    for root in roots:
        for source, stamp, code in compiled(root):
            count += 1
            for name in file_names(code):
                if name != source:
                    wrong.append("%s: co_filename is %s" % (source, name))
            stat = os.stat(source)
            times = int.from_bytes(stamp[:4], "little"), int.from_bytes(stamp[4:], "little")
            if times != (int(stat.st_mtime) & 0xFFFFFFFF, stat.st_size & 0xFFFFFFFF):
                wrong.append("%s: stale" % source)
            if stat.st_size <= largest:
                with open(source, "rb") as file:
                    if compile(file.read(), source, "exec", dont_inherit=True) != code:
                        wrong.append("%s: another code" % source)
    return {"count": count, "wrong": wrong[:9]}


request = json.loads(sys.stdin.buffer.read().decode())
answer = globals()[request["call"]](*request["arguments"])
sys.stdout.buffer.write(json.dumps(answer).encode())
