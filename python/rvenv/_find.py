"""Finds the ``rvenv`` program of this wheel. Does not search PATH, and does not cache the result."""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterator


def find_rvenv_bin() -> str:
    """Return the path of the ``rvenv`` program that was installed with this package.

    :raises FileNotFoundError: if it is in none of the directories into which pip installs scripts. The message lists them.
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
    """Whether the file is the Python script of another distribution, named `rvenv` on PyPI."""
    try:
        with open(path, "rb") as file:
            return file.read(2) == b"#!"
    except OSError:
        return False


def _script_folders() -> "Iterator[str]":
    """The directories that may contain the program, that of this package first."""
    package = os.path.dirname(os.path.abspath(__file__))
    site_packages = os.path.dirname(package)
    scripts = "Scripts" if os.name == "nt" else "bin"
    if os.path.basename(site_packages) in ("site-packages", "dist-packages"):
        # <prefix>/lib/python3.N/site-packages: installed into this environment, into the base of an environment with
        # --system-site-packages, with --prefix, or with --user.
        above = os.path.dirname(os.path.dirname(site_packages))
        yield os.path.join(above if os.name == "nt" else os.path.dirname(above), scripts)
    # pip install --target creates `bin` next to the packages.
    yield os.path.join(site_packages, scripts)

    import sysconfig

    # The sources of an editable install may be anywhere.
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
