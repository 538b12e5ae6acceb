# SPDX-License-Identifier: BSD-2-Clause
"""Models of the shapes in which something differs, for the tests of the exporters, and windows for them."""

from dataclasses import replace

import numpy as np

from liteformer.accel.model import AnomalySettings
from liteformer.accel.random_model import random_model
from liteformer.flow.common.inputs import random_windows

SHAPES = {
    "readme": {"window": 12, "features": 7, "d_model": 32, "bits": 4},
    "mean": {"window": 6, "features": 3, "d_model": 16, "bits": 8, "readout": "mean", "outputs": 3},
    "layers": {"window": 5, "features": 2, "d_model": 12, "bits": 5, "heads": 3, "layers": 2, "ffn": 10,
               "skip": "persistence", "outputs": 2},
    "patches": {"window": 24, "patch": 8, "stride": 8, "features": 2, "d_model": 8, "bits": 3},
    "overlap": {"window": 13, "patch": 5, "stride": 2, "features": 1, "d_model": 8, "bits": 6, "readout": "mean"},
    "one token": {"window": 4, "patch": 4, "stride": 4, "features": 2, "d_model": 4, "bits": 2},
    "classes": {"window": 8, "features": 3, "d_model": 8, "bits": 4, "outputs": 5},
    "alarms": {"window": 4, "features": 3, "d_model": 8, "bits": 4, "outputs": 2},
    "calibrated": {"window": 4, "features": 3, "d_model": 8, "bits": 4, "outputs": 2},
}


def model_of(name):
    """The random model of a shape."""
    model = random_model(np.random.default_rng(list(SHAPES).index(name)), **SHAPES[name])
    if name == "classes":
        return _with(model, task="classification", class_names=list("abcde"), target_features=[])
    if name in ("alarms", "calibrated"):
        learned  = {"calibration": 2, "level": 4000} if name == "calibrated" else {}
        settings = AnomalySettings(shifts=[0, 1], gains=[1, 0], smoothing=2, threshold=40_000, **learned)
        return _with(model, task="anomaly", raw_scale=[1.0, 4.0, 1.0], output_scale=[1.0, 2.0], anomaly=settings)
    return model


def _with(model, **fields):
    return replace(model, config=type(model.config)(**model.config.model_dump() | fields))


def windows_of(model, count):
    """Random windows, a share of extreme values among them; then windows of nothing but the extremes and the constants."""
    raw, ends = random_windows(model, count, 5), (-(1 << 31), (1 << 31) - 1, 0, -1, 1)
    rng = np.random.default_rng(6)
    raw[-16:-8] = np.array(ends)[rng.integers(len(ends), size=raw[-16:-8].shape)]
    for number, value in enumerate(ends):
        raw[-1 - number] = value
    return raw


def series_of(model, count):
    """Windows that continue each other, with a jump in the middle."""
    config, rng = model.config, np.random.default_rng(7)
    parts = [rng.integers(-30_000, 30_000, (count // 2 + config.window - 1, config.features)) for _ in range(2)]
    return np.concatenate([np.lib.stride_tricks.sliding_window_view(part, config.window, axis=0).transpose(0, 2, 1)
                           for part in parts])
