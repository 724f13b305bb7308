"""pack.py ENV_DIR LIST: writes the list of files of an environment for benches/floor.c, which creates them."""
import os, struct, sys

top, packed = sys.argv[1:]
folders, groups = [], []
for path, names, files in os.walk(top):
    relative = os.path.relpath(path, top)
    if relative != ".":
        folders.append(relative)
    links = [name for name in names if os.path.islink(os.path.join(path, name))]
    names[:] = sorted(set(names) - set(links))
    groups.append((path, relative, sorted(files + links)))

def record(kind, name, mode=0o755, content=b""):
    name = os.fsencode(name) + b"\0"
    return kind + struct.pack("III", mode, len(name), len(content)) + name + content

out = [record(b"d", folder) for folder in folders]
# The largest directories first, so that all threads end at about the same time.
cost = lambda group: sum(20_000 + os.lstat(os.path.join(group[0], name)).st_size for name in group[2])
for path, relative, names in sorted(groups, key=cost, reverse=True):
    out.append(record(b"e", relative))
    for name in names:
        full = os.path.join(path, name)
        if os.path.islink(full):
            out.append(record(b"l", name, content=os.fsencode(os.readlink(full)) + b"\0"))
        else:
            with open(full, "rb") as file:
                out.append(record(b"f", name, os.stat(full).st_mode & 0o777, file.read()))
with open(packed, "wb") as file:
    file.writelines(out)
