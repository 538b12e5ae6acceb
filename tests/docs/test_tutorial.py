# SPDX-License-Identifier: BSD-2-Clause
"""Every command of docs/tutorial.md runs, in its order; those that need a board are shown to need nothing else."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "tutorial.md").read_text()
# Done by hand: the set-up that has run, and what a cable is needed for.
BY_HAND = ("make setup", "stty -F /dev/ttyUSB1 115200 raw", "head -n 600 /dev/ttyUSB1 > mine.csv")


def commands():
    """Lines of the blocks of commands."""
    return [line for block in re.findall(r"^```\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
            for line in block.splitlines() if not re.search("[─►]|^ |^$", line)]


def run(line, folder):
    """A finished process."""
    program, *arguments = shlex.split(line)
    if program == "python":
        arguments[0] = str(ROOT / arguments[0])
        command = [sys.executable, *arguments]
    else:
        command = [sys.executable, "-c", "from liteformer.flow.cli import main; main()", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def test_commands_are_found():
    found = commands()
    assert set(BY_HAND) < set(found) and len(found) == 11
    assert {line.split()[0] for line in found} == {"make", "python", "liteformer", "stty", "head"}


@pytest.mark.slow
def test_every_command(tmp_path):
    """The board's log is the simulated one; the OrangeCrab's model comes from the command that the text names."""
    pictures = re.findall(r"`(python examples/watch.py --sensor i2c [^`]*)`", TEXT)
    assert len(pictures) == 1 and (ROOT / "docs" / "tutorial" / "watch.png").is_file()
    for line in commands():
        if line in BY_HAND:
            if line.endswith("mine.csv"):
                shutil.copy(tmp_path / "build" / "watch.csv", tmp_path / "mine.csv")
            continue
        if "build/thermometer" in line:
            assert run(pictures[0], tmp_path).returncode == 0
        result = run(line, tmp_path)
        if line.startswith("liteformer load"):
            assert result.returncode == 2 and "bitstream" in result.stderr.splitlines()[-1], result.stderr
            continue
        assert result.returncode == 0, f"{line}\n{result.stderr}"
    led = pd.read_csv(tmp_path / "build" / "watch_fault.csv")["led"]
    assert led[:199].sum() <= 4 and led[199:].sum() >= 1
