# SPDX-License-Identifier: BSD-2-Clause
"""From a thermometer's log to an LED, without a board: firmware that logs, a model of the log, the same firmware with it."""

import argparse
import io
from functools import partial
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from liteformer import Forecaster
from liteformer.accel import QuantizedModel
from liteformer.accel.compiler import compile_model
from liteformer.accel.random_model import random_model
from liteformer.soc.sensors import sensor
from liteformer.soc.simulation import Simulation

PERIOD = 10_000  # Clock cycles from one row to the next; a second on a board.

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--sensor", choices=sensor.SENSORS, default="xadc")
parser.add_argument("--log", help="CSV that a board has logged, to train with; logged by the simulated SoC if left out")
parser.add_argument("--rows", type=int, default=1500, help="to log and train with")
parser.add_argument("--epochs", type=int, default=20, help="of each training phase")
parser.add_argument("--out", default="build/watch")
arguments = parser.parse_args()
columns, out = sensor.COLUMNS[arguments.sensor], Path(arguments.out)
center = {"xadc": 2620, "i2c": 560}[arguments.sensor]  # 49 and 35 degrees Celsius.


def measured(rows, seed, fault=None):
    """Codes ``(rows, columns)`` of a chip that works half of the time, and from row ``fault`` on without its fan."""
    rng, temperature, codes = np.random.default_rng(seed), float(center), []
    for row in range(rows):
        load = row % 60 < 30
        fan = fault is None or row < fault
        temperature += (center + (60 if load else -60) + (0 if fan else 200) - temperature) / 25
        codes.append([temperature, 1365 - 4 * load, 2458, 1365 - 2 * load] + rng.normal(0, 0.5, 4))
    return np.rint(codes).astype(int)[:, :len(columns)]


def logged(model, codes):
    """What the firmware writes while the sensor measures the codes, as a CSV."""
    with Simulation(compile_model(model), applications=sensor.APPLICATIONS, firmware_flags=(f"-DWATCH_PERIOD={PERIOD}",
                    "-DI2C_TURNS=4"), peripherals=(partial(sensor.add_simulated_sensor, arguments.sensor),),
                    remake=sensor.measuring(codes, PERIOD)) as simulation:
        text = simulation.run(PERIOD * (len(codes) + 1)).decode()
    return text[:text.rindex("\n") + 1]


out.parent.mkdir(parents=True, exist_ok=True)
log = Path(arguments.log or f"{out}.csv")
if not arguments.log:
    # Any model of this shape serves: the log holds what the sensor measures.
    first = random_model(np.random.default_rng(0), window=12, features=len(columns), d_model=8, bits=4)
    log.write_text(logged(first, measured(arguments.rows, seed=1)))
print(f"log: {log}, {len(pd.read_csv(log))} rows of {', '.join(columns)}")

forecaster = Forecaster(window=12, d_model=16, bits=6, epochs=arguments.epochs, teachers=1, neighbours="none", out=str(out))
forecaster.fit(str(log), target="temperature", features=list(columns))
errors = forecaster.metrics["rmse"]
print(f"RMSE in codes: float {errors['float']:.2f}, integer {errors['integer']:.2f}, last value {errors['persistence']:.2f}")

codes = measured(300, seed=2, fault=200)
table = pd.read_csv(io.StringIO(logged(QuantizedModel.load(out), codes)), index_col="step")
before, after = table["led"][:199], table["led"][199:]
print(f"LED on in {before.sum()} of {len(before)} rows with the fan, and in {after.sum()} of {len(after)} without")
table.to_csv(f"{out}_fault.csv")

figure, axes = plt.subplots(figsize=(8, 3.5), layout="constrained")
axes.plot(table["temperature"], label="measured")
axes.plot(table["forecast"], "--", label="forecast of the core")
axes.fill_between(table.index, 0, 1, table["led"] == 1, transform=axes.get_xaxis_transform(), color="tab:red", alpha=0.3,
                  label="LED")
axes.axvline(199, color="black", linewidth=0.8)
axes.set(xlabel="step", ylabel="temperature, code", title="The fan stops at step 199")
axes.legend(loc="upper left")
figure.savefig(f"{out}.png", dpi=120)
print(f"picture: {out}.png")
