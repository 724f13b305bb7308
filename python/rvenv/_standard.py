"""What an ``EnvBuilder`` of the standard ``venv`` says, and what its hooks expect. Imports nothing that takes time.

Also for `rvenv-shim`, which loads this file by its path.
"""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    import types
    import venv
    from typing import Any, Dict, List, Optional


def hooks(builder: "type[venv.EnvBuilder]") -> "Dict[str, Any]":
    """Every method as the standard class defines it, except `create` and those that only keep what they are given."""
    return {name: value for name, value in vars(builder).items() if not name.startswith("__") and name != "create"}


def overridden(builder: "venv.EnvBuilder", standard: "Dict[str, Any]") -> "List[str]":
    """The hooks that are not the standard ones, be it in a subclass, in this object, or in a patched `venv`."""
    return [name for name, hook in standard.items() if _lookup(builder, name) is not hook]


def _lookup(builder: object, name: str) -> object:
    """What it was defined with, without the binding to the object."""
    for attributes in [vars(builder)] + [vars(kind) for kind in type(builder).__mro__]:
        if name in attributes:
            return attributes[name]
    return None


def options(fields: "Dict[str, Any]") -> "Optional[List[str]]":
    """What the fields say as options of the program; None where no option says it."""
    if fields["upgrade"] and fields["clear"]:
        # venv's own command line refuses this, its API does both.
        return None
    given = ["--symlinks" if fields["symlinks"] else "--copies"]
    flags = ["system_site_packages", "clear", "upgrade", "upgrade_deps"]
    given += ["--" + name.replace("_", "-") for name in flags if fields.get(name)]
    if not fields["with_pip"]:
        given.append("--without-pip")
    # Since 3.13; before, no ignore file is made and no option is recorded.
    scm = fields.get("scm_ignore_files", {"git"})
    if not scm:
        given.append("--without-scm-ignore-files")
    elif set(scm) != {"git"}:
        return None
    prompt = fields["prompt"]
    # Since 3.11 what was asked for is kept beside what `.` stood for at that time.
    asked = fields.get("orig_prompt", prompt)
    if asked != prompt and not (asked == "." and prompt == os.path.basename(os.getcwd())):
        return None
    if asked is None:
        return given
    return given + ["--prompt=" + asked] if _is_argument(asked) else None


def _is_argument(value: object) -> bool:
    """Whether a program can be given it without a change; venv writes the `repr` of anything."""
    if type(value) is not str or "\0" in value:
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def context(builder: "venv.EnvBuilder", env_dir: str) -> "types.SimpleNamespace":
    """What CPython gives to the hooks that it calls last, for an environment that is there."""
    import tempfile

    clear = builder.clear
    # With it the environment would be deleted.
    builder.clear = False
    try:
        made = builder.ensure_directories(env_dir)
    finally:
        builder.clear = clear
    made.cfg_path = os.path.join(made.env_dir, "pyvenv.cfg")
    # Debian's leaves the name of the last script in it.
    bin_path = made.bin_path
    with tempfile.TemporaryDirectory() as folder:
        made.bin_path = folder
        builder.setup_scripts(made)
    made.bin_path = bin_path
    return made
