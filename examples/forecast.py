# SPDX-License-Identifier: BSD-2-Clause
"""A frame with times, a forecast of its next row, and the same forecast computed by the simulated SoC."""

import argparse

import numpy as np
import pandas as pd

from liteformer import Forecaster

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--epochs", type=int, default=20, help="of each training phase")
parser.add_argument("--windows", type=int, default=4, help="on the simulated SoC")
arguments = parser.parse_args()

hours = pd.date_range("2026-01-01", periods=1500, freq="h", name="time")
rng, day = np.random.default_rng(0), 2 * np.pi * np.arange(len(hours)) / 24
table = pd.DataFrame({"load": 50 + 20 * np.sin(day) + 5 * np.sin(7 * day) + rng.normal(0, 1, len(hours)),
                      "outside": 10 + 6 * np.sin(day - 1) + rng.normal(0, 1, len(hours))}, hours).round(2)

forecaster = Forecaster(window=12, d_model=16, bits=4, epochs=arguments.epochs, teachers=1, neighbours="none", seed=1)
forecaster.fit(table, target="load")
errors = forecaster.metrics["rmse"]
print(f"RMSE on the test set: float {errors['float']:.2f}, 4-bit integers {errors['integer']:.2f}, "
      f"last value repeated {errors['persistence']:.2f}")
rows = table[-(11 + arguments.windows):]
both = pd.DataFrame({"golden model": forecaster.predict(rows)["load"],
                     "simulated SoC": forecaster.predict(rows, on="soc")["load"]})
print(both)
assert (both["golden model"] == both["simulated SoC"]).all()
