# SPDX-License-Identifier: BSD-2-Clause
"""The built-in process with faults: a pumped water circuit whose sensors are recorded. Seeded, made by this project."""

import numpy as np

from liteformer.train.data.task_series import anomaly_series

ROWS = 10000  # Of one second each.
NAMES = ["flow", "pressure", "current", "temperature", "vibration"]
KINDS = ["stuck", "offset", "leak", "bearing", "noise"]
SHARE = 0.12            # Of all rows, roughly, that belong to a fault.
LENGTHS = (10, 40)      # Shortest and longest fault in rows.


def synthetic_faults(rows=ROWS, seed=20240711):
    """Rows of a circuit that follows a changing demand, with faults in between.

    The faults: a flow sensor that is stuck, a jump of the pressure sensor, a leak (less pressure, more current for the same
    flow), a worn bearing (vibration comes in bursts), a noisy temperature probe.

    Args:
        rows: length; seed: of NumPy's generator.
    Returns:
        ``(values, faulty)``: float64 ``(rows, 5)`` in m3/h, bar, A, degrees Celsius, mm/s; bool ``(rows,)``.
    """
    rng = np.random.default_rng(seed)
    faults = _faults(rng, rows)
    demand = np.repeat(rng.uniform(2, 9, rows // 20 + 1), rng.integers(20, 90, rows // 20 + 1))[:rows]
    faulty, leak = np.zeros(rows, bool), np.zeros(rows)
    for name, start, length in faults:
        faulty[start:start + length] = True
        leak[start:start + length] = rng.uniform(0.25, 0.5) if name == "leak" else 0
    flow = _lag(demand, 0.80) + 0.06 * rng.normal(0, 1, rows)
    pressure = 1.2 + 0.035 * flow ** 2 * (1 - leak) - 1.5 * leak + 0.03 * rng.normal(0, 1, rows)
    current = 3 + 0.55 * flow + 0.02 * flow ** 2 * (1 + 4 * leak) + 0.05 * rng.normal(0, 1, rows)
    temperature = 18 + 1.3 * _lag(current, 0.985) + 0.05 * rng.normal(0, 1, rows)
    vibration = 0.6 + 0.12 * flow + 0.25 * np.abs(np.gradient(flow)) + 0.05 * rng.normal(0, 1, rows)
    for name, start, length in faults:
        part = slice(start, start + length)
        if name == "stuck":
            flow[part] = flow[start]
        elif name == "offset":
            pressure[part] += rng.choice([-1, 1]) * rng.uniform(0.5, 1.2)
        elif name == "bearing":
            vibration[part] += rng.uniform(0.5, 1.2) * (rng.random(length) < 0.6)
        elif name == "noise":
            temperature[part] += rng.normal(0, 0.6, length)
    return np.stack([flow, pressure, current, temperature, vibration], axis=1), faulty


def load_faults(options):
    """Series of the built-in process with its faults, divided in time."""
    values, faulty = synthetic_faults()
    return anomaly_series(options, values, NAMES, faulty.astype(np.float64), "fault", np.ones(len(values), bool))


def _faults(rng, rows):
    """List of ``(kind, first row, rows)`` that do not touch each other."""
    faults, kinds, row = [], [], LENGTHS[1]
    while True:
        length = int(rng.integers(*LENGTHS))
        row += int(rng.uniform(0.5, 1.5) * np.mean(LENGTHS) * (1 / SHARE - 1))
        if row + length > rows:
            return faults
        if not kinds:
            kinds = list(rng.permutation(KINDS))
        faults.append((kinds.pop(), row, length))
        row += length


def _lag(x, keep):
    """First-order delay of unit gain."""
    y, state = np.empty_like(x), x[0]
    for t, value in enumerate(x):
        state = keep * state + (1 - keep) * value
        y[t] = state
    return y
