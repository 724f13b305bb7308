"""The standard `venv` as the oracle: reads a directory tree into a dictionary that can be compared."""

import os
import re
import shutil
import stat
import tempfile
import unittest

BIN = "Scripts" if os.name == "nt" else "bin"
ACTIVATION = re.compile(r"(?i)(de)?activate(_this)?(\.\w+)?")


def tree(root):
    """Every entry below `root`: type, mode, link target and contents. Contents of activation scripts are left out."""
    entries = {}
    for folder, folders, files in os.walk(root):
        for name in folders + files:
            path = os.path.join(folder, name)
            inner = os.path.relpath(path, root)
            if os.path.dirname(inner) == BIN and ACTIVATION.fullmatch(name):
                continue
            mode = os.lstat(path).st_mode
            if stat.S_ISLNK(mode):
                entries[inner] = ("link", os.readlink(path))
            elif stat.S_ISDIR(mode):
                entries[inner] = ("folder", oct(mode))
            else:
                entries[inner] = ("file", oct(mode), content(path))
    return entries


def content(path):
    """The bytes without those that depend on the time of writing."""
    with open(path, "rb") as file:
        data = file.read()
    if path.endswith(".pyc"):
        # Marshalling the same code again results in other bytes; tests/it compares code objects.
        return b""
    if os.path.basename(path) == "pyvenv.cfg":
        return re.sub(rb"^(rvenv|version_info|python-version) = .*\r?\n", b"", data, flags=re.M)
    return data


def made_by_rvenv(env_dir):
    with open(os.path.join(env_dir, "pyvenv.cfg"), encoding="utf-8") as file:
        return any(line.startswith("rvenv = ") for line in file)


class TestCase(unittest.TestCase):
    """A test with its own directory, in which `env_dir` does not exist yet."""

    def setUp(self):
        self.folder = os.path.realpath(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        self.env_dir = os.path.join(self.folder, "env")

    def same(self, standard, own):
        """Runs both at the same empty path, and compares the results."""
        shutil.rmtree(self.env_dir, ignore_errors=True)
        standard()
        expected = tree(self.env_dir)
        self.assertFalse(made_by_rvenv(self.env_dir))
        shutil.rmtree(self.env_dir)
        own()
        self.assertTrue(made_by_rvenv(self.env_dir))
        made = tree(self.env_dir)
        self.assertEqual(sorted(made), sorted(expected))
        for name, entry in made.items():
            if entry != expected[name]:
                # A full diff of files would have many lines and take minutes.
                self.fail("{}: {:.300} is not {:.300}".format(name, repr(entry), repr(expected[name])))
