"""`import rvenv as venv`."""

import contextlib
import inspect
import io
import json
import os
import pathlib
import pickle
import shutil
import signal
import subprocess
import sys
import threading
import time
import types
import unittest
import venv
import zipfile
from unittest import mock

import rvenv
from oracle import BIN, TestCase, made_by_rvenv, tree

HOOKS = [
    name
    for name, value in vars(venv.EnvBuilder).items()
    if isinstance(value, types.FunctionType) and name not in ("__init__", "create")
]


class Text(str):
    """A `str` with another `repr`, as an `enum` has."""

    def __repr__(self):
        return "<Text>"


class Names(unittest.TestCase):
    def test_every_name_of_venv_is_there(self):
        for name, value in vars(venv).items():
            if not name.startswith("_"):
                self.assertTrue(hasattr(rvenv, name), name)
            if not name.startswith("_") and isinstance(value, types.ModuleType):
                self.assertIs(getattr(rvenv, name), value)
        self.assertIs(rvenv.logger, venv.logger)

    def test_signatures_are_those_of_the_running_python_and_a_few_keywords(self):
        self.assertEqual(inspect.signature(rvenv.main), inspect.signature(venv.main))
        for name in ("EnvBuilder", "create"):
            standard = list(inspect.signature(getattr(venv, name)).parameters.values())
            own = list(inspect.signature(getattr(rvenv, name)).parameters.values())
            self.assertEqual(own[: len(standard)], standard)
            self.assertEqual(
                [parameter.name for parameter in own[len(standard) :]],
                ["python", "requirements", "packages", "relocatable", "reuse"],
            )
            self.assertEqual({parameter.kind for parameter in own[len(standard) :]}, {inspect.Parameter.KEYWORD_ONLY})
        self.assertTrue(issubclass(rvenv.EnvBuilder, venv.EnvBuilder))

    def test_star_and_dir(self):
        names = {}
        exec("from rvenv import *", names)
        self.assertLessEqual(set(rvenv.__all__), set(names))
        self.assertLessEqual(set(rvenv.__all__), set(dir(rvenv)))
        with self.assertRaises(AttributeError):
            rvenv.no_such_name

    def test_the_program_belongs_to_this_environment(self):
        self.assertEqual(
            os.path.dirname(rvenv.find_rvenv_bin()), os.path.join(sys.prefix, "Scripts" if os.name == "nt" else "bin")
        )


