"""`python -m rvenv` and `rvenv`."""

import os
import subprocess
import sys
import unittest

import rvenv
from oracle import TestCase, content, made_by_rvenv

#: Another Python than the running one.
OTHER = os.environ.get("RVENV_TEST_OTHER_PYTHON", "")


def run(*command, **variables):
    return subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
        env=dict(os.environ, **variables),
    )


class Command(TestCase):
    def silent(self, *command, **variables):
        result = run(*command, **variables)
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "", ""))

    def test_the_same_as_venv(self):
        for options in ([], ["--without-pip"], ["--copies", "--without-pip", "--prompt", "p", "--system-site-packages"]):
            with self.subTest(options):
                self.same(
                    lambda: self.silent(sys.executable, "-m", "venv", *options, self.env_dir),
                    lambda: self.silent(sys.executable, "-m", "rvenv", *options, self.env_dir),
                )

    def home(self):
        cfg = content(os.path.join(self.env_dir, "pyvenv.cfg")).decode()
        return dict(line.split(" = ", 1) for line in cfg.splitlines())["home"]

    @unittest.skipUnless(OTHER, "RVENV_TEST_OTHER_PYTHON names none")
    def test_the_base_is_this_python_unless_another_is_named(self):
        this = [sys.executable, "-m", "rvenv", "--without-pip", "--clear"]
        # `python -m` already names a Python, so the variable has no effect.
        self.silent(*this, self.env_dir, RVENV_PYTHON=OTHER)
        self.assertNotEqual(self.home(), os.path.dirname(OTHER))
        for option in (["-p", OTHER], ["-p" + OTHER], ["--python", OTHER], ["--pyth=" + OTHER]):
            with self.subTest(option):
                self.silent(*(this + option + [self.env_dir]))
                self.assertEqual(self.home(), os.path.dirname(OTHER))
        self.silent(*(this + ["--prompt=--python", "--", self.env_dir]))
        self.assertNotEqual(self.home(), os.path.dirname(OTHER))

    def test_isolated(self):
        self.silent(sys.executable, "-I", "-m", "rvenv", "--without-pip", self.env_dir)
        self.assertTrue(made_by_rvenv(self.env_dir))

    def test_statuses_and_streams(self):
        for command in ([rvenv.find_rvenv_bin()], [sys.executable, "-m", "rvenv"]):
            with self.subTest(command):
                self.assertEqual(run(*(command + ["--copies", "--symlinks", "x"])).returncode, 2)
                failed = run(*(command + ["--upgrade", "--clear", "x"]))
                self.assertEqual(failed.returncode, 1)
                self.assertEqual(failed.stderr, "Error: you cannot supply --upgrade and --clear together.\n")
                helped = run(*(command + ["--help"]))
                self.assertEqual((helped.returncode, helped.stderr), (0, ""))
                self.assertIn("Usage: rvenv ", helped.stdout)
                self.assertRegex(run(*(command + ["--version"])).stdout, r"^rvenv \d+\.\d+")

    def test_the_standard_venv_is_not_even_imported(self):
        # Imports before the start of the program would cost more time than creating the environment.
        script = "import sys, rvenv.__main__; print(sorted(set(sys.modules) & {'venv', 'subprocess', 'typing'}))"
        if sys.version_info >= (3, 7):
            self.assertEqual(run(sys.executable, "-I", "-c", script).stdout, "[]\n")


if __name__ == "__main__":
    unittest.main()
