"""The runner ``rvenv`` of tox: ``runner = rvenv``.

tox imports this by the entry point ``rvenv`` of the group ``tox``. virtualenv, which tox depends on, still finds the
Python and says where things are in the environment; ``rvenv`` creates it, and those that packages are built in.
"""

import os
import subprocess
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Dict, Generator, Tuple

from tox.plugin import impl
from tox.tox_env.errors import Fail
from tox.tox_env.python.virtual_env.api import VirtualEnv
from tox.tox_env.python.virtual_env.package.cmd_builder import VirtualEnvCmdBuilder
from tox.tox_env.python.virtual_env.package.pyproject import Pep517VirtualEnvPackager
from tox.tox_env.python.virtual_env.runner import VirtualEnvRunner

from ._find import find_rvenv_bin

if TYPE_CHECKING:
    from tox.tox_env.package import PackageToxEnv
    from tox.tox_env.register import ToxEnvRegister
    from tox.tox_env.runner import RunToxEnv


class Rvenv(VirtualEnv):
    """Overrides how tox creates environments."""

    def create_python_env(self) -> None:
        try:
            program = find_rvenv_bin()
        except FileNotFoundError as error:
            raise Fail(str(error)) from None
        command = [program, "-p", str(self.creator.interpreter.system_executable)]
        if self.conf["system_site_packages"]:
            command.append("--system-site-packages")
        if self.conf["always_copy"]:
            command.append("--copies")
        if self.conf["download"]:
            command.append("--upgrade-deps")
        # tox runs virtualenv in its own process. The variables for pip and rvenv in `set_env` apply, too.
        own = {name: value for name, value in self.environment_variables.items() if name.startswith(("PIP_", "RVENV_"))}
        run = subprocess.run(
            command + ["--", str(self.env_dir)],
            env=dict(os.environ, **own),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="backslashreplace",
        )
        if run.returncode != 0:
            raise Fail("rvenv ended with status {}: {}".format(run.returncode, run.stdout.strip()))

    def _create_subprocess_session(self, spec: str, env: "Dict[str, str]") -> Any:
        # For a Python that the installed virtualenv does not support, tox determines the paths itself. It would also install
        # an older virtualenv, which is not needed.
        from python_discovery import get_interpreter
        from tox.tox_env.python.virtual_env.subprocess_adapter import SubprocessSession, probe_python

        interpreter = None
        for python in self.conf["base_python"]:
            found = get_interpreter(python, try_first_with=getattr(self.options, "discover", None), env=env)
            if found is not None and found.system_executable is not None:
                interpreter = probe_python(found.system_executable, found.marker_environment)
                if interpreter is not None:
                    break
        return SubprocessSession(self.env_dir, None, env, interpreter)

    def python_cache(self) -> "Dict[str, Any]":
        cache: Dict[str, Any] = super().python_cache()
        for name in ("virtualenv version", "virtualenv_spec"):
            cache.pop(name, None)
        # As tox does for virtualenv: environments are recreated when the version changes.
        cache["rvenv version"] = version("rvenv-cli")
        return cache


class RvenvRunner(Rvenv, VirtualEnvRunner):
    """An environment for running commands."""

    @staticmethod
    def id() -> str:
        return "rvenv"

    @property
    def _package_tox_env_type(self) -> str:
        return RvenvPackager.id()

    @property
    def _external_pkg_tox_env_type(self) -> str:
        return RvenvCmdBuilder.id()


class RvenvPackager(Rvenv, Pep517VirtualEnvPackager):
    """An environment in which a build backend builds a package."""

    @staticmethod
    def id() -> str:
        return "rvenv-pep-517"


class RvenvCmdBuilder(Rvenv, VirtualEnvCmdBuilder):
    """An environment in which commands build a package."""

    @staticmethod
    def id() -> str:
        return "rvenv-cmd-builder"

    def register_run_env(self, run_env: "RunToxEnv") -> "Generator[Tuple[str, str], PackageToxEnv, None]":
        # The environment that reads the metadata of an sdist, whose type is hard-coded in tox.
        requests = super().register_run_env(run_env)
        answer = None
        while True:
            try:
                name, kind = requests.send(answer)
            except StopIteration:
                return
            answer = yield name, RvenvPackager.id() if kind == Pep517VirtualEnvPackager.id() else kind


@impl
def tox_register_tox_env(register: "ToxEnvRegister") -> None:
    """Register the runner and the packaging environments with tox."""
    register.add_run_env(RvenvRunner)
    register.add_package_env(RvenvPackager)
    register.add_package_env(RvenvCmdBuilder)
