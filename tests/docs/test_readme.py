# SPDX-License-Identifier: BSD-2-Clause
"""Caveats of the README's first page, and its example of a pipe."""

import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

from liteformer.accel.random_model import random_model

ROOT = Path(__file__).parents[2]


def text_of(document):
    """A document in one line."""
    return " ".join((ROOT / document).read_text().split())


def test_caveats_stand_before_the_figures():
    """What clock, area and the last readout's figures are, before the first of them."""
    before, _, after = text_of("README.md").partition("<!-- begin figures -->")
    for said in ("never run on hardware", "cycles are simulated", "counted by Yosys", "a 100 MHz clock that no place and route",
                 "or the *last* one alone, which computes a quarter of the paper's multiply-accumulates"):
        assert said in before and said not in after, said


def test_the_last_readout_computes_a_quarter():
    work = {readout: random_model(np.random.default_rng(1), window=12, d_model=32, bits=4, features=7,
                                  readout=readout).config.macs for readout in ("last", "mean")}
    assert round(work["mean"] / work["last"]) == 4


@pytest.mark.parametrize("document", ["README.md", "docs/run.md"])
def test_the_pipe_sends_the_header(document, tmp_path):
    """Of a file with more than the ten lines that `tail -f` begins with."""
    rows = ["time,a,b", *(f"{row},1,2" for row in range(40))]
    (tmp_path / "sensors.csv").write_text("\n".join(rows) + "\n")
    found, = re.findall(r"^(tail .*?) \| liteformer run ", (ROOT / document).read_text(), re.MULTILINE)
    assert " -f " in found

    def sent(command):
        command = command.replace(" -f ", " ")  # It would not end.
        return subprocess.run(command.split(), cwd=tmp_path, capture_output=True, text=True, check=True).stdout.splitlines()

    assert sent(found) == rows
    assert sent("tail -f sensors.csv") == rows[-10:]  # Negative control.
