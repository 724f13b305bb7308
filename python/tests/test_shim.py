"""`python -m venv` of this Python, in which rvenv-shim is installed: a base or an environment."""

import contextlib
import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
import unittest
import zipfile

from oracle import ACTIVATION, BIN, TestCase, made_by_rvenv, tree

WHEELS = [os.environ.get(name, "") for name in ("RVENV_TEST_WHEEL", "RVENV_TEST_SHIM_WHEEL")]
INSTALLED = importlib.util.find_spec("_rvenv_shim") is not None
PACKAGES = sysconfig.get_path("purelib")
PROGRAM = os.path.join(sysconfig.get_path("scripts"), "rvenv" + (".exe" if os.name == "nt" else ""))
if INSTALLED:
    # Debian has a folder of its own for what pip installs.
    PACKAGES = os.path.dirname(importlib.util.find_spec("_rvenv_shim").origin)
IN_ENVIRONMENT = sys.prefix != sys.base_prefix
#: `venv` with an ensurepip that says that it was called, which takes no seconds: CPython's own venv calls it.
CPYTHON = "the venv of CPython\n"
MAIN = """
import subprocess, sys, venv

def ensurepip(command, **options):
    assert "ensurepip" in command
    print({!r}, end="")
subprocess.check_output = subprocess.check_call = ensurepip
""".format(CPYTHON)
#: As `python -m venv` ends.
CALL = (
    MAIN
    + """
try:
    venv.main(sys.argv[1:])
except Exception as error:
    print("Error:", type(error), error, file=sys.stderr)
    sys.exit(1)
"""
)


