# SPDX-License-Identifier: BSD-2-Clause
"""SKAB, the Skoltech anomaly benchmark, as its owners publish it: CSV files with semicolons in folders of experiments."""

from pathlib import Path

import numpy as np
import pandas as pd

from liteformer.accel.errors import LiteFormerError
from liteformer.train.data import table
from liteformer.train.data.labels import flags
from liteformer.train.data.recordings import starts_of
from liteformer.train.data.series import TEST, TRAIN
from liteformer.train.data.task_series import anomaly_series

TRAINING_ROWS = 400             # Of every experiment: the owners' protocol trains on them and tests on the rest.
LABELS = ["anomaly", "changepoint"]
TIME = "datetime"
GAP = 3                         # A pause longer than this many usual steps ends a window; the recorder drops single rows.


def load_skab(options):
    """All experiments below a directory, one after the other, with the owners' split.

    Training rows are the whole of a file without the column ``anomaly`` (``anomaly-free.csv``) and the first 400 rows of every
    other one.

    Args:
        options: TrainOptions.
    Returns:
        Series; features are the sensors.
    Raises:
        LiteFormerError: no such files, or their columns differ.
    """
    root = Path(options.path)
    if not root.is_dir():
        raise LiteFormerError(f"there is no directory {root}; check --path")
    paths = sorted(root.rglob("*.csv"))
    if not paths:
        raise LiteFormerError(f"no CSV file lies below {root}; check --path")
    names, parts = None, []
    for path in paths:
        frame = table.read(path, header=0, sep=";")
        sensors = [name for name in frame.columns if name not in (TIME, *LABELS)]
        if TIME not in frame.columns or not sensors:
            raise LiteFormerError(f"{path} is not a SKAB file: it needs {TIME} and sensors, separated by semicolons")
        names = sensors if names is None else names
        if sensors != names:
            raise LiteFormerError(f"{path} has other sensors than {paths[0]}; keep files of one test bench below --path")
        parts.append(_experiment(frame, path, names))
    values, labels, follows, trained = (np.concatenate(column) for column in zip(*parts))
    return anomaly_series(options, values, names, labels, "anomaly", follows, np.where(trained, TRAIN, TEST))


def _experiment(frame, path, names):
    """``(values, labels, follows, trained)`` of one file."""
    values = table.columns(frame, path, names)
    times = pd.to_datetime(table.cells(frame, path, TIME), errors="coerce")
    bad = np.flatnonzero(times.isna())
    if len(bad):
        raise LiteFormerError(f"{path}, row {bad[0] + 2}, column {TIME!r} holds no time; correct the cell")
    steps = times.diff().dt.total_seconds().to_numpy()
    follows = (steps > 0) & (steps <= GAP * np.nanmedian(steps)) if len(steps) > 1 else np.zeros(len(steps), bool)
    if "anomaly" not in frame.columns:
        return values, np.zeros(len(values)), follows, np.ones(len(values), bool)
    labels = flags(table.cells(frame, path, "anomaly"), "anomaly", path, first_row=1)
    trained = np.arange(len(values)) < TRAINING_ROWS
    # A window belongs to one part only.
    return values, labels, follows & ~starts_of(trained), trained
