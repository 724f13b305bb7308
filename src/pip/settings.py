# Reads pip's configuration files. If one of them sets a key that is to be ignored, prints as JSON the ignored keys and the
# variables that say everything else that the files say; otherwise prints null.
# Called with the environment's folder and the keys to ignore; runs on Python 3.6 and later.
import configparser
import json
import locale
import os
import sys


def files(env_dir):
    # pip's documentation, "Configuration files": from the weakest to the strongest.
    home = os.path.expanduser("~")
    own = os.environ.get("PIP_CONFIG_FILE")
    if sys.platform == "win32":
        name = "pip.ini"
        shared = [os.path.join(os.environ.get("PROGRAMDATA", r"C:\ProgramData"), "pip", name)]
        legacy = os.path.join(home, "pip", name)
        user = os.path.join(os.environ.get("APPDATA", home), "pip", name)
    else:
        name = "pip.conf"
        legacy = os.path.join(home, ".pip", name)
        user = os.path.join(home, ".config", "pip", name)
        if sys.platform == "darwin":
            support = "Library/Application Support/pip"
            shared = [os.path.join("/", support, name)]
            if os.path.isdir(os.path.join(home, support)):
                user = os.path.join(home, support, name)
        else:
            folders = os.environ.get("XDG_CONFIG_DIRS") or "/etc/xdg"
            shared = [os.path.join(os.path.expanduser(folder), "pip", name) for folder in folders.split(os.pathsep)]
            shared.append("/etc/pip.conf")
            if os.environ.get("XDG_CONFIG_HOME"):
                user = os.path.join(os.environ["XDG_CONFIG_HOME"], "pip", name)
    yield from shared
    if not (own and os.path.exists(own)):
        yield legacy
        yield user
    yield os.path.join(env_dir, name)
    if own:
        yield own


def normal(key):
    key = key.lower().replace("_", "-")
    return key[2:] if key.startswith("--") else key


def main(env_dir, *ignored):
    if os.environ.get("PIP_CONFIG_FILE") == os.devnull:
        return None
    sections = {"global": {}, "install": {}}
    for path in files(env_dir):
        parser = configparser.RawConfigParser()
        try:
            parser.read(path, encoding=locale.getpreferredencoding(False))
        except (configparser.Error, UnicodeDecodeError) as error:
            sys.exit("pip's configuration file {} cannot be read: {}".format(path, error))
        for section, values in sections.items():
            if parser.has_section(section):
                values.update((normal(key), value) for key, value in parser.items(section))
    settings = {}
    for values in sections.values():
        # An empty value means nothing to pip, not even that another one is overridden.
        settings.update((key, value) for key, value in values.items() if value)
    found = sorted(set(ignored).intersection(settings))
    if not found:
        return None
    # A variable is stronger than every file.
    set_by_variable = {normal(name[4:]) for name, value in os.environ.items() if name.startswith("PIP_") and value}
    kept = {key: value for key, value in settings.items() if key not in ignored and key not in set_by_variable}
    return {
        "ignored": found,
        "variables": {"PIP_" + key.upper().replace("-", "_"): value for key, value in kept.items()},
    }


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
