# SPDX-License-Identifier: BSD-2-Clause
"""A series of rows in time, and its usable windows."""

from dataclasses import dataclass, field

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from liteformer.accel.errors import LiteFormerError
from liteformer.train.data.steps import Steps

TRAIN, VALIDATION, TEST = range(3)


@dataclass(frozen=True)
class Series:
    """What a loader reads, before windows, splits and scaling.

    Args:
        values: float64 ``(rows, features)``, physical units, NaN where missing; names: one per feature.
        targets: float64 ``(rows, k)``; target_names: one per target.
        follows: bool ``(rows,)``, True where the row is contiguous: one time step after the row before it.
        horizon: forecast the steps 1 to horizon after the window; 0 is the window's last row.
        scaling: "minmax" or "standard", the float model's view of the features.
        boundary: first row of the test part; test_rows: end of the test part (excluded), None is the end of the series.
        split_by: "target": a window belongs to the part of its target rows; "start": to that of its first row.
        unit: physical unit of the targets, for plots.
        parts: ``(rows,)``, TRAIN, VALIDATION or TEST: a window belongs to the part of its last target row, regardless of
            boundary; without VALIDATION rows that part is the last of TRAIN. None splits at boundary.
        classes: names of the classes whose index the only target is; empty for numbers.
        anomalous: bool ``(rows,)``, rows that no training window may contain; None without such labels.
        stride: rows from one window to the next, counted from the beginning of each stretch without gap.
        steps: Steps of the times, None without times.
        notes: sentences on what was left out or taken for something else, for the user.
        filled: bool ``(rows,)``, rows that hold a value from interpolation: none is the last of a window. None without.
        robust: outliers of the training rows count neither for the range of the inputs nor for that of the targets.
        reader: dict of what a model must know to read the same columns again (``reader.read.Table.learned``).
    """

    values: np.ndarray
    names: list
    targets: np.ndarray
    target_names: list
    follows: np.ndarray
    horizon: int
    scaling: str
    boundary: int
    split_by: str = "target"
    test_end: int | None = None
    unit: str = ""
    parts: np.ndarray | None = None
    classes: list = field(default_factory=list)
    anomalous: np.ndarray | None = None
    stride: int = 1
    steps: Steps | None = None
    notes: list = field(default_factory=list)
    filled: np.ndarray | None = None
    reader: dict = field(default_factory=dict)
    robust: bool = False

    @property
    def target_features(self):
        """Position of every target among the features; empty unless all are there."""
        positions = [self.names.index(name) for name in self.target_names if name in self.names]
        return positions if len(positions) == len(self.target_names) else []


def usable_starts(series, window):
    """First rows of all windows without gap and without missing value.

    Args:
        series: Series; window: rows of a window.
    Returns:
        int64 ``(windows,)``, ascending.
    Raises:
        LiteFormerError: the series is shorter than one window and its targets.
    """
    rows, span = len(series.values), window + series.horizon
    if span > rows:
        after = f" and a horizon of {series.horizon}" if series.horizon else ""
        raise LiteFormerError(f"a window of {window} rows{after} is longer than the series of {rows} rows; "
                              "choose a smaller --window or give a longer series")
    complete = np.isfinite(series.values).all(axis=1)
    known = np.isfinite(series.targets).all(axis=1)
    usable = sliding_window_view(complete, window).all(axis=1)[:rows - span + 1]
    if span > 1:
        usable = usable & sliding_window_view(series.follows[1:], span - 1).all(axis=1)
    first = target_offsets(window, series.horizon)[0]
    count = max(series.horizon, 1)
    usable = usable & sliding_window_view(known[first:], count).all(axis=1)[:rows - span + 1]
    if series.filled is not None:
        # The last row must not be interpolated: it would know the row to forecast.
        usable = usable & ~series.filled[window - 1:rows - series.horizon]
    starts = np.flatnonzero(usable)
    origin = np.maximum.accumulate(np.where(series.follows, 0, np.arange(rows)))
    return starts[(starts - origin[starts]) % series.stride == 0]


def shortage(series, window):
    """Why so few windows are usable: gaps, missing values and the longest stretch without; empty if there are none.

    Args:
        series: Series; window: rows of a window.
    """
    missing = ~np.isfinite(np.concatenate([series.values, series.targets], axis=1)).all(axis=1)
    steps = series.steps
    gaps = steps.gaps if steps else 0
    parts = [f"{missing.sum()} hold a missing value"] if missing.any() else []
    parts += [f"{gaps} come after another step than the usual {steps.usual} in column {steps.column!r}"] if gaps else []
    if not parts:
        return ""
    longest = length = 0
    for lost, follows in zip(missing.tolist(), series.follows.tolist()):
        length = 0 if lost else length + 1 if follows else 1
        longest = max(longest, length)
    span, needs = window + series.horizon, "a window and its target need" if series.horizon else "a window needs"
    return (f"of {len(missing)} rows {' and '.join(parts)}; the longest stretch without "
            f"{'either' if len(parts) > 1 else 'one'} has {longest} row{'s' * (longest != 1)}, and {needs} {span}")


def target_offsets(window, horizon):
    """Rows of the targets, counted from the window's first row.

    >>> target_offsets(12, 0).tolist(), target_offsets(12, 2).tolist()
    ([11], [12, 13])
    """
    return np.arange(window, window + horizon) if horizon else np.array([window - 1])


def split(series, window, starts, validation_fraction):
    """Divide windows in time.

    Args:
        starts: int64 ascending, from ``usable_starts``; validation_fraction: of the training windows, the last in time.
    Returns:
        ``(train, validation, test)``: int64 first rows. No target row of validation or test is one of train.
    """
    offsets = target_offsets(window, series.horizon)
    if series.parts is not None:
        part = series.parts[starts + offsets[-1]]
        past, test = starts[part != TEST], starts[part == TEST]
        if (series.parts == VALIDATION).any():
            return starts[part == TRAIN], starts[part == VALIDATION], test
    elif series.split_by == "start":
        past, test = starts[starts < series.boundary], starts[starts >= series.boundary]
    else:
        past = starts[starts + offsets[-1] < series.boundary]
        test = starts[starts + offsets[0] >= series.boundary]
    if series.test_end is not None:
        test = test[test + offsets[-1] < series.test_end]
    count = int(len(past) * (1 - validation_fraction))
    train, validation = past[:count], past[count:]
    if len(validation):
        train = train[train + offsets[-1] < validation[0] + offsets[0]]
    return train, validation, test
