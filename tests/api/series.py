# SPDX-License-Identifier: BSD-2-Clause
"""A small series as a frame, and the shortest training of it."""

import numpy as np
import pandas as pd

QUICK = {"window": 6, "d_model": 8, "epochs": 1, "neighbours": "none", "teachers": 1, "batch": 32, "verbose": False}


def frame(rows=400):
    """Hours, with a gap of one number in row 200, a class and a label."""
    rng, time = np.random.default_rng(0), np.arange(rows)
    table = pd.DataFrame({"power": 50 + 20 * np.sin(time / 4) + rng.normal(0, 2, rows), "wind": 8 + rng.normal(0, 2, rows)},
                         pd.date_range("2024-01-01", periods=rows, freq="h", name="time"))
    table.iloc[200, 1] = np.nan
    return table


def activities(rows=800):
    """Two classes in turns of 40 rows, no times."""
    turns = np.arange(rows) // 40 % 2
    rng = np.random.default_rng(1)
    return pd.DataFrame({"a": np.sin(np.arange(rows) * (0.3 + turns)) + rng.normal(0, 0.1, rows),
                         "kind": np.where(turns, "run", "rest")})


def process(rows=900):
    """A sine with faults in the last 300 rows, labelled."""
    rng, time = np.random.default_rng(2), np.arange(rows)
    fault = (time > 600) & (time % 100 < 10)
    return pd.DataFrame({"a": np.sin(time / 5) + rng.normal(0, 0.05, rows) + 3 * fault, "fault": fault.astype(int)})
