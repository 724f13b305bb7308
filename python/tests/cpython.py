"""CPython's own tests of `venv`, where this Python has them, with `rvenv` in its place. Not in an environment."""

import importlib
import sys
import unittest

import rvenv

# What `import venv` means from now on; the standard one stays the base of rvenv.EnvBuilder.
rvenv.EnvBuilder
sys.modules["venv"] = rvenv

if __name__ == "__main__":
    unittest.main(importlib.import_module("test.test_venv"))
