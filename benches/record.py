#!/usr/bin/env python3
"""Records a session at a terminal as docs/terminal.svg, for the guide.

    benches/record.py PROGRAM [PYTHON...]

Runs PROGRAM as `rvenv` in bash at a pseudo-terminal, in a temporary directory that is shown as /home/me/project. The first PYTHON
is `python3` on PATH (default: this one); the others are installed in pyenv.
"""

import fcntl
import os
import pathlib
import pty
import re
import select
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
import time
from xml.sax.saxutils import escape

COMMANDS = [
    "rvenv .venv",
    "rvenv --list-pythons",
    "mv .venv moved",
    "rvenv --check moved",
    "rvenv --upgrade moved",
    "rvenv --check moved",
]
COLUMNS = 122
PROMPT = "$ "
# Delays for the reader: seconds before each command, and for each of its characters.
PAUSE, KEY = 1.0, 0.04
STYLE = """
text { font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #1f2328; }
.back { fill: #f6f8fa; stroke: #d1d9e0; }
.typed { font-weight: 600; }
.red { fill: #d1242f; }
.yellow { fill: #9a6700; }
@keyframes appear { from { opacity: 0; } to { opacity: 1; } }
text { animation: appear 0.01s backwards; }
@media (prefers-reduced-motion: reduce) { text { animation: none; } }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc; }
  .back { fill: #151b23; stroke: #3d444d; }
  .red { fill: #ff7b72; }
  .yellow { fill: #d29922; }
}
"""


class Terminal:
    """bash at a pseudo-terminal, and its output with the time since the start of the command."""

    def __init__(self, folder, environment):
        self.process, self.terminal = pty.fork()
        if self.process == 0:
            os.chdir(str(folder))
            os.execve("/bin/bash", ["bash", "--noprofile", "--norc"], environment)
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, COLUMNS, 0, 0))
        self.until_prompt()

    def until_prompt(self):
        """The output until the next prompt, in pieces."""
        started, pieces = time.monotonic(), []
        while not "".join(text for _, text in pieces).endswith(PROMPT):
            if not select.select([self.terminal], [], [], 60)[0]:
                sys.exit("record.py: no prompt: {}".format(pieces))
            pieces.append((time.monotonic() - started, os.read(self.terminal, 65536).decode()))
        return pieces

    def run(self, command):
        """The lines that a command prints, each with its time."""
        os.write(self.terminal, command.encode() + b"\n")
        lines, line = [], ""
        for when, text in self.until_prompt():
            for part in re.split(r"(\r?\n)", text):
                if part.strip("\r") == "\n":
                    lines.append((when, line))
                    line = ""
                else:
                    line += part
        # The first line is the echo of the input. A carriage return is used to overwrite a spinner.
        return [(when, shown(line)) for when, line in lines[1:]]


def shown(line):
    """A line after its carriage returns have been applied."""
    text = ""
    for part in line.split("\r"):
        text = part + text[len(part) :]
    return text.rstrip()


def aligned(lines):
    """The lines of a table, aligned again after paths have been replaced."""
    table = [re.split(r" {2,}|\t", line) for _, line in lines]
    if not table or len(table[0]) < 3 or any(len(row) != len(table[0]) for row in table):
        return lines
    widths = [max(map(len, column)) for column in zip(*table)]
    rows = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in table]
    return [(when, row) for (when, _), row in zip(lines, rows)]


def wrapped(line):
    """A line wrapped at the width of the terminal."""
    line = line.expandtabs(8)
    return [line[start : start + COLUMNS] for start in range(0, max(len(line), 1), COLUMNS)]


def session(program, pythons):
    """The commands, each with the lines that it prints."""
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name).resolve()
        home, programs = root / "home", root / "bin"
        (home / "project").mkdir(parents=True)
        (home / ".pyenv" / "versions").mkdir(parents=True)
        programs.mkdir()
        (programs / "rvenv").symlink_to(pathlib.Path(program).resolve())
        (programs / "python3").symlink_to(pythons[0])
        for python in pythons[1:]:
            script = "import platform, sys; print(platform.python_version(), sys.base_prefix)"
            version, prefix = subprocess.check_output([python, "-c", script]).decode().split()
            (home / ".pyenv" / "versions" / version).symlink_to(prefix)
        environment = {
            "HOME": str(home),
            "PATH": "{}:/usr/bin:/bin".format(programs),
            "PS1": PROMPT,
            "TERM": "xterm",
            "LANG": "C.UTF-8",
        }
        terminal = Terminal(home / "project", environment)
        names = [(str(home), "/home/me"), (str(programs), "/usr/local/bin")]
        for command in COMMANDS:
            lines = []
            for when, line in terminal.run(command):
                for path, shown_as in names:
                    line = line.replace(path, shown_as)
                lines.append((when, line))
            yield command, [(when, row) for when, line in aligned(lines) for row in wrapped(line)]


def spans(line):
    """The text of a line with its colors."""
    kinds, text = [], ""
    for part in re.split(r"(\x1b\[[0-9;]*m)", line):
        code = re.match(r"\x1b\[([0-9;]*)m", part)
        if not code:
            text += '<tspan class="{}">{}</tspan>'.format(" ".join(kinds), escape(part)) if kinds and part else escape(part)
            continue
        for number in code.group(1).split(";"):
            kind = {"1": "typed", "31": "red", "33": "yellow"}.get(number)
            kinds = kinds + [kind] if kind else []
    return text


def draw(recorded):
    parts, y, now = [], 12, 0.5
    for command, lines in recorded:
        y += 20
        # A command appears as a whole, at the time at which it would have been typed.
        now += PAUSE + KEY * len(command)
        place = '<text x="14" y="{}"{} style="animation-delay: {:.2f}s">{}</text>'
        parts.append(place.format(y, ' class="typed"', now, escape(PROMPT + command)))
        for when, line in lines:
            y += 20
            parts.append(place.format(y, "", now + when, spans(line)))
        now += max([when for when, _ in lines], default=0)
    width, height = int(28 + COLUMNS * 7.83), y + 20
    head = '<svg xmlns="http://www.w3.org/2000/svg" width="{0}" height="{1}" viewBox="0 0 {0} {1}" role="img" xml:space="preserve">'
    back = '<rect class="back" x="0.5" y="0.5" width="{}" height="{}" rx="6"/>'.format(width - 1, height - 1)
    title = "<title>rvenv at a terminal</title>"
    return "\n".join([head.format(width, height), title, "<style>" + STYLE + "</style>", back] + parts + ["</svg>"]) + "\n"


def main():
    if len(sys.argv) < 2:
        sys.exit("usage: record.py PROGRAM [PYTHON...]")
    pythons = [shutil.which(python) for python in sys.argv[2:]] or [sys.executable]
    picture = draw(session(sys.argv[1], pythons))
    (pathlib.Path(__file__).resolve().parent.parent / "docs" / "terminal.svg").write_text(picture, encoding="utf-8")


main()
