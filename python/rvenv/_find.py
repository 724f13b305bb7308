"""Where the wheel's own ``rvenv`` program is. Remembers nothing, and does not look on PATH."""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterator


def find_rvenv_bin() -> str:
    """Return the path of the ``rvenv`` program that was installed with this package.

    :raises FileNotFoundError: where none of the folders that pip puts scripts in holds it; the message names them all.
    """
    name = "rvenv.exe" if os.name == "nt" else "rvenv"
    searched = []
    for folder in _script_folders():
        path = os.path.join(folder, name)
        if os.path.isfile(path):
            if _is_script(path):
                raise FileNotFoundError(
                    "{} belongs to another project named rvenv: install this one again, with `{} -m pip install "
                    "--force-reinstall rvenv-cli`".format(path, sys.executable or "python")
                )
            return path
        if folder not in searched:
            searched.append(folder)
    raise FileNotFoundError(
        "the program {} is not in {}: install it again, with `{} -m pip install --force-reinstall rvenv-cli`".format(
            name, ", ".join(searched), sys.executable or "python"
        )
    )


def _is_script(path: str) -> bool:
    """Whether another distribution, which PyPI has under the name `rvenv`, has put its Python script in the place."""
    try:
        with open(path, "rb") as file:
            return file.read(2) == b"#!"
    except OSError:
        return False


def _script_folders() -> "Iterator[str]":
    """The folders that may hold the program, the one that belongs to this very package first."""
    package = os.path.dirname(os.path.abspath(__file__))
    site_packages = os.path.dirname(package)
    scripts = "Scripts" if os.name == "nt" else "bin"
    if os.path.basename(site_packages) in ("site-packages", "dist-packages"):
        # <prefix>/lib/python3.N/site-packages: what was installed here, into a base below an environment with
        # --system-site-packages, with --prefix, or for the user.
        above = os.path.dirname(os.path.dirname(site_packages))
        yield os.path.join(above if os.name == "nt" else os.path.dirname(above), scripts)
    # pip install --target puts `bin` beside the packages.
    yield os.path.join(site_packages, scripts)

    import sysconfig

    # An editable install has its sources anywhere.
    yield sysconfig.get_path("scripts")
    if hasattr(sysconfig, "get_preferred_scheme"):
        user = sysconfig.get_preferred_scheme("user")
    elif os.name == "nt":
        user = "nt_user"
    elif sys.platform == "darwin" and getattr(sys, "_framework", ""):
        user = "osx_framework_user"
    else:
        user = "posix_user"
    yield sysconfig.get_path("scripts", scheme=user)
