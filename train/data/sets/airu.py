# SPDX-License-Identifier: BSD-2-Clause
"""AirU: air quality sensors, hourly; ozone from seven features, by the protocol of its paper."""

import numpy as np
import pandas as pd

from liteformer.accel.errors import LiteFormerError
from liteformer.train.data import table
from liteformer.train.data.task_series import forecast_series

FEATURES = ["PM1", "PM2_5", "PM10", "Temperature", "Humidity", "RED", "NOX"]
TARGETS = ["OZONE"]
TEST = "2022-01-01 00:00"  # First row of the test part.


def load_airu(options):
    """Becnel et al.'s protocol: windows by their first row, ozone at the last row, features to [0, 1].

    Args:
        options: TrainOptions; ``timestamp`` is the first column unless given.
    Returns:
        Series, targets in ppb.
    Raises:
        LiteFormerError: missing or bad file, one sentence.
    """
    frame, path = table.read_table(options.path), options.path
    times, follows, steps = table.time_steps(frame, path, options.timestamp or frame.columns[0])
    if times.dtype.kind != "M":
        raise LiteFormerError(f"{path}: the first column of an AirU file must be times; name the column with --timestamp")
    # The published protocol omits the window that ends with the last row of the file.
    follows[-1] = False
    boundary = int(np.searchsorted(times, np.datetime64(pd.Timestamp(TEST))))
    return forecast_series(options, frame, path, features=FEATURES, targets=TARGETS, follows=follows, steps=steps, horizon=0,
                           scaling="minmax", boundary=boundary, split_by="start", unit="ppb")
