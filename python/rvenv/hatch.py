"""The environment type ``rvenv`` of Hatch: ``type = "rvenv"``.

Hatch imports this by the entry point ``rvenv`` of the group ``hatch``. It is Hatch's own type ``virtual`` with another
way of creation; virtualenv is not imported.
"""

from typing import List, Type

from hatch.env.virtual import VirtualEnvironment
from hatch.venv.core import VirtualEnv
from hatchling.plugin import hookimpl

from ._find import find_rvenv_bin


class WithPip(VirtualEnv):
    """An environment into which Hatch installs with pip, its default installer."""

    options: List[str] = []

    def create(self, python: str, *, allow_system_packages: bool = False) -> None:
        self.directory.ensure_parent_dir_exists()
        command = [find_rvenv_bin(), "-p", str(python)] + self.options
        if allow_system_packages:
            command.append("--system-site-packages")
        if self.verbosity > 0:
            command.append("--verbose")
        self.platform.check_command(command + ["--", str(self.directory)])


class WithoutPip(WithPip):
    """The same for uv, which does not need pip in the environment."""

    options = ["--without-pip"]


class RvenvEnvironment(VirtualEnvironment):
    """An environment that the ``rvenv`` program creates."""

    PLUGIN_NAME = "rvenv"

    @property
    def virtual_env_cls(self) -> Type[VirtualEnv]:
        return WithoutPip if self.use_uv else WithPip

    def check_compatibility(self) -> None:
        super().check_compatibility()
        # Hatch shows the message of an OSError, such as FileNotFoundError.
        find_rvenv_bin()


@hookimpl
def hatch_register_environment() -> Type[RvenvEnvironment]:
    """Register the environment type with Hatch."""
    return RvenvEnvironment
