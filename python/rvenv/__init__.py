"""Python virtual environments in milliseconds: ``import rvenv as venv``.

The names are those of the running Python's own ``venv`` module; ``python -m rvenv`` is the command line.
"""

import sys

from ._find import find_rvenv_bin

# Not imported from typing, which takes longer than creating an environment.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._builder import CreationError, EnvBuilder, create, logger, main

    if sys.version_info >= (3, 9):
        from ._builder import CORE_VENV_DEPS

__all__ = ["CreationError", "EnvBuilder", "create", "find_rvenv_bin", "logger", "main"]
if sys.version_info >= (3, 9):
    __all__ += ["CORE_VENV_DEPS"]

if sys.version_info < (3, 7):
    from venv import *

    from ._builder import CreationError, EnvBuilder, create, logger, main
elif not TYPE_CHECKING:

    def __getattr__(name):
        # PEP 562: `python -m rvenv` imports this file, too, and does not need the standard `venv`.
        if not name.startswith("_"):
            from . import _builder

            # Includes the modules that `venv` imports, so that patching `venv.subprocess` affects the one that hooks use.
            for module in (_builder, _builder.venv):
                if hasattr(module, name):
                    return getattr(module, name)
        raise AttributeError("module {!r} has no attribute {!r}".format(__name__, name))

    def __dir__():
        return sorted(set(globals()) | set(__all__))
