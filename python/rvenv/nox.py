"""The backend ``rvenv`` of nox, for a ``noxfile.py``: ``import rvenv.nox``, then ``venv_backend="rvenv"``.

nox has no entry points for backends. It parses its command line before it loads the file, so the backend must be chosen in
the file.
"""

import os
import sys
from pathlib import Path
from typing import Any, Optional

import nox
import nox.command
import nox.virtualenv
from nox.logger import logger

from ._find import find_rvenv_bin


class RvenvEnv(nox.virtualenv.VirtualEnv):
    """nox's own environments, created by the ``rvenv`` program."""

    def __init__(self, location: str, interpreter: Optional[str] = None, **options: Any) -> None:
        # nox accepts no other name, and the environment is equivalent to one of venv.
        super().__init__(location, interpreter, **dict(options, venv_backend="venv"))

    def create(self) -> bool:
        # Files that exclude environments from repositories and backups, if this version of nox writes them.
        for name in ("_ensure_gitignore", "_ensure_cachedir_tag"):
            write = getattr(nox.virtualenv, name, None)
            if write is not None:
                write(Path(self.location).parent)
        if not self._clean_location():
            self._reused = True
            logger.debug("Reusing existing virtual environment at {}.".format(self.location_name))
            return False
        python = self._resolved_interpreter if self.interpreter else sys.executable
        logger.info(
            "Creating virtual environment (rvenv) using {} in {}".format(os.path.basename(python), self.location_name)
        )
        try:
            program = find_rvenv_bin()
        except FileNotFoundError as error:
            logger.error(str(error))
            raise nox.command.CommandFailed(str(error)) from None
        command = [program, "-p", python] + self.venv_params + ["--", self.location]
        nox.command.run(command, silent=True, log=nox.options.verbose or False)
        return True


nox.virtualenv.ALL_VENVS["rvenv"] = RvenvEnv
