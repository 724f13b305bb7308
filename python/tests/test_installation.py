"""`python -m rvenv` finds its own program in each layout that pip may install the wheel in."""

import os
import shutil
import subprocess
import sys
import sysconfig
import unittest

from oracle import BIN, TestCase, made_by_rvenv

WHEEL = os.environ.get("RVENV_TEST_WHEEL", "")


@unittest.skipUnless(WHEEL, "RVENV_TEST_WHEEL names none")
class Installation(TestCase):
    def setUp(self):
        super().setUp()
        self.python = os.path.join(self.folder, "bare", BIN, os.path.basename(sys.executable))
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", os.path.join(self.folder, "bare")], check=True)

    def install(self, *options, **variables):
        # This environment's pip installs for a Python without pip, which does not see the packages of this one.
        subprocess.run(
            [sys.executable, "-m", "pip", "-q", "install", "--no-index", "--ignore-installed", *options, WHEEL],
            env=dict(os.environ, PIP_DISABLE_PIP_VERSION_CHECK="1", **variables),
            check=True,
        )

    def works(self, python, **variables):
        """Asserts that `python -m rvenv` uses the program in our directory."""
        environment = dict(os.environ, **variables)
        script = "import rvenv; print(rvenv.find_rvenv_bin())"
        found = subprocess.check_output([python, "-c", script], env=environment, universal_newlines=True).strip()
        self.assertTrue(found.startswith(self.folder + os.sep), found)
        subprocess.run([python, "-m", "rvenv", "--without-pip", self.env_dir], env=environment, check=True)
        self.assertTrue(made_by_rvenv(self.env_dir))
        return found

    def test_target(self):
        target = os.path.join(self.folder, "target")
        self.install("--target", target)
        found = self.works(self.python, PYTHONPATH=target)
        self.assertEqual(os.path.dirname(found), os.path.join(target, "bin"))

    def test_prefix(self):
        prefix = os.path.join(self.folder, "prefix")
        self.install("--prefix", prefix)
        packages = sysconfig.get_path("purelib", vars={"base": prefix, "platbase": prefix})
        found = self.works(self.python, PYTHONPATH=packages)
        self.assertEqual(os.path.dirname(found), os.path.join(prefix, BIN))

    def test_user(self):
        base = getattr(sys, "_base_executable", None) or sys.executable
        if sys.version_info < (3, 11):
            # An environment's Python does not record its base there.
            base = os.path.join(sys.base_prefix, BIN, "python{}.{}".format(*sys.version_info))
        if not os.path.exists(base) or os.path.exists(sysconfig.get_path("stdlib") + "/EXTERNALLY-MANAGED"):
            self.skipTest("pip installs nothing for users of " + base)
        user = dict(PYTHONUSERBASE=os.path.join(self.folder, "user"), PIP_NO_INDEX="1", PIP_NO_WARN_SCRIPT_LOCATION="1")
        subprocess.run(
            [base, "-m", "pip", "-q", "install", "--user", "--ignore-installed", WHEEL],
            env=dict(os.environ, **user),
            check=True,
        )
        self.works(base, **user)

    def test_a_base_below_an_environment(self):
        inner = os.path.join(self.folder, "inner")
        outer = os.path.join(self.folder, "bare")
        packages = subprocess.check_output(
            [self.python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], universal_newlines=True
        ).strip()
        self.install("--prefix", outer)
        self.assertTrue(os.path.exists(os.path.join(packages, "rvenv")))
        subprocess.run([self.python, "-m", "venv", "--without-pip", inner], check=True)
        self.works(os.path.join(inner, BIN, os.path.basename(self.python)), PYTHONPATH=packages)

    def test_a_program_that_is_gone(self):
        target = os.path.join(self.folder, "target")
        self.install("--target", target)
        shutil.rmtree(os.path.join(target, "bin"))
        result = subprocess.run(
            [self.python, "-m", "rvenv", self.env_dir],
            env=dict(os.environ, PYTHONPATH=target, PATH=os.path.dirname(sys.executable)),
            stderr=subprocess.PIPE,
            universal_newlines=True,
        )
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stderr, r"^Error: the program rvenv(\.exe)? is not in .*pip install --force-reinstall")
        self.assertIn(os.path.join(target, BIN), result.stderr)
        self.assertFalse(os.path.exists(self.env_dir))


if __name__ == "__main__":
    unittest.main()
