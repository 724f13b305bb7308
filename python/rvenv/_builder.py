"""``venv``'s own names, with the work done by the ``rvenv`` program.

Whatever a caller has changed about how an environment is made is left to the standard ``venv``, whose hooks they are.
"""

import functools
import inspect
import os
import re
import signal
import subprocess
import sys
import venv
from typing import Any, Callable, List, Optional, Sequence, TypeVar, cast

from ._find import find_rvenv_bin

logger = venv.logger
if sys.version_info >= (3, 9):
    CORE_VENV_DEPS = venv.CORE_VENV_DEPS

_F = TypeVar("_F", bound=Callable[..., Any])
_MISSING = object()
#: Every method of the standard builder as it was defined, except the one that is replaced here and those that only
#: keep what they are given.
_HOOKS = {
    name: value for name, value in vars(venv.EnvBuilder).items() if not name.startswith("__") and name != "create"
}


class CreationError(subprocess.CalledProcessError, ValueError):
    """Why no environment was made; nothing is left behind.

    It is both of what the standard ``venv`` raises: ``ValueError``, and ``CalledProcessError`` where pip could not be
    had. What the operating system refused is an ``OSError``, as there.
    """

    def __str__(self) -> str:
        return str(self.stderr)


class EnvBuilder(venv.EnvBuilder):
    """The running Python's ``venv.EnvBuilder``, with its signature, defaults and hooks.

    :meth:`create` is done by the ``rvenv`` program, unless a subclass, the instance or a patched ``venv`` overrides a
    hook, or asks for what ``python -m venv`` has no option for: then by the standard ``venv``.
    """

    def create(self, env_dir: Any) -> None:
        """Create a virtual environment in a directory, or leave what is there as it is.

        :param env_dir: the directory, as ``str`` or ``os.PathLike``.
        :raises CreationError: where no environment can be made there.
        :raises OSError: where the operating system refuses.
        """
        options = None if self._overridden() else self._options()
        if options is None or not sys.executable or not isinstance(os.fspath(env_dir), str):
            super().create(env_dir)
        else:
            _run(["--python=" + sys.executable] + options + ["--", os.path.abspath(env_dir)])

    def _overridden(self) -> bool:
        """Whether any hook is not the standard one."""
        own = vars(self)
        return any(
            name in own or inspect.getattr_static(type(self), name, _MISSING) is not hook
            for name, hook in _HOOKS.items()
        )

    def _options(self) -> "Optional[List[str]]":
        """What the fields say as options; None where no option says it."""
        fields = vars(self)
        if fields["upgrade"] and fields["clear"]:
            # venv's own command line refuses this, its API does both.
            return None
        options = ["--symlinks" if fields["symlinks"] else "--copies"]
        flags = ["system_site_packages", "clear", "upgrade", "upgrade_deps"]
        options += ["--" + name.replace("_", "-") for name in flags if fields.get(name)]
        if not fields["with_pip"]:
            options.append("--without-pip")
        # Since 3.13; before, no ignore file is made and no option is recorded.
        scm = fields.get("scm_ignore_files", {"git"})
        if not scm:
            options.append("--without-scm-ignore-files")
        elif set(scm) != {"git"}:
            return None
        prompt = fields["prompt"]
        # Since 3.11 what was asked for is kept beside what `.` stood for at that time.
        asked = fields.get("orig_prompt", prompt)
        if asked != prompt and not (asked == "." and prompt == os.path.basename(os.getcwd())):
            return None
        return options if asked is None else options + ["--prompt=" + asked]


def _like(standard: _F) -> "Callable[[Callable[..., Any]], _F]":
    """Gives a function the signature and the type that the running Python's `venv` has for it."""

    def decorate(own: "Callable[..., Any]") -> _F:
        assigned = ("__annotations__", "__type_params__")
        return cast(_F, functools.wraps(standard, assigned=assigned)(own))

    return decorate


@_like(venv.create)
def create(*args: Any, **kwargs: Any) -> None:
    """Create a virtual environment in a directory: ``EnvBuilder(...).create(env_dir)``."""
    given = inspect.signature(venv.create).bind(*args, **kwargs).arguments
    env_dir = given.pop("env_dir")
    EnvBuilder(**given).create(env_dir)


@_like(venv.main)
def main(args: Optional[Sequence[str]] = None) -> None:
    """The command line, without its process: ``python -m rvenv`` and the arguments.

    :raises SystemExit: for usage errors, as argparse does.
    """
    _run(list(sys.argv[1:] if args is None else args), dict(os.environ, RVENV_PYTHON=sys.executable))


def _run(arguments: "List[str]", environment: "Optional[dict[str, str]]" = None) -> None:
    """Runs the program, and turns how it ended into what `venv` would have raised or logged."""
    command = [find_rvenv_bin()] + arguments
    with subprocess.Popen(
        command, env=environment, stderr=subprocess.PIPE, encoding="utf-8", errors="backslashreplace"
    ) as process:
        try:
            said = process.communicate()[1]
        except BaseException:
            # The program undoes what it did; one that is killed would leave that to the next run.
            if os.name != "nt":
                process.send_signal(signal.SIGINT)
            process.wait()
            raise
    if process.returncode == 0:
        for line in said.splitlines():
            logger.warning("%s", line)
    elif process.returncode == 2:
        sys.stderr.write(said)
        raise SystemExit(2)
    elif process.returncode == -signal.SIGINT:
        raise KeyboardInterrupt
    else:
        raise _error(process.returncode, command, said)


def _error(status: int, command: "List[str]", said: str) -> Exception:
    """The exception that `venv` raises for this condition."""
    message = said.strip()
    if message.startswith("Error: "):
        message = message[len("Error: ") :]
    errno = re.search(r"\(os error (\d+)\)$", message.split("\n", 1)[0])
    if errno is None:
        return CreationError(status, command, stderr=message or "rvenv ended with status {}".format(status))
    # A line that names the path already, with what the user can do in the next one.
    message = message.replace(" " + errno.group(0), "")
    number = int(errno.group(1))
    return OSError(None, message, None, number) if os.name == "nt" else OSError(number, message)