class Create(TestCase):
    def same_create(self, **options):
        self.same(lambda: venv.create(self.env_dir, **options), lambda: rvenv.create(self.env_dir, **options))

    def test_defaults(self):
        # Copies and no pip: the defaults of the API differ from those of the command line.
        self.same_create()

    def test_symlinks(self):
        self.same_create(symlinks=True)

    def test_with_pip(self):
        self.same_create(with_pip=True, symlinks=True)

    def test_system_site_packages(self):
        self.same_create(system_site_packages=True)

    def test_clear(self):
        self.same_create(clear=True)

    def test_prompts(self):
        for prompt in ("a prompt", "", "it's", "-x", "."):
            with self.subTest(prompt):
                self.same_create(prompt=prompt)

    def test_a_prompt_that_is_no_str(self):
        # venv writes the repr of any object into pyvenv.cfg. Since 3.13 some of these raise errors in venv, too.
        for prompt in (3, True, pathlib.PurePath("a b"), b"p", Text("p"), "\0", "\udc80", ()):
            with self.subTest(repr(prompt)):
                left = []
                for module in (venv, rvenv):
                    shutil.rmtree(self.env_dir, ignore_errors=True)
                    raised = None
                    try:
                        module.create(self.env_dir, symlinks=True, prompt=prompt)
                    except Exception as error:
                        raised = type(error)
                    left.append((raised, tree(self.env_dir)))
                self.assertEqual(left[0], left[1])

    def test_positional(self):
        self.same(
            lambda: venv.create(self.env_dir, True, False, True, False, "p"),
            lambda: rvenv.create(self.env_dir, True, False, True, False, "p"),
        )

    @unittest.skipUnless(sys.version_info >= (3, 13), "new in 3.13")
    def test_scm_ignore_files(self):
        self.same_create(scm_ignore_files={"GIT"})

    def test_pathlike_and_relative(self):
        path = pathlib.Path(self.env_dir)
        self.same(lambda: venv.create(path), lambda: rvenv.create(path))
        cwd = os.getcwd()
        self.addCleanup(os.chdir, cwd)
        os.chdir(self.folder)
        self.same(lambda: venv.create("./env"), lambda: rvenv.create("./env"))

    def test_a_second_run_and_an_upgrade(self):
        for builder in (venv.EnvBuilder, rvenv.EnvBuilder):
            builder(symlinks=True).create(self.env_dir)
            pathlib.Path(self.env_dir, "mine").write_text("mine")
            builder(symlinks=True).create(self.env_dir)
            builder(symlinks=True, upgrade=True).create(self.env_dir)
            self.assertEqual(pathlib.Path(self.env_dir, "mine").read_text(), "mine")
            builder(symlinks=True, clear=True).create(self.env_dir)
            self.assertFalse(os.path.exists(os.path.join(self.env_dir, "mine")))
        self.assertTrue(made_by_rvenv(self.env_dir))

    def test_fields_may_be_changed_before_create(self):
        def made(module):
            builder = module.EnvBuilder()
            builder.symlinks = True
            builder.system_site_packages = True
            builder.create(self.env_dir)
            self.assertTrue(builder.system_site_packages)

        self.same(lambda: made(venv), lambda: made(rvenv))

    def test_a_dot_for_the_folder_of_that_time(self):
        cwd = os.getcwd()
        self.addCleanup(os.chdir, cwd)
        os.chdir(self.folder)
        builder = rvenv.EnvBuilder(prompt=".")
        os.chdir("/")
        builder.create(self.env_dir)
        with open(os.path.join(self.env_dir, "pyvenv.cfg")) as file:
            prompts = [line for line in file if line.startswith("prompt = ")]
        expected = [] if sys.version_info < (3, 8) else ["."] if sys.version_info < (3, 9) else [self.folder]
        self.assertEqual(prompts, ["prompt = {!r}\n".format(os.path.basename(name) or name) for name in expected])


