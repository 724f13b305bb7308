"""``venv``'s own names, with the work done by the ``rvenv`` program.

If a caller overrides a hook that changes how an environment is created, the standard ``venv`` creates it.
"""

import functools
import inspect
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import venv
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterable, List, Optional, Sequence, TextIO, Tuple, TypeVar, Union, cast

from . import _standard
from ._find import find_rvenv_bin

logger = venv.logger
if sys.version_info >= (3, 9):
    CORE_VENV_DEPS = venv.CORE_VENV_DEPS

_F = TypeVar("_F", bound=Callable[..., Any])
_Path = Union[str, "os.PathLike[str]"]
_HOOKS = _standard.hooks(venv.EnvBuilder)
#: Options whose result is printed to stdout, for the caller.
_ANSWERS = ("--check", "--completions", "--json", "--list-pythons", "--man", "--prune-cache")
#: The API's equivalents of options that hints mention.
_INSTEAD = {
    "--without-pip": "with_pip=False",
    "--copies": "symlinks=False",
    "--find-links": "RVENV_FIND_LINKS",
    "--cache-dir": "RVENV_CACHE_DIR",
}
_OPTION = re.compile(r"(?<![\w-])--?[a-z][\w-]*")


class CreationError(subprocess.CalledProcessError, ValueError):
    """An environment could not be created; nothing is left behind.

    It is an instance of both exceptions that the standard ``venv`` raises: ``ValueError``, and ``CalledProcessError`` if pip
    could not be installed. Errors of the operating system are ``OSError``, as there, with this exception as ``__cause__``.
    """

    #: The kind of the error in the output of ``rvenv --json``; None if it is unknown.
    kind: Optional[str] = None
    #: The error number of the operating system.
    errno: Optional[int] = None
    #: The file, directory or program that the error is about.
    filename: Optional[str] = None
    #: How to solve the problem.
    hint: Optional[str] = None

    def __str__(self) -> str:
        return str(self.stderr)


