"""The backend ``rvenv`` of PDM: ``pdm config venv.backend rvenv``.

PDM imports this by the entry point ``rvenv`` of the group ``pdm``.
"""

from typing import TYPE_CHECKING, Optional, Tuple

from pdm.cli.commands.venv.backends import BACKENDS, VenvBackend, VirtualenvCreateError

from ._find import find_rvenv_bin

if TYPE_CHECKING:
    from pathlib import Path

    from pdm.core import Core


class RvenvBackend(VenvBackend):
    """Runs ``rvenv`` where ``VenvBackend`` runs ``python -m venv``; the options are the same."""

    def perform_create(self, location: "Path", args: "Tuple[str, ...]", prompt: Optional[str] = None) -> None:
        try:
            program = find_rvenv_bin()
        except FileNotFoundError as error:
            raise VirtualenvCreateError(str(error)) from None
        command = [program, "-p", str(self._resolved_interpreter.executable)]
        if prompt:
            command.append("--prompt=" + prompt)
        self.subprocess_call(command + list(args) + ["--", str(location)])


def register(core: "Core") -> None:
    """Register the backend with PDM."""
    BACKENDS["rvenv"] = RvenvBackend