class Errors(TestCase):
    def both(self, *kinds, **options):
        """Both raise, and each error is an instance of all `kinds`."""
        raised = []
        for module in (venv, rvenv):
            with self.assertRaises(kinds[0]) as caught:
                module.create(self.env_dir, **options)
            raised.append(caught.exception)
            if os.path.isdir(self.env_dir) and module is venv:
                shutil.rmtree(self.env_dir)
        for kind in kinds:
            self.assertIsInstance(raised[1], kind)
        return raised

    def test_a_file_in_the_way(self):
        open(self.env_dir, "w").close()
        standard, own = self.both(ValueError)
        self.assertEqual(str(own).split("\n")[0], str(standard))
        self.assertIn("\n  hint: ", str(own))

    @unittest.skipUnless(sys.version_info >= (3, 11), "refused since 3.11")
    def test_the_separator_of_path(self):
        self.env_dir += os.pathsep
        standard, own = self.both(ValueError)
        self.assertEqual(str(own).split("\n")[0], str(standard))

    def test_what_the_system_refuses(self):
        parent = os.path.join(self.folder, "file")
        open(parent, "w").close()
        self.env_dir = os.path.join(parent, "env")
        standard, own = self.both(OSError)
        self.assertEqual(own.errno, standard.errno)
        self.assertIs(type(own), type(standard))
        self.assertIn(parent, str(own))

    def test_an_oserror_has_the_path_and_the_words_of_venvs(self):
        open(self.env_dir, "w").close()
        file = self.env_dir
        for inner in ("env", "\u00e9", "x" * 300):
            self.env_dir = os.path.join(file, inner)
            with self.subTest(ascii(inner)):
                standard, own = self.both(OSError)
                self.assertEqual(own.filename, self.env_dir)
                for name in ("errno", "strerror", "filename", "args"):
                    self.assertEqual(getattr(own, name), getattr(standard, name), name)
                self.assertEqual(str(own), str(standard))
                # The message of the program.
                self.assertIsInstance(own.__cause__, rvenv.CreationError)
                self.assertEqual((own.__cause__.kind, own.__cause__.errno), ("io", own.errno))
                self.assertIn(own.__cause__.hint, str(own.__cause__))

    @unittest.skipIf(os.name == "nt", "a path is UTF-16 there")
    def test_a_filename_that_is_not_utf_8_is_the_one_that_was_given(self):
        self.env_dir = os.path.join(self.folder, "\udcff\u00e9")
        with self.assertRaises(rvenv.CreationError) as caught:
            rvenv.create(self.env_dir)
        self.assertEqual((caught.exception.kind, caught.exception.filename), ("not_utf8", self.env_dir))

    def test_an_error_has_what_the_program_says_as_data(self):
        open(self.env_dir, "w").close()
        command = [rvenv.find_rvenv_bin(), "--json", self.env_dir]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as run:
            said = json.loads(run.communicate()[0].decode())["results"][0]
        with self.assertRaises(rvenv.CreationError) as caught:
            rvenv.create(self.env_dir)
        for error in (caught.exception, pickle.loads(pickle.dumps(caught.exception))):
            for name in ("kind", "errno", "filename", "hint"):
                self.assertEqual(getattr(error, name), said[name])
            self.assertEqual(str(error), "{}\n  hint: {}".format(said["message"], said["hint"]))

    def test_a_hint_names_no_option_of_the_command(self):
        os.mkdir(self.env_dir)
        open(os.path.join(self.env_dir, "mine"), "w").close()
        with self.assertRaisesRegex(ValueError, "^refusing to clear ") as caught:
            rvenv.create(self.env_dir, clear=True)
        self.assertNotIn("--", str(caught.exception))
        self.assertEqual(caught.exception.hint, "choose another directory")
        self.assertEqual(os.listdir(self.env_dir), ["mine"])
        with self.assertRaisesRegex(ValueError, "use --force"):
            rvenv.main(["--clear", self.env_dir])

        with mock.patch.object(sys, "executable", os.path.join(self.folder, "no-python")):
            with self.assertRaises(rvenv.CreationError) as caught:
                rvenv.create(os.path.join(self.folder, "other"))
        self.assertEqual((caught.exception.kind, caught.exception.hint), ("python_not_found", None))

    def test_a_hint_names_what_the_api_has_instead(self):
        from rvenv._builder import _hint_for_callers

        for hint, expected in (
            (
                "install it; or name a folder with a wheel of pip by --find-links; or use --without-pip",
                "install it; or name a folder with a wheel of pip by RVENV_FIND_LINKS; or use with_pip=False",
            ),
            ("use --copies, or choose another one", "use symlinks=False, or choose another one"),
            ("name a folder with --cache-dir", "name a folder with RVENV_CACHE_DIR"),
            ("raise the limit with `ulimit -n 1024`", "raise the limit with `ulimit -n 1024`"),
            ("use --force to delete it, or choose another one", "choose another one"),
            ("use --force", None),
            (None, None),
        ):
            self.assertEqual(_hint_for_callers({"kind": "any", "hint": hint}), expected)

    def test_a_wrong_variable_is_an_error_and_no_end_of_the_process(self):
        with mock.patch.dict(os.environ, RVENV_SEEDER="nobody"):
            with self.assertRaisesRegex(rvenv.CreationError, "RVENV_SEEDER"):
                rvenv.create(self.env_dir)

    @unittest.skipUnless(sys.version_info >= (3, 9), "new in 3.9")
    def test_a_pip_that_fails(self):
        with mock.patch.object(sys, "stderr"):
            _, own = self.both(subprocess.CalledProcessError, ValueError, upgrade_deps=True)
        self.assertIn("No module named pip", str(own))
        # Unlike in venv.
        self.assertEqual(os.listdir(self.folder), [])

    def test_upgrade_with_clear(self):
        # The API of venv accepts both.
        for module in (venv, rvenv):
            module.EnvBuilder(upgrade=True, clear=True).create(self.env_dir)
            self.assertFalse(made_by_rvenv(self.env_dir))

    def test_wrong_arguments(self):
        for module in (venv, rvenv):
            with self.assertRaises(TypeError):
                module.create()
            with self.assertRaises(TypeError):
                module.create(self.env_dir, no_such_option=True)
            with self.assertRaises(TypeError):
                module.create(3)


