"""Draws prompts in an interactive shell on a pseudo-terminal, and prints them as JSON, one for each line that is given.

stdin: JSON with argv, the first lines (`setup`), the end of every prompt (`end`) and the `lines`, after each of which the
prompt that follows is taken.
"""

import fcntl
import json
import os
import pty
import re
import select
import struct
import sys
import termios
import time

PATIENCE = 60


def read_until(terminal, end, count):
    """What the shell writes until `end` has come `count` times and nothing follows at once."""
    text = b""
    limit = time.monotonic() + PATIENCE
    while time.monotonic() < limit:
        ready, _, _ = select.select([terminal], [], [], 0.02 if text.count(end) >= count else 1)
        if not ready:
            if text.count(end) >= count:
                return text
            continue
        try:
            data = os.read(terminal, 65536)
        except OSError:
            data = b""
        if not data:
            break
        if b"\x1b[6n" in data:
            os.write(terminal, b"\x1b[1;1R")
        if b"\x1b[c" in data or b"\x1b[0c" in data:
            os.write(terminal, b"\x1b[?62c")
        text += data
    sys.exit("no prompt in " + repr(text))


def main():
    task = json.load(sys.stdin)
    end = task["end"].encode()
    process, terminal = pty.fork()
    if process == 0:
        os.execv(task["argv"][0], task["argv"])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 500, 0, 0))
    for line in task["setup"]:
        os.write(terminal, line.encode() + b"\n")
        read_until(terminal, end, 1)
    drawn = []
    for line in task["lines"]:
        os.write(terminal, line.encode() + b"\n")
        # The terminal echoes no line of its own: the shells draw, echo off.
        text = read_until(terminal, end, 1)
        text = re.sub(rb"\x1b(\[[0-9;?]*[a-zA-Z]|\(B|[=>])|\x1b\][^\x07]*\x07", b"", text)
        drawn.append(text.decode(errors="replace"))
    os.close(terminal)
    json.dump(drawn, sys.stdout)


main()