class EnvBuilder(venv.EnvBuilder):
    """The running Python's ``venv.EnvBuilder``, with its signature, defaults and hooks, and keywords of its own.

    :meth:`create` is done by the ``rvenv`` program, unless a subclass, the instance or a patched ``venv`` overrides a
    hook, or asks for what ``python -m venv`` has no option for: then by the standard ``venv``. A new environment whose
    only overridden hook is `post_setup` is made by the program, too; if the hook raises it is taken back.

    :param python: the base Python, as ``rvenv --python`` takes it; by default the running one.
    :param requirements: requirements files that are installed.
    :param packages: requirements that are installed.
    :param relocatable: make an environment that can be moved.
    :param reuse: which requirements come from the cache: "hashed", "always" or "never", as ``rvenv --reuse``.
    """

    _rvenv_python: Optional[str]
    _rvenv_options: List[str]

    if TYPE_CHECKING:

        def __init__(
            self,
            system_site_packages: bool = False,
            clear: bool = False,
            symlinks: bool = False,
            upgrade: bool = False,
            with_pip: bool = False,
            prompt: "Optional[str]" = None,
            upgrade_deps: bool = False,
            *,
            scm_ignore_files: "Iterable[str]" = (),
            python: "Optional[_Path]" = None,
            requirements: "Sequence[_Path]" = (),
            packages: "Sequence[str]" = (),
            relocatable: bool = False,
            reuse: "Optional[str]" = None,
        ) -> None: ...

    else:

        def __init__(self, *args, python=None, requirements=(), packages=(), relocatable=False, reuse=None, **kwargs):
            super().__init__(*args, **kwargs)
            self._rvenv_python = None if python is None else os.fspath(python)
            self._rvenv_options = ["--requirements=" + os.path.abspath(file) for file in requirements]
            self._rvenv_options += ["--with=" + package for package in packages]
            self._rvenv_options += ["--relocatable"] * relocatable
            self._rvenv_options += [] if reuse is None else ["--reuse=" + reuse]

    def create(self, env_dir: Any) -> None:
        """Create a virtual environment in a directory. If this fails the directory is not changed.

        :param env_dir: the directory, as ``str`` or ``os.PathLike``.
        :raises CreationError: if the environment cannot be created.
        :raises OSError: where the operating system refuses.
        :raises ValueError: where an overridden hook needs the standard ``venv``, which knows no keyword of rvenv's.
        """
        options, hook = self._options(env_dir)
        if options is None:
            if self._rvenv_python is not None or self._rvenv_options:
                raise ValueError(
                    "python, requirements, packages, relocatable and reuse cannot be combined with overridden hooks and fields "
                    "that python -m venv has no option for"
                )
            create = super().create
            # If `rvenv-shim` has replaced it, use the original of the standard library.
            standard = getattr(create, "_rvenv_standard", None)
            if standard is None:
                create(env_dir)
            else:
                standard(self, env_dir)
            return
        path = os.path.abspath(env_dir)
        python = self._rvenv_python or sys.executable
        run = _Run(["--json", "--python=" + python] + options + self._rvenv_options + ["--", path])
        run.raise_errors(_hint_for_callers)
        if run.status != 0:
            raise run.failed()
        run.log_warnings()
        if hook:
            try:
                self.post_setup(_standard.context(self, path))
            except BaseException:
                shutil.rmtree(path)
                raise

    def _options(self, env_dir: Any) -> "Tuple[Optional[List[str]], bool]":
        """The options for the program, or None to use the standard `venv`; and whether `post_setup` is called afterwards."""
        overridden = _standard.overridden(self, _HOOKS)
        if not (self._rvenv_python or sys.executable) or not isinstance(os.fspath(env_dir), str):
            return None, False
        if overridden == ["post_setup"]:
            fields = vars(self)
            # The hook expects the context of the running Python and runs before these. An existing environment is not restored if
            # it fails.
            later = fields["system_site_packages"] or fields.get("upgrade_deps") or self._rvenv_python
            if later or fields["upgrade"] or os.path.lexists(env_dir):
                return None, False
        elif overridden:
            return None, False
        return _standard.options(vars(self)), bool(overridden)


#: Keyword arguments that the standard `venv` does not have.
_OWN = [
    parameter
    for parameter in inspect.signature(EnvBuilder.__init__).parameters.values()
    if parameter.kind is inspect.Parameter.KEYWORD_ONLY
]


def _signature(standard: "Callable[..., Any]") -> inspect.Signature:
    """The signature of the running Python's version, with the keyword arguments of rvenv at the end."""
    signature = inspect.signature(standard)
    return signature.replace(parameters=list(signature.parameters.values()) + _OWN)


def _like(standard: _F) -> "Callable[[Callable[..., Any]], _F]":
    """Gives a function the signature and the types of the running Python's `venv`."""

    def decorate(own: "Callable[..., Any]") -> _F:
        assigned = ("__annotations__", "__type_params__")
        return cast(_F, functools.wraps(standard, assigned=assigned)(own))

    return decorate


if TYPE_CHECKING:

    def create(
        env_dir: "_Path",
        system_site_packages: bool = False,
        clear: bool = False,
        symlinks: bool = False,
        with_pip: bool = False,
        prompt: "Optional[str]" = None,
        upgrade_deps: bool = False,
        *,
        scm_ignore_files: "Iterable[str]" = (),
        python: "Optional[_Path]" = None,
        requirements: "Sequence[_Path]" = (),
        packages: "Sequence[str]" = (),
        relocatable: bool = False,
        reuse: "Optional[str]" = None,
    ) -> None: ...

else:

    def create(*args, **kwargs):
        """Create a virtual environment in a directory: ``EnvBuilder(...).create(env_dir)``."""
        own = {parameter.name: kwargs.pop(parameter.name) for parameter in _OWN if parameter.name in kwargs}
        given = inspect.signature(venv.create).bind(*args, **kwargs).arguments
        env_dir = given.pop("env_dir")
        EnvBuilder(**given, **own).create(env_dir)

    create.__signature__ = _signature(venv.create)
    EnvBuilder.__init__.__signature__ = _signature(venv.EnvBuilder.__init__)