class Hooks(TestCase):
    def test_an_overridden_hook_gets_the_standard_path(self):
        self.assertIn("post_setup", HOOKS)
        for name in set(HOOKS) - {"post_setup"}:
            with self.subTest(name):
                called = []

                def hook(self, *args, name=name, called=called, **kwargs):
                    called.append(name)
                    return getattr(super(type(self), self), name)(*args, **kwargs)

                builder = type("Builder", (rvenv.EnvBuilder,), {name: hook})
                builder(symlinks=True, clear=True, system_site_packages=True).create(self.env_dir)
                self.assertFalse(made_by_rvenv(self.env_dir))
                if name in ("ensure_directories", "setup_python", "setup_scripts", "install_scripts", "post_setup"):
                    self.assertEqual(called, [name])

    def test_the_context_is_the_standard_one(self):
        contexts = []

        for base in (venv.EnvBuilder, rvenv.EnvBuilder):

            class Builder(base):
                def post_setup(self, context):
                    contexts.append(dict(vars(context)))

            for options in (dict(clear=True), dict(symlinks=True, with_pip=True)):
                shutil.rmtree(self.env_dir, ignore_errors=True)
                Builder(prompt="p", **options).create(self.env_dir)
                self.assertEqual(made_by_rvenv(self.env_dir), base is rvenv.EnvBuilder)
        self.assertEqual(contexts[:2], contexts[2:])
        self.assertEqual(contexts[0]["env_dir"], self.env_dir)

    def test_a_post_setup_that_raises_takes_the_environment_back(self):
        class Builder(rvenv.EnvBuilder):
            def post_setup(self, context):
                self.program = os.path.exists(context.env_exe)
                raise RuntimeError("mine")

        builder = Builder()
        with self.assertRaisesRegex(RuntimeError, "^mine$"):
            builder.create(self.env_dir)
        self.assertTrue(builder.program)
        self.assertEqual(os.listdir(self.folder), [])
        # Existing files are kept, and CPython's venv continues with them.
        os.mkdir(self.env_dir)
        pathlib.Path(self.env_dir, "mine").write_text("mine")
        with self.assertRaisesRegex(RuntimeError, "^mine$"):
            builder.create(self.env_dir)
        self.assertEqual(pathlib.Path(self.env_dir, "mine").read_text(), "mine")

    def test_a_subclass_that_overrides_no_hook(self):
        class Builder(rvenv.EnvBuilder):
            def __init__(self, *args, **kwargs):
                self.mine = kwargs.pop("mine")
                super().__init__(*args, **kwargs)

            def create(self, env_dir):
                super().create(env_dir)
                return self.mine

        self.assertEqual(Builder(symlinks=True, mine=3).create(self.env_dir), 3)
        self.assertTrue(made_by_rvenv(self.env_dir))

    def test_a_hook_of_one_object(self):
        builder = rvenv.EnvBuilder()
        builder.post_setup = mock.Mock()
        builder.create(self.env_dir)
        builder.post_setup.assert_called_once()
        self.assertTrue(made_by_rvenv(self.env_dir))

    def test_a_patched_venv(self):
        with mock.patch.object(venv.EnvBuilder, "setup_scripts") as setup_scripts:
            rvenv.EnvBuilder().create(self.env_dir)
        self.assertEqual(setup_scripts.call_count, 1)
        self.assertFalse(made_by_rvenv(self.env_dir))
        rvenv.EnvBuilder().create(self.env_dir)
        self.assertTrue(made_by_rvenv(self.env_dir))

    @unittest.skipUnless(sys.version_info >= (3, 13), "new in 3.13")
    def test_an_ignore_file_of_ones_own(self):
        class Builder(rvenv.EnvBuilder):
            def create_hg_ignore_file(self, context):
                pathlib.Path(context.env_dir, ".hgignore").write_text("*")

        Builder(scm_ignore_files={"hg"}).create(self.env_dir)
        self.assertTrue(os.path.exists(os.path.join(self.env_dir, ".hgignore")))


