# Prints the facts about the running Python as one JSON line behind a marker.
# Any Python from 2.7 on must be able to parse it, so that an old one can say how old it is.
import sys

MARKER = "rvenv-facts "
LIBC = ("libc.so", "libc-2", "ld-musl-")


def with_slashes(path):
    return path.replace(os.sep, "/")


def scheme():
    major_minor = "%d.%d" % sys.version_info[:2]
    if sys.version_info < (3, 11):
        # Hard-coded in venv/__init__.py before the venv scheme existed.
        if os.name == "nt":
            return {"include": "Include", "purelib": "Lib/site-packages", "platlib": "Lib/site-packages"}
        name = "pypy" if sys.implementation.name == "pypy" else "python"
        lib = "lib/%s%s/site-packages" % (name, major_minor)
        return {"include": "include", "purelib": lib, "platlib": lib}
    import sysconfig

    base = "/rvenv" if os.name != "nt" else "C:\\rvenv"
    names = ("base", "platbase", "installed_base", "installed_platbase")
    variables = dict.fromkeys(names, base)

    def path(name):
        return with_slashes(os.path.relpath(sysconfig.get_path(name, scheme="venv", vars=variables), base))

    include = path("include")
    if sys.version_info >= (3, 14):
        include = "Include" if os.name == "nt" else "include"
    purelib = path("purelib")
    return {
        "include": include,
        "purelib": purelib,
        "platlib": path("platlib") if sys.version_info >= (3, 15) else purelib,
    }


def aliases():
    if os.name == "nt":
        return []
    names = ["python", "python3"]
    if sys.version_info >= (3, 9):
        names.append("python3.%d" % sys.version_info[1])
    if sys.implementation.name == "pypy":
        names += ["pypy3", "pypy"]
    # Only that one version has it.
    if sys.version_info[:2] == (3, 14) and sys.getfilesystemencoding() == "utf-8":
        names.append(u"\U0001d70bthon")
    return names


def wheels_in(folder, projects):
    # The order of the names decides: the last one of a project wins, as in ensurepip.
    found = {}
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        names = []
    for name in names:
        for project in projects:
            if name.startswith(project + "-") and name.endswith(".whl"):
                found[project] = os.path.join(folder, name)
    return [found[project] for project in projects if project in found]


def constants(path, wanted):
    # Read, not imported: what the module itself imports takes longer than all the rest.
    import _ast

    with open(path, "rb") as source:
        tree = compile(source.read(), path, "exec", _ast.PyCF_ONLY_AST)
    found = {"__builtins__": {}}
    for node in tree.body:
        name = getattr(node.targets[0], "id", None) if type(node) is _ast.Assign else None
        if name in wanted:
            found[name] = eval(compile(_ast.Expression(node.value), path, "eval"), found)
    return found


def bundled_wheels():
    package = os.path.join(os.path.dirname(os.__file__), "ensurepip")
    module = os.path.join(package, "__init__.py")
    if not os.path.isfile(module):
        # A package may bring it later.
        return None, [package]
    folder = os.path.join(package, "_bundled")
    said = constants(module, ("_SETUPTOOLS_VERSION", "_PIP_VERSION", "_PACKAGE_NAMES", "_PROJECTS"))
    versions = dict(project[:2] for project in said.get("_PROJECTS", ()) if isinstance(project, tuple))
    projects = list(said.get("_PACKAGE_NAMES", versions)) or ["pip"]
    if "_PIP_VERSION" in said:
        versions["pip"] = said["_PIP_VERSION"]
    chosen, folders = [], [folder]
    if sys.version_info >= (3, 10):
        import sysconfig

        # An empty WHEEL_PKG_DIR must not mean the current directory (gh-146310).
        system = sysconfig.get_config_var("WHEEL_PKG_DIR")
        if system:
            folders.insert(0, system)
            chosen = wheels_in(system, projects)
            if len(chosen) != len(projects):
                chosen = []
    if not chosen:
        for project in projects:
            prefix = "%s-%s-" % (project, versions.get(project))
            try:
                names = sorted(name for name in os.listdir(folder) if name.startswith(prefix) and name.endswith(".whl"))
            except OSError:
                names = []
            if not names:
                return None, [module] + folders
            chosen.append(os.path.join(folder, names[-1]))
    wheels = []
    for path in chosen:
        project, version = os.path.basename(path).split("-")[:2]
        wheels.append({"project": project, "version": version, "path": path})
    return wheels, [module] + folders + chosen


def witnesses(real):
    found = [sys.executable, real, os.__file__]
    for folder in (os.path.dirname(sys.executable), os.path.dirname(os.path.dirname(sys.executable))):
        found.append(os.path.join(folder, "pyvenv.cfg"))
    found.append(os.path.join(os.path.dirname(os.__file__), "venv", "__init__.py"))
    # A set: where the libraries are in memory, and so their order here, differs from start to start.
    libraries = set()
    try:
        with open("/proc/self/maps") as maps:
            for line in maps:
                path = line.rstrip("\n").partition("/")[2]
                name = path.rpartition("/")[2]
                if name.startswith(("libpython", "libpypy") + LIBC):
                    libraries.add("/" + path)
    except OSError:
        pass
    return found + sorted(libraries)


def listing(folder):
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def tcl(folder):
    # The first one that os.walk finds, as venv takes it.
    for root, _, files in os.walk(folder):
        if "init.tcl" in files:
            return os.path.join(root, "init.tcl")
    return None


