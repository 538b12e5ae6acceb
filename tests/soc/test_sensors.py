# SPDX-License-Identifier: BSD-2-Clause
"""The firmware that watches a sensor, on simulated ones: its log is what they measured, its forecasts are golden."""

from functools import partial

import numpy as np
import pytest
from litex.soc.cores.bitbang import I2CMasterSim
from migen import Record

from liteformer.accel import golden
from liteformer.accel.compiler import compile_model
from liteformer.accel.random_model import random_model
from liteformer.soc.sensors import sensor
from liteformer.soc.simulation import Simulation

from ..refusal import refusal

PERIOD, ROWS, WINDOW, BAND = 10_000, 12, 4, 8
RNG = np.random.default_rng(3)
CODES = {"xadc": RNG.integers(0, 4096, (ROWS, 4)), "i2c": RNG.integers(-2048, 2048, (ROWS, 1))}
HEADERS = {"xadc": "step,temperature,vccint,vccaux,vccbram,forecast,led", "i2c": "step,temperature,forecast,led"}


def model_of(kind):
    """Random weights, raw counts of 1/8 of a code with an offset, outputs of 1/4 of a code."""
    features = len(sensor.COLUMNS[kind])
    model = random_model(np.random.default_rng(5), window=WINDOW, features=features, d_model=8, bits=4)
    config = model.config.model_copy(update={"raw_scale": [8.0] * features, "raw_offset": [100.0] * features,
                                             "output_scale": [4.0], "output_offset": [50.0]})
    return type(model)(config, model.tensors)


def logged(kind, codes, add=sensor.add_simulated_sensor):
    """Lines that the firmware writes."""
    with Simulation(compile_model(model_of(kind)), applications=sensor.APPLICATIONS, firmware_flags=(
                    f"-DWATCH_PERIOD={PERIOD}", "-DI2C_TURNS=2", f"-DWATCH_BAND={BAND}"), peripherals=(partial(add, kind),),
                    remake=sensor.measuring(codes, PERIOD)) as simulation:
        text = simulation.run(PERIOD * (len(codes) + 1)).decode()
    return text[:text.rindex("\n")].splitlines()


def expected(kind, codes):
    """Rows of the log for samples of these codes: codes, forecast, LED."""
    model, rows, wanted = model_of(kind), [], None
    for step, row in enumerate(codes):
        on = wanted is not None and abs(wanted - 4 * row[0]) >= 4 * BAND
        rows.append([*row, "" if wanted is None else wanted >> 2, int(on)])
        if step >= WINDOW - 1:
            raw = (codes[step - WINDOW + 1:step + 1] - 100) * 8
            wanted = int(golden.infer(model, raw[None])[0, 0]) + 200
    return [",".join(map(str, row)) for row in rows]


@pytest.mark.parametrize("kind", sensor.SENSORS)
def test_log_forecasts_and_led(kind):
    header, *lines = logged(kind, CODES[kind])
    assert header == HEADERS[kind]
    steps, rows = zip(*(line.split(",", 1) for line in lines))
    assert steps == tuple(map(str, range(len(rows)))) and len(rows) >= ROWS - 1
    # The first sample is taken one period after the start.
    begin = next(first for first in (0, 1) if rows[0] == expected(kind, CODES[kind][first:])[0])
    wanted = expected(kind, CODES[kind][begin:])
    assert list(rows[:len(wanted)]) == wanted
    assert any(row.endswith(",1") for row in wanted) and any(row.endswith(",0") for row in wanted[:WINDOW])
    # Negative control: one code off in a window changes what follows.
    wrong = CODES[kind][begin:].copy()
    wrong[4, 0] ^= 1024
    assert list(rows[:len(wanted)]) != expected(kind, wrong)


@pytest.mark.slow
def test_a_bus_without_a_sensor():
    """No line but the names, and no forecast from samples that were not taken."""
    def add(kind, soc):
        pads = Record(I2CMasterSim.pads_layout)
        soc.i2c = I2CMasterSim(pads)
        soc.comb += pads.sda_in.eq(1)
    with Simulation(compile_model(model_of("i2c")), applications=sensor.APPLICATIONS, peripherals=(partial(add, "i2c"),),
                    firmware_flags=(f"-DWATCH_PERIOD={PERIOD}", "-DI2C_TURNS=2")) as simulation:
        assert simulation.run(5 * PERIOD).decode().splitlines() == [HEADERS["i2c"]]


def test_codes_that_no_sensor_measures():
    assert refusal(lambda: sensor.measuring(np.zeros((0, 1), int), 100)) == (
        "a simulated sensor takes 1 to 65535 rows of 1 to 4 codes, and a period from 1 cycle on")
    assert refusal(lambda: sensor.measuring(np.full((2, 1), 4096), 100)) == (
        "a code of a simulated sensor does not fit 12 bits; check the temperatures' scale")
