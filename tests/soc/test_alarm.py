# SPDX-License-Identifier: BSD-2-Clause
"""The example application: builds for both CPUs, and its LED follows the forecast."""

import numpy as np
import pytest

from liteformer.accel import golden
from liteformer.accel.compiler import compile_model
from liteformer.accel.core import LiteFormerCore
from liteformer.accel.random_model import random_model
from liteformer.soc.generate import write_verilog
from liteformer.soc.platform import simulation_platform
from liteformer.soc.simulation import Simulation
from liteformer.soc.soc import LiteFormerSoC


@pytest.fixture(scope="module")
def model():
    return random_model(np.random.default_rng(7), window=6, features=3, d_model=8, bits=4)


def application(folder, threshold=0, period=4000):
    """alarm.c with another threshold and a sample every ``period`` cycles."""
    path = folder / "fast.c"
    path.write_text(f'#define ALARM_THRESHOLD ({threshold})\n#define ALARM_PERIOD {period}\n#include "alarm.c"\n')
    return path


def sensor(count, features):
    """Samples int64 ``(count, features)`` of the example's stub."""
    phase = np.arange(count)[:, None] + 5 * np.arange(features)
    return (np.where(phase & 32, ~phase & 31, phase & 31) << 9) - (16 << 9)


@pytest.mark.parametrize("cpu", ["vexriscv", "serv"])
def test_it_fits(tmp_path, cpu, model):
    """Driver and application take a quarter of the ROM."""
    soc = LiteFormerSoC(simulation_platform(), 1e8, LiteFormerCore(compile_model(model)), cpu_type=cpu,
                        applications=("alarm.c",))
    write_verilog(soc, tmp_path)
    assert 300 < len(soc.firmware) <= 1400


def test_the_led_follows_the_forecast(tmp_path, model):
    steps = 60
    rows = sensor(steps, 3)
    windows = np.lib.stride_tricks.sliding_window_view(rows, (6, 3))[:, 0]
    forecast = golden.infer(model, windows)[:, 0]
    threshold = int(np.median(forecast))
    expected = "".join("!" if value > threshold else "." for value in forecast)
    assert 10 < expected.count("!") < steps - 15
    with Simulation(compile_model(model), applications=(application(tmp_path, threshold),)) as simulation:
        shown = simulation.run(4000 * (steps + 1), len(expected)).decode()
    assert shown == expected
    assert "".join("!" if value > threshold else "." for value in golden.infer(model, windows + 64)[:, 0]) != shown
