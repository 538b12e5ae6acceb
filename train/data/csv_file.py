# SPDX-License-Identifier: BSD-2-Clause
"""Any CSV with a header, for every task: the options name its columns."""

import numpy as np
import pandas as pd

from liteformer.accel.errors import LiteFormerError
from liteformer.train.data import table
from liteformer.train.data.recordings import starts_of
from liteformer.train.data.task_series import anomaly_labels, anomaly_series, class_name, class_series, forecast_series, horizon


def load_forecast(options):
    """Series that forecasts ``options.target``; features are all numeric columns except the time unless given.

    Raises:
        LiteFormerError: missing or bad file, no such column, one sentence.
    """
    frame, path = table.read_table(options.path), options.path
    follows, steps = np.ones(len(frame), bool), None
    if options.timestamp:
        _, follows, steps = table.time_steps(frame, path, options.timestamp)
    features = options.features
    if not features:
        features = [str(name) for name in frame.columns
                    if name != options.timestamp and pd.api.types.is_numeric_dtype(frame[name])
                    and not (options.horizon == 0 and name in options.target)]
        features += [name for name in options.target if name not in features and horizon(options)]
    return forecast_series(options, frame, path, features=features, targets=options.target, follows=follows, steps=steps)


def load_classes(options):
    """Series of the classes in ``options.label``, any text or number; NaN where a row has none.

    Raises:
        LiteFormerError: missing or bad file, no such column, one sentence.
    """
    frame, path = table.read_table(options.path), options.path
    groups, follows, steps = _order(frame, path, options)
    cells = table.cells(frame, path, options.label)
    values = sorted(cells.dropna().unique(), key=lambda value: (isinstance(value, str), value))
    labels = np.full(len(cells), np.nan)
    for index, value in enumerate(values):
        labels[cells.to_numpy() == value] = index
    classes, names = [class_name(value) for value in values], _features(frame, options)
    return class_series(options, _columns(frame, path, names), names, labels, classes, options.label, groups=groups,
                        follows=follows, steps=steps)


def load_anomalies(options):
    """Series with the anomalies of ``options.label``: 1 for one, 0 for none; rows with an empty cell are in no
    window.

    Raises:
        LiteFormerError: missing or bad file, no such column, another label, one sentence.
    """
    frame, path = table.read_table(options.path), options.path
    groups, follows, steps = _order(frame, path, options)
    if groups is not None:
        follows = follows & ~starts_of(groups)
    labels, names = anomaly_labels(frame, path, options.label), _features(frame, options)
    return anomaly_series(options, _columns(frame, path, names), names, labels, options.label, follows, steps=steps)


def _order(frame, path, options):
    """``(groups, follows, steps)``: the column of recordings or None, where rows are contiguous in time, and Steps or None."""
    groups = None if options.group is None else table.cells(frame, path, options.group).astype(str).to_numpy()
    follows, steps = np.ones(len(frame), bool), None
    if options.timestamp:
        breaks = None if groups is None else starts_of(groups)
        _, follows, steps = table.time_steps(frame, path, options.timestamp, breaks)
    return groups, follows, steps


def _features(frame, options):
    """Names of the input columns; all numeric ones but label, group and time unless given."""
    others = (options.label, options.group, options.timestamp)
    return options.features or [str(name) for name in frame.columns
                                if name not in others and pd.api.types.is_numeric_dtype(frame[name])]


def _columns(frame, path, names):
    if not names:
        raise LiteFormerError(f"{path} has no numeric column besides the label; name the inputs with --features")
    return table.columns(frame, path, names)
