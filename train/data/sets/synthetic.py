# SPDX-License-Identifier: BSD-2-Clause
"""The built-in series: a building's hourly power demand with weather, people and events. Seeded, made by this project."""

import numpy as np
import pandas as pd

from liteformer.train.data.task_series import forecast_series

ROWS = 8760  # A year of hours.
NAMES = ["demand", "temperature", "occupancy", "irradiance", "tariff"]


def synthetic_series(rows=ROWS, seed=20240711):
    """Hourly rows of five features; the first, demand, is the one to forecast.

    Demand follows people, the distance from a comfortable temperature and sunshine with delays of several hours, so the
    other features help; cheap-tariff hours start a load that decays; rare events of random size and noise remain
    unpredictable.

    Args:
        rows: length; seed: of NumPy's generator.
    Returns:
        ``(names, values)``: float64 ``(rows, 5)``; kW, degrees Celsius, persons, W/m2, price in cent.
    """
    rng = np.random.default_rng(seed)
    hour, day = np.arange(rows) % 24, np.arange(rows) // 24
    cloud = 1 / (1 + np.exp(-_smooth(rng.normal(0, 1, rows), 0.97) * 2))
    sun = 900 * np.clip(np.sin(np.pi * (hour - 6) / 12), 0, None) * (1 - 0.8 * cloud)
    season = 14 - 9 * np.cos(2 * np.pi * (day + 20) / 365)
    temperature = season + 5 * np.sin(2 * np.pi * (hour - 10) / 24) * (1.2 - cloud) + 3 * _smooth(rng.normal(0, 1, rows), 0.98)
    weekday = day % 7 < 5
    people = np.where(weekday, 180, 25) * np.exp(-((hour - 13) / 4.2) ** 4) * (1 + 0.12 * _smooth(rng.normal(0, 1, rows), 0.9))
    people = np.clip(people + rng.normal(0, 4, rows), 0, None)
    tariff = np.where((hour < 6) | (hour >= 22), 14.0, np.where((hour >= 17) & (hour < 20), 34.0, 24.0))
    tariff[np.isin(day, rng.choice(day[-1] + 1, (day[-1] + 1) // 8, replace=False))] -= 8
    events = (rng.random(rows) < 0.005) * rng.uniform(15, 45, rows)
    demand = (40 + 0.25 * people + 1.6 * _lag(np.abs(temperature - 18), 3) - 0.03 * _lag(sun, 2)
              + _decay(np.where(_lag(tariff, 1) < 15, 9.0, 0.0), 0.7) + _decay(events, 0.75)
              + 2 * _smooth(rng.normal(0, 1, rows), 0.6) + rng.normal(0, 1, rows))
    return NAMES, np.stack([demand, temperature, people, sun, tariff], axis=1)


def load_synthetic(options):
    """Series of the built-in demand, kW, from all five features unless the options say otherwise."""
    names, values = synthetic_series()
    frame = pd.DataFrame(values, columns=names)
    return forecast_series(options, frame, "the synthetic series", features=names, targets=[names[0]],
                           follows=np.ones(len(values), bool), unit="kW")


def _decay(x, keep):
    """Exponential memory: ``y[t] = keep * y[t-1] + x[t]``."""
    y = np.empty_like(x)
    state = 0.0
    for t, value in enumerate(x):
        state = keep * state + value
        y[t] = state
    return y


def _smooth(noise, keep):
    """First-order autoregressive noise of unit variance."""
    return _decay(noise, keep) * np.sqrt(1 - keep ** 2)


def _lag(x, steps):
    return np.concatenate([np.full(steps, x[0]), x[:-steps]])
