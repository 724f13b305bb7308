"""Draws prompts in an interactive shell on a pseudo-terminal, and prints them as JSON, one for each line that it runs.

stdin: JSON with `argv`, the lines to begin with (`setup`) and the `lines` after which a prompt is taken. Each line prints
START and a newline when it is done; every prompt ends with END.
"""

import fcntl
import json
import os
import pty
import select
import struct
import sys
import termios
import time


def read_prompt(terminal):
    """What the shell writes after the last START, up to END."""
    text = b""
    limit = time.monotonic() + 60
    while time.monotonic() < limit:
        _, started, prompt = text.rpartition(b"START\r\n")
        if started and b"END" in prompt:
            return prompt.partition(b"END")[0]
        if select.select([terminal], [], [], 1)[0]:
            try:
                text += os.read(terminal, 65536)
            except OSError:
                break
    sys.exit("no prompt in " + repr(text))


def main():
    task = json.load(sys.stdin)
    process, terminal = pty.fork()
    if process == 0:
        os.execv(task["argv"][0], task["argv"])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 1000, 0, 0))
    prompts = []
    for line in task["setup"] + task["lines"]:
        os.write(terminal, line.encode() + b"\n")
        prompts.append(read_prompt(terminal).decode(errors="replace").replace("\r", ""))
    os.close(terminal)
    json.dump(prompts[len(task["setup"]) :], sys.stdout)


main()
