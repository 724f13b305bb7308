# Activates the virtual environment in the current xonsh. This file must be sourced, not executed:
#
#     source bin/activate.xsh          (to leave it: deactivate)


def _virtual_env_activate(path, name, file):
    import os
    import sys

    from xonsh.built_ins import XSH

    env = XSH.env
    # The scripts of a relocatable environment do not contain its path: it is derived from the path of this file.
    here = os.path.dirname(os.path.dirname(os.path.abspath(file)))
    path = path or here
    bin_path = os.path.join(path, {{ BIN_NAME }})
    if name == '__main__':
        sys.exit('activate.xsh: this script must be sourced, not executed: ' + {{ SOURCE_LINE }})
    if not os.path.isdir(bin_path):
        raise RuntimeError(f'no environment at {path}: it was moved or deleted; recreate it in its new place')
    if os.path.isfile(os.path.join(here, 'pyvenv.cfg')) and not os.path.samefile(here, path):
        raise RuntimeError(f'this environment was created as {path} and then moved or copied; recreate it in its new place')
    if os.pathsep in path:
        raise RuntimeError(f'PATH cannot contain a directory with {os.pathsep} in its name: {path}')

    # Deactivate the active environment first.
    alias = XSH.aliases._raw.get('deactivate')
    leave_other = getattr(getattr(alias, 'func', alias), '_virtual_env_leave', None)
    if leave_other:
        leave_other()

    undo = []

    def leave():
        while undo:
            undo.pop()()

    def restore(key):
        if env.is_manually_set(key):
            value = env[key]
            return lambda: env.__setitem__(key, value)
        return lambda: env.is_manually_set(key) and env.__delitem__(key)

    undo.extend([restore(key) for key in ('PATH', 'PYTHONHOME', 'VIRTUAL_ENV', 'VIRTUAL_ENV_PROMPT')])
    old_path = [folder for folder in env['PATH']._l if folder] if env.is_manually_set('PATH') else []
    env['VIRTUAL_ENV'] = path
    env['VIRTUAL_ENV_PROMPT'] = {{ PROMPT }}
    if env.is_manually_set('PYTHONHOME'):
        del env['PYTHONHOME']

    # xonsh expands variables and `~` in the entries of PATH, but not in the values of variables.
    for folder in (bin_path, os.path.join('$VIRTUAL_ENV', {{ BIN_NAME }})):
        env['PATH'] = [folder, *old_path]
        if env['PATH'][0] == bin_path:
            break
    else:
        leave()
        raise RuntimeError(f'xonsh does not support this path in PATH: {path}')

    # How xonsh renders `{env_name}` depends on its version. It interprets color codes in the result.
    fields = env['PROMPT_FIELDS']
    if not env.get('VIRTUAL_ENV_DISABLE_PROMPT') and 'env_name' in fields:
        old_env_name = fields['env_name']
        drawn = '(' + {{ PROMPT }}.replace('{', '{{').replace('}', '}}') + ') '
        fields['env_name'] = drawn
        undo.append(lambda: fields.__setitem__('env_name', old_env_name))

    def deactivate(args):
        """Leave the virtual environment."""
        leave()
        if args != ['nondestructive']:
            del XSH.aliases['deactivate']

    deactivate._virtual_env_leave = leave
    XSH.aliases['deactivate'] = deactivate


try:
    _virtual_env_activate({{ VIRTUAL_ENV }}, __name__, __file__)
finally:
    del _virtual_env_activate