def windows_build(base):
    import sysconfig

    folder = os.path.dirname(base)
    # Before 3.11 the argument was needed to be told that a Python is run from where it was built.
    is_build = sysconfig.is_python_build() if sys.version_info >= (3, 11) else sysconfig.is_python_build(True)
    scripts = os.path.join(os.path.dirname(os.__file__), "venv", "scripts", "nt")
    wanted = (".exe", ".dll", ".pyd")
    facts = {
        "is_build": is_build,
        "launchers": scripts,
        "launcher_files": [name for name in listing(scripts) if name.lower().endswith(".exe")],
        "base_files": [name for name in listing(folder) if name.lower().endswith(wanted)],
        "library_files": [],
        "tcl": None,
        "machine": sysconfig.get_platform(),
    }
    if sys.version_info < (3, 7, 2):
        facts["library_files"] = [name for name in listing(os.path.join(folder, "DLLs")) if name.lower().endswith(wanted)]
    if is_build or sys.version_info < (3, 7, 2):
        facts["tcl"] = tcl(folder)
    return facts


def as_json(value):
    # The json module takes as long as everything else here.
    if value is None or value is True or value is False:
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        units = value.encode("utf-16-be", "surrogatepass")
        units = [units[i] * 256 + units[i + 1] for i in range(0, len(units), 2)]
        plain = [32 <= unit < 127 and unit not in b'"\\' for unit in units]
        return '"%s"' % "".join(chr(unit) if ok else "\\u%04x" % unit for unit, ok in zip(units, plain))
    if isinstance(value, dict):
        return "{%s}" % ",".join(as_json(key) + ":" + as_json(value[key]) for key in value)
    return "[%s]" % ",".join(map(as_json, value))


def prerelease():
    level, serial = sys.version_info[3:]
    mark = {"alpha": "a", "beta": "b", "candidate": "rc"}.get(level)
    return "%s%d" % (mark, serial) if mark else ""


def soabi():
    # importlib.machinery.EXTENSION_SUFFIXES; sysconfig would take longer than all the rest.
    import _imp

    return _imp.extension_suffixes()[0] if _imp.extension_suffixes() else None


def build_platform():
    # sysconfig.get_platform(), which is no more than this on Linux.
    if sys.platform.startswith("linux"):
        return os.environ.get("_PYTHON_HOST_PLATFORM") or "linux-" + os.uname()[4]
    import sysconfig

    return sysconfig.get_platform()


def libc(seen):
    if sys.platform == "darwin":
        import platform

        return "macOS " + platform.mac_ver()[0]
    try:
        return os.confstr("CS_GNU_LIBC_VERSION")
    except (AttributeError, OSError, ValueError):
        pass
    # musl tells its version only to those who start it; which one it is its contents tell as well.
    for path in seen:
        if os.path.basename(path).startswith("ld-musl-"):
            import zlib

            with open(path, "rb") as library:
                return "musl %08x" % (zlib.crc32(library.read()) & 0xFFFFFFFF)
    return None


def markers(seen):
    # The environment markers of PEP 508 that the operating system does not report.
    info = sys.implementation.version
    version = "%d.%d.%d" % info[:3]
    if info[3] != "final":
        version += info[3][0] + str(info[4])
    return {
        "implementation_version": version,
        "python_full_version": sys.version.split()[0],
        "os_name": os.name,
        "sys_platform": sys.platform,
        "soabi": soabi(),
        "platform": build_platform(),
        "libc": libc(seen),
    }


def free_threaded():
    if hasattr(sys, "abiflags"):
        return "t" in sys.abiflags
    import sysconfig

    return sysconfig.get_config_var("Py_GIL_DISABLED") == 1


if sys.version_info < (3, 6):
    sys.stdout.write(MARKER + '{"too_old": "%d.%d.%d"}\n' % sys.version_info[:3])
else:
    import importlib.util
    import os

    real = os.path.realpath(sys.executable)
    wheels, sources = bundled_wheels()
    seen = []
    for witness in witnesses(real) + sources:
        if witness and witness not in seen:
            seen.append(witness)
    platform = "windows" if os.name == "nt" else "darwin" if sys.platform == "darwin" else "posix"
    base = getattr(sys, "_base_executable", None) or sys.executable
    if sys.version_info < (3, 7) and platform == "darwin":
        # Set by the stub of a framework build, which is what an environment needs, not the program that it starts.
        base = os.environ.get("__PYVENV_LAUNCHER__", base)
    base = os.path.abspath(base)
    windows = windows_build(base) if os.name == "nt" else None
    if windows:
        seen += [os.path.dirname(base), windows["launchers"]]
    facts = {
        "executable": sys.executable,
        "base_executable": base,
        "real_executable": real,
        "version": list(sys.version_info[:3]),
        "prerelease": prerelease(),
        "multiarch": getattr(sys.implementation, "_multiarch", None),
        "implementation": sys.implementation.name,
        "cache_tag": sys.implementation.cache_tag,
        "magic": importlib.util.MAGIC_NUMBER.hex(),
        "free_threaded": free_threaded(),
        "debug": hasattr(sys, "gettotalrefcount"),
        "platform": platform,
        "markers": markers(seen),
        "is_64bit": sys.maxsize > 2**32,
        "utf8_file_system": sys.getfilesystemencoding() == "utf-8",
        "scheme": scheme(),
        "stdlib": os.path.dirname(os.__file__),
        "aliases": aliases(),
        "wheels": wheels,
        "witnesses": seen,
        "windows": windows,
    }
    sys.stdout.write(MARKER + as_json(facts) + "\n")
