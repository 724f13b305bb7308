"""``python -m rvenv``: the ``rvenv`` command, with this Python as the base, like ``python -m venv``."""

import os
import sys

from ._find import find_rvenv_bin


def _run() -> int:
    try:
        program = find_rvenv_bin()
    except FileNotFoundError as error:
        print("Error: {}".format(error), file=sys.stderr)
        return 1
    arguments = ["rvenv"] + sys.argv[1:]
    # A variable, because -p and --python take precedence over it, in every spelling.
    environment = dict(os.environ, RVENV_PYTHON=sys.executable or "")
    try:
        if os.name != "nt":
            os.execve(program, arguments, environment)
        return _wait(program, arguments, environment)
    except OSError as error:
        print("Error: {} cannot be run: {}".format(program, error.strerror), file=sys.stderr)
        return 1


def _wait(program: str, arguments: "list[str]", environment: "dict[str, str]") -> int:
    """Runs the program as a child, because `exec` on Windows does not wait for it."""
    import subprocess

    with subprocess.Popen(arguments, executable=program, env=environment) as process:
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                # The program was interrupted, too. It cleans up, and its exit status says how it ended.
                continue


if __name__ == "__main__":
    sys.exit(_run())
