"""Translates an ``EnvBuilder`` of the standard ``venv`` to options, and provides the context for its hooks.

Does not import modules that take long to import. `rvenv-shim` loads this file by its path.
"""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    import types
    import venv
    from typing import Any, Dict, List, Optional


def hooks(builder: "type[venv.EnvBuilder]") -> "Dict[str, Any]":
    """The methods that the standard class defines, except `create` and special methods."""
    return {name: value for name, value in vars(builder).items() if not name.startswith("__") and name != "create"}


def overridden(builder: "venv.EnvBuilder", standard: "Dict[str, Any]") -> "List[str]":
    """The hooks that are overridden in a subclass, in this object, or by patching `venv`."""
    return [name for name, hook in standard.items() if _lookup(builder, name) is not hook]


def _lookup(builder: object, name: str) -> object:
    """The attribute as it was defined, without binding it to the object."""
    for attributes in [vars(builder)] + [vars(kind) for kind in type(builder).__mro__]:
        if name in attributes:
            return attributes[name]
    return None


def options(fields: "Dict[str, Any]") -> "Optional[List[str]]":
    """The fields as options of the program; None if there is no equivalent option."""
    if fields["upgrade"] and fields["clear"]:
        # The command line of venv refuses this, but its API does both.
        return None
    given = ["--symlinks" if fields["symlinks"] else "--copies"]
    flags = ["system_site_packages", "clear", "upgrade", "upgrade_deps"]
    given += ["--" + name.replace("_", "-") for name in flags if fields.get(name)]
    if not fields["with_pip"]:
        given.append("--without-pip")
    # Since 3.13. Before, no ignore file is created and the option is not recorded.
    scm = fields.get("scm_ignore_files", {"git"})
    if not scm:
        given.append("--without-scm-ignore-files")
    elif set(scm) != {"git"}:
        return None
    prompt = fields["prompt"]
    # Since 3.11 the given prompt is kept in addition to the resolved one (`.`).
    asked = fields.get("orig_prompt", prompt)
    if asked != prompt and not (asked == "." and prompt == os.path.basename(os.getcwd())):
        return None
    if asked is None:
        return given
    return given + ["--prompt=" + asked] if _is_argument(asked) else None


def _is_argument(value: object) -> bool:
    """Whether the value can be passed as an argument unchanged. venv accepts any object and writes its `repr`."""
    if type(value) is not str or "\0" in value:
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def context(builder: "venv.EnvBuilder", env_dir: str) -> "types.SimpleNamespace":
    """The context that CPython passes to the hooks that run last, for an existing environment."""
    import tempfile

    clear = builder.clear
    # Otherwise the environment would be deleted.
    builder.clear = False
    try:
        made = builder.ensure_directories(env_dir)
    finally:
        builder.clear = clear
    made.cfg_path = os.path.join(made.env_dir, "pyvenv.cfg")
    # Debian's version stores the name of the last script in it.
    bin_path = made.bin_path
    with tempfile.TemporaryDirectory() as folder:
        made.bin_path = folder
        builder.setup_scripts(made)
    made.bin_path = bin_path
    return made
