"""Has `venv.EnvBuilder.create` of the standard library run the `rvenv` program where that makes the same environment, faster.

Imported when `venv` is, and not before. Whatever goes wrong here, CPython's own `create` runs.
"""

import os
import sys

#: Variables of rvenv's that do not change what an environment consists of.
_KEPT = ("RVENV_CACHE_DIR", "RVENV_NO_CACHE")

if sys.flags.optimize:
    # pip uninstalls the bytecode that there is without -O, and no other.
    try:
        os.remove(__spec__.cached)
    except Exception:
        pass


def _patch(loader):
    """Lets the genuine loader, as it is otherwise, replace `EnvBuilder.create` in the module that it has run."""

    def exec_module(module):
        del loader.exec_module
        loader.exec_module(module)
        try:
            _replace(module)
        except Exception:
            pass

    loader.exec_module = exec_module


def _replace(venv):
    standard = venv.EnvBuilder.create
    own = _of_the_command("_standard")
    hooks = own.hooks(venv.EnvBuilder)

    def create(self, env_dir):
        made = context = None
        upgrades = getattr(self, "upgrade_deps", False)
        try:
            overridden = own.overridden(self, hooks)
            arguments = _arguments(own, venv, self, env_dir, overridden)
            made = arguments is not None and _run(arguments)
            if made and (overridden or upgrades):
                # The last argument is the absolute path.
                context = own.context(self, arguments[-1])
        except Exception:
            made = False
        if not made:
            return standard(self, env_dir)
        # As CPython does; it calls no hook for an upgrade either.
        if overridden and not self.upgrade:
            self.post_setup(context)
        if upgrades:
            self.upgrade_dependencies(context)

    for name in ("__module__", "__name__", "__qualname__", "__doc__", "__annotations__"):
        if hasattr(standard, name):
            setattr(create, name, getattr(standard, name))
    create.__wrapped__ = standard
    create._rvenv_standard = standard
    venv.EnvBuilder.create = create


def _arguments(own, venv, builder, env_dir, overridden):
    """The program's arguments for the same environment; None where CPython's own `create` has to make it."""
    if os.environ.get("RVENV_SHIM") == "0" or not _is_this_python():
        return None
    known = {"system_site_packages", "clear", "symlinks", "upgrade", "with_pip", "prompt"}
    known |= {"upgrade_deps"} if sys.version_info >= (3, 9) else set()
    known |= {"orig_prompt"} if sys.version_info >= (3, 11) else set()
    known |= {"scm_ignore_files"} if sys.version_info >= (3, 13) else set()
    # What a subclass keeps besides is its own.
    if set(vars(venv.EnvBuilder())) != known or not known <= set(vars(builder)):
        return None
    # Without pip CPython's own takes no longer: most of its time goes into the import of venv.
    if not builder.with_pip or overridden not in ([], ["post_setup"]):
        return None
    # The hook would find the access to the system's packages, which CPython gives afterwards.
    if overridden and builder.system_site_packages:
        return None

    from importlib.util import find_spec

    # CPython has its own words for that, and Debian other ones.
    if find_spec("ensurepip") is None or type(os.fspath(env_dir)) is not str:
        return None
    options = own.options(vars(builder))
    if options is None:
        return None
    # An embedded Python takes some Python on PATH for itself, which may be of another version.
    version = ".".join(map(str, sys.version_info))
    return ["--decline=" + version, "--quiet", "--python=" + sys.executable] + options + ["--", os.path.abspath(env_dir)]


def _is_this_python():
    """Whether `sys.executable` is what runs, as far as that can be known."""
    if not sys.executable or sys.implementation.name not in ("cpython", "pypy"):
        return False
    return not sys.platform.startswith("linux") or os.path.samefile(sys.executable, "/proc/self/exe")


def _of_the_command(name):
    """A module of the command's package, as it was installed: neither a `rvenv.py` of the user's nor another project."""
    from importlib.util import module_from_spec, spec_from_file_location

    beside = os.path.dirname(os.path.abspath(__file__))
    for folder in [beside] + [entry for entry in sys.path if os.path.basename(entry) in ("site-packages", "dist-packages")]:
        path = os.path.join(folder, "rvenv", name + ".py")
        if os.path.isfile(path):
            spec = spec_from_file_location("rvenv." + name, path)
            module = module_from_spec(spec)
            spec.loader.exec_module(module)
            return module
    raise ImportError(name)


def _run(arguments):
    """Whether the program has made the environment; whether it is broken or declines makes no difference."""
    import signal
    import subprocess

    environment = {name: value for name, value in os.environ.items() if not name.startswith("RVENV_") or name in _KEPT}
    environment["RVENV_SHIM"] = "0"
    command = [_of_the_command("_find").find_rvenv_bin()] + arguments
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            status = process.wait()
        except BaseException:
            # The program undoes what it did.
            if os.name != "nt":
                process.send_signal(signal.SIGINT)
            process.wait()
            raise
    if status == -signal.SIGINT:
        raise KeyboardInterrupt
    if status != 0:
        return False
    with open(os.path.join(arguments[-1], "pyvenv.cfg"), encoding="utf-8") as file:
        return any(line.startswith("rvenv = ") for line in file)


# At the end: a file that was cut off has no such name.
def find_venv(name, path=None, target=None):
    """The real spec of the standard library's `venv`, whose genuine loader replaces `EnvBuilder.create` after loading."""
    spec = None
    for finder in sys.meta_path:
        if getattr(finder, "_rvenv_shim", None) is finder or not hasattr(finder, "find_spec"):
            continue
        spec = finder.find_spec(name, path, target)
        if spec is not None:
            break
    try:
        standard = os.path.join(os.path.dirname(os.__file__), "venv", "__init__.py")
        if spec is not None and spec.origin == standard and os.environ.get("RVENV_SHIM") != "0":
            _patch(spec.loader)
    except Exception:
        pass
    return spec
