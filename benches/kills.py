#!/usr/bin/env python3
"""Kills rvenv and its peers at many moments. Prints a Markdown table of how often that leaves an incomplete environment.

    benches/kills.py --rvenv PATH [--uv PATH] [--virtualenv PATH] [--python PATH] [--folder DIR] [--moments N]

Each command is killed (SIGKILL, with everything it started) at N moments, evenly spread over the time that it takes. Half
is what has neither the names that were there before nor those of a whole run. `peers.sh` leaves uv and virtualenv in its
scratch folder (`/var/tmp/rvenv-bench/peers/bin`).
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time


def names(env_dir):
    found = set()
    for folder, folders, files in os.walk(env_dir):
        # Ignore bytecode of programs that ran in between.
        folders[:] = [name for name in folders if name != "__pycache__"]
        found.update(os.path.relpath(os.path.join(folder, name), env_dir) for name in folders + files)
    return found


def start(command):
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    # Without the caller's variables for Python, pip and certificates.
    environment = {name: os.environ[name] for name in ("HOME", "PATH", "LANG") if name in os.environ}
    return subprocess.Popen(command, env=environment, start_new_session=True, **quiet)


def whole(command):
    """How long a complete run takes, in seconds."""
    started = time.perf_counter()
    if start(command).wait() != 0:
        sys.exit("fails: " + " ".join(command))
    return time.perf_counter() - started


def killed_after(command, seconds):
    child = start(command)
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        # sleep is too coarse for milliseconds.
        if seconds > 0.2:
            time.sleep(0.001)
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    child.wait()


def count(command, clears, moments, folder):
    """How many kills left an incomplete environment."""
    halves = 0
    with tempfile.TemporaryDirectory(dir=folder) as work:
        env_dir = os.path.join(work, "env")

        def prepare():
            shutil.rmtree(work)
            os.mkdir(work)
            if clears:
                whole([part for part in command if part != "--clear"] + [env_dir])
                with open(os.path.join(env_dir, "of the one before"), "w"):
                    pass

        prepare()
        before = names(env_dir)
        times = []
        for _ in range(3):
            prepare()
            times.append(whole(command + [env_dir]))
        after = names(env_dir)
        for moment in range(1, moments + 1):
            prepare()
            killed_after(command + [env_dir], sorted(times)[1] * moment / (moments + 1))
            halves += names(env_dir) not in (before, after)
    return halves


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rvenv", required=True)
    parser.add_argument("--uv")
    parser.add_argument("--virtualenv")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--folder", default=tempfile.gettempdir())
    parser.add_argument("--moments", type=int, default=30)
    args = parser.parse_args()
    commands = {"python -m venv": [args.python, "-m", "venv"]}
    if args.virtualenv:
        commands["virtualenv"] = [args.virtualenv, "-p", args.python, "--no-periodic-update"]
    if args.uv:
        uv = [args.uv, "venv", "--seed", "--no-project", "--no-config", "-p", args.python]
        # The wheels are downloaded once, with the caller's variables.
        with tempfile.TemporaryDirectory() as work:
            subprocess.run(uv + ["--quiet", os.path.join(work, "env")], check=True)
        commands["uv venv --seed"] = uv + ["--offline"]
    commands["rvenv"] = [args.rvenv, "-p", args.python]
    print("| killed at {} moments | {} |".format(args.moments, " | ".join("`%s`" % name for name in commands)))
    print("|---" * (len(commands) + 1) + "|")
    for title, extra in (("a new environment", []), ("`--clear`", ["--clear"])):
        counts = [count(command + extra, bool(extra), args.moments, args.folder) for command in commands.values()]
        print("| {} | {} |".format(title, " | ".join(map(str, counts))))


if __name__ == "__main__":
    main()