@_like(venv.main)
def main(args: Optional[Sequence[str]] = None) -> None:
    """The command line as a function: like ``python -m rvenv`` with these arguments.

    :raises SystemExit: for usage errors, ``--help`` and ``--version``, as argparse does; with status 1 if ``--check`` finds a
        problem.
    """
    arguments = list(sys.argv[1:] if args is None else args)
    own = not any(_asks_for_an_answer(argument) for argument in arguments)
    # The output of the program is shown while it runs.
    run = _Run(["--json"] * own + arguments, dict(os.environ, RVENV_PYTHON=sys.executable), sys.stderr)
    if not own or run.results is None:
        sys.stdout.write(run.stdout)
    run.raise_errors(lambda error: cast("Optional[str]", error["hint"]))
    if run.results is None and own and run.status not in (0, 2):
        raise run.failed()
    if run.status != 0:
        raise SystemExit(run.status)
    if run.results is None and own:
        # --help or --version.
        raise SystemExit(0)


def _asks_for_an_answer(argument: str) -> bool:
    """Whether the argument may be one of `_ANSWERS`, which may be abbreviated."""
    name = argument.split("=", 1)[0]
    return len(name) > 2 and any(option.startswith(name) for option in _ANSWERS)


class _Run:
    """A completed run of the program."""

    def __init__(
        self,
        arguments: "List[str]",
        environment: "Optional[Dict[str, str]]" = None,
        shown: Optional[TextIO] = None,
    ) -> None:
        self.command = [find_rvenv_bin()] + arguments
        lines: "List[str]" = []

        def read() -> None:
            for line in cast(TextIO, process.stderr):
                lines.append(line)
                if shown is not None:
                    shown.write(line)

        with subprocess.Popen(
            self.command,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="backslashreplace",
        ) as process:
            reader = threading.Thread(target=read)
            reader.start()
            try:
                self.stdout = cast(TextIO, process.stdout).read()
                process.wait()
            except BaseException:
                # When it is interrupted the program cleans up; when it is killed the next run does.
                if os.name != "nt":
                    process.send_signal(signal.SIGINT)
                process.wait()
                raise
            finally:
                reader.join()
        self.stderr = "".join(lines)
        self.status = process.returncode
        if self.status == -signal.SIGINT:
            raise KeyboardInterrupt
        #: The results in the JSON document; None if something else was printed.
        self.results: "Optional[List[Dict[str, Any]]]" = None
        try:
            self.results = json.loads(self.stdout)["results"]
        except ValueError:
            pass

    def log_warnings(self) -> None:
        for line in self.stderr.splitlines():
            logger.warning("%s", line)

    def raise_errors(self, hint: "Callable[[Dict[str, Any]], Optional[str]]") -> None:
        """Raises the exception that `venv` would raise for the first error, with the messages of all of them."""
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
        """The error if the program printed no JSON document."""
        message = self.stderr.strip() or "rvenv ended with status {}".format(self.status)
        return CreationError(self.status, self.command, stderr=message)


def _hint_for_callers(error: "Dict[str, Any]") -> "Optional[str]":
    """The hint without suggestions of command-line options that the API does not have."""
    if error["hint"] is None or error["kind"] in ("python_not_found", "request", "unusable_python"):
        return None
    hint = _OPTION.sub(lambda option: _INSTEAD.get(option.group(), option.group()), error["hint"])
    # Text in backticks is another command.
    ways = (way for way in hint.split(", or ") if not _OPTION.search(re.sub("`[^`]*`", "", way)))
    return ", or ".join(ways) or None


def _refusal(number: int, path: "Optional[str]") -> OSError:
    """The `OSError` with this number, of the subclass that Python uses for it."""
    if sys.platform == "win32":
        import ctypes

        return OSError(None, ctypes.FormatError(number).strip(), path, number)
    return OSError(number, os.strerror(number), path)
