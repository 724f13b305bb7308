"""Uses of the API that `mypy --strict` must accept. The tests run it with a directory as the argument."""

import pathlib
import sys
from types import SimpleNamespace

import rvenv as venv


class Builder(venv.EnvBuilder):
    def post_setup(self, context: SimpleNamespace) -> None:
        print(context.env_exe)


folder = pathlib.Path(sys.argv[1])
venv.create(folder / "a", with_pip=False, prompt="a")
venv.EnvBuilder(symlinks=True, relocatable=True, reuse="never").create(str(folder / "b"))
Builder(clear=True).create(folder / "c")
try:
    venv.main(["--upgrade", "--clear", str(folder)])
except venv.CreationError as error:
    code: int = error.returncode
program: str = venv.find_rvenv_bin()
venv.logger.debug("%s %d", program, code)
venv.create(folder, no_such_option=True)  # type: ignore[call-arg]
