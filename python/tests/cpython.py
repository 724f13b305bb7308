"""Runs CPython's own tests of `venv`, if this Python has them, with `rvenv` in its place. Not in an environment."""

import importlib
import sys
import unittest

import rvenv

# `import venv` imports rvenv from now on. The standard module remains the base of rvenv.EnvBuilder.
rvenv.EnvBuilder
sys.modules["venv"] = rvenv

if __name__ == "__main__":
    unittest.main(importlib.import_module("test.test_venv"))