class ShimTestCase(TestCase):
    def run_python(self, *arguments, python=sys.executable, cwd=None, **variables):
        """The exit status, and the output to stdout and stderr."""
        result = subprocess.run(
            [python] + list(arguments),
            cwd=cwd,
            env=dict(os.environ, **variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            universal_newlines=True,
        )
        return result.returncode, result.stdout, result.stderr

    def output(self, *arguments, **options):
        status, out, err = self.run_python(*arguments, **options)
        self.assertEqual((status, err), (0, ""))
        return out

    def venv(self, *arguments, **options):
        self.assertEqual(self.output("-m", "venv", *arguments, **options), "")

    def main(self, *arguments, before=(), **options):
        """`venv.main` with an ensurepip that installs nothing."""
        return self.run_python(*(list(before) + ["-c", CALL] + list(arguments)), **options)

    def cpython_makes_it(self, *arguments, **options):
        shutil.rmtree(self.env_dir, ignore_errors=True)
        self.assertEqual(self.main(*(arguments or [self.env_dir]), **options), (0, CPYTHON, ""))
        self.assertFalse(made_by_rvenv(self.env_dir))

    def rvenv_makes_it(self, *arguments, **options):
        shutil.rmtree(self.env_dir, ignore_errors=True)
        self.assertEqual(self.main(*(arguments or [self.env_dir]), **options), (0, "", ""))
        self.assertTrue(made_by_rvenv(self.env_dir))

    def both(self, *arguments, **options):
        """The output and the files of CPython's `create`, and those of the shim's, at the same path."""
        left = []
        for value in ("0", ""):
            self.prepare()
            left.append(self.main(*arguments, RVENV_SHIM=value, **options) + (self.entries(),))
        return left

    def prepare(self):
        """Prepares the directory before each run. Tests override it."""
        shutil.rmtree(self.folder)
        os.mkdir(self.folder)

    def entries(self):
        """The resulting files without pip, which only one of the two installs."""
        made = {}
        for name, entry in tree(self.folder).items():
            parts = name.split(os.sep)
            is_program = len(parts) > 1 and parts[-2] == BIN
            if is_program and (ACTIVATION.fullmatch(parts[-1]) or parts[-1].startswith(("pip", "easy_install", "wheel"))):
                continue
            if "site-packages" not in parts[:-1]:
                made[name] = entry
        return made

    def the_same(self, *arguments, **options):
        """Asserts that rvenv creates what CPython creates."""
        with self.subTest(arguments):
            standard, own = self.both(*arguments, **options)
            number = standard[1].count(CPYTHON)
            self.assertEqual((standard[0], standard[1], standard[2]), (0, CPYTHON * number, ""))
            self.assertGreater(number, 0)
            self.assertEqual(own[:3], (0, "", ""))
            self.assertEqual(sorted(own[3]), sorted(standard[3]))
            for name, entry in own[3].items():
                self.assertEqual(entry, standard[3][name], name)

    def left_to_cpython(self, *arguments, **options):
        """Asserts that CPython creates it, with the same output and exit status."""
        standard, own = self.both(*arguments, **options)
        with self.subTest(arguments):
            self.assertEqual(own[:3], standard[:3])
            self.assertEqual(own[3], standard[3])
        return own

    @contextlib.contextmanager
    def moved_away(self, *paths):
        """Restores the installed packages afterwards."""
        saved = [path + ".saved" for path in paths]
        for path, away in zip(paths, saved):
            os.rename(path, away)
        try:
            yield
        finally:
            for path, away in zip(paths, saved):
                if os.path.isdir(path):
                    shutil.rmtree(path)
                os.replace(away, path)

    @contextlib.contextmanager
    def replaced(self, path, data, mode=None):
        with self.moved_away(path):
            if isinstance(data, bytes):
                with open(path, "wb") as file:
                    file.write(data)
            else:
                shutil.copyfile(data[0], path)
            if mode is not None:
                os.chmod(path, mode)
            yield


@unittest.skipUnless(INSTALLED, "rvenv-shim is not installed")
class Command(ShimTestCase):
    def test_python_m_venv_makes_the_same_with_its_pip(self):
        self.same(lambda: self.venv(self.env_dir, RVENV_SHIM="0"), lambda: self.venv(self.env_dir))

    def test_options_and_prompts(self):
        for arguments in (
            ["--copies"],
            ["--symlinks"],
            ["--clear"],
            ["--system-site-packages"],
            ["--copies", "--clear", "--system-site-packages", "--prompt", "it's a prompt"],
            ["--prompt="],
            ["--prompt=."],
            ["--prompt=\u00e9"],
            ["--prompt=-x"],
        ):
            self.the_same(*(arguments + [self.env_dir]))
        if sys.version_info >= (3, 13):
            self.the_same("--without-scm-ignore-files", self.env_dir)

    def test_directories(self):
        for name in ("env", "a/b/env", "with a space", "\u00e9", "-x", "env/", "./env/../other", "."):
            self.the_same("--", name, cwd=self.folder)
        self.the_same("one", os.path.join(self.folder, "two"), cwd=self.folder)

    def prepare(self):
        super().prepare()
        for name in self.there:
            path = os.path.join(self.folder, name)
            if name.endswith("/"):
                os.makedirs(path)
            elif "->" in name:
                os.symlink(name.split("->")[1], path.split("->")[0])
            else:
                open(path, "w").close()

    there = ()

    def test_what_is_there_already(self):
        self.there = ("env/", "env/mine")
        self.the_same("env", cwd=self.folder)
        self.there = ("real/", "env->real")
        self.left_to_cpython("env", cwd=self.folder)

    def test_a_directory_that_is_no_environment_is_cleared_by_cpython(self):
        self.there = ("env/", "env/mine")
        own = self.left_to_cpython("--clear", "env", cwd=self.folder)
        self.assertEqual(own[:3], (0, CPYTHON, ""))
        self.assertNotIn(os.path.join("env", "mine"), own[3])
        self.there = ("real/", "real/mine", "env->real")
        self.left_to_cpython("--clear", "env", cwd=self.folder)

    def test_messages_and_statuses_are_those_of_cpython(self):
        for self.there, arguments in (
            (["env"], ["env"]),
            (["file"], ["file/env"]),
            ([], ["env:x"] if sys.version_info >= (3, 11) else []),
            ([], ["--upgrade", "--clear", "env"]),
            ([], ["--no-such-option", "env"]),
            ([], ["--copies", "--symlinks", "env"]),
            ([], []),
            ([], ["x" * 300]),
        ):
            own = self.left_to_cpython(*arguments, cwd=self.folder)
            self.assertNotEqual(own[0] == 0 and own[1] != CPYTHON, True)
        self.assertEqual(self.run_python("-m", "venv", "--help"), self.run_python("-m", "venv", "--help", RVENV_SHIM="0"))

    def test_without_pip_there_is_nothing_to_win(self):
        self.assertEqual(self.main("--without-pip", self.env_dir), (0, "", ""))
        self.assertFalse(made_by_rvenv(self.env_dir))

    def test_a_second_run_and_an_upgrade_keep_what_is_there(self):
        mine = os.path.join(self.env_dir, "mine")
        self.venv(self.env_dir)
        for arguments in ([], ["--upgrade"]):
            open(mine, "w").close()
            self.venv(self.env_dir, *arguments)
            self.assertTrue(made_by_rvenv(self.env_dir))
            self.assertTrue(os.path.exists(mine))
        self.venv("--clear", self.env_dir)
        self.assertTrue(made_by_rvenv(self.env_dir))
        self.assertFalse(os.path.exists(mine))
        # The context for the hooks is created after it.
        self.output("-c", "import sys, venv; " + POST_SETUP + "Builder(with_pip=True, clear=True).create(sys.argv[1])", self.env_dir)
        self.assertTrue(os.path.exists(os.path.join(self.env_dir, BIN, "pip")))

    @unittest.skipUnless(sys.version_info >= (3, 9), "new in 3.9")
    def test_pip_is_upgraded_by_cpython_itself(self):
        log = os.path.join(self.folder, "log")
        said = []
        for value in ("0", ""):
            shutil.rmtree(self.env_dir, ignore_errors=True)
            # Without an index pip reports the installed packages.
            variables = dict(RVENV_SHIM=value, PIP_NO_INDEX="1", PIP_LOG=log)
            said.append(self.output("-m", "venv", "--upgrade-deps", self.env_dir, **variables))
            with open(os.path.join(self.env_dir, "pyvenv.cfg")) as file:
                said.append([line for line in file if line.startswith("command = ")])
            with open(log) as file:
                self.assertIn(" already ", file.read())
            os.remove(log)
        self.assertTrue(made_by_rvenv(self.env_dir))
        self.assertEqual(said[:2], said[2:])


POST_SETUP = """
class Builder(venv.EnvBuilder):
    def post_setup(self, context):
        pass
"""


@unittest.skipUnless(INSTALLED, "rvenv-shim is not installed")
class Ways(ShimTestCase):
    def test_modes_of_the_interpreter(self):
        for option in ("-I", "-E", "-s", "-B", "-O", "-OO"):
            with self.subTest(option):
                self.rvenv_makes_it(before=[option])

    def test_without_site_it_is_off(self):
        self.cpython_makes_it(before=["-S"])

    def test_it_can_be_turned_off(self):
        self.cpython_makes_it(RVENV_SHIM="0")
        script = "import os, venv; os.environ['RVENV_SHIM'] = '0'" + CALL
        self.assertEqual(self.run_python("-c", script, self.env_dir), (0, CPYTHON, ""))

    @unittest.skipIf(os.name == "nt", "symlinks need a privilege")
    def test_a_symlink_to_the_python(self):
        if IN_ENVIRONMENT and sys.version_info < (3, 11):
            self.skipTest("a link to an environment's Python is the base's there")
        with self.temporary() as folder:
            link = os.path.join(folder, "python3")
            os.symlink(os.path.realpath(sys.executable), link)
            if self.run_python("-c", "import _rvenv_shim", python=link)[0] != 0:
                self.skipTest("the shim is not in the base")
            self.the_same(self.env_dir, python=link)

    @contextlib.contextmanager
    def temporary(self):
        """A directory that is kept while environments are recreated."""
        import tempfile

        folder = tempfile.mkdtemp()
        try:
            yield folder
        finally:
            shutil.rmtree(folder)

    @unittest.skipIf(os.name == "nt", "a script of sh")
    def test_a_wrapper_script(self):
        with self.temporary() as folder:
            wrapper = os.path.join(folder, "python")
            with open(wrapper, "w") as file:
                file.write('#!/bin/sh\nexec "{}" "$@"\n'.format(sys.executable))
            os.chmod(wrapper, 0o755)
            self.the_same(self.env_dir, python=wrapper)

    @unittest.skipUnless(sys.platform.startswith("linux") and sys.version_info >= (3, 11), "`._pth` is for Windows there")
    @unittest.skipUnless(sys.implementation.name == "cpython", "`._pth` is CPython's")
    def test_a_pth_file_beside_the_interpreter(self):
        if IN_ENVIRONMENT:
            self.skipTest("a copy in another folder is no environment's")
        with self.temporary() as folder:
            python = os.path.join(folder, "python")
            stdlib = os.path.relpath(os.path.dirname(os.__file__), sys.prefix)
            shutil.copy(os.path.realpath(sys.executable), python)
            # The directory of the executable is the prefix, and the shim must be below it.
            for name in ("bin", "lib"):
                os.symlink(os.path.join(sys.prefix, name), os.path.join(folder, name))
            with open(python + "._pth", "w") as file:
                file.write("\n".join([stdlib, os.path.join(stdlib, "lib-dynload"), "import site", ""]))
            if self.run_python("-c", "import _rvenv_shim", python=python)[0] != 0:
                self.skipTest("the shim is not below the prefix")
            self.output("-c", "import sys; assert sys.flags.isolated", python=python)
            self.the_same(self.env_dir, python=python)

    def test_a_zipapp(self):
        with self.temporary() as folder:
            app = os.path.join(folder, "app.pyz")
            with zipfile.ZipFile(app, "w") as archive:
                archive.writestr("__main__.py", CALL)
            self.assertEqual(self.run_python(app, self.env_dir), (0, "", ""))
        self.assertTrue(made_by_rvenv(self.env_dir))

    def test_six_threads_at_once(self):
        script = """
import sys, threading

def make(env_dir):
    import venv

    venv.create(env_dir, with_pip=True, symlinks=True)

threads = [threading.Thread(target=make, args=(sys.argv[1] + str(number),)) for number in range(6)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""
        self.assertEqual(self.output("-c", script, self.env_dir), "")
        for number in range(6):
            self.assertTrue(made_by_rvenv(self.env_dir + str(number)))
            self.output("-I", "-m", "pip", "--version", python=os.path.join(self.env_dir + str(number), BIN, "python"))

    def test_a_subinterpreter(self):
        script = """
import sys
try:
    from _testcapi import run_in_subinterp
except ImportError:
    sys.exit(3)
run_in_subinterp("import venv; venv.create({!r}, with_pip=True, symlinks=True)")
""".format(self.env_dir)
        status, out, err = self.run_python("-c", script)
        if status == 3:
            self.skipTest("this Python has no _testcapi")
        self.assertEqual((status, out, err), (0, "", ""))
        self.assertTrue(made_by_rvenv(self.env_dir))

    @unittest.skipUnless(sys.platform.startswith("linux") and shutil.which("cc"), "no C compiler")
    def test_an_embedded_python_is_not_taken_for_another(self):
        variables = sysconfig.get_config_vars()
        include, library = sysconfig.get_path("include"), variables.get("LIBDIR") or ""
        name = "libpython" + (variables.get("LDVERSION") or "") + ".so"
        if not os.path.exists(os.path.join(include, "Python.h")) or not os.path.exists(os.path.join(library, name)):
            self.skipTest("this Python has no headers or shared library")
        with self.temporary() as folder:
            source, program = os.path.join(folder, "embed.c"), os.path.join(folder, "embed")
            with open(source, "w") as file:
                file.write(
                    "#include <Python.h>\n"
                    "int main(int argc, char **argv) {\n"
                    "  Py_Initialize();\n"
                    "  return PyRun_SimpleString(argv[1]) != 0;\n"
                    "}\n"
                )
            command = ["cc", "-I" + include, "-o", program, source, "-L" + library, "-Wl,-rpath," + library]
            subprocess.check_call(command + ["-lpython" + variables["LDVERSION"]])
            script = CALL.replace("sys.argv[1:]", repr([self.env_dir]))
            said = []
            for value in ("0", ""):
                shutil.rmtree(self.env_dir, ignore_errors=True)
                # Its `sys.executable` is another Python.
                said.append(
                    self.run_python(script, python=program, RVENV_SHIM=value, PATH="/usr/bin:/bin", PYTHONHOME=sys.base_prefix)
                    + (tree(self.folder),)
                )
            self.assertEqual(said[0], said[1])


@unittest.skipUnless(INSTALLED, "rvenv-shim is not installed")
class Api(ShimTestCase):
    def test_only_an_overridden_post_setup_goes_the_fast_way(self):
        script = MAIN + """
called = []
class Builder(venv.EnvBuilder):
    def __init__(self, *arguments, **keywords):
        self.mine = 3
        super().__init__(*arguments, **keywords)

    def {0}(self, *arguments, **keywords):
        called.append((self.clear, arguments))
        return super().{0}(*arguments, **keywords)
Builder(with_pip=True, symlinks=True, clear=True).create(sys.argv[1])
assert called
if {0!r} == "post_setup":
    [(clear, [context])] = called
    print(clear, sorted(vars(context).items()))
"""
        hooks = ["ensure_directories", "create_configuration", "setup_python", "setup_scripts", "_setup_pip", "install_scripts"]
        for hook in hooks:
            with self.subTest(hook):
                shutil.rmtree(self.env_dir, ignore_errors=True)
                self.assertEqual(self.output("-c", script.format(hook), self.env_dir), CPYTHON)
                self.assertFalse(made_by_rvenv(self.env_dir))
        said = []
        for value in ("0", ""):
            shutil.rmtree(self.env_dir, ignore_errors=True)
            said.append(self.output("-c", script.format("post_setup"), self.env_dir, RVENV_SHIM=value))
            self.assertEqual(made_by_rvenv(self.env_dir), value == "")
        self.assertEqual(said[0], CPYTHON + said[1])

    def test_when_post_setup_is_called(self):
        script = MAIN + POST_SETUP.replace("pass", "print('called')") + "Builder(with_pip=True, {}).create(sys.argv[1])"
        for options, said in (
            ("symlinks=True", "called\n"),
            ("upgrade=True", ""),
            ("system_site_packages=True", CPYTHON + "called\n"),
        ):
            with self.subTest(options):
                self.assertEqual(self.output("-c", script.format(options), self.env_dir), said)

    def test_a_post_setup_that_raises_leaves_what_cpython_leaves(self):
        script = MAIN + POST_SETUP.replace("pass", "raise RuntimeError('mine')") + "Builder(with_pip=True).create(sys.argv[1])"
        for value in ("0", ""):
            shutil.rmtree(self.env_dir, ignore_errors=True)
            status, _, err = self.run_python("-c", script, self.env_dir, RVENV_SHIM=value)
            self.assertEqual((status, err.splitlines()[-1]), (1, "RuntimeError: mine"))
            self.assertEqual(made_by_rvenv(self.env_dir), value == "")

    def test_hooks_of_one_object_and_of_a_patched_venv(self):
        for change in (
            "builder = venv.EnvBuilder(with_pip=True); builder.setup_scripts = lambda context: None",
            "venv.EnvBuilder.setup_scripts = lambda self, context: None; builder = venv.EnvBuilder(with_pip=True)",
            "builder = venv.EnvBuilder(with_pip=True, prompt=3)",
            "builder = venv.EnvBuilder(with_pip=True); del builder.prompt; venv.EnvBuilder.prompt = None",
        ):
            with self.subTest(change):
                shutil.rmtree(self.env_dir, ignore_errors=True)
                self.run_python("-c", MAIN + change + "\nbuilder.create(sys.argv[1])", self.env_dir)
                self.assertFalse(made_by_rvenv(self.env_dir))

    def test_super_create_of_rvenvs_builder_is_cpythons(self):
        script = MAIN + """
import rvenv
class Builder(rvenv.EnvBuilder):
    def setup_scripts(self, context):
        pass
Builder(with_pip=True).create(sys.argv[1])
"""
        self.assertEqual(self.output("-c", script, self.env_dir), CPYTHON)
        self.assertFalse(made_by_rvenv(self.env_dir))

    def test_the_module_looks_as_it_does_without(self):
        script = """
import importlib, inspect, pickle, pkgutil, pydoc, sys, venv

for _ in range(2):
    create = venv.EnvBuilder.create
    print(inspect.signature(create), inspect.getsource(create), pydoc.render_doc(create), create.__qualname__, create.__module__)
    print(type(venv.__loader__), type(venv.__spec__.loader), venv.__spec__.origin, sorted(vars(venv.__loader__)))
    print(pickle.dumps(venv.EnvBuilder.create), pickle.loads(pickle.dumps(venv.EnvBuilder)) is venv.EnvBuilder)
    print(len(pkgutil.get_data("venv", "scripts/common/activate")), inspect.getfile(venv), venv.__file__, venv.__spec__.cached)
    importlib.reload(venv)
    del sys.modules["venv"]
    venv = importlib.import_module("venv")
print(importlib.util.find_spec("venv").origin)
"""
        self.assertEqual(self.output("-c", script), self.output("-c", script, RVENV_SHIM="0"))


@unittest.skipUnless(INSTALLED, "rvenv-shim is not installed")
class Damage(ShimTestCase):
    """Errors must never break Python: at worst the `venv` of CPython runs."""

    STATE = "import venv; print(hasattr(venv.EnvBuilder.create, '_rvenv_standard'))"

    def test_programs_that_are_missing_or_broken(self):
        with self.moved_away(PROGRAM):
            self.cpython_makes_it()
            self.venv(self.env_dir)
            os.mkdir(PROGRAM)
            self.cpython_makes_it()
        for data in (b"", b"no program", b"\x7fELF", b"#!/bin/sh\n"):
            for mode in (0o644, 0o755):
                with self.subTest(data, mode=mode), self.replaced(PROGRAM, data, mode):
                    self.cpython_makes_it()
        for program in ("true", "false", "cat"):
            with self.subTest(program), self.replaced(PROGRAM, [shutil.which(program)], 0o755):
                self.cpython_makes_it()

    @unittest.skipIf(os.name == "nt", "a script of sh")
    def test_the_program_is_never_one_from_path(self):
        with self.moved_away(PROGRAM):
            other = os.path.join(self.folder, "bin")
            os.mkdir(other)
            with open(os.path.join(other, "rvenv"), "w") as file:
                file.write('#!/bin/sh\ntouch "{}/run"\n'.format(self.folder))
            os.chmod(os.path.join(other, "rvenv"), 0o755)
            self.cpython_makes_it(PATH=other + os.pathsep + os.environ["PATH"])
        self.assertEqual(sorted(os.listdir(self.folder)), ["bin", "env"])

    def test_modules_that_are_missing_or_broken(self):
        module = os.path.join(PACKAGES, "_rvenv_shim.py")
        with open(module, "rb") as file:
            text = file.read()
        with self.moved_away(module):
            self.assertEqual(self.output("-c", self.STATE), "False\n")
            self.cpython_makes_it()
        broken = [b"", b"raise SystemError", b"\0", b"\xff"]
        # Truncated after some of its lines, and within them.
        broken += [text[: len(text) * part // 40] for part in range(1, 40, 2)]
        ends = [end for end in range(len(text)) if text.startswith(b"\n\n\ndef ", end)]
        for data in broken + [text[:end] for end in ends]:
            with self.subTest(data[-50:]), self.replaced(module, data):
                self.assertEqual(self.output("-B", "-c", self.STATE), "False\n")
        for name in ("_standard.py", "_find.py"):
            path = os.path.join(PACKAGES, "rvenv", name)
            with self.moved_away(path):
                self.cpython_makes_it()
            for data in (b"", b"raise SystemError", b"def"):
                with self.subTest(name, data=data), self.replaced(path, data):
                    self.cpython_makes_it(PYTHONDONTWRITEBYTECODE="1")
        with self.moved_away(os.path.join(PACKAGES, "rvenv")):
            self.cpython_makes_it()
        self.rvenv_makes_it()

    def test_a_pth_file_that_was_cut_off(self):
        path = os.path.join(PACKAGES, "rvenv_shim.pth")
        with open(path, "rb") as file:
            text = file.read()
        for part in range(0, 10):
            with self.subTest(part=part), self.replaced(path, text[: len(text) * part // 10]):
                # site itself may report an error in the line.
                status, out, _ = self.run_python("-c", self.STATE)
                self.assertEqual((status, out), (0, "False\n"))

    def test_site_packages_that_nobody_can_write_to(self):
        folders = [PACKAGES, os.path.join(PACKAGES, "__pycache__"), os.path.join(PACKAGES, "rvenv")]
        cache = os.path.join(PACKAGES, "rvenv", "__pycache__")
        caches = [cache] if os.path.isdir(cache) else []
        caches += [
            os.path.join(folders[1], name) for name in os.listdir(folders[1]) if "rvenv_shim" in name
        ] if os.path.isdir(folders[1]) else []
        folders = [folder for folder in folders if os.path.isdir(folder)]
        with self.moved_away(*caches):
            modes = [os.stat(folder).st_mode for folder in folders]
            for folder in folders:
                os.chmod(folder, 0o555)
            try:
                self.rvenv_makes_it(PYTHONDONTWRITEBYTECODE="1")
            finally:
                for folder, mode in zip(folders, modes):
                    os.chmod(folder, mode)

    def test_modules_of_the_users_own(self):
        for name, script in (("venv", "import venv"), ("rvenv", CALL), ("_standard", CALL)):
            with open(os.path.join(self.folder, name + ".py"), "w") as file:
                file.write("print('mine')\n")
            said = self.output("-c", script, self.env_dir, cwd=self.folder)
            self.assertEqual(said, "mine\n" if name == "venv" else "", name)
            os.remove(os.path.join(self.folder, name + ".py"))
        self.assertTrue(made_by_rvenv(self.env_dir))

    @unittest.skipIf(IN_ENVIRONMENT, "an environment has no packages of users")
    def test_two_copies(self):
        user = dict(PYTHONUSERBASE=os.path.join(self.folder, "user"), PIP_NO_WARN_SCRIPT_LOCATION="1")
        install = ["-m", "pip", "-q", "--disable-pip-version-check", "install", "--user", "--no-index", "--no-deps"]
        install += ["--ignore-installed"] + ["--break-system-packages"] * MANAGED
        status, out, err = self.run_python(*(install + WHEELS), **user)
        self.assertEqual((status, out), (0, ""), err)
        script = "import sys; print(sum(hasattr(it, '_rvenv_shim') for it in sys.meta_path))"
        script += "; import venv; print(hasattr(venv.EnvBuilder.create._rvenv_standard, '_rvenv_standard'))"
        self.assertEqual(self.output("-c", script, **user), "1\nFalse\n")
        self.rvenv_makes_it(**user)
        # Only the other one.
        away = [name for name in os.listdir(PACKAGES) if "rvenv_shim" in name and not name.startswith("__")]
        with self.moved_away(*[os.path.join(PACKAGES, name) for name in away]):
            self.rvenv_makes_it(**user)
            self.cpython_makes_it(before=["-s"], **user)
            self.cpython_makes_it(before=["-I"], **user)


MANAGED = os.path.exists(os.path.join(sysconfig.get_path("stdlib"), "EXTERNALLY-MANAGED"))


@unittest.skipUnless(INSTALLED, "rvenv-shim is not installed")
class Traces(ShimTestCase):
    def test_nothing_is_imported_before_venv_is(self):
        script = "import sys; print(sorted(sys.modules))"
        own = self.output("-I", "-c", script)
        # In some versions the first .pth file causes imports that are needed to read it.
        with self.replaced(os.path.join(PACKAGES, "rvenv_shim.pth"), b"#\n"):
            without = self.output("-I", "-c", script)
        self.assertEqual(own, without)

    def test_environments_have_nothing_of_it(self):
        self.venv(self.env_dir)
        self.assertEqual([name for name in tree(self.env_dir) if "shim" in name], [])
        python = os.path.join(self.env_dir, BIN, "python")
        self.assertEqual(self.output("-c", Damage.STATE, python=python), "False\n")

    @unittest.skipUnless(all(WHEELS), "RVENV_TEST_WHEEL and RVENV_TEST_SHIM_WHEEL name none")
    def test_uninstalled_it_leaves_no_trace(self):
        pip = ["-m", "pip", "-q", "--disable-pip-version-check"]
        managed = ["--break-system-packages"] * MANAGED
        uninstall = pip + ["uninstall", "-y"] + managed + ["rvenv-shim"]
        install = pip + ["install", "--no-index"] + managed + WHEELS[1:]

        def silently(arguments):
            status, _, err = self.run_python(*arguments, PIP_ROOT_USER_ACTION="ignore")
            self.assertEqual(status, 0, err)

        def names():
            return {os.path.join(folder, name) for folder, _, files in os.walk(PACKAGES) for name in files}

        silently(uninstall)
        try:
            before = names()
        finally:
            silently(install)
        self.addCleanup(silently, install)
        for options in ([], ["-O"], ["-OO"]):
            self.output(*(options + ["-c", Damage.STATE]))
        silently(uninstall)
        self.assertEqual([name for name in names() - before if "rvenv_shim" in name], [])
        self.cpython_makes_it()


if __name__ == "__main__":
    unittest.main()
