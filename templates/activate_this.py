"""Activates the virtual environment in a Python that is already running, such as one embedded in a server:

    import runpy
    runpy.run_path('bin/activate_this.py')

The packages of the environment are put first on sys.path, and child processes run in the environment. The environment may
have been moved, as its path is derived from that of this file. It cannot be deactivated.
"""

import os
import site
import sys
import sysconfig


def activate(file):
    bin_path = os.path.dirname(os.path.abspath(file))
    env_dir = os.path.dirname(bin_path)
    if os.path.basename(file) != 'activate_this.py' or not os.path.isfile(os.path.join(env_dir, 'pyvenv.cfg')):
        raise RuntimeError('activate_this.py needs its own path: run it with runpy.run_path')
    if os.pathsep in env_dir:
        raise RuntimeError('PATH cannot contain a directory with {} in its name: {}'.format(os.pathsep, env_dir))

    # The `venv` scheme exists since Python 3.11; before it, `posix_prefix` or `nt` (PyPy: `pypy`) named the same folders.
    schemes = ['venv', 'pypy' if '__pypy__' in sys.builtin_module_names else None, 'nt' if os.name == 'nt' else 'posix_prefix']
    scheme = next(scheme for scheme in schemes if scheme in sysconfig.get_scheme_names())
    places = {'base': env_dir, 'platbase': env_dir, 'installed_base': env_dir, 'installed_platbase': env_dir}
    folders = []
    for kind in ('purelib', 'platlib'):
        folder = sysconfig.get_path(kind, scheme, places)
        if os.path.isdir(folder) and os.path.realpath(folder) not in [os.path.realpath(known) for known in folders]:
            folders.append(folder)
    if not folders:
        raise RuntimeError('{} is for another Python than this {}.{}'.format(env_dir, *sys.version_info[:2]))

    os.environ['PATH'] = os.pathsep.join([bin_path] + [path for path in [os.environ.get('PATH')] if path])
    os.environ['VIRTUAL_ENV'] = env_dir
    os.environ['VIRTUAL_ENV_PROMPT'] = {{ PROMPT }}
    os.environ.pop('PYTHONHOME', None)

    # addsitedir reads .pth files and appends to sys.path: move the new entries to the front.
    before = list(sys.path)
    for folder in folders:
        site.addsitedir(folder)
    added = [path for path in sys.path if path not in before]
    sys.path[:] = added + [path for path in sys.path if path in before]
    sys.prefix = sys.exec_prefix = env_dir


if __name__ == '__main__' and os.path.abspath(sys.argv[0]) == os.path.abspath(__file__):
    sys.exit('activate_this.py: a program cannot change the process that runs it; in that process: import runpy; '
             'runpy.run_path(' + repr(os.path.abspath(__file__)) + ')')
activate(__file__)
