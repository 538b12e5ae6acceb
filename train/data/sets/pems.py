# SPDX-License-Identifier: BSD-2-Clause
"""PeMS: the speed of traffic every 5 minutes, at one station."""

import numpy as np

from liteformer.accel.errors import LiteFormerError
from liteformer.train.data import table
from liteformer.train.data.series import Series
from liteformer.train.data.task_series import forecast_series, horizon

WEEK = 2016  # Rows of a week of 5-minute steps.
STATION = "el_segundo"


def load_pems(options):
    """Three weeks of training, one week of test, speed one step ahead from speeds, all that the paper's file holds.

    Args:
        options: TrainOptions; ``sensor`` is the station of a file with header, otherwise the number of a column;
            ``timestamp`` is the first column unless given.
    Returns:
        Series, targets in mph.
    Raises:
        LiteFormerError: missing or bad file, no such sensor, one sentence.
    """
    path = options.path
    if not table.has_header(path):
        if options.target or options.features:
            raise LiteFormerError(f"{path} has no header, so columns have no names; choose one with --sensor")
        try:
            sensor = int(options.sensor or 0)
        except ValueError:
            raise LiteFormerError(f"sensor {options.sensor!r} is not a column number of {path}; give a whole number") from None
        values = table.read_matrix(path, sensor)[:, None]
        names = [f"sensor {sensor}"]
        return Series(values=values, names=names, targets=values, target_names=names, follows=np.ones(len(values), bool),
                      horizon=horizon(options), scaling="standard", boundary=min(3 * WEEK, len(values) * 3 // 4),
                      test_end=4 * WEEK, unit="mph")
    frame = table.read_table(path)
    speed = [f"{options.sensor or STATION}_speed"]
    _, follows, steps = table.time_steps(frame, path, options.timestamp or frame.columns[0])
    return forecast_series(options, frame, path, features=speed, targets=speed, follows=follows, steps=steps,
                           unit="mph", boundary=min(3 * WEEK, len(frame) * 3 // 4), test_end=4 * WEEK)
