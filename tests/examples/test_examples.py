# SPDX-License-Identifier: BSD-2-Clause
"""The examples run as they stand, in a folder of their own, with short trainings."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from liteformer.accel import golden
from liteformer.accel.random_model import random_model
from liteformer.flow.export.c_files import write_c

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(name, folder, *arguments):
    """What an example prints."""
    result = subprocess.run([sys.executable, EXAMPLES / name, *map(str, arguments)], cwd=folder, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_litex_soc(tmp_path):
    text = run("litex_soc.py", tmp_path)
    assert re.search(r"window of the core at 0x\w{8}, registers at 0x\w{8}, \d+ cycles an inference", text)
    assert "module liteformer_soc" in (tmp_path / "build" / "litex_soc" / "liteformer_soc.v").read_text()


def test_microcontroller(tmp_path):
    """Equal to the golden model for every window of a stream."""
    model = random_model(np.random.default_rng(1), window=4, features=2, d_model=8, bits=4, outputs=3)
    rows = np.random.default_rng(2).integers(-30_000, 30_000, (40, 2))
    raw = np.lib.stride_tricks.sliding_window_view(rows, 4, axis=0).transpose(0, 2, 1)
    write_c(model, tmp_path, raw[:1])
    subprocess.run(["cc", "-Wall", "-Wextra", "-Werror", f"-I{tmp_path}", EXAMPLES / "microcontroller.c",
                    tmp_path / "liteformer_model.c", "-o", tmp_path / "forecast"], check=True)
    text = "\n".join(" ".join(map(str, row)) for row in rows.tolist())
    found = subprocess.run([tmp_path / "forecast"], input=text, capture_output=True, text=True, check=True).stdout
    np.testing.assert_array_equal(np.loadtxt(found.splitlines(), dtype=np.int64), golden.infer(model, raw))


@pytest.mark.slow
def test_forecast(tmp_path):
    text = run("forecast.py", tmp_path, "--epochs", 1, "--windows", 2)
    assert "RMSE on the test set: float " in text and text.count("2026-03-04") == 2


@pytest.mark.slow
def test_alarms(tmp_path):
    text = run("alarms.py", tmp_path, "--epochs", 1)
    assert "64 windows: " in text and (tmp_path / "build" / "alarms_explained.png").stat().st_size > 5_000


@pytest.mark.slow
@pytest.mark.parametrize("sensor", ["xadc", "i2c"])
def test_watch(sensor, tmp_path):
    """The fault is seen, and nothing else."""
    text = run("watch.py", tmp_path, "--sensor", sensor, "--epochs", 8, "--rows", 600)
    on, rows, after = map(int, re.search(r"LED on in (\d+) of (\d+) rows with the fan, and in (\d+) of", text).groups())
    assert on <= rows // 20 and after >= 1 and (tmp_path / "build" / "watch.png").stat().st_size > 5_000


def test_every_example_is_listed_and_run():
    names = {path.name for path in EXAMPLES.iterdir() if path.suffix in (".py", ".c")}
    assert names == set(re.findall(r"^\| \[([\w.]+)\]", (EXAMPLES / "README.md").read_text(), re.MULTILINE))
    own = Path(__file__).read_text()
    assert not [name for name in names if f'"{name}"' not in own]