class Keywords(TestCase):
    """Additions to the standard `venv`."""

    def test_packages_and_requirements(self):
        wheel = os.path.join(self.folder, "project-1-py3-none-any.whl")
        info = "project-1.dist-info/"
        with zipfile.ZipFile(wheel, "w") as archive:
            archive.writestr("project.py", "")
            archive.writestr(info + "METADATA", "Metadata-Version: 2.1\nName: project\nVersion: 1\n")
            archive.writestr(info + "WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            archive.writestr(info + "RECORD", "project.py,,\n" + info + "METADATA,,\n" + info + "WHEEL,,\n" + info + "RECORD,,\n")
        file = pathlib.Path(self.folder, "requirements.txt")
        file.write_text(wheel + "\n")
        with mock.patch.dict(os.environ, PIP_NO_INDEX="1"):
            for keywords in (dict(packages=[wheel]), dict(requirements=[file])):
                rvenv.create(self.env_dir, with_pip=True, clear=True, **keywords)
                python = os.path.join(self.env_dir, BIN, "python")
                subprocess.check_call([python, "-I", "-c", "import project"])
                shutil.rmtree(self.env_dir)

    def test_relocatable(self):
        rvenv.EnvBuilder(relocatable=True).create(self.env_dir)
        self.assertIn("relocatable = true\n", pathlib.Path(self.env_dir, "pyvenv.cfg").read_text())

    def test_reuse(self):
        rvenv.create(self.env_dir, reuse="never")
        self.assertTrue(made_by_rvenv(self.env_dir))
        with self.assertRaisesRegex(rvenv.CreationError, "sometimes"):
            rvenv.create(self.env_dir, reuse="sometimes")

    def test_another_python(self):
        with self.assertRaises(rvenv.CreationError) as caught:
            rvenv.create(self.env_dir, python=pathlib.Path(self.folder, "no-python"))
        self.assertEqual(caught.exception.kind, "python_not_found")
        other = os.environ.get("RVENV_TEST_OTHER_PYTHON", sys.executable)
        rvenv.create(self.env_dir, python=other)
        script = "import sys; print(sys.version_info[:2])"
        said = [subprocess.check_output([it, "-c", script]) for it in (other, os.path.join(self.env_dir, BIN, "python"))]
        self.assertEqual(said[0], said[1])

    def test_they_are_not_ignored_where_hooks_are_overridden(self):
        class Builder(rvenv.EnvBuilder):
            def setup_scripts(self, context):
                pass

        for keywords in (dict(python=sys.executable), dict(packages=["x"]), dict(relocatable=True), dict(reuse="never")):
            with self.assertRaisesRegex(ValueError, "cannot be combined with overridden hooks"):
                Builder(**keywords).create(self.env_dir)
        self.assertEqual(os.listdir(self.folder), [])


class Main(TestCase):
    def test_the_arguments_of_the_command_line(self):
        arguments = ["--without-pip", "--prompt", "p", self.env_dir]
        with mock.patch.object(sys, "argv", ["x"] + arguments):
            rvenv.main()
        self.assertTrue(made_by_rvenv(self.env_dir))

    def test_errors(self):
        for module in (venv, rvenv):
            with self.assertRaisesRegex(ValueError, "^you cannot supply --upgrade and --clear together.$"):
                module.main(["--upgrade", "--clear", self.env_dir])
            with self.assertRaises(SystemExit) as caught, mock.patch.object(sys, "stderr"):
                module.main(["--copies", "--symlinks", self.env_dir])
            self.assertEqual(caught.exception.code, 2)

    def printed(self, module, *arguments):
        """The exit status of `main`, and its output."""
        with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
            try:
                module.main(list(arguments))
                status = None
            except SystemExit as end:
                status = end.code
        return status, out.getvalue(), err.getvalue()

    def test_help_and_version_end_the_process_as_argparse_does(self):
        for option in ("-h", "--help", "--he"):
            for module in (venv, rvenv):
                status, out, err = self.printed(module, option)
                self.assertEqual((status, err), (0, ""))
                self.assertIn("--system-site-packages", out)
        status, out, err = self.printed(rvenv, "--version")
        self.assertEqual((status, err), (0, ""))
        self.assertRegex(out, r"^rvenv \d")

    def test_what_is_asked_for_is_printed_as_the_command_prints_it(self):
        for option in ("--list-pythons", "--list", "--completions=bash", "--man"):
            status, out, _ = self.printed(rvenv, option)
            printed = subprocess.check_output([rvenv.find_rvenv_bin(), option]).decode()
            self.assertEqual((status, out.splitlines()), (None, printed.splitlines()))
        status, out, _ = self.printed(rvenv, "--check", self.env_dir)
        self.assertEqual(status, 1)
        self.assertIn(self.env_dir, out)
        status, out, _ = self.printed(rvenv, "--json", "--without-pip", self.env_dir)
        self.assertEqual((status, json.loads(out)["results"][0]["path"]), (None, self.env_dir))
        self.assertEqual(self.printed(rvenv, "--without-pip", self.env_dir), (None, "", ""))

    def test_several_directories_of_which_two_fail(self):
        first, second = os.path.join(self.folder, "first"), os.path.join(self.folder, "second", "env")
        open(first, "w").close()
        open(os.path.dirname(second), "w").close()
        for order, kind in (([first, second], rvenv.CreationError), ([second, first], OSError)):
            with self.assertRaises(kind) as caught:
                rvenv.main(["--without-pip", self.env_dir] + order)
            self.assertEqual(caught.exception.filename, order[0])
            said = str(caught.exception.__cause__ or caught.exception)
            for path in order:
                self.assertIn(path, said)
            self.assertTrue(made_by_rvenv(self.env_dir))

    @unittest.skipIf(os.name == "nt", "a script of sh")
    def test_what_the_program_says_is_shown_while_it_comes(self):
        # It waits until the first line has been read.
        seen = os.path.join(self.folder, "seen")
        program = os.path.join(self.folder, "program")
        with open(program, "w") as file:
            file.write("#!/bin/sh\necho first >&2\nwhile [ ! -e '{}' ]; do sleep 0.01; done\necho last >&2\n".format(seen))
        os.chmod(program, 0o755)

        class Shown(io.StringIO):
            def write(self, text):
                open(seen, "w").close()
                return super().write(text)

        from rvenv import _builder

        with mock.patch.object(_builder, "find_rvenv_bin", return_value=program), contextlib.redirect_stderr(Shown()) as err:
            with self.assertRaises(SystemExit):
                rvenv.main([self.env_dir])
        self.assertEqual(err.getvalue(), "first\nlast\n")

    @unittest.skipIf(os.name == "nt", "signals are those of POSIX")
    def test_an_interrupt_leaves_nothing(self):
        # A Python that is slow to answer.
        slow = os.path.join(self.folder, "slow")
        with open(slow, "w") as file:
            file.write("#!/bin/sh\nsleep 60\n")
        os.chmod(slow, 0o755)

        def interrupt():
            time.sleep(1)
            os.kill(os.getpid(), signal.SIGINT)

        thread = threading.Thread(target=interrupt)
        thread.start()
        with self.assertRaises(KeyboardInterrupt):
            rvenv.main(["--no-cache", "--without-pip", "-p", slow, self.env_dir])
        thread.join()
        self.assertEqual(os.listdir(self.folder), ["slow"])


if __name__ == "__main__":
    unittest.main()
