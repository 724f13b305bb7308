"""``venv``'s own names, with the work done by the ``rvenv`` program.

Whatever a caller has changed about how an environment is made is left to the standard ``venv``, whose hooks they are.
"""

import functools
import inspect
import json
import os
import re
import signal
import subprocess
import sys
import venv
from typing import Any, Callable, Dict, List, Optional, Sequence, TypeVar, cast

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


#: Modes that print an answer to stdout, which is the caller's.
_ANSWERS = ("--check", "--completions", "--json", "--list-pythons", "--man", "--prune-cache")
#: What the API has in place of an option that a hint names.
_INSTEAD = {
    "--without-pip": "with_pip=False",
    "--copies": "symlinks=False",
    "--find-links": "RVENV_FIND_LINKS",
    "--cache-dir": "RVENV_CACHE_DIR",
}
_OPTION = re.compile(r"(?<![\w-])--?[a-z][\w-]*")


class CreationError(subprocess.CalledProcessError, ValueError):
    """Why no environment was made; nothing is left behind.

    It is both of what the standard ``venv`` raises: ``ValueError``, and ``CalledProcessError`` where pip could not be
    had. What the operating system refused is an ``OSError``, as there; this is then its ``__cause__``.
    """

    #: What has happened, as ``rvenv --json`` names it; None if the program did not say.
    kind: Optional[str] = None
    #: The operating system's number for its refusal.
    errno: Optional[int] = None
    #: The file, folder or program that it is about.
    filename: Optional[str] = None
    #: What can be done about it.
    hint: Optional[str] = None

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
            return
        arguments = ["--json", "--python=" + sys.executable] + options + ["--", os.path.abspath(env_dir)]
        run = _Run(arguments)
        run.raise_errors(_hint_for_callers)
        if run.status != 0:
            raise run.failed()
        run.log_warnings()

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
        if asked is None:
            return options
        return options + ["--prompt=" + asked] if _is_argument(asked) else None


def _is_argument(value: object) -> bool:
    """Whether a program can be given it without a change; venv writes the `repr` of anything."""
    if type(value) is not str or "\0" in value:
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


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

    :raises SystemExit: for usage errors, ``--help`` and ``--version``, as argparse does; with status 1 where
        ``--check`` finds something.
    """
    arguments = list(sys.argv[1:] if args is None else args)
    own = not any(_asks_for_an_answer(argument) for argument in arguments)
    run = _Run(["--json"] * own + arguments, dict(os.environ, RVENV_PYTHON=sys.executable))
    if not own or run.results is None:
        sys.stdout.write(run.stdout)
    run.raise_errors(lambda error: cast("Optional[str]", error["hint"]))
    if run.results is None and own and run.status not in (0, 2):
        raise run.failed()
    if run.status != 0:
        sys.stderr.write(run.stderr)
        raise SystemExit(run.status)
    run.log_warnings()
    if run.results is None and own:
        # Help, or the version.
        raise SystemExit(0)


def _asks_for_an_answer(argument: str) -> bool:
    """Whether it may be one of `_ANSWERS`, which may be shortened."""
    name = argument.split("=", 1)[0]
    return len(name) > 2 and any(option.startswith(name) for option in _ANSWERS)


class _Run:
    """A run of the program that has ended."""

    def __init__(self, arguments: "List[str]", environment: "Optional[Dict[str, str]]" = None) -> None:
        self.command = [find_rvenv_bin()] + arguments
        with subprocess.Popen(
            self.command,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="backslashreplace",
        ) as process:
            try:
                self.stdout, self.stderr = process.communicate()
            except BaseException:
                # The program undoes what it did; one that is killed would leave that to the next run.
                if os.name != "nt":
                    process.send_signal(signal.SIGINT)
                process.wait()
                raise
        self.status = process.returncode
        if self.status == -signal.SIGINT:
            raise KeyboardInterrupt
        #: Those of the document; None where something else was printed.
        self.results: "Optional[List[Dict[str, Any]]]" = None
        try:
            self.results = json.loads(self.stdout)["results"]
        except ValueError:
            pass

    def log_warnings(self) -> None:
        for line in self.stderr.splitlines():
            logger.warning("%s", line)

    def raise_errors(self, hint: "Callable[[Dict[str, Any]], Optional[str]]") -> None:
        """Raises what `venv` raises for the first of the errors, which says what all of them are."""
        errors = [result for result in self.results or [] if "kind" in result]
        if not errors:
            return
        first = errors[0]
        messages = []
        for error in errors:
            advice = hint(error)
            message = error["message"] if advice is None else "{}\n  hint: {}".format(error["message"], advice)
            if message not in messages:
                messages.append(message)
        raised = CreationError(self.status, self.command, stderr="\n".join(messages))
        raised.kind, raised.errno, raised.hint = first["kind"], first["errno"], hint(first)
        raised.filename = first["filename"]
        if first["errno"] is None:
            raise raised
        raise _refusal(first["errno"], first["filename"] or first["path"]) from raised

    def failed(self) -> CreationError:
        """The error of a program that did not say what has happened."""
        message = self.stderr.strip() or "rvenv ended with status {}".format(self.status)
        return CreationError(self.status, self.command, stderr=message)


def _hint_for_callers(error: "Dict[str, Any]") -> "Optional[str]":
    """The hint without the command line's options; which Python it is cannot be chosen here either."""
    if error["hint"] is None or error["kind"] in ("python_not_found", "request", "unusable_python"):
        return None
    hint = _OPTION.sub(lambda option: _INSTEAD.get(option.group(), option.group()), error["hint"])
    # What is in backticks is another command.
    ways = (way for way in hint.split(", or ") if not _OPTION.search(re.sub("`[^`]*`", "", way)))
    return ", or ".join(ways) or None


def _refusal(number: int, path: "Optional[str]") -> OSError:
    """The operating system's error of this number, of the class that Python has for it."""
    if sys.platform == "win32":
        import ctypes

        return OSError(None, ctypes.FormatError(number).strip(), path, number)
    return OSError(number, os.strerror(number), path)
