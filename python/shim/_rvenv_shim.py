"""Makes `venv.EnvBuilder.create` of the standard library run the `rvenv` program if that creates the same environment.

Imported when `venv` is imported, and not earlier. On any error here, the original `create` of CPython runs.
"""

import os
import sys

#: Variables of rvenv that do not change the created environment.
_KEPT = ("RVENV_CACHE_DIR", "RVENV_NO_CACHE")

if sys.flags.optimize:
    # pip uninstalls only the bytecode that is written without -O.
    try:
        os.remove(__spec__.cached)
    except Exception:
        pass


def _patch(loader):
    """Makes the original loader, which is otherwise unchanged, replace `EnvBuilder.create` after it has executed the module."""

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
                # The last argument is the absolute path of the environment.
                context = own.context(self, arguments[-1])
        except Exception:
            made = False
        if not made:
            return standard(self, env_dir)
        # Like CPython, which calls no hook for an upgrade.
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
    """The arguments of the program for the same environment; None if the `create` of CPython must create it."""
    if os.environ.get("RVENV_SHIM") == "0" or not _is_this_python():
        return None
    known = {"system_site_packages", "clear", "symlinks", "upgrade", "with_pip", "prompt"}
    known |= {"upgrade_deps"} if sys.version_info >= (3, 9) else set()
    known |= {"orig_prompt"} if sys.version_info >= (3, 11) else set()
    known |= {"scm_ignore_files"} if sys.version_info >= (3, 13) else set()
    # A subclass may have more attributes.
    if set(vars(venv.EnvBuilder())) != known or not known <= set(vars(builder)):
        return None
    # Without pip CPython is not slower, as most of the time is spent on importing venv.
    if not builder.with_pip or overridden not in ([], ["post_setup"]):
        return None
    # The hook would see the system's packages, which CPython makes available only afterwards.
    if overridden and builder.system_site_packages:
        return None

    from importlib.util import find_spec

    # CPython and Debian have their own error messages for this.
    if find_spec("ensurepip") is None or type(os.fspath(env_dir)) is not str:
        return None
    options = own.options(vars(builder))
    if options is None:
        return None
    # In an embedded Python `sys.executable` may be another Python, found on PATH, of another version.
    version = ".".join(map(str, sys.version_info))
    return ["--decline=" + version, "--quiet", "--python=" + sys.executable] + options + ["--", os.path.abspath(env_dir)]


def _is_this_python():
    """Whether `sys.executable` is the running Python, as far as that can be determined."""
    if not sys.executable or sys.implementation.name not in ("cpython", "pypy"):
        return False
    return not sys.platform.startswith("linux") or os.path.samefile(sys.executable, "/proc/self/exe")


def _of_the_command(name):
    """A module of the installed package of the command: not a `rvenv.py` of the user, and not another project."""
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
    """Whether the program has created the environment. It makes no difference whether it failed or declined."""
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
            # The program cleans up.
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


# At the end of the file, so that a truncated file does not define it.
def find_venv(name, path=None, target=None):
    """The spec of the standard library's `venv`, whose loader then replaces `EnvBuilder.create`."""
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
