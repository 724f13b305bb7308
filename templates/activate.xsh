"""Activates the virtual environment in the xonsh that reads this file, so it is sourced and not run:

    source bin/activate.xsh          and later          deactivate
"""


def _virtual_env_activate(path, name, file):
    import os
    import sys

    from xonsh.built_ins import XSH

    env = XSH.env
    # No path is written into a relocatable environment: it is where this file is.
    here = os.path.dirname(os.path.dirname(os.path.abspath(file)))
    path = path or here
    bin_path = os.path.join(path, {{ BIN_NAME }})
    if name == '__main__':
        sys.exit('activate.xsh: a program cannot change the shell that runs it; source this file instead: ' + {{ SOURCE_LINE }})
    if not os.path.isdir(bin_path):
        raise RuntimeError(f'no environment at {path}: it was moved or deleted; make it anew where it is now')
    if os.path.isfile(os.path.join(here, 'pyvenv.cfg')) and not os.path.samefile(here, path):
        raise RuntimeError(f'this environment was made as {path} and then moved or copied; make it anew where it is now')
    if os.pathsep in path:
        raise RuntimeError(f'PATH cannot hold a folder with {os.pathsep} in its name: {path}')

    # Leave what is active in this shell before another environment is laid on top.
    if getattr(XSH.aliases.get('deactivate'), '_virtual_env', None) or '_OLD_VIRTUAL_PATH' in env:
        XSH.aliases['deactivate'](['nondestructive'])

    def save(key):
        if not env.is_manually_set(key):
            return lambda: env.is_manually_set(key) and env.__delitem__(key)
        value = list(env[key]) if key == 'PATH' else env[key]
        return lambda: env.__setitem__(key, value)

    undo = [save(key) for key in ('PATH', 'PYTHONHOME', 'VIRTUAL_ENV', 'VIRTUAL_ENV_PROMPT')]
    env['VIRTUAL_ENV'] = path
    env['VIRTUAL_ENV_PROMPT'] = {{ PROMPT }}
    env['PATH'] = [bin_path, *(env['PATH'] if env.is_manually_set('PATH') else ())]
    if env.is_manually_set('PYTHONHOME'):
        del env['PYTHONHOME']

    # xonsh draws `{env_name}` by a rule that changes from version to version, and reads colors in what it draws.
    fields = env['PROMPT_FIELDS']
    if not env.get('VIRTUAL_ENV_DISABLE_PROMPT') and 'env_name' in fields:
        old_env_name = fields['env_name']
        drawn = '(' + {{ PROMPT }}.replace('{', '{{').replace('}', '}}') + ') '
        fields['env_name'] = drawn
        undo.append(lambda: fields.__setitem__('env_name', old_env_name))

    def deactivate(args):
        """Leave the virtual environment."""
        for step in undo:
            step()
        if args != ['nondestructive']:
            del XSH.aliases['deactivate']
        undo.clear()

    XSH.aliases['deactivate'] = deactivate


try:
    _virtual_env_activate({{ VIRTUAL_ENV }}, __name__, __file__)
finally:
    del _virtual_env_activate
