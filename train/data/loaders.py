"""The data sets by name, each read into a Series."""

import numpy as np
import pandas as pd

from liteformer.accel.errors import LiteFormerError
from liteformer.train.data import table
from liteformer.train.data.recordings import unique_names
from liteformer.train.data.series import Series
from liteformer.train.data.synthetic import synthetic_series

AIRU_FEATURES = ["PM1", "PM2_5", "PM10", "Temperature", "Humidity", "RED", "NOX"]
AIRU_TEST = "2022-01-01 00:00"
PEMS_WEEK = 2016  # Rows of a week of 5-minute steps.
PEMS_STATION = "el_segundo"


def _horizon(options):
    return 1 if options.horizon is None else options.horizon


def load_synthetic(options):
    names, values = synthetic_series()
    frame = pd.DataFrame(values, columns=names)
    return _from_frame(frame, "the synthetic series", options, features=names, targets=[names[0]],
                       follows=np.ones(len(values), bool), unit="kW")


def load_airu(options):
    """Becnel et al.'s protocol: windows by their first row, ozone at the last row, features to [0, 1]."""
    frame, path = table.read_table(options.path), options.path
    targets, features = options.target or ["OZONE"], options.features or AIRU_FEATURES
    times, follows = table.time_steps(frame, path, options.timestamp or frame.columns[0])
    if times.dtype.kind != "M":
        raise LiteFormerError(f"{path}: the first column of an AirU file must be times; name the column with --timestamp")
    # The published protocol does not count the window that ends with the last row of the file.
    follows[-1] = False
    boundary = int(np.searchsorted(times, np.datetime64(pd.Timestamp(AIRU_TEST))))
    return Series(values=_columns(frame, path, features), names=unique_names(features, "feature"),
                  targets=_columns(frame, path, targets), target_names=unique_names(targets, "target"), follows=follows,
                  horizon=0, scaling="minmax", boundary=boundary, split_by="start", unit="ppb")


def load_pems(options):
    """Three weeks of training, one week of test, speed one step ahead from speeds, all that the paper's file holds."""
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
                      horizon=_horizon(options), scaling="standard", boundary=min(3 * PEMS_WEEK, len(values) * 3 // 4),
                      test_end=4 * PEMS_WEEK, unit="mph")
    frame = table.read_table(path)
    station = options.sensor or PEMS_STATION
    _, follows = table.time_steps(frame, path, options.timestamp or frame.columns[0])
    speed = [f"{station}_speed"]
    series = _from_frame(frame, path, options, features=options.features or speed, targets=options.target or speed,
                         follows=follows, unit="mph")
    return Series(**vars(series) | {"boundary": min(3 * PEMS_WEEK, len(frame) * 3 // 4), "test_end": 4 * PEMS_WEEK})


def load_csv(options):
    frame, path = table.read_table(options.path), options.path
    follows = np.ones(len(frame), bool)
    if options.timestamp:
        _, follows = table.time_steps(frame, path, options.timestamp)
    features = options.features
    if not features:
        features = [str(name) for name in frame.columns
                    if name != options.timestamp and pd.api.types.is_numeric_dtype(frame[name])
                    and not (options.horizon == 0 and name in options.target)]
        features += [name for name in options.target if name not in features and _horizon(options)]
    return _from_frame(frame, path, options, features=features, targets=options.target, follows=follows)


def _from_frame(frame, path, options, *, features, targets, follows, unit=""):
    features, targets = options.features or features, options.target or targets
    return Series(values=_columns(frame, path, features), names=unique_names(features, "feature"),
                  targets=_columns(frame, path, targets), target_names=unique_names(targets, "target"), follows=follows,
                  horizon=_horizon(options), scaling="standard", boundary=int(len(frame) * (1 - options.test_fraction)),
                  unit=unit)


def _columns(frame, path, names):
    return np.stack([table.column(frame, path, name) for name in names], axis=1)
